#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "alphacut/cancel.hpp"
#include "alphacut/parallel.hpp"
#include "alphacut/preprocess.hpp"
#include "border.hpp"
#include "dispatch.hpp"
#include "gaussian_weights.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

constexpr int64_t kMostReach = 16383;
constexpr int64_t kWholeReach = 62;  // of windows that are summed in whole numbers

int64_t reach_of(double sigma, double truncate) {
  if (!(sigma >= 0) || !std::isfinite(sigma))
    throw std::invalid_argument("sigma must be at least 0 and finite, got " + std::to_string(sigma));
  if (!(truncate > 0) || !std::isfinite(truncate))
    throw std::invalid_argument("truncate must be above 0 and finite, got " + std::to_string(truncate));
  const double reach = std::floor(truncate * sigma + 0.5);
  if (!(reach <= static_cast<double>(kMostReach)))
    throw std::invalid_argument("sigma times truncate must be at most " + std::to_string(kMostReach) + " pixels, got " +
                                std::to_string(sigma * truncate));
  return static_cast<int64_t>(reach);
}

// Half of the weights as the kernels take them, with half of the middle one: in whole 1/65536, or floats in whole
// 2^-24, so that they add up to exactly 1/2.
template <class Sum>
std::vector<Sum> weights_of(double sigma, int64_t reach) {
  constexpr double parts = std::is_floating_point_v<Sum> ? 1 << 24 : 1 << 16;
  constexpr double unit = std::is_floating_point_v<Sum> ? 1 / parts : 1;
  std::vector<Sum> weights;
  const std::vector<double> half = gaussian_half(2 * reach + 1, sigma);
  const auto rounded = [&](double rise) {  // returns what the others leave for half of the middle one
    double left = parts / 2;
    weights.clear();
    for (const double weight : half) {
      const double whole = weights.empty() ? 0 : std::floor(weight * parts + rise);  // the middle one gets what is left
      left -= whole;
      weights.push_back(static_cast<Sum>(whole * unit));
    }
    return left;
  };
  double left = rounded(0.5);
  if (left < 0) left = rounded(0);  // the weights of wide and even windows may all round up
  weights[0] = static_cast<Sum>(left * unit);
  return weights;
}

// Calls store(y, blurred) for each row: whole numbers in 1/128, or floats.
template <class T, class Store>
void blur_rows(ImageView<const T> in, const GaussianBlur& blur, Store store) {
  using Sum = std::conditional_t<std::is_same_v<T, float>, float, uint16_t>;
  const int64_t n = in.width * in.channels, step = in.channels;
  const int64_t down = reach_of(blur.sigma_down, blur.truncate), across = reach_of(blur.sigma_across, blur.truncate);
  const std::vector<Sum> weights_down = weights_of<Sum>(blur.sigma_down, down),
                         weights_across = weights_of<Sum>(blur.sigma_across, across);
  std::vector<int64_t> beyond;  // the columns that stand for those to the left and to the right of the picture
  for (int64_t x = 0; x < across; ++x) beyond.push_back(within(x - across, in.width, blur.border));
  for (int64_t x = 0; x < across; ++x) beyond.push_back(within(in.width + x, in.width, blur.border));
  const auto& table = kernels().preprocess;
  parallel_for(in.height, row_grain(n, 1 << 14), [&](int64_t begin, int64_t end) {
    std::vector<Sum> padded(static_cast<size_t>(n + 2 * across * step)), sums(static_cast<size_t>(n));
    std::vector<const T*> rows(static_cast<size_t>(2 * down + 1));
    std::vector<const Sum*> columns;
    for (int64_t x = 0; x <= 2 * across; ++x) columns.push_back(padded.data() + x * step);
    Sum* const middle = padded.data() + across * step;
    for (int64_t y = begin; y < end; ++y) {
      throw_if_cancelled();
      for (int64_t k = 0; k <= 2 * down; ++k)
        rows[static_cast<size_t>(k)] = in.row(within(y + k - down, in.height, blur.border));
      const auto filter = [&](auto kernel_down, auto kernel_across) {
        kernel_down(rows.data(), weights_down.data(), static_cast<size_t>(down), static_cast<size_t>(n), middle);
        for (int64_t x = 0; x < across; ++x) {
          std::copy_n(middle + beyond[static_cast<size_t>(x)] * step, step, padded.data() + x * step);
          std::copy_n(middle + beyond[static_cast<size_t>(across + x)] * step, step, middle + n + x * step);
        }
        kernel_across(columns.data(), weights_across.data(), static_cast<size_t>(across), static_cast<size_t>(n),
                      sums.data());
      };
      if constexpr (std::is_same_v<T, float>)
        filter(table.blur_f32, table.blur_f32);
      else
        filter(table.blur_u8, table.blur_u16);
      store(y, sums.data());
    }
  });
}

