#pragma once

#include <stddef.h>
#include <stdint.h>

namespace alphacut {

// A picture is split like a chessboard: each row into a half-row of its red cells ((x + y) even) and one of its black
// cells. The neighbours of a cell i of one colour are cells of the other: i above and below, i + shift - 1 and i +
// shift to the left and right.
struct ForegroundKernels {
  // One relaxation of F and B at the n cells of a half-row. `here` points to the half-row's alpha plane, `other` to the
  // other half-row's; plane k (alpha, then `channels` of the picture, of F and of B) lies k·plane values on. The
  // half-rows above and below lie `row` values before and after `other`; has_above and has_below tell if they exist. A
  // cell at either end may lack a neighbour: has_left and has_right tell for the first and the last.
  // A neighbour weighs `base`, and more the more its alpha differs.
  void (*relax)(float* here, const float* other, ptrdiff_t row, ptrdiff_t plane, int channels, size_t n, int shift,
                int has_above, int has_below, int has_left, int has_right, float base);
  // Adds the sums of alpha, then of alpha·c and of c for each channel, over n pixels.
  void (*sums_u8)(const uint8_t* alpha, const uint8_t* pixels, size_t n, int channels, uint64_t* sums);
  // The first and one past the last of n that are neither 0 nor 255; n and 0 if there are none.
  void (*partial_u8)(const uint8_t* alpha, size_t n, size_t* first, size_t* end);
  // Writes n pixels, `step` values apart, as floats from 0 to 1: those of even places of channel c to halves[2·c], the
  // others to halves[2·c + 1].
  void (*split_u8)(const uint8_t* pixels, size_t n, int channels, ptrdiff_t step, float* const* halves);
  void (*split_f32)(const float* pixels, size_t n, int channels, ptrdiff_t step, float* const* halves);
  // The other way: n pixels side by side from floats, in bytes rounded half up.
  void (*join_u8)(const float* const* halves, size_t n, int channels, uint8_t* pixels);
  void (*join_f32)(const float* const* halves, size_t n, int channels, float* pixels);
  // Joins two half-rows: cell i is even[i / 2] or odd[i / 2].
  void (*enlarge)(const float* even, const float* odd, size_t n, float* row);
  // The pixel where alpha is 255, else the other.
  void (*select_u8)(const uint8_t* alpha, const uint8_t* pixels, const uint8_t* others, size_t n, int channels,
                    uint8_t* result);
};

}  // namespace alphacut
