// Superpixels: a picture in pieces of about one size, each of about one colour (SLIC: Achanta, Shaji, Smith, Lucchi,
// Fua, Süsstrunk, "SLIC superpixels compared to state-of-the-art superpixel methods", PAMI 2012).
//
// The result is specified in whole numbers, so that every instruction set and thread count gives the same bytes.
//
// Values.   A pixel's colour is floor(16 v + 1/2) of its CIE L*, a* and b*; a gray one's a* and b* are 0. Distances of
//           colours are in squared sixteenths.
// Grid.     With s = sqrt(height · width / n_segments) there are p = max(1, floor(shorter / s + 1/2)) centres along the
//           shorter side (down, if both are equal) and max(1, floor(n_segments / p + 1/2)) along the other, never more
//           than pixels. Places are in quarters of a pixel. Centre (i, j), number i · columns + j, begins at
//           floor((2 i + 1) 2 height / rows) - 2, likewise across, with the colour of the nearest pixel (of two the
//           further one). It reaches the pixels at most reach = max(ceil(height / rows), ceil(width / columns)) pixels
//           away down and across.
// Assign.   A pixel takes the centre that reaches it of least distance: that of the colours, plus near(dx) + near(dy),
//           near(d) = floor((4 compactness d)² · rows · columns / (height · width) + 1/2), at most 2^29; the lowest
//           number on ties. A pixel that none reaches stays with the one it has.
// Update.   A centre becomes the mean of its pixels, floor((2 sum + count) / (2 count)) for each number; one without
//           pixels stays.
// Loop.     Assign, then up to max_iter - 1 times: update, end if no centre moved, assign.
// Pieces.   Each centre's pixels fall into 4-connected pieces. In raster order of their first pixels, a piece of fewer
//           than floor(height · width / (4 · rows · columns)) pixels joins the piece left of its first pixel, or above
//           if there is none; the very first stays. Those that are left are numbered from 0 in that order.
#pragma once

#include "alphacut/image.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

struct SlicOptions {
  int64_t n_segments = 100;   // about so many, at least 1
  double compactness = 10.0;  // of shape against colour, above 0, at most 1000: in L*a*b* units a reach
  int64_t max_iter = 10;      // at least 1
};

// Labels from 0 to N - 1 for a gray or RGB picture, float values in 0..1; returns N. Every label is one 4-connected
// piece. `labels` has the size of the picture, one channel; at most 2^31 - 1 pixels. Other sizes, NaN, or values out of
// range throw std::invalid_argument. 12 bytes a pixel.
int32_t slic(ImageView<const uint8_t> image, const SlicOptions& options, ImageView<int32_t> labels);
int32_t slic(ImageView<const float> image, const SlicOptions& options, ImageView<int32_t> labels);

}  // namespace alphacut
ALPHACUT_API_END
