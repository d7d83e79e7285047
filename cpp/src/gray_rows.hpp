// Rows of a picture's luma, one at a time, without a gray copy of the picture.
#pragma once

#include <limits>
#include <type_traits>
#include <vector>

#include "alphacut/color.hpp"
#include "dispatch.hpp"
#include "planes.hpp"

// F of each depth that thresholds and label maps take, for explicit instantiations.
#define ALPHACUT_FOR_EACH_DEPTH(F) F(uint8_t) F(uint16_t) F(int16_t) F(int32_t) F(float) F(double)

namespace alphacut {

// One for each thread. A row of floats is checked to lie in 0..1, one of doubles, or of floats of `any` value, to have
// no NaN. The luma has the depth of the picture, and OpenCV's weights and roundings.
template <class T>
class GrayRows {
 public:
  explicit GrayRows(ImageView<const T> image, bool any = false)
      : image_(image), any_(any), buffer_(image.channels == 1 ? 0 : static_cast<size_t>(image.width)) {}

  // Valid until the next call. More than one row only of a gray picture whose rows follow each other without a gap.
  const T* operator()(int64_t y, int64_t rows = 1) {
    check(image_.rows(y, y + rows));
    if (image_.channels == 1) return image_.row(y);
    if constexpr (std::is_same_v<T, float>)
      kernels().color.gray_f32(image_.row(y), buffer_.size(), buffer_.data());
    else if constexpr (std::is_same_v<T, uint8_t>)
      kernels().color.gray_u8(image_.row(y), buffer_.size(), buffer_.data());
    else
      for (size_t x = 0; x < buffer_.size(); ++x) buffer_[x] = luma(image_.row(y) + 3 * x);
    return buffer_.data();
  }

 private:
  void check(ImageView<const T> rows) const {
    constexpr float most = std::numeric_limits<float>::infinity();
    if constexpr (std::is_same_v<T, float>) require_range(rows, any_ ? -most : 0, any_ ? most : 1, "gray");
    if constexpr (std::is_same_v<T, double>)
      for (int64_t y = 0; y < rows.height; ++y) {
        bool bad = false;
        for (int64_t x = 0; x < rows.width * rows.channels; ++x) bad |= rows.row(y)[x] != rows.row(y)[x];
        if (bad) throw std::invalid_argument("gray must have no NaN");
      }
  }
  static T luma(const T* rgb) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>((int64_t{9798} * rgb[0] + int64_t{19235} * rgb[1] + int64_t{3735} * rgb[2] + 16384) >> 15);
    else
      return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
  }

  ImageView<const T> image_;
  bool any_;
  std::vector<T> buffer_;
};

// Throws std::invalid_argument unless the picture is gray or RGB and `mask` one channel of its size.
template <class T, class U>
void require_gray_and_mask(ImageView<const T> gray, ImageView<U> mask, const char* name) {
  if (gray.channels != 1 && gray.channels != 3)
    throw std::invalid_argument("gray must have 1 or 3 channels, got " + std::to_string(gray.channels));
  if (mask.channels != 1 || mask.height != gray.height || mask.width != gray.width)
    throw std::invalid_argument(std::string(name) + " must have the size of gray, " + std::to_string(gray.height) +
                                " x " + std::to_string(gray.width) + ", got " + std::to_string(mask.height) + " x " +
                                std::to_string(mask.width));
}

}  // namespace alphacut
