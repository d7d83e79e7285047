#include "matting_laplacian.hpp"

#include <algorithm>
#include <vector>

#include "alphacut/parallel.hpp"
#include "dispatch.hpp"
#include "guided_filter.hpp"
#include "pooled_vector.hpp"

namespace alphacut {
namespace {

constexpr int64_t kLanes = 8, kOffsets = 25, kCentre = 12;
constexpr int64_t kGrain = 1024;  // blocks to a parallel block, and to a partial dot product
constexpr double kRegularisation = 1e-5;

struct Block {
  int64_t y, x;
};

bool is_unknown(uint8_t label) { return label != 0 && label != 255; }

// The aligned blocks of 8 pixels that hold an unknown one.
PooledVector<Block> unknown_blocks(ImageView<const uint8_t> labels) {
  PooledVector<Block> blocks;
  for (int64_t y = 0; y < labels.height; ++y)
    for (int64_t x = 0; x < labels.width; x += kLanes) {
      const uint8_t* row = labels.row(y);
      if (std::any_of(row + x, row + std::min(x + kLanes, labels.width), is_unknown)) blocks.push_back({y, x});
    }
  return blocks;
}

// A picture of floats with room for the neighbours of every block: two rows above and below, 8 columns left and right.
class Padded {
 public:
  Padded(int64_t height, int64_t width) : plane_(height + 4, (width + kLanes - 1) / kLanes * kLanes + 2 * kLanes) {
    std::fill_n(plane_.data(), plane_.pixels(), 0.0f);
  }
  float* data() { return plane_.data(); }
  float* row(int64_t y) { return plane_.row(y + 2) + kLanes; }
  ptrdiff_t pitch() const { return plane_.width(); }
  int64_t index(const Block& b) const { return (b.y + 2) * plane_.width() + kLanes + b.x; }

 private:
  Image<float> plane_;
};

template <class T>
void block_coefficients(ImageView<const T> image, ImageView<const uint8_t> labels, const Block& block,
                        float* coefficients) {
  float colors[3][5][16] = {}, keep[kLanes] = {};
  double valid[3][16] = {};
  for (int64_t r = 0; r < 5; ++r) {
    const T* row = image.row(std::clamp<int64_t>(block.y + r - 2, 0, image.height - 1));
    for (int64_t i = 0; i < 12; ++i) {
      const T* pixel = row + image.channels * std::clamp<int64_t>(block.x + i - 2, 0, image.width - 1);
      for (int64_t c = 0; c < 3; ++c) colors[c][r][i] = to_float(pixel[image.channels == 3 ? c : 0]);
    }
  }
  for (int64_t r = 0; r < 3; ++r)
    for (int64_t i = 0; i < 10; ++i) {
      const int64_t y = block.y + r - 1, x = block.x + i - 1;
      valid[r][i] = y >= 1 && y + 1 < image.height && x >= 1 && x + 1 < image.width ? 1 : 0;
    }
  for (int64_t l = 0; l < std::min(kLanes, image.width - block.x); ++l)
    keep[l] = is_unknown(labels.row(block.y)[block.x + l]) ? 1.0f : 0.0f;
  kernels().matting.laplacian_block(&colors[0][0][0], &valid[0][0], keep, kRegularisation, coefficients);
}

// The rows of the Laplacian for the blocks, and where these lie in `p`.
template <class T>
Image<float> coefficients_of(ImageView<const T> image, ImageView<const uint8_t> labels,
                             const PooledVector<Block>& blocks, const Padded& p, PooledVector<int64_t>& at) {
  const auto count = static_cast<int64_t>(blocks.size());
  Image<float> coefficients(count, kOffsets * kLanes);
  at.resize(blocks.size());
  // Blocks take little time, but a lot each to build: shares of 64.
  parallel_for(count, 64, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      at[static_cast<size_t>(b)] = p.index(blocks[static_cast<size_t>(b)]);
      block_coefficients(image, labels, blocks[static_cast<size_t>(b)], coefficients.row(b));
    }
  });
  return coefficients;
}

// One number out of the partial sums of all parallel blocks, in their order.
class Partials {
 public:
  explicit Partials(int64_t count) : sums_(static_cast<size_t>((count + kGrain - 1) / kGrain * kLanes)) {}
  double* of(int64_t begin) { return sums_.data() + begin / kGrain * kLanes; }
  double take() {
    double sum = 0;
    for (double& s : sums_) {
      sum += s;
      s = 0;
    }
    return sum;
  }

 private:
  std::vector<double> sums_;
};

}  // namespace

