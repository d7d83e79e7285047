// The shadow of a cutout, as a plane of opacity: composite() and to_rgba() put it between subject and background.
#pragma once

#include "alphacut/image.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

// drop: the subject's own shape, moved and blurred, as on a wall behind it. contact: what darkens the ground where the
// subject stands on it, along its lower outline and strongest where that is lowest.
enum class ShadowKind { drop, contact };

struct Shadow {
  ShadowKind kind = ShadowKind::drop;
  double dx = 0, dy = 0;  // where it lies, in pixels to the right and down, rounded
  double softness = 10;   // standard deviation of its blur in pixels; 0: hard
  double opacity = 0.5;   // where it is darkest, 0..1
};

// `alpha`: one channel, 0..255 or 0..1; `out`: of its size and depth. Beyond the border the subject goes on as it is
// there. std::invalid_argument for other sizes, values that are not finite, or out of range. Takes 4 bytes a pixel for
// a while, and 8 for the 32 columns each thread is at.
void cast_shadow(ImageView<const uint8_t> alpha, const Shadow& shadow, ImageView<uint8_t> out);
void cast_shadow(ImageView<const float> alpha, const Shadow& shadow, ImageView<float> out);

}  // namespace alphacut
ALPHACUT_API_END
