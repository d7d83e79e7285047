// How far a cut is to be trusted.
#pragma once

#include <array>

#include "alphacut/image.hpp"

namespace alphacut {

// What tells good cuts from bad ones, from how likely each pixel belongs to the subject and from the mask (nonzero),
// both of one size; all zeros where either is empty:
//   agreement   soft intersection over union of probability and mask
//   sharpness   the same of the probability and where it is above one half
//   certainty   mean distance of the probability from one half, twice, where either sees the subject
//   unity       the largest part's share of what is likely
//   raggedness  log(1 + length of the likely outline / square root of its area)
//   contact     share of the picture's frame in the mask
//   extent      square root of the mask's share of the picture
using CutEvidence = std::array<double, 7>;
CutEvidence cut_evidence(ImageView<const float> probability, ImageView<const uint8_t> mask);

// The chance, 0..1, that a mask found without any prompt is good (intersection over union with the truth at least 0.8).
// 0 for an empty mask.
double confidence_of(ImageView<const float> probability, ImageView<const uint8_t> mask);

}  // namespace alphacut
