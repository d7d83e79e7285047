#include "confidence.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "math.hpp"

namespace alphacut {
namespace {

// Logistic regression on pictures held out in training: python -m training.confidence.
constexpr CutEvidence kWeights = {0.509, 0.761, 1.158};
constexpr double kBias = -3.338;
constexpr double kLeast = 1e-4;  // share: from there on nothing is surer

double log_odds_of(double share) {
  const double p = std::clamp(share, kLeast, 1 - kLeast);
  return log_exact(p / (1 - p));
}

}  // namespace

CutEvidence cut_evidence(ImageView<const float> probability, ImageView<const uint8_t> mask) {
  const int64_t height = mask.height, width = mask.width;
  if (probability.channels != 1 || mask.channels != 1 || probability.height != height || probability.width != width)
    throw std::invalid_argument("cut_evidence: probability and mask must have one channel and one size");
  double in_mask = 0, beyond_mask = 0, in_likely = 0, beyond_likely = 0, distance = 0;
  int64_t masked = 0, area = 0, either = 0;
  for (int64_t y = 0; y < height; ++y) {
    const float* p = probability.row(y);
    for (int64_t x = 0; x < width; ++x) {
      const bool inside = mask.row(y)[x] != 0, above = p[x] > 0.5f;
      (inside ? in_mask : beyond_mask) += p[x];
      (above ? in_likely : beyond_likely) += p[x];
      masked += inside;
      area += above;
      if (inside || above) {
        ++either;
        distance += std::fabs(2.0 * p[x] - 1);
      }
    }
  }
  if (masked == 0 || area == 0) return {};
  const auto real = [](int64_t n) { return static_cast<double>(n); };
  return {log_odds_of(in_mask / (real(masked) + beyond_mask)), log_odds_of(in_likely / (real(area) + beyond_likely)),
          log_odds_of(distance / real(either))};
}

double confidence_of(ImageView<const float> probability, ImageView<const uint8_t> mask) {
  const CutEvidence evidence = cut_evidence(probability, mask);
  if (evidence == CutEvidence{}) return 0;
  double log_odds = kBias;
  for (size_t i = 0; i < evidence.size(); ++i) log_odds += kWeights[i] * evidence[i];
  return 1 / (1 + exp_exact(-log_odds));
}

}  // namespace alphacut
