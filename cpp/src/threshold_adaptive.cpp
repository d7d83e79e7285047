#include <algorithm>
#include <cmath>
#include <string>

#include "alphacut/parallel.hpp"
#include "alphacut/threshold.hpp"
#include "gaussian_weights.hpp"
#include "gray_rows.hpp"

namespace alphacut {
namespace {

constexpr int64_t kMaxWindow = 32767;   // the sum of a window's squares stays below 2^32 · 2^30
constexpr int64_t kNarrowWindow = 257;  // of bytes: a column's sum stays below 2^16, a window's squares below 2^32

// The row kernels of WindowSums.
template <class T, class Column, class Sum>
struct SumKernels {
  void (*slide)(const T*, const T*, size_t, Column*);
  void (*prefix)(const Column*, size_t, Sum, Sum*);
};
template <class T, class Column, class Sum>  // Clang deduces an aggregate's parameters by itself from 17 on
SumKernels(void (*)(const T*, const T*, size_t, Column*), void (*)(const Column*, size_t, Sum, Sum*))
    -> SumKernels<T, Column, Sum>;

// Sums of values or of squares over the window around each pixel of a row, the border replicated.
// Running column sums from row to row, then a prefix sum along the row: a window's sum is a difference of two entries.
// Only that difference needs to fit a Sum: the entries are modulo its range.
template <class T, class Column, class Sum>
class WindowSums {
 public:
  WindowSums(ImageView<const T> gray, int64_t window, SumKernels<T, Column, Sum> kernels)
      : gray_(gray),
        radius_(window / 2),
        pad_(std::min(radius_, gray.width)),
        kernels_(kernels),
        columns_(static_cast<size_t>(gray.width)),
        prefix_(static_cast<size_t>(gray.width + 2 * pad_ + 1)) {}

  void start(int64_t y) {
    y_ = y;
    std::fill(columns_.begin(), columns_.end(), Column{0});
    const std::vector<T> zeros(columns_.size());
    for (int64_t row = y - radius_; row <= y + radius_; ++row)
      kernels_.slide(gray_.row(std::clamp<int64_t>(row, 0, gray_.height - 1)), zeros.data(), zeros.size(),
                     columns_.data());
  }

  void next() {
    kernels_.slide(gray_.row(std::min(y_ + radius_ + 1, gray_.height - 1)),
                   gray_.row(std::max<int64_t>(y_ - radius_, 0)), columns_.size(), columns_.data());
    ++y_;
  }

  // prefix[x + span()] - prefix[x] + extra() is the sum of the window around x.
  const Sum* prefix() {
    Sum* p = prefix_.data();
    *p++ = 0;
    for (int64_t i = 0; i < pad_; ++i, ++p) *p = p[-1] + columns_.front();
    kernels_.prefix(columns_.data(), columns_.size(), p[-1], p);
    p += columns_.size();
    for (int64_t i = 0; i < pad_; ++i, ++p) *p = p[-1] + columns_.back();
    return prefix_.data();
  }
  size_t span() const { return static_cast<size_t>(2 * pad_ + 1); }
  // What a window that covers the whole row has of the border beyond the padding: the same for every pixel.
  uint64_t extra() const {
    return static_cast<uint64_t>(radius_ - pad_) * (uint64_t{columns_.front()} + columns_.back());
  }

