#include "plain_background.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <type_traits>
#include <vector>

#include "alphacut/components.hpp"
#include "alphacut/parallel.hpp"
#include "planes.hpp"
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

// A shadow is extended: of some square cell, of so many to the longer side, nearly all is shade. What looks like shade
// elsewhere than in such a cell and its neighbours is a soft edge.
constexpr int64_t kCells = 80, kLeastCell = 4;
constexpr double kFullCell = 0.9;

constexpr float kSubject = 0.9f;    // likelier than this, what has the key's colour belongs to the subject,
constexpr int64_t kFine = 100;      // ... but of a piece below so small a share of it the network cannot tell
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

// Closes shade outside the cells of extended shadows, and those next to them.
class Shadows {
 public:
  Shadows(int64_t height, int64_t width)
      : side_(std::max(kLeastCell, (std::max(height, width) + kCells - 1) / kCells)),
        shade_((height + side_ - 1) / side_, (width + side_ - 1) / side_) {
    std::fill_n(shade_.data(), shade_.pixels(), int32_t{0});
  }
  int64_t side() const { return side_; }
  int64_t rows() const { return shade_.height(); }
  int32_t* counts(int64_t cell_row) { return shade_.row(cell_row); }

  void close_others(const Image<uint8_t>& kind, ImageView<uint8_t> closed) const {
    parallel_for(rows(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t cell = 0; cell < shade_.width(); ++cell) {
          if (shade_.row(row)[cell] == 0 || extended_near(row, cell, closed)) continue;
          const int64_t left = cell * side_, right = std::min(left + side_, closed.width);
          for (int64_t y = row * side_; y < std::min((row + 1) * side_, closed.height); ++y)
            for (int64_t x = left; x < right; ++x)
              if (kind.row(y)[x] == kShade) closed.row(y)[x] = 255;
        }
    });
  }

 private:
  bool extended_near(int64_t row, int64_t cell, ImageView<const uint8_t> picture) const {
    for (int64_t v = std::max<int64_t>(row - 1, 0); v <= std::min(row + 1, shade_.height() - 1); ++v)
      for (int64_t u = std::max<int64_t>(cell - 1, 0); u <= std::min(cell + 1, shade_.width() - 1); ++u) {
        const int64_t pixels = std::min(side_, picture.height - v * side_) * std::min(side_, picture.width - u * side_);
        if (static_cast<double>(shade_.row(v)[u]) >= kFullCell * static_cast<double>(pixels)) return true;
      }
    return false;
  }

  int64_t side_;
  Image<int32_t> shade_;  // pixels of each cell
};

// The pixels of a picture where a map of its own size is above a limit.
int64_t pixels_above(float limit, ImageView<const float> map, int64_t pixels) {
  int64_t found = 0;
  for (int64_t y = 0; y < map.height; ++y)
    found += std::count_if(map.row(y), map.row(y) + map.width, [limit](float p) { return p > limit; });
  return static_cast<int64_t>(static_cast<double>(found) / static_cast<double>(map.pixels()) *
                              static_cast<double>(pixels));
}

// Opens what the network closed in pieces so small that it cannot tell: what lies between fingers or leaves.
void open_small(const Image<uint8_t>& taken, ImageView<uint8_t> closed, int64_t least) {
  Image<uint8_t> large = Image<uint8_t>::like(taken.view());
  remove_small(taken, least, 4, large);
  parallel_for(closed.height, row_grain(closed.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const uint8_t *all = taken.row(y), *kept = large.row(y);
      uint8_t* row = closed.row(y);
      for (int64_t x = 0; x < closed.width; ++x) row[x] &= static_cast<uint8_t>(~(all[x] ^ kept[x]));
    }
  });
}

