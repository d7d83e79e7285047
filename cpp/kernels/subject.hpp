#pragma once

#include <stddef.h>
#include <stdint.h>

namespace alphacut {

struct SubjectKernels {
  // high = low = value where the pixel is a seed, otherwise `far` and -far.
  void (*start_paths)(const float* value, const uint8_t* seed, size_t n, float far, float* high, float* low);
  // Offers to each of n pixels the path through its neighbour [i], then that through [i + shift]: a path reaches from
  // the lower to the higher of its end and the pixel's value, and is taken if that range is the smaller one.
  void (*offer_paths)(const float* value, size_t n, const float* near_high, const float* near_low, ptrdiff_t shift,
                      float* high, float* low);
  // range = high - low.
  void (*path_ranges)(const float* high, const float* low, size_t n, float* range);
  // Log-odds within -100..100 to probabilities: 1 / (1 + exp_exact(-x)), to the last bit; 0 for `least` and below.
  void (*logistic)(const float* log_odds, size_t n, float least, float* probability);
};

}  // namespace alphacut
