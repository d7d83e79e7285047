#include "alphacut/kmeans_points.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "alphacut/cancel.hpp"
#include "alphacut/parallel.hpp"
#include "splitmix.hpp"
#include "twins.hpp"

namespace alphacut {
namespace {

constexpr int64_t kGrain = 4096;  // points of a block
constexpr double kMostWeight = 1e200;
constexpr int64_t kTile = 128;  // points that are compared at once: one array a dimension

void require(bool holds, const std::string& message) {
  if (!holds) throw std::invalid_argument(message);
}

double unit_random(uint64_t seed, uint64_t i) { return static_cast<double>(splitmix(seed, i) >> 11) * 0x1p-53; }

double distance(const double* a, const double* b, int64_t dimensions) {
  double sum = 0;
  for (int64_t d = 0; d < dimensions; ++d) sum += (a[d] - b[d]) * (a[d] - b[d]);
  return sum;
}

// Points as numbers of 64 bits, those of a tile by dimension.
template <class T>
class Points {
 public:
  Points(ImageView<const T> points, ImageView<const double> weights) : points_(points), weights_(weights) {}
  int64_t size() const { return points_.height; }
  int64_t dimensions() const { return points_.width; }
  double weight(int64_t i) const { return weights_.data == nullptr ? 1.0 : weights_.row(0)[i]; }
  void point(int64_t i, double* to) const {
    for (int64_t d = 0; d < dimensions(); ++d) to[d] = static_cast<double>(points_.row(i)[d]);
  }
  void tile(int64_t begin, int64_t n, double* to) const {
    for (int64_t i = 0; i < n; ++i)
      for (int64_t d = 0; d < dimensions(); ++d) to[d * kTile + i] = static_cast<double>(points_.row(begin + i)[d]);
  }

 private:
  ImageView<const T> points_;
  ImageView<const double> weights_;
};

// The squared distances of a tile's points to a centre, summed by dimension in order. Four at once: a sum then waits in
// a register, not in memory.
void tile_distances(const double* tile, const double* center, int64_t dimensions, double* __restrict to) {
  const auto square = [](double x, double c) { return (x - c) * (x - c); };
  std::fill_n(to, kTile, 0.0);
  int64_t d = 0;
  for (; d + 4 <= dimensions; d += 4) {
    const double* __restrict x0 = tile + d * kTile, * __restrict x1 = x0 + kTile;
    const double* __restrict x2 = x1 + kTile, * __restrict x3 = x2 + kTile;
    const double c0 = center[d], c1 = center[d + 1], c2 = center[d + 2], c3 = center[d + 3];
    for (int64_t i = 0; i < kTile; ++i)
      to[i] = to[i] + square(x0[i], c0) + square(x1[i], c1) + square(x2[i], c2) + square(x3[i], c3);
  }
  for (; d < dimensions; ++d) {
    const double* __restrict x = tile + d * kTile;
    const double c = center[d];
    for (int64_t i = 0; i < kTile; ++i) to[i] += square(x[i], c);
  }
}

template <class T>
class Clustering {
 public:
  Clustering(const Points<T>& points, const PointsKmeansOptions& options)
      : points_(points), options_(options), d_(points.dimensions()), labels_(static_cast<size_t>(points.size())) {}

  PointsKmeans run(uint64_t seed) {
    PointsKmeans result{options_.init.empty() ? seeded(seed) : options_.init, 0, 0};
    result.inertia = assign(result.centers);
    while (result.n_iter < options_.max_iter) {
      throw_if_cancelled();
      std::vector<double> moved = updated(result.centers);
      ++result.n_iter;
      double farthest = 0;
      for (int64_t k = 0; k < options_.n_clusters; ++k)
        farthest = std::max(farthest, distance(&moved[at(k)], &result.centers[at(k)], d_));
      if (farthest == 0) break;
      result.centers = std::move(moved);
      result.inertia = assign(result.centers);
      if (std::sqrt(farthest) <= options_.tol) break;
    }
    return result;
  }
  const std::vector<int32_t>& labels() const { return labels_; }

 private:
  size_t at(int64_t k) const { return static_cast<size_t>(k * d_); }
  double assign(const std::vector<double>& centers);
  std::vector<double> updated(std::vector<double> centers) const;
  void refill(const std::vector<double>& held, std::vector<double>& centers) const;
  std::vector<double> seeded(uint64_t seed) const;
  void relax(const double* center, std::vector<double>& distances) const;

