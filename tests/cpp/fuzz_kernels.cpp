// Differential fuzzer: every kernel, on random rows of every length and alignment, must write the same bytes and return
// the same value in every table of this machine, change no input and nothing outside its output.
//   fuzz_kernels [seed [rounds]]
// A new kernel is one KERNEL line: its arguments as `in<T>(values a pixel)`, `out<T>(values a pixel)`, `inout<T>(...)`,
// `count`, or plain values; a kernel that takes more than these is called by an ADAPTED lambda. One without a line
// fails. The buffers end where the row ends, so that AddressSanitizer sees a kernel that reads or writes past it.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <limits>
#include <memory>
#include <random>
#include <set>
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

bool random_bool() { return random_below(2) != 0; }
int64_t random_from(int64_t low, int64_t high) { return low + random_below(high - low + 1); }

// Any bits: infinities, NaN and what is too small for a normal number among them.
float random_float_bits() { return std::bit_cast<float>(static_cast<uint32_t>(random_bits())); }

struct Count {};
constexpr Count count;  // the number of pixels, a size_t

// ceil(n / per) · each + extra values.
struct Length {
  int64_t each, extra, per;
  Length(int64_t each_, int64_t extra_ = 0, int64_t per_ = 1) : each(each_), extra(extra_), per(per_) {}
  int64_t of(int64_t n) const { return (n + per - 1) / per * each + extra; }
};

template <class T>
using Source = T (*)();

// A buffer the kernel may write if T is not const; filled from `source`, with a pattern if that is null.
template <class T>
struct Buffer {
  using Value = std::remove_const_t<T>;
  Length length;
  Source<Value> source;
  std::vector<unsigned char> bytes = {};
  size_t offset = 0;

  void fill(int64_t n) {
    offset = sizeof(T) * static_cast<size_t>(random_below(64));
    bytes.assign(offset + sizeof(T) * static_cast<size_t>(length.of(n)), 0xa5);
    if (source == nullptr) return;
    for (size_t at = offset; at < bytes.size(); at += sizeof(T)) {
      const Value value = source();
      std::memcpy(bytes.data() + at, &value, sizeof(T));
    }
  }
  T* argument() { return reinterpret_cast<T*>(bytes.data() + offset); }
};

template <class T>
Buffer<const T> in(Length length, Source<T> source = random_value<T>) {
  return {length, source};
}
template <class T>
Buffer<T> out(Length length) {
  return {length, nullptr};
}
template <class T>
Buffer<T> inout(Length length, Source<T> source = random_value<T>) {
  return {length, source};
}

template <class T>
void fill(Buffer<T>& buffer, int64_t n) {
  buffer.fill(n);
}
template <class Value>
void fill(Value&, int64_t) {}

template <class T>
auto argument(Buffer<T>& buffer, int64_t) {
  return buffer.argument();
}
size_t argument(Count, int64_t n) { return static_cast<size_t>(n); }
template <class Value>
  requires std::is_arithmetic_v<Value>
Value argument(Value value, int64_t) {
  return value;
}

