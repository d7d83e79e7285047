// From unknown pixels to the known ones around them: where sample colours come from.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "alphacut/image.hpp"
#include "alphacut/parallel.hpp"
#include "pooled_vector.hpp"

namespace alphacut {

inline constexpr uint8_t kUnknown = 128, kForeground = 255, kBackground = 0;

// Colours are 0..255 here, as in the constants.
struct Color {
  float v[3];
};

inline Color operator+(Color a, Color b) { return {{a.v[0] + b.v[0], a.v[1] + b.v[1], a.v[2] + b.v[2]}}; }
inline Color operator-(Color a, Color b) { return {{a.v[0] - b.v[0], a.v[1] - b.v[1], a.v[2] - b.v[2]}}; }
inline Color operator*(float s, Color a) { return {{s * a.v[0], s * a.v[1], s * a.v[2]}}; }
inline float dot(Color a, Color b) { return a.v[0] * b.v[0] + a.v[1] * b.v[1] + a.v[2] * b.v[2]; }
inline float squared(Color a) { return dot(a, a); }

// The picture and its labels at half size: where pairs are gathered.
struct Half {
  Image<Color> image;
  Image<uint8_t> labels;                         // 0, 128, 255
  Image<int32_t> index;                          // of an unknown pixel in `unknown`, -1 elsewhere
  PooledVector<std::array<int32_t, 2>> unknown;  // y, x; by rows

  Color color(int64_t y, int64_t x) const { return image.row(y)[x]; }
};

struct Sample {
  int64_t y, x;
  float distance;
};

// The first known pixel of each kind on each of four rays.
struct Candidates {
  Sample foreground[4], background[4];
  int foregrounds = 0, backgrounds = 0;
  float foreground_cost = 0, background_cost = 0;  // of the cheapest ray to each
};

// Calls take(y, x, candidates) for each unknown pixel, from several threads.
void walk_rays(const Half& half, const std::function<void(int64_t, int64_t, const Candidates&)>& take);

}  // namespace alphacut
