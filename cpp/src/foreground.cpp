#include "alphacut/foreground.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "alphacut/color.hpp"
#include "alphacut/parallel.hpp"
#include "dispatch.hpp"
#include "unit.hpp"

namespace alphacut {
namespace {

constexpr int64_t kSmall = 32;  // levels up to this size, both sides, get more iterations
constexpr int kSmallIterations = 10, kIterations = 2;

// One level of the pyramid: alpha, picture, F and B, split like a chessboard (see the kernel). Zeros surround each
// half-row and the whole, where neighbours are read but weigh nothing.
class Level {
 public:
  Level(int64_t rows, int64_t columns, int64_t planes)
      : height(rows),
        width(columns),
        channels(static_cast<int>(planes)),
        pitch_(((columns + 1) / 2 + kPad + kPad - 1) / kPad * kPad),
        values_((1 + 3 * planes) * plane_rows() + 1, pitch_) {
    std::fill_n(values_.data(), values_.pixels(), 0.0f);
  }

  // Plane 0 is alpha, then come `channels` planes each of the picture, F and B. `first` is the x of the half-row's
  // first cell, 0 or 1; its cells lie two pixels apart.
  float* half_row(int64_t plane, int64_t y, int64_t first) {
    const int64_t color = (y ^ first) & 1;
    return values_.row(plane * plane_rows() + (y + 1) * 2 + color) + kPad;
  }
  struct Row {
    float* half[2];
    float& operator[](int64_t x) const { return half[x & 1][x >> 1]; }
  };
  Row row(int64_t plane, int64_t y) { return {{half_row(plane, y, 0), half_row(plane, y, 1)}}; }
  int64_t foreground() const { return 1 + channels; }
  int64_t background() const { return 1 + 2 * channels; }

  void relax() {
    for (int64_t color = 0; color < 2; ++color)
      parallel_for(height, row_grain(width, 1 << 13), [&](int64_t begin, int64_t end) {
        for (int64_t y = begin; y < end; ++y) relax_half_row(y, (y ^ color) & 1);
      });
  }

  int64_t height, width;
  int channels;

 private:
  static constexpr int64_t kPad = 16;
  int64_t plane_rows() const { return 2 * (height + 2); }

  void relax_half_row(int64_t y, int64_t first) {
    const int64_t n = (width - first + 1) / 2;
    if (n == 0) return;
    kernels().foreground.relax(half_row(0, y, first), half_row(0, y, 1 - first), 2 * pitch_, plane_rows() * pitch_,
                               channels, static_cast<size_t>(n), static_cast<int>(first), y > 0, y + 1 < height,
                               first > 0, 2 * (n - 1) + first + 1 < width);
  }

  int64_t pitch_;
  Image<float> values_;
};

// Alpha and picture of the level 2^shift times smaller, each cell the pixel at its middle.
template <class T, class A>
Level make_level(ImageView<const T> image, ImageView<const A> alpha, int shift) {
  const int64_t size = int64_t{1} << shift, middle = size / 2;
  Level level((image.height - 1) / size + 1, (image.width - 1) / size + 1, image.channels);
  parallel_for(level.height, row_grain(level.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const int64_t from = std::min(y * size + middle, image.height - 1);
      const auto source = [&](int64_t x) { return std::min(x * size + middle, image.width - 1); };
      const Level::Row alphas = level.row(0, y);
      for (int64_t x = 0; x < level.width; ++x) alphas[x] = unit(alpha.row(from)[source(x)]);
      for (int64_t c = 0; c < image.channels; ++c) {
        const Level::Row values = level.row(1 + c, y);
        for (int64_t x = 0; x < level.width; ++x) values[x] = unit(image.row(from)[source(x) * image.channels + c]);
      }
    }
  });
  return level;
}

// Starts F and B from those of the next coarser level.
void take_coarser(Level& level, Level& coarser) {
  parallel_for(level.height, row_grain(level.width), [&](int64_t begin, int64_t end) {
    for (int64_t plane = level.foreground(); plane < 1 + 3 * level.channels; ++plane)
      for (int64_t y = begin; y < end; ++y) {
        const Level::Row to = level.row(plane, y), from = coarser.row(plane, y >> 1);
        for (int64_t x = 0; x < level.width; ++x) to[x] = from[x >> 1];
      }
  });
}

// Mean colours of the picture, weighted by alpha and by 1 - alpha; summed in blocks of rows, in their order.
struct MeanColors {
  double foreground[3] = {}, background[3] = {}, foreground_weight = 0, background_weight = 0;

