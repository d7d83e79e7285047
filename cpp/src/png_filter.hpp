// The Paeth filter of PNG (W3C, Portable Network Graphics, 9.4).
#pragma once

#include "alphacut/image.hpp"

namespace alphacut {

// Rows [begin, begin + filtered.height) of `bytes`, a picture's rows as bytes: each as the filter's number and what is
// left of each byte when it is predicted from those of the pixels to the left, above and above left. `pixel` is bytes a
// pixel; `filtered` is one byte wider than `bytes`.
void paeth_filter(ImageView<const uint8_t> bytes, int64_t begin, int64_t pixel, ImageView<uint8_t> filtered);

}  // namespace alphacut
