#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "alphacut/matting.hpp"
#include "alphacut/parallel.hpp"
#include "block_vector.hpp"
#include "dispatch.hpp"

namespace alphacut {
namespace {

// Distances within each column to the nearest pixel that is (seed) or is not foreground, at most cap.
Image<int32_t> column_distance(ImageView<const uint8_t> mask, bool seed, int32_t cap) {
  const auto& kernel = kernels().matting;
  Image<int32_t> distance = Image<int32_t>::like(mask);
  parallel_for(mask.width, 256, [&](int64_t begin, int64_t end) {
    const auto n = static_cast<size_t>(end - begin);
    const std::vector<int32_t> far(n, cap);
    const int32_t* above = far.data();
    for (int64_t y = 0; y < mask.height; ++y) {
      kernel.distance_down(mask.row(y) + begin, seed, above, n, cap, distance.row(y) + begin);
      above = distance.row(y) + begin;
    }
    for (int64_t y = mask.height - 2; y >= 0; --y)
      kernel.distance_up(distance.row(y + 1) + begin, n, distance.row(y) + begin);
  });
  return distance;
}

// The squared distances of one row from its column distances g: the lower envelope of the parabolas (x - i)² + g(i)²
// (Meijster, Roerdink & Hesselink 2000).
class RowDistance {
 public:
  explicit RowDistance(int64_t width) : apex_(static_cast<size_t>(width)), start_(static_cast<size_t>(width)) {}

  // Calls emit(x, squared distance) for all x with g(x) > 0; the distance is at least that if it is beyond the cap.
  template <class Emit>
  void scan(const int32_t* g, int64_t width, int32_t cap, Emit emit) {
    // Neither a far column nor one inside a run of zeros is the nearest to any x that is asked for.
    const auto matters = [g, width, cap](int64_t u) {
      return g[u] < cap && (g[u] > 0 || u + 1 == width || g[u - 1] > 0 || g[u + 1] > 0);
    };
    const auto parabola = [g](int64_t x, int64_t i) { return (x - i) * (x - i) + int64_t{g[i]} * g[i]; };
    size_t top = 0;
    apex_[0] = start_[0] = 0;
    for (int64_t u = 1; u < width; ++u) {
      if (!matters(u)) continue;
      bool empty = false;
      while (!empty && parabola(start_[top], apex_[top]) > parabola(start_[top], u)) {
        empty = top == 0;
        if (!empty) --top;
      }
      if (empty) {
        apex_[0] = u;
        continue;
      }
      const int64_t i = apex_[top];
      const int64_t gap = u * u - i * i + int64_t{g[u]} * g[u] - int64_t{g[i]} * g[i];
      const int64_t from = gap / (2 * (u - i)) + 1;  // gap >= 0 here: u is not yet below at start_[top]
      if (from < width) {
        ++top;
        apex_[top] = u;
        start_[top] = from;
      }
    }
    for (int64_t x = width - 1; x >= 0; --x) {
      if (g[x] > 0) emit(x, static_cast<int32_t>(std::min(parabola(x, apex_[top]), int64_t{cap} * cap)));
      if (x == start_[top] && top > 0) --top;
    }
  }

 private:
  std::vector<int64_t> apex_, start_;
};

// Squared distance to the nearest pixel of the other kind, negative on background; beyond the cap just "far".
Image<int32_t> signed_distance(ImageView<const uint8_t> mask, int32_t cap) {
  const Image<int32_t> to_foreground = column_distance(mask, true, cap);
  Image<int32_t> result = column_distance(mask, false, cap);  // read a row at a time, then overwritten
  parallel_for(mask.height, row_grain(mask.width, 1 << 14), [&](int64_t begin, int64_t end) {
    RowDistance row_distance(mask.width);
    std::vector<int32_t> to_background(static_cast<size_t>(mask.width));
    for (int64_t y = begin; y < end; ++y) {
      int32_t* out = result.row(y);
      std::copy_n(out, mask.width, to_background.data());
      row_distance.scan(to_background.data(), mask.width, cap, [&](int64_t x, int32_t squared) { out[x] = squared; });
      row_distance.scan(to_foreground.row(y), mask.width, cap, [&](int64_t x, int32_t squared) { out[x] = -squared; });
    }
  });
  return result;
}

// Calls visit(y, x) for the neighbours, at most 8, of a pixel.
template <class Visit>
void for_neighbours(ImageView<const int32_t> picture, int64_t y, int64_t x, Visit visit) {
  for (int64_t v = std::max<int64_t>(y - 1, 0); v <= std::min(y + 1, picture.height - 1); ++v)
    for (int64_t u = std::max<int64_t>(x - 1, 0); u <= std::min(x + 1, picture.width - 1); ++u)
      if (v != y || u != x) visit(v, u);
}

using Pixels = BlockVector<std::array<int64_t, 2>>;  // y, x

// Marks the unknown pixels of the same kind that can be reached from the one pixel of `part`, and appends them to it.
void reach(ImageView<const int32_t> distance, ImageView<const uint8_t> trimap, ImageView<uint8_t> reached,
           Pixels& part) {
  for (size_t next = 0; next < part.size(); ++next) {
    const auto [y, x] = part[next];
    const bool foreground = distance.row(y)[x] > 0;
    for_neighbours(distance, y, x, [&](int64_t v, int64_t u) {
      if (trimap.row(v)[u] != 128 || reached.row(v)[u] != 0 || (distance.row(v)[u] > 0) != foreground) return;
      reached.row(v)[u] = 1;
      part.push_back({v, u});
    });
  }
}

// Where known foreground is near: in the same square of a grid or in one of the 8 around. And whether any background is
// known, near or far.
class Known {
 public:
  Known(ImageView<const uint8_t> trimap, int64_t side)
      : side_(side), near_((trimap.height - 1) / side + 3, (trimap.width - 1) / side + 3) {
    std::fill_n(near_.data(), near_.pixels(), uint8_t{0});
    for (int64_t y = 0; y < trimap.height; ++y) {
      const uint8_t *row = trimap.row(y), *row_end = row + trimap.width;
      background_ = background_ || std::find(row, row_end, 0) != row_end;
      for (int64_t x = 0; x < trimap.width; x += side) {
        const uint8_t* end = row + std::min(x + side, trimap.width);
        if (std::find(row + x, end, 255) == end) continue;
        for (int64_t v = -1; v <= 1; ++v)
          for (int64_t u = -1; u <= 1; ++u) near_.data()[cell(y, x) + v * near_.width() + u] = 1;
      }
    }
  }
  bool foreground_near(int64_t y, int64_t x) const { return near_.data()[cell(y, x)] != 0; }
  bool background() const { return background_; }

