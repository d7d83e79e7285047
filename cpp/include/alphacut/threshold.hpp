// Thresholds: fixed, found from the histogram, or adapted to the surroundings of each pixel.
// Pictures are gray or RGB (its luma is taken), uint8 or float in 0..1; a float outside throws std::invalid_argument,
// as do sizes that disagree. In a mask 255 is foreground, 0 background; as an input anything but 0 is foreground.
// The templates take T = uint8_t, uint16_t, int16_t, int32_t, float and double of any range; NaN throws.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "alphacut/border.hpp"
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

// mask = gray > limit ? inside : outside. A float picture is compared with the float nearest to `limit`.
template <class T>
void threshold(ImageView<const T> gray, double limit, uint8_t inside, uint8_t outside, ImageView<uint8_t> mask);

// OpenCV's THRESH_TRUNC, THRESH_TOZERO and THRESH_TOZERO_INV: min(gray, limit), gray above the limit, gray up to it;
// 0 elsewhere. `limit` is taken to the nearest value of a T below it, to that of a float nearest to it.
enum class Kept { truncated, above, below };
template <class T>
void threshold(ImageView<const T> gray, double limit, Kept kept, ImageView<T> result);

using Counts = std::span<const int64_t>;  // pixels in each bin, from dark to bright

// Limits t: the bins above t are foreground. A whole number but for li and mean; 0 for an empty histogram. Of one
// colour it is that colour, but for otsu, 0, and triangle.
double otsu_limit(Counts counts);      // Otsu 1979, equal to OpenCV's
double triangle_limit(Counts counts);  // Zack et al. 1977, equal to OpenCV's: from -1 to the number of bins
double li_limit(Counts counts);        // Li & Tam 1998, iterated until no bin changes sides
double isodata_limit(Counts counts);   // Ridler & Calvard 1978: the lowest midway between the means of its classes
double yen_limit(Counts counts);       // Yen et al. 1995
double entropy_limit(Counts counts);   // Kapur et al. 1985: the largest sum of the classes' entropies
double mean_limit(Counts counts);
// Prewitt & Mendelsohn 1966: the lowest bin between the peaks of the histogram, smoothed until it has two. Throws
// std::invalid_argument if it comes to fewer.
double minimum_limit(Counts counts);
// The classes - 1 rising limits of largest variance between 2..256 classes (Liao et al. 2001). Throws
// std::invalid_argument if there are fewer bins with pixels than classes.
std::vector<int> multi_otsu_limits(Counts counts, int classes);

// Pixels by value: bin b holds the values above limit(b - 1), up to limit(b).
struct ValueCounts {
  double first = 0, step = 1;  // the limit of bin 0, and from each limit to the next
  double mean = 0;             // of the values
  bool whole = true;           // whether a bin holds one value alone
  std::vector<int64_t> counts;

  // The limit in the picture's units of one in bins.
  double limit(double bin) const;
};

// Counts the pixels, or those where `mask` is not 0 if it has data. Whole numbers are counted one value a bin, without
// what lies below the smallest, above the largest and between, if all differences have a common divisor: 8 bits stored
// in 16 are 8 bits. A uint8 picture always has bins 0..255. Floats within 0..1 have bins of 1/256, others 256 equal
// bins from the smallest to the largest value. `bins` of 2..2^20 asks for so many equal bins of any T. An int32
// picture with more than 2^20 steps from its smallest to its largest value needs that.
template <class T>
ValueCounts count_values(ImageView<const T> gray, ImageView<const uint8_t> mask = {}, int64_t bins = 0);

// The limit that `find` makes of the histogram, and the mask of the pixels in the bins above it. Takes the luma once.
using FindLimit = double (*)(Counts);
double threshold(ImageView<const uint8_t> gray, FindLimit find, ImageView<uint8_t> mask);
double threshold(ImageView<const float> gray, FindLimit find, ImageView<uint8_t> mask);

enum class AdaptiveMethod { mean, gaussian, sauvola, niblack, median };

// mask = gray > T(x, y) ? 255 : 0 with T from the window × window pixels around, the border replicated.
//   mean, gaussian: T = average - offset; for uint8 the average is rounded to a whole number and the offset up, as
//   OpenCV sauvola:        T = m (1 + k (s / R - 1)) - offset; mean m, standard deviation s, R = 128/255 of full scale
// window: odd, 3..32767, may exceed the picture. |offset| <= full scale (255 or 1); k in 0..1; 0 for `r` is R.
// Means of floats count in steps of 1/65535: exact integer sums, so the result is the same however it is computed.
// Of the methods they have these three.
void adaptive_threshold(ImageView<const uint8_t> gray, int64_t window, AdaptiveMethod method, double offset, double k,
                        ImageView<uint8_t> mask, double r = 0);
void adaptive_threshold(ImageView<const float> gray, int64_t window, AdaptiveMethod method, double offset, double k,
                        ImageView<uint8_t> mask, double r = 0);

struct LocalLimit {
  int64_t window_height = 15, window_width = 15;  // odd, 1..32767
  AdaptiveMethod method = AdaptiveMethod::mean;
  double offset = 0;  // subtracted
  double k = 0.2;     // sauvola: m (1 + k (s / r - 1)); niblack: m - k s
  double r = 128;
  double sigma = 0;  // of the Gaussian, in pixels; 0: 0.3 ((window - 1) / 2 - 1) + 0.8 for each side
  Border border = Border::nearest;
  double constant = 0;  // the value beyond the border
};

// The limit T(x, y) of each pixel in double arithmetic, of pictures of any range; infinities throw, too. Sums of
// windows are added up without any subtraction, so nothing is lost to large values elsewhere (after M. van Herk, 1992).
template <class T>
void local_limit(ImageView<const T> gray, const LocalLimit& options, ImageView<double> limit);
// mask = gray > T(x, y) ? 255 : 0.
template <class T>
void local_threshold(ImageView<const T> gray, const LocalLimit& options, ImageView<uint8_t> mask);

}  // namespace alphacut
ALPHACUT_API_END
