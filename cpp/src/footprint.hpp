// The shapes of morphology, as runs of pixels.
#pragma once

#include <vector>

#include "alphacut/morphology.hpp"

namespace alphacut {

// How far a footprint goes from its pixel, with ends.
struct FootprintExtent {
  int64_t top, bottom, left, right;
};
FootprintExtent extent_of(const std::vector<FootprintRun>& runs);
FootprintExtent extent_of(const Neighbourhood& reach);

// Whether the footprint is all of its extent.
bool fills(const std::vector<FootprintRun>& runs, const FootprintExtent& extent);

// Half the width of a disc in the row so far from its middle.
std::vector<int64_t> half_widths(int64_t radius);

// The same of a footprint, its middle row first; none, if it does not look the same from all four sides or has gaps.
std::vector<int64_t> half_widths(const std::vector<FootprintRun>& runs);

// The runs of such widths, and those of a rectangle.
std::vector<FootprintRun> runs_of(const std::vector<int64_t>& half);
std::vector<FootprintRun> runs_of(const FootprintExtent& rectangle);

// Turned by 180 degrees around its pixel.
Neighbourhood mirrored(Neighbourhood reach);

// Whether what a border repeats of a picture is in reach anyway: each pixel with all that are no farther on both axes.
bool has_what_is_nearer(const Neighbourhood& reach);

// The same pixels in reach beyond a border, which repeats itself, of a picture of this size: no farther than twice it.
Neighbourhood within_periods(const Neighbourhood& reach, int64_t height, int64_t width, Border border);

}  // namespace alphacut
