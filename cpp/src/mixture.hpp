// Gaussian mixtures of 8-bit colours for GrabCut: hard assignment of pixels to components, sums in integers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "alphacut/graphcut.hpp"

namespace alphacut {

using std::size_t;
using Rgb8 = std::array<uint8_t, 3>;

// Count, sum and products of the colours of a component. Integers: any order of adding gives the same.
struct Rgb8Sums {
  int64_t count = 0;
  std::array<int64_t, 3> sum{};
  std::array<int64_t, 6> product{};  // 00, 10, 11, 20, 21, 22

  void add(const Rgb8& x) {
    ++count;
    for (size_t i = 0, p = 0; i < 3; ++i) {
      sum[i] += x[i];
      for (size_t j = 0; j <= i; ++j) product[p++] += int64_t{x[i]} * x[j];
    }
  }
  void add(const Rgb8Sums& other) {
    count += other.count;
    for (size_t i = 0; i < 3; ++i) sum[i] += other.sum[i];
    for (size_t i = 0; i < 6; ++i) product[i] += other.product[i];
  }
};

// The components that have pixels, 10 numbers each, as the kernel mixture_score takes them: the score of a colour is
// the largest log(weight · density) of a component (less a constant that all mixtures share).
std::vector<float> fit_mixture(const Rgb8Sums* components, int count);

// The same of Gaussians, those of weight 0 left out, and back. Throws std::invalid_argument naming `models`.
std::vector<float> mixture_of(const std::vector<ColorGaussian>& model);
std::vector<ColorGaussian> gaussians_of(const std::vector<float>& mixture);

// At most `count` different centres of the samples, by k-means++ (Arthur and Vassilvitskii, 2007) and Lloyd's
// iterations in integers; none without samples.
std::vector<Rgb8> cluster(const std::vector<Rgb8>& samples, int count, uint64_t seed);

// The nearest centre, the first of equals.
int nearest(const std::vector<Rgb8>& centres, const Rgb8& x);

}  // namespace alphacut
