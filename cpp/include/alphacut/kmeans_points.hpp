// k-means clustering of points of up to 16 dimensions, with weights.
//
// All sums are of doubles in a fixed order, so that every instruction set and thread count gives the same bytes. In the
// terms of kmeans.hpp, and differing from it:
// Values.   A point is what it is, of any finite range. Centres are doubles, and distances squared Euclidean.
// Random.   u(seed, i) = floor(random(seed, i) / 2^11) / 2^53.
// Seeding.  A draw by u from non-negative numbers takes the first whose inclusive prefix sum exceeds u times their sum.
//           Centre 0 is drawn from the samples' weights by u(seed, 0). For centre j the candidates are drawn from
//           weight times distance to the nearest centre so far, candidate t by u(seed, 32 j + t); the one of least
//           weighted sum is taken, the first on ties.
// Update.   A centre becomes the weighted mean of its points, summed in their order. A cluster without weight takes the
//           point of any weight that is farthest from all centres.
// Loop.     Assign; then up to max_iter times: update; end if no centre moved; assign; end if none moved by more than
//           tol. Labels and inertia always belong to the centres returned.
#pragma once

#include <vector>

#include "alphacut/image.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

struct PointsKmeansOptions {
  int64_t n_clusters = 8;  // 1 to 65536
  uint64_t seed = 0;
  int64_t max_iter = 10;       // at least 1
  double tol = 0;              // in units of the points
  std::vector<double> init{};  // n_clusters rows of a centre to start from; empty: k-means++
  int64_t attempts = 1;        // 1 to 1000, from different seeds: the best is kept; with `init` there is one
};

struct PointsKmeans {
  std::vector<double> centers;  // n_clusters rows
  double inertia = 0;           // the weighted sum of squared distances
  int64_t n_iter = 0;           // updates done
};

// Clusters points, a row each, 1 to 16 columns. `weights`, one row, from 0 to 1e200, not all 0; no data: all 1.
// `labels` is one row of as many as there are points. Anything else throws std::invalid_argument. 4 bytes a point; 8
// more while a cluster is empty.
PointsKmeans kmeans_points(ImageView<const uint8_t> points, const PointsKmeansOptions& options,
                           ImageView<const double> weights, ImageView<int32_t> labels);
PointsKmeans kmeans_points(ImageView<const float> points, const PointsKmeansOptions& options,
                           ImageView<const double> weights, ImageView<int32_t> labels);

}  // namespace alphacut
ALPHACUT_API_END
