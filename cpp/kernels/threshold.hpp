#pragma once

#include <stddef.h>
#include <stdint.h>

namespace alphacut {

// Constants of Sauvola's test, see ThresholdKernels::sauvola_u8.
struct SauvolaRow {
  double area;                    // pixels in a window
  double rest;                    // 1 - k
  double slope;                   // k / R
  double offset;                  // added to each value
  uint64_t extra, extra_squares;  // added to each window's sum and sum of squares
};

struct ThresholdKernels {
  // mask = value > limit ? 255 : 0, for n values; above_u8 takes the values themselves for the mask too.
  void (*above_u8)(const uint8_t* values, size_t n, uint8_t limit, uint8_t* mask);
  void (*above_u16)(const uint16_t* values, size_t n, uint16_t limit, uint8_t* mask);
  void (*above_i16)(const int16_t* values, size_t n, int16_t limit, uint8_t* mask);
  void (*above_i32)(const int32_t* values, size_t n, int32_t limit, uint8_t* mask);
  void (*above_f32)(const float* values, size_t n, float limit, uint8_t* mask);
  void (*above_f64)(const double* values, size_t n, double limit, uint8_t* mask);
  // Bins of n floats in 0..1: ceil(256 v) - 1, from 0 to 255.
  void (*bins_f32)(const float* values, size_t n, uint8_t* bins);
  // round(65535 v) of n floats in 0..1.
  void (*quantise_f32)(const float* values, size_t n, uint16_t* result);
  void (*widen_u8)(const uint8_t* values, size_t n, float* result);

  // Of four rows of n values, one after the other: columns += each row, sums = the sum of each; modulo 2^32.
  void (*fold_four)(const uint32_t* rows, size_t n, uint32_t* columns, uint32_t* sums);

  // sums += enter - leave; for the squares sums += enter² - leave². All sums are modulo 2^bits of their type.
  void (*slide_u8_u16)(const uint8_t* enter, const uint8_t* leave, size_t n, uint16_t* sums);
  void (*slide_u8_u64)(const uint8_t* enter, const uint8_t* leave, size_t n, uint64_t* sums);
  void (*slide_u16_u64)(const uint16_t* enter, const uint16_t* leave, size_t n, uint64_t* sums);
  void (*slide_squares_u8_u32)(const uint8_t* enter, const uint8_t* leave, size_t n, uint32_t* sums);
  void (*slide_squares_u8_u64)(const uint8_t* enter, const uint8_t* leave, size_t n, uint64_t* sums);
  void (*slide_squares_u16)(const uint16_t* enter, const uint16_t* leave, size_t n, uint64_t* sums);

  // result[i] = first + values[0] + ... + values[i].
  void (*prefix_u16_u32)(const uint16_t* values, size_t n, uint32_t first, uint32_t* result);
  void (*prefix_u32_u32)(const uint32_t* values, size_t n, uint32_t first, uint32_t* result);
  void (*prefix_u64_u64)(const uint64_t* values, size_t n, uint64_t first, uint64_t* result);

  // With S = prefix[x + span] - prefix[x], the sum of a window: mask = S - area * value < bias ? 255 : 0, signed.
  void (*mean_u8_u32)(const uint8_t* values, size_t n, const uint32_t* prefix, size_t span, uint32_t area, int32_t bias,
                      uint8_t* mask);
  void (*mean_u8_u64)(const uint8_t* values, size_t n, const uint64_t* prefix, size_t span, uint64_t area, int64_t bias,
                      uint8_t* mask);
  void (*mean_u16_u64)(const uint16_t* values, size_t n, const uint64_t* prefix, size_t span, uint64_t area,
                       int64_t bias, uint8_t* mask);
  // With S and Q the sums of the window's values and squares, m = S/area, s² = Q/area - m²:
  // mask = value + offset > m (1 + k (s/R - 1)) ? 255 : 0, by comparing squares.
  void (*sauvola_u8_u32)(const uint8_t* values, size_t n, const uint32_t* prefix, const uint32_t* squares, size_t span,
                         SauvolaRow row, uint8_t* mask);
  void (*sauvola_u8_u64)(const uint8_t* values, size_t n, const uint64_t* prefix, const uint64_t* squares, size_t span,
                         SauvolaRow row, uint8_t* mask);
  void (*sauvola_u16)(const uint16_t* values, size_t n, const uint64_t* prefix, const uint64_t* squares, size_t span,
                      SauvolaRow row, uint8_t* mask);

  // For n limits, with `below` of `count` values, that sum up to `sums` of `sum`, in the class below: the variance
  // between the two classes, times count². Exact but for two roundings if count <= 2^22 and the values are bytes.
  void (*between)(const int32_t* below, const int32_t* sums, size_t n, int32_t count, int32_t sum, double* variance);

  // sums += weight * (a + b), for n values.
  void (*add_pair)(const float* a, const float* b, size_t n, float weight, float* sums);
  // To the nearest whole number, ties to even; |values| < 2^22.
  void (*round_f32)(float* values, size_t n);
  // mask = value > mean - offset ? 255 : 0.
  void (*above_mean)(const float* values, const float* means, size_t n, float offset, uint8_t* mask);
};

}  // namespace alphacut
