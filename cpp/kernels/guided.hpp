#pragma once

#include <stddef.h>
#include <stdint.h>

namespace alphacut {

// The guided filter of one tile, row by row. All is planar, planes `pitch` values apart. A row of the tile is
// `channels` (1 or 3) planes of the guide I, then the source p, each less its centre and 0 outside the picture. A fit
// has the planes a (one a channel) and b.
struct GuidedKernels {
  // Planes of n interleaved pixels, less their centres.
  void (*split_u8)(const uint8_t* pixels, size_t n, int channels, const float* centre, float* planes, size_t pitch);
  void (*split_f32)(const float* pixels, size_t n, int channels, const float* centre, float* planes, size_t pitch);
  // pixels / 255 - centre
  void (*unit_u8)(const uint8_t* pixels, size_t n, float centre, float* plane);
  // Moves the column sums down by a row: p and I·p in `sums`; I and the upper triangle of I·Iᵀ in `exact`, where float
  // holds them exactly, or else, if that is null, in `moments`.
  void (*slide)(const float* entering, const float* leaving, size_t n, int channels, size_t pitch, double* sums,
                float* exact, double* moments);
  // Least squares of p by I in the n windows of 2·radius + 1 columns; a window has 1 / (inverse_width[x] ·
  // inverse_height) pixels. `scratch` holds 15 planes.
  void (*fit)(const double* sums, const float* exact, const double* moments, size_t n, size_t radius, int channels,
              size_t pitch, const double* inverse_width, double inverse_height, double eps, float* scratch, float* fit);
  // Moves the column sums of a fit down by a row.
  void (*slide_fit)(const float* entering, const float* leaving, size_t n, int planes, size_t pitch, double* columns);
  // Means over the windows, as above. `scratch` holds 2 planes.
  void (*mean_fit)(const double* columns, size_t n, size_t radius, int planes, size_t pitch,
                   const double* inverse_width, double inverse_height, float* scratch, float* mean);
  // result = a·I + b + centre
  void (*apply_fit)(const float* mean, const float* guide, size_t n, int channels, size_t pitch, float centre,
                    float* result);

  // sums += row
  void (*add_u8)(const uint8_t* row, size_t n, int32_t* sums);
  void (*add_f32)(const float* row, size_t n, float* sums);
  // Sums of `factor` pixels side by side, over `scale`, less `centre`.
  void (*shrink_i32)(const int32_t* sums, size_t cells, int channels, size_t factor, float scale, float centre,
                     float* means);
  void (*shrink_f32)(const float* sums, size_t cells, int channels, size_t factor, float scale, float centre,
                     float* means);
  // Bilinear between the centres of cells `factor` pixels long; cells[-1] and cells[n] are read too.
  void (*enlarge)(const float* cells, size_t n, size_t factor, float* pixels);
  // a·I + b for n interleaved pixels I (0..1, less 0.5), with the fit that lies `share` between two planar rows.
  void (*blend_u8)(const float* above, const float* below, float share, const uint8_t* pixels, size_t n, int channels,
                   size_t pitch, float* result);
  void (*blend_f32)(const float* above, const float* below, float share, const float* pixels, size_t n, int channels,
                    size_t pitch, float* result);
};

}  // namespace alphacut
