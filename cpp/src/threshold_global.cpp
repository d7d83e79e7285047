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

int64_t total_of(Counts counts) { return std::accumulate(counts.begin(), counts.end(), int64_t{0}); }

// The first and the last bin with a pixel; there must be one.
struct Ends {
  size_t first, last;
  explicit Ends(Counts counts) {
    const auto some = [](int64_t n) { return n > 0; };
    first = static_cast<size_t>(std::find_if(counts.begin(), counts.end(), some) - counts.begin());
    last = static_cast<size_t>(counts.rend() - std::find_if(counts.rbegin(), counts.rend(), some)) - 1;
  }
};

// Pixels and the sum of their bins below each bin.
struct Sums {
  std::vector<double> n, sum;  // whole numbers
  explicit Sums(Counts counts) : n(counts.size() + 1), sum(counts.size() + 1) {
    for (size_t i = 0; i < counts.size(); ++i) {
      n[i + 1] = n[i] + static_cast<double>(counts[i]);
      sum[i + 1] = sum[i] + static_cast<double>(static_cast<int64_t>(i) * counts[i]);
    }
  }
  double mean(size_t begin, size_t end) const { return (sum[end] - sum[begin]) / (n[end] - n[begin]); }
};

// The bin t from the first to the last but one whose score(t) is largest, the first of equals; the colour if there is
// one.
template <class Score>
double best_limit(Counts counts, Score score) {
  const Ends ends(counts);
  double best = -std::numeric_limits<double>::infinity();
  size_t limit = ends.first;
  for (size_t i = ends.first; i < ends.last; ++i)
    if (const double value = score(i); value > best) {
      best = value;
      limit = i;
    }
  return static_cast<double>(limit);
}

// Otsu's limit by OpenCV's steps, whose order and roundings decide ties, and which leave out classes that are too
// small.
int otsu_by_steps(Counts counts, int64_t total) {
  const double scale = 1.0 / static_cast<double>(total);
  const double small = std::numeric_limits<float>::epsilon();
  const Ends ends(counts);
  double mean = 0;
  for (size_t i = ends.first; i <= ends.last; ++i) mean += static_cast<double>(i) * static_cast<double>(counts[i]);
  mean *= scale;
  double weight = 0, mean_below = 0, best = 0;
  int limit = 0;
  for (size_t i = ends.first; i <= ends.last; ++i) {
    const double share = static_cast<double>(counts[i]) * scale;
    mean_below *= weight;
    weight += share;
    const double rest = 1.0 - weight;
    if (std::min(weight, rest) < small || std::max(weight, rest) > 1.0 - small) continue;
    mean_below = (mean_below + static_cast<double>(i) * share) / weight;
    const double mean_above = (mean - weight * mean_below) / rest;
    const double variance = weight * rest * (mean_below - mean_above) * (mean_below - mean_above);
    if (variance > best) {
      best = variance;
      limit = static_cast<int>(i);
    }
  }
  return limit;
}

