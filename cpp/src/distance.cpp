#include "distance.hpp"

#include <limits>
#include <string>

#include "alphacut/matting.hpp"
#include "alphacut/parallel.hpp"
#include "dispatch.hpp"

namespace alphacut {
namespace {

void require_planes(ImageView<const uint8_t> mask, ImageView<float> distance, const DistanceOptions& options,
                    ImageView<int32_t> nearest) {
  if (mask.channels != 1 || distance.channels != 1 || mask.height != distance.height || mask.width != distance.width)
    throw std::invalid_argument("distance_transform: mask and distance must be single-channel and of one size");
  if (nearest.data != nullptr &&
      (nearest.channels != 1 || nearest.height != 2 * mask.height || nearest.width != mask.width))
    throw std::invalid_argument("distance_transform: nearest must be two planes of the size of the mask");
  if (mask.height + mask.width >= int64_t{1} << 31)
    throw std::invalid_argument("distance_transform: height and width together must be below 2^31");
  for (const double side : options.sampling)
    if (!(side >= 1e-6 && side <= 1e6))
      throw std::invalid_argument("sampling must be two numbers from 1e-6 to 1e6, got " + std::to_string(side));
  if (options.metric != DistanceMetric::euclidean && options.sampling != DistanceOptions{}.sampling)
    throw std::invalid_argument("sampling goes with the euclidean metric only");
}

// `length` makes a distance of what the metric counts.
template <class Metric, class Length>
void scan_rows(ImageView<const uint8_t> mask, const Metric& metric, const Length& length, ImageView<float> distance,
               ImageView<int32_t> nearest) {
  if (mask.empty()) return;
  const auto cap = static_cast<int32_t>(mask.height + mask.width);  // farther than any
  Image<int32_t> column = column_distance(mask, cap);
  bool empty = true;
  for (int64_t x = 0; empty && x < mask.width; ++x) empty = column.row(0)[x] == cap;
  parallel_for(mask.height, row_grain(mask.width, 1 << 14), [&](int64_t begin, int64_t end) {
    RowScan row_scan(mask.width);
    for (int64_t y = begin; y < end; ++y) {
      float* out = distance.row(y);
      int32_t *down = nullptr, *across = nullptr;
      if (nearest.data != nullptr) down = nearest.row(y), across = nearest.row(mask.height + y);
      std::fill_n(out, mask.width, empty ? std::numeric_limits<float>::infinity() : 0.0f);
      for (int64_t x = 0; down != nullptr && x < mask.width; ++x) {
        down[x] = empty ? -1 : static_cast<int32_t>(y);
        across[x] = empty ? -1 : static_cast<int32_t>(x);
      }
      if (empty) continue;
      int32_t* own = column.row(y);
      for (int64_t x = 0; x < mask.width; ++x) own[x] = std::max(own[x], 0);
      row_scan.scan(metric, own, mask.width, cap, [&](int64_t x, auto value, int64_t u) {
        out[x] = length(value);
        if (down == nullptr) return;
        const int64_t above = y - own[u];
        down[x] = static_cast<int32_t>(above >= 0 && mask.row(above)[u] == 0 ? above : y + own[u]);
        across[x] = static_cast<int32_t>(u);
      });
    }
  });
}

}  // namespace

Image<int32_t> column_distance(ImageView<const uint8_t> mask, int32_t cap) {
  const auto& kernel = kernels().matting;
  Image<int32_t> distance = Image<int32_t>::like(mask);
  if (mask.empty()) return distance;
  parallel_for(mask.width, 256, [&](int64_t begin, int64_t end) {
    const auto n = static_cast<size_t>(end - begin);
    for (int64_t x = begin; x < end; ++x) distance.row(0)[x] = mask.row(0)[x] != 0 ? cap : -cap;
    for (int64_t y = 1; y < mask.height; ++y)
      kernel.distance_down(mask.row(y) + begin, distance.row(y - 1) + begin, n, cap, distance.row(y) + begin);
    for (int64_t y = mask.height - 2; y >= 0; --y)
      kernel.distance_up(distance.row(y + 1) + begin, n, distance.row(y) + begin);
  });
  return distance;
}

void distance_transform(ImageView<const uint8_t> mask, ImageView<float> distance, const DistanceOptions& options,
                        ImageView<int32_t> nearest) {
  require_planes(mask, distance, options, nearest);
  const auto root = [](auto squared) { return static_cast<float>(std::sqrt(static_cast<double>(squared))); };
  const auto same = [](int64_t value) { return static_cast<float>(value); };
  const double down = options.sampling[0], across = options.sampling[1];
  if (options.metric == DistanceMetric::taxicab)
    scan_rows(mask, Taxicab{}, same, distance, nearest);
  else if (options.metric == DistanceMetric::chessboard)
    scan_rows(mask, Chessboard{}, same, distance, nearest);
  else if (down == 1 && across == 1)
    scan_rows(mask, EuclideanSquared{}, root, distance, nearest);
  else
    scan_rows(mask, SampledSquared{down * down, across * across}, root, distance, nearest);
}

}  // namespace alphacut
