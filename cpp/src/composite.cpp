#include "alphacut/composite.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "alphacut/color.hpp"
#include "alphacut/parallel.hpp"
#include "box_blur.hpp"
#include "depth.hpp"
#include "dispatch.hpp"
#include "math.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

template <class T, class U>
void require_size(ImageView<T> view, const char* name, ImageView<U> like, const char* like_name) {
  if (view.height != like.height || view.width != like.width)
    throw std::invalid_argument(std::string(name) + " must have the size of " + like_name + ", " +
                                std::to_string(like.height) + " x " + std::to_string(like.width) + ", got " +
                                std::to_string(view.height) + " x " + std::to_string(view.width));
}

template <class T>
void require_channels(ImageView<T> view, const char* name, int64_t one, int64_t other) {
  if (view.channels != one && view.channels != other)
    throw std::invalid_argument(std::string(name) + " must have " + std::to_string(one) +
                                (one == other ? "" : " or " + std::to_string(other)) + " channels, got " +
                                std::to_string(view.channels));
}

void require_unit(ImageView<const uint8_t>, const char*) {}
void require_unit(ImageView<const float> image, const char* name) { require_range(image, 0.0f, 1.0f, name); }

template <class T>
void require_cutout(ImageView<const T> image, const char* name, ImageView<const T> alpha) {
  require_channels(image, name, 1, 3);
  require_channels(alpha, "alpha", 1, 1);
  require_size(alpha, "alpha", image, name);
  require_unit(image, name);
  require_unit(alpha, "alpha");
}

// Rows of a picture as RGB: its own, or a gray one's spread into a buffer that the next row reuses.
template <class T>
class RgbRows {
 public:
  explicit RgbRows(ImageView<const T> image) : image_(image) {
    if (image.channels == 1) buffer_.resize(static_cast<size_t>(3 * image.width));
  }
  const T* row(int64_t y) {
    if (image_.channels == 3) return image_.row(y);
    const auto width = static_cast<size_t>(image_.width);
    if constexpr (std::is_same_v<T, uint8_t>)
      kernels().composite.spread_u8(image_.row(y), width, buffer_.data());
    else
      kernels().composite.spread_f32(image_.row(y), width, buffer_.data());
    return buffer_.data();
  }

 private:
  ImageView<const T> image_;
  std::vector<T> buffer_;
};

template <class T>
void require_shade(const Shade<T>& shade, ImageView<const T> foreground) {
  require_channels(shade.alpha, "shadow", 1, 1);
  require_size(shade.alpha, "shadow", foreground, "foreground");
  require_unit(shade.alpha, "shadow");
  for (const T value : shade.color)
    if (!(value >= 0 && value <= kOpaque<T>)) throw std::invalid_argument("the shadow's color leaves 0..1");
}

template <class T>
void to_rgba_rows(ImageView<const T> foreground, ImageView<const T> alpha, ImageView<T> rgba,
                  void (*kernel)(const T*, const T*, size_t, T*)) {
  require_cutout(foreground, "foreground", alpha);
  require_channels(rgba, "out", 4, 4);
  require_size(rgba, "out", foreground, "foreground");
  parallel_for(foreground.height, row_grain(foreground.width), [&](int64_t begin, int64_t end) {
    RgbRows<T> colours(foreground);
    for (int64_t y = begin; y < end; ++y)
      kernel(colours.row(y), alpha.row(y), static_cast<size_t>(foreground.width), rgba.row(y));
  });
}

// A pixel over a shadow, straight: the nearest integers to what both cover and to their mixed colours.
void over(const uint8_t* f, uint32_t a, const uint8_t* color, uint32_t s, uint8_t* to) {
  const uint32_t own = 255 * a, cast = s * (255 - a), both = own + cast;
  for (int c = 0; c < 3; ++c)
    to[c] = both == 0 ? f[c] : static_cast<uint8_t>((own * f[c] + cast * color[c] + both / 2) / both);
  to[3] = static_cast<uint8_t>((both + 127) / 255);
}
void over(const float* f, float a, const float* color, float s, float* to) {
  const float cast = s * (1.0f - a), both = a + cast;
  for (int c = 0; c < 3; ++c) to[c] = both > 0.0f ? std::min((a * f[c] + cast * color[c]) / both, 1.0f) : f[c];
  to[3] = std::min(both, 1.0f);
}