template <class T>
void solve_laplacian(ImageView<const T> image, ImageView<const uint8_t> labels, ImageView<const float> confidence,
                     float weight, int iterations, ImageView<float> alpha) {
  const auto& kernel = kernels().matting;
  const PooledVector<Block> blocks = unknown_blocks(labels);
  const auto count = static_cast<int64_t>(blocks.size());
  if (count == 0) return;
  PooledVector<int64_t> at;
  Padded p(image.height, image.width);
  Image<float> coefficients = coefficients_of(image, labels, blocks, p, at);
  Image<float> x(count, kLanes), r(count, kLanes), q(count, kLanes), inverse(count, kLanes);
  Partials partials(count);
  const auto for_blocks = [&](auto body) { parallel_for(count, kGrain, body); };
  const auto apply = [&](int64_t begin, int64_t end) {
    kernel.laplacian_apply(coefficients.row(begin), at.data() + begin, static_cast<size_t>(end - begin), p.pitch(),
                           p.data(), q.row(begin), partials.of(begin));
  };

  // The residual of the start is -L·alpha, for C·(alpha - alpha) = 0; known pixels take part with their alpha.
  for (int64_t y = 0; y < image.height; ++y) std::copy_n(alpha.row(y), image.width, p.row(y));
  for_blocks(apply);
  partials.take();
  std::fill_n(p.data(), (image.height + 4) * p.pitch(), 0.0f);
  for_blocks([&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const Block block = blocks[static_cast<size_t>(b)];
      for (int64_t l = 0; l < kLanes; ++l) {
        float& diagonal = coefficients.row(b)[kCentre * kLanes + l];
        const bool inside = block.x + l < image.width;
        const bool unknown = inside && is_unknown(labels.row(block.y)[block.x + l]);
        if (unknown) diagonal += weight * confidence.row(block.y)[block.x + l];
        x.row(b)[l] = inside ? alpha.row(block.y)[block.x + l] : 0;
        r.row(b)[l] = -q.row(b)[l];
        inverse.row(b)[l] = unknown && diagonal > 0 ? 1 / diagonal : 0;
      }
    }
  });

  const auto step = [&](float length) {  // returns r·(inverse·r) after it
    for_blocks([&](int64_t begin, int64_t end) {
      kernel.gradient_step(p.data(), at.data() + begin, static_cast<size_t>(end - begin), length, q.row(begin),
                           inverse.row(begin), x.row(begin), r.row(begin), partials.of(begin));
    });
    return partials.take();
  };
  double error = step(0), factor = 0;
  for (int i = 0; i < iterations && error > 0; ++i) {
    for_blocks([&](int64_t begin, int64_t end) {
      kernel.gradient_turn(r.row(begin), inverse.row(begin), at.data() + begin, static_cast<size_t>(end - begin),
                           static_cast<float>(factor), p.data());
    });
    for_blocks(apply);
    const double curvature = partials.take();
    if (!(curvature > 0)) break;
    const double next = step(static_cast<float>(error / curvature));
    factor = next / error;
    error = next;
  }
  for_blocks([&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b)
      for (int64_t l = 0; l < std::min(kLanes, image.width - blocks[static_cast<size_t>(b)].x); ++l)
        alpha.row(blocks[static_cast<size_t>(b)].y)[blocks[static_cast<size_t>(b)].x + l] = x.row(b)[l];
  });
}

template <class T>
void multiply_laplacian(ImageView<const T> image, ImageView<const float> x, ImageView<float> product) {
  Image<uint8_t> labels = Image<uint8_t>::like(x);
  std::fill_n(labels.data(), labels.pixels(), uint8_t{128});
  const PooledVector<Block> blocks = unknown_blocks(labels);
  PooledVector<int64_t> at;
  Padded p(image.height, image.width);
  const Image<float> coefficients = coefficients_of<T>(image, labels, blocks, p, at);
  for (int64_t y = 0; y < image.height; ++y) std::copy_n(x.row(y), image.width, p.row(y));
  Image<float> q(static_cast<int64_t>(blocks.size()), kLanes);
  double dot[kLanes] = {};
  kernels().matting.laplacian_apply(coefficients.data(), at.data(), blocks.size(), p.pitch(), p.data(), q.data(), dot);
  for (size_t b = 0; b < blocks.size(); ++b)
    std::copy_n(q.row(static_cast<int64_t>(b)), std::min(kLanes, image.width - blocks[b].x),
                product.row(blocks[b].y) + blocks[b].x);
}

template void multiply_laplacian(ImageView<const uint8_t>, ImageView<const float>, ImageView<float>);
template void multiply_laplacian(ImageView<const float>, ImageView<const float>, ImageView<float>);
template void solve_laplacian(ImageView<const uint8_t>, ImageView<const uint8_t>, ImageView<const float>, float, int,
                              ImageView<float>);
template void solve_laplacian(ImageView<const float>, ImageView<const uint8_t>, ImageView<const float>, float, int,
                              ImageView<float>);

}  // namespace alphacut
