#include "alphacut/threshold.hpp"

#include <algorithm>
#include <mutex>
#include <string>

#include "alphacut/parallel.hpp"
#include "gray_rows.hpp"

namespace alphacut {
namespace {

template <class T>
void threshold_rows(ImageView<const T> gray, T limit, ImageView<uint8_t> mask,
                    void (*kernel)(const T*, size_t, T, uint8_t*)) {
  require_gray_and_mask(gray, mask, "mask");
  parallel_for(gray.height, row_grain(gray.width), [&](int64_t begin, int64_t end) {
    GrayRows<T> row(gray);
    for (int64_t y = begin; y < end; ++y) kernel(row(y), static_cast<size_t>(gray.width), limit, mask.row(y));
  });
}

// Four histograms in turn: a count need not wait for the one before where neighbours are alike.
using Interleaved = std::array<Histogram, 4>;

void count_row(const uint8_t* bins, int64_t width, Interleaved& counts) {
  int64_t x = 0;
  for (; x + 4 <= width; x += 4)
    for (size_t i = 0; i < 4; ++i) ++counts[i][bins[x + static_cast<int64_t>(i)]];
  for (; x < width; ++x) ++counts[0][bins[x]];
}

void count_row(const uint8_t* bins, const uint8_t* mask, int64_t width, Interleaved& counts) {
  for (int64_t x = 0; x < width; ++x) counts[static_cast<size_t>(x) % 4][bins[x]] += mask[x] != 0;
}

template <class T>
Histogram count(ImageView<const T> gray, ImageView<const uint8_t> mask) {
  require_gray_and_mask(gray, mask.data != nullptr ? mask : ImageView<const uint8_t>{nullptr, gray.height, gray.width},
                        "mask");
  Histogram total{};
  std::mutex merging;  // whole numbers: the order does not matter
  parallel_for(gray.height, row_grain(gray.width, 1 << 18), [&](int64_t begin, int64_t end) {
    GrayRows<T> row(gray);
    Interleaved counts{};
    std::vector<uint8_t> bins(std::is_same_v<T, float> ? static_cast<size_t>(gray.width) : 0);
    for (int64_t y = begin; y < end; ++y) {
      const uint8_t* values;
      if constexpr (std::is_same_v<T, float>) {
        kernels().threshold.bins_f32(row(y), bins.size(), bins.data());
        values = bins.data();
      } else {
        values = row(y);
      }
      if (mask.data != nullptr)
        count_row(values, mask.row(y), gray.width, counts);
      else
        count_row(values, gray.width, counts);
    }
    std::lock_guard lock(merging);
    for (size_t i = 0; i < total.size(); ++i) total[i] += counts[0][i] + counts[1][i] + counts[2][i] + counts[3][i];
  });
  return total;
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

Histogram histogram(ImageView<const uint8_t> gray, ImageView<const uint8_t> mask) { return count(gray, mask); }
Histogram histogram(ImageView<const float> gray, ImageView<const uint8_t> mask) { return count(gray, mask); }

}  // namespace alphacut
