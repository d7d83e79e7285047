// How far a cut is to be trusted.
#pragma once

#include <array>

#include "alphacut/image.hpp"

namespace alphacut {

// What tells good cuts from bad ones, from how likely each pixel belongs to the subject and from the mask (nonzero),
// both of one size; all zeros where either is empty. Log-odds of these shares:
//   agreement   soft intersection over union of probability and mask
//   sharpness   the same of the probability and where it is above one half
//   certainty   mean distance of the probability from one half, twice, where either sees the subject
// Size, parts, outline and contact with the frame tell no more on kinds of pictures that they were not fitted to.
using CutEvidence = std::array<double, 3>;
CutEvidence cut_evidence(ImageView<const float> probability, ImageView<const uint8_t> mask);

// The chance, 0..1, that a mask found without any prompt is good (intersection over union with the truth at least 0.8).
// 0 for an empty mask.
double confidence_of(ImageView<const float> probability, ImageView<const uint8_t> mask);

}  // namespace alphacut
