// From a cut of a smaller size to the pixels of a larger one that are cut again: the edge, in a band.
#pragma once

#include <cstdint>

#include "alphacut/image.hpp"

namespace alphacut {

// Besides those of Domain: a pixel that stays on the side where the latest cut left it.
constexpr uint8_t kKept = 3;

// Where the sides of `small` meet within a few pixels: kNode; elsewhere the pixel's side.
Image<uint8_t> band_of(ImageView<const uint8_t> small);

// Where the band is far from all that changed since the latest cut: kKept. What changed is a hint of the larger size,
// or a side of `small` other than that of undecided pixels there, unless that pixel is in the band and was on that side
// before. `labels` are the hints, `latest` the latest labels of the larger size, `small_latest` those of the smaller.
void keep_unchanged(ImageView<const uint8_t> small, ImageView<const uint8_t> small_latest,
                    ImageView<const uint8_t> labels, ImageView<const uint8_t> latest, ImageView<uint8_t> band);

// Gives undecided labels the side of the smaller size, or the latest one where `places` says kKept, and returns which
// of them take part in the next cut. No `latest` where nothing is kept.
Image<uint8_t> enlarge(ImageView<const uint8_t> small, ImageView<const uint8_t> places, ImageView<const uint8_t> latest,
                       ImageView<uint8_t> labels);

}  // namespace alphacut
