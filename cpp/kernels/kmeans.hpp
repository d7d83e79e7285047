#pragma once

#include <stddef.h>
#include <stdint.h>

namespace alphacut {

// A centre as the kernels use it, in units of 1/16320.
struct KmeansCenter {
  int32_t value[3];
  int32_t norm;  // |value|²
};

// For n pixels of 1 or 3 channels; kmeans.hpp of the C++ API specifies the numbers.
template <class T>
struct KmeansRowKernels {
  // Labels of the nearest of k centres; adds to sums[4 label] the three values and a one. n at most 2^17: 16320 n then
  // fits 32 bits.
  void (*assign)(const T* pixels, size_t n, int channels, const KmeansCenter* centers, int k, uint8_t* labels,
                 int64_t* sums);
  // Lowers distances[i] to the distance to the nearest of k centres.
  void (*relax)(const T* pixels, size_t n, int channels, const KmeansCenter* centers, int k, uint32_t* distances);
  // The sum of |X|².
  int64_t (*square_sum)(const T* pixels, size_t n, int channels);
};

struct KmeansKernels {
  KmeansRowKernels<uint8_t> u8;
  KmeansRowKernels<float> f32;
};

}  // namespace alphacut
