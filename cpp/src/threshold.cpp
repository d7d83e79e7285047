#include "alphacut/threshold.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <mutex>
#include <string>

#include "alphacut/parallel.hpp"
#include "gray_rows.hpp"

namespace alphacut {
namespace {

constexpr int64_t kManyPixels = 1 << 16;  // from here on the larger tables of PairCounts pay
constexpr int64_t kPiece = 1 << 12;       // pixels of a row that are counted at a time
constexpr int64_t kRoom = 1 << 30;        // pixels for which 32 bits to a count are enough

// Whether the rows follow each other without a gap, so that many can be taken for one.
template <class T>
bool gapless(ImageView<T> view) {
  return view.channels == 1 && view.stride == view.width * static_cast<int64_t>(sizeof(T));
}

// Calls body(values, n, first row) for pieces of whole rows of `gray`, on several threads. `result` gets them.
template <class T, class U, class Body>
void for_each_rows(ImageView<const T> gray, ImageView<U> result, bool any, Body body) {
  require_gray_and_mask(gray, result, "mask");
  const bool joined = gapless(gray) && gapless(result);
  parallel_for(gray.height, row_grain(gray.width), [&](int64_t begin, int64_t end) {
    GrayRows<T> rows(gray, any);
    const int64_t step = joined ? end - begin : 1;
    for (int64_t y = begin; y < end; y += step) body(rows(y, step), static_cast<size_t>(step * gray.width), y);
  });
}

template <class T>
void threshold_rows(ImageView<const T> gray, T limit, ImageView<uint8_t> mask,
                    void (*kernel)(const T*, size_t, T, uint8_t*)) {
  for_each_rows(gray, mask, false,
                [&](const T* values, size_t n, int64_t y) { kernel(values, n, limit, mask.row(y)); });
}

void above(const uint8_t* values, size_t n, uint8_t limit, uint8_t* mask) {
  kernels().threshold.above_u8(values, n, limit, mask);
}
void above(const uint16_t* values, size_t n, uint16_t limit, uint8_t* mask) {
  kernels().threshold.above_u16(values, n, limit, mask);
}
void above(const int16_t* values, size_t n, int16_t limit, uint8_t* mask) {
  kernels().threshold.above_i16(values, n, limit, mask);
}
void above(const int32_t* values, size_t n, int32_t limit, uint8_t* mask) {
  kernels().threshold.above_i32(values, n, limit, mask);
}
void above(const float* values, size_t n, float limit, uint8_t* mask) {
  kernels().threshold.above_f32(values, n, limit, mask);
}
void above(const double* values, size_t n, double limit, uint8_t* mask) {
  kernels().threshold.above_f64(values, n, limit, mask);
}

// The limit as a value of the picture: values are above the one exactly if they are above the other. Of whole numbers
// there may be none, below all values: then `below` is set.
template <class T>
struct LimitOf {
  T value;
  bool below = false;

  explicit LimitOf(double limit) {
    if (limit != limit) throw std::invalid_argument("the limit must not be NaN");
    if constexpr (std::is_integral_v<T>) {
      using Range = std::numeric_limits<T>;
      const double whole = std::floor(limit);
      below = whole < Range::min();
      value = below ? Range::min() : whole > Range::max() ? Range::max() : static_cast<T>(whole);
    } else {
      value = static_cast<T>(limit);
    }
  }
};

uint64_t load_eight(const uint8_t* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}
uint16_t load_two(const uint8_t* bytes) {
  uint16_t pair;
  std::memcpy(&pair, bytes, sizeof pair);
  return pair;
}

// Reading in several places at once escapes the processor's own guesses at what comes next.
void prefetch([[maybe_unused]] const uint8_t* bytes) {
#if defined(__GNUC__)
  __builtin_prefetch(bytes);
#endif
}

// Four histograms in turn: a count need not wait for the one before where neighbours are alike.
class ByteCounts {
 public:
  void add(const uint8_t* bins, int64_t n) {
    int64_t x = 0;
    for (; x + 8 <= n; x += 8) {
      const uint64_t eight = load_eight(bins + x);
      for (size_t i = 0; i < 8; ++i) ++counts_[i % 4][static_cast<uint8_t>(eight >> (8 * i))];
    }
    for (; x < n; ++x) ++counts_[0][bins[x]];
  }
  void add(const uint8_t* bins, const uint8_t* mask, int64_t n) {
    for (int64_t x = 0; x < n; ++x) counts_[static_cast<size_t>(x) % 4][bins[x]] += mask[x] != 0;
  }
  void add_to(Histogram& total) const {
    for (size_t i = 0; i < total.size(); ++i) total[i] += counts_[0][i] + counts_[1][i] + counts_[2][i] + counts_[3][i];
  }

