// A map of any size, read at the pixels of a picture.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "alphacut/image.hpp"

namespace alphacut {

// Bilinear between the map's pixels, beyond them as at the border. Calls cost most where y changes.
class ProbabilityAt {
 public:
  ProbabilityAt(ImageView<const float> map, int64_t height, int64_t width)
      : map_(map), down_(scale(map.height, height)), across_(scale(map.width, width)) {}

  float operator()(int64_t y, int64_t x) const {
    if (y != y_) {
      const auto [first, share] = place(down_, y, map_.height);
      y_ = y;
      share_ = share;
      above_ = map_.row(first);
      below_ = map_.row(std::min(first + 1, map_.height - 1));
    }
    const auto [first, share] = place(across_, x, map_.width);
    const int64_t second = std::min(first + 1, map_.width - 1);
    const float above = above_[first] + share * (above_[second] - above_[first]);
    const float below = below_[first] + share * (below_[second] - below_[first]);
    return above + share_ * (below - above);
  }

  // The columns [begin, end) of a picture's row outside which nothing is above `limit`.
  std::pair<int64_t, int64_t> above(float limit, int64_t y, int64_t width) const {
    const int64_t first = place(down_, y, map_.height).first, second = std::min(first + 1, map_.height - 1);
    int64_t begin = map_.width, end = 0;
    for (int64_t u = 0; u < map_.width; ++u)
      if (std::max(map_.row(first)[u], map_.row(second)[u]) > limit) begin = std::min(begin, u), end = u + 1;
    if (end == 0) return {0, 0};
    const auto column = [&](int64_t u) { return static_cast<int64_t>(static_cast<float>(u) / across_); };
    return {std::max<int64_t>(column(begin - 1) - 1, 0), std::min(column(end + 1) + 1, width)};
  }

 private:
  struct Place {
    int64_t first;
    float share;
  };
  static float scale(int64_t of_map, int64_t of_picture) {
    return static_cast<float>(static_cast<double>(of_map) / static_cast<double>(of_picture));
  }
  static Place place(float scale, int64_t at, int64_t size) {
    const float exact = std::clamp((static_cast<float>(at) + 0.5f) * scale - 0.5f, 0.0f, static_cast<float>(size - 1));
    const auto first = static_cast<int64_t>(exact);
    return {first, exact - static_cast<float>(first)};
  }
  ImageView<const float> map_;
  float down_, across_;
  mutable int64_t y_ = -1;
  mutable float share_ = 0;
  mutable const float *above_ = nullptr, *below_ = nullptr;
};

}  // namespace alphacut
