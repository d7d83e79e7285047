#include "alphacut/superpixels.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "alphacut/components.hpp"
#include "alphacut/parallel.hpp"
#include "dispatch.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

constexpr double kUnits = 16;          // of a colour, in one of L*a*b*
constexpr int32_t kLift = 1 << 12;     // above all negative colours, for rounding down without floor()
constexpr double kMostNear = 1 << 29;  // so that distances fit 32 bits

void require(bool holds, const std::string& message) {
  if (!holds) throw std::invalid_argument("slic: " + message);
}

struct Center {
  int64_t y, x;  // in quarters of a pixel
  std::array<int16_t, 3> color;
  bool operator==(const Center&) const = default;
};

// What the pixels of a centre add up to: y, x, colour, count.
using Sums = std::array<int64_t, 6>;

int64_t rounded_mean(int64_t sum, int64_t count) {
  const int64_t top = 2 * sum + count, bottom = 2 * count;
  return top >= 0 ? top / bottom : -((bottom - 1 - top) / bottom);
}

class Slic {
 public:
  template <class T>
  Slic(ImageView<const T> image, const SlicOptions& options);
  int32_t run(int64_t max_iter, ImageView<int32_t> labels);

 private:
  template <class Body>
  void for_blocks(Body body) {
    parallel_for(height_, row_grain(width_), body);
  }
  int16_t* channel(int64_t y, int64_t c) { return colors_.row(y) + c * width_; }
  // The pixels that a centre at `place` reaches, of so many.
  struct Span {
    int64_t begin, end;
  };
  Span reached(int64_t place, int64_t length) const {
    const int64_t pixel = place / 4, first = pixel - reach_ + (place % 4 != 0);
    return {std::max<int64_t>(0, first), std::min(pixel + reach_ + 1, length)};
  }
  // What the distances from a centre at `place` count, from `pixel` on.
  const int32_t* near_from(int64_t place, int64_t pixel) const {
    return near_[static_cast<size_t>(place % 4)].data() + (pixel - place / 4 + reach_);
  }
  void assign();
  bool update();
  int32_t connect(ImageView<int32_t> labels);

  int64_t height_, width_, rows_, columns_, reach_;
  Image<int32_t> labels_;  // not the caller's, which may change meanwhile: these are indices
  Image<int16_t> colors_;  // each row: L*, then a*, then b*
  std::vector<Center> centers_;
  // Of the distances -reach to reach from the pixel that has a centre, which lies so many quarters further.
  std::array<std::vector<int32_t>, 4> near_;
};

template <class T>
Slic::Slic(ImageView<const T> image, const SlicOptions& options)
    : height_(image.height), width_(image.width), labels_(height_, width_), colors_(height_, width_, 3) {
  const auto h = static_cast<double>(height_), w = static_cast<double>(width_);
  const double side = std::sqrt(h * w / static_cast<double>(options.n_segments));
  const bool upright = width_ < height_;
  const int64_t shorter = std::min(height_, width_), longer = std::max(height_, width_);
  const auto parts = [](double count, int64_t most) {
    return count >= static_cast<double>(most) ? most : std::max<int64_t>(1, static_cast<int64_t>(count + 0.5));
  };
  const int64_t few = parts(static_cast<double>(shorter) / side, shorter);
  const int64_t many = parts(static_cast<double>(options.n_segments) / static_cast<double>(few), longer);
  rows_ = upright ? many : few, columns_ = upright ? few : many;
  reach_ = std::max((height_ + rows_ - 1) / rows_, (width_ + columns_ - 1) / columns_);
  for (int64_t phase = 0; phase < 4; ++phase)
    for (int64_t d = -reach_; d <= reach_; ++d) {
      const double units = kUnits / 4 * options.compactness * static_cast<double>(4 * d - phase);
      const double value = units * units * static_cast<double>(rows_ * columns_) / (h * w) + 0.5;
      near_[static_cast<size_t>(phase)].push_back(static_cast<int32_t>(std::min(value, kMostNear)));
    }
  for_blocks([&](int64_t begin, int64_t end) {
    std::vector<float> lab(static_cast<size_t>(3 * width_));
    for (int64_t y = begin; y < end; ++y) {
      to_lab_planes(image.row(y), width_, image.channels, lab.data(), width_);
      int16_t* const to = colors_.row(y);
      for (int64_t i = 0; i < 3 * width_; ++i)
        to[i] = static_cast<int16_t>(static_cast<int32_t>(lab[static_cast<size_t>(i)] * kUnits + kLift + 0.5) - kLift);
      if (image.channels == 1) std::fill_n(to + width_, 2 * width_, int16_t{0});
    }
  });
  for (int64_t i = 0; i < rows_; ++i)
    for (int64_t j = 0; j < columns_; ++j) {
      const int64_t y = (2 * i + 1) * 2 * height_ / rows_ - 2, x = (2 * j + 1) * 2 * width_ / columns_ - 2;
      const int64_t row = (y + 2) / 4, column = (x + 2) / 4;
      centers_.push_back({y, x, {channel(row, 0)[column], channel(row, 1)[column], channel(row, 2)[column]}});
    }
}

