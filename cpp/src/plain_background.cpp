#include "plain_background.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>
#include <vector>

#include "alphacut/components.hpp"
#include "alphacut/parallel.hpp"
#include "probability_at.hpp"

namespace alphacut {
namespace {

// A shadow: the least light that is left; how far its chroma (Cb, Cr) may be off, and how much more for light that is
// missing, since bounced light tints it.
constexpr float kDarkest = 0.3f, kTint = 0.03f, kShadowTint = 0.05f;
constexpr float kDimKey = 0.15f;  // on a key darker than this no shadow is seen

// The steepest change of light, a pixel, that a shadow may have: where nothing of the subject is likely, and where it
// is not known how likely: there only the softest shadows go.
constexpr float kSteepest = 0.1f, kSteepestUnknown = 0.02f;

constexpr float kSubject = 0.9f;    // likelier than this, what has the key's colour belongs to the subject
constexpr int64_t kLeastHole = 12;  // pixels of a hole that may be background
constexpr float kLight = 8192;      // steps of light; more than 4 times the key's is not told apart

enum Kind : uint8_t { kOther = 0, kLit = 1, kShade = 2 };

struct KeyRow {
  std::array<float, 3> start{}, step{};
  float luma_weight, limit;  // of the squared distance
};

// What each pixel of a row may be, and its light as a share of the key's.
template <class T>
void classify(const T* pixels, int64_t width, int64_t channels, const KeyRow& key, uint8_t* kind, uint16_t* light) {
  constexpr float unit = std::is_same_v<T, uint8_t> ? 1.0f / 255 : 1.0f;
  const int64_t green = channels == 3 ? 1 : 0, blue = channels == 3 ? 2 : 0;
  const auto chroma = [](float r, float luma, float b) {
    const float cb = 0.564f * (b - luma), cr = 0.713f * (r - luma);
    return cb * cb + cr * cr;
  };
  for (int64_t x = 0; x < width; ++x, pixels += channels) {
    const auto at = static_cast<float>(x);
    const float kr = key.start[0] + key.step[0] * at, kg = key.start[1] + key.step[1] * at,
                kb = key.start[2] + key.step[2] * at;
    const float r = unit * static_cast<float>(pixels[0]), g = unit * static_cast<float>(pixels[green]),
                b = unit * static_cast<float>(pixels[blue]);
    const float luma = 0.299f * (r - kr) + 0.587f * (g - kg) + 0.114f * (b - kb);
    const bool lit = key.luma_weight * luma * luma + chroma(r - kr, luma, b - kb) <= key.limit;
    const float square = std::max(kr * kr + kg * kg + kb * kb, 1e-6f);
    const float s = std::max(0.0f, (r * kr + g * kg + b * kb) / square);
    const float dr = r - s * kr, dg = g - s * kg, db = b - s * kb;
    const float tint = kTint + kShadowTint * std::max(0.0f, 1 - s);
    const bool shade = s > kDarkest && s <= 1 && square > 3 * kDimKey * kDimKey &&
                       chroma(dr, 0.299f * dr + 0.587f * dg + 0.114f * db, db) < tint * tint;
    kind[x] = lit ? kLit : shade ? kShade : kOther;
    light[x] = static_cast<uint16_t>(std::min(s, 4.0f) * kLight);
  }
}

// The change of light at a pixel, a pixel, in sixths of a step: Prewitt's gradient, the greater of both directions.
int32_t slope(const uint16_t* above, const uint16_t* row, const uint16_t* below, int64_t left, int64_t x,
              int64_t right) {
  const int32_t across = (above[right] + row[right] + below[right]) - (above[left] + row[left] + below[left]);
  const int32_t down = (below[left] + below[x] + below[right]) - (above[left] + above[x] + above[right]);
  return std::max(std::abs(across), std::abs(down));
}

// Which parts of what is open are background.
std::vector<uint8_t> background_parts(const Image<int32_t>& labels, int32_t count, const Image<uint8_t>& kind,
                                      ImageView<const float> probability) {
  const int64_t height = labels.height(), width = labels.width();
  std::vector<uint8_t> background(static_cast<size_t>(count) + 1, 0);
  const auto mark = [&](int64_t y, int64_t x) { background[static_cast<size_t>(labels.row(y)[x])] = 255; };
  for (int64_t x = 0; x < width; ++x) mark(0, x), mark(height - 1, x);
  for (int64_t y = 0; y < height; ++y) mark(y, 0), mark(y, width - 1);
  background[0] = 0;
  if (probability.data == nullptr) return background;
  struct Hole {
    int64_t area = 0, lit = 0;
    double likely = 0;
  };
  std::vector<Hole> holes(background.size());
  const ProbabilityAt likely(probability, height, width);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const auto part = static_cast<size_t>(labels.row(y)[x]);
      if (part == 0 || background[part] != 0) continue;
      ++holes[part].area;
      holes[part].lit += kind.row(y)[x] == kLit;
      holes[part].likely += static_cast<double>(likely(y, x));
    }
  for (size_t part = 1; part < holes.size(); ++part) {
    const Hole& hole = holes[part];
    if (hole.area >= kLeastHole && 2 * hole.lit > hole.area && 2 * hole.likely < static_cast<double>(hole.area))
      background[part] = 255;
  }
  return background;
}

}  // namespace

