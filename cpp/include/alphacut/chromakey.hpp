// Alpha by the colour of the background, and that colour's reflections removed. Pictures have 1 or 3 channels, alpha
// one; sizes that disagree and values out of range throw std::invalid_argument.
#pragma once

#include <array>

#include "alphacut/image.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

// The colour of a background that may change linearly over the picture: at the centre of pixel (x, y) it is
// color + across * ((x + 1/2) / width - 1/2) + down * ((y + 1/2) / height - 1/2). Units of full scale.
struct KeyColor {
  std::array<double, 3> color{};
  std::array<double, 3> across{};
  std::array<double, 3> down{};
  double uniformity = 1;  // share of the picture's border that has this colour, 0..1
};

// Whether it can be keyed with: colours from -1 to 2, their growth over the picture from -4 to 4, uniformity from 0
// to 1.
bool is_valid(const KeyColor& key);

// How colourful a key is, from 0 (neutral: Cb and Cr within 0.05) to 1 (0.15 and more).
double saturation(const KeyColor& key);

// The commonest colour of the border (a frame of at most three pixels), followed over the picture by a linear fit to
// the border pixels near it, of at most 262,144 that are evenly spread. Deterministic; O(border).
KeyColor find_key(ImageView<const uint8_t> image);
KeyColor find_key(ImageView<const float> image);

// alpha = clamp((d - similarity) / blend), with d the length of (w Y, Cb, Cr) of pixel minus key, Y 0..1, Cb and Cr
// +-1/2 (BT.601); w falls from 1 for a neutral key to 1/2 for a saturated one, whose light is often uneven. Black and
// white are 1 apart. blend = 0 is a hard edge. 0 <= similarity, blend <= 2.
// contiguous: what is below full alpha but not connected to the border (4-neighbours) becomes opaque.
void chroma_key(ImageView<const uint8_t> image, const KeyColor& key, double similarity, double blend, bool contiguous,
                ImageView<uint8_t> alpha);
void chroma_key(ImageView<const float> image, const KeyColor& key, double similarity, double blend, bool contiguous,
                ImageView<float> alpha);

// Lowers the key's strong channels (those above the middle of its values) by strength * (least strong - greatest weak)
// where that is positive; with an alpha (no data: none) at most by what a background share of 1 - alpha can have added.
// A key whose channels differ by less than 0.1, and a gray picture, leave everything unchanged. 0 <= strength <= 1.
void despill(ImageView<const uint8_t> image, const KeyColor& key, ImageView<const uint8_t> alpha, double strength,
             ImageView<uint8_t> out);
void despill(ImageView<const float> image, const KeyColor& key, ImageView<const float> alpha, double strength,
             ImageView<float> out);

}  // namespace alphacut
ALPHACUT_API_END
