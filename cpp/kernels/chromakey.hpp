#pragma once

#include <stddef.h>
#include <stdint.h>

namespace alphacut {

// In units of the picture's values (0..255 or 0..1). Pixel x has the key start + x * step.
struct ChromakeyRow {
  float start[3], step[3];
  float luma_weight;  // of the squared luma difference
  float similarity, inverse_blend;
};

// How to despill: strong[c] is 1 for the key's strong channels, else 0; key_excess is least strong minus greatest weak.
struct DespillRow {
  float strong[3];
  float key_excess, strength;
};

struct ChromakeyKernels {
  // Alpha of n pixels of 1 (3) channels.
  void (*key1_u8)(const uint8_t* pixels, size_t n, const ChromakeyRow* key, uint8_t* alpha);
  void (*key3_u8)(const uint8_t* pixels, size_t n, const ChromakeyRow* key, uint8_t* alpha);
  void (*key1_f32)(const float* pixels, size_t n, const ChromakeyRow* key, float* alpha);
  void (*key3_f32)(const float* pixels, size_t n, const ChromakeyRow* key, float* alpha);
  // n RGB pixels without spill; alpha may be null.
  void (*despill_u8)(const uint8_t* pixels, const uint8_t* alpha, size_t n, const DespillRow* spill, uint8_t* out);
  void (*despill_f32)(const float* pixels, const float* alpha, size_t n, const DespillRow* spill, float* out);
};

}  // namespace alphacut
