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
  // Moves the column sums down by a row. `columns` gets the planes p, I·p, I and the upper triangle of I·Iᵀ (4 or 13);
  // `sums` keeps them, save I and I·Iᵀ where those are whole numbers that float holds: `exact`.
  void (*slide)(const float* entering, const float* leaving, size_t n, int channels, int exact, size_t pitch,
                double* sums, float* columns);
  // Least squares of p by I in the n windows of 2·radius + 1 columns; a window has 1 / (inverse_width[x] ·
  // inverse_height) pixels. `scratch` holds a plane more than `columns`.
  void (*fit)(const float* columns, size_t n, size_t radius, int channels, size_t pitch, const double* inverse_width,
              double inverse_height, double eps, float* scratch, float* fit);
  // Moves the column sums of a fit down by a row.
  void (*slide_fit)(const float* entering, const float* leaving, size_t n, int planes, size_t pitch, double* sums,
                    float* columns);
  // Means over the windows, as above. `scratch` holds a plane.
  void (*mean_fit)(const float* columns, size_t n, size_t radius, int planes, size_t pitch, const double* inverse_width,
                   double inverse_height, float* scratch, float* mean);
  // result = a·I + b + centre
  void (*apply_fit)(const float* mean, const float* guide, size_t n, int channels, size_t pitch, float centre,
                    float* result);

  // Planes of means over cells of `rows` by `factor` interleaved pixels, less their centres. Rows lie `stride` bytes
  // apart. `sums` holds cells·factor·channels values.
  void (*shrink_u8)(const uint8_t* pixels, ptrdiff_t stride, size_t rows, size_t cells, int channels, size_t factor,
                    const float* centre, float* sums, float* planes, size_t pitch);
  void (*shrink_f32)(const float* pixels, ptrdiff_t stride, size_t rows, size_t cells, int channels, size_t factor,
                     const float* centre, float* sums, float* planes, size_t pitch);
  // Bilinear between the centres of cells `factor` pixels long; cells[-1] and cells[n] are read too.
  void (*enlarge)(const float* cells, size_t n, size_t factor, float* pixels);
  // a·I + b for n interleaved pixels, with the fit that lies `share` between two planar rows; I is less its centre, and
  // `centre` holds the source's last.
  void (*blend_u8)(const float* above, const float* below, float share, const uint8_t* pixels, size_t n, int channels,
                   const float* centre, size_t pitch, float* result);
  void (*blend_f32)(const float* above, const float* below, float share, const float* pixels, size_t n, int channels,
                    const float* centre, size_t pitch, float* result);
};

}  // namespace alphacut
