// Stored values as floats from 0 to 1 and back.
#pragma once

#include <cstdint>
#include <type_traits>

namespace alphacut {

// What stands for 1; and above this is above one half.
template <class T>
inline constexpr T kOpaque = static_cast<T>(std::is_same_v<T, uint8_t> ? 255 : 1);
template <class T>
inline constexpr T kHalf = static_cast<T>(std::is_same_v<T, uint8_t> ? 127 : 0.5);

// A division: 255 becomes exactly 1.
inline float to_float(uint8_t value) { return static_cast<float>(value) / 255; }
inline float to_float(float value) { return value; }

// `value` must lie in 0..1; rounds half up.
inline void store_float(float value, float& out) { out = value; }
inline void store_float(float value, uint8_t& out) { out = static_cast<uint8_t>(value * 255 + 0.5f); }

constexpr float kSteps = 65535;  // of a picture of 16 bits

// std::nearbyint of values from 0 to 2^22, as vectors of any instruction set: a sum this large has no bits for
// fractions.
inline float nearest_whole(float value) {
  constexpr float large = 3 << 22;
  return (value + large) - large;
}

inline void in_steps(const float* __restrict values, int64_t n, uint16_t* __restrict steps) {
  for (int64_t i = 0; i < n; ++i)
    steps[i] = static_cast<uint16_t>(static_cast<int32_t>(nearest_whole(values[i] * kSteps)));
}

}  // namespace alphacut
