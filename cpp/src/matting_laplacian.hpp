// Alpha as the solution of the matting Laplacian (Levin, Lischinski & Weiss 2008) on the unknown pixels only.
#pragma once

#include "alphacut/image.hpp"

namespace alphacut {

// Improves `alpha` where `labels` is neither 0 nor 255: `iterations` steps of conjugate gradients on
// (L + C)·x = C·alpha - L·known, with C = weight·confidence, from the given alpha.
template <class T>
void solve_laplacian(ImageView<const T> image, ImageView<const uint8_t> labels, ImageView<const float> confidence,
                     float weight, int iterations, ImageView<float> alpha);

// The product of the whole picture's Laplacian with a plane, for the tests.
template <class T>
void multiply_laplacian(ImageView<const T> image, ImageView<const float> x, ImageView<float> product);

}  // namespace alphacut
