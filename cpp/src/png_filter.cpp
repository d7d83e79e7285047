#include "png_filter.hpp"

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace alphacut {
namespace {

constexpr uint8_t kPaeth = 4;

// `now` and `above` from their second pixel on; the pixels to the left lie before them.
void filter_row(const uint8_t* __restrict now, const uint8_t* __restrict left, const uint8_t* __restrict above,
                const uint8_t* __restrict above_left, int64_t n, uint8_t* __restrict filtered) {
  for (int64_t i = 0; i < n; ++i) {
    const int16_t a = left[i], b = above[i], c = above_left[i];
    const auto to_a = static_cast<int16_t>(b - c), to_b = static_cast<int16_t>(a - c);
    const auto to_c = static_cast<int16_t>(std::abs(to_a + to_b));
    const auto far_a = static_cast<int16_t>(std::abs(to_a)), far_b = static_cast<int16_t>(std::abs(to_b));
    const int16_t b_or_c = far_b <= to_c ? b : c, least = std::min(far_b, to_c);
    const int16_t predicted = far_a <= least ? a : b_or_c;
    filtered[i] = static_cast<uint8_t>(now[i] - predicted);
  }
}

}  // namespace

void paeth_filter(ImageView<const uint8_t> bytes, int64_t begin, int64_t pixel, ImageView<uint8_t> filtered) {
  const int64_t n = bytes.width;
  const std::vector<uint8_t> none(static_cast<size_t>(n), 0);  // what lies above the first row
  for (int64_t y = begin; y < begin + filtered.height; ++y) {
    const uint8_t *now = bytes.row(y), *above = y == 0 ? none.data() : bytes.row(y - 1);
    uint8_t* row = filtered.row(y - begin);
    *row++ = kPaeth;
    for (int64_t i = 0; i < pixel; ++i) row[i] = static_cast<uint8_t>(now[i] - above[i]);
    filter_row(now + pixel, now, above + pixel, above, n - pixel, row + pixel);
  }
}

}  // namespace alphacut
