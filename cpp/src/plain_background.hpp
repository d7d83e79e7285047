// The background of a picture that has a plain one, in light and in shadow.
#pragma once

#include "alphacut/chromakey.hpp"
#include "alphacut/image.hpp"

namespace alphacut {

// 255 where `image` shows the plain background, 0 elsewhere. Lit background is at most `similarity` from the key (the
// distance of chroma_key). Shadow has the key's hue and 0.3 to 1 of its light, changes slowly from pixel to pixel: the
// less likely the subject, by `probability` (0..1, of any size; no data: not known), the faster it may; and it is
// extended, which a subject's soft edge is not. Both count where they are connected to the border (4-neighbours) and
// the subject is not nearly sure, but for pieces too small for `probability` to show; lit background that is enclosed
// counts where it is likelier not the subject. `image` has 1 or 3 channels, float ones 0..1. Memory: 7 bytes a pixel.
template <class T>
void plain_background(ImageView<const T> image, const KeyColor& key, double similarity,
                      ImageView<const float> probability, ImageView<uint8_t> background);

}  // namespace alphacut
