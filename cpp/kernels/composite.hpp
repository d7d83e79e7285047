#pragma once

#include <stddef.h>
#include <stdint.h>

namespace alphacut {

struct CompositeKernels {
  // n RGB pixels with an alpha each: the nearest integer to (f·a + b·(255 − a)) / 255, exactly; or f·a + b·(1 − a).
  void (*blend_u8)(const uint8_t* foreground, const uint8_t* alpha, const uint8_t* background, size_t n, uint8_t* out);
  void (*blend_f32)(const float* foreground, const float* alpha, const float* background, size_t n, float* out);
  // n gray values to RGB pixels.
  void (*spread_u8)(const uint8_t* gray, size_t n, uint8_t* rgb);
  void (*spread_f32)(const float* gray, size_t n, float* rgb);
  // n RGB pixels and their alphas to RGBA.
  void (*rgba_u8)(const uint8_t* rgb, const uint8_t* alpha, size_t n, uint8_t* rgba);
  void (*rgba_f32)(const float* rgb, const float* alpha, size_t n, float* rgba);
  // n RGBA pixels: the colours times alpha, or over alpha (at most the whole range; 0 where alpha is 0); alpha stays.
  // In uint8 the nearest integer, halves up.
  void (*premultiply_u8)(const uint8_t* rgba, size_t n, uint8_t* out);
  void (*premultiply_f32)(const float* rgba, size_t n, float* out);
  void (*unpremultiply_u8)(const uint8_t* rgba, size_t n, uint8_t* out);
  void (*unpremultiply_f32)(const float* rgba, size_t n, float* out);
};

}  // namespace alphacut
