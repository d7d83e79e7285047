// Dilation of bits by a square.
#pragma once

#include <algorithm>
#include <vector>

#include "alphacut/image.hpp"
#include "alphacut/parallel.hpp"

namespace alphacut {

// The bits that stand at most `reach` rows and columns from each pixel, all of them. `bits(y, row)` writes those of a
// row.
template <class Bits>
Image<uint8_t> dilate(int64_t height, int64_t width, int64_t reach, Bits bits) {
  Image<uint8_t> across(height, width), any(height, width);
  const auto n = static_cast<size_t>(width);
  const auto join = [n](const uint8_t* __restrict from, uint8_t* __restrict to) {
    for (size_t x = 0; x < n; ++x) to[x] |= from[x];
  };
  const auto stretch = [](const uint8_t* __restrict from, size_t count, size_t shift, uint8_t* __restrict to) {
    for (size_t x = 0; x < count; ++x) to[x] = from[x] | from[x + shift];
  };
  parallel_for(height, row_grain(width, 1 << 14), [&](int64_t begin, int64_t end) {
    const size_t wide = n + 2 * static_cast<size_t>(reach);
    std::vector<uint8_t> row(wide, 0), joined(wide);
    for (int64_t y = begin; y < end; ++y) {
      std::fill(row.begin(), row.end(), uint8_t{0});
      bits(y, row.data() + reach);
      // Stretches of `span` pixels from each pixel on, twice as long each time.
      for (size_t span = 1, all = 2 * static_cast<size_t>(reach) + 1; span < all;) {
        const size_t shift = std::min(span, all - span);
        stretch(row.data(), wide - shift, shift, joined.data());
        row.swap(joined);
        span += shift;
      }
      std::copy_n(row.data(), n, across.row(y));
    }
  });
  parallel_for(height, row_grain(width, 1 << 14), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      std::fill_n(any.row(y), n, uint8_t{0});
      for (int64_t v = std::max<int64_t>(y - reach, 0); v <= std::min(y + reach, height - 1); ++v)
        join(across.row(v), any.row(y));
    }
  });
  return any;
}

}  // namespace alphacut
