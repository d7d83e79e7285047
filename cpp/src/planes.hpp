// Small computations on planes that several stages need.
#pragma once

#include <functional>
#include <optional>

#include "alphacut/image.hpp"

namespace alphacut {

// A part of a picture, in place; of none, none.
template <class T>
ImageView<T> part(ImageView<T> whole, const Box& box) {
  if (!whole) return whole;
  return {whole.row(box.y) + box.x * whole.channels, box.height, box.width, whole.channels, whole.stride};
}

// A plane at another size, each pixel from the one at its centre.
Image<uint8_t> nearest(ImageView<const uint8_t> plane, int64_t height, int64_t width);

// Float pictures of 0..1 rounded half up to 8 bits; both of one size.
void in_bytes(ImageView<const float> image, ImageView<uint8_t> bytes);

// Throws std::invalid_argument naming `name` if a value is outside [low, high] or NaN.
void require_range(ImageView<const float> image, float low, float high, const char* name);

// As to_lab for one row, into planes: L*, a* and b* of pixel x in lab[x], lab[plane + x] and lab[2 plane + x].
void to_lab_planes(const uint8_t* row, int64_t width, int64_t channels, float* lab, int64_t plane);
void to_lab_planes(const float* row, int64_t width, int64_t channels, float* lab, int64_t plane);

uint8_t largest_of(ImageView<const uint8_t> plane);  // 0 of a plane without pixels
int64_t count_nonzero(ImageView<const uint8_t> mask);
bool is_empty(ImageView<const uint8_t> mask);
std::optional<Box> bounding_box(ImageView<const uint8_t> mask);

// The nonzero pixels of a mask: the box around them and how many there are. Rows may be made as they are looked at, by
// `make(y)`, once each and on any thread.
struct Extent {
  std::optional<Box> box;
  int64_t count = 0;
};
Extent extent_of(ImageView<const uint8_t> mask, const std::function<void(int64_t y)>& make = {});

}  // namespace alphacut
