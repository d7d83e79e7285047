// Points of a prompt as labels.
#pragma once

#include <vector>

#include "alphacut/image.hpp"

namespace alphacut {

// The labels (no data: none) with a disc for each point: 1 to keep, 0 to remove. Elsewhere, without labels, 3 (probably
// foreground, as in a box that was given) or 2. Throws std::invalid_argument for a point outside.
Image<uint8_t> with_points(ImageView<const uint8_t> labels, const std::vector<Point>& points, int64_t height,
                           int64_t width, bool in_box);

}  // namespace alphacut
