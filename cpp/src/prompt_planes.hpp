// What the network sees: a picture and its prompt as planes of small whole numbers.
#pragma once

#include <optional>

#include "alphacut/image.hpp"

namespace alphacut {

inline constexpr int64_t kPromptPlanes = 10;

// `image`: RGB, square, the side a multiple of 4 and at least 32; `hints`, of its size or no data: 0 background, 1
// foreground, anything else nothing; `box`, within the picture. `planes`, of the image's size, gets -128..127:
//   0..2  red, green, blue, less 128
//   3     barrier distance from the known background: outside the box and strokes, or else the frame
//   4     the same against that from the strokes of foreground, 0 without any
//   5     how much commoner the pixel's colour is inside than outside
//   6     100 in the box, -100 outside; 0 without one
//   7     closeness to the middle of the box or the picture
//   8, 9  closeness to strokes of foreground and background, 0 without any
// Distances are taken at half the size. Returns the greatest barrier distance.
float prompt_planes(ImageView<const uint8_t> image, ImageView<const uint8_t> hints, std::optional<Box> box,
                    ImageView<int16_t> planes);

}  // namespace alphacut
