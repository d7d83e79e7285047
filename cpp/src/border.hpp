// Places beyond the border of a picture.
#pragma once

#include <cstdint>

#include "alphacut/border.hpp"

namespace alphacut {

// Where a place beyond the border of n lies within; -1 for the constant.
inline int64_t within(int64_t i, int64_t n, Border border) {
  if (i >= 0 && i < n) return i;
  const auto modulo = [](int64_t a, int64_t b) { return (a % b + b) % b; };
  switch (border) {
    case Border::nearest:
      return i < 0 ? 0 : n - 1;
    case Border::reflect: {
      const int64_t j = modulo(i, 2 * n);
      return j < n ? j : 2 * n - 1 - j;
    }
    case Border::mirror: {
      if (n == 1) return 0;
      const int64_t j = modulo(i, 2 * n - 2);
      return j < n ? j : 2 * n - 2 - j;
    }
    case Border::wrap:
      return modulo(i, n);
    default:
      return -1;
  }
}

}  // namespace alphacut
