// Differential fuzzer: every kernel, on random rows of every length and alignment, must write the same bytes and return
// the same value in every table of this machine, change no input and nothing outside its output.
//   fuzz_kernels [seed [rounds]]
// A new kernel is one line in main: its arguments as `in<T>(values a pixel)`, `out<T>(values a pixel)`, `count`, or
// plain values. The buffers end where the row ends, so that AddressSanitizer sees a kernel that reads or writes past
// it.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "check.hpp"
#include "dispatch.hpp"

using namespace alphacut;

namespace {

std::mt19937_64 random_bits;

int64_t random_below(int64_t limit) { return static_cast<int64_t>(random_bits() % static_cast<uint64_t>(limit)); }

// An integer over its whole range, a float in 0..1, the ends more often than by chance.
template <class T>
T random_value() {
  const int64_t kind = random_below(8);
  if constexpr (std::is_floating_point_v<T>)
    return kind == 0 ? T{0} : kind == 1 ? T{1} : static_cast<T>(random_below(1 << 24)) / static_cast<T>(1 << 24);
  else
    return kind == 0   ? std::numeric_limits<T>::min()
           : kind == 1 ? std::numeric_limits<T>::max()
                       : static_cast<T>(random_bits());
}

struct Count {};
constexpr Count count;  // the number of pixels, a size_t

// A buffer of n · each + extra values.
template <class T, bool kInput>
struct Buffer {
  int64_t each, extra;
  std::vector<unsigned char> bytes;
  size_t offset = 0;

  void fill(int64_t n) {
    offset = sizeof(T) * static_cast<size_t>(random_below(64));
    bytes.assign(offset + sizeof(T) * static_cast<size_t>(n * each + extra), 0xa5);
    if (!kInput) return;
    for (size_t at = offset; at < bytes.size(); at += sizeof(T)) {
      const T value = random_value<T>();
      std::memcpy(bytes.data() + at, &value, sizeof(T));
    }
  }
  std::conditional_t<kInput, const T*, T*> argument(int64_t) { return reinterpret_cast<T*>(bytes.data() + offset); }
};

template <class T>
Buffer<T, true> in(int64_t each, int64_t extra = 0) {
  return {each, extra, {}};
}
template <class T>
Buffer<T, false> out(int64_t each, int64_t extra = 0) {
  return {each, extra, {}};
}

template <class T, bool kInput>
void fill(Buffer<T, kInput>& buffer, int64_t n) {
  buffer.fill(n);
}
template <class Value>
void fill(Value&, int64_t) {}

template <class T, bool kInput>
auto argument(Buffer<T, kInput>& buffer, int64_t n) {
  return buffer.argument(n);
}
size_t argument(Count, int64_t n) { return static_cast<size_t>(n); }
template <class Value>
  requires std::is_arithmetic_v<Value>
Value argument(Value value, int64_t) {
  return value;
}

template <class T, bool kInput>
bool same(const Buffer<T, kInput>& a, const Buffer<T, kInput>& b) {
  return a.bytes == b.bytes;
}
template <class Value>
bool same(const Value&, const Value&) {
  return true;
}

// Calls the kernel on its own copy of the arguments. Returns what it returned, 0 if nothing.
template <class Kernel, class... Arguments>
int64_t call(Kernel kernel, std::tuple<Arguments...>& arguments, int64_t n) {
  return std::apply(
      [&](auto&... each) -> int64_t {
        if constexpr (std::is_void_v<decltype(kernel(argument(each, n)...))>) {
          kernel(argument(each, n)...);
          return 0;
        } else {
          return static_cast<int64_t>(kernel(argument(each, n)...));
        }
      },
      arguments);
}

template <class Pick, class... Arguments>
void compare(const char* name, Pick pick, Arguments... arguments) {
  const int64_t n = random_below(20) == 0 ? random_below(3000) : random_below(131);
  std::tuple<Arguments...> first{arguments...};
  std::apply([&](auto&... each) { (fill(each, n), ...); }, first);
  const std::tuple<Arguments...> fresh = first;
  const std::vector<std::string> names = available_isas();
  set_isa(names.front());
  const int64_t expected = call(pick(kernels()), first, n);
  for (size_t i = 1; i < names.size(); ++i) {
    set_isa(names[i]);
    std::tuple<Arguments...> other = fresh;
    const int64_t result = call(pick(kernels()), other, n);
    const bool equal = [&]<size_t... k>(std::index_sequence<k...>) {
      return (same(std::get<k>(first), std::get<k>(other)) && ...);
    }(std::index_sequence_for<Arguments...>());
    if (!equal || result != expected)
      check::that(false, (std::string(name) + " in " + names[i] + ", n = " + std::to_string(n)).c_str(), __FILE__,
                  __LINE__);
  }
}

#define KERNEL(stage, name, ...) compare(#stage "." #name, [](const Kernels& k) { return k.stage.name; }, __VA_ARGS__)

void round() {
  using u8 = uint8_t;
  using f32 = float;
  KERNEL(color, gray_u8, in<u8>(3), count, out<u8>(1));
  KERNEL(color, gray_f32, in<f32>(3), count, out<f32>(1));
  KERNEL(color, in_range_f32, in<f32>(1), count, 0.0f, random_below(2) ? 1.0f : random_value<f32>());
  KERNEL(threshold, above_u8, in<u8>(1), count, random_value<u8>(), out<u8>(1));
  KERNEL(threshold, above_f32, in<f32>(1), count, random_value<f32>(), out<u8>(1));
  KERNEL(composite, blend_u8, in<u8>(3), in<u8>(1), in<u8>(3), count, out<u8>(3));
  KERNEL(composite, blend_f32, in<f32>(3), in<f32>(1), in<f32>(3), count, out<f32>(3));
  KERNEL(composite, spread_u8, in<u8>(1), count, out<u8>(3));
  KERNEL(composite, spread_f32, in<f32>(1), count, out<f32>(3));
  KERNEL(composite, rgba_u8, in<u8>(3), in<u8>(1), count, out<u8>(4));
  KERNEL(composite, rgba_f32, in<f32>(3), in<f32>(1), count, out<f32>(4));
  KERNEL(composite, premultiply_u8, in<u8>(4), count, out<u8>(4));
  KERNEL(composite, premultiply_f32, in<f32>(4), count, out<f32>(4));
  KERNEL(composite, unpremultiply_u8, in<u8>(4), count, out<u8>(4));
  KERNEL(composite, unpremultiply_f32, in<f32>(4), count, out<f32>(4));
}

}  // namespace

int main(int argc, char** argv) {
  const uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  const long rounds = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 1000;
  random_bits.seed(seed);
  for (long i = 0; i < rounds && check::failures < 20; ++i) round();
  std::printf("%ld rounds from seed %llu\n", rounds, static_cast<unsigned long long>(seed));
  return check::result();
}
