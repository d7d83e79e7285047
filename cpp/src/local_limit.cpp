// Limits from the surroundings of each pixel, in double arithmetic, for pictures of any depth and range.
#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>

#include "alphacut/cancel.hpp"
#include "alphacut/parallel.hpp"
#include "alphacut/threshold.hpp"
#include "border.hpp"
#include "gaussian_weights.hpp"
#include "gray_rows.hpp"

namespace alphacut {
namespace {

constexpr int64_t kMaxWindow = 32767;
constexpr int64_t kLanes = 16;  // columns that are worked on together

// result[i] = values[i] + ... + values[i + window - 1] of each lane, for n results. From sums that run to the ends of
// blocks and from their beginnings, so nothing is subtracted. `values` becomes rubbish.
void window_sums(double* values, int64_t n, int64_t window, int64_t lanes, std::vector<double>& room, double* result) {
  const int64_t length = n + window - 1;
  room.assign(static_cast<size_t>(length * lanes), 0);
  double* const heads = room.data();  // from the beginning of the block
  for (int64_t i = 0; i < length; ++i)
    for (int64_t lane = 0; lane < lanes; ++lane)
      heads[i * lanes + lane] = values[i * lanes + lane] + (i % window == 0 ? 0 : heads[(i - 1) * lanes + lane]);
  for (int64_t i = length - 2; i >= 0; --i)  // to the end of the block
    if (i % window != window - 1)
      for (int64_t lane = 0; lane < lanes; ++lane) values[i * lanes + lane] += values[(i + 1) * lanes + lane];
  for (int64_t i = 0; i < n; ++i)
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const double tail = values[i * lanes + lane];
      result[i * lanes + lane] = i % window == 0 ? tail : tail + heads[(i + window - 1) * lanes + lane];
    }
}

void weighted_sums(const double* values, int64_t n, const std::vector<double>& weights, int64_t lanes, double* result) {
  std::fill_n(result, n * lanes, 0.0);
  for (int64_t k = 0; k < static_cast<int64_t>(weights.size()); ++k)
    for (int64_t i = 0; i < n * lanes; ++i) result[i] += weights[static_cast<size_t>(k)] * values[k * lanes + i];
}

// Sums over the window, or means with weights if there are any, along one axis and then the other. Beyond the border
// lies what `options` say, `constant` included.
struct Surroundings {
  const LocalLimit& options;
  double constant;

  Image<double> operator()(ImageView<const double> plane, bool weighted) const {
    Image<double> across = Image<double>::like(plane), both = Image<double>::like(plane);
    const int64_t height = plane.height, width = plane.width;
    const Line line_x(*this, width, options.window_width, weighted),
        line_y(*this, height, options.window_height, weighted);
    // A sum of constants in a row is one of the border of a column.
    const double beyond = weighted ? constant : constant * static_cast<double>(options.window_width);
    parallel_for(height, row_grain(width), [&](int64_t begin, int64_t end) {
      std::vector<double> padded, room;
      for (int64_t y = begin; y < end; ++y)
        line_x(1, constant, padded, room, [&](int64_t x) { return plane.row(y) + x; }, across.row(y));
    });
    parallel_for((width + kLanes - 1) / kLanes, row_grain(height * kLanes), [&](int64_t begin, int64_t end) {
      std::vector<double> padded, room, result(static_cast<size_t>(height * kLanes));
      for (int64_t x = begin * kLanes; x < std::min(width, end * kLanes); x += kLanes) {
        const int64_t lanes = std::min(kLanes, width - x);
        line_y(lanes, beyond, padded, room, [&](int64_t y) { return across.row(y) + x; }, result.data());
        for (int64_t y = 0; y < height; ++y) std::copy_n(result.data() + y * lanes, lanes, both.row(y) + x);
      }
    });
    return both;
  }

 private:
  struct Line {
    int64_t n, window;
    Border border;
    std::vector<double> weights;
    Line(const Surroundings& around, int64_t size, int64_t side, bool weighted)
        : n(size), window(side), border(around.options.border) {
      if (!weighted) return;
      const std::vector<double> half = gaussian_half(side, around.options.sigma);
      weights.assign(half.rbegin(), half.rend());
      weights.insert(weights.end(), half.begin() + 1, half.end());
    }
    template <class At>
    void operator()(int64_t lanes, double constant, std::vector<double>& padded, std::vector<double>& room, At at,
                    double* result) const {
      padded.resize(static_cast<size_t>((n + window - 1) * lanes));
      for (int64_t i = 0; i < n + window - 1; ++i) {
        const int64_t from = within(i - window / 2, n, border);
        double* const to = padded.data() + i * lanes;
        if (from < 0)
          std::fill_n(to, lanes, constant);
        else
          std::copy_n(at(from), lanes, to);
      }
      if (weights.empty())
        window_sums(padded.data(), n, window, lanes, room, result);
      else
        weighted_sums(padded.data(), n, weights, lanes, result);
    }
  };
};

// The median of each window.
Image<double> medians(ImageView<const double> plane, const LocalLimit& options, double constant) {
  Image<double> result = Image<double>::like(plane);
  const int64_t reach = options.window_width / 2;
  std::vector<int64_t> columns;  // of x - reach
  for (int64_t u = -reach; u < plane.width + reach; ++u) columns.push_back(within(u, plane.width, options.border));
  parallel_for(plane.height, row_grain(plane.width, 1 << 10), [&](int64_t begin, int64_t end) {
    std::vector<double> values;
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < plane.width; ++x) {
        throw_if_cancelled();
        values.clear();
        for (int64_t v = y - options.window_height / 2; v <= y + options.window_height / 2; ++v) {
          const int64_t row = within(v, plane.height, options.border);
          for (int64_t i = x; i <= x + 2 * reach; ++i) {
            const int64_t column = columns[static_cast<size_t>(i)];
            values.push_back(row < 0 || column < 0 ? constant : plane.row(row)[column]);
          }
        }
        const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
        std::nth_element(values.begin(), middle, values.end());
        result.row(y)[x] = *middle;
      }
  });
  return result;
}

