// Rows of a picture's luma, one at a time, without a gray copy of the picture.
#pragma once

#include <vector>

#include "alphacut/color.hpp"
#include "dispatch.hpp"
#include "planes.hpp"

namespace alphacut {

// One for each thread. A row of floats is checked to lie in 0..1.
template <class T>
class GrayRows {
 public:
  explicit GrayRows(ImageView<const T> image)
      : image_(image), buffer_(image.channels == 1 ? 0 : static_cast<size_t>(image.width)) {}

  // Valid until the next call. More than one row only of a gray picture whose rows follow each other without a gap.
  const T* operator()(int64_t y, int64_t rows = 1) {
    if constexpr (std::is_same_v<T, float>) require_range(image_.rows(y, y + rows), 0, 1, "gray");
    if (image_.channels == 1) return image_.row(y);
    if constexpr (std::is_same_v<T, float>)
      kernels().color.gray_f32(image_.row(y), buffer_.size(), buffer_.data());
    else
      kernels().color.gray_u8(image_.row(y), buffer_.size(), buffer_.data());
    return buffer_.data();
  }

 private:
  ImageView<const T> image_;
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
