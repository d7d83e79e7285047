// Alpha mattes: the guided filter, trimaps from masks, and alpha at the unknown pixels of a trimap.
#pragma once

#include <array>

#include "alphacut/image.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

// Guided filter (He, Sun & Tang 2013; with subsample > 1 He & Sun 2015). `guide` has 1 or 3 channels, uint8 (taken as
// 0..1) or float 0..1; `source` is uint8 (taken as 0..1) or finite float; `result` has its size. A window is the part
// of the square of side 2·radius + 1 inside the picture. Needs radius >= 1, eps > 0 (from 1e-12 to 1e30 it counts),
// subsample from 1 to radius. Works in tiles: about 1 MB a thread, or beyond a (subsampled) radius of 256
// 4·(3·channels + 5) bytes a (subsampled) pixel.
template <class Guide, class Source>
ALPHACUT_API void guided_filter(ImageView<const Guide> guide, ImageView<const Source> source, int64_t radius,
                                double eps, int64_t subsample, ImageView<float> result);

enum class DistanceMetric { euclidean, taxicab, chessboard };

struct DistanceOptions {
  DistanceMetric metric = DistanceMetric::euclidean;
  std::array<double, 2> sampling = {1, 1};  // height and width of a pixel, 1e-6 to 1e6; euclidean only
};

// The exact distance of each nonzero pixel to the nearest zero one (Meijster, Roerdink & Hesselink 2000); 0 where the
// mask is zero, infinity where it is zero nowhere. `nearest`, unless empty, has the width and twice the height of the
// mask and gets the rows, then the columns, of the nearest zero pixels: of several those in the leftmost column, there
// the nearest by rows, of two the upper; -1 where there is none. Needs 4 bytes a pixel beyond the result.
void distance_transform(ImageView<const uint8_t> mask, ImageView<float> distance, const DistanceOptions& options = {},
                        ImageView<int32_t> nearest = {});

// The band make_trimap uses by default: 10 pixels at 0.45 megapixels, growing with the square root of their number,
// from 2 to 64.
double default_band(int64_t height, int64_t width);

// 255 and 0 (known foreground, background) where `mask` is nonzero and zero, 128 (unknown) within the Euclidean
// distance `band` (0 to 4096) of a pixel of the other kind. Foreground beyond all discs of radius `band` that fit into
// it keeps its middle half if it reaches farther than 5 bands from what is that far from the edge. Background parts
// keep what is farthest from the edge where no background at all is known. Needs 10 bytes a pixel.
void make_trimap(ImageView<const uint8_t> mask, double band, ImageView<uint8_t> trimap);

// Which kinds of pixels a trimap holds: 0, anything between, 255.
struct TrimapKinds {
  bool background = false, unknown = false, foreground = false;
};
TrimapKinds trimap_kinds(ImageView<const uint8_t> trimap);

enum class MattingMethod { guided, sampled, closed_form };

// Alpha of `image` (1 or 3 channels; float 0..1): 0 and 1 (uint8 0, 255) where `trimap` is 0 and 255, estimated where
// it is anything between. A trimap without unknown pixels is taken as a mask and goes through make_trimap first; more
// than half is kept of what it holds of thin parts. Throws std::invalid_argument if there are unknown pixels and either
// no 0 or no 255.
template <class T>
ALPHACUT_API void refine_alpha(ImageView<const T> image, ImageView<const uint8_t> trimap, MattingMethod method,
                               ImageView<T> alpha);

// Moves the edge of a matte out (shift > 0) or in, in pixels: each pixel takes the greatest, or least, alpha within
// that Euclidean distance, between whole distances a mean. Then softens it: a Gaussian of standard deviation `feather`
// pixels, cut off at three; beyond the border as at it. -100 <= shift <= 100, 0 <= feather <= 100; float 0..1. What has
// one alpha as far as both reach keeps it exactly. Takes a plane more where both are given or shift is no whole number.
template <class T>
ALPHACUT_API void adjust_edge(ImageView<const T> alpha, double shift, double feather, ImageView<T> out);

}  // namespace alphacut
ALPHACUT_API_END
