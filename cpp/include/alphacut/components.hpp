// Connected components of a mask: labels, statistics, the largest, the small, holes and outlines.
// Foreground is anything but 0; masks that are written hold 0 and 255. `connectivity` is 4 or 8. A mask may have at
// most 2^31 - 1 pixels; that, another connectivity, or sizes that disagree throw std::invalid_argument.
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <vector>

#include "alphacut/image.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

// Numbers the components 1..N in raster order of their first pixel; background is 0. Returns N.
int32_t label_components(ImageView<const uint8_t> mask, int connectivity, ImageView<int32_t> labels);

// The same for the pieces of each value of a picture: neighbours whose values differ by at most `delta` >= 0 belong
// together, one by one, so that a slow gradient is one piece. Pixels of the value `background`, if there is one, are 0
// and belong to no piece. T = uint8_t, uint16_t, int16_t, int32_t, float and double; NaN throws.
template <class T>
int32_t label_pieces(ImageView<const T> values, int connectivity, double delta, std::optional<double> background,
                     ImageView<int32_t> labels);

struct ComponentStats {
  int64_t area;                 // pixels
  int64_t x, y, width, height;  // bounding box
  double center_x, center_y;    // mean of the pixels' whole-number coordinates
};

// Statistics of component 1..N at 0..N-1, or at 1..N behind those of the background: its centre is NaN if it has no
// pixel.
std::vector<ComponentStats> component_stats(ImageView<const uint8_t> mask, int connectivity, bool background = false);

struct ComponentShape {
  double perimeter;  // along the centres of its 4-connected border pixels (Benkrid & Crookes 2000)
  // The ellipse of the same second moments: lengths of its axes, eccentricity from 0 to 1, angle from the y axis to the
  // major one, -pi/2 to pi/2, counter-clockwise as seen on the screen.
  double major_axis, minor_axis, eccentricity, orientation;
  int64_t euler_number;           // 1 less its holes
  int64_t convex_area;            // pixels in the convex hull of the middles of its pixels' sides
  double weighted_x, weighted_y;  // centre of the weights; NaN if they sum up to 0
};

// Shapes of component 1..N at 0..N-1. `weights` has the size of the mask, or no data: then the centre is the mean.
std::vector<ComponentShape> component_shapes(ImageView<const uint8_t> mask, int connectivity,
                                             ImageView<const double> weights = {});

// result = the k >= 1 components of largest area; of equal ones the earlier in raster order.
void keep_largest(ImageView<const uint8_t> mask, int64_t k, int connectivity, ImageView<uint8_t> result);

// result = the components of at least `min_area` >= 0 and at most `max_area` >= 0 pixels; or, inverted, all others.
void remove_small(ImageView<const uint8_t> mask, int64_t min_area, int connectivity, ImageView<uint8_t> result,
                  int64_t max_area = std::numeric_limits<int64_t>::max(), bool invert = false);

// result = the components with a pixel where `seeds` is not 0 (reconstruction by dilation).
void keep_touching(ImageView<const uint8_t> mask, ImageView<const uint8_t> seeds, int connectivity,
                   ImageView<uint8_t> result);

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

// One polygon for each component, in raster order of the first pixel, which is where its exterior starts. With
// connectivity 8 a ring may touch itself at corners where pixels meet. With a tolerance above 0 the rings are
// simplified (Ramer 1972, Douglas & Peucker 1973): what is left out lies at most so many pixels from what stays. A ring
// of which fewer than three corners would stay is kept as it is.
std::vector<Polygon> mask_to_polygons(ImageView<const uint8_t> mask, int connectivity = 4, double tolerance = 0);

}  // namespace alphacut
ALPHACUT_API_END
