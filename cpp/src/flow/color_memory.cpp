#include <algorithm>

#include "flow/memory.hpp"
#include "flow/memory_pieces.hpp"
#include "math.hpp"

namespace alphacut {

void ColorMemory::learn(ImageView<const uint8_t> rgb, ImageView<const uint8_t> side, float rate) {
  std::array<ColorCounts, 2> counts;
  std::array<int64_t, 2> all{};
  for (int64_t y = 0; y < rgb.height; ++y)
    for (int64_t x = 0; x < rgb.width; ++x) {
      const size_t k = side.row(y)[x];
      if (k > 1) continue;
      counts[k].add(rgb.row(y) + 3 * x);
      ++all[k];
    }
  for (size_t k = 0; k < 2; ++k) {
    if (all[k] < kFewest) continue;
    const std::vector<int64_t> spread = counts[k].smooth();
    const float weight = shares_[k].empty() ? 1 : rate;
    shares_[k].resize(spread.size(), 0);
    for (size_t i = 0; i < spread.size(); ++i)
      shares_[k][i] += weight * (static_cast<float>(spread[i]) / 64 / static_cast<float>(all[k]) - shares_[k][i]);
  }
  if (shares_[0].empty() || shares_[1].empty()) return;
  constexpr double rare = 2e-4;
  for (size_t i = 0; i < ratio_.size(); ++i)
    ratio_[i] = static_cast<float>(
        std::clamp(log_exact((static_cast<double>(shares_[1][i]) + rare) / (static_cast<double>(shares_[0][i]) + rare)),
                   -2.0, 2.0));
}

}  // namespace alphacut
