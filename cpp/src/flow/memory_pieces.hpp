// What the parts of a tracker's memory share.
#pragma once

#include "alphacut/image.hpp"
#include "alphacut/parallel.hpp"

namespace alphacut {

inline constexpr float kKept = 4;          // log-odds of all frames before
inline constexpr int64_t kLookSide = 192;  // of what the network sees around the subject
inline constexpr double kLearns = 0.5;     // the confidence from which a frame is learned from
inline constexpr int64_t kFewest = 20;     // pixels of a subject

// 255 where a value is above 0, else 0.
inline void above_zero(const float* __restrict from, int64_t n, uint8_t* __restrict to) {
  for (int64_t x = 0; x < n; ++x) to[x] = from[x] > 0 ? 255 : 0;
}
inline Image<uint8_t> positive(ImageView<const float> values) {
  Image<uint8_t> mask = Image<uint8_t>::like(values);
  parallel_for(values.height, row_grain(values.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) above_zero(values.row(y), values.width, mask.row(y));
  });
  return mask;
}

}  // namespace alphacut
