#include "alphacut/shadow.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "alphacut/parallel.hpp"
#include "box_blur.hpp"
#include "depth.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

constexpr double kReach = 0.08;    // of the subject's height: so far above the ground a contact still counts a quarter
constexpr double kFlat = 1.0 / 3;  // a contact's blur up and down, of that sideways: the ground is seen at an angle

// An opacity of 0..1 in the plane's depth.
template <class T>
T opacity_of(float share) {
  const float value = std::clamp(share, 0.0f, 1.0f) * static_cast<float>(kOpaque<T>);
  return static_cast<T>(std::is_same_v<T, uint8_t> ? value + 0.5f : value);
}

void require(bool right, const char* what, double got) {
  if (!right) throw std::invalid_argument(std::string(what) + ", got " + std::to_string(got));
}

// Pixels of an offset; more than the picture's side moves everything out of it.
int64_t moved(double offset, int64_t side) {
  const auto most = static_cast<double>(side);
  return std::llround(std::clamp(offset, -most, most));
}

// How much of a blur lies inside the picture, at each of n places.
std::vector<float> inside(int64_t n, const BoxRadii& radii) {
  return blurred_row(std::vector<float>(static_cast<size_t>(n), 1.0f), radii);
}

template <class T>
void cast_drop(ImageView<const T> alpha, const Shadow& shadow, ImageView<T> out) {
  const auto radii = box_radii(shadow.softness, std::max(alpha.height, alpha.width));
  const int64_t dx = moved(shadow.dx, alpha.width), dy = moved(shadow.dy, alpha.height);
  Image<float> plane(alpha.height, alpha.width);
  blur_rows<1>(plane.view(), radii, [&](int64_t y, float* row) {
    const T* from = alpha.row(std::clamp<int64_t>(y - dy, 0, alpha.height - 1));
    for (int64_t x = 0; x < alpha.width; ++x)
      row[x] = static_cast<float>(from[std::clamp<int64_t>(x - dx, 0, alpha.width - 1)]);
  });
  const auto across = inside(alpha.width, radii), down = inside(alpha.height, radii);
  const float opacity = static_cast<float>(shadow.opacity) / static_cast<float>(kOpaque<T>);
  blur_columns<1>(plane.view(), radii, [&](int64_t y, int64_t begin, int64_t end, const float* from) {
    T* to = out.row(y);
    const float factor = opacity / down[static_cast<size_t>(y)];
    for (int64_t x = begin; x < end; ++x)
      to[x] = opacity_of<T>(from[x - begin] * factor / across[static_cast<size_t>(x)]);
  });
}

// The subject's lowest row in each column, -1 where it has none.
template <class T>
std::vector<int64_t> lower_outline(ImageView<const T> alpha, int64_t& top) {
  std::vector<int64_t> bottom(static_cast<size_t>(alpha.width), -1), tops(bottom.size(), alpha.height);
  parallel_for(alpha.width, 256, [&](int64_t begin, int64_t end) {
    for (int64_t y = 0; y < alpha.height; ++y) {
      const T* row = alpha.row(y);
      for (int64_t x = begin; x < end; ++x)
        if (row[x] > kHalf<T>) {
          bottom[static_cast<size_t>(x)] = y;
          tops[static_cast<size_t>(x)] = std::min(tops[static_cast<size_t>(x)], y);
        }
    }
  });
  top = *std::min_element(tops.begin(), tops.end());
  return bottom;
}

template <class T>
void cast_contact(ImageView<const T> alpha, const Shadow& shadow, ImageView<T> out) {
  const int64_t longest = std::max(alpha.height, alpha.width);
  const auto across = box_radii(shadow.softness, longest), down = box_radii(shadow.softness * kFlat, longest);
  const int64_t dx = moved(shadow.dx, alpha.width), dy = moved(shadow.dy, alpha.height);
  int64_t top = 0;
  const auto bottom = lower_outline(alpha, top);
  const int64_t ground = *std::max_element(bottom.begin(), bottom.end());
  const double reach = std::max(1.0, kReach * static_cast<double>(ground + 1 - top));
  Image<float> plane(alpha.height, alpha.width);
  blur_rows<1>(plane.view(), across, [&](int64_t y, float* row) {
    for (int64_t x = 0; x < alpha.width; ++x) {
      const int64_t lowest = x - dx < 0 || x - dx >= alpha.width ? -1 : bottom[static_cast<size_t>(x - dx)];
      const double height = static_cast<double>(ground - lowest) / reach, fading = 1 / (1 + height * height);
      row[x] = lowest >= 0 && lowest + dy == y ? static_cast<float>(fading * fading) : 0.0f;
    }
  });
  // A line along the ground is as dark as the opacity says, however far it is blurred up and down.
  const int64_t reaches = down[0] + down[1] + down[2];
  std::vector<float> line(static_cast<size_t>(2 * reaches + 1));
  line[static_cast<size_t>(reaches)] = 1.0f;
  const float peak = blurred_row(std::move(line), down)[static_cast<size_t>(reaches)];
  const auto sides = inside(alpha.width, across);
  const float factor = static_cast<float>(shadow.opacity) / peak;
  blur_columns<1>(plane.view(), down, [&](int64_t y, int64_t begin, int64_t end, const float* from) {
    T* to = out.row(y);
    for (int64_t x = begin; x < end; ++x)
      to[x] = opacity_of<T>(
          std::min(from[x - begin] * factor / sides[static_cast<size_t>(x)], static_cast<float>(shadow.opacity)));
  });
}

template <class T>
void cast(ImageView<const T> alpha, const Shadow& shadow, ImageView<T> out) {
  if (alpha.channels != 1 || out.channels != 1) throw std::invalid_argument("alpha and out must have one channel");
  if (alpha.height != out.height || alpha.width != out.width)
    throw std::invalid_argument("out must have the size of alpha");
  require(std::isfinite(shadow.dx) && std::isfinite(shadow.dy), "the shadow's offset must be finite",
          shadow.dx + shadow.dy);
  require(shadow.softness >= 0 && std::isfinite(shadow.softness), "softness must be a finite number of at least 0",
          shadow.softness);
  require(shadow.opacity >= 0 && shadow.opacity <= 1, "opacity must be from 0 to 1", shadow.opacity);
  if constexpr (std::is_same_v<T, float>) require_range(alpha, 0.0f, 1.0f, "alpha");
  if (alpha.empty()) return;
  if (shadow.kind == ShadowKind::drop)
    cast_drop(alpha, shadow, out);
  else
    cast_contact(alpha, shadow, out);
}

}  // namespace

void cast_shadow(ImageView<const uint8_t> alpha, const Shadow& shadow, ImageView<uint8_t> out) {
  cast(alpha, shadow, out);
}
void cast_shadow(ImageView<const float> alpha, const Shadow& shadow, ImageView<float> out) { cast(alpha, shadow, out); }

}  // namespace alphacut