template <class T>
void to_rgba_over(ImageView<const T> foreground, ImageView<const T> alpha, const Shade<T>& shade, ImageView<T> rgba) {
  require_cutout(foreground, "foreground", alpha);
  require_shade(shade, foreground);
  require_channels(rgba, "out", 4, 4);
  require_size(rgba, "out", foreground, "foreground");
  parallel_for(foreground.height, row_grain(foreground.width), [&](int64_t begin, int64_t end) {
    RgbRows<T> colours(foreground);
    for (int64_t y = begin; y < end; ++y) {
      const T *f = colours.row(y), *a = alpha.row(y), *s = shade.alpha.row(y);
      T* to = rgba.row(y);
      for (int64_t x = 0; x < foreground.width; ++x, f += 3, to += 4) {
        const T* color = a[x] == 0 && s[x] != 0 ? shade.color.data() : f;
        if (a[x] == 0 || a[x] == kOpaque<T> || s[x] == 0) {
          std::copy_n(color, 3, to);
          to[3] = a[x] == 0 ? s[x] : a[x];
        } else {
          over(f, a[x], shade.color.data(), s[x], to);
        }
      }
    }
  });
}

template <class T, class Blend>
void composite_rows(ImageView<const T> foreground, ImageView<const T> alpha, ImageView<const T> background,
                    ImageView<T> out, const Shade<T>& shade, Blend&& blend) {
  require_cutout(foreground, "foreground", alpha);
  require_channels(background, "background", 1, 3);
  require_size(background, "background", foreground, "foreground");
  require_unit(background.stride == 0 && background.height > 0 ? background.rows(0, 1) : background, "background");
  require_channels(out, "out", 3, 3);
  require_size(out, "out", foreground, "foreground");
  const bool shaded = shade.alpha.data != nullptr;
  if (shaded) require_shade(shade, foreground);
  const auto width = static_cast<size_t>(foreground.width);
  std::vector<T> color(shaded ? 3 * width : 0);
  for (size_t i = 0; i < color.size(); ++i) color[i] = shade.color[i % 3];
  parallel_for(foreground.height, row_grain(foreground.width), [&](int64_t begin, int64_t end) {
    RgbRows<T> front(foreground), back(background);
    std::vector<T> under(color.size());
    for (int64_t y = begin; y < end; ++y) {
      const T* behind = back.row(y);
      if (shaded) {
        blend(color.data(), shade.alpha.row(y), behind, width, under.data());
        behind = under.data();
      }
      blend(front.row(y), alpha.row(y), behind, width, out.row(y));
    }
  });
}

// Linear light in uint8: 16 bits when decoded, 13 when encoded. The darkest codes lie 2.5 steps of 13 bits apart, so
// every code decodes and encodes to itself.
struct LinearBytes {
  static constexpr uint32_t top = 8191, fine = 8;
  std::array<uint16_t, 256> decode;
  std::array<uint8_t, top + 1> encode;
  LinearBytes() {
    for (size_t i = 0; i < decode.size(); ++i)
      decode[i] = static_cast<uint16_t>(srgb_to_linear(static_cast<double>(i) / 255) * (top * fine) + 0.5);
    for (size_t i = 0; i <= top; ++i)
      encode[i] = static_cast<uint8_t>(linear_to_srgb(static_cast<double>(i) / top) * 255 + 0.5);
  }
  uint8_t blend(uint8_t f, uint8_t b, uint32_t a) const {
    const uint32_t sum = decode[f] * a + decode[b] * (255 - a);
    return encode[(sum + 255 * fine / 2) / (255 * fine)];
  }
};

// Linear light in float: the power laws from tables with linear interpolation, an absolute error below 1e-6. The
// encoding one is indexed by the square root, which straightens it near 0; the straight parts of both curves are
// computed.
struct LinearFloats {
  static constexpr int64_t steps = 4096;
  std::array<float, steps + 2> power_decode, power_encode;
  LinearFloats() {
    for (size_t i = 0; i < power_decode.size(); ++i) {
      const double x = static_cast<double>(i) / steps;
      power_decode[i] = static_cast<float>(pow_exact((x + 0.055) / 1.055, 2.4));
      power_encode[i] = static_cast<float>(1.055 * pow_exact(x, 2 / 2.4) - 0.055);
    }
  }
  static float look_up(const std::array<float, steps + 2>& table, float x) {
    // The values were checked, but the caller's other threads may change them meanwhile.
    const float position = std::min(std::max(0.0f, x), 1.0f) * static_cast<float>(steps);
    const auto i = static_cast<size_t>(position);
    return table[i] + (position - static_cast<float>(i)) * (table[i + 1] - table[i]);
  }
  float decode(float v) const { return v <= 0.04045f ? v * (1.0f / 12.92f) : look_up(power_decode, v); }
  float encode(float v) const { return v <= 0.0031308f ? v * 12.92f : look_up(power_encode, std::sqrt(v)); }
  float blend(float f, float b, float a) const {
    return std::min(encode(std::min(decode(f) * a + decode(b) * (1.0f - a), 1.0f)), 1.0f);
  }
};

