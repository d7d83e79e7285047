// Thresholds: fixed, found from the histogram, or adapted to the surroundings of each pixel.
// Pictures are gray or RGB (its luma is taken), uint8 or float in 0..1; a float outside throws std::invalid_argument,
// as do sizes that disagree. In a mask 255 is foreground, 0 background; as an input anything but 0 is foreground.
#pragma once

#include <array>
#include <vector>

#include "alphacut/image.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

// mask = gray > limit ? 255 : 0, as OpenCV's THRESH_BINARY. `mask` must have the size of `gray`, one channel; it may be
// a gray `gray` itself.
void threshold(ImageView<const uint8_t> gray, int limit, ImageView<uint8_t> mask);
void threshold(ImageView<const float> gray, float limit, ImageView<uint8_t> mask);

using Histogram = std::array<int64_t, 256>;

// Counts of the pixels, or of those where `mask` is not 0 if it has data. A float v in 0..1 counts in the bin of
// (bin/256, (bin + 1)/256], 0 in bin 0: so v > (bin + 1)/256 says that v lies above `bin`, and k/255 lies in bin k.
Histogram histogram(ImageView<const uint8_t> gray, ImageView<const uint8_t> mask = {});
Histogram histogram(ImageView<const float> gray, ImageView<const uint8_t> mask = {});

// Limits t: the bins above t are foreground. All are 0 for an empty histogram.
int otsu_limit(const Histogram& counts);      // Otsu 1979, equal to OpenCV's; 0 for one colour
int triangle_limit(const Histogram& counts);  // Zack et al. 1977, equal to OpenCV's: from -1 to 256
int li_limit(const Histogram& counts);  // Li & Tam 1998, iterated until nothing changes; the colour if there is one
// The classes - 1 rising limits of largest variance between 2..256 classes (Liao et al. 2001), by dynamic programming.
std::vector<int> multi_otsu_limits(const Histogram& counts, int classes);

// The limit that `find` makes of the histogram, and the mask of the pixels in the bins above it. Takes the luma once.
using FindLimit = int (*)(const Histogram&);
int threshold(ImageView<const uint8_t> gray, FindLimit find, ImageView<uint8_t> mask);
int threshold(ImageView<const float> gray, FindLimit find, ImageView<uint8_t> mask);

enum class AdaptiveMethod { mean, gaussian, sauvola };

// mask = gray > T(x, y) ? 255 : 0 with T from the window × window pixels around, the border replicated.
//   mean, gaussian: T = average - offset; for uint8 the average is rounded to a whole number and the offset up, as
//   OpenCV sauvola:        T = m (1 + k (s / R - 1)) - offset; mean m, standard deviation s, R = 128/255 of full scale
// window: odd, 3..32767, may exceed the picture. |offset| <= full scale (255 or 1); k in 0..1.
// Means of floats count in steps of 1/65535: exact integer sums, so the result is the same however it is computed.
void adaptive_threshold(ImageView<const uint8_t> gray, int64_t window, AdaptiveMethod method, double offset, double k,
                        ImageView<uint8_t> mask);
void adaptive_threshold(ImageView<const float> gray, int64_t window, AdaptiveMethod method, double offset, double k,
                        ImageView<uint8_t> mask);

}  // namespace alphacut
ALPHACUT_API_END