// The limit that otsu_by_steps finds, or -1 if that hangs on its roundings. Its 256 divisions wait for each other;
// these do not. For 256 bins of up to 2^22 pixels, so that no class of one pixel or more is too small for it.
//
// A variance of the steps is off by less than 4e-8. With u = 2^-53: `weight` is off by at most 260 u of itself, `rest`
// by 261 u, the sum of the values below by 775 u of itself, that of the values above by 255 * 780 u; so the difference
// of the means by 255 * 2090 u / rest, and weight * rest * difference² by 255² u (2 * 2090 + 261 + 100).
int otsu_beyond_doubt(Counts counts, int32_t total) {
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

double otsu_limit(Counts counts) {
  const int64_t total = total_of(counts);
  if (total == 0) return 0;
  const bool few = counts.size() == 256 && total <= 1 << 22;
  const int limit = few ? otsu_beyond_doubt(counts, static_cast<int32_t>(total)) : -1;
  return limit >= 0 ? limit : otsu_by_steps(counts, total);
}

double triangle_limit(Counts counts) {
  if (total_of(counts) == 0) return 0;
  // One bin beyond either end of the data, where the histogram is empty.
  const Ends ends(counts);
  const auto top = static_cast<int>(counts.size()) - 1;
  int left = std::max(static_cast<int>(ends.first) - 1, 0), right = std::min(static_cast<int>(ends.last) + 1, top);
  int peak = static_cast<int>(std::max_element(counts.begin(), counts.end()) - counts.begin());
  std::vector<int64_t> h(counts.begin(), counts.end());
  const bool flipped = peak - left < right - peak;  // the long slope to the left of the peak
  if (flipped) {
    std::reverse(h.begin(), h.end());
    left = top - right;
    peak = top - peak;
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
  return flipped ? top - limit : limit;
}

double li_limit(Counts counts) {
  if (total_of(counts) == 0) return 0;
  // Bins are counted from the darkest one, so that the logarithms of the means exist.
  const Ends ends(counts);
  const size_t range = ends.last - ends.first, top = range + 1;
  const Sums sums(counts.subspan(ends.first, top));
  double limit = sums.mean(0, top);
  for (int round = 0; round < 256; ++round) {
    const auto bin = static_cast<size_t>(limit);
    if (bin >= range) break;  // as in a picture of one colour; otherwise there are pixels on either side
    const double below = sums.mean(0, bin + 1), above = sums.mean(bin + 1, top);
    if (below == 0) break;  // only the darkest colour is left below: the next limit is 0 in the limit
    limit = (above - below) / (log_exact(above) - log_exact(below));
    if (static_cast<size_t>(limit) == bin) break;
  }
  return static_cast<double>(ends.first) + limit;
}

double isodata_limit(Counts counts) {
  if (total_of(counts) == 0) return 0;
  const Ends ends(counts);
  const Sums sums(counts);
  for (size_t i = ends.first; i < ends.last; ++i) {
    const double middle = (sums.mean(0, i + 1) + sums.mean(i + 1, counts.size())) / 2;
    if (middle >= static_cast<double>(i) && middle < static_cast<double>(i + 1)) return static_cast<double>(i);
  }
  return static_cast<double>(ends.first);
}

double yen_limit(Counts counts) {
  if (total_of(counts) == 0) return 0;
  const Sums sums(counts);
  std::vector<double> squares(counts.size() + 1);
  for (size_t i = 0; i < counts.size(); ++i)
    squares[i + 1] = squares[i] + static_cast<double>(counts[i]) * static_cast<double>(counts[i]);
  const double total = sums.n.back();
  return best_limit(counts, [&](size_t i) {
    const double below = sums.n[i + 1] / total, product = below * (1 - below);
    return product * product / (squares[i + 1] / total * ((squares.back() - squares[i + 1]) / total));
  });
}

double entropy_limit(Counts counts) {
  if (total_of(counts) == 0) return 0;
  const Sums sums(counts);
  std::vector<double> terms(counts.size() + 1);  // n log n, summed up
  for (size_t i = 0; i < counts.size(); ++i) {
    const auto n = static_cast<double>(counts[i]);
    terms[i + 1] = terms[i] + (n > 0 ? n * log_exact(n) : 0);
  }
  return best_limit(counts, [&](size_t i) {
    const double below = sums.n[i + 1], above = sums.n.back() - below;
    return log_exact(below) - terms[i + 1] / below + log_exact(above) - (terms.back() - terms[i + 1]) / above;
  });
}

double mean_limit(Counts counts) { return total_of(counts) == 0 ? 0 : Sums(counts).mean(0, counts.size()); }

double minimum_limit(Counts counts) {
  constexpr int most = 10000;  // rounds
  if (total_of(counts) == 0) return 0;
  const Ends ends(counts);
  const size_t size = ends.last - ends.first + 1;
  std::vector<double> h(size), smooth(size);
  for (size_t i = 0; i < size; ++i) h[i] = static_cast<double>(counts[ends.first + i]);
  std::vector<size_t> peaks;
  for (int round = 0; round < most; ++round) {
    for (size_t i = 0; i < size; ++i) smooth[i] = (h[i - (i > 0)] + h[i] + h[i + (i + 1 < size)]) / 3;
    h.swap(smooth);
    peaks.clear();
    bool rising = true;
    for (size_t i = 0; i + 1 < size && peaks.size() < 3; ++i) {
      if (rising && h[i + 1] < h[i]) peaks.push_back(i);
      if (rising ? h[i + 1] < h[i] : h[i + 1] > h[i]) rising = !rising;
    }
    if (peaks.size() < 3) break;
  }
  if (peaks.size() != 2) throw std::invalid_argument("minimum: the histogram of gray has no two peaks");
  const auto between = h.begin() + static_cast<ptrdiff_t>(peaks[0]);
  const auto lowest = std::min_element(between, h.begin() + static_cast<ptrdiff_t>(peaks[1]) + 1);
  return static_cast<double>(ends.first) + static_cast<double>(lowest - h.begin());
}

namespace {

// Multi-level Otsu over the bins that have pixels. The variance between classes grows with the sum over the classes of
// (sum of values)² / count, and the best begin of a last class never moves back as its end moves on: halving the ends
// finds all begins in n log n steps for each class.
class MultiOtsu {
 public:
  explicit MultiOtsu(Counts counts) {
    for (size_t i = 0; i < counts.size(); ++i)
      if (counts[i] > 0) {
        bins_.push_back(static_cast<int>(i));
        n_.push_back(n_.back() + static_cast<double>(counts[i]));
        sum_.push_back(sum_.back() + static_cast<double>(static_cast<int64_t>(i) * counts[i]));
      }
  }
  size_t values() const { return bins_.size(); }

  std::vector<int> limits(size_t classes) {
    const size_t size = values();
    std::vector<double> before(size + 1), best(size + 1);  // of all classes that end at an index
    for (size_t end = 1; end <= size; ++end) before[end] = term(0, end);
    std::vector<std::vector<size_t>> begins(classes);
    for (size_t c = 1; c < classes; ++c) {
      begins[c].resize(size + 1);
      const bool last = c + 1 == classes;  // it has one end only
      halve(before, best, begins[c], last ? size : c + 1, size, c, size - 1);
      before.swap(best);
    }
    std::vector<int> limits(classes - 1);
    size_t end = size;
    for (size_t c = classes - 1; c > 0; --c) {
      end = begins[c][end];
      limits[c - 1] = bins_[end - 1];
    }
    return limits;
  }

 private:
  double term(size_t begin, size_t end) const {
    const double sum = sum_[end] - sum_[begin];
    return sum * sum / (n_[end] - n_[begin]);
  }
  // The best begins, between low and high, of the ends from `first` to `last`.
  void halve(const std::vector<double>& before, std::vector<double>& best, std::vector<size_t>& begins, size_t first,
             size_t last, size_t low, size_t high) const {
    if (first > last) return;
    const size_t end = first + (last - first) / 2;
    best[end] = -1;
    for (size_t begin = low; begin <= std::min(high, end - 1); ++begin)
      if (const double value = before[begin] + term(begin, end); value > best[end]) {
        best[end] = value;
        begins[end] = begin;
      }
    halve(before, best, begins, first, end - 1, low, begins[end]);
    halve(before, best, begins, end + 1, last, begins[end], high);
  }

  std::vector<int> bins_;
  std::vector<double> n_ = {0}, sum_ = {0};
};

}  // namespace

std::vector<int> multi_otsu_limits(Counts counts, int classes) {
  if (classes < 2 || classes > 256)
    throw std::invalid_argument("classes must be from 2 to 256, got " + std::to_string(classes));
  MultiOtsu otsu(counts);
  if (static_cast<size_t>(classes) > otsu.values())
    throw std::invalid_argument("classes must be at most the number of different values in gray, " +
                                std::to_string(otsu.values()) + ", got " + std::to_string(classes));
  return otsu.limits(static_cast<size_t>(classes));
}

}  // namespace alphacut
