#include "gaussian_weights.hpp"

#include "math.hpp"

namespace alphacut {

std::vector<double> gaussian_half(int64_t window, double sigma) {
  static constexpr double small[5][5] = {{1}, {128, 64}, {96, 64, 16}, {72, 56, 28, 8}, {60, 51, 30, 13, 4}};
  const auto radius = static_cast<size_t>(window / 2);
  const bool constants = sigma == 0 && window <= 9;
  if (sigma == 0) sigma = 0.3 * (static_cast<double>(window - 1) * 0.5 - 1) + 0.8;
  std::vector<double> half(radius + 1);
  double total = 0;
  for (size_t i = 0; i <= radius; ++i) {
    const auto distance = static_cast<double>(i);
    half[i] = constants ? small[radius][i] : i == 0 ? 1.0 : exp_exact(-distance * distance / (2 * sigma * sigma));
    total += i == 0 ? half[i] : 2 * half[i];
  }
  for (double& weight : half) weight /= total;
  return half;
}

}  // namespace alphacut
