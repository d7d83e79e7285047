// What a picture may need before the other stages: less noise, neutral colours, another size.
// in and out must not overlap. Sizes that disagree and parameters out of range throw std::invalid_argument. The
// bilateral filter and the balance take float pictures of 0..1; the median and resizing any values (a NaN spreads).
#pragma once

#include <optional>

#include "alphacut/border.hpp"
#include "alphacut/image.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

// Median of the size x size neighbours (size odd, 3 to 31) of each value, channel by channel; the border is replicated,
// as OpenCV's medianBlur. Any channel count. out has the size of in. Of more than 5 x 5, uint8 by histograms (Perreault
// & Hébert 2007; 544 bytes a pixel of a row and thread), float by selection, whose time grows with the window.
void median(ImageView<const uint8_t> in, int size, ImageView<uint8_t> out);
void median(ImageView<const float> in, int size, ImageView<float> out);

// Bilateral filter (Tomasi & Manduchi 1998) over the disc of diameter `size` (odd, 3 to 31), 1 or 3 channels. The
// spatial deviation is `sigma_space` pixels, 0.01 to 1000, or size / 2 without it; `sigma`, in units of full scale (0 <
// sigma <= 4), is the deviation of the colour distance, the sum of the channels' absolute differences as in OpenCV. The
// border is replicated.
void bilateral(ImageView<const uint8_t> in, int size, double sigma, ImageView<uint8_t> out,
               std::optional<double> sigma_space = std::nullopt);
void bilateral(ImageView<const float> in, int size, double sigma, ImageView<float> out,
               std::optional<double> sigma_space = std::nullopt);

struct GaussianBlur {
  double sigma_down = 1, sigma_across = 1;  // standard deviations in pixels, at least 0
  double truncate = 4;                      // where the window ends, in standard deviations: 16,383 pixels at most
  Border border = Border::nearest;          // not constant
};

// Mean of the neighbours with the weights of a Gaussian, along columns and rows, any channel count; out has the size of
// in. uint8 is rounded half up from sums in whole 1/128 (windows of up to 125 pixels; 0.52 of a step from exact at
// most, with windows of 17 pixels) or float; float is any finite value.
void gaussian_blur(ImageView<const uint8_t> in, const GaussianBlur& blur, ImageView<uint8_t> out);
void gaussian_blur(ImageView<const float> in, const GaussianBlur& blur, ImageView<float> out);

// Sharpens: in + amount (in - blurred), saturating at 0 and full scale. 0 <= amount <= 1000; a float picture is 0..1.
void unsharp_mask(ImageView<const uint8_t> in, const GaussianBlur& blur, double amount, ImageView<uint8_t> out);
void unsharp_mask(ImageView<const float> in, const GaussianBlur& blur, double amount, ImageView<float> out);

// Scales the channels so that their means agree (gray world, Buchsbaum 1980), saturating. A black channel stays black,
// a gray picture is copied. 1 or 3 channels.
void gray_world(ImageView<const uint8_t> in, ImageView<uint8_t> out);
void gray_world(ImageView<const float> in, ImageView<float> out);

// Stretches each channel so that its values of rank floor(percent / 100 * (pixels - 1)) from below and from above
// become 0 and full scale (Limare et al. 2011). A channel where the two are equal is copied. 0 <= percent < 50; 1 or 3
// channels.
void percentile_stretch(ImageView<const uint8_t> in, double percent, ImageView<uint8_t> out);
void percentile_stretch(ImageView<const float> in, double percent, ImageView<float> out);

// Resizes to the size of `out`; 1 to 4 channels. uint8 rounds half up; float sums in double.
// Area: each result is the mean of the rectangle it covers, exactly for whole factors; an axis that grows is bilinear.
// Bilinear: between the two nearest pixel centres (half-pixel centres, as OpenCV's INTER_LINEAR) whatever the factor.
void resize_area(ImageView<const uint8_t> in, ImageView<uint8_t> out);
void resize_area(ImageView<const float> in, ImageView<float> out);
void resize_bilinear(ImageView<const uint8_t> in, ImageView<uint8_t> out);
void resize_bilinear(ImageView<const float> in, ImageView<float> out);
// Bicubic (Keys 1981, a = -1/2) and Lanczos (1979; three lobes), widened by the factor along an axis that shrinks, and
// of the pixels inside the picture alone, as Pillow's. They overshoot at edges; uint8 saturates, float does not.
void resize_bicubic(ImageView<const uint8_t> in, ImageView<uint8_t> out);
void resize_bicubic(ImageView<const float> in, ImageView<float> out);
void resize_lanczos(ImageView<const uint8_t> in, ImageView<uint8_t> out);
void resize_lanczos(ImageView<const float> in, ImageView<float> out);
// The pixel in which the centre of the result lies, for masks and labels: nothing is mixed. uint8, uint16, int32,
// float.
template <class T>
ALPHACUT_API void resize_nearest(ImageView<const T> in, ImageView<T> out);

}  // namespace alphacut
ALPHACUT_API_END
