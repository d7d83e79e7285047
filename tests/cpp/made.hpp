// Pictures made by a function of their places.
#pragma once

#include <cstdint>

#include "alphacut/image.hpp"

// Of value(y, x, channel).
template <class F>
alphacut::Image<uint8_t> made(int64_t height, int64_t width, int64_t channels, F value) {
  alphacut::Image<uint8_t> image(height, width, channels);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t c = 0; c < channels; ++c) image.row(y)[x * channels + c] = static_cast<uint8_t>(value(y, x, c));
  return image;
}
