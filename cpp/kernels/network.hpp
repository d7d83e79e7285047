#pragma once

#include <stddef.h>
#include <stdint.h>

namespace alphacut {

constexpr int kNetworkLanes = 16;  // sums of products that are made side by side

// One row of a convolution. The taps of a pixel lie in up to 9 segments of consecutive values (a row of a 3×3 window is
// one, unless it is dilated); pixel x reads segment[s] + x · step onwards.
struct NetworkRow {
  const int16_t* segment[9];
  size_t segments, pairs;  // pairs of values in a segment
  size_t step;
  // conv: a block for each 16 output channels; of a block, for each pair of values the two weights of each channel.
  // logits: for each 4 pairs of values the 8 weights of each of 4 channels; segments have whole fours of pairs.
  const int16_t* weights;
  const float *scale, *bias;  // of each output channel
  size_t channels;            // of the output: a multiple of 16
  size_t n;                   // pixels
};

struct NetworkRange {
  float low, high;
};

struct NetworkKernels {
  // y = sum · scale + bias, + skip · skip_scale unless that is null; clipped to the range, rounded to nearest even.
  // `skip` and `out` have n · channels values and may be the same.
  void (*conv)(const NetworkRow* row, NetworkRange range, const int16_t* skip, float skip_scale, int16_t* out);
  // y = sum · scale + bias of 4 channels: the first two to pixels 2x and 2x + 1 of a row, the others to the next row.
  void (*logits)(const NetworkRow* row, float* upper, float* lower);
  // The means of 2×2 pixels, rounded half up; n pixels of the output.
  void (*pool)(const int16_t* upper, const int16_t* lower, size_t channels, size_t n, int16_t* out);
  // fine · a + u · b, where u is 16 times the bilinear enlargement of n pixels that lie in two rows, `near` of weight
  // 3/4; clipped to 0..4095, rounded to nearest even. In place: 2 n pixels. `channels` is a multiple of 16.
  void (*up_add)(const int16_t* near, const int16_t* far, size_t channels, size_t n, float a, float b, int16_t* fine);
};

}  // namespace alphacut