 private:
  ImageView<const T> gray_;
  int64_t radius_, pad_, y_ = 0;
  SumKernels<T, Column, Sum> kernels_;
  std::vector<Column> columns_;
  std::vector<Sum> prefix_;
};

// Rows to a block: enough to pay for the sums of the first. They are exact, so the threads may decide.
int64_t window_grain(int64_t height, int64_t width, int64_t window) {
  return std::max({row_grain(width), 2 * window, height / (4 * num_threads())});
}

// mask = (sum of the window) - area · value < bias.
template <class T, class Column, class Sum, class Signed>
void mean_rows(ImageView<const T> gray, int64_t window, int64_t bias, ImageView<uint8_t> mask,
               SumKernels<T, Column, Sum> sum_kernels,
               void (*kernel)(const T*, size_t, const Sum*, size_t, Sum, Signed, uint8_t*)) {
  parallel_for(gray.height, window_grain(gray.height, gray.width, window), [&](int64_t begin, int64_t end) {
    WindowSums<T, Column, Sum> sums(gray, window, sum_kernels);
    sums.start(begin);
    for (int64_t y = begin; y < end; ++y) {
      kernel(gray.row(y), static_cast<size_t>(gray.width), sums.prefix(), sums.span(),
             static_cast<Sum>(window * window), static_cast<Signed>(bias - static_cast<int64_t>(sums.extra())),
             mask.row(y));
      if (y + 1 < end) sums.next();
    }
  });
}

void mean_mask(ImageView<const uint8_t> gray, int64_t window, double offset, ImageView<uint8_t> mask) {
  // value > floor((2 sum + area) / (2 area)) - up, without the division; area is odd.
  const int64_t area = window * window, up = static_cast<int64_t>(std::ceil(offset));
  const int64_t bias = up * area - (area - 1) / 2;
  const auto& table = kernels().threshold;
  if (window <= kNarrowWindow)
    mean_rows(gray, window, bias, mask, SumKernels{table.slide_u8_u16, table.prefix_u16_u32}, table.mean_u8_u32);
  else
    mean_rows(gray, window, bias, mask, SumKernels{table.slide_u8_u64, table.prefix_u64_u64}, table.mean_u8_u64);
}

void mean_mask(ImageView<const uint16_t> gray, int64_t window, double offset, ImageView<uint8_t> mask) {
  const auto bias = static_cast<int64_t>(std::ceil(offset * static_cast<double>(window * window)));
  const auto& table = kernels().threshold;
  mean_rows(gray, window, bias, mask, SumKernels{table.slide_u16_u64, table.prefix_u64_u64}, table.mean_u16_u64);
}

template <class T, class Column, class Square, class Sum>
void sauvola_mask(ImageView<const T> gray, int64_t window, double offset, double k, double range,
                  ImageView<uint8_t> mask, SumKernels<T, Column, Sum> value_kernels,
                  SumKernels<T, Square, Sum> square_kernels,
                  void (*kernel)(const T*, size_t, const Sum*, const Sum*, size_t, SauvolaRow, uint8_t*)) {
  parallel_for(gray.height, window_grain(gray.height, gray.width, window), [&](int64_t begin, int64_t end) {
    WindowSums<T, Column, Sum> sums(gray, window, value_kernels);
    WindowSums<T, Square, Sum> squares(gray, window, square_kernels);
    sums.start(begin);
    squares.start(begin);
    for (int64_t y = begin; y < end; ++y) {
      const Sum *p = sums.prefix(), *q = squares.prefix();
      const SauvolaRow row{
          static_cast<double>(window * window), 1 - k, k / range, offset, sums.extra(), squares.extra()};
      kernel(gray.row(y), static_cast<size_t>(gray.width), p, q, sums.span(), row, mask.row(y));
      if (y + 1 < end) {
        sums.next();
        squares.next();
      }
    }
  });
}

void gaussian_mask(ImageView<const float> gray, int64_t window, float offset, bool rounded, ImageView<uint8_t> mask) {
  const std::vector<double> half = gaussian_half(window);
  const std::vector<float> weights(half.begin(), half.end());
  const auto& table = kernels().threshold;
  const auto width = static_cast<size_t>(gray.width), radius = weights.size() - 1;
  const int64_t last = gray.height - 1;
  parallel_for(gray.height, row_grain(gray.width, 1 << 14), [&](int64_t begin, int64_t end) {
    std::vector<float> padded(width + 2 * radius), mean(width);
    float* column = padded.data() + radius;
    for (int64_t y = begin; y < end; ++y) {
      std::fill_n(column, width, 0.0f);
      for (size_t i = 0; i <= radius; ++i) {  // the middle counts twice, with half its weight
        const auto d = static_cast<int64_t>(i);
        table.add_pair(gray.row(std::max<int64_t>(y - d, 0)), gray.row(std::min(y + d, last)), width,
                       i == 0 ? weights[0] / 2 : weights[i], column);
      }
      std::fill_n(padded.data(), radius, column[0]);
      std::fill_n(column + width, radius, column[width - 1]);
      std::fill(mean.begin(), mean.end(), 0.0f);
      for (size_t i = 0; i <= radius; ++i)
        table.add_pair(column - i, column + i, width, i == 0 ? weights[0] / 2 : weights[i], mean.data());
      if (rounded) table.round_f32(mean.data(), width);
      table.above_mean(gray.row(y), mean.data(), width, offset, mask.row(y));
    }
  });
}

template <class T>
void require_options(ImageView<const T> gray, int64_t window, double offset, double full, double k, double r,
                     ImageView<uint8_t> mask) {
  require_gray_and_mask(gray, mask, "mask");
  if (window < 3 || window > kMaxWindow || window % 2 == 0)
    throw std::invalid_argument("window must be odd, from 3 to " + std::to_string(kMaxWindow) + ", got " +
                                std::to_string(window));
  if (!(std::fabs(offset) <= full))
    throw std::invalid_argument("offset must be at most full scale away from 0, got " + std::to_string(offset / full) +
                                " of it");
  if (!(k >= 0 && k <= 1)) throw std::invalid_argument("k must be from 0 to 1, got " + std::to_string(k));
  if (!(r >= 0) || !std::isfinite(r))
    throw std::invalid_argument("r must be above 0 and finite, got " + std::to_string(r));
}

void require_fast(AdaptiveMethod method) {
  if (method == AdaptiveMethod::niblack || method == AdaptiveMethod::median)
    throw std::invalid_argument("adaptive_threshold knows mean, gaussian and sauvola; local_threshold knows all");
}

// Each row of `gray` through `convert(row, width, result)`.
template <class To, class T, class Convert>
Image<To> converted(ImageView<const T> gray, Convert convert) {
  Image<To> result(gray.height, gray.width);
  parallel_for(gray.height, row_grain(gray.width), [&](int64_t begin, int64_t end) {
    GrayRows<T> row(gray);
    for (int64_t y = begin; y < end; ++y) convert(row(y), static_cast<size_t>(gray.width), result.row(y));
  });
  return result;
}

}  // namespace

void adaptive_threshold(ImageView<const uint8_t> gray, int64_t window, AdaptiveMethod method, double offset, double k,
                        ImageView<uint8_t> mask, double r) {
  require_options(gray, window, offset, 255, k, r, mask);
  if (gray.empty()) return;
  if (r == 0) r = 128;
  require_fast(method);
  const auto& table = kernels().threshold;
  if (method == AdaptiveMethod::gaussian) {
    const Image<float> plane = converted<float>(gray, table.widen_u8);
    return gaussian_mask(plane, window, static_cast<float>(std::ceil(offset)), true, mask);
  }
  Image<uint8_t> luma;
  if (gray.channels == 3) {
    luma = Image<uint8_t>::like(gray);
    to_gray(gray, luma);
    gray = luma;
  }
  if (method == AdaptiveMethod::mean) return mean_mask(gray, window, offset, mask);
  if (window <= kNarrowWindow)
    return sauvola_mask(gray, window, offset, k, r, mask, SumKernels{table.slide_u8_u16, table.prefix_u16_u32},
                        SumKernels{table.slide_squares_u8_u32, table.prefix_u32_u32}, table.sauvola_u8_u32);
  sauvola_mask(gray, window, offset, k, r, mask, SumKernels{table.slide_u8_u64, table.prefix_u64_u64},
               SumKernels{table.slide_squares_u8_u64, table.prefix_u64_u64}, table.sauvola_u8_u64);
}

void adaptive_threshold(ImageView<const float> gray, int64_t window, AdaptiveMethod method, double offset, double k,
                        ImageView<uint8_t> mask, double r) {
  require_options(gray, window, offset, 1, k, r, mask);
  if (gray.empty()) return;
  r = r == 0 ? 128.0 * 257 : r * 65535;
  require_fast(method);
  const auto& table = kernels().threshold;
  if (method == AdaptiveMethod::gaussian) {
    const Image<float> plane =
        converted<float>(gray, [](const float* row, size_t n, float* out) { std::copy_n(row, n, out); });
    return gaussian_mask(plane, window, static_cast<float>(offset), false, mask);
  }
  const Image<uint16_t> steps = converted<uint16_t>(gray, table.quantise_f32);
  if (method == AdaptiveMethod::mean) return mean_mask(steps, window, offset * 65535, mask);
  sauvola_mask(steps.view(), window, offset * 65535, k, r, mask, SumKernels{table.slide_u16_u64, table.prefix_u64_u64},
               SumKernels{table.slide_squares_u16, table.prefix_u64_u64}, table.sauvola_u16);
}

}  // namespace alphacut
