#pragma once

#include <stddef.h>
#include <stdint.h>

namespace alphacut {

struct PreprocessKernels {
  // n medians of 3x3 (5x5) values: out[i] is that of rows[0..2][i, i + step, i + 2 step] (rows[0..4], five values
  // each). scratch holds 3 (n + 2 step) values (5 (n + 4 step)).
  void (*median3_u8)(const uint8_t* const* rows, size_t n, size_t step, uint8_t* scratch, uint8_t* out);
  void (*median3_f32)(const float* const* rows, size_t n, size_t step, float* scratch, float* out);
  void (*median5_u8)(const uint8_t* const* rows, size_t n, size_t step, uint8_t* scratch, uint8_t* out);
  void (*median5_f32)(const float* const* rows, size_t n, size_t step, float* scratch, float* out);

  // One tap of a bilateral filter for n pixels of 1 (3) planes that lie `plane` values apart:
  // w = spatial * exp(-scale * d^2), d the summed absolute differences; weights += w, sums += w * near.
  void (*bilateral_tap1)(const float* center, const float* near, size_t plane, size_t n, float spatial, float scale,
                         float* weights, float* sums);
  void (*bilateral_tap3)(const float* center, const float* near, size_t plane, size_t n, float spatial, float scale,
                         float* weights, float* sums);

  // sum = weight * row, or sum += weight * row if `more`, for n values.
  void (*weigh_u8)(const uint8_t* row, size_t n, float weight, int more, float* sum);
  void (*weigh_f32)(const float* row, size_t n, double weight, int more, double* sum);
  // out[x][c] = (weights[x][0] row[first[x]][c] + ... + weights[x][taps - 1] row[first[x] + taps - 1][c]) / divisor.
  // uint8 is rounded half up.
  void (*across_u8)(const float* row, const int64_t* first, const float* weights, size_t taps, size_t n,
                    size_t channels, float divisor, uint8_t* out);
  void (*across_f32)(const double* row, const int64_t* first, const double* weights, size_t taps, size_t n,
                     size_t channels, double divisor, float* out);

  // A symmetric filter over 2 radius + 1 rows of n values: out = weights[0] (a0 + a0) + weights[1] (a1 + b1) + ..., a0
  // the middle row, ak and bk those k above and below it. Whole numbers are in 1/128 in u16 and in the results, which
  // are at most 255; their weights are in 1/65536, add up to 1/2, and radius is at most 62.
  void (*blur_u8)(const uint8_t* const* rows, const uint16_t* weights, size_t radius, size_t n, uint16_t* out);
  void (*blur_u16)(const uint16_t* const* rows, const uint16_t* weights, size_t radius, size_t n, uint16_t* out);
  void (*blur_f32)(const float* const* rows, const float* weights, size_t radius, size_t n, float* out);
};

}  // namespace alphacut
