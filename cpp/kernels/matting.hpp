#pragma once

#include <stddef.h>
#include <stdint.h>

namespace alphacut {

// A picture's guide has `channels` values a pixel, 1 or 3. Guided-filter coefficients have channels + 2: a, b and 1 (0
// where no window was found), for alpha = a·I + b.
struct MattingKernels {
  // Adds sign·w·(1, p, I, I·p, upper triangle of I·Iᵀ) of n pixels to as many column sums; weight may be null (w = 1).
  void (*guided_accumulate)(const float* guide, const float* source, const float* weight, size_t n, int channels,
                            double sign, double* columns);
  // Least squares of p by I in the windows [x - radius, x + radius] of such column sums.
  void (*guided_solve)(const double* columns, size_t n, size_t radius, int channels, double eps, float* coefficients);
  // columns[i] += sign·values[i]
  void (*guided_add)(const float* values, size_t n, double sign, double* columns);
  // Means of a and b over the windows of column sums of coefficients.
  void (*guided_mean)(const double* columns, size_t n, size_t radius, int channels, float* coefficients);
  // a·I + b
  void (*guided_apply)(const float* guide, const float* coefficients, size_t n, int channels, float* result);

  // Distances in a column to the nearest pixel of the other kind, negative where the mask is 0: distance[x] from those
  // of the row above, at most cap; then also from those of the row below.
  void (*distance_down)(const uint8_t* mask, const int32_t* above, size_t n, int32_t cap, int32_t* distance);
  void (*distance_up)(const int32_t* below, size_t n, int32_t* distance);

  // Walks a ray from each of kRays pixels, side by side in three planes of colours and one of labels (1 background, 2
  // foreground, 4 outside the picture, 0 unknown), until each has found what it wants, or its limit, or the picture's
  // end, or the last step.
  static constexpr int kRays = 8;
  struct Rays {
    float color[3][kRays];   // of the pixels
    int32_t want[kRays];     // of 1 and 2: the first pixel with such a label
    int32_t limit[kRays];    // the last step that may find it
    int32_t step[2][kRays];  // gets the step that found it, from 1, or 0
    float cost[2][kRays];    // gets the squared differences of the colours on the way there
  };
  void (*walk_rays)(const float* pixels, ptrdiff_t plane, const int64_t* steps, size_t count, Rays* rays);
  // For 16 pairs of colours F and B, planar, pairs[c][16] and pairs[3 + c][16]: how far `count` colours together
  // (interleaved) are from their mixtures, squared, and the share of F in the mixture nearest to `here`.
  void (*pair_misfits)(const float* pairs, const float* colours, size_t count, const float* here, float* misfit,
                       float* alpha);
  // For n pixels, at most kRun, the three of `count` mixtures nearest to their colours, as indices into `steps` (-1:
  // none). The mixtures for pixel x lie at `mixtures` + x + steps[k], in 7 planes: B, F - B, 1 / |F - B|². The planes
  // of colours and of `best` lie kRun values apart.
  static constexpr size_t kRun = 64;
  void (*best_mixtures)(const float* mixtures, ptrdiff_t plane, const int64_t* steps, size_t count,
                        const float* colours, size_t n, int32_t* best);

  // Rows of the matting Laplacian for 8 neighbouring pixels: coefficients[5·row + column][8] for the neighbours from -2
  // to 2. colours[3][5][16] holds columns -2..9 of rows -2..2 (the rest 0); valid[3][16] is 1 where the 3×3 window
  // centred on column -1 + i of row -1 + r lies in the picture, else 0; keep[8] multiplies each pixel's row.
  void (*laplacian_block)(const float* colours, const double* valid, const float* keep, double eps,
                          float* coefficients);
  // q = A·p for `blocks` blocks of 8 pixels, block b at p + at[b]; adds p·q to the 8 sums of `dot`.
  void (*laplacian_apply)(const float* coefficients, const int64_t* at, size_t blocks, ptrdiff_t pitch, const float* p,
                          float* q, double* dot);
  // x += step·p, r -= step·q; adds r·(inverse·r) to the 8 sums of `dot`.
  void (*gradient_step)(const float* p, const int64_t* at, size_t blocks, float step, const float* q,
                        const float* inverse, float* x, float* r, double* dot);
  // p = inverse·r + factor·p
  void (*gradient_turn)(const float* r, const float* inverse, const int64_t* at, size_t blocks, float factor, float* p);
};

}  // namespace alphacut
