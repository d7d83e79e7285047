#pragma once

#include <stddef.h>
#include <stdint.h>

namespace alphacut {

struct ColorKernels {
  // Luma of n RGB pixels, (9798 R + 19235 G + 3735 B + 16384) >> 15: BT.601 in OpenCV's fixed point.
  void (*gray_u8)(const uint8_t* rgb, size_t n, uint8_t* gray);
  // 0.299 R + 0.587 G + 0.114 B, summed in this order.
  void (*gray_f32)(const float* rgb, size_t n, float* gray);
  // 1 if every one of the n values lies in [low, high]; NaN does not.
  int (*in_range_f32)(const float* values, size_t n, float low, float high);
  // L*a*b* of n linear colours (XYZ relative to the D65 white): to lab[i step], and a, b one and two planes further.
  void (*lab)(const double* red, const double* green, const double* blue, size_t n, float* lab, size_t step,
              size_t plane);
};

}  // namespace alphacut
