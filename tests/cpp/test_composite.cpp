// Compositing from C++: strides of any sign, exact identities, what is refused.
#include <algorithm>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "alphacut/composite.hpp"
#include "alphacut/shadow.hpp"
#include "check.hpp"

using namespace alphacut;

namespace {

template <class T>
Image<T> noise(int64_t height, int64_t width, int64_t channels, uint32_t seed) {
  Image<T> image(height, width, channels);
  for (int64_t i = 0; i < image.pixels() * channels; ++i) {
    seed = seed * 1664525 + 1013904223;
    image.data()[i] = static_cast<T>(seed >> 24) / static_cast<T>(std::is_same_v<T, float> ? 255 : 1);
  }
  return image;
}

template <class T>
ImageView<const T> upside_down(ImageView<const T> view) {
  return {view.row(view.height - 1), view.height, view.width, view.channels, -view.stride};
}

void bytes_over_bytes() {
  for (int64_t width : {1, 5, 127, 128, 129, 300}) {
    const int64_t height = 4;
    const auto front = noise<uint8_t>(height, width, 3, 1), back = noise<uint8_t>(height, width, 1, 2);
    const auto alpha = noise<uint8_t>(height, width, 1, 3);
    Image<uint8_t> out(height, width, 3);
    composite(upside_down(front.view()), alpha.view(), upside_down(back.view()), false, out.view());
    for (int64_t y = 0; y < height; ++y)
      for (int64_t i = 0; i < 3 * width; ++i) {
        const int f = front.row(height - 1 - y)[i], a = alpha.row(y)[i / 3], b = back.row(height - 1 - y)[i / 3];
        CHECK(out.row(y)[i] == (2 * (f * a + b * (255 - a)) + 255) / 510);
      }
  }
}

template <class T>
void linear_keeps_equal_colours(double tolerance) {
  const auto image = noise<T>(20, 301, 3, 4), alpha = noise<T>(20, 301, 1, 5);
  Image<T> out(20, 301, 3);
  composite(image.view(), alpha.view(), image.view(), true, out.view());
  for (int64_t i = 0; i < 3 * image.pixels(); ++i)
    CHECK(std::max(image.data()[i], out.data()[i]) - std::min(image.data()[i], out.data()[i]) <= tolerance);
}

template <class T>
void blur_takes_any_size_and_sigma() {
  for (int64_t height : {1, 2, 33, 70})
    for (int64_t width : {1, 31, 32, 33, 65})
      for (int64_t channels : {1, 3})
        for (double sigma : {1e-300, 0.5, 3.0, 40.0, 1e300}) {
          const auto image = noise<T>(height, width, channels, 6), alpha = noise<T>(height, width, 1, 7);
          Image<T> out(height, width, channels);
          blurred_background(image.view(), alpha.view(), sigma, out.view());
          const auto [low, high] = std::minmax_element(image.data(), image.data() + image.pixels() * channels);
          for (int64_t i = 0; i < out.pixels() * channels; ++i) {
            const double slack = std::is_same_v<T, float> ? 1e-5 : 0.0;
            CHECK(out.data()[i] >= *low - slack && out.data()[i] <= *high + slack);
          }
        }
}

template <class T>
void shadows_take_any_size_and_softness() {
  for (int64_t height : {1, 2, 33, 70})
    for (int64_t width : {1, 31, 32, 33, 300})
      for (auto kind : {ShadowKind::drop, ShadowKind::contact})
        for (double softness : {0.0, 0.5, 3.0, 1e300}) {
          const auto image = noise<T>(height, width, 3, 6), alpha = noise<T>(height, width, 1, 7);
          Image<T> plane(height, width), rgba(height, width, 4), out(height, width, 3);
          cast_shadow(alpha.view(), {kind, -3.4, 1e200, softness, 0.25}, plane.view());
          for (int64_t i = 0; i < plane.pixels(); ++i)
            CHECK(plane.data()[i] <= (std::is_same_v<T, float> ? static_cast<T>(0.250001) : static_cast<T>(64)));
          const Shade<T> shade{plane.view(), {0, 0, 0}};
          to_rgba(image.view(), alpha.view(), rgba.view(), shade);
          composite(image.view(), alpha.view(), image.view(), false, out.view(), shade);
          for (int64_t i = 0; i < plane.pixels(); ++i) {
            CHECK(rgba.data()[4 * i + 3] >= alpha.data()[i]);
            const T slack = std::is_same_v<T, float> ? static_cast<T>(1e-6) : T{0};
            for (int64_t c = 0; c < 3; ++c) CHECK(out.data()[3 * i + c] <= image.data()[3 * i + c] + slack);
          }
        }
}

void refused() {
  Image<uint8_t> rgb = noise<uint8_t>(4, 5, 3, 1), alpha = noise<uint8_t>(4, 5, 1, 2), small(4, 4), rgba(4, 5, 4);
  CHECK_THROWS(std::invalid_argument, to_rgba(rgb.view(), small.view(), rgba.view()));
  CHECK_THROWS(std::invalid_argument, to_rgba(rgb.view(), alpha.view(), rgb.view()));
  CHECK_THROWS(std::invalid_argument, to_rgba(rgba.view(), alpha.view(), rgba.view()));
  CHECK_THROWS(std::invalid_argument, composite(rgb.view(), alpha.view(), rgba.view(), false, rgb.view()));
  CHECK_THROWS(std::invalid_argument, composite(rgb.view(), alpha.view(), rgb.view(), true, alpha.view()));
  CHECK_THROWS(std::invalid_argument, premultiply(rgb.view(), rgba.view()));
  CHECK_THROWS(std::invalid_argument, unpremultiply(rgba.view(), rgb.view()));
  CHECK_THROWS(std::invalid_argument, blurred_background(rgb.view(), alpha.view(), 0.0, rgb.view()));
  CHECK_THROWS(std::invalid_argument, cast_shadow(alpha.view(), {}, small.view()));
  CHECK_THROWS(std::invalid_argument, cast_shadow(rgb.view(), {}, rgb.view()));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Shadow& bad : {Shadow{ShadowKind::drop, nan, 0, 1, 1}, Shadow{ShadowKind::drop, 0, 0, -1, 1},
                            Shadow{ShadowKind::contact, 0, 0, nan, 1}, Shadow{ShadowKind::contact, 0, 0, 1, 1.5}})
    CHECK_THROWS(std::invalid_argument, cast_shadow(alpha.view(), bad, alpha.view()));
  const Shade<uint8_t> shade{small.view(), {0, 0, 0}};
  CHECK_THROWS(std::invalid_argument, to_rgba(rgb.view(), alpha.view(), rgba.view(), shade));
  CHECK_THROWS(std::invalid_argument, composite(rgb.view(), alpha.view(), rgb.view(), false, rgb.view(), shade));
  CHECK_THROWS(std::invalid_argument, checkerboard(0, rgb.view()));
  Image<float> bad = noise<float>(4, 5, 4, 3), out(4, 5, 4);
  bad.data()[79] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS(std::invalid_argument, premultiply(bad.view(), out.view()));
}

}  // namespace

int main() {
  bytes_over_bytes();
  linear_keeps_equal_colours<uint8_t>(0);
  linear_keeps_equal_colours<float>(1e-6);
  blur_takes_any_size_and_sigma<uint8_t>();
  blur_takes_any_size_and_sigma<float>();
  shadows_take_any_size_and_softness<uint8_t>();
  shadows_take_any_size_and_softness<float>();
  refused();
  return check::result();
}
