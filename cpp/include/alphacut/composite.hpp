// Compositing: a cut-out as RGBA, or over a colour, a picture, its own blurred background.
// Pictures have 1 (gray) or 3 channels and encoded (sRGB) values, uint8 0..255 or float 0..1; alpha is straight, one
// channel of the picture's size and depth. std::invalid_argument if sizes do not agree or a float leaves 0..1.
#pragma once

#include <array>

#include "alphacut/image.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

// What lies between foreground and background: a colour with an opacity, a plane of the foreground's size, as
// cast_shadow() gives (shadow.hpp).
template <class T>
struct Shade {
  ImageView<const T> alpha{};  // no data: nothing
  std::array<T, 3> color{};
};

// rgba (4 channels) = the foreground's colours and alpha, not premultiplied. Over a shade: what both cover together,
// and their mixed colours; in uint8 the nearest integers.
void to_rgba(ImageView<const uint8_t> foreground, ImageView<const uint8_t> alpha, ImageView<uint8_t> rgba,
             const Shade<uint8_t>& shade = {});
void to_rgba(ImageView<const float> foreground, ImageView<const float> alpha, ImageView<float> rgba,
             const Shade<float>& shade = {});

// out (3 channels) = foreground·alpha + background·(1 − alpha); in uint8 the nearest integer, exactly. `linear` blends
// in linear light; there, too, alpha 0 and 1 give exactly the inputs. A background of one colour is a view of one row
// with stride 0. With a `shade`, the background is what that makes of it, by the same rule.
void composite(ImageView<const uint8_t> foreground, ImageView<const uint8_t> alpha, ImageView<const uint8_t> background,
               bool linear, ImageView<uint8_t> out, const Shade<uint8_t>& shade = {});
void composite(ImageView<const float> foreground, ImageView<const float> alpha, ImageView<const float> background,
               bool linear, ImageView<float> out, const Shade<float>& shade = {});

// RGBA (4 channels): colours times alpha, and back. Alpha stays; where it is 0, the colours become 0.
void premultiply(ImageView<const uint8_t> rgba, ImageView<uint8_t> out);
void premultiply(ImageView<const float> rgba, ImageView<float> out);
void unpremultiply(ImageView<const uint8_t> rgba, ImageView<uint8_t> out);
void unpremultiply(ImageView<const float> rgba, ImageView<float> out);

// sRGB values to linear light, 0..1, and back (IEC 61966-2-1), of a picture of any number of channels; within 1e-6.
void decode_srgb(ImageView<const uint8_t> image, ImageView<float> light);
void decode_srgb(ImageView<const float> image, ImageView<float> light);
void encode_srgb(ImageView<const float> light, ImageView<float> image);

// The picture blurred by about a Gaussian of `sigma` pixels, counting every pixel by 1 − alpha, so that the subject
// does not bleed into it. Far from any background it becomes the background's mean colour, and mid-gray where there is
// none. `out` has the picture's channels. Takes 16 bytes a pixel for a while (8 for a gray picture), and twice as much
// for the 32 columns each thread is at.
void blurred_background(ImageView<const uint8_t> image, ImageView<const uint8_t> alpha, double sigma,
                        ImageView<uint8_t> out);
void blurred_background(ImageView<const float> image, ImageView<const float> alpha, double sigma, ImageView<float> out);

// White and light gray squares of `tile` pixels, white in the top left corner, as editors show transparency.
void checkerboard(int64_t tile, ImageView<uint8_t> out);

}  // namespace alphacut
ALPHACUT_API_END
