// Thresholds: pixels above a limit become 255, the others 0.
#pragma once

#include "alphacut/image.hpp"

namespace alphacut {

// mask = gray > limit ? 255 : 0, as OpenCV's THRESH_BINARY. `mask` must have the size of `gray`, one channel.
void threshold(ImageView<const uint8_t> gray, uint8_t limit, ImageView<uint8_t> mask);
void threshold(ImageView<const float> gray, float limit, ImageView<uint8_t> mask);

}  // namespace alphacut
