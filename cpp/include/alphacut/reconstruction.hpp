// Morphological reconstruction: what of a picture is connected to seeds in it.
#pragma once

#include "alphacut/image.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

enum class Reconstruction { dilation, erosion };

// dilation: the seed, dilated again and again by the 3 × 3 neighbourhood (of connectivity 8, or its cross, of 4) and
// held below the mask, until nothing changes; the seed must be nowhere above the mask. erosion: the same with above and
// below exchanged. Planes of one size, T uint8_t, uint16_t or float (finite); out must not overlap them. One thread.
//
// Vincent 1993's hybrid: a pass down, a pass up, and what these left by a queue. Memory: 8 bytes a pixel of the queue.
template <class T>
ALPHACUT_API void reconstruct(ImageView<const T> seed, ImageView<const T> mask, Reconstruction method, int connectivity,
                              ImageView<T> out);

}  // namespace alphacut
ALPHACUT_API_END
