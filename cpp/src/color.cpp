#include "alphacut/color.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <string>

#include "alphacut/parallel.hpp"
#include "dispatch.hpp"
#include "math.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

template <class T, class U>
void require_same_size(ImageView<const T> a, ImageView<U> b, int64_t channels, const char* what) {
  if (a.height != b.height || a.width != b.width || b.channels != channels || (a.channels != 1 && a.channels != 3))
    throw std::invalid_argument(what);
}

template <class T>
void gray_rows(ImageView<const T> image, ImageView<T> gray, void (*kernel)(const T*, size_t, T*)) {
  require_same_size(image, gray, 1, "to_gray: the picture needs 1 or 3 channels and the result the same size");
  const auto width = static_cast<size_t>(image.width);
  parallel_for(image.height, row_grain(image.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      if (image.channels == 1)
        std::memcpy(gray.row(y), image.row(y), width * sizeof(T));
      else
        kernel(image.row(y), width, gray.row(y));
    }
  });
}

// The curve f of CIE L*a*b*.
double lab_curve(double t) { return t > 216.0 / 24389 ? cbrt_exact(t) : (24389.0 / 27 * t + 16) / 116; }

// L*a*b* of a linear colour, through XYZ relative to the D65 white.
void linear_to_lab(double r, double g, double b, double lab[3]) {
  const double fx = lab_curve((0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.950456);
  const double fy = lab_curve(0.212671 * r + 0.715160 * g + 0.072169 * b);
  const double fz = lab_curve((0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.088754);
  lab[0] = 116 * fy - 16;
  lab[1] = 500 * (fx - fy);
  lab[2] = 200 * (fy - fz);
}

// n linear values of every `step`th.
void linear(const uint8_t* values, int64_t n, int64_t step, double* result) {
  static const auto table = [] {
    std::array<double, 256> t{};
    for (int i = 0; i < 256; ++i) t[static_cast<size_t>(i)] = srgb_to_linear(i / 255.0);
    return t;
  }();
  for (int64_t i = 0; i < n; ++i) result[i] = table[values[i * step]];
}
void linear(const float* values, int64_t n, int64_t step, double* result) {
  for (int64_t i = 0; i < n; ++i) result[i] = srgb_to_linear(static_cast<double>(values[i * step]));
}

// A row of L*a*b*: `step` values from pixel to pixel, `plane` from L* to a* to b*.
template <class T>
void lab_row(const T* row, int64_t width, int64_t channels, float* lab, int64_t step, int64_t plane) {
  constexpr int64_t most = 128;
  std::array<std::array<double, most>, 3> rgb;
  for (int64_t x = 0; x < width; x += most) {
    const int64_t n = std::min(width - x, most);
    for (int64_t c = 0; c < channels; ++c)
      linear(row + x * channels + c, n, channels, rgb[static_cast<size_t>(c)].data());
    const auto& green = rgb[channels == 1 ? 0 : 1];
    const auto& blue = rgb[channels == 1 ? 0 : 2];
    kernels().color.lab(rgb[0].data(), green.data(), blue.data(), static_cast<size_t>(n), lab + x * step,
                        static_cast<size_t>(step), static_cast<size_t>(plane));
  }
}

template <class T>
void lab_rows(ImageView<const T> image, ImageView<float> lab) {
  require_same_size(image, lab, 3, "to_lab: the picture needs 1 or 3 channels and the result 3 and the same size");
  parallel_for(image.height, row_grain(image.width, 1 << 12), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) lab_row(image.row(y), image.width, image.channels, lab.row(y), 3, 1);
  });
}

}  // namespace

void to_gray(ImageView<const uint8_t> image, ImageView<uint8_t> gray) {
  gray_rows(image, gray, kernels().color.gray_u8);
}
void to_gray(ImageView<const float> image, ImageView<float> gray) { gray_rows(image, gray, kernels().color.gray_f32); }

double srgb_to_linear(double v) { return v <= 0.04045 ? v / 12.92 : pow_exact((v + 0.055) / 1.055, 2.4); }
double linear_to_srgb(double v) { return v <= 0.0031308 ? v * 12.92 : 1.055 * pow_exact(v, 1 / 2.4) - 0.055; }

void to_lab(const double rgb[3], double lab[3]) {
  linear_to_lab(srgb_to_linear(rgb[0]), srgb_to_linear(rgb[1]), srgb_to_linear(rgb[2]), lab);
}

void to_lab(ImageView<const uint8_t> image, ImageView<float> lab) { lab_rows(image, lab); }
void to_lab(ImageView<const float> image, ImageView<float> lab) { lab_rows(image, lab); }

void to_lab_planes(const uint8_t* row, int64_t width, int64_t channels, float* lab, int64_t plane) {
  lab_row(row, width, channels, lab, 1, plane);
}
void to_lab_planes(const float* row, int64_t width, int64_t channels, float* lab, int64_t plane) {
  lab_row(row, width, channels, lab, 1, plane);
}

void require_range(ImageView<const float> image, float low, float high, const char* name) {
  const auto check = kernels().color.in_range_f32;
  parallel_for(image.height, row_grain(image.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      if (!check(image.row(y), static_cast<size_t>(image.width * image.channels), low, high))
        throw std::invalid_argument(std::string(name) + " must have finite values from " + std::to_string(low) +
                                    " to " + std::to_string(high));
  });
}

}  // namespace alphacut
