#pragma once

#include <stddef.h>
#include <stdint.h>

namespace alphacut {

struct ComponentsKernels {
  // Bit i of the words is set if values[i] is not 0; ceil(n / 64) words, the bits beyond n are 0.
  void (*pack_bits)(const uint8_t* values, size_t n, uint64_t* words);
};

}  // namespace alphacut
