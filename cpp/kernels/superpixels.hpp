#pragma once

#include <stddef.h>
#include <stdint.h>

namespace alphacut {

struct SuperpixelsKernels {
  // Offers a centre to n pixels of a row. A pixel's distance is the squared one of the three channels, plus near[i];
  // where it is below best[i], it takes that place and the label.
  void (*offer)(const int16_t* const channels[3], size_t n, const int16_t center[3], const int32_t* near, int32_t label,
                int32_t* best, int32_t* labels);
};

}  // namespace alphacut