 private:
  std::array<std::array<uint32_t, 256>, 4> counts_{};
};

// Counts pairs of neighbours, which halves the counting: one store for two pixels. Of the 256 KB of counts a natural
// picture touches the small part where neighbours are alike; noise, which touches all, is left to ByteCounts.
class PairCounts {
 public:
  PairCounts() : pairs_(size_t{1} << 16) {}
  void add(const uint8_t* bins, int64_t n) {
    const int64_t part = n / 64 * 8;
    if (part == 0) return rest_.add(bins, n);
    if ((ahead_ -= n) < 0) {
      way_ = way_for(bins, part);
      ahead_ = kPiece;
    }
    if (way_ == Way::bytes) return rest_.add(bins, n);
    const int64_t counted = way_ == Way::runs ? add_runs(bins, n) : add_parts(bins, part);
    rest_.add(bins + counted, n - counted);
  }
  void add_to(Histogram& total) const {
    rest_.add_to(total);
    std::array<uint32_t, 256> lows{}, highs;
    for (size_t high = 0; high < 256; high += 4)
      kernels().threshold.fold_four(pairs_.data() + 256 * high, 256, lows.data(), highs.data() + high);
    for (size_t i = 0; i < 256; ++i) total[i] += lows[i] + highs[i];
  }

 private:
  enum class Way { parts, runs, bytes };

  // By 24 samples. Where parts are alike, or bytes have few values, counts would wait for each other.
  static Way way_for(const uint8_t* bins, int64_t part) {
    int alike = 0, far = 0, equal = 0;
    for (int64_t i = 0; i < 8; ++i)
      for (int64_t j = 0; j < 6; j += 2) {
        const uint8_t* one = bins + j * part + i * (part - 8) / 7;
        const uint64_t eight = load_eight(one);
        alike += (eight == load_eight(one + part)) + (eight == load_eight(one + 2 * part));
        far += std::abs(one[0] - one[1]) > 16;
        equal += one[0] == one[1];
      }
    return alike > 1 ? Way::runs : far > 9 && equal < 2 ? Way::bytes : Way::parts;
  }
  // Eight parts side by side: a count need not wait for the one before where neighbours are alike.
  int64_t add_parts(const uint8_t* bins, int64_t part) {
    uint32_t* pairs = pairs_.data();
    for (int64_t i = 0; i < part; i += 8) {
      prefetch(bins + 8 * (part + i));  // of the piece that follows, if it does
      for (int64_t k = i; k < i + 8; k += 2)
        for (int64_t j = 0; j < 8; ++j) ++pairs[load_two(bins + j * part + k)];
    }
    return 8 * part;
  }
  // Runs of eight alike pixels at once.
  int64_t add_runs(const uint8_t* bins, int64_t n) {
    uint64_t run = 0;
    uint32_t length = 0;
    int64_t x = 0;
    for (; x + 8 <= n; x += 8) {
      const uint64_t eight = load_eight(bins + x);
      if (eight == run) {
        ++length;
        continue;
      }
      add_run(run, length);
      run = eight;
      length = 1;
    }
    add_run(run, length);
    return x;
  }
  void add_run(uint64_t eight, uint32_t length) {
    for (int shift = 0; shift < 64; shift += 16) pairs_[static_cast<uint16_t>(eight >> shift)] += length;
  }