void Slic::assign() {
  std::vector<std::vector<int32_t>> reaching(static_cast<size_t>(height_));  // centres, by row
  for (size_t k = 0; k < centers_.size(); ++k) {
    const Span rows = reached(centers_[k].y, height_);
    for (int64_t y = rows.begin; y < rows.end; ++y) reaching[static_cast<size_t>(y)].push_back(static_cast<int32_t>(k));
  }
  const auto offer = kernels().superpixels.offer;
  for_blocks([&](int64_t begin, int64_t end) {
    std::vector<int32_t> best(static_cast<size_t>(width_)), near(near_[0].size());
    for (int64_t y = begin; y < end; ++y) {
      std::fill(best.begin(), best.end(), std::numeric_limits<int32_t>::max());
      for (const int32_t k : reaching[static_cast<size_t>(y)]) {
        const Center& center = centers_[static_cast<size_t>(k)];
        const auto [first, end_x] = reached(center.x, width_);
        const int32_t down = near_from(center.y, y)[0], *across = near_from(center.x, first);
        const auto n = static_cast<size_t>(end_x - first);
        for (size_t i = 0; i < n; ++i) near[i] = across[i] + down;
        const int16_t* const channels[3] = {channel(y, 0) + first, channel(y, 1) + first, channel(y, 2) + first};
        offer(channels, n, center.color.data(), near.data(), k, best.data() + first, labels_.row(y) + first);
      }
    }
  });
}

// Whether a centre moved.
bool Slic::update() {
  std::vector<Sums> totals(centers_.size());
  std::mutex merging;
  for_blocks([&](int64_t begin, int64_t end) {
    int32_t low = std::numeric_limits<int32_t>::max(), high = 0;  // labels that occur
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < width_; ++x) {
        low = std::min(low, labels_.row(y)[x]);
        high = std::max(high, labels_.row(y)[x]);
      }
    std::vector<Sums> sums(static_cast<size_t>(high - low + 1));
    for (int64_t y = begin; y < end; ++y) {
      const int32_t* label = labels_.row(y);
      const int16_t *c0 = channel(y, 0), *c1 = channel(y, 1), *c2 = channel(y, 2);
      for (int64_t x = 0; x < width_;) {
        const int64_t start = x;
        int64_t s0 = 0, s1 = 0, s2 = 0;
        for (const int32_t own = label[x]; x < width_ && label[x] == own; ++x) s0 += c0[x], s1 += c1[x], s2 += c2[x];
        Sums& sum = sums[static_cast<size_t>(label[start] - low)];
        const int64_t count = x - start;
        sum[0] += count * y, sum[1] += count * (start + x - 1) / 2;
        sum[2] += s0, sum[3] += s1, sum[4] += s2, sum[5] += count;
      }
    }
    const std::lock_guard lock(merging);
    for (size_t i = 0; i < sums.size(); ++i)
      for (size_t j = 0; j < 6; ++j) totals[static_cast<size_t>(low) + i][j] += sums[i][j];
  });
  bool moved = false;
  for (size_t k = 0; k < centers_.size(); ++k) {
    const Sums& sum = totals[k];
    if (sum[5] == 0) continue;
    const auto mean = [&](size_t j) { return rounded_mean(sum[j], sum[5]); };
    const auto place = [&](size_t j) { return rounded_mean(4 * sum[j], sum[5]); };
    const Center center{place(0),
                        place(1),
                        {static_cast<int16_t>(mean(2)), static_cast<int16_t>(mean(3)), static_cast<int16_t>(mean(4))}};
    moved = moved || center != centers_[k];
    centers_[k] = center;
  }
  return moved;
}

