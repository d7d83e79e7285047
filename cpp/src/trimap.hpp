// Trimaps as refine_alpha makes them of masks.
#pragma once

#include "alphacut/image.hpp"

namespace alphacut {

// Unknown pixels that the mask holds and that belong to a thin part: of its middle half, and the rest.
inline constexpr uint8_t kThinMiddle = 192, kThinEdge = 160;

// make_trimap with its default band, where thin parts are marked instead of known.
void trimap_of_mask(ImageView<const uint8_t> mask, ImageView<uint8_t> trimap);

}  // namespace alphacut