void require_options(const LocalLimit& options) {
  for (const int64_t side : {options.window_height, options.window_width})
    if (side < 1 || side > kMaxWindow || side % 2 == 0)
      throw std::invalid_argument("window must be odd, from 1 to " + std::to_string(kMaxWindow) + ", got " +
                                  std::to_string(side));
  const auto finite = [](double value, const char* name) {
    if (!std::isfinite(value))
      throw std::invalid_argument(std::string(name) + " must be finite, got " + std::to_string(value));
  };
  finite(options.offset, "offset");
  finite(options.k, "k");
  finite(options.constant, "cval");
  if (!(options.r > 0) || !std::isfinite(options.r))
    throw std::invalid_argument("r must be above 0 and finite, got " + std::to_string(options.r));
  if (!(options.sigma >= 0) || !std::isfinite(options.sigma))
    throw std::invalid_argument("sigma must be above 0 and finite, got " + std::to_string(options.sigma));
}

// Calls body(y, values, limits) for each row. The limits of a row are made from planes of sums of the values less one
// of them, which keeps the squares small.
template <class T, class Body>
void for_each_limit(ImageView<const T> gray, const LocalLimit& options, Body body) {
  require_options(options);
  if (gray.empty()) return;
  Image<double> plane = Image<double>::like(gray);
  parallel_for(gray.height, row_grain(gray.width), [&](int64_t begin, int64_t end) {
    GrayRows<T> rows(gray, true);
    for (int64_t y = begin; y < end; ++y) {
      const T* values = rows(y);
      for (int64_t x = 0; x < gray.width; ++x) plane.row(y)[x] = static_cast<double>(values[x]);
      if constexpr (!std::is_integral_v<T>)
        if (std::any_of(values, values + gray.width, [](T value) { return !std::isfinite(value); }))
          throw std::invalid_argument("gray must have finite values");
    }
  });
  const AdaptiveMethod method = options.method;
  const bool weighted = method == AdaptiveMethod::gaussian;
  const bool spread = method == AdaptiveMethod::niblack || method == AdaptiveMethod::sauvola;
  const double zero = spread ? plane.row(gray.height / 2)[gray.width / 2] : 0, constant = options.constant - zero;
  Image<double> centred = Image<double>::like(gray), squares;
  if (spread) squares = Image<double>::like(gray);
  parallel_for(gray.height, row_grain(gray.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < gray.width; ++x) {
        const double value = centred.row(y)[x] = plane.row(y)[x] - zero;
        if (spread) squares.row(y)[x] = value * value;
      }
  });
  const Image<double> sums = method == AdaptiveMethod::median ? medians(centred, options, constant)
                                                              : Surroundings{options, constant}(centred, weighted);
  if (spread) squares = Surroundings{options, constant * constant}(squares, false);
  const double area = weighted || method == AdaptiveMethod::median
                          ? 1
                          : static_cast<double>(options.window_height * options.window_width);
  parallel_for(gray.height, row_grain(gray.width), [&](int64_t begin, int64_t end) {
    std::vector<double> limits(static_cast<size_t>(gray.width));
    for (int64_t y = begin; y < end; ++y) {
      for (size_t x = 0; x < limits.size(); ++x) {
        const double mean = sums.row(y)[x] / area, full = mean + zero;
        double limit = full;
        if (spread) {
          const double deviation = std::sqrt(std::max(squares.row(y)[x] / area - mean * mean, 0.0));
          limit = method == AdaptiveMethod::niblack ? full - options.k * deviation
                                                    : full * (1 + options.k * (deviation / options.r - 1));
        }
        limits[x] = limit - options.offset;
      }
      body(y, plane.row(y), limits.data());
    }
  });
}

}  // namespace

template <class T>
void local_limit(ImageView<const T> gray, const LocalLimit& options, ImageView<double> limit) {
  require_gray_and_mask(gray, limit, "limit");
  for_each_limit(gray, options, [&](int64_t y, const double*, const double* limits) {
    std::copy_n(limits, gray.width, limit.row(y));
  });
}

template <class T>
void local_threshold(ImageView<const T> gray, const LocalLimit& options, ImageView<uint8_t> mask) {
  require_gray_and_mask(gray, mask, "mask");
  for_each_limit(gray, options, [&](int64_t y, const double* values, const double* limits) {
    for (int64_t x = 0; x < gray.width; ++x) mask.row(y)[x] = values[x] > limits[x] ? 255 : 0;
  });
}

#define ALPHACUT_FOR(T)                                                                   \
  template void local_limit<T>(ImageView<const T>, const LocalLimit&, ImageView<double>); \
  template void local_threshold<T>(ImageView<const T>, const LocalLimit&, ImageView<uint8_t>);
ALPHACUT_FOR_EACH_DEPTH(ALPHACUT_FOR)
#undef ALPHACUT_FOR

}  // namespace alphacut
