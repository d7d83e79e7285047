// Histograms of pictures of any depth, one value a bin where values are whole numbers.
#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>
#include <string>
#include <type_traits>

#include "alphacut/parallel.hpp"
#include "alphacut/threshold.hpp"
#include "gray_rows.hpp"

namespace alphacut {
namespace {

constexpr int64_t kMostBins = 1 << 20;

// Calls body(values, n, y, mask row or null) for each row, on several threads.
template <class T, class Body>
void for_each_row(ImageView<const T> gray, ImageView<const uint8_t> mask, Body body) {
  parallel_for(gray.height, row_grain(gray.width), [&](int64_t begin, int64_t end) {
    GrayRows<T> rows(gray, true);
    for (int64_t y = begin; y < end; ++y) body(rows(y), gray.width, y, mask ? mask.row(y) : nullptr);
  });
}

template <class T>
struct Extremes {
  T low = std::numeric_limits<T>::max(), high = std::numeric_limits<T>::lowest();
  double sum = 0;  // of floats
  int64_t count = 0;

  void add(const Extremes& other) {
    low = std::min(low, other.low);
    high = std::max(high, other.high);
    sum += other.sum;
    count += other.count;
  }
};

template <class T>
Extremes<T> row_extremes(const T* values, int64_t n, const uint8_t* mask) {
  Extremes<T> row;
  if (mask == nullptr && std::is_integral_v<T>) {
    int64_t sum = 0;
    for (int64_t x = 0; x < n; ++x) {
      row.low = std::min(row.low, values[x]);
      row.high = std::max(row.high, values[x]);
      sum += static_cast<int64_t>(values[x]);
    }
    row.sum = static_cast<double>(sum);
    row.count = n;
    return row;
  }
  constexpr int64_t lanes = 8;  // the order of the sums is always the same
  T low[lanes], high[lanes];
  double sum[lanes] = {};
  std::fill_n(low, lanes, row.low);
  std::fill_n(high, lanes, row.high);
  const auto take = [&](int64_t lane, T value) {
    low[lane] = std::min(low[lane], value);
    high[lane] = std::max(high[lane], value);
    sum[lane] += static_cast<double>(value);
  };
  if (mask == nullptr) {
    int64_t x = 0;
    for (; x + lanes <= n; x += lanes)
      for (int64_t lane = 0; lane < lanes; ++lane) take(lane, values[x + lane]);
    for (; x < n; ++x) take(0, values[x]);
    row.count = n;
  } else {
    for (int64_t x = 0; x < n; ++x)
      if (mask[x] != 0) {
        take(0, values[x]);
        ++row.count;
      }
  }
  row.low = *std::min_element(low, low + lanes);
  row.high = *std::max_element(high, high + lanes);
  row.sum = std::accumulate(sum, sum + lanes, 0.0);
  return row;
}

template <class T>
Extremes<T> extremes(ImageView<const T> gray, ImageView<const uint8_t> mask) {
  std::vector<Extremes<T>> rows(static_cast<size_t>(gray.height));
  for_each_row(gray, mask, [&](const T* values, int64_t n, int64_t y, const uint8_t* chosen) {
    rows[static_cast<size_t>(y)] = row_extremes(values, n, chosen);
  });
  Extremes<T> all;
  for (const Extremes<T>& row : rows) all.add(row);
  if constexpr (!std::is_integral_v<T>)
    if (all.count > 0 && !(std::isfinite(all.low) && std::isfinite(all.high)))
      throw std::invalid_argument("gray must have finite values to find a limit");
  return all;
}

// Counts by bin(value). Several tables for each thread: a count need not wait for the one before.
template <class T, class Bin>
std::vector<int64_t> count_by(ImageView<const T> gray, ImageView<const uint8_t> mask, int64_t bins, Bin bin) {
  std::vector<int64_t> total(static_cast<size_t>(bins));
  std::mutex merging;
  const int64_t least = (gray.height + 4 * num_threads() - 1) / (4 * num_threads());  // few tables; any split will do
  parallel_for(gray.height, std::max(row_grain(gray.width), least), [&](int64_t begin, int64_t end) {
    GrayRows<T> rows(gray, true);
    const auto size = static_cast<size_t>(bins);
    std::vector<uint32_t> first(size), second(bins <= 1 << 16 ? size : 0);
    uint32_t* const one = first.data();
    uint32_t* const two = second.empty() ? one : second.data();
    int64_t room = int64_t{1} << 31;
    const auto merge = [&] {
      std::lock_guard lock(merging);
      for (size_t i = 0; i < size; ++i) total[i] += int64_t{first[i]} + (second.empty() ? 0 : second[i]);
    };
    for (int64_t y = begin; y < end; ++y) {
      if ((room -= gray.width) < 0) {
        merge();
        std::fill(first.begin(), first.end(), 0u);
        std::fill(second.begin(), second.end(), 0u);
        room = (int64_t{1} << 31) - gray.width;
      }
      const T* values = rows(y);
      const uint8_t* chosen = mask ? mask.row(y) : nullptr;
      int64_t x = 0;
      if (chosen != nullptr) {
        for (; x < gray.width; ++x)
          if (chosen[x] != 0) ++one[bin(values[x])];
        continue;
      }
      for (; x + 2 <= gray.width; x += 2) {
        ++one[bin(values[x])];
        ++two[bin(values[x + 1])];
      }
      if (x < gray.width) ++one[bin(values[x])];
    }
    merge();
  });
  return total;
}

// What lies between the smallest and the largest value, of which bin 0 is `low`, without the gaps that all differences
// have in common, and a bin beyond either end where the type has one.
template <class T>
void compact(ValueCounts& result, int64_t low) {
  std::vector<int64_t>& counts = result.counts;
  const auto some = [](int64_t n) { return n > 0; };
  const auto first = std::find_if(counts.begin(), counts.end(), some) - counts.begin();
  const auto last = counts.rend() - std::find_if(counts.rbegin(), counts.rend(), some) - 1;
  if (last < 0) {
    result.counts = {0};
    result.first = 0;
    return;
  }
  int64_t step = 0;
  for (ptrdiff_t i = first; i <= last && step != 1; ++i)
    if (counts[static_cast<size_t>(i)] > 0) step = std::gcd(step, int64_t{i - first});
  step = std::max<int64_t>(step, 1);
  const int64_t smallest = low + first, largest = low + last;
  const bool before = smallest - step >= std::numeric_limits<T>::lowest();
  const bool after = largest + step <= std::numeric_limits<T>::max();
  std::vector<int64_t> dense(static_cast<size_t>((last - first) / step + 1 + before + after));
  for (ptrdiff_t i = first; i <= last; i += step)
    dense[static_cast<size_t>((i - first) / step + before)] = counts[static_cast<size_t>(i)];
  counts = std::move(dense);
  result.first = static_cast<double>(smallest - (before ? step : 0));
  result.step = static_cast<double>(step);
}

}  // namespace

double ValueCounts::limit(double bin) const {
  if (whole) return first + bin * step;
  return first + (bin < 0 ? bin - 1 : std::floor(bin)) * step;  // the smallest value is in bin 0, too
}

template <class T>
ValueCounts count_values(ImageView<const T> gray, ImageView<const uint8_t> mask, int64_t bins) {
  require_gray_and_mask(gray, mask ? mask : ImageView<const uint8_t>{nullptr, gray.height, gray.width}, "mask");
  if (bins != 0 && (bins < 2 || bins > kMostBins))
    throw std::invalid_argument("nbins must be from 2 to " + std::to_string(kMostBins) + ", got " +
                                std::to_string(bins));
  ValueCounts result;
  if constexpr (std::is_same_v<T, uint8_t>)
    if (bins == 0) {
      const Histogram counts = histogram(gray, mask);
      result.counts.assign(counts.begin(), counts.end());
      result.mean = mean_limit(result.counts);
      return result;
    }
  if constexpr (sizeof(T) == 2)
    if (bins == 0) {
      constexpr int64_t low = std::numeric_limits<T>::min();
      result.counts = count_by(gray, mask, 1 << 16, [](T value) { return static_cast<size_t>(value - low); });
      compact<T>(result, low);
      result.mean = result.limit(mean_limit(result.counts));
      return result;
    }
  const Extremes<T> ends = extremes(gray, mask);
  if (ends.count == 0) {
    result.counts = {0};
    return result;
  }
  if constexpr (std::is_integral_v<T>) {
    const auto low = static_cast<int64_t>(ends.low), high = static_cast<int64_t>(ends.high), range = high - low;
    if (bins == 0) {
      if (range >= kMostBins)
        throw std::invalid_argument("nbins must be given for gray from " + std::to_string(low) + " to " +
                                    std::to_string(high) + ", more than " + std::to_string(kMostBins) + " values");
      // Within, even if the picture has changed meanwhile.
      result.counts = count_by(gray, mask, range + 1, [=](T value) {
        return static_cast<size_t>(std::clamp<int64_t>(value - low, 0, range));
      });
      compact<T>(result, low);
      result.mean = result.limit(mean_limit(result.counts));
      return result;
    }
  } else if (bins == 0) {
    bins = 256;
    if (ends.low >= 0 && ends.high <= 1) {
      if constexpr (std::is_same_v<T, float>) {
        const Histogram counts = histogram(gray, mask);
        result.counts.assign(counts.begin(), counts.end());
      } else {
        result.counts = count_by(gray, mask, bins, [](T value) {
          const double place = 256 * value;  // exact: a power of two
          const auto below = static_cast<int32_t>(place);
          return static_cast<size_t>(std::clamp(below - (below == place), 0, 255));
        });
      }
      result.first = result.step = 1.0 / 256;
      result.whole = false;
      result.mean = ends.sum / static_cast<double>(ends.count);
      return result;
    }
  }
  result.whole = false;
  const auto low = static_cast<double>(ends.low), high = static_cast<double>(ends.high);
  if (low == high) {
    result.counts = {ends.count};
    result.first = result.mean = low;
    return result;
  }
  // Divided first: the difference of the largest doubles has no finite value.
  const double width = high / static_cast<double>(bins) - low / static_cast<double>(bins), scale = 1 / width;
  const auto top = static_cast<int32_t>(bins) - 1;
  result.counts = count_by(gray, mask, bins, [=](T value) {
    const double place = std::min((static_cast<double>(value) - low) * scale, static_cast<double>(top) + 1);
    const auto below = static_cast<int32_t>(place);
    return static_cast<size_t>(std::clamp(below - (below == place), 0, top));
  });
  result.first = low + width;
  result.step = width;
  result.mean = ends.sum / static_cast<double>(ends.count);
  return result;
}

#define ALPHACUT_FOR(T) template ValueCounts count_values<T>(ImageView<const T>, ImageView<const uint8_t>, int64_t);
ALPHACUT_FOR_EACH_DEPTH(ALPHACUT_FOR)
#undef ALPHACUT_FOR

}  // namespace alphacut
