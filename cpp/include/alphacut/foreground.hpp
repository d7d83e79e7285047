// The colours of the foreground alone, without what shines through from behind.
#pragma once

#include "alphacut/image.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

// Estimates F (and B) in image = alpha·F + (1 - alpha)·B: multi-level, after Germer et al. 2020, in red-black order.
// `image` has 1 or 3 channels, `alpha` one; both and `foreground` have one size and, for float, values 0..1. Where
// alpha is 1 the picture's colour is kept exactly; where it is 0 the nearby foreground is continued, away from partial
// pixels in squares of 8. The background's colours are those of 1 - alpha. `regularization` (1e-8 to 1) is what a
// neighbour of equal alpha weighs: more makes F and B smoother. Needs about 1 byte a pixel and 2 MB a thread.
template <class T, class A>
ALPHACUT_API void estimate_foreground(ImageView<const T> image, ImageView<const A> alpha, ImageView<T> foreground,
                                      float regularization = 1e-5f);

// As that of floats, in steps of 1/65535, rounded to nearest.
ALPHACUT_API void estimate_foreground(ImageView<const float> image, ImageView<const float> alpha,
                                      ImageView<uint16_t> foreground, float regularization = 1e-5f);

}  // namespace alphacut
ALPHACUT_API_END
