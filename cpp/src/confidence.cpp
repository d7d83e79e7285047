#include "confidence.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "alphacut/components.hpp"
#include "math.hpp"

namespace alphacut {
namespace {

// Of the log-odds, by evidence; see training/README.md.
constexpr std::array<double, 5> kWeights = {2.0, 2.0, 6.0, 2.0, -2.0};
constexpr double kBias = -4.0;

// What tells good cuts from bad ones, each from 0 to about 1 or 4.
struct Evidence {
  double agreement = 0;   // soft intersection over union of probability and mask
  double sharpness = 0;   // the same of the probability and where it is above one half
  double certainty = 0;   // mean distance of the probability from one half, where either sees the subject
  double unity = 0;       // the largest part's share of what is likely
  double raggedness = 0;  // log of the outline's length against that of a square of the same area
};

Evidence gathered(ImageView<const float> probability, ImageView<const uint8_t> mask) {
  const int64_t height = mask.height, width = mask.width;
  Image<uint8_t> likely(height, width);
  double in_mask = 0, beyond_mask = 0, in_likely = 0, beyond_likely = 0, distance = 0;
  int64_t masked = 0, area = 0, either = 0, outline = 0;
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
    }
  }
  Evidence found;
  if (masked == 0 || area == 0) return found;
  found.agreement = in_mask / (static_cast<double>(masked) + beyond_mask);
  found.sharpness = in_likely / (static_cast<double>(area) + beyond_likely);
  found.certainty = distance / static_cast<double>(either);
  int64_t largest = 0;
  for (const ComponentStats& part : component_stats(likely, 8)) largest = std::max(largest, part.area);
  found.unity = static_cast<double>(largest) / static_cast<double>(area);
  found.raggedness = log_exact(1 + static_cast<double>(outline) / std::sqrt(static_cast<double>(area)));
  return found;
}

}  // namespace

double confidence_of(ImageView<const float> probability, ImageView<const uint8_t> mask) {
  if (probability.channels != 1 || mask.channels != 1 || probability.height != mask.height ||
      probability.width != mask.width)
    throw std::invalid_argument("confidence_of: probability and mask must have one channel and one size");
  const Evidence e = gathered(probability, mask);
  if (e.agreement == 0) return 0;
  // Logistic regression on pictures held out in training.
  const double log_odds = kWeights[0] * e.agreement + kWeights[1] * e.sharpness + kWeights[2] * e.certainty +
                          kWeights[3] * e.unity + kWeights[4] * e.raggedness + kBias;
  return 1 / (1 + exp_exact(-log_odds));
}

}  // namespace alphacut
