#pragma once

#include <stddef.h>
#include <stdint.h>

namespace alphacut {

// A row of pixels, one array a colour channel.
struct GraphcutRow {
  const uint8_t* channel[3];
};

struct GraphcutKernels {
  // All n values or-ed: its top two bits are clear when each lies in 0..2^30 - 1.
  uint32_t (*or_i32)(const int32_t* values, size_t n);
  // n RGB pixels into three arrays.
  void (*split_rgb)(const uint8_t* rgb, size_t n, uint8_t* r, uint8_t* g, uint8_t* b);
  // Sum of the squared colour distances of n pairs of pixels.
  uint64_t (*sum_distance)(GraphcutRow a, GraphcutRow b, size_t n);
  // weight = table[min(squared colour distance, last)] of n pairs of pixels.
  void (*edge_weights)(GraphcutRow a, GraphcutRow b, size_t n, const int32_t* table, int32_t last, int32_t* weight);
  // For n pixels, the best score of a mixture's components and which one has it, the first of equals. A component is
  // 10 numbers: mean m, lower triangle l of the whitening matrix by rows, constant c; its score c - |l (x - m)|^2.
  void (*mixture_score)(GraphcutRow x, size_t n, const float* components, int count, float* score, uint8_t* best);
  // Edges to n neighbours that stand where `domain` says: those to side 1 are added to `fold`, those to side 0 taken
  // from it, and only those to others (2) keep their weight.
  void (*fold_edges)(const uint8_t* domain, size_t n, int32_t* weights, int32_t* fold);
  // Terminals, source less sink, of n pixels: round(scale · (clamp(fg - bg, ±limit) + unary)), or ∓`hard` where the
  // label is 0 or 1; plus `fold`, within ±(2^29 - 1).
  void (*terminals)(const float* fg, const float* bg, const float* unary, const uint8_t* labels, const int32_t* fold,
                    size_t n, float limit, float scale, int32_t hard, int32_t* difference);
};

}  // namespace alphacut