  const Points<T>& points_;
  const PointsKmeansOptions& options_;
  int64_t d_;
  std::vector<int32_t> labels_;
};

// Labels every point; returns the inertia.
template <class T>
double Clustering<T>::assign(const std::vector<double>& centers) {
  const int64_t n = points_.size();
  std::vector<double> sums(static_cast<size_t>((n - 1) / kGrain + 1));
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    std::vector<double> tile(static_cast<size_t>(kTile * d_));
    double near[kTile], best[kTile], sum = 0;
    int64_t label[kTile];
    for (int64_t start = begin; start < end; start += kTile) {
      const int64_t count = std::min(kTile, end - start);
      points_.tile(start, count, tile.data());
      std::fill_n(best, kTile, std::numeric_limits<double>::infinity());
      std::fill_n(label, kTile, int64_t{0});
      for (int64_t k = 0; k < options_.n_clusters; ++k) {
        if (k % kGrain == 0) throw_if_cancelled();
        tile_distances(tile.data(), &centers[at(k)], d_, near);
        for (int64_t i = 0; i < kTile; ++i) {
          const bool closer = near[i] < best[i];
          best[i] = closer ? near[i] : best[i];
          label[i] = closer ? k : label[i];
        }
      }
      for (int64_t i = 0; i < count; ++i) {
        labels_[static_cast<size_t>(start + i)] = static_cast<int32_t>(label[i]);
        sum += points_.weight(start + i) * best[i];
      }
    }
    sums[static_cast<size_t>(begin / kGrain)] = sum;
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

// The weighted means, summed in the points' order.
template <class T>
std::vector<double> Clustering<T>::updated(std::vector<double> centers) const {
  std::vector<double> sums(centers.size()), held(static_cast<size_t>(options_.n_clusters)), point(at(1));
  for (int64_t i = 0; i < points_.size(); ++i) {
    if (i % kGrain == 0) throw_if_cancelled();
    const int64_t k = labels_[static_cast<size_t>(i)];
    const double weight = points_.weight(i);
    points_.point(i, point.data());
    held[static_cast<size_t>(k)] += weight;
    for (int64_t d = 0; d < d_; ++d) sums[at(k) + static_cast<size_t>(d)] += weight * point[static_cast<size_t>(d)];
  }
  for (int64_t k = 0; k < options_.n_clusters; ++k)
    for (size_t i = at(k); i < at(k + 1); ++i)
      if (held[static_cast<size_t>(k)] > 0) centers[i] = sums[i] / held[static_cast<size_t>(k)];
  refill(held, centers);
  return centers;
}

// Each cluster without weight takes the point farthest from all centres, the first of equals.
template <class T>
void Clustering<T>::refill(const std::vector<double>& held, std::vector<double>& centers) const {
  if (std::find(held.begin(), held.end(), 0.0) == held.end()) return;
  std::vector<double> distances(static_cast<size_t>(points_.size()), std::numeric_limits<double>::infinity());
  for (int64_t k = 0; k < options_.n_clusters; ++k)
    if (held[static_cast<size_t>(k)] > 0) relax(&centers[at(k)], distances);
  for (int64_t i = 0; i < points_.size(); ++i)
    if (points_.weight(i) == 0) distances[static_cast<size_t>(i)] = 0;
  for (int64_t k = 0; k < options_.n_clusters; ++k) {
    if (held[static_cast<size_t>(k)] > 0) continue;
    const auto farthest = std::max_element(distances.begin(), distances.end());
    if (*farthest == 0) return;
    points_.point(farthest - distances.begin(), &centers[at(k)]);
    relax(&centers[at(k)], distances);
  }
}

// Lowers the distances to those to the centre.
template <class T>
void Clustering<T>::relax(const double* center, std::vector<double>& distances) const {
  parallel_for(points_.size(), kGrain, [&](int64_t begin, int64_t end) {
    std::vector<double> tile(static_cast<size_t>(kTile * d_));
    double near[kTile];
    for (int64_t start = begin; start < end; start += kTile) {
      const int64_t count = std::min(kTile, end - start);
      points_.tile(start, count, tile.data());
      tile_distances(tile.data(), center, d_, near);
      for (int64_t i = 0; i < count; ++i) {
        double& least = distances[static_cast<size_t>(start + i)];
        least = std::min(least, near[i]);
      }
    }
  });
}

// Greedy k-means++ from samples; see kmeans.hpp.
template <class T>
std::vector<double> Clustering<T>::seeded(uint64_t seed) const {
  const std::vector<int64_t> indices = kmeans_samples(points_.size(), seed);
  const auto m = static_cast<int64_t>(indices.size());
  std::vector<double> samples(at(m)), weights, least(indices.size(), 0), prefix(indices.size());
  for (int64_t i = 0; i < m; ++i) {
    points_.point(indices[static_cast<size_t>(i)], &samples[at(i)]);
    weights.push_back(points_.weight(indices[static_cast<size_t>(i)]));
  }
  const auto draw = [&](uint64_t number) {  // by the prefix sums
    const double target = unit_random(seed, number) * prefix.back();
    const auto found = std::upper_bound(prefix.begin(), prefix.end() - 1, target);
    return static_cast<int64_t>(found - prefix.begin());
  };
  std::partial_sum(weights.begin(), weights.end(), prefix.begin());
  const int64_t first = draw(0);
  std::vector<double> centers(&samples[at(first)], &samples[at(first)] + d_);
  for (int64_t i = 0; i < m; ++i) least[static_cast<size_t>(i)] = distance(&samples[at(i)], centers.data(), d_);
  const auto candidates = static_cast<uint64_t>(std::bit_width(static_cast<uint64_t>(options_.n_clusters)));
  std::vector<double> lowered(least.size()), best(least.size());
  for (int64_t j = 1; j < options_.n_clusters; ++j) {
    throw_if_cancelled();
    double total = 0;
    for (size_t i = 0; i < least.size(); ++i) prefix[i] = total += weights[i] * least[i];
    int64_t chosen = first;
    double lowest = std::numeric_limits<double>::infinity();
    for (uint64_t t = 0; total > 0 && t < candidates; ++t) {
      const int64_t candidate = draw(32 * static_cast<uint64_t>(j) + t);
      double sum = 0;
      for (size_t i = 0; i < least.size(); ++i) {
        lowered[i] = std::min(least[i], distance(&samples[at(static_cast<int64_t>(i))], &samples[at(candidate)], d_));
        sum += weights[i] * lowered[i];
      }
      if (sum >= lowest) continue;
      lowest = sum, chosen = candidate;
      best.swap(lowered);
    }
    if (total > 0) least = best;
    centers.insert(centers.end(), &samples[at(chosen)], &samples[at(chosen)] + d_);
  }
  return centers;
}

template <class T>
PointsKmeans kmeans_of(ImageView<const T> points, const PointsKmeansOptions& options, ImageView<const double> weights,
                       ImageView<int32_t> labels) {
  require(points.height >= 1 && points.width >= 1 && points.width <= 16 && points.channels == 1,
          "points must have at least 1 row and from 1 to 16 columns");
  require(points.height <= std::numeric_limits<int32_t>::max(), "points must have at most 2^31 - 1 rows");
  require(labels.width == points.height && labels.height == 1, "labels must have a place for each point");
  require(options.n_clusters >= 1 && options.n_clusters <= 65536,
          "n_clusters must be from 1 to 65536, got " + std::to_string(options.n_clusters));
  require(options.max_iter >= 1, "max_iter must be at least 1, got " + std::to_string(options.max_iter));
  require(options.attempts >= 1 && options.attempts <= 1000,
          "attempts must be from 1 to 1000, got " + std::to_string(options.attempts));
  require(options.tol >= 0 && std::isfinite(options.tol), "tol must be at least 0");
  require(options.init.empty() || options.init.size() == static_cast<size_t>(options.n_clusters * points.width),
          "init must have a row for each cluster and a column for each dimension");
  require(std::all_of(options.init.begin(), options.init.end(), [](double v) { return std::isfinite(v); }),
          "init must be finite");
  if constexpr (std::is_floating_point_v<T>)
    for (int64_t i = 0; i < points.height; ++i)
      if (const T* row = points.row(i); !std::all_of(row, row + points.width, [](T v) { return std::isfinite(v); }))
        throw std::invalid_argument("points must be finite");
  if (weights.data != nullptr) {
    require(weights.width == points.height && weights.height == 1, "weights must have one for each point");
    const double *first = weights.row(0), *last = first + weights.width;
    require(std::all_of(first, last, [](double w) { return w >= 0 && w <= kMostWeight; }),
            "weights must be from 0 to 1e200");
    require(std::any_of(first, last, [](double w) { return w > 0; }), "weights must not all be 0");
  }
  const Points<T> all(points, weights);
  PointsKmeans best;
  const int64_t attempts = options.init.empty() ? options.attempts : 1;
  for (int64_t a = 0; a < attempts; ++a) {
    Clustering<T> clustering(all, options);
    PointsKmeans found = clustering.run(kmeans_attempt_seed(options.seed, a));
    if (a > 0 && found.inertia >= best.inertia) continue;
    best = std::move(found);
    std::copy(clustering.labels().begin(), clustering.labels().end(), labels.row(0));
  }
  return best;
}

}  // namespace

PointsKmeans kmeans_points(ImageView<const uint8_t> points, const PointsKmeansOptions& options,
                           ImageView<const double> weights, ImageView<int32_t> labels) {
  return kmeans_of(points, options, weights, labels);
}
PointsKmeans kmeans_points(ImageView<const float> points, const PointsKmeansOptions& options,
                           ImageView<const double> weights, ImageView<int32_t> labels) {
  return kmeans_of(points, options, weights, labels);
}

}  // namespace alphacut