template <class Tables>
const Tables& tables_of() {
  static const Tables tables;
  return tables;
}

template <class T>
void composite_linear(ImageView<const T> foreground, ImageView<const T> alpha, ImageView<const T> background,
                      ImageView<T> out, const Shade<T>& shade) {
  using Tables = std::conditional_t<std::is_same_v<T, uint8_t>, LinearBytes, LinearFloats>;
  const Tables& tables = tables_of<Tables>();
  const auto blend = [&tables](const T* f, const T* a, const T* b, size_t n, T* to) {
    for (size_t i = 0; i < n; ++i, f += 3, b += 3, to += 3)
      for (int c = 0; c < 3; ++c) to[c] = a[i] == kOpaque<T> ? f[c] : a[i] == 0 ? b[c] : tables.blend(f[c], b[c], a[i]);
  };
  composite_rows(foreground, alpha, background, out, shade, blend);
}

template <class T>
void each_row(ImageView<const T> rgba, ImageView<T> out, void (*kernel)(const T*, size_t, T*)) {
  require_channels(rgba, "rgba", 4, 4);
  require_channels(out, "out", 4, 4);
  require_size(out, "out", rgba, "rgba");
  require_unit(rgba, "rgba");
  parallel_for(rgba.height, row_grain(rgba.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) kernel(rgba.row(y), static_cast<size_t>(rgba.width), out.row(y));
  });
}

template <class T, class Function>
void each_value(ImageView<const T> in, const char* name, ImageView<float> out, Function&& function) {
  require_size(out, "out", in, name);
  require_channels(out, "out", in.channels, in.channels);
  require_unit(in, name);
  parallel_for(in.height, row_grain(in.width * in.channels), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      std::transform(in.row(y), in.row(y) + in.width * in.channels, out.row(y), function);
  });
}

template <int K, class T>
void blur_background(ImageView<const T> image, ImageView<const T> alpha, double sigma, ImageView<T> out) {
  constexpr auto whole = static_cast<float>(kOpaque<T>);
  // The mean colour's share: nothing beside a visible weight, all where there is none.
  constexpr float share = 1e-6f;
  const auto radii = box_radii(sigma, std::max(image.height, image.width));
  Image<float> planes(image.height, image.width, K);
  // The weighted colours and the weight of each pixel, and the sums of them all.
  std::vector<std::array<double, K>> row_sums(static_cast<size_t>(image.height));
  blur_rows<K>(planes.view(), radii, [&](int64_t y, float* row) {
    const T *colours = image.row(y), *a = alpha.row(y);
    std::array<double, K> total{};
    for (int64_t x = 0; x < image.width; ++x) {
      const float weight = 1.0f - static_cast<float>(a[x]) / whole;
      for (int c = 0; c < K; ++c) {
        const float value = c == K - 1 ? weight : weight * (static_cast<float>(colours[x * (K - 1) + c]) / whole);
        row[x * K + c] = value;
        total[static_cast<size_t>(c)] += static_cast<double>(value);
      }
    }
    row_sums[static_cast<size_t>(y)] = total;
  });
  std::array<double, K> total{};
  for (const auto& sums : row_sums)
    for (size_t c = 0; c < K; ++c) total[c] += sums[c];
  std::array<float, K> mean;
  for (size_t c = 0; c < K; ++c) mean[c] = total[K - 1] > 0 ? static_cast<float>(total[c] / total[K - 1]) : 0.5f;
  // The quotient of colours and weight.
  blur_columns<K>(planes.view(), radii, [&](int64_t y, int64_t begin, int64_t end, const float* from) {
    T* to = out.row(y) + begin * (K - 1);
    for (int64_t x = begin; x < end; ++x, from += K)
      for (size_t c = 0; c < K - 1; ++c) {
        const float value = (from[c] + share * mean[c]) / (from[K - 1] + share);
        const float unit = std::clamp(value, 0.0f, 1.0f) * whole;
        *to++ = static_cast<T>(std::is_same_v<T, uint8_t> ? unit + 0.5f : unit);
      }
  });
}

