#include "mixture.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "math.hpp"
#include "splitmix.hpp"

namespace alphacut {
namespace {

// Added to each variance, in squared 8-bit steps: the picture's rounding and noise, so that a component of one colour
// keeps a density.
constexpr double kVarianceFloor = 4;
constexpr int kMaxLloyd = 10;

int32_t distance(const Rgb8& a, const Rgb8& b) {
  int32_t sum = 0;
  for (size_t i = 0; i < 3; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

// A component from its share, mean and covariance (the lower triangle). False if that is no covariance.
bool pack_component(double weight, const double mean[3], const double c[6], float* out) {
  // Cholesky factor L of the covariance, then the rows of its inverse: |L^-1 d|^2 is Mahalanobis' distance.
  const double l00 = std::sqrt(c[0]), l10 = c[1] / l00, l11 = std::sqrt(c[2] - l10 * l10), l20 = c[3] / l00;
  const double l21 = (c[4] - l20 * l10) / l11, l22 = std::sqrt(c[5] - l20 * l20 - l21 * l21);
  const double half = std::sqrt(0.5);  // the score takes half the distance
  const double w00 = half / l00, w11 = half / l11, w22 = half / l22;
  const double w10 = -l10 * w00 / l11, w21 = -l21 * w11 / l22, w20 = -(l20 * w00 + l21 * w10) / l22;
  const double constant = log_exact(weight) - log_exact(l00 * l11 * l22);
  const double values[10] = {mean[0], mean[1], mean[2], w00, w10, w11, w20, w21, w22, constant};
  std::transform(values, values + 10, out, [](double v) { return static_cast<float>(v); });
  const bool definite = l11 * l11 > 1e-9 * c[2] && l22 * l22 > 1e-9 * c[5];  // beyond what rounding leaves
  return definite && std::all_of(out, out + 10, [](float v) { return std::isfinite(v); });
}

void fit_component(const Rgb8Sums& sums, int64_t total, float* out) {
  const auto n = static_cast<double>(sums.count);
  double mean[3], c[6];
  for (size_t i = 0, p = 0; i < 3; ++i) {
    mean[i] = static_cast<double>(sums.sum[i]) / n;
    for (size_t j = 0; j <= i; ++j, ++p)
      c[p] = static_cast<double>(sums.product[p]) / n - mean[i] * mean[j] + (i == j ? kVarianceFloor : 0);
  }
  pack_component(n / static_cast<double>(total), mean, c, out);
}

}  // namespace

std::vector<float> fit_mixture(const Rgb8Sums* components, int count) {
  int64_t total = 0;
  for (int k = 0; k < count; ++k) total += components[k].count;
  std::vector<float> mixture;
  for (int k = 0; k < count; ++k) {
    if (components[k].count == 0) continue;
    mixture.resize(mixture.size() + 10);
    fit_component(components[k], total, mixture.data() + mixture.size() - 10);
  }
  return mixture;
}

std::vector<float> mixture_of(const std::vector<ColorGaussian>& model) {
  std::vector<float> mixture;
  for (const ColorGaussian& g : model) {
    if (g.weight == 0) continue;
    mixture.resize(mixture.size() + 10);
    const double* c = g.covariance.data();
    const double lower[6] = {c[0], c[3], c[4], c[6], c[7], c[8]};
    if (!(g.weight > 0) || c[1] != c[3] || c[2] != c[6] || c[5] != c[7] ||
        !pack_component(g.weight, g.mean.data(), lower, mixture.data() + mixture.size() - 10))
      throw std::invalid_argument(
          "grabcut: models must have finite numbers, weights of at least 0, and covariances that are symmetric and "
          "positive definite");
  }
  return mixture;
}

std::vector<ColorGaussian> gaussians_of(const std::vector<float>& mixture) {
  std::vector<ColorGaussian> model;
  for (size_t at = 0; at < mixture.size(); at += 10) {
    double v[10];
    std::copy_n(mixture.data() + at, 10, v);
    const double half = std::sqrt(0.5);
    const double l00 = half / v[3], l11 = half / v[5], l22 = half / v[8];  // L, from the rows of its inverse
    const double l10 = -v[4] * l00 * l11 / half, l21 = -v[7] * l11 * l22 / half;
    const double l20 = -(v[6] * l00 + v[7] * l10) * l22 / half;
    const double c[6] = {l00 * l00,
                         l10 * l00,
                         l10 * l10 + l11 * l11,
                         l20 * l00,
                         l20 * l10 + l21 * l11,
                         l20 * l20 + l21 * l21 + l22 * l22};
    model.push_back({exp_exact(v[9] + log_exact(l00 * l11 * l22)),
                     {v[0], v[1], v[2]},
                     {c[0], c[1], c[3], c[1], c[2], c[4], c[3], c[4], c[5]}});
  }
  return model;
}

int nearest(const std::vector<Rgb8>& centres, const Rgb8& x) {
  int best = 0;
  for (int k = 1; k < static_cast<int>(centres.size()); ++k)
    if (distance(centres[static_cast<size_t>(k)], x) < distance(centres[static_cast<size_t>(best)], x)) best = k;
  return best;
}

std::vector<Rgb8> cluster(const std::vector<Rgb8>& samples, int count, uint64_t seed) {
  std::vector<Rgb8> centres;
  if (samples.empty()) return centres;
  centres.push_back(samples[splitmix(seed, 0) % samples.size()]);
  std::vector<int32_t> gap(samples.size());  // squared distance to the nearest centre
  while (static_cast<int>(centres.size()) < count) {
    uint64_t total = 0;
    for (size_t i = 0; i < samples.size(); ++i) {
      const int32_t d = distance(samples[i], centres.back());
      gap[i] = centres.size() == 1 ? d : std::min(gap[i], d);
      total += static_cast<uint64_t>(gap[i]);
    }
    if (total == 0) break;  // every colour is a centre
    uint64_t target = splitmix(seed, centres.size()) % total;
    size_t pick = 0;
    while (target >= static_cast<uint64_t>(gap[pick])) target -= static_cast<uint64_t>(gap[pick++]);
    centres.push_back(samples[pick]);
  }
  for (int round = 0; round < kMaxLloyd; ++round) {
    std::vector<Rgb8Sums> sums(centres.size());
    for (const Rgb8& x : samples) sums[static_cast<size_t>(nearest(centres, x))].add(x);
    bool moved = false;
    for (size_t k = 0; k < centres.size(); ++k) {
      if (sums[k].count == 0) continue;
      for (size_t i = 0; i < 3; ++i) {
        const auto mean = static_cast<uint8_t>((2 * sums[k].sum[i] + sums[k].count) / (2 * sums[k].count));
        moved |= mean != centres[k][i];
        centres[k][i] = mean;
      }
    }
    if (!moved) break;
  }
  return centres;
}

}  // namespace alphacut
