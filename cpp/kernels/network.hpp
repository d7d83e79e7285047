#pragma once

#include <stddef.h>
#include <stdint.h>

namespace alphacut {

constexpr size_t kNetworkLanes = 16;  // sums of products that are made side by side

// Where the sum of a channel lies among its 16 where two taps are interleaved: AVX2 does that in halves of registers.
constexpr size_t network_zipped_lane(size_t channel) {
  return channel / 4 == 1 ? channel + 4 : channel / 4 == 2 ? channel - 4 : channel;
}

// One row of a convolution. The taps of a pixel lie in up to 9 segments of consecutive values (a row of a 3×3 window is
// one, unless it is dilated); pixel x reads segment[s] + x · step onwards.
struct NetworkRow {
  const int16_t* segment[9];
  size_t segments, pairs;  // pairs of values in a segment
  size_t step;
  // conv: for each pair of values the two weights of each of 16 channels, of which the last 8 may be unused.
  // logits: for each 4 pairs of values the 8 weights of each of 4 channels; segments have whole fours of pairs.
  const int16_t* weights;
  const float *scale, *bias;  // of each of the 16 or 4 channels
  size_t lanes;               // channels that are made: 8 or 16
  size_t channels;            // of the output
  size_t n;                   // pixels
};

// One row of a convolution of each channel alone: pixel x reads tap[t] + x · step. An odd number of taps ends with any
// other, whose weights are 0.
struct NetworkWindow {
  const int16_t* tap[26];
  size_t pairs;            // of taps: 5 or 13
  size_t step;             // values from pixel to pixel
  const int16_t* weights;  // for each 16 channels and each pair of taps, the two weights of each channel
  const float *scale, *bias;
  size_t channels;  // a multiple of 16; weights, scale and bias in the order of network_zipped_lane()
  size_t n;         // pixels
};

// Whole numbers of 16 bits; results are clipped to these and rounded to nearest even.
struct NetworkRange {
  float low, high;
};

struct NetworkKernels {
  // y = sum · scale + bias, + skip · skip_scale unless that is null. `skip` and `out` point to the first channel that
  // is made, of pixels of `channels` values, and may be the same.
  void (*conv)(const NetworkRow* row, NetworkRange range, const int16_t* skip, float skip_scale, int16_t* out);
  // y = sum · scale + bias.
  void (*depthwise)(const NetworkWindow* window, NetworkRange range, int16_t* out);
  // y = sum · scale + bias of 4 channels: the first two to pixels 2x and 2x + 1 of a row, the others to the next row.
  void (*logits)(const NetworkRow* row, float* upper, float* lower);
  // The means of 2×2 pixels, rounded half up; n pixels of the output.
  void (*pool)(const int16_t* upper, const int16_t* lower, size_t channels, size_t n, int16_t* out);
  // x · a + y · b of n values, a multiple of 16.
  void (*add)(const int16_t* x, const int16_t* y, size_t n, float a, float b, NetworkRange range, int16_t* out);
  // fine · a + u · b, where u is 16 times the bilinear enlargement of n pixels that lie in two rows, `near` of weight
  // 3/4; 2 n pixels. `channels` is a multiple of 16.
  void (*up_add)(const int16_t* near, const int16_t* far, const int16_t* fine, size_t channels, size_t n, float a,
                 float b, NetworkRange range, int16_t* out);
  // n pixels of `channels` values, a multiple of 16, times `factor`, to pixels of `pitch` values.
  void (*rescale)(const int16_t* in, size_t channels, size_t n, float factor, NetworkRange range, size_t pitch,
                  int16_t* out);
};

}  // namespace alphacut