template <class T>
void blurred(ImageView<const T> image, ImageView<const T> alpha, double sigma, ImageView<T> out) {
  require_cutout(image, "image", alpha);
  require_channels(out, "out", image.channels, image.channels);
  require_size(out, "out", image, "image");
  if (!(sigma > 0) || !std::isfinite(sigma))
    throw std::invalid_argument("sigma must be a finite number of pixels above 0, got " + std::to_string(sigma));
  if (image.empty()) return;
  if (image.channels == 1)
    blur_background<2>(image, alpha, sigma, out);
  else
    blur_background<4>(image, alpha, sigma, out);
}

}  // namespace

void to_rgba(ImageView<const uint8_t> foreground, ImageView<const uint8_t> alpha, ImageView<uint8_t> rgba,
             const Shade<uint8_t>& shade) {
  if (shade.alpha.data == nullptr)
    to_rgba_rows(foreground, alpha, rgba, kernels().composite.rgba_u8);
  else
    to_rgba_over(foreground, alpha, shade, rgba);
}
void to_rgba(ImageView<const float> foreground, ImageView<const float> alpha, ImageView<float> rgba,
             const Shade<float>& shade) {
  if (shade.alpha.data == nullptr)
    to_rgba_rows(foreground, alpha, rgba, kernels().composite.rgba_f32);
  else
    to_rgba_over(foreground, alpha, shade, rgba);
}

void composite(ImageView<const uint8_t> foreground, ImageView<const uint8_t> alpha, ImageView<const uint8_t> background,
               bool linear, ImageView<uint8_t> out, const Shade<uint8_t>& shade) {
  if (linear)
    composite_linear(foreground, alpha, background, out, shade);
  else
    composite_rows(foreground, alpha, background, out, shade, kernels().composite.blend_u8);
}
void composite(ImageView<const float> foreground, ImageView<const float> alpha, ImageView<const float> background,
               bool linear, ImageView<float> out, const Shade<float>& shade) {
  if (linear)
    composite_linear(foreground, alpha, background, out, shade);
  else
    composite_rows(foreground, alpha, background, out, shade, kernels().composite.blend_f32);
}

void premultiply(ImageView<const uint8_t> rgba, ImageView<uint8_t> out) {
  each_row(rgba, out, kernels().composite.premultiply_u8);
}
void premultiply(ImageView<const float> rgba, ImageView<float> out) {
  each_row(rgba, out, kernels().composite.premultiply_f32);
}
void unpremultiply(ImageView<const uint8_t> rgba, ImageView<uint8_t> out) {
  each_row(rgba, out, kernels().composite.unpremultiply_u8);
}
void unpremultiply(ImageView<const float> rgba, ImageView<float> out) {
  each_row(rgba, out, kernels().composite.unpremultiply_f32);
}

void decode_srgb(ImageView<const uint8_t> image, ImageView<float> light) {
  std::array<float, 256> decoded;
  for (size_t i = 0; i < decoded.size(); ++i)
    decoded[i] = static_cast<float>(srgb_to_linear(static_cast<double>(i) / 255));
  each_value(image, "image", light, [&](uint8_t value) { return decoded[value]; });
}
void decode_srgb(ImageView<const float> image, ImageView<float> light) {
  const auto& tables = tables_of<LinearFloats>();
  each_value(image, "image", light, [&](float value) { return std::min(tables.decode(value), 1.0f); });
}
void encode_srgb(ImageView<const float> light, ImageView<float> image) {
  const auto& tables = tables_of<LinearFloats>();
  each_value(light, "light", image, [&](float value) { return std::min(tables.encode(value), 1.0f); });
}

void blurred_background(ImageView<const uint8_t> image, ImageView<const uint8_t> alpha, double sigma,
                        ImageView<uint8_t> out) {
  blurred(image, alpha, sigma, out);
}
void blurred_background(ImageView<const float> image, ImageView<const float> alpha, double sigma,
                        ImageView<float> out) {
  blurred(image, alpha, sigma, out);
}

void checkerboard(int64_t tile, ImageView<uint8_t> out) {
  if (tile < 1) throw std::invalid_argument("tile must be at least 1 pixel, got " + std::to_string(tile));
  parallel_for(out.height, row_grain(out.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      uint8_t* to = out.row(y);
      for (int64_t x = 0, odd = y / tile % 2; x < out.width; odd ^= 1) {
        const int64_t pixels = std::min(tile, out.width - x);
        std::memset(to + x * out.channels, odd ? 204 : 255, static_cast<size_t>(pixels * out.channels));
        x += pixels;
      }
    }
  });
}

}  // namespace alphacut