template <class T>
bool same(const Buffer<T>& a, const Buffer<T>& b) {
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

std::set<std::uintptr_t> seen;  // the kernels of the first table that were called

// `pick` takes a kernel from a table, `adapt` makes of it what is called with the arguments.
template <class Pick, class Adapt, class... Arguments>
void compare(const char* name, Pick pick, Adapt adapt, Arguments... arguments) {
  const int64_t n = random_below(20) == 0 ? random_below(3000) : random_below(131);
  std::tuple<Arguments...> first{arguments...};
  std::apply([&](auto&... each) { (fill(each, n), ...); }, first);
  const std::tuple<Arguments...> fresh = first;
  const std::vector<std::string> names = available_isas();
  set_isa(names.front());
  seen.insert(reinterpret_cast<std::uintptr_t>(pick(kernels())));
  const int64_t expected = call(adapt(pick(kernels())), first, n);
  for (size_t i = 1; i < names.size(); ++i) {
    set_isa(names[i]);
    std::tuple<Arguments...> other = fresh;
    const int64_t result = call(adapt(pick(kernels())), other, n);
    const bool equal = [&]<size_t... k>(std::index_sequence<k...>) {
      return (same(std::get<k>(first), std::get<k>(other)) && ...);
    }(std::index_sequence_for<Arguments...>());
    if (!equal || result != expected)
      check::that(false, (std::string(name) + " in " + names[i] + ", n = " + std::to_string(n)).c_str(), __FILE__,
                  __LINE__);
  }
}

#define PICK(stage, name) #stage "." #name, [](const Kernels& k) { return k.stage.name; }
#define KERNEL(stage, name, ...) compare(PICK(stage, name), [](auto kernel) { return kernel; }, __VA_ARGS__)
// ADAPTED(stage, name, (parameters) { calls kernel }), arguments...): by way of a lambda, which may capture.
#define ADAPTED(...) [=](auto kernel) { return [=] __VA_ARGS__; }

using u8 = uint8_t;
using i16 = int16_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using i32 = int32_t;
using i64 = int64_t;
using f32 = float;
using f64 = double;

// What the accumulating kernels add to, and prefix sums that cannot overflow.
template <class T>
T below_2_22() {
  return static_cast<T>(random_below(1 << 22));
}
float level() { return 255 * random_value<f32>(); }
float signed_float() { return 2 * random_value<f32>() - 1; }
float half_step() { return static_cast<float>(random_from(-(1 << 22), 1 << 22)) / 2; }
double zero_or_one() { return random_bool() ? 1 : 0; }

void color() {
  KERNEL(color, gray_u8, in<u8>(3), count, out<u8>(1));
  KERNEL(color, gray_f32, in<f32>(3), count, out<f32>(1));
  KERNEL(color, in_range_f32, in<f32>(1), count, 0.0f, random_bool() ? 1.0f : random_value<f32>());
  const size_t step = random_bool() ? 3 : 1;
  compare(PICK(color, lab), ADAPTED((const f64* rgb, size_t n, f32* result) {
            kernel(rgb, rgb + n, rgb + 2 * n, n, result, step, step == 3 ? 1 : n);
          }),
          in<f64>(3), count, out<f32>(3));
  KERNEL(color, in_range_f32, in<f32>({0, random_below(4)}, random_float_bits), size_t{0}, 0.0f, 1.0f);
}

// Rows of n + around values.
template <class T, class Median>
auto median_of(Median kernel, int rows, size_t step) {
  return [=](const T* values, size_t n, T* scratch, T* result) {
    const T* row[5];
    for (int i = 0; i < rows; ++i) row[i] = values + i * (n + (rows - 1) * step);
    kernel(row, n, step, scratch, result);
  };
}

// Results of `taps` neighbours out of rows of 32 pixels.
template <class Row, class T, class Across>
auto across_of(Across kernel, size_t taps, size_t channels, Row divisor) {
  return [=](const Row* row, const u8* places, const Row* weights, size_t n, T* result) {
    std::vector<int64_t> first(places, places + n);
    for (int64_t& place : first) place %= static_cast<int64_t>(33 - taps);
    kernel(row, first.data(), weights, taps, n, channels, divisor, result);
  };
}

void preprocess() {
  const int64_t step = random_from(1, 4);
  const size_t distance = static_cast<size_t>(step);
  const Length three(3, 6 * step), five(5, 20 * step);
  const auto median3 = [=]<class T>(T) { return [=](auto kernel) { return median_of<T>(kernel, 3, distance); }; };
  const auto median5 = [=]<class T>(T) { return [=](auto kernel) { return median_of<T>(kernel, 5, distance); }; };
  compare(PICK(preprocess, median3_u8), median3(u8{}), in<u8>(three), count, out<u8>(three), out<u8>(1));
  compare(PICK(preprocess, median5_u8), median5(u8{}), in<u8>(five), count, out<u8>(five), out<u8>(1));
  compare(PICK(preprocess, median3_f32), median3(f32{}), in<f32>(three, random_float_bits), count, out<f32>(three),
          out<f32>(1));
  compare(PICK(preprocess, median5_f32), median5(f32{}), in<f32>(five, random_float_bits), count, out<f32>(five),
          out<f32>(1));

  const f32 spatial = random_value<f32>(), scale = 1000 * random_value<f32>();
  KERNEL(preprocess, bilateral_tap1, in<f32>(1), in<f32>(1), size_t{0}, count, spatial, scale, inout<f32>(1),
         inout<f32>(1));
  const int64_t gap = random_below(5);
  const Length planes(3, 2 * gap);
  compare(PICK(preprocess, bilateral_tap3),
          ADAPTED((const f32* center, const f32* near, size_t n, f32* weights, f32* sums) {
            kernel(center, near, n + static_cast<size_t>(gap), n, spatial, scale, weights, sums);
          }),
          in<f32>(planes), in<f32>(planes), count, inout<f32>(1), inout<f32>(planes));

  const int more = random_bool();
  KERNEL(preprocess, weigh_u8, in<u8>(1), count, random_value<f32>(), more, inout<f32>(1));
  KERNEL(preprocess, weigh_f32, in<f32>(1), count, random_value<f64>(), more, inout<f64>(1));
  const size_t taps = static_cast<size_t>(random_from(1, 5)), channels = static_cast<size_t>(random_from(1, 4));
  const int64_t each = static_cast<int64_t>(taps), row = 32 * static_cast<int64_t>(channels);
  const f32 divisor = random_bool() ? 1.0f : 1 + 9 * random_value<f32>();
  compare(
      PICK(preprocess, across_u8), [=](auto kernel) { return across_of<f32, u8>(kernel, taps, channels, divisor); },
      in<f32>({0, row}, level), in<u8>(1), in<f32>(each), count, out<u8>(row / 32));
  compare(
      PICK(preprocess, across_f32),
      [=](auto kernel) { return across_of<f64, f32>(kernel, taps, channels, static_cast<f64>(divisor)); },
      in<f64>({0, row}), in<u8>(1), in<f64>(each), count, out<f32>(row / 32));
}

// Rows of n values, 2 radius + 1 of them.
template <class T, class Sum, class Blur>
auto blur_of(Blur kernel, size_t radius) {
  return [=](const T* values, const Sum* weights, size_t n, Sum* result) {
    std::vector<const T*> rows;
    for (size_t k = 0; k <= 2 * radius; ++k) rows.push_back(values + k * n);
    kernel(rows.data(), weights, radius, n, result);
  };
}

void blur() {
  const int64_t radius = random_below(7), rows = 2 * radius + 1;
  const auto reach = static_cast<size_t>(radius);
  compare(
      PICK(preprocess, blur_u8), [=](auto kernel) { return blur_of<u8, u16>(kernel, reach); }, in<u8>(rows),
      in<u16>({0, radius + 1}), count, out<u16>(1));
  compare(
      PICK(preprocess, blur_u16), [=](auto kernel) { return blur_of<u16, u16>(kernel, reach); }, in<u16>(rows),
      in<u16>({0, radius + 1}), count, out<u16>(1));
  compare(
      PICK(preprocess, blur_f32), [=](auto kernel) { return blur_of<f32, f32>(kernel, reach); }, in<f32>(rows),
      in<f32>({0, radius + 1}), count, out<f32>(1));
}

template <class T>
void morphology(const char* name, MorphologyKernels::Of<T> MorphologyKernels::* depth) {
  const auto same = [](auto kernel) { return kernel; };
  const auto one = [&](auto member, auto... arguments) {
    compare(name, [=](const Kernels& k) { return (k.morphology.*depth).*member; }, same, arguments...);
  };
  using Of = MorphologyKernels::Of<T>;
  one(&Of::lower, in<T>(1), in<T>(1), count, out<T>(1));
  one(&Of::higher, in<T>(1), in<T>(1), count, out<T>(1));
  one(&Of::sink, in<T>(1), count, inout<T>(1));
  one(&Of::raise, in<T>(1), count, inout<T>(1));
  const int64_t rows = 1 + random_below(9);
  const auto many = [&](auto member) {
    const auto call_rows = [=](auto kernel) {
      return [=](const T* values, size_t n, T* best) {
        std::vector<const T*> all;
        for (int64_t k = 0; k < rows; ++k) all.push_back(values + static_cast<size_t>(k) * n);
        kernel(all.data(), all.size(), n, best);
      };
    };
    compare(
        name, [=](const Kernels& k) { return (k.morphology.*depth).*member; }, call_rows, in<T>(rows), count,
        out<T>(1));
  };
  many(&Of::lowest);
  many(&Of::highest);
}

void subject() {
  KERNEL(subject, start_paths, in<f32>(1), in<u8>(1), count,
         random_bool() ? std::numeric_limits<f32>::infinity() : 9.0f, out<f32>(1), out<f32>(1));
  const ptrdiff_t shift = random_bool() ? 1 : -1;
  const auto source = random_bool() ? random_value<f32> : random_float_bits;
  compare(PICK(subject, offer_paths),
          ADAPTED((const f32* value, size_t n, const f32* near_high, const f32* near_low, f32* high, f32* low) {
            const ptrdiff_t from = shift < 0 ? 1 : 0;
            kernel(value, n, near_high + from, near_low + from, shift, high, low);
          }),
          in<f32>(1, source), count, in<f32>({1, 1}, source), in<f32>({1, 1}, source), inout<f32>(1, source),
          inout<f32>(1, source));
  KERNEL(subject, path_ranges, in<f32>(1), in<f32>(1), count, out<f32>(1));
  const auto log_odds = [] { return 200 * random_value<f32>() - 100; };
  KERNEL(subject, logistic, in<f32>(1, log_odds), count, random_bool() ? -9.0f : -100.0f, out<f32>(1));
}

void threshold() {
  const u8 limit = random_value<u8>();
  KERNEL(threshold, above_u8, in<u8>(1), count, limit, out<u8>(1));
  compare(PICK(threshold, above_u8), ADAPTED((u8* values, size_t n) { kernel(values, n, limit, values); }),
          inout<u8>(1), count);
  KERNEL(threshold, above_u16, in<u16>(1), count, random_value<u16>(), out<u8>(1));
  KERNEL(threshold, above_i16, in<i16>(1), count, random_value<i16>(), out<u8>(1));
  KERNEL(threshold, above_i32, in<i32>(1), count, random_value<i32>(), out<u8>(1));
  KERNEL(threshold, above_f32, in<f32>(1, random_float_bits), count, random_value<f32>(), out<u8>(1));
  KERNEL(threshold, above_f64, in<f64>(1), count, random_value<f64>(), out<u8>(1));
  KERNEL(threshold, bins_f32, in<f32>(1), count, out<u8>(1));
  KERNEL(threshold, quantise_f32, in<f32>(1), count, out<u16>(1));
  KERNEL(threshold, widen_u8, in<u8>(1), count, out<f32>(1));
  KERNEL(threshold, fold_four, in<u32>(4), count, inout<u32>(1), out<u32>({0, 4}));

  KERNEL(threshold, slide_u8_u16, in<u8>(1), in<u8>(1), count, inout<u16>(1));
  KERNEL(threshold, slide_u8_u64, in<u8>(1), in<u8>(1), count, inout<u64>(1));
  KERNEL(threshold, slide_u16_u64, in<u16>(1), in<u16>(1), count, inout<u64>(1));
  KERNEL(threshold, slide_squares_u8_u32, in<u8>(1), in<u8>(1), count, inout<u32>(1));
  KERNEL(threshold, slide_squares_u8_u64, in<u8>(1), in<u8>(1), count, inout<u64>(1));
  KERNEL(threshold, slide_squares_u16, in<u16>(1), in<u16>(1), count, inout<u64>(1));

  KERNEL(threshold, prefix_u16_u32, in<u16>(1), count, random_value<u32>(), out<u32>(1));
  KERNEL(threshold, prefix_u32_u32, in<u32>(1), count, random_value<u32>(), out<u32>(1));
  KERNEL(threshold, prefix_u64_u64, in<u64>(1), count, random_value<u64>(), out<u64>(1));

  const int64_t window = random_from(1, 40);
  const size_t span = static_cast<size_t>(window);
  KERNEL(threshold, mean_u8_u32, in<u8>(1), count, in<u32>({1, window}), span, random_value<u32>(), random_value<i32>(),
         out<u8>(1));
  KERNEL(threshold, mean_u8_u64, in<u8>(1), count, in<u64>({1, window}), span, random_value<u64>(), random_value<i64>(),
         out<u8>(1));
  KERNEL(threshold, mean_u16_u64, in<u16>(1), count, in<u64>({1, window}), span, random_value<u64>(),
         random_value<i64>(), out<u8>(1));
  const f64 weight = random_value<f64>();
  SauvolaRow sauvola{static_cast<f64>(window * window),   1 - weight, weight / 128,
                     static_cast<f64>(half_step()) / 256, 0,          0};
  sauvola.extra = static_cast<u64>(random_from(1 << 22, 1 << 30));  // no sum is below 0
  sauvola.extra_squares = static_cast<u64>(random_from(1 << 22, int64_t{1} << 40));
  const auto by_row = ADAPTED((auto values, size_t n, auto prefix, auto squares, u8* mask) {
    kernel(values, n, prefix, squares, span, sauvola, mask);
  });
  const auto sums_u32 = in<u32>({1, window});  // modulo 2^32
  const auto sums_u64 = in<u64>({1, window}, below_2_22<u64>);
  compare(PICK(threshold, sauvola_u8_u32), by_row, in<u8>(1), count, sums_u32, sums_u32, out<u8>(1));
  compare(PICK(threshold, sauvola_u8_u64), by_row, in<u8>(1), count, sums_u64, sums_u64, out<u8>(1));
  compare(PICK(threshold, sauvola_u16), by_row, in<u16>(1), count, sums_u64, sums_u64, out<u8>(1));

  KERNEL(threshold, between, in<i32>(1), in<i32>(1), count, random_value<i32>(), random_value<i32>(), out<f64>(1));

  KERNEL(threshold, add_pair, in<f32>(1), in<f32>(1), count, random_value<f32>(), inout<f32>(1));
  KERNEL(threshold, round_f32, inout<f32>(1, half_step), count);
  KERNEL(threshold, above_mean, in<f32>(1), in<f32>(1), count, random_value<f32>(), out<u8>(1));
}

// 64 pixels of a mask: all equal, one change, noise with more or fewer runs, the most runs.
u64 mask_word() {
  const u64 noise = random_bits(), change = ~u64{0} << random_below(64);
  switch (random_below(8)) {
    case 0:
      return 0;
    case 1:
      return ~u64{0};
    case 2:
      return change;
    case 3:
      return ~change;
    case 4:
      return noise & random_bits() & random_bits();
    case 5:
      return noise | random_bits() | random_bits();
    case 6:
      return 0x5555555555555555u;
    default:
      return noise;
  }
}
u8 mask_byte() { return random_bool() ? random_value<u8>() : u8{0}; }

// Two rows of n / 64 + 1 words, the bits beyond n 0; of a single row the second is 0.
struct MaskBand {
  std::vector<u64> first, second;

  MaskBand(const u64* from, size_t n, bool two) : first(from, from + n / 64 + 1), second(first.size()) {
    if (two) second.assign(from + first.size(), from + 2 * first.size());
    first.back() &= (u64{1} << n % 64) - 1;
    second.back() &= (u64{1} << n % 64) - 1;
  }
  size_t words() const { return first.size(); }
  BitBand band() const { return {first.data(), second.data()}; }
  size_t runs() const {
    size_t sum = 0;
    for (size_t x = 0; x < 64 * words(); ++x) sum += set(x) && (x == 0 || !set(x - 1));
    return sum;
  }

 private:
  bool set(size_t x) const { return ((first[x / 64] | second[x / 64]) >> x % 64 & 1) != 0; }
};

void components() {
  compare(PICK(components, pack_bits), ADAPTED((const u8* values, size_t n, u64* result) {
            std::vector<u64> words(n / 64 + 1);
            kernel(values, n, words.data());
            std::copy(words.begin(), words.end(), result);
          }),
          in<u8>(1, random_bool() ? mask_byte : random_value<u8>), count, out<u64>({1, 1, 64}));

  const bool two = random_bool();
  const auto rows = in<u64>({2, 2, 64}, mask_word);
  const Length runs(1, 0, 2);  // the most there can be
  compare(PICK(components, count_runs), ADAPTED((const u64* bits, size_t n) {
            const MaskBand mask(bits, n, two);
            return kernel(mask.band(), mask.words());
          }),
          rows, count);
  compare(PICK(components, link_runs),
          ADAPTED((const u64* above, const u64* below, size_t n, RunLink* links, i32* first, i32* second, u64* counts) {
            const MaskBand upper(above, n, two), lower(below, n, two);
            const LinkCounts found =
                kernel(upper.band(), lower.band(), lower.words(), static_cast<int>(two), links, first, second);
            counts[0] = found.links, counts[1] = found.first, counts[2] = found.second;
          }),
          rows, rows, count, out<RunLink>({64, 64, 64}), out<i32>(runs), out<i32>(runs), out<u64>({0, 3}));
  const auto measured = ADAPTED((const u64* bits, size_t n, auto result) {
    const MaskBand mask(bits, n, two);
    kernel(mask.band(), mask.words(), result);
  });
  compare(PICK(components, count_pixels), measured, rows, count, out<i32>(runs));
  compare(PICK(components, sum_runs), measured, rows, count, out<RunSums>(runs));

  const bool both = random_bool();  // rows to paint
  compare(PICK(components, paint_labels),
          ADAPTED((const u64* bits, const i32* values, size_t n, i32* first, i32* second) {
            const MaskBand mask(bits, n, two);
            const std::vector<i32> labels(values, values + 1 + mask.runs() + 16);
            kernel(mask.band(), labels.data() + 1, n, first, both ? second : nullptr);
          }),
          rows, in<i32>({1, 17, 2}), count, out<i32>(1), out<i32>(1));
  const u8 inside = random_bool() ? 255 : 0;
  compare(PICK(components, paint_mask), ADAPTED((const u64* bits, const u64* values, size_t n, u8* first, u8* second) {
            const MaskBand mask(bits, n, two);
            const std::vector<u64> chosen(values, values + mask.runs() / 64 + 2);
            kernel(mask.band(), chosen.data(), n, inside, first, both ? second : nullptr);
          }),
          rows, in<u64>({1, 2, 64}), count, out<u8>(1), out<u8>(1));
}

template <class T>
void kmeans(const char* assign, const char* relax, const char* potentials, const char* square_sum,
            KmeansRowKernels<T> KmeansKernels::* rows) {
  const int channels = random_bool() ? 3 : 1, k = static_cast<int>(random_from(1, random_bool() ? 8 : 256));
  std::vector<KmeansCenter> centers(static_cast<size_t>(k));
  for (KmeansCenter& center : centers) {
    center.norm = 0;
    for (int c = 0; c < 3; ++c) {
      center.value[c] = c < channels ? static_cast<i32>(random_from(0, 16320)) : 0;
      center.norm += center.value[c] * center.value[c];
    }
  }
  compare(
      assign, [=](const Kernels& table) { return (table.kmeans.*rows).assign; },
      ADAPTED((const T* pixels, size_t n, u8* labels, i64* sums) {
        kernel(pixels, n, channels, centers.data(), k, labels, sums);
      }),
      in<T>(channels), count, out<u8>(1), inout<i64>({0, 4 * k}, below_2_22<i64>));
  compare(
      relax, [=](const Kernels& table) { return (table.kmeans.*rows).relax; },
      ADAPTED(
          (const T* pixels, size_t n, u32* distances) { kernel(pixels, n, channels, centers.data(), k, distances); }),
      in<T>(channels), count, inout<u32>(1));
  compare(
      potentials, [=](const Kernels& table) { return (table.kmeans.*rows).potentials; },
      ADAPTED((const T* pixels, size_t n, const u32* distances, u64* sums) {
        kernel(pixels, n, channels, centers.data(), k, distances, sums);
      }),
      in<T>(channels), count, in<u32>(1), inout<u64>({0, k}));
  compare(
      square_sum, [=](const Kernels& table) { return (table.kmeans.*rows).square_sum; },
      [](auto kernel) { return kernel; }, in<T>(channels), count, channels);
}

// A count of a colour; so few that the sums of a box stay below 2^29.
u32 colour_count() { return random_bool() ? static_cast<u32>(random_below(1 << 16)) : 0; }

// A box with its corner at these eighths, or near those of `home` where that is given, and no pixels.
KmeansBox box_at(const u8* eighths, const i32* home) {
  KmeansBox box = {};
  for (int c = 0; c < 3; ++c) {
    const i32 eighth = home == nullptr ? eighths[c] % 32 : home[c] + eighths[c] % 3 - 1;
    box.corner[c] = 512 * (eighth < 0 ? 0 : eighth > 31 ? 31 : eighth);
  }
  return box;
}

void color_histogram() {
  const int channels = random_bool() ? 3 : 1, parts = static_cast<int>(random_from(1, 9));
  KERNEL(kmeans.box, keys, in<u8>(channels), count, channels, out<u32>(1));
  compare(PICK(kmeans.box, gather), ADAPTED((const u8* counts, u32* total, KmeansBox* box) {
            std::vector<const u8*> each;
            for (int i = 0; i < parts; ++i) each.push_back(counts + 512 * i);
            kernel(each.data(), parts, total, box);
          }),
          in<u8>({0, 512 * parts}), out<u32>({0, 512}), out<KmeansBox>({0, 1}));

  // All over the colours; or close to each other, so that many share a box.
  const i32 home[3] = {static_cast<i32>(random_below(32)), static_cast<i32>(random_below(32)),
                       static_cast<i32>(random_below(32))};
  const bool close = random_bool();
  const auto made = std::make_unique<KmeansForms>();
  made->k = static_cast<i32>(random_from(1, random_bool() ? 8 : 256));
  for (int j = 0; j < made->k; ++j) {
    i32 value[3];
    for (int c = 0; c < 3; ++c) {
      const int64_t any = close ? 512 * home[c] + random_from(-600, 1000) : random_from(0, 16320);
      value[c] = static_cast<i32>(any < 0 ? 0 : any > 16320 ? 16320 : any);
      made->value[c][j] = value[c];
      made->norm[j] += value[c] * value[c];
    }
    for (int i = 0; i < 64; ++i) made->plane[j][i] = -128 * (value[0] * (i % 8) + value[1] * (i / 8));
  }
  const KmeansForms* forms = made.get();
  compare(PICK(kmeans.box, assign), ADAPTED((const u8* eighths, const u32* counts, size_t n, i64* sums) {
            std::vector<KmeansBox> boxes;
            for (size_t i = 0; i < (n + 15) / 16; ++i) {
              KmeansBox box = box_at(eighths + 3 * i, close ? home : nullptr);
              for (u32 place = 0; place < 512; ++place) {
                const u32 pixels = counts[512 * i + place], above[4] = {place % 8, place / 8 % 8, place / 64, 1};
                for (int c = 0; c < 4; ++c) box.sum[c] += pixels * above[c];
              }
              boxes.push_back(box);
            }
            kernel(boxes.data(), counts, boxes.size(), forms, sums);
          }),
          in<u8>({3, 0, 16}), in<u32>({512, 0, 16}, colour_count), count,
          inout<i64>({0, 4 * forms->k}, below_2_22<i64>));
  compare(PICK(kmeans.box, label), ADAPTED((const u8* eighths, u8* labels) {
            const KmeansBox box = box_at(eighths, close ? home : nullptr);
            return kernel(&box, forms, labels);
          }),
          in<u8>({0, 3}), out<u8>({0, 512}));
}

GraphcutRow planes_of(const u8* values, size_t n) { return {{values, values + n, values + 2 * n}}; }

void superpixels() {
  const auto value = [] { return static_cast<i16>(random_from(-2000, 2000)); };
  const auto below = [] { return static_cast<i32>(random_from(0, 1 << 30)); };
  const i32 label = static_cast<i32>(random_below(1 << 20));
  compare(PICK(superpixels, offer),
          ADAPTED((const i16* x, size_t n, const i16* center, const i32* near, i32* best, i32* labels) {
            const i16* const channels[3] = {x, x + n, x + 2 * n};
            kernel(channels, n, center, near, label, best, labels);
          }),
          in<i16>(3, value), count, in<i16>({0, 3}, value), in<i32>(1, below), inout<i32>(1, below), inout<i32>(1));
}

void graphcut() {
  KERNEL(graphcut, or_i32, in<i32>(1), count);
  KERNEL(graphcut, split_rgb, in<u8>(3), count, out<u8>(1), out<u8>(1), out<u8>(1));
  compare(PICK(graphcut, sum_distance),
          ADAPTED((const u8* a, const u8* b, size_t n) { return kernel(planes_of(a, n), planes_of(b, n), n); }),
          in<u8>(3), in<u8>(3), count);
  const i32 last = static_cast<i32>(random_from(0, random_bool() ? 100 : 3 * 255 * 255));
  compare(PICK(graphcut, edge_weights), ADAPTED((const u8* a, const u8* b, size_t n, const i32* weights, i32* result) {
            kernel(planes_of(a, n), planes_of(b, n), n, weights, last, result);
          }),
          in<u8>(3), in<u8>(3), count, in<i32>({0, last + 1}), out<i32>(1));
  const int components = static_cast<int>(random_from(1, 8));
  compare(PICK(graphcut, mixture_score), ADAPTED((const u8* x, size_t n, const f32* mixture, f32* score, u8* best) {
            kernel(planes_of(x, n), n, mixture, components, score, best);
          }),
          in<u8>(3), count, in<f32>({0, 10 * components}, level), out<f32>(1), out<u8>(1));
  const f32 limit = 1 + level(), scale = 1e6f * random_value<f32>();
  const auto capacity = [] { return static_cast<i32>(random_from(-(1 << 29), 1 << 29)); };
  KERNEL(graphcut, terminals, in<f32>(1, level), in<f32>(1, level), in<f32>(1, signed_float), in<u8>(1),
         in<i32>(1, capacity), count, limit, scale, static_cast<i32>(random_below(1 << 30)), out<i32>(1));
  const auto domain = [] { return static_cast<u8>(random_below(3)); };
  KERNEL(graphcut, fold_edges, in<u8>(1, domain), count, inout<i32>(1, capacity), inout<i32>(1, capacity));
}

void chromakey() {
  const auto key = [](f32 full) {
    ChromakeyRow row;
    for (int c = 0; c < 3; ++c) row.start[c] = full * random_value<f32>(), row.step[c] = signed_float() * full / 100;
    row.luma_weight = random_value<f32>();
    row.similarity = full * random_value<f32>();
    row.inverse_blend = (1 + level()) / full;
    return row;
  };
  const ChromakeyRow key_u8 = key(255), key_f32 = key(1);
  const auto keyed_u8 = ADAPTED((const u8* pixels, size_t n, u8* alpha) { kernel(pixels, n, &key_u8, alpha); });
  const auto keyed_f32 = ADAPTED((const f32* pixels, size_t n, f32* alpha) { kernel(pixels, n, &key_f32, alpha); });
  compare(PICK(chromakey, key1_u8), keyed_u8, in<u8>(1), count, out<u8>(1));
  compare(PICK(chromakey, key3_u8), keyed_u8, in<u8>(3), count, out<u8>(1));
  compare(PICK(chromakey, key1_f32), keyed_f32, in<f32>(1), count, out<f32>(1));
  compare(PICK(chromakey, key3_f32), keyed_f32, in<f32>(3), count, out<f32>(1));

  const bool alpha_too = random_bool();
  const int strong = static_cast<int>(random_from(1, 6));  // some channels, not all
  const auto despill = [=](f32 full) {
    return DespillRow{{static_cast<f32>(strong & 1), static_cast<f32>(strong >> 1 & 1), static_cast<f32>(strong >> 2)},
                      full * random_value<f32>(),
                      random_value<f32>()};
  };
  const DespillRow spill_u8 = despill(255), spill_f32 = despill(1);
  compare(PICK(chromakey, despill_u8), ADAPTED((const u8* pixels, const u8* alpha, size_t n, u8* result) {
            kernel(pixels, alpha_too ? alpha : nullptr, n, &spill_u8, result);
          }),
          in<u8>(3), in<u8>(1), count, out<u8>(3));
  compare(PICK(chromakey, despill_f32), ADAPTED((const f32* pixels, const f32* alpha, size_t n, f32* result) {
            kernel(pixels, alpha_too ? alpha : nullptr, n, &spill_f32, result);
          }),
          in<f32>(3), in<f32>(1), count, out<f32>(3));
}

// Column sums of the guided filter that some picture has, `rows` rows of it.
std::vector<f64> guided_columns(const f32* guide, const f32* source, size_t n, int channels, int rows) {
  const size_t terms = static_cast<size_t>(2 + 2 * channels + channels * (channels + 1) / 2);
  std::vector<f64> columns(terms * n);
  for (int y = 0; y < rows; ++y) {
    const size_t from = static_cast<size_t>(y) * n;
    kernels().matting.guided_accumulate(guide + from * static_cast<size_t>(channels), source + from, nullptr, n,
                                        channels, 1, columns.data());
  }
  return columns;
}

void guided_filter() {
  const int channels = random_bool() ? 3 : 1, terms = 2 + 2 * channels + channels * (channels + 1) / 2;
  const bool weighted = random_bool();
  const f64 sign = random_bool() ? 1 : -1, eps = 1e-6 + random_value<f64>();
  const size_t radius = static_cast<size_t>(random_from(1, random_bool() ? 4 : 200));
  compare(PICK(matting, guided_accumulate),
          ADAPTED((const f32* guide, const f32* source, const f32* weight, size_t n, f64* columns) {
            kernel(guide, source, weighted ? weight : nullptr, n, channels, sign, columns);
          }),
          in<f32>(channels), in<f32>(1), in<f32>(1), count, inout<f64>(terms));
  compare(PICK(matting, guided_solve), ADAPTED((const f32* guide, const f32* source, size_t n, f32* coefficients) {
            const std::vector<f64> columns = guided_columns(guide, source, n, channels, 3);
            kernel(columns.data(), n, radius, channels, eps, coefficients);
          }),
          in<f32>(3 * channels), in<f32>(3), count, out<f32>(channels + 2));
  KERNEL(matting, guided_add, in<f32>(1), count, sign, inout<f64>(1));
  compare(PICK(matting, guided_mean), ADAPTED((const f64* sums, size_t n, f32* coefficients) {
            const size_t each = static_cast<size_t>(channels + 2);
            std::vector<f64> columns(sums, sums + each * n);
            for (size_t i = 1; i <= n; ++i) columns[each * i - 1] = sums[each * i - 1] < 0.5 ? 0 : 3;  // whole numbers
            kernel(columns.data(), n, radius, channels, coefficients);
          }),
          in<f64>(channels + 2), count, out<f32>(channels + 2));
  KERNEL(matting, guided_apply, in<f32>(channels), in<f32>(channels + 2, signed_float), count, channels, out<f32>(1));
}

// n / 8 blocks of 8 pixels, which lie one after the other with some pixels between, in a padded picture of 40 columns.
constexpr ptrdiff_t kPitch = 40, kMargin = 2 * kPitch + 2;
std::vector<int64_t> block_places(size_t blocks, int64_t distance) {
  std::vector<int64_t> at(blocks);
  for (size_t b = 0; b < blocks; ++b) at[b] = kMargin + static_cast<int64_t>(b) * distance;
  return at;
}

void matting_laplacian() {
  const f64 eps = 1e-7 + 1e-3 * random_value<f64>();
  KERNEL(matting, laplacian_block, in<f32>({0, 240}), in<f64>({0, 48}, zero_or_one), in<f32>({0, 8}), eps,
         out<f32>({0, 200}));
  const int64_t distance = random_from(8, 11);
  const Length whole(distance, 2 * kMargin, 8), block(8, 0, 8);
  compare(PICK(matting, laplacian_apply), ADAPTED((const f32* coefficients, size_t n, const f32* p, f32* q, f64* dot) {
            const std::vector<int64_t> at = block_places((n + 7) / 8, distance);
            kernel(coefficients, at.data(), at.size(), kPitch, p, q, dot);
          }),
          in<f32>({200, 0, 8}, signed_float), count, in<f32>(whole), out<f32>(block), inout<f64>({0, 8}));
  const f32 step = signed_float();
  compare(PICK(matting, gradient_step),
          ADAPTED((const f32* p, size_t n, const f32* q, const f32* inverse, f32* x, f32* r, f64* dot) {
            const std::vector<int64_t> at = block_places((n + 7) / 8, distance);
            kernel(p, at.data(), at.size(), step, q, inverse, x, r, dot);
          }),
          in<f32>(whole), count, in<f32>(block), in<f32>(block), inout<f32>(block), inout<f32>(block),
          inout<f64>({0, 8}));
  compare(PICK(matting, gradient_turn), ADAPTED((const f32* r, const f32* inverse, size_t n, f32* p) {
            const std::vector<int64_t> at = block_places((n + 7) / 8, distance);
            kernel(r, inverse, at.data(), at.size(), step, p);
          }),
          in<f32>(block), in<f32>(block), count, inout<f32>(whole));
}

void matting() {
  const i32 cap = static_cast<i32>(random_from(1, 5000));
  const auto distance = [] { return random_bool() ? below_2_22<i32>() : -below_2_22<i32>(); };
  KERNEL(matting, distance_down, in<u8>(1), in<i32>(1, distance), count, cap, out<i32>(1));
  KERNEL(matting, distance_up, in<i32>(1, distance), count, inout<i32>(1, distance));
  constexpr size_t rays = MattingKernels::kRays;
  compare(PICK(matting, walk_rays), ADAPTED((const f32* colours, const u8* labels, size_t n, i32* step, f32* cost) {
            std::vector<f32> planes(colours, colours + 3 * (n + rays));
            for (size_t i = 0; i < n + rays; ++i) planes.push_back(labels[i] % 16 < 4 ? 1 << labels[i] % 4 & 7 : 0);
            std::vector<int64_t> steps(n);
            for (size_t i = 0; i < n; ++i) steps[i] = static_cast<int64_t>(i * 7 % n);
            MattingKernels::Rays walk{};
            for (size_t i = 0; i < rays; ++i) {
              for (size_t c = 0; c < 3; ++c) walk.color[c][i] = colours[3 * i + c];
              walk.want[i] = labels[i] / 16 % 4;
              walk.limit[i] = labels[i] / 4;
            }
            kernel(planes.data(), static_cast<ptrdiff_t>(n + rays), steps.data(), n, &walk);
            std::copy_n(&walk.step[0][0], 2 * rays, step);
            std::copy_n(&walk.cost[0][0], 2 * rays, cost);
          }),
          in<f32>({3, 3 * rays}), in<u8>({1, rays}), count, out<i32>({0, 2 * rays}), out<f32>({0, 2 * rays}));
  KERNEL(matting, pair_misfits, in<f32>({0, 96}), in<f32>(3), count, in<f32>({0, 3}), out<f32>({0, 16}),
         out<f32>({0, 16}));
  constexpr size_t run = MattingKernels::kRun;
  compare(PICK(matting, best_mixtures), ADAPTED((const f32* mixtures, size_t n, const f32* colours, i32* best) {
            const int64_t steps[] = {2, 0, 1, 0, 3};  // one twice: of equals the earlier counts
            kernel(mixtures, static_cast<ptrdiff_t>(n + 3), steps, std::size(steps), colours, n < run ? n : run, best);
          }),
          in<f32>({7, 21}), count, in<f32>({0, 3 * run}), inout<i32>({0, 3 * run}));
  guided_filter();
  matting_laplacian();
}

float whole_level() { return static_cast<float>(random_from(-255, 255)); }

// `planes` planes of n + more values, `gap` values between them.
Length planar(int64_t planes, int64_t gap, int64_t more = 0) { return {planes, planes * more + (planes - 1) * gap}; }

// The column sums of three rows of a guide and a source, and 1 / the columns of each window, where some columns at
// either end lie outside the picture.
struct GuidedSums {
  std::vector<f64> sums, inverse_width;
  std::vector<f32> columns;

  GuidedSums(const f32* rows, size_t n, size_t radius, int channels, size_t pitch, bool whole, size_t left,
             size_t right) {
    const size_t planes = static_cast<size_t>(channels) + 1, width = n + 2 * radius, terms = channels == 3 ? 13 : 4;
    sums.resize((whole ? planes : terms) * pitch);
    columns.resize(terms * pitch);
    const std::vector<f32> none(planes * pitch);
    for (size_t y = 0; y < 3; ++y) {
      std::vector<f32> row(rows + y * planes * pitch, rows + (y + 1) * planes * pitch);
      for (size_t i = 0; i < row.size(); ++i)
        if (i % pitch < left || i % pitch >= width - right) row[i] = 0;
      kernels().guided.slide(row.data(), none.data(), width, channels, whole, pitch, sums.data(), columns.data());
    }
    for (size_t x = 0; x < n; ++x) {
      const size_t from = x < left ? left : x, last = x + 2 * radius + 1, end = width - right;
      inverse_width.push_back(1 / static_cast<f64>((last < end ? last : end) - from));
    }
  }
};

void guided_windows(int channels, int64_t gap) {
  const int planes = channels + 1;
  const bool whole = random_bool();
  const int64_t r = random_from(1, random_bool() ? 8 : 256);
  const size_t radius = static_cast<size_t>(r), more = static_cast<size_t>(2 * r + gap);
  const size_t left = static_cast<size_t>(random_from(0, r)), right = static_cast<size_t>(random_from(0, r));
  const f64 eps = (1e-6 + random_value<f64>()) * (whole ? 255 * 255 : 1);
  compare(PICK(guided, fit), ADAPTED((const f32* rows, size_t n, f32* fit) {
            const GuidedSums of(rows, n, radius, channels, n + more, whole, left, right);
            std::vector<f32> scratch((n + more) * (channels == 3 ? 14 : 5));
            kernel(of.columns.data(), n, radius, channels, n + more, of.inverse_width.data(), 1.0 / 3, eps,
                   scratch.data(), fit);
          }),
          in<f32>(planar(3 * planes, 0, 2 * r + gap), whole ? whole_level : signed_float), count,
          out<f32>(planar(planes, 2 * r + gap)));
  const f64 inverse_height = random_value<f64>();
  compare(PICK(guided, mean_fit), ADAPTED((const f32* columns, size_t n, const f64* inverse_width, f32* mean) {
            const size_t pitch = n + more;
            std::vector<f32> scratch(pitch), means(pitch * static_cast<size_t>(planes));
            kernel(columns, n, radius, planes, pitch, inverse_width, inverse_height, scratch.data(), means.data());
            for (size_t k = 0; k < static_cast<size_t>(planes); ++k)
              std::copy_n(means.data() + k * pitch, n, mean + k * n);
          }),
          in<f32>(planar(planes, gap, 2 * r)), count, in<f64>(1), out<f32>(planes));
}

void guided_rows(int channels, int64_t gap) {
  const int planes = channels + 1, terms = channels == 3 ? 13 : 4;
  const size_t more = static_cast<size_t>(gap);
  const bool exact = random_bool();
  const auto split = ADAPTED((const auto* pixels, size_t n, const f32* centre, f32* result) {
    kernel(pixels, n, channels, centre, result, n + more);
  });
  compare(PICK(guided, split_u8), split, in<u8>(channels), count, in<f32>({0, channels}, level),
          out<f32>(planar(channels, gap)));
  compare(PICK(guided, split_f32), split, in<f32>(channels), count, in<f32>({0, channels}),
          out<f32>(planar(channels, gap)));
  KERNEL(guided, unit_u8, in<u8>(1), count, random_value<f32>(), out<f32>(1));
  const auto row = in<f32>(planar(planes, gap), exact ? whole_level : signed_float);
  compare(PICK(guided, slide), ADAPTED((const f32* entering, const f32* leaving, size_t n, f64* sums, f32* columns) {
            kernel(entering, leaving, n, channels, exact, n + more, sums, columns);
          }),
          row, row, count, inout<f64>(planar(exact ? planes : terms, gap)),
          inout<f32>(planar(terms, gap), whole_level));
  const auto fit = in<f32>(planar(planes, gap), signed_float);
  compare(PICK(guided, slide_fit),
          ADAPTED((const f32* entering, const f32* leaving, size_t n, f64* sums, f32* columns) {
            kernel(entering, leaving, n, planes, n + more, sums, columns);
          }),
          fit, fit, count, inout<f64>(planar(planes, gap)), out<f32>(planar(planes, gap)));
  const f32 centre = random_value<f32>(), share = random_value<f32>();
  compare(PICK(guided, apply_fit), ADAPTED((const f32* mean, const f32* guide, size_t n, f32* result) {
            kernel(mean, guide, n, channels, n + more, centre, result);
          }),
          fit, in<f32>(planar(channels, gap), signed_float), count, out<f32>(1));
  const auto blend =
      ADAPTED((const f32* above, const f32* below, const auto* pixels, size_t n, const f32* centres, f32* result) {
        kernel(above, below, share, pixels, n, channels, centres, n + more, result);
      });
  const auto centres = in<f32>({0, planes}, signed_float);
  compare(PICK(guided, blend_u8), blend, fit, fit, in<u8>(channels), count, centres, out<f32>(1));
  compare(PICK(guided, blend_f32), blend, fit, fit, in<f32>(channels), count, centres, out<f32>(1));
}

void guided() {
  const int channels = random_bool() ? 3 : 1;
  const int64_t gap = random_below(20), factor = random_from(1, 9);
  guided_rows(channels, gap);
  guided_windows(channels, gap);

  const size_t times = static_cast<size_t>(factor), more = static_cast<size_t>(gap);
  const int64_t rows = random_from(1, factor);
  const auto shrink = ADAPTED((const auto* pixels, size_t n, const f32* centre, f32* cells) {
    const size_t values = n * times * static_cast<size_t>(channels);
    std::vector<f32> sums(values);
    kernel(pixels, static_cast<ptrdiff_t>(values * sizeof *pixels), static_cast<size_t>(rows), n, channels, times,
           centre, sums.data(), cells, n + more);
  });
  compare(PICK(guided, shrink_u8), shrink, in<u8>(channels * factor * rows), count, in<f32>({0, channels}, level),
          out<f32>(planar(channels, gap)));
  compare(PICK(guided, shrink_f32), shrink, in<f32>(channels * factor * rows), count, in<f32>({0, channels}),
          out<f32>(planar(channels, gap)));
  compare(PICK(guided, enlarge),
          ADAPTED((const f32* cells, size_t n, f32* pixels) { kernel(cells + 1, n, times, pixels); }),
          in<f32>({1, 2}, signed_float), count, out<f32>(factor));
}

// An alpha that is mostly 0 or 255.
u8 clear_or_full() { return random_below(100) == 0 ? random_value<u8>() : random_bool() ? 255 : 0; }

void foreground_rows() {
  const int channels = random_bool() ? 3 : 1;
  const int64_t times = random_below(8) == 0 ? 16 : 1;  // longer than what 32 bits can sum
  compare(PICK(foreground, sums_u8), ADAPTED((const u8* alpha, const u8* pixels, size_t n, u64* sums) {
            kernel(alpha, pixels, n * static_cast<size_t>(times), channels, sums);
          }),
          in<u8>(times), in<u8>(channels * times), count, inout<u64>({0, 1 + 2 * channels}, below_2_22<u64>));
  KERNEL(foreground, partial_u8, in<u8>(1, clear_or_full), count, out<size_t>({0, 1}), out<size_t>({0, 1}));

  const int64_t step = random_bool() ? channels : channels << random_from(1, 4);
  // n + 1 pixels, so that the last one's end is that of the buffer
  const auto split = ADAPTED((const auto* pixels, size_t n, f32* cells) {
    f32* halves[6];
    for (int i = 0; i < 2 * channels; ++i) {
      halves[i] = cells;
      cells += (n + 2 - static_cast<size_t>(i % 2)) / 2;
    }
    kernel(pixels, n + 1, channels, step, halves);
  });
  compare(PICK(foreground, split_u8), split, in<u8>({step, channels}), count, out<f32>({channels, channels}));
  compare(PICK(foreground, split_f32), split, in<f32>({step, channels}), count, out<f32>({channels, channels}));
  const auto join = ADAPTED((const f32* cells, size_t n, auto* pixels) {
    const f32* halves[6];
    for (int i = 0; i < 2 * channels; ++i) {
      halves[i] = cells;
      cells += (n + 1 - static_cast<size_t>(i % 2)) / 2;
    }
    kernel(halves, n, channels, pixels);
  });
  compare(PICK(foreground, join_u8), join, in<f32>(channels), count, out<u8>(channels));
  compare(PICK(foreground, join_f32), join, in<f32>(channels), count, out<f32>(channels));
  compare(PICK(foreground, enlarge),
          ADAPTED((const f32* even, const f32* odd, size_t n, f32* row) { kernel(even, odd + n % 2, n, row); }),
          in<f32>({1, 0, 2}), in<f32>({1, 0, 2}), count, out<f32>(1));
  KERNEL(foreground, select_u8, in<u8>(1, clear_or_full), in<u8>(channels), in<u8>(channels), count, channels,
         out<u8>(channels));
}

// `other` is the middle of three half-rows with a cell of padding at both ends.
void foreground() {
  const int channels = random_bool() ? 3 : 1, planes = 1 + 3 * channels, shift = random_bool();
  const int above = random_bool(), below = random_bool(), left = random_bool(), right = random_bool();
  const float base = random_bool() ? 1e-5f : 0.3f;
  compare(PICK(foreground, relax), ADAPTED((f32* here, const f32* other, size_t n) {
            const ptrdiff_t row = static_cast<ptrdiff_t>(n) + 2, plane = 3 * row;
            kernel(here, other + row + 1, row, plane, channels, n, shift, above, below, left, right, base);
          }),
          inout<f32>({3 * planes, 6 * planes}), in<f32>({3 * planes, 6 * planes}), count);
}

void composite() {
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

i16 byte_weight() { return static_cast<i16>(random_from(-127, 127)); }
i16 activation() { return random_bool() ? static_cast<i16>(random_from(0, 4095)) : random_value<i16>(); }

// A pixel of the output reads `segments` pieces of 2 · pairs values, one behind the other, `step` after the last's.
NetworkRow network_row(const i16* x, const i16* weights, const f32* factors, size_t n, size_t segments, size_t pairs,
                       size_t step, size_t lanes) {
  NetworkRow row = {};
  for (size_t s = 0; s < segments; ++s) row.segment[s] = x + 2 * s * pairs;
  row.segments = segments, row.pairs = pairs, row.step = step, row.lanes = lanes, row.channels = 16, row.n = n;
  row.weights = weights, row.scale = factors, row.bias = factors + 16;
  return row;
}

// The convolutions make n + 1 pixels, so that the last one's end is that of the buffer.
void network() {
  const int64_t blocks = random_from(1, 3), segments = random_from(1, 9), pairs = random_from(1, 20);
  const size_t channels = static_cast<size_t>(16 * blocks);
  const size_t step = static_cast<size_t>(2 * random_from(1, 20)), all = static_cast<size_t>(segments);
  const auto x = [=](int64_t of_pairs) {
    return in<i16>({static_cast<int64_t>(step), 2 * segments * of_pairs}, activation);
  };
  const int64_t low = random_from(-32768, 32767);
  const NetworkRange range = random_bool()
                                 ? NetworkRange{0, 4095}
                                 : NetworkRange{static_cast<f32>(low), static_cast<f32>(random_from(low, 32767))};
  const bool skips = random_bool(), half = random_bool();
  const f32 scale = 1e-3f * random_value<f32>(), share = signed_float();
  const auto scaled = [=](const f32* factor, size_t n) {
    std::vector<f32> factors(factor, factor + 2 * n);
    for (size_t c = 0; c < n; ++c) factors[c] *= scale, factors[n + c] *= 1000;
    return factors;
  };
  const int64_t lanes = half ? 8 : 16;
  const auto conv =
      ADAPTED((const i16* values, const i16* weights, const f32* factor, size_t n, const i16* skip, i16* result) {
        const std::vector<f32> factors = scaled(factor, 16);
        const NetworkRow row = network_row(values, weights, factors.data(), n + 1, all, static_cast<size_t>(pairs),
                                           step, static_cast<size_t>(lanes));
        kernel(&row, range, skips ? skip : nullptr, share, result);
      });
  compare(PICK(network, conv), conv, x(pairs), in<i16>({0, 32 * segments * pairs}, byte_weight),
          in<f32>({0, 32}, signed_float), count, in<i16>({16, lanes}), out<i16>({16, lanes}));
  const int64_t taps = random_bool() ? 9 : 25;
  const auto depthwise = ADAPTED((const i16* values, const i16* weights, const f32* factor, size_t n, i16* result) {
    const std::vector<f32> factors = scaled(factor, channels);
    NetworkWindow window = {};
    for (int64_t t = 0; t <= taps; ++t) window.tap[t] = values + 16 * blocks * std::min(t, taps - 1);
    window.pairs = static_cast<size_t>(taps + 1) / 2, window.step = step, window.channels = channels;
    window.weights = weights, window.scale = factors.data(), window.bias = factors.data() + channels;
    window.n = n + 1;
    kernel(&window, range, result);
  });
  compare(PICK(network, depthwise), depthwise, in<i16>({static_cast<int64_t>(step), 16 * blocks * taps}, activation),
          in<i16>({0, 16 * blocks * (taps + 1)}, byte_weight), in<f32>({0, 32 * blocks}, signed_float), count,
          out<i16>({16 * blocks, 16 * blocks}));
  const int64_t fours = random_from(1, 6);
  compare(PICK(network, logits),
          ADAPTED((const i16* values, const i16* weights, const f32* factor, size_t n, f32* upper, f32* lower) {
            const NetworkRow row =
                network_row(values, weights, factor, n + 1, all, 4 * static_cast<size_t>(fours), step, 4);
            kernel(&row, upper, lower);
          }),
          x(4 * fours), in<i16>({0, 32 * segments * fours}, byte_weight), in<f32>({0, 20}, signed_float), count,
          out<f32>({2, 2}), out<f32>({2, 2}));
  KERNEL(network, pool, in<i16>(32 * blocks, activation), in<i16>(32 * blocks, activation), channels, count,
         out<i16>(16 * blocks));
  compare(PICK(network, add), ADAPTED((const i16* a, const i16* b, size_t n, i16* result) {
            kernel(a, b, n * channels, share, scale, range, result);
          }),
          in<i16>(16 * blocks), in<i16>(16 * blocks), count, out<i16>(16 * blocks));
  compare(PICK(network, up_add), ADAPTED((const i16* near, const i16* far, const i16* fine, size_t n, i16* result) {
            kernel(near, far, fine, channels, n, share, share / 16, range, result);
          }),
          in<i16>(16 * blocks), in<i16>(16 * blocks), in<i16>(32 * blocks), count, out<i16>(32 * blocks));
  compare(PICK(network, rescale), ADAPTED((const i16* values, size_t n, i16* result) {
            kernel(values, channels, n, share, range, channels + 16, result);
          }),
          in<i16>(16 * blocks), count, out<i16>(16 * blocks + 16));
}

void round() {
  color();
  preprocess();
  blur();
  morphology("morphology.u8", &MorphologyKernels::u8);
  morphology("morphology.u16", &MorphologyKernels::u16);
  morphology("morphology.f32", &MorphologyKernels::f32);
  subject();
  threshold();
  components();
  kmeans<u8>("kmeans.u8.assign", "kmeans.u8.relax", "kmeans.u8.potentials", "kmeans.u8.square_sum", &KmeansKernels::u8);
  kmeans<f32>("kmeans.f32.assign", "kmeans.f32.relax", "kmeans.f32.potentials", "kmeans.f32.square_sum",
              &KmeansKernels::f32);
  color_histogram();
  superpixels();
  graphcut();
  chromakey();
  matting();
  guided();
  foreground();
  foreground_rows();
  composite();
  network();
}

// A table is the name and pointers to kernels, with nothing but padding for a stage that has none.
void all_kernels_seen() {
  set_isa(available_isas().front());
  std::uintptr_t entries[sizeof(Kernels) / sizeof(std::uintptr_t)];
  std::memcpy(entries, &kernels(), sizeof(entries));
  for (size_t i = 1; i < std::size(entries); ++i)
    if (entries[i] != 0 && !seen.contains(entries[i]))
      check::that(false, ("no line for entry " + std::to_string(i) + " of the table").c_str(), __FILE__, __LINE__);
}

}  // namespace

int main(int argc, char** argv) {
  const uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  const long rounds = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 500;
  random_bits.seed(seed);
  for (long i = 0; i < rounds && check::failures < 20; ++i) round();
  if (rounds > 0) all_kernels_seen();
  std::printf("%ld rounds from seed %llu\n", rounds, static_cast<unsigned long long>(seed));
  return check::result();
}
