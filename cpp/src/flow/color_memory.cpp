#include <algorithm>

#include "flow/memory.hpp"
#include "flow/memory_pieces.hpp"
#include "math.hpp"

namespace alphacut {
namespace {

constexpr float kAnchor = 0.3f;  // how much the subject's colours as told count beside those learned since
constexpr float kRetold = 0.2f;  // learning at a higher rate than this is being told
constexpr double kRare = 2e-4;   // a share of colours that says little

}  // namespace

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
  if (first_.empty() || rate > kRetold) first_ = shares_[1];
  if (shares_[0].empty() || shares_[1].empty()) return;
  for (size_t i = 0; i < ratio_.size(); ++i)
    ratio_[i] = static_cast<float>(
        std::clamp(log_exact((subject_share(i) + kRare) / (static_cast<double>(shares_[0][i]) + kRare)), -2.0, 2.0));
}

bool ColorMemory::consistent() const {
  const auto whole = [](const std::vector<float>& of) { return of.empty() || of.size() == ColorCounts::kCells; };
  return whole(shares_[0]) && whole(shares_[1]) && first_.size() == shares_[1].size() &&
         ratio_.size() == ColorCounts::kCells;
}

double ColorMemory::subject_share(size_t i) const {
  return static_cast<double>(shares_[1][i] + kAnchor * (first_[i] - shares_[1][i]));
}

double ColorMemory::likeness(ImageView<const uint8_t> rgb, ImageView<const uint8_t> mask) const {
  ColorCounts counts;
  int64_t all = 0;
  for (int64_t y = 0; y < rgb.height; ++y)
    for (int64_t x = 0; x < rgb.width; ++x)
      if (mask.row(y)[x] != 0) {
        counts.add(rgb.row(y) + 3 * x);
        ++all;
      }
  if (all == 0 || shares_[1].empty()) return 0;
  const std::vector<int64_t> spread = counts.smooth();
  double common = 0;
  for (size_t i = 0; i < spread.size(); ++i)
    common += std::min(static_cast<double>(spread[i]) / 64 / static_cast<double>(all), subject_share(i));
  return common;
}

}  // namespace alphacut
