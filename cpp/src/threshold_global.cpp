// Limits from a histogram. Plain double arithmetic in a fixed order: the same limit everywhere.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "alphacut/threshold.hpp"
#include "dispatch.hpp"
#include "math.hpp"

namespace alphacut {
namespace {

int64_t total_of(const Histogram& counts) { return std::accumulate(counts.begin(), counts.end(), int64_t{0}); }

int first_bin(const Histogram& counts) {
  return static_cast<int>(std::find_if(counts.begin(), counts.end(), [](int64_t n) { return n > 0; }) - counts.begin());
}
int last_bin(const Histogram& counts) {
  return 255 - static_cast<int>(std::find_if(counts.rbegin(), counts.rend(), [](int64_t n) { return n > 0; }) -
                                counts.rbegin());
}

// Otsu's limit by OpenCV's steps, whose order and roundings decide ties, and which leave out classes that are too
// small.
int otsu_by_steps(const Histogram& counts, int64_t total) {
  const double scale = 1.0 / static_cast<double>(total);
  const double small = std::numeric_limits<float>::epsilon();
  double mean = 0;
  for (int i = 0; i < 256; ++i) mean += i * static_cast<double>(counts[static_cast<size_t>(i)]);
  mean *= scale;
  double weight = 0, mean_below = 0, best = 0;
  int limit = 0;
  for (int i = 0; i < 256; ++i) {
    const double share = static_cast<double>(counts[static_cast<size_t>(i)]) * scale;
    mean_below *= weight;
    weight += share;
    const double rest = 1.0 - weight;
    if (std::min(weight, rest) < small || std::max(weight, rest) > 1.0 - small) continue;
    mean_below = (mean_below + i * share) / weight;
    const double mean_above = (mean - weight * mean_below) / rest;
    const double variance = weight * rest * (mean_below - mean_above) * (mean_below - mean_above);
    if (variance > best) {
      best = variance;
      limit = i;
    }
  }
  return limit;
}

// The limit that otsu_by_steps finds, or -1 if that hangs on its roundings. Its 256 divisions wait for each other;
// these do not. For pictures of up to 2^22 pixels, so that no class of one pixel or more is too small for it.
//
// A variance of the steps is off by less than 4e-8. With u = 2^-53: `weight` is off by at most 260 u of itself, `rest`
// by 261 u, the sum of the values below by 775 u of itself, that of the values above by 255 * 780 u; so the difference
// of the means by 255 * 2090 u / rest, and weight * rest * difference² by 255² u (2 * 2090 + 261 + 100).
int otsu_beyond_doubt(const Histogram& counts, int32_t total) {
  std::array<int32_t, 256> below, sum;
  int32_t n = 0, s = 0;
  for (int32_t i = 0; i < 256; ++i) {
    const auto count = static_cast<int32_t>(counts[static_cast<size_t>(i)]);
    below[static_cast<size_t>(i)] = n += count;
    sum[static_cast<size_t>(i)] = s += i * count;
  }
  std::array<double, 256> variance;  // times total²
  kernels().threshold.between(below.data(), sum.data(), below.size(), n, s, variance.data());
  std::array<double, 32> best{};
  for (size_t i = 0; i < 256; i += best.size())
    for (size_t j = 0; j < best.size(); ++j) best[j] = std::max(best[j], variance[i + j]);
  const double doubt = 1e-6 * total * total, least = *std::max_element(best.begin(), best.end()) - doubt;
  const auto near = [least](double v) { return v >= least; };
  const auto limit = std::find_if(variance.begin(), variance.end(), near);
  const bool alone = std::none_of(limit + 1, variance.end(), near);
  return alone ? static_cast<int>(limit - variance.begin()) : -1;
}

}  // namespace

int otsu_limit(const Histogram& counts) {
  const int64_t total = total_of(counts);
  if (total == 0) return 0;
  const int limit = total <= 1 << 22 ? otsu_beyond_doubt(counts, static_cast<int32_t>(total)) : -1;
  return limit >= 0 ? limit : otsu_by_steps(counts, total);
}

int triangle_limit(const Histogram& counts) {
  if (total_of(counts) == 0) return 0;
  // One bin beyond either end of the data, where the histogram is empty.
  int left = std::max(first_bin(counts) - 1, 0), right = std::min(last_bin(counts) + 1, 255);
  int peak = static_cast<int>(std::max_element(counts.begin(), counts.end()) - counts.begin());
  Histogram h = counts;
  const bool flipped = peak - left < right - peak;  // the long slope to the left of the peak
  if (flipped) {
    std::reverse(h.begin(), h.end());
    left = 255 - right;
    peak = 255 - peak;
  }
  // The bin farthest below the line from (left, 0) to the peak; the distance is scaled, whole numbers in double.
  const double a = static_cast<double>(h[static_cast<size_t>(peak)]), b = left - peak;
  double farthest = 0;
  int limit = left;
  for (int i = left + 1; i <= peak; ++i) {
    const double distance = a * i + b * static_cast<double>(h[static_cast<size_t>(i)]);
    if (distance > farthest) {
      farthest = distance;
      limit = i;
    }
  }
  --limit;
  return flipped ? 255 - limit : limit;
}

int li_limit(const Histogram& counts) {
  if (total_of(counts) == 0) return 0;
  // Bins are counted from the darkest one, so that the logarithms of the means exist.
  const int first = first_bin(counts), range = last_bin(counts) - first;
  std::array<int64_t, 257> n{}, sum{};  // of the bins below an index
  for (size_t i = 0; i <= static_cast<size_t>(range); ++i) {
    const int64_t count = counts[static_cast<size_t>(first) + i];
    n[i + 1] = n[i] + count;
    sum[i + 1] = sum[i] + static_cast<int64_t>(i) * count;
  }
  const auto top = static_cast<size_t>(range) + 1;
  const auto mean = [&](size_t begin, size_t end) {
    return static_cast<double>(sum[end] - sum[begin]) / static_cast<double>(n[end] - n[begin]);
  };
  int limit = static_cast<int>(mean(0, top));
  for (int round = 0; round < 256 && limit < range; ++round) {  // the limit always has pixels on either side
    const double below = mean(0, static_cast<size_t>(limit) + 1), above = mean(static_cast<size_t>(limit) + 1, top);
    if (below == 0) break;  // only the darkest colour is left below: the next limit is 0 in the limit
    const int next = static_cast<int>((above - below) / (log_exact(above) - log_exact(below)));
    if (next == limit) break;
    limit = next;
  }
  return first + limit;
}

std::vector<int> multi_otsu_limits(const Histogram& counts, int classes) {
  if (classes < 2 || classes > 256)
    throw std::invalid_argument("classes must be from 2 to 256, got " + std::to_string(classes));
  if (total_of(counts) == 0) return std::vector<int>(static_cast<size_t>(classes) - 1, 0);
  std::array<double, 257> n{}, sum{};  // whole numbers
  for (size_t i = 0; i < 256; ++i) {
    n[i + 1] = n[i] + static_cast<double>(counts[i]);
    sum[i + 1] = sum[i] + static_cast<double>(static_cast<int64_t>(i) * counts[i]);
  }
  // The variance between classes grows with the sum over the classes of (sum of values)² / count.
  const auto term = [&](size_t begin, size_t end) {
    double value;
    kernels().threshold.terms(&sum[end], &n[end], 1, sum[begin], n[begin], &value);
    return value;
  };
  const auto k = static_cast<size_t>(classes);
  std::vector<std::array<double, 257>> best(k);  // best[c][end]: of c + 1 classes that end there
  for (auto& row : best) row.fill(-1);
  std::array<double, 257> terms{};
  for (size_t begin = 0; begin < 256; ++begin) {
    const size_t next = begin + 1;
    kernels().threshold.terms(&sum[next], &n[next], 256 - begin, sum[begin], n[begin], &terms[next]);
    if (begin == 0) best[0] = terms;
    for (size_t c = 1; c < k && c <= begin; ++c) {
      const size_t end = c + 1 < k ? next : 256;  // the last class has one end only
      kernels().threshold.raise(&terms[end], 257 - end, best[c - 1][begin], &best[c][end]);
    }
  }
  std::vector<int> limits(k - 1);
  size_t end = 256;
  for (size_t c = k - 1; c > 0; --c) {
    size_t begin = c;  // the first of the best
    while (best[c - 1][begin] + term(begin, end) != best[c][end]) ++begin;
    end = begin;
    limits[c - 1] = static_cast<int>(end) - 1;
  }
  return limits;
}

}  // namespace alphacut
