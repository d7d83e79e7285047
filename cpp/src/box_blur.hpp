// A blur by three boxes in each direction, about a Gaussian, in a time that does not depend on its width. Nothing lies
// beyond the ends.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "alphacut/image.hpp"
#include "alphacut/parallel.hpp"
#include "planes.hpp"

namespace alphacut {

using BoxRadii = std::array<int64_t, 3>;

// Radii of three boxes whose variances add up to about sigma² (Kovesi, Fast Almost-Gaussian Filtering, 2010). A box
// wider than the picture sees all of it.
inline BoxRadii box_radii(double sigma, int64_t longest) {
  const double ideal = std::sqrt(4 * sigma * sigma + 1);  // width of three equal boxes
  if (!(ideal < 2.0 * static_cast<double>(longest))) return {longest, longest, longest};
  const auto below = static_cast<int64_t>((ideal - 1) / 2);  // of width 2·below + 1 <= ideal
  const double small = 2.0 * static_cast<double>(below) + 1;
  const double narrow = (12 * sigma * sigma - 3 * small * small - 12 * small - 9) / (-4 * small - 4);
  const auto count = static_cast<int64_t>(std::floor(narrow + 0.5));
  BoxRadii radii;
  for (int64_t i = 0; i < 3; ++i) radii[static_cast<size_t>(i)] = i < count ? below : below + 1;
  return radii;
}

// Means over 2·radius + 1 items around each of n items of `values` floats, nothing beyond the ends; items of `out` are
// packed. The running sums are double: what they gather in error is far below a float's last place.
template <class Count>
void box_blur(const float* in, int64_t stride, int64_t n, Count values, int64_t radius, double* sums, float* out) {
  radius = std::min(radius, n);  // sees all already
  const double scale = 1.0 / static_cast<double>(2 * radius + 1);
  for (int64_t i = -radius; i < n; ++i) {
    const float* enter = i + radius < n ? in + (i + radius) * stride : nullptr;
    const float* leave = i - radius > 0 ? in + (i - radius - 1) * stride : nullptr;
    if (i == -radius) std::fill_n(sums, static_cast<int64_t>(values), 0.0);
    if (enter != nullptr)
      for (int64_t c = 0; c < values; ++c) sums[c] += static_cast<double>(enter[c]);
    if (leave != nullptr)
      for (int64_t c = 0; c < values; ++c) sums[c] -= static_cast<double>(leave[c]);
    if (i >= 0)
      for (int64_t c = 0; c < values; ++c) out[i * values + c] = static_cast<float>(sums[c] * scale);
  }
}

// All three boxes, of one row of floats.
inline std::vector<float> blurred_row(std::vector<float> row, const BoxRadii& radii) {
  std::vector<float> other(row.size());
  double sums[1];
  for (const int64_t radius : radii) {
    box_blur(row.data(), 1, static_cast<int64_t>(row.size()), std::integral_constant<int64_t, 1>{}, radius, sums,
             other.data());
    row.swap(other);
  }
  return row;
}

// Rows of K floats a pixel, as fill(y, row) writes them, blurred along themselves.
template <int K, class Fill>
void blur_rows(ImageView<float> planes, const BoxRadii& radii, Fill&& fill) {
  parallel_for(planes.height, row_grain(planes.width), [&](int64_t begin, int64_t end) {
    std::vector<float> buffer(static_cast<size_t>(2 * planes.width * K));
    float *one = buffer.data(), *two = one + planes.width * K;
    double sums[K];
    const std::integral_constant<int64_t, K> values;
    for (int64_t y = begin; y < end; ++y) {
      fill(y, one);
      box_blur(one, K, planes.width, values, radii[0], sums, two);
      box_blur(two, K, planes.width, values, radii[1], sums, one);
      box_blur(one, K, planes.width, values, radii[2], sums, planes.row(y));
    }
  });
}

// The same along the columns, by strips of columns; take(y, begin, end, values) gets what comes out of each row of one.
template <int K, class Take>
void blur_columns(ImageView<const float> planes, const BoxRadii& radii, Take&& take) {
  constexpr int64_t strip = 32;
  parallel_for(planes.width, strip, [&](int64_t begin, int64_t end) {
    const int64_t values = (end - begin) * K;
    std::vector<double> sums(static_cast<size_t>(values));
    std::vector<float> buffer(static_cast<size_t>(2 * planes.height * values));
    float *one = buffer.data(), *two = one + planes.height * values;
    const auto stride = static_cast<int64_t>(planes.stride / static_cast<ptrdiff_t>(sizeof(float)));
    box_blur(planes.data + begin * K, stride, planes.height, values, radii[0], sums.data(), one);
    box_blur(one, values, planes.height, values, radii[1], sums.data(), two);
    box_blur(two, values, planes.height, values, radii[2], sums.data(), one);
    for (int64_t y = 0; y < planes.height; ++y) take(y, begin, end, one + y * values);
  });
}

}  // namespace alphacut
