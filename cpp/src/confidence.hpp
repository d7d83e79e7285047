// How far a cut is to be trusted.
#pragma once

#include "alphacut/image.hpp"

namespace alphacut {

// The chance, 0..1, that a mask found without any prompt is good (intersection over union with the truth at least 0.8),
// from how likely each pixel belongs to the subject and from the mask (nonzero), both of one size. 0 for an empty mask.
double confidence_of(ImageView<const float> probability, ImageView<const uint8_t> mask);

}  // namespace alphacut
