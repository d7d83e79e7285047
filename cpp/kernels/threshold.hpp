#pragma once

#include <stddef.h>
#include <stdint.h>

namespace alphacut {

struct ThresholdKernels {
  // mask = value > limit ? 255 : 0, for n values.
  void (*above_u8)(const uint8_t* values, size_t n, uint8_t limit, uint8_t* mask);
  void (*above_f32)(const float* values, size_t n, float limit, uint8_t* mask);
};

}  // namespace alphacut