// The same with floats in the units of the picture, made of either.
template <class T, class Store>
void for_each_row(ImageView<const T> in, const GaussianBlur& blur, Store store) {
  if constexpr (std::is_same_v<T, float>) {
    blur_rows(in, blur, store);
  } else if (std::max(reach_of(blur.sigma_down, blur.truncate), reach_of(blur.sigma_across, blur.truncate)) <=
             kWholeReach) {
    blur_rows(in, blur, store);
  } else {
    Image<float> real = Image<float>::like(in, in.channels);
    const int64_t n = in.width * in.channels;
    parallel_for(in.height, row_grain(n), [&](int64_t begin, int64_t end) {
      for (int64_t y = begin; y < end; ++y) std::copy_n(in.row(y), n, real.row(y));
    });
    blur_rows<float>(real, blur, store);
  }
}

template <class T>
void require(ImageView<const T> in, const GaussianBlur& blur, ImageView<T> out, float low, float high) {
  if (in.empty() || in.height != out.height || in.width != out.width || in.channels != out.channels)
    throw std::invalid_argument("gaussian_blur: in and out must have one size and channel count, no side 0");
  if (blur.border == Border::constant) throw std::invalid_argument("gaussian_blur: the border must not be constant");
  if constexpr (std::is_same_v<T, float>) require_range(in, low, high, "image");
}

template <class T>
void blurred(ImageView<const T> in, const GaussianBlur& blur, ImageView<T> out) {
  constexpr float most = std::numeric_limits<float>::max();
  require(in, blur, out, -most, most);
  const int64_t n = in.width * in.channels;
  for_each_row(in, blur, [&]<class Sum>(int64_t y, const Sum* sums) {
    T* const to = out.row(y);
    if constexpr (std::is_same_v<T, float>)
      std::copy_n(sums, n, to);
    else if constexpr (std::is_same_v<Sum, float>)
      for (int64_t i = 0; i < n; ++i) to[i] = static_cast<T>(std::min(sums[i] + 0.5f, 255.0f));
    else
      for (int64_t i = 0; i < n; ++i) to[i] = static_cast<T>((sums[i] + 64) >> 7);  // 255.5 at most
  });
}

template <class T>
void sharpened(ImageView<const T> in, const GaussianBlur& blur, double amount, ImageView<T> out) {
  require(in, blur, out, 0, 1);
  if (!(amount >= 0 && amount <= 1000))
    throw std::invalid_argument("amount must be from 0 to 1000, got " + std::to_string(amount));
  const int64_t n = in.width * in.channels;
  const auto by = static_cast<float>(amount);
  for_each_row(in, blur, [&]<class Sum>(int64_t y, const Sum* sums) {
    const T* const from = in.row(y);
    T* const to = out.row(y);
    constexpr float unit = std::is_same_v<Sum, float> ? 1.0f : 1.0f / 128, full = std::is_same_v<T, float> ? 1 : 255;
    constexpr float half = std::is_same_v<T, float> ? 0.0f : 0.5f;
    for (int64_t i = 0; i < n; ++i) {
      const auto value = static_cast<float>(from[i]);
      const float sharp = value + by * (value - static_cast<float>(sums[i]) * unit) + half;
      to[i] = static_cast<T>(std::min(std::max(sharp, 0.0f), full));
    }
  });
}

}  // namespace

void gaussian_blur(ImageView<const uint8_t> in, const GaussianBlur& blur, ImageView<uint8_t> out) {
  blurred(in, blur, out);
}
void gaussian_blur(ImageView<const float> in, const GaussianBlur& blur, ImageView<float> out) {
  blurred(in, blur, out);
}
void unsharp_mask(ImageView<const uint8_t> in, const GaussianBlur& blur, double amount, ImageView<uint8_t> out) {
  sharpened(in, blur, amount, out);
}
void unsharp_mask(ImageView<const float> in, const GaussianBlur& blur, double amount, ImageView<float> out) {
  sharpened(in, blur, amount, out);
}

}  // namespace alphacut
