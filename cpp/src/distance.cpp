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

constexpr int kTogether = 4;  // rows whose steps, each waiting for the one before, are taken in turn

// Taxicab distances of `rows` rows from those within columns, of which the negative ones count as 0.
template <int rows>
void taxicab_across(int32_t* const* column, int64_t width, int32_t cap, float* const* out) {
  int32_t near[rows];
  std::fill_n(near, rows, cap);
  for (int64_t x = 0; x < width; ++x)
    for (int k = 0; k < rows; ++k) column[k][x] = near[k] = std::min(near[k] + 1, std::max(column[k][x], 0));
  for (int64_t x = width - 1; x >= 0; --x)
    for (int k = 0; k < rows; ++k) out[k][x] = static_cast<float>(near[k] = std::min(near[k] + 1, column[k][x]));
}

// Chessboard distances of rows, in the same way. The least of max(x - u, column[u]) over u <= x is that of x - 1, one
// more, or column[x]: it rises where no u near enough has so little, and then the last u with one more is the nearest.
class ChessboardScan {
 public:
  ChessboardScan(int64_t width, int32_t cap) : cap_(cap), forth_(width, cap), back_(width, cap) {}

  // In turn from both ends, as each step waits for the one before.
  void operator()(const int32_t* column, int64_t width, float* out) {
    forth_.start(cap_);
    back_.start(cap_);
    for (int64_t i = 0; i < width; ++i) {
      forth_.step(i, std::max(column[i], 0));
      back_.step(i, std::max(column[width - 1 - i], 0));
    }
    const int32_t *const one = forth_.found.data(), *const other = back_.found.data() + width - 1;
    for (int64_t x = 0; x < width; ++x) out[x] = static_cast<float>(std::min(one[x], other[-x]));
    forth_.place += width;
    back_.place += width;
  }

 private:
  struct Way {
    std::vector<int32_t> found;
    std::vector<int64_t> last;  // the last place that had this value
    int64_t place = 1;          // of the first pixel of a scan, beyond all of those before it
    int64_t nearest = 0;
    int32_t least = 0;

    Way(int64_t width, int32_t cap) : found(static_cast<size_t>(width)), last(static_cast<size_t>(cap) + 2, 0) {}
    void start(int32_t cap) {
      nearest = place;
      least = cap;
    }
    void step(int64_t i, int32_t own) {
      const int64_t here = place + i;
      last[static_cast<size_t>(own)] = here;
      if (own <= least) {
        least = own;
        nearest = here;
      } else if (here - nearest > least) {
        ++least;
        nearest = std::max(nearest, last[static_cast<size_t>(least)]);
      }
      found[static_cast<size_t>(i)] = least;
    }
  };

  int32_t cap_;
  Way forth_, back_;
};

// The metrics of whole steps, without the nearest pixels.
void scan_steps(ImageView<const uint8_t> mask, DistanceMetric metric, ImageView<float> distance) {
  if (mask.empty()) return;
  const auto cap = static_cast<int32_t>(mask.height + mask.width);  // farther than any
  Image<int32_t> column = column_distance(mask, cap);
  const int32_t* const first = column.row(0);
  if (std::all_of(first, first + mask.width, [cap](int32_t far) { return far == cap; })) {
    for (int64_t y = 0; y < mask.height; ++y)
      std::fill_n(distance.row(y), mask.width, std::numeric_limits<float>::infinity());
    return;
  }
  const int64_t grain =
      (row_grain(mask.width, std::max<int64_t>(1 << 16, 4 * int64_t{cap})) + kTogether - 1) / kTogether * kTogether;
  parallel_for(mask.height, grain, [&](int64_t begin, int64_t end) {
    if (metric == DistanceMetric::chessboard) {
      ChessboardScan scan(mask.width, cap);
      for (int64_t y = begin; y < end; ++y) scan(column.row(y), mask.width, distance.row(y));
      return;
    }
    for (int64_t y = begin; y < end; y += kTogether) {
      int32_t* from[kTogether];
      float* to[kTogether];
      for (int k = 0; k < kTogether && y + k < end; ++k) from[k] = column.row(y + k), to[k] = distance.row(y + k);
      if (y + kTogether <= end)
        taxicab_across<kTogether>(from, mask.width, cap, to);
      else
        for (int k = 0; y + k < end; ++k) taxicab_across<1>(from + k, mask.width, cap, to + k);
    }
  });
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
  parallel_for(mask.width, 64, [&](int64_t begin, int64_t end) {
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
  if (options.metric != DistanceMetric::euclidean && nearest.data == nullptr)
    scan_steps(mask, options.metric, distance);
  else if (options.metric == DistanceMetric::taxicab)
    scan_rows(mask, Taxicab{}, same, distance, nearest);
  else if (options.metric == DistanceMetric::chessboard)
    scan_rows(mask, Chessboard{}, same, distance, nearest);
  else if (down == 1 && across == 1)
    scan_rows(mask, EuclideanSquared{}, root, distance, nearest);
  else
    scan_rows(mask, SampledSquared{down * down, across * across}, root, distance, nearest);
}

}  // namespace alphacut