  void add(const MeanColors& other) {
    for (int c = 0; c < 3; ++c) {
      foreground[c] += other.foreground[c];
      background[c] += other.background[c];
    }
    foreground_weight += other.foreground_weight;
    background_weight += other.background_weight;
  }
};

template <class T, class A>
MeanColors mean_colors(ImageView<const T> image, ImageView<const A> alpha) {
  const int64_t grain = row_grain(image.width);
  std::vector<MeanColors> blocks(static_cast<size_t>((image.height - 1) / grain + 1));
  parallel_for(image.height, grain, [&](int64_t begin, int64_t end) {
    MeanColors& sum = blocks[static_cast<size_t>(begin / grain)];
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < image.width; ++x) {
        const double a = static_cast<double>(unit(alpha.row(y)[x]));
        sum.foreground_weight += a;
        sum.background_weight += 1 - a;
        for (int64_t c = 0; c < image.channels; ++c) {
          const double value = static_cast<double>(unit(image.row(y)[x * image.channels + c]));
          sum.foreground[c] += a * value;
          sum.background[c] += (1 - a) * value;
        }
      }
  });
  MeanColors mean;
  for (const MeanColors& block : blocks) mean.add(block);
  for (int c = 0; c < 3; ++c) {
    mean.foreground[c] /= mean.foreground_weight > 0 ? mean.foreground_weight : 1;
    mean.background[c] /= mean.background_weight > 0 ? mean.background_weight : 1;
  }
  return mean;
}

// The finest level, solved from the coarsest, whose longer side is 2.
template <class T, class A>
Level solve(ImageView<const T> image, ImageView<const A> alpha, const MeanColors& mean) {
  int shift = 0;
  while ((std::max(image.height, image.width) - 1) >> (shift + 1) > 0) ++shift;
  Level level = make_level(image, alpha, shift);
  for (int64_t y = 0; y < level.height; ++y)
    for (int64_t x = 0; x < level.width; ++x)
      for (int64_t c = 0; c < image.channels; ++c) {
        level.row(level.foreground() + c, y)[x] = static_cast<float>(mean.foreground[c]);
        level.row(level.background() + c, y)[x] = static_cast<float>(mean.background[c]);
      }
  for (;; --shift) {
    const int iterations = std::max(level.height, level.width) <= kSmall ? kSmallIterations : kIterations;
    for (int i = 0; i < iterations; ++i) level.relax();
    if (shift == 0) return level;
    Level finer = make_level(image, alpha, shift - 1);
    take_coarser(finer, level);
    level = std::move(finer);
  }
}

template <class T, class A>
void check(ImageView<const T> image, ImageView<const A> alpha, ImageView<T> foreground) {
  if ((image.channels != 1 && image.channels != 3) || alpha.channels != 1 || foreground.channels != image.channels)
    throw std::invalid_argument("estimate_foreground: image and foreground must have 1 or 3 channels, alpha 1");
  const auto differs = [&](int64_t height, int64_t width) { return height != image.height || width != image.width; };
  if (differs(alpha.height, alpha.width) || differs(foreground.height, foreground.width))
    throw std::invalid_argument("alpha must have the size of image, " + std::to_string(image.height) + " by " +
                                std::to_string(image.width) + ", got " + std::to_string(alpha.height) + " by " +
                                std::to_string(alpha.width));
  if constexpr (std::is_same_v<T, float>) require_range(image, 0, 1, "image");
  if constexpr (std::is_same_v<A, float>) require_range(alpha, 0, 1, "alpha");
}

}  // namespace

template <class T, class A>
void estimate_foreground(ImageView<const T> image, ImageView<const A> alpha, ImageView<T> foreground) {
  check(image, alpha, foreground);
  const MeanColors mean = mean_colors(image, alpha);
  if (image.pixels() == 1 || mean.foreground_weight == 0) {  // nothing to estimate from
    for (int64_t y = 0; y < image.height; ++y)
      std::copy_n(image.row(y), image.width * image.channels, foreground.row(y));
    return;
  }
  Level level = solve(image, alpha, mean);
  parallel_for(image.height, row_grain(image.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const Level::Row alphas = level.row(0, y);
      for (int64_t c = 0; c < image.channels; ++c) {
        const Level::Row values = level.row(level.foreground() + c, y);
        const T* in = image.row(y) + c;
        T* out = foreground.row(y) + c;
        for (int64_t x = 0; x < image.width; ++x, in += image.channels, out += image.channels) {
          if (alphas[x] == 1.0f)
            *out = *in;
          else
            store_unit(values[x], *out);
        }
      }
    }
  });
}

template void estimate_foreground(ImageView<const uint8_t>, ImageView<const uint8_t>, ImageView<uint8_t>);
template void estimate_foreground(ImageView<const uint8_t>, ImageView<const float>, ImageView<uint8_t>);
template void estimate_foreground(ImageView<const float>, ImageView<const uint8_t>, ImageView<float>);
template void estimate_foreground(ImageView<const float>, ImageView<const float>, ImageView<float>);

}  // namespace alphacut