 private:
  int64_t cell(int64_t y, int64_t x) const { return (y / side_ + 1) * near_.width() + x / side_ + 1; }
  int64_t side_;
  Image<uint8_t> near_;
  bool background_ = false;
};

// Gives back to a part that lies wholly in the band, with no known pixel of its kind near it, its pixels farthest from
// the edge. For background, anywhere is near: small holes in hair are better left to the matte.
void keep_lonely_parts(ImageView<const int32_t> distance, int64_t side, ImageView<uint8_t> trimap) {
  const Known known(trimap, side);
  Image<uint8_t> reached = Image<uint8_t>::like(trimap);
  std::fill_n(reached.data(), reached.pixels(), uint8_t{0});
  Pixels part;
  for (int64_t y = 0; y < trimap.height; ++y)
    for (int64_t x = 0; x < trimap.width; ++x) {
      if (trimap.row(y)[x] != 128 || reached.row(y)[x] != 0) continue;
      reached.row(y)[x] = 1;
      part.assign(1, {y, x});
      reach(distance, trimap, reached, part);
      const bool foreground = distance.row(y)[x] > 0;
      bool lonely = true;
      int32_t farthest = 0;
      for (const auto& [v, u] : part) {
        lonely = lonely && !(foreground ? known.foreground_near(v, u) : known.background());
        farthest = std::max(farthest, std::abs(distance.row(v)[u]));
      }
      if (!lonely) continue;
      for (const auto& [v, u] : part)
        if (std::abs(distance.row(v)[u]) == farthest) trimap.row(v)[u] = foreground ? 255 : 0;
    }
}

}  // namespace

void distance_transform(ImageView<const uint8_t> mask, ImageView<float> distance) {
  if (mask.channels != 1 || distance.channels != 1 || mask.height != distance.height || mask.width != distance.width)
    throw std::invalid_argument("distance_transform: mask and distance must be single-channel and of one size");
  constexpr int32_t kFarthest = 46340;  // its square fits int32
  const auto cap = static_cast<int32_t>(std::min<int64_t>(mask.height + mask.width, kFarthest));
  const Image<int32_t> column = column_distance(mask, false, cap);
  bool empty = true;
  for (int64_t x = 0; empty && x < mask.width; ++x) empty = column.row(0)[x] == cap;
  parallel_for(mask.height, row_grain(mask.width, 1 << 14), [&](int64_t begin, int64_t end) {
    RowDistance row_distance(mask.width);
    for (int64_t y = begin; y < end; ++y) {
      float* out = distance.row(y);
      std::fill_n(out, mask.width, empty ? std::numeric_limits<float>::infinity() : 0.0f);
      if (empty) continue;
      row_distance.scan(column.row(y), mask.width, cap, [&](int64_t x, int32_t squared) {
        out[x] = static_cast<float>(std::sqrt(static_cast<double>(squared)));
      });
    }
  });
}

TrimapKinds trimap_kinds(ImageView<const uint8_t> trimap) {
  TrimapKinds kinds;
  for (int64_t y = 0; y < trimap.height && !(kinds.background && kinds.unknown && kinds.foreground); ++y) {
    const uint8_t* row = trimap.row(y);
    uint8_t background = 0, unknown = 0, foreground = 0;
    for (int64_t x = 0; x < trimap.width; ++x) {
      background |= row[x] == 0;
      foreground |= row[x] == 255;
      unknown |= row[x] != 0 && row[x] != 255;
    }
    kinds = {kinds.background || background, kinds.unknown || unknown, kinds.foreground || foreground};
  }
  return kinds;
}

double default_band(int64_t height, int64_t width) {
  const double pixels = static_cast<double>(height) * static_cast<double>(width);
  return std::clamp(std::floor(10 * std::sqrt(pixels / 450000) + 0.5), 2.0, 64.0);
}

void make_trimap(ImageView<const uint8_t> mask, double band, ImageView<uint8_t> trimap) {
  if (mask.channels != 1 || trimap.channels != 1 || mask.height != trimap.height || mask.width != trimap.width)
    throw std::invalid_argument("make_trimap: mask and trimap must be single-channel and of one size");
  if (!(band >= 0 && band <= 4096))
    throw std::invalid_argument("band must be a number of pixels from 0 to 4096, got " + std::to_string(band));
  const Image<int32_t> distance = signed_distance(mask, static_cast<int32_t>(band) + 1);
  parallel_for(mask.height, row_grain(mask.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < mask.width; ++x) {
        const int32_t squared = distance.row(y)[x];
        trimap.row(y)[x] = std::abs(squared) <= band * band ? 128 : squared > 0 ? 255 : 0;
      }
  });
  keep_lonely_parts(distance, 4 * (static_cast<int64_t>(band) + 1), trimap);
}

}  // namespace alphacut
