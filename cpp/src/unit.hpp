// Stored values as floats from 0 to 1 and back.
#pragma once

#include <cstdint>

namespace alphacut {

// A division: 255 becomes exactly 1.
inline float unit(uint8_t value) { return static_cast<float>(value) / 255; }
inline float unit(float value) { return value; }

// `value` must lie in 0..1; rounds half up.
inline void store_unit(float value, float& out) { out = value; }
inline void store_unit(float value, uint8_t& out) { out = static_cast<uint8_t>(value * 255 + 0.5f); }

}  // namespace alphacut
