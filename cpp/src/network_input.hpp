// What the network sees of a prompt: planes of small whole numbers, at a quarter of the picture's size.
#pragma once

#include <optional>

#include "alphacut/image.hpp"

namespace alphacut {

inline constexpr int64_t kInputPlanes = 8;
inline constexpr int64_t kInputCell = 4;  // pixels a side of what is one value of the planes

// The colours of a picture less 128, and a plane of zeros.
Image<int16_t> network_colours(const Image<uint8_t>& rgb);

// A box within `seen` in the square of `side` pixels that `seen` is squashed to, rounded outwards.
Box in_square(const Box& box, const Box& seen, int64_t side);

// `image`: RGB, square, the side a multiple of 4 and at least 32; `hints`, of its size or no data: 0 background, 1
// foreground, anything else nothing; `box`, within the picture; `answer`, of a quarter of the size or no data: log-odds
// that the network gave without the strokes. `planes`, of a quarter of the size, gets -128..127:
//   0     barrier distance from the known background: outside the box and strokes, or else the frame
//   1     the same against that from the strokes of foreground, 0 without any
//   2     how much commoner the pixel's colour is inside than outside
//   3     100 in the box, -100 outside; 0 without one
//   4     closeness to the middle of the box or the picture
//   5, 6  closeness to strokes of foreground and background, 0 without any
//   7     the answer, 0 without one
// Returns the greatest barrier distance.
float network_input(ImageView<const uint8_t> image, ImageView<const uint8_t> hints, std::optional<Box> box,
                    ImageView<const float> answer, ImageView<int16_t> planes);

}  // namespace alphacut
