#include <algorithm>

#include "flow/memory.hpp"
#include "flow/memory_pieces.hpp"
#include "math.hpp"

namespace alphacut {

void ColorMemory::learn(ImageView<const uint8_t> rgb, ImageView<const uint8_t> side, float rate) {
  for (size_t k = 0; k < 2; ++k) {
    std::vector<float> counts(kBins, 0);
    int64_t all = 0;
    for (int64_t y = 0; y < rgb.height; ++y)
      for (int64_t x = 0; x < rgb.width; ++x)
        if (side.row(y)[x] == k) {
          ++counts[bin_of(rgb.row(y) + 3 * x)];
          ++all;
        }
    if (all < kFewest) continue;
    for (const size_t step : {size_t{256}, size_t{16}, size_t{1}}) {  // each colour counts for its neighbours, too
      std::vector<float> spread(kBins);
      for (size_t i = 0; i < kBins; ++i) {
        const size_t place = i / step % 16;
        spread[i] = (2 * counts[i] + (place > 0 ? counts[i - step] : 0) + (place < 15 ? counts[i + step] : 0)) / 4;
      }
      counts.swap(spread);
    }
    const float weight = shares_[k].empty() ? 1 : rate;
    shares_[k].resize(kBins, 0);
    for (size_t i = 0; i < kBins; ++i) shares_[k][i] += weight * (counts[i] / static_cast<float>(all) - shares_[k][i]);
  }
  if (shares_[0].empty() || shares_[1].empty()) return;
  constexpr double rare = 2e-4;
  for (size_t i = 0; i < kBins; ++i)
    ratio_[i] = static_cast<float>(
        std::clamp(log_exact((static_cast<double>(shares_[1][i]) + rare) / (static_cast<double>(shares_[0][i]) + rare)),
                   -2.0, 2.0));
}

}  // namespace alphacut
