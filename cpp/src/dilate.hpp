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
  parallel_for(height, row_grain(width, 1 << 14), [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> row(n + 2 * static_cast<size_t>(reach), 0);
    for (int64_t y = begin; y < end; ++y) {
      bits(y, row.data() + reach);
      std::copy_n(row.data(), n, across.row(y));
      for (int64_t i = 1; i <= 2 * reach; ++i) join(row.data() + i, across.row(y));
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