  std::vector<uint32_t> pairs_;
  ByteCounts rest_;
  Way way_ = Way::parts;
  int64_t ahead_ = 0;  // pixels to count in the same way
};

// The bins of some rows: the luma, or the bins of a row of floats, for which `buffer` has room.
const uint8_t* bins_of(GrayRows<uint8_t>& rows, int64_t y, int64_t count, std::vector<uint8_t>&) {
  return rows(y, count);
}
const uint8_t* bins_of(GrayRows<float>& rows, int64_t y, int64_t, std::vector<uint8_t>& buffer) {
  kernels().threshold.bins_f32(rows(y), buffer.size(), buffer.data());
  return buffer.data();
}

// Calls add(counts, bins, y, x, n) for the bins of all pieces of rows, several threads taking them in turn with a
// `Counts` each, and adds these up: whole numbers, so the order does not matter. Rows that are `joined`, of bytes, are
// taken for one. `kept` gets the bins if it has data.
template <class Counts, class T, class Add>
Histogram count_pieces(ImageView<const T> gray, bool joined, ImageView<uint8_t> kept, Add add) {
  const int64_t grain = row_grain(gray.width);
  Histogram total{};
  std::mutex merging;
  std::atomic<int64_t> next{0};
  parallel_for(std::min<int64_t>(num_threads(), (gray.height - 1) / grain + 1), 1, [&](int64_t, int64_t) {
    int64_t begin = next.fetch_add(grain);
    if (begin >= gray.height) return;
    Counts counts;
    int64_t room = kRoom;
    GrayRows<T> rows(gray);
    std::vector<uint8_t> buffer(std::is_same_v<T, float> ? static_cast<size_t>(gray.width) : 0);
    const auto merge = [&] {
      std::lock_guard lock(merging);
      counts.add_to(total);
    };
    for (; begin < gray.height; begin = next.fetch_add(grain)) {
      const int64_t end = std::min(begin + grain, gray.height), step = joined ? end - begin : 1;
      for (int64_t y = begin; y < end; y += step) {
        const uint8_t* bins = bins_of(rows, y, step, buffer);
        for (int64_t x = 0; x < step * gray.width; x += kPiece) {
          const int64_t n = std::min(kPiece, step * gray.width - x);
          if ((room -= n) < 0) {
            merge();
            counts = Counts();
            room = kRoom - n;
          }
          add(counts, bins + x, y, x, n);
        }
        if (kept.data != nullptr) std::copy_n(bins, gray.width, kept.row(y));
      }
    }
    merge();
  });
  return total;
}

template <class T>
Histogram count(ImageView<const T> gray, ImageView<const uint8_t> mask, ImageView<uint8_t> kept) {
  const bool joined = std::is_same_v<T, uint8_t> && gapless(gray) && (mask.data == nullptr || gapless(mask));
  if (mask.data != nullptr)
    return count_pieces<ByteCounts>(gray, joined, kept,
                                    [&](ByteCounts& counts, const uint8_t* bins, int64_t y, int64_t x, int64_t n) {
                                      counts.add(bins, mask.row(y) + x, n);
                                    });
  const auto add = [](auto& counts, const uint8_t* bins, int64_t, int64_t, int64_t n) { counts.add(bins, n); };
  if (gray.pixels() < kManyPixels) return count_pieces<ByteCounts>(gray, joined, kept, add);
  return count_pieces<PairCounts>(gray, joined, kept, add);
}

template <class T>
Histogram checked_histogram(ImageView<const T> gray, ImageView<const uint8_t> mask) {
  require_gray_and_mask(gray, mask.data != nullptr ? mask : ImageView<const uint8_t>{nullptr, gray.height, gray.width},
                        "mask");
  return count(gray, mask, {});
}

template <class T>
double threshold_found(ImageView<const T> gray, FindLimit find, ImageView<uint8_t> mask) {
  require_gray_and_mask(gray, mask, "mask");
  const bool bytes = std::is_same_v<T, uint8_t>, keep = !bytes || gray.channels == 3;
  const double limit = find(count(gray, {}, keep ? mask : ImageView<uint8_t>{}));
  const int bin = static_cast<int>(std::floor(limit));
  if constexpr (std::is_same_v<T, uint8_t>)
    if (!keep) {
      threshold(gray, bin, mask);
      return limit;
    }
  threshold(mask, bin, mask);
  return limit;
}

}  // namespace

void threshold(ImageView<const uint8_t> gray, int limit, ImageView<uint8_t> mask) {
  if (limit >= 0)
    return threshold_rows(gray, static_cast<uint8_t>(std::min(limit, 255)), mask, kernels().threshold.above_u8);
  require_gray_and_mask(gray, mask, "mask");
  for (int64_t y = 0; y < mask.height; ++y) std::fill_n(mask.row(y), mask.width, uint8_t{255});
}
void threshold(ImageView<const float> gray, float limit, ImageView<uint8_t> mask) {
  if (limit != limit) throw std::invalid_argument("threshold: limit is not a number");
  threshold_rows(gray, limit, mask, kernels().threshold.above_f32);
}

double threshold(ImageView<const uint8_t> gray, FindLimit find, ImageView<uint8_t> mask) {
  return threshold_found(gray, find, mask);
}
double threshold(ImageView<const float> gray, FindLimit find, ImageView<uint8_t> mask) {
  return threshold_found(gray, find, mask);
}

template <class T>
void threshold(ImageView<const T> gray, double limit, uint8_t inside, uint8_t outside, ImageView<uint8_t> mask) {
  const LimitOf<T> bound(limit);
  const uint8_t keep = inside ^ outside, flip = outside;
  for_each_rows(gray, mask, true, [&](const T* values, size_t n, int64_t y) {
    uint8_t* row = mask.row(y);
    constexpr size_t piece = 1 << 13;  // still in the cache when it is looked at again
    for (size_t x = 0; x < n; x += piece) {
      const size_t end = std::min(n, x + piece);
      if (bound.below)
        std::fill(row + x, row + end, uint8_t{255});
      else
        above(values + x, end - x, bound.value, row + x);
      if (keep == 255 && flip == 0) continue;
      for (size_t i = x; i < end; ++i) row[i] = (row[i] & keep) ^ flip;
    }
  });
}

template <class T>
void threshold(ImageView<const T> gray, double limit, Kept kept, ImageView<T> result) {
  const LimitOf<T> bound(limit);
  const T value = bound.value, nothing = 0;
  for_each_rows(gray, result, true, [&](const T* values, size_t n, int64_t y) {
    T* row = result.row(y);
    if (kept == Kept::truncated)
      for (size_t x = 0; x < n; ++x) row[x] = std::min(values[x], value);
    else if (bound.below)
      for (size_t x = 0; x < n; ++x) row[x] = kept == Kept::above ? values[x] : nothing;
    else if (kept == Kept::above)
      for (size_t x = 0; x < n; ++x) row[x] = values[x] > value ? values[x] : nothing;
    else
      for (size_t x = 0; x < n; ++x) row[x] = values[x] > value ? nothing : values[x];
  });
}

#define ALPHACUT_FOR(T)                                                                         \
  template void threshold<T>(ImageView<const T>, double, uint8_t, uint8_t, ImageView<uint8_t>); \
  template void threshold<T>(ImageView<const T>, double, Kept, ImageView<T>);
ALPHACUT_FOR_EACH_DEPTH(ALPHACUT_FOR)
#undef ALPHACUT_FOR

Histogram histogram(ImageView<const uint8_t> gray, ImageView<const uint8_t> mask) {
  return checked_histogram(gray, mask);
}
Histogram histogram(ImageView<const float> gray, ImageView<const uint8_t> mask) {
  return checked_histogram(gray, mask);
}

}  // namespace alphacut
