// k-means clustering of a picture's colours.
//
// The result is specified in integers, so that every instruction set, thread count and GPU gives the same bytes.
//
// Values.   A pixel is a point X of three whole numbers in units of 1/16320 of full scale (1/64 of an 8-bit level):
//           X = 64·v for uint8, X = floor(16320·v + 1/2) for float 0..1, exactly. The second and third of a gray pixel
//           are 0. Centres are in the same units. Distances are squared Euclidean.
// Random.   random(seed, i) is output i of SplitMix64: z = seed + (i + 1)·0x9E3779B97F4A7C15; z = (z ^ z >> 30)·
//           0xBF58476D1CE4E5B9; z = (z ^ z >> 27)·0x94D049BB133111EB; z ^ z >> 31, all modulo 2^64.
// Samples.  m = min(n, 65536) of the n pixels in raster order. If m = n, all; else sample i is pixel
//           low + random(seed, 2^32 + i) mod (high - low), low = floor(i·n / m), high = floor((i + 1)·n / m).
// Seeding   (greedy k-means++, on the samples). Centre 0 is sample random(seed, 0) mod m. For centre j, D_i is the
//           distance of sample i to the nearest centre so far and T the sum of all D_i. If T = 0, centre j repeats
//           centre 0. Else there are as many candidates as n_clusters has binary digits: candidate t is the first
//           sample whose inclusive prefix sum of D exceeds random(seed, 16 j + t) mod T. Centre j is the candidate of
//           least T' = Σ min(D_i, distance of sample i to it), the first on ties.
// Attempts. Attempt a, from 0, is all of this with its own seed: `seed` itself, then random(seed, 2^33 + a). The result
//           is that of least inertia, the first on ties.
// Assign.   A pixel's label is the lowest index among its nearest centres: of least |C|² - 2 C·X.
// Update.   A centre becomes the mean of its pixels, floor((2 S + count) / (2 count)) in each channel. Then each empty
// cluster,
//           lowest index first, takes the pixel farthest from every centre of a cluster that is not empty or was just
//           filled, the first in raster order on ties; once that distance is 0, the remaining ones stay where they are.
// Loop.     Assign; then up to max_iter times: update; end if no centre moved; assign; end if no centre moved by more
//           than tol. So labels, sums and inertia always belong to the centres returned.
// Inertia.  The sum of the distances of all pixels to their centres, in units of 1/16320². It never rises from one
// iteration to
//           the next: a rounded mean is the best whole-numbered centre, and the old centre is whole-numbered too.
//
// Bounds: X <= 16320, so |C|² and 2 C·X are at most 3·16320² = 799,027,200 and twice that, and their difference lies
// within ±799,027,200: int32 suffices. n <= 2^32, so the inertia is below 3.5e18 and its terms below 6.9e18: int64
// suffices.
#pragma once

#include <vector>

#include "alphacut/image.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

struct KmeansOptions {
  int64_t n_clusters = 8;  // 1 to 256
  uint64_t seed = 0;
  int64_t max_iter = 10;           // at least 1
  int64_t tol = 16;                // in units of 1/16320
  std::vector<int32_t> init = {};  // n_clusters * channels values 0..16320 to start from; empty: k-means++
  int64_t attempts = 1;            // 1 to 1000, from different seeds: the best is kept; with `init` there is one
};

struct Kmeans {
  std::vector<int32_t> centers;  // n_clusters * channels, in units of 1/16320
  int64_t inertia = 0;           // in units of 1/16320²
  int64_t n_iter = 0;            // updates done
};

// Clusters a gray or RGB picture of at most 2^32 pixels; float values must lie in 0..1. `labels` has its size, one
// channel. Memory: 4 bytes a pixel while a cluster is empty, else none that grows with the picture; to count the
// colours of an 8-bit picture, at most 64 MB and 16 MB a thread.
Kmeans kmeans(ImageView<const uint8_t> image, const KmeansOptions& options, ImageView<uint8_t> labels);
Kmeans kmeans(ImageView<const float> image, const KmeansOptions& options, ImageView<uint8_t> labels);

}  // namespace alphacut
ALPHACUT_API_END
