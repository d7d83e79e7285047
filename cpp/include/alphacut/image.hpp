// Non-owning views of pixels, and one owning buffer. Every stage takes and returns views.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <type_traits>

#include "alphacut/api.hpp"
#include "alphacut/buffer_pool.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

// Top left corner and size in pixels.
struct Box {
  int64_t x = 0, y = 0, width = 0, height = 0;
  bool operator==(const Box&) const = default;
};

// A pixel of the subject, or of what is not; a disc of a two-hundredth of the longer side.
struct Point {
  double x = 0, y = 0;
  bool keep = true;
};

// A picture of `height` rows; the `width * channels` values of a row are contiguous, rows lie `stride` bytes apart:
// right behind each other unless something else is given (any stride: negative turns the picture upside down, 0 repeats
// one row). Owns nothing. A picture that may be left out is a view, and if it is left out a view without data, as in
// `if (view)`; a result that may be left out is a pointer; anything else that may be left out is a std::optional.
template <class T>
struct ImageView {
  T* data = nullptr;
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 1;
  ptrdiff_t stride = static_cast<ptrdiff_t>(width * channels * static_cast<int64_t>(sizeof(T)));

  explicit operator bool() const { return data != nullptr; }
  T* row(int64_t y) const {
    using Byte = std::conditional_t<std::is_const_v<T>, const std::byte, std::byte>;
    return reinterpret_cast<T*>(reinterpret_cast<Byte*>(data) + y * stride);
  }
  int64_t pixels() const { return height * width; }
  bool empty() const { return height == 0 || width == 0; }
  ImageView rows(int64_t begin, int64_t end) const { return {row(begin), end - begin, width, channels, stride}; }
  operator ImageView<const T>() const
    requires(!std::is_const_v<T>)
  {
    return {data, height, width, channels, stride};
  }
};

// The view of pixels that lie packed, row after row.
template <class T>
ImageView<T> packed(T* data, int64_t height, int64_t width, int64_t channels = 1) {
  return {data, height, width, channels};
}

// An owned picture, rows packed, 64-byte aligned, values uninitialised. The default one has no data. Throws
// std::invalid_argument for a size out of range, std::bad_alloc if there is no memory.
template <class T>
class Image {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Image() = default;
  Image(int64_t height, int64_t width, int64_t channels = 1) {
    const auto limit = std::numeric_limits<int64_t>::max() / static_cast<int64_t>(sizeof(T));
    if (height < 0 || width < 0 || channels < 1 || (width != 0 && height > limit / width / channels))
      throw std::invalid_argument("image size is out of range");
    const auto bytes = static_cast<size_t>(height * width * channels) * sizeof(T);
    data_ = {static_cast<T*>(detail::take_buffer(bytes)), Give{bytes}};
    view_ = packed(data_.get(), height, width, channels);
  }
  template <class U>
  static Image like(const ImageView<U>& other, int64_t channels = 1) {
    return Image(other.height, other.width, channels);
  }

  explicit operator bool() const { return static_cast<bool>(view_); }
  ImageView<T> view() { return view_; }
  ImageView<const T> view() const { return view_; }
  operator ImageView<T>() { return view_; }
  operator ImageView<const T>() const { return view_; }
  T* data() { return view_.data; }
  const T* data() const { return view_.data; }
  T* row(int64_t y) { return view_.row(y); }
  const T* row(int64_t y) const { return view_.row(y); }
  int64_t height() const { return view_.height; }
  int64_t width() const { return view_.width; }
  int64_t pixels() const { return view_.pixels(); }

 private:
  struct Give {
    size_t bytes = 0;
    void operator()(T* data) const { detail::give_buffer(data, bytes); }
  };
  std::unique_ptr<T[], Give> data_;
  ImageView<T> view_;
};

}  // namespace alphacut
ALPHACUT_API_END