// Adds those of the enclosed parts that are background, too.
void add_holes(const Image<uint8_t>& enclosed, const Image<uint8_t>& kind, ImageView<const float> probability,
               ImageView<uint8_t> background) {
  Image<int32_t> labels = Image<int32_t>::like(background);
  const int32_t count = label_components(enclosed, 4, labels);
  struct Hole {
    int64_t area = 0, lit = 0;
    double likely = 0;
    bool is_background() const { return 2 * lit > area && 2 * likely < static_cast<double>(area); }
  };
  std::vector<Hole> holes(static_cast<size_t>(count) + 1);
  const ProbabilityAt likely(probability, background.height, background.width);
  for (int64_t y = 0; y < background.height; ++y)
    for (int64_t x = 0; x < background.width; ++x) {
      if (labels.row(y)[x] == 0) continue;
      Hole& hole = holes[static_cast<size_t>(labels.row(y)[x])];
      ++hole.area;
      hole.lit += kind.row(y)[x] == kLit;
      hole.likely += static_cast<double>(likely(y, x));
    }
  for (int64_t y = 0; y < background.height; ++y)
    for (int64_t x = 0; x < background.width; ++x)
      if (labels.row(y)[x] != 0 && holes[static_cast<size_t>(labels.row(y)[x])].is_background())
        background.row(y)[x] = 255;
}

}  // namespace

template <class T>
void plain_background(ImageView<const T> image, const KeyColor& key, double similarity,
                      ImageView<const float> probability, ImageView<uint8_t> background) {
  const int64_t height = image.height, width = image.width;
  const bool asked = probability.data != nullptr;
  Image<uint8_t> kind = Image<uint8_t>::like(image), closed = Image<uint8_t>::like(image), taken;
  if (asked) taken = Image<uint8_t>::like(image);
  Shadows shadows(height, width);
  std::atomic<bool> any{false};  // taken
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
    const auto close_row = [&](int64_t y, const ProbabilityAt& likely, int32_t* shade) {
      const uint16_t *above = light.row(std::max<int64_t>(y - 1, 0)), *row = light.row(y),
                     *below = light.row(std::min(y + 1, height - 1));
      const uint8_t* kinds = kind.row(y);
      uint8_t* to = closed.row(y);
      for (int64_t x = 0; x < width; ++x) to[x] = kinds[x] == kOther ? 255 : 0;
      for (int64_t x = 0; x < width; ++x) {
        if (kinds[x] != kShade) continue;
        const float steepest = asked ? kSteepest * std::max(0.0f, 1 - likely(y, x) / kSubject) : kSteepestUnknown;
        const int64_t left = std::max<int64_t>(x - 1, 0), right = std::min(x + 1, width - 1);
        const bool open = static_cast<float>(slope(above, row, below, left, x, right)) < 6 * kLight * steepest;
        to[x] = open ? 0 : 255;
        shade[x / shadows.side()] += open;
      }
      if (!asked) return;
      std::fill_n(taken.row(y), width, uint8_t{0});
      bool some = false;
      const auto [begin, end] = likely.above(kSubject, y, width);
      for (int64_t x = begin; x < end; ++x) {
        if (kinds[x] != kLit || likely(y, x) <= kSubject) continue;
        to[x] = taken.row(y)[x] = 255;
        some = true;
      }
      if (some) any = true;
    };
    parallel_for(shadows.rows(), 1, [&](int64_t begin, int64_t end) {
      const ProbabilityAt likely(probability, height, width);
      for (int64_t y = begin * shadows.side(); y < std::min(end * shadows.side(), height); ++y)
        close_row(y, likely, shadows.counts(y / shadows.side()));
    });
  }
  shadows.close_others(kind, closed);
  if (any) open_small(taken, closed, pixels_above(kSubject, probability, closed.pixels()) / kFine);
  taken = {};
  Image<uint8_t> filled = Image<uint8_t>::like(image);
  fill_holes(closed, closed.pixels(), 8, filled);
  Image<uint8_t>& enclosed = closed;
  std::atomic<bool> holes{false};
  parallel_for(height, row_grain(width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const uint8_t* all = filled.row(y);
      uint8_t *to = background.row(y), *hole = enclosed.row(y), some = 0;
      for (int64_t x = 0; x < width; ++x) {
        to[x] = static_cast<uint8_t>(~all[x]);
        hole[x] ^= all[x];
        some |= hole[x];
      }
      if (some != 0) holes = true;
    }
  });
  if (!asked || !holes) return;
  remove_small(enclosed, kLeastHole, 4, filled);
  if (!is_empty(filled)) add_holes(filled, kind, probability, background);
}

template void plain_background(ImageView<const uint8_t>, const KeyColor&, double, ImageView<const float>,
                               ImageView<uint8_t>);
template void plain_background(ImageView<const float>, const KeyColor&, double, ImageView<const float>,
                               ImageView<uint8_t>);

}  // namespace alphacut