template <class T>
void plain_background(ImageView<const T> image, const KeyColor& key, double similarity,
                      ImageView<const float> probability, ImageView<uint8_t> background) {
  const int64_t height = image.height, width = image.width;
  Image<uint8_t> kind = Image<uint8_t>::like(image);
  {
    Image<uint16_t> light = Image<uint16_t>::like(image);
    parallel_for(height, row_grain(width), [&](int64_t begin, int64_t end) {
      KeyRow row{};
      row.luma_weight = static_cast<float>(1 - 0.75 * saturation(key));
      row.limit = static_cast<float>(similarity * similarity);
      for (int64_t y = begin; y < end; ++y) {
        const double v = (static_cast<double>(y) + 0.5) / static_cast<double>(height) - 0.5;
        for (size_t c = 0; c < 3; ++c) {
          const double u = 0.5 / static_cast<double>(width) - 0.5;
          row.start[c] = static_cast<float>(key.color[c] + key.across[c] * u + key.down[c] * v);
          row.step[c] = static_cast<float>(key.across[c] / static_cast<double>(width));
        }
        classify(image.row(y), width, image.channels, row, kind.row(y), light.row(y));
      }
    });
    parallel_for(height, row_grain(width), [&](int64_t begin, int64_t end) {
      const ProbabilityAt likely(probability, height, width);
      for (int64_t y = begin; y < end; ++y) {
        const uint16_t *above = light.row(std::max<int64_t>(y - 1, 0)), *row = light.row(y),
                       *below = light.row(std::min(y + 1, height - 1));
        for (int64_t x = 0; x < width; ++x) {
          uint8_t open = kind.row(y)[x];
          if (open == kLit && probability.data != nullptr && likely(y, x) > kSubject) open = 0;
          if (open == kShade) {
            const float steepest = probability.data != nullptr ? kSteepest * std::max(0.0f, 1 - likely(y, x) / kSubject)
                                                               : kSteepestUnknown;
            const int64_t left = std::max<int64_t>(x - 1, 0), right = std::min(x + 1, width - 1);
            if (static_cast<float>(slope(above, row, below, left, x, right)) >= 6 * kLight * steepest) open = 0;
          }
          background.row(y)[x] = open;
        }
      }
    });
  }
  Image<int32_t> labels = Image<int32_t>::like(image);
  const int32_t count = label_components(background, 4, labels);
  const std::vector<uint8_t> is_background = background_parts(labels, count, kind, probability);
  parallel_for(height, row_grain(width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < width; ++x) background.row(y)[x] = is_background[static_cast<size_t>(labels.row(y)[x])];
  });
}

template void plain_background(ImageView<const uint8_t>, const KeyColor&, double, ImageView<const float>,
                               ImageView<uint8_t>);
template void plain_background(ImageView<const float>, const KeyColor&, double, ImageView<const float>,
                               ImageView<uint8_t>);

}  // namespace alphacut
