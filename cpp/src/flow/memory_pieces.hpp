// What the parts of a tracker's memory share.
#pragma once

#include <algorithm>

#include "alphacut/image.hpp"

namespace alphacut {

inline constexpr float kKept = 4;       // log-odds of all frames before
inline constexpr int64_t kFewest = 20;  // pixels of a subject

// 255 where a value is above the limit, else 0.
inline Image<uint8_t> above(ImageView<const float> values, float limit) {
  Image<uint8_t> mask = Image<uint8_t>::like(values);
  for (int64_t y = 0; y < values.height; ++y)
    for (int64_t x = 0; x < values.width; ++x) mask.row(y)[x] = values.row(y)[x] > limit ? 255 : 0;
  return mask;
}

template <class T>
ImageView<T> part(ImageView<T> whole, const Box& box) {
  if (whole.data == nullptr) return whole;
  return {whole.row(box.y) + box.x * whole.channels, box.height, box.width, whole.channels, whole.stride};
}

}  // namespace alphacut
