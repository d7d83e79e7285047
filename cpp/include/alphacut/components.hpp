// Connected components of a mask: labels, statistics, the largest, the small, holes and outlines.
// Foreground is anything but 0; masks that are written hold 0 and 255. `connectivity` is 4 or 8. A mask may have at
// most 2^31 - 1 pixels; that, another connectivity, or sizes that disagree throw std::invalid_argument.
#pragma once

#include <array>
#include <vector>

#include "alphacut/image.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

// Numbers the components 1..N in raster order of their first pixel; background is 0. Returns N.
int32_t label_components(ImageView<const uint8_t> mask, int connectivity, ImageView<int32_t> labels);

struct ComponentStats {
  int64_t area;                 // pixels
  int64_t x, y, width, height;  // bounding box
  double center_x, center_y;    // mean of the pixels' whole-number coordinates
};

// Statistics of component 1..N at 0..N-1.
std::vector<ComponentStats> component_stats(ImageView<const uint8_t> mask, int connectivity);

// result = the k >= 1 components of largest area; of equal ones the earlier in raster order.
void keep_largest(ImageView<const uint8_t> mask, int64_t k, int connectivity, ImageView<uint8_t> result);

// result = the components of at least `min_area` >= 0 pixels.
void remove_small(ImageView<const uint8_t> mask, int64_t min_area, int connectivity, ImageView<uint8_t> result);

// result = the mask and its holes of at most `max_area` >= 0 pixels. A hole is a component of the background that does
// not touch the border; with 8-connected foreground the background is 4-connected, and the other way round.
void fill_holes(ImageView<const uint8_t> mask, int64_t max_area, int connectivity, ImageView<uint8_t> result);

using Ring = std::vector<std::array<int32_t, 2>>;  // corners (x, y), not closed: the last is joined to the first

// Pixel (x, y) covers the square from (x, y) to (x + 1, y + 1). Seen with y downwards, the exterior runs clockwise and
// the holes counter-clockwise. Rings have no vertex twice, do not cross, and touch each other at single points only.
struct Polygon {
  Ring exterior;
  std::vector<Ring> holes;
};

// One polygon for each 4-connected component, in raster order of the first pixel, which is where its exterior starts.
std::vector<Polygon> mask_to_polygons(ImageView<const uint8_t> mask);

}  // namespace alphacut
ALPHACUT_API_END
