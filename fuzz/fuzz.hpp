// What the fuzz entries share. An entry is one file with LLVMFuzzerTestOneInput: under libFuzzer it is given what that
// makes up, else (replay.cpp) the files of a folder.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <span>
#include <type_traits>
#include <vector>

#include "alphacut/alphacut.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace fuzz {

// What must hold of any input; else this input is kept as one that crashes.
#define REQUIRE(...)                                                                        \
  do {                                                                                      \
    if (!(__VA_ARGS__)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #__VA_ARGS__); \
      std::abort();                                                                         \
    }                                                                                       \
  } while (false)

// Takes choices and pixels from the front of the bytes; zeros follow.
class Input {
 public:
  explicit Input(std::span<const uint8_t> bytes) : left_(bytes) {}

  uint8_t byte() {
    if (left_.empty()) return 0;
    const uint8_t first = left_.front();
    left_ = left_.subspan(1);
    return first;
  }
  template <class T>
  T raw() {
    uint8_t bytes[sizeof(T)];
    for (uint8_t& each : bytes) each = byte();
    T value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
  }
  bool flag() { return byte() % 2 != 0; }
  int64_t between(int64_t low, int64_t high) { return low + raw<uint16_t>() % std::max<int64_t>(1, high - low + 1); }
  template <class T, size_t n>
  T one_of(const T (&values)[n]) {
    return values[byte() % n];
  }
  // Mostly within low..high, sometimes any double there is.
  double real(double low, double high) {
    const uint8_t kind = byte();
    if (kind == 255) return raw<double>();
    if (kind == 254) return one_of({-1.0, 0.0, 1e-300, 1e300, double{INFINITY}, double{NAN}, low, high});
    return low + (high - low) * raw<uint16_t>() / 65535;
  }
  // Mostly within low..high, sometimes any.
  int64_t whole(int64_t low, int64_t high) {
    const uint8_t kind = byte();
    if (kind == 255) return raw<int64_t>();
    if (kind == 254)
      return one_of({int64_t{0}, int64_t{-1}, low - 1, high + 1, int64_t{1} << 31, std::numeric_limits<int64_t>::min(),
                     std::numeric_limits<int64_t>::max()});
    return between(low, high);
  }
  // A side of a picture: mostly small.
  int64_t side() {
    const uint8_t value = byte();
    return value < 200 ? value % 33 : value % 8 == 0 ? between(33, 300) : value - 136;
  }

  // A picture by one of a few recipes, as long as the pixels themselves are not worth choosing.
  template <class T>
  alphacut::Image<T> image(int64_t height, int64_t width, int64_t channels = 1, int most = 255) {
    alphacut::Image<T> made(height, width, channels);
    const int64_t values = height * width * channels;
    const uint8_t recipe = byte(), seed = byte();
    std::minstd_rand random(seed + 1u);
    for (int64_t i = 0; i < values; ++i) {
      const int64_t pixel = i / channels, x = pixel % width, y = pixel / width, c = i % channels;
      uint32_t value = 0;
      switch (recipe % 8) {
        case 0:
          value = byte();
          break;  // as given
        case 1:
          value = seed;
          break;  // one value
        case 2:
          value = random() >> 8;
          break;  // noise
        case 3:
          value = random() % 64 == 0 ? random() >> 8 : seed;
          break;  // specks
        case 4:
          value = static_cast<uint32_t>(2 * x + y + 40 * c + (random() >> 8) % 5);
          break;  // a slope
        case 5:
          value = (x / 4 + y / 4) % 2 == 0 ? seed : 255u - seed;
          break;  // squares
        case 6:
          value = std::abs(2 * x - width) < width / 2 && std::abs(2 * y - height) < height / 2
                      ? seed + static_cast<uint32_t>(30 * c) + (random() >> 8) % 9
                      : 200u + (random() >> 8) % 9;
          break;  // something in the middle
        default:
          value = y % 2 == 0 && x < width - y % 4 ? seed : 0;
          break;  // lines
      }
      value %= static_cast<uint32_t>(most) + 1;
      if constexpr (std::is_floating_point_v<T>)
        made.data()[i] = static_cast<T>(value) / static_cast<T>(most);
      else if constexpr (std::is_same_v<T, uint16_t>)
        made.data()[i] = static_cast<T>(257 * value);
      else
        made.data()[i] = static_cast<T>(value);
    }
    if (std::is_floating_point_v<T> && recipe >= 248 && values > 0)  // what is refused
      made.data()[raw<uint16_t>() % values] = raw<T>();
    return made;
  }

 private:
  std::span<const uint8_t> left_;
};

}  // namespace fuzz
