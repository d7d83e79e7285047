// Small computations on planes that several stages need.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>

#include "alphacut/image.hpp"
#include "alphacut/parallel.hpp"

namespace alphacut {

// A part of a picture, in place; of none, none.
template <class T>
ImageView<T> part(ImageView<T> whole, const Box& box) {
  if (!whole) return whole;
  return {whole.row(box.y) + box.x * whole.channels, box.height, box.width, whole.channels, whole.stride};
}

// A copy of a picture, rows packed.
template <class T>
Image<T> copied(ImageView<const T> image) {
  Image<T> copy = Image<T>::like(image, image.channels);
  const int64_t values = image.width * image.channels;
  parallel_for(image.height, row_grain(values, 1 << 18), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) std::copy_n(image.row(y), values, copy.row(y));
  });
  return copy;
}

// What of a box lies in a picture; none: nothing.
std::optional<Box> clipped(const Box& box, int64_t height, int64_t width);

// A box of a picture, brought to that picture at another size: whole pixels, one at least.
Box rescaled(const Box& box, int64_t old_height, int64_t old_width, int64_t height, int64_t width);

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
