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
  // Adds to sums[j] what the distances would add up to with centre j.
  void (*potentials)(const T* pixels, size_t n, int channels, const KmeansCenter* centers, int k,
                     const uint32_t* distances, uint64_t* sums);
  // The sum of |X|².
  int64_t (*square_sum)(const T* pixels, size_t n, int channels);
};

// A box of 8×8×8 colours of 8 bits, and the pixels of a picture that lie in it.
struct KmeansBox {
  int32_t corner[3];  // the darkest colour, in units of 1/16320
  uint32_t sum[4];    // of the pixels: the three channels above the corner, in 8-bit levels, and the count; below 2^29
};

// The centres as boxes use them.
struct KmeansForms {
  int32_t k;
  int32_t value[3][256], norm[256];
  int32_t plane[256][64];  // -2 C·X at the 64 colours of least blue in a box whose corner is 0
};

// The key of a colour is its box, 15 bits, then its place in the box, 9 bits; the counts and the labels of a box's
// colours are arrays of 512 by place. Red is in the lowest bits of both parts, then green, then blue.
struct KmeansBoxKernels {
  void (*keys)(const uint8_t* pixels, size_t n, int channels, uint32_t* keys);
  // Adds up `parts` arrays of counts, and fills in box->sum.
  void (*gather)(const uint8_t* const* counts, int parts, uint32_t* total, KmeansBox* box);
  // For each of n boxes: adds to sums[4 label] the three values and the number of the pixels that get this label.
  void (*assign)(const KmeansBox* boxes, const uint32_t* counts, size_t n, const KmeansForms* forms, int64_t* sums);
  // Returns the label of all colours of the box; or, where they may differ, writes them and returns -1.
  int (*label)(const KmeansBox* box, const KmeansForms* forms, uint8_t* labels);
};

struct KmeansKernels {
  KmeansRowKernels<uint8_t> u8;
  KmeansRowKernels<float> f32;
  KmeansBoxKernels box;
};

}  // namespace alphacut
