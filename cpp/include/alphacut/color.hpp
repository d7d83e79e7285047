// Colour conversions that several stages share. RGB order; uint8 0..255 or float 0..1.
#pragma once

#include "alphacut/image.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

// Luma (BT.601, as OpenCV's RGB2GRAY) of an RGB picture; a gray one is copied. Sizes must match.
void to_gray(ImageView<const uint8_t> image, ImageView<uint8_t> gray);
void to_gray(ImageView<const float> image, ImageView<float> gray);

// CIE L*a*b* (D65, sRGB transfer) of a 3-channel or gray picture into 3 float channels: L 0..100, a and b about ±110.
void to_lab(ImageView<const uint8_t> image, ImageView<float> lab);
void to_lab(ImageView<const float> image, ImageView<float> lab);

// The same for one colour, r g b in 0..1.
void to_lab(const double rgb[3], double lab[3]);

// sRGB transfer: encoded 0..1 to linear 0..1 and back (IEC 61966-2-1).
double srgb_to_linear(double encoded);
double linear_to_srgb(double linear);

}  // namespace alphacut
ALPHACUT_API_END
