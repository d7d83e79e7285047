// Weights of a Gaussian window.
#pragma once

#include <cstdint>
#include <vector>

namespace alphacut {

// Half of a Gaussian window of an odd side, the middle first; the whole sums up to 1. `sigma` in pixels, 0 for OpenCV's
// by the side, whose weights of sides up to 9 are constants.
std::vector<double> gaussian_half(int64_t window, double sigma = 0);

}  // namespace alphacut
