// What a tracker knows, as bytes of this machine and back: `archive(a)` of a type names its members once for both ways.
#pragma once

#include <array>
#include <cstring>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "alphacut/image.hpp"

namespace alphacut {

class ToBytes {
 public:
  static constexpr bool kReads = false;
  void raw(const void* data, size_t size) {
    const auto* from = static_cast<const uint8_t*>(data);
    bytes.insert(bytes.end(), from, from + size);
  }
  std::vector<uint8_t> bytes;
};

// Throws std::invalid_argument where the bytes end early.
class FromBytes {
 public:
  static constexpr bool kReads = true;
  explicit FromBytes(std::span<const uint8_t> bytes) : left_(bytes) {}
  void raw(void* data, size_t size) {
    require(size);
    if (size != 0) std::memcpy(data, left_.data(), size);
    left_ = left_.subspan(size);
  }
  void require(size_t size) const {
    if (size > left_.size()) throw std::invalid_argument("state is cut short");
  }
  bool at_end() const { return left_.empty(); }

 private:
  std::span<const uint8_t> left_;
};

template <class A, class T>
void archive(A& a, T& value) {
  if constexpr (requires { value.archive(a); }) {
    value.archive(a);
  } else {
    static_assert(std::is_arithmetic_v<T>);
    if constexpr (std::is_same_v<T, bool>) {
      uint8_t byte = value;
      a.raw(&byte, 1);
      value = byte != 0;
    } else {
      a.raw(&value, sizeof value);
    }
  }
}
template <class A, class T, size_t n>
void archive(A& a, std::array<T, n>& values) {
  for (T& value : values) archive(a, value);
}
template <class A, class T>
void archive(A& a, std::vector<T>& values) {
  uint64_t count = values.size();
  archive(a, count);
  if constexpr (A::kReads) {
    a.require(count);  // each takes a byte at least
    values.resize(count);
  }
  if constexpr (std::is_arithmetic_v<T>)
    a.raw(values.data(), count * sizeof(T));
  else
    for (T& value : values) archive(a, value);
}
template <class A, class T>
void archive(A& a, Image<T>& image) {
  std::array<int64_t, 3> size{image.height(), image.width(), image.view().channels};
  archive(a, size);
  const auto [height, width, channels] = size;
  if constexpr (A::kReads) {
    constexpr int64_t most = int64_t{1} << 20;  // a side: what is cut short is found before it is asked for
    if (height < 0 || width < 0 || channels < 1 || height > most || width > most || channels > 4)
      throw std::invalid_argument("state holds a picture of no size");
    a.require(static_cast<size_t>(height * width * channels) * sizeof(T));
    image = height * width == 0 ? Image<T>() : Image<T>(height, width, channels);
  }
  a.raw(image.data(), static_cast<size_t>(height * width * channels) * sizeof(T));
}
template <class A, class... T>
void archive_all(A& a, T&... values) {
  (archive(a, values), ...);
}

}  // namespace alphacut
