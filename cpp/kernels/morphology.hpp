#pragma once

#include <stddef.h>
#include <stdint.h>

namespace alphacut {

// Minima and maxima of rows of n values.
struct MorphologyKernels {
  template <class T>
  struct Of {
    // out = the lower (higher) of a and b.
    void (*lower)(const T* a, const T* b, size_t n, T* out);
    void (*higher)(const T* a, const T* b, size_t n, T* out);
    // best = the lower (higher) of itself and values.
    void (*sink)(const T* values, size_t n, T* best);
    void (*raise)(const T* values, size_t n, T* best);
    // out = the lowest (highest) of `count` rows, one at least.
    void (*lowest)(const T* const* rows, size_t count, size_t n, T* out);
    void (*highest)(const T* const* rows, size_t count, size_t n, T* out);
  };
  Of<uint8_t> u8;
  Of<uint16_t> u16;
  Of<float> f32;
};

}  // namespace alphacut