int32_t Slic::connect(ImageView<int32_t> labels) {
  Image<int32_t> pieces(height_, width_);
  const int32_t count = label_pieces(ImageView<const int32_t>(labels_.view()), 4, 0, std::nullopt, pieces.view());
  std::vector<int64_t> area(static_cast<size_t>(count) + 1);
  std::vector<int32_t> before(area.size(), -1);  // the piece left of the first pixel, or above; -1: not seen yet
  for (int64_t y = 0; y < height_; ++y) {
    const int32_t* row = pieces.row(y);
    for (int64_t x = 0; x < width_;) {
      const int64_t start = x;
      const auto piece = static_cast<size_t>(row[x]);
      while (x < width_ && row[x] == row[start]) ++x;
      area[piece] += x - start;
      if (before[piece] < 0) before[piece] = start > 0 ? row[start - 1] : y > 0 ? pieces.row(y - 1)[0] : 0;
    }
  }
  const int64_t least = height_ * width_ / (4 * rows_ * columns_);
  std::vector<int32_t> number(area.size());
  int32_t numbers = 0;
  for (size_t piece = 1; piece < area.size(); ++piece) {
    const bool stays = piece == 1 || area[piece] >= least;
    number[piece] = stays ? numbers++ : number[static_cast<size_t>(before[piece])];
  }
  for_blocks([&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < width_; ++x) labels.row(y)[x] = number[static_cast<size_t>(pieces.row(y)[x])];
  });
  return numbers;
}

int32_t Slic::run(int64_t max_iter, ImageView<int32_t> labels) {
  assign();
  for (int64_t i = 1; i < max_iter && update(); ++i) assign();
  colors_ = {};
  return connect(labels);
}

template <class T>
int32_t slic_of(ImageView<const T> image, const SlicOptions& options, ImageView<int32_t> labels) {
  require(!image.empty() && (image.channels == 1 || image.channels == 3), "image must have pixels of 1 or 3 channels");
  require(image.pixels() <= std::numeric_limits<int32_t>::max(), "image must have at most 2^31 - 1 pixels");
  require(labels.height == image.height && labels.width == image.width && labels.channels == 1,
          "labels must have the size of image");
  require(options.n_segments >= 1, "n_segments must be at least 1, got " + std::to_string(options.n_segments));
  require(options.compactness > 0 && options.compactness <= 1000,
          "compactness must be above 0 and at most 1000, got " + std::to_string(options.compactness));
  require(options.max_iter >= 1, "max_iter must be at least 1, got " + std::to_string(options.max_iter));
  if constexpr (std::is_same_v<T, float>) require_range(image, 0, 1, "image");
  return Slic(image, options).run(options.max_iter, labels);
}

}  // namespace

int32_t slic(ImageView<const uint8_t> image, const SlicOptions& options, ImageView<int32_t> labels) {
  return slic_of(image, options, labels);
}
int32_t slic(ImageView<const float> image, const SlicOptions& options, ImageView<int32_t> labels) {
  return slic_of(image, options, labels);
}

}  // namespace alphacut
