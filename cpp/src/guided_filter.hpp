// The guided filter's two halves, shared with the mattes.
#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

#include "alphacut/image.hpp"
#include "alphacut/parallel.hpp"
#include "depth.hpp"
#include "dispatch.hpp"

namespace alphacut {

// Guides are centred on 0, which keeps a·I + b precise in float.
inline constexpr float kGuideCentre = 0.5f;

// out[x·channels + c] = the sum of channel c of the pixels x·factor .. of a row.
template <class Value, class Sum>
void sum_across(const Value* row, int64_t width, int64_t factor, int64_t channels, Sum* out) {
  for (int64_t x = 0; x < width; x += factor, out += channels)
    for (int64_t c = 0; c < channels; ++c) {
      Sum sum = 0;
      for (int64_t u = x; u < std::min(x + factor, width); ++u) sum += row[u * channels + c];
      out[c] = sum;
    }
}

// Means of blocks of `factor`² pixels (what the picture has of them), less `centre`.
template <class T>
Image<float> shrink(ImageView<const T> image, int64_t factor, float centre) {
  constexpr bool bytes = std::is_same_v<T, uint8_t>;
  using Column = std::conditional_t<bytes, int32_t, float>;
  Image<float> small((image.height - 1) / factor + 1, (image.width - 1) / factor + 1, image.channels);
  const auto n = static_cast<size_t>(image.width * image.channels);
  parallel_for(small.height(), row_grain(image.width * factor), [&](int64_t begin, int64_t end) {
    std::vector<Column> sum(n);
    std::vector<std::conditional_t<bytes, int64_t, float>> cells(static_cast<size_t>(small.width() * image.channels));
    for (int64_t y = begin; y < end; ++y) {
      const int64_t y0 = y * factor, y1 = std::min(image.height, y0 + factor);
      std::fill(sum.begin(), sum.end(), Column{0});
      for (int64_t v = y0; v < y1; ++v) {
        const T* row = image.row(v);
        for (size_t i = 0; i < n; ++i) sum[i] += static_cast<Column>(row[i]);
      }
      sum_across(sum.data(), image.width, factor, image.channels, cells.data());
      float* out = small.row(y);
      const size_t channels = static_cast<size_t>(image.channels);
      for (int64_t x = 0; x < small.width(); ++x, out += channels) {
        const int64_t pixels = (y1 - y0) * std::min(factor, image.width - x * factor);
        const float scale = (bytes ? 1.0f / 255 : 1.0f) / static_cast<float>(pixels);
        for (size_t c = 0; c < channels; ++c)
          out[c] = static_cast<float>(cells[static_cast<size_t>(x) * channels + c]) * scale - centre;
      }
    }
  });
  return small;
}

// Calls emit(y, columns) for every row with the sums of `terms` values a column over the rows y - radius .. y + radius;
// add(y, sign, columns) adds or takes away a row.
template <class Add, class Emit>
void sliding_rows(int64_t height, int64_t width, int64_t radius, int64_t terms, Add add, Emit emit) {
  const int64_t grain = std::max(row_grain(width), 2 * radius + 1);
  parallel_for(height, grain, [&](int64_t begin, int64_t end) {
    std::vector<double> columns(static_cast<size_t>(width * terms));
    for (int64_t y = std::max<int64_t>(0, begin - radius); y < std::min(height, begin + radius); ++y)
      add(y, 1.0, columns.data());
    for (int64_t y = begin; y < end; ++y) {
      if (y + radius < height) add(y + radius, 1.0, columns.data());
      emit(y, columns.data());
      if (y - radius >= 0) add(y - radius, -1.0, columns.data());
    }
  });
}

// Coefficients of the weighted least squares of `source` by `guide` in each window; `weight` may be empty (all 1).
inline Image<float> local_fit(ImageView<const float> guide, ImageView<const float> source,
                              ImageView<const float> weight, int64_t radius, double eps) {
  const auto& kernel = kernels().matting;
  const auto n = static_cast<size_t>(guide.width);
  const int channels = static_cast<int>(guide.channels);
  Image<float> fit = Image<float>::like(guide, channels + 2);
  sliding_rows(
      guide.height, guide.width, radius, 2 + 2 * channels + channels * (channels + 1) / 2,
      [&](int64_t y, double sign, double* columns) {
        kernel.guided_accumulate(guide.row(y), source.row(y), weight.data == nullptr ? nullptr : weight.row(y), n,
                                 channels, sign, columns);
      },
      [&](int64_t y, const double* columns) {
        kernel.guided_solve(columns, n, static_cast<size_t>(radius), channels, eps, fit.row(y));
      });
  return fit;
}

// The mean of the coefficients of all windows that hold a pixel: (H, W, channels + 2).
inline Image<float> mean_fit(ImageView<const float> fit, int64_t radius) {
  const auto& kernel = kernels().matting;
  Image<float> mean = Image<float>::like(fit, fit.channels);
  sliding_rows(
      fit.height, fit.width, radius, fit.channels,
      [&](int64_t y, double sign, double* columns) {
        kernel.guided_add(fit.row(y), static_cast<size_t>(fit.width * fit.channels), sign, columns);
      },
      [&](int64_t y, const double* columns) {
        kernel.guided_mean(columns, static_cast<size_t>(fit.width), static_cast<size_t>(radius),
                           static_cast<int>(fit.channels - 2), mean.row(y));
      });
  return mean;
}

// The two cells between whose centres the centre of pixel `at` lies, cells being `factor` pixels long, and the share of
// the second.
struct Between {
  int64_t first, second;
  float share;
};

inline Between between_cells(int64_t at, int64_t factor, int64_t cells) {
  const float position = (static_cast<float>(at % factor) + 0.5f) / static_cast<float>(factor) - 0.5f;
  const int64_t cell = at / factor;
  if (position < 0) return {std::max<int64_t>(cell - 1, 0), cell, position + 1};
  return {cell, std::min(cell + 1, cells - 1), position};
}

// `terms` values between those of four cells, `columns` and `down` of the way.
inline void between_fits(const float* above, const float* below, const Between& columns, float down, int64_t terms,
                         float* out) {
  for (int64_t c = 0; c < terms; ++c) {
    const int64_t left = columns.first * terms + c, right = columns.second * terms + c;
    const float top = above[left] + columns.share * (above[right] - above[left]);
    const float bottom = below[left] + columns.share * (below[right] - below[left]);
    out[c] = top + down * (bottom - top);
  }
}

}  // namespace alphacut
