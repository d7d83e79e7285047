#include "confidence.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "alphacut/components.hpp"
#include "math.hpp"

namespace alphacut {
namespace {

// Logistic regression on pictures held out in training: python -m training.confidence.
constexpr CutEvidence kWeights = {4.336, 6.426, 4.314, 0.233, -1.910, -4.480, -0.623};
constexpr double kBias = -7.130;

}  // namespace

CutEvidence cut_evidence(ImageView<const float> probability, ImageView<const uint8_t> mask) {
  const int64_t height = mask.height, width = mask.width;
  if (probability.channels != 1 || mask.channels != 1 || probability.height != height || probability.width != width)
    throw std::invalid_argument("cut_evidence: probability and mask must have one channel and one size");
  Image<uint8_t> likely(height, width);
  double in_mask = 0, beyond_mask = 0, in_likely = 0, beyond_likely = 0, distance = 0;
  int64_t masked = 0, area = 0, either = 0, outline = 0, contact = 0, frame = 0;
  for (int64_t y = 0; y < height; ++y) {
    const float* p = probability.row(y);
    for (int64_t x = 0; x < width; ++x) {
      const bool inside = mask.row(y)[x] != 0, above = p[x] > 0.5f;
      likely.row(y)[x] = above ? 255 : 0;
      (inside ? in_mask : beyond_mask) += p[x];
      (above ? in_likely : beyond_likely) += p[x];
      masked += inside;
      area += above;
      if (inside || above) {
        ++either;
        distance += std::fabs(2.0 * p[x] - 1);
      }
      outline += x > 0 && likely.row(y)[x] != likely.row(y)[x - 1];
      outline += y > 0 && likely.row(y)[x] != likely.row(y - 1)[x];
      if (y == 0 || x == 0 || y == height - 1 || x == width - 1) {
        ++frame;
        contact += inside;
      }
    }
  }
  if (masked == 0 || area == 0) return {};
  int64_t largest = 0;
  for (const ComponentStats& part : component_stats(likely, 8)) largest = std::max(largest, part.area);
  const auto real = [](int64_t n) { return static_cast<double>(n); };
  return {in_mask / (real(masked) + beyond_mask),
          in_likely / (real(area) + beyond_likely),
          distance / real(either),
          real(largest) / real(area),
          log_exact(1 + real(outline) / std::sqrt(real(area))),
          real(contact) / real(frame),
          std::sqrt(real(masked) / real(mask.pixels()))};
}

double confidence_of(ImageView<const float> probability, ImageView<const uint8_t> mask) {
  const CutEvidence evidence = cut_evidence(probability, mask);
  if (evidence == CutEvidence{}) return 0;
  double log_odds = kBias;
  for (size_t i = 0; i < evidence.size(); ++i) log_odds += kWeights[i] * evidence[i];
  return 1 / (1 + exp_exact(-log_odds));
}

}  // namespace alphacut
