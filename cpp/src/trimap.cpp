#include "trimap.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "alphacut/matting.hpp"
#include "alphacut/parallel.hpp"
#include "distance.hpp"
#include "pooled_vector.hpp"

namespace alphacut {
namespace {

// Writes squared distances, at most cap², with this sign.
auto into(int32_t* row, int32_t sign, int32_t cap) {
  return [=](int64_t x, int64_t squared, int64_t) {
    row[x] = sign * static_cast<int32_t>(std::min(squared, int64_t{cap} * cap));
  };
}

// The squared distances of one row from its column distances.
class RowDistance {
 public:
  explicit RowDistance(int64_t width)
      : scan_(width), inside_(static_cast<size_t>(width)), outside_(static_cast<size_t>(width)) {}

  // From signed distances within columns the squared ones to the nearest pixel of the other kind, signed as before.
  void square(int32_t* row, int64_t width, int32_t cap) {
    int64_t done = 0;
    while (done < width) {
      const auto [begin, end] = next_near(row, done, width, cap);
      for (int64_t x = done; x < begin; ++x) row[x] = row[x] > 0 ? cap * cap : -cap * cap;
      split(row + begin, end - begin, inside_.data(), outside_.data());
      scan_.scan(EuclideanSquared{}, inside_.data(), end - begin, cap, into(row + begin, 1, cap));
      scan_.scan(EuclideanSquared{}, outside_.data(), end - begin, cap, into(row + begin, -1, cap));
      done = end;
    }
  }

  // The same of what is not above 0 alone; the rest is left as it is.
  void square_outside(int32_t* row, int64_t width, int32_t cap) {
    int64_t done = 0;
    while (done < width) {
      const auto [begin, end] = next_near(row, done, width, cap);
      for (int64_t x = done; x < begin; ++x) row[x] = row[x] > 0 ? row[x] : -cap * cap;
      for (int64_t x = begin; x < end; ++x) outside_[static_cast<size_t>(x - begin)] = std::max(-row[x], 0);
      scan_.scan(EuclideanSquared{}, outside_.data(), end - begin, cap, into(row + begin, -1, cap));
      done = end;
    }
  }

 private:
  // The next part of a row from `first` on, [begin, end), that lies within the cap of an edge; empty at the end.
  static std::array<int64_t, 2> next_near(const int32_t* row, int64_t first, int64_t width, int32_t cap) {
    constexpr int64_t block = 64;
    int64_t begin = width, end = width;
    for (int64_t x = first; x < width; x += block) {
      if (begin < width && x >= end + cap) break;
      bool near = false;
      for (int64_t u = x; u < std::min(x + block, width); ++u)
        near |= std::abs(row[u]) < cap || (row[u] > 0) != (row[u > 0 ? u - 1 : 0] > 0);
      if (!near) continue;
      if (begin == width) begin = std::max(x - cap - 1, first);
      end = std::min(x + block + cap, width);
    }
    return {begin, end};
  }

  static void split(const int32_t* __restrict row, int64_t n, int32_t* __restrict inside, int32_t* __restrict outside) {
    for (int64_t x = 0; x < n; ++x) {
      inside[x] = std::max(row[x], 0);
      outside[x] = std::max(-row[x], 0);
    }
  }

  RowScan scan_;
  std::vector<int32_t> inside_, outside_;  // distances within columns to the other kind, 0 on that
};

// Squared distance to the nearest pixel of the other kind, negative on background; beyond the cap just "far".
Image<int32_t> signed_distance(ImageView<const uint8_t> mask, int32_t cap) {
  Image<int32_t> result = column_distance(mask, cap);
  parallel_for(mask.height, row_grain(mask.width, 1 << 14), [&](int64_t begin, int64_t end) {
    RowDistance row_distance(mask.width);
    for (int64_t y = begin; y < end; ++y) row_distance.square(result.row(y), mask.width, cap);
  });
  return result;
}

using Pixels = PooledVector<std::array<int64_t, 2>>;  // y, x

constexpr double kReach = 5;  // bands from what is known: nearer, thin parts are left to the matte
constexpr uint8_t kUnknown = 128, kThin = 1, kReached = 2;

// Appends to the one pixel of `part` those of kind `from` that are connected with it, and makes all of them `to`.
void reach(ImageView<uint8_t> kinds, uint8_t from, uint8_t to, Pixels& part) {
  kinds.row(part[0][0])[part[0][1]] = to;
  for (size_t next = 0; next < part.size(); ++next) {
    const auto [y, x] = part[next];
    for (int64_t v = std::max<int64_t>(y - 1, 0); v <= std::min(y + 1, kinds.height - 1); ++v)
      for (int64_t u = std::max<int64_t>(x - 1, 0); u <= std::min(x + 1, kinds.width - 1); ++u) {
        if (kinds.row(v)[u] != from) continue;
        kinds.row(v)[u] = to;
        part.push_back({v, u});
      }
  }
}

// Whether a pixel lies at most half as far from the edge as others on its way inwards: not in the middle half of a
// line.
bool at_edge(ImageView<const int32_t> squared, int64_t y, int64_t x) {
  static constexpr float kCosine[5] = {1.0f, 0.92387953251f, 0.70710678119f, 0.38268343237f, 0.0f};
  const int64_t own = squared.row(y)[x];
  const float length = std::sqrt(static_cast<float>(own));
  const auto inwards = [&](int64_t dy, int64_t dx) {
    const int64_t v = y + dy, u = x + dx;
    if (v < 0 || u < 0 || v >= squared.height || u >= squared.width) return false;
    return 5 * int64_t{squared.row(v)[u]} >= 18 * own;  // twice the distance, but for what the grid takes
  };
  for (size_t k = 0; k <= 4; ++k) {
    const auto along = static_cast<int64_t>(length * kCosine[k] + 0.5f);
    const auto across = static_cast<int64_t>(length * kCosine[4 - k] + 0.5f);
    if (inwards(along, across) || inwards(along, -across) || inwards(-along, across) || inwards(-along, -across))
      return true;
  }
  return false;
}

// What of the foreground counts as thin: all beyond the discs of radius `radius` in it, where that reaches farther than
// `reach` from what is that far from the edge; and the labels its unknown pixels get, of its middle half and the rest.
struct Thin {
  double radius, reach;
  uint8_t middle, edge;
};

// Nothing is lost for being thin. `kinds` is room for marks. Distances from what is known are those of square cells, of
// one pixel up to a radius of 32.
void mark_thin_parts(ImageView<const int32_t> distance, const Thin& thin, ImageView<uint8_t> kinds,
                     ImageView<uint8_t> trimap) {
  constexpr double slack = 1.5;  // cells, for the grid: no disc fills a straight edge
  const auto side = static_cast<int64_t>(thin.radius / 32) + 1;
  const auto length = static_cast<double>(side), nearest = thin.radius / length + slack, farthest = thin.reach / length;
  const auto cap = static_cast<int32_t>(farthest) + 2;
  const auto beyond = nearest * nearest, far = farthest * farthest;
  Image<uint8_t> core((trimap.height - 1) / side + 1, (trimap.width - 1) / side + 1);
  parallel_for(core.height(), row_grain(trimap.width * side), [&](int64_t begin, int64_t end) {
    const auto least = static_cast<int32_t>(thin.radius * thin.radius);
    for (int64_t y = begin; y < end; ++y) {
      if (side == 1) {
        const int32_t* __restrict from = distance.row(y);
        uint8_t* __restrict to = core.row(y);
        for (int64_t x = 0; x < trimap.width; ++x) to[x] = from[x] > least;
        continue;
      }
      std::fill_n(core.row(y), core.width(), uint8_t{0});
      for (int64_t v = y * side; v < std::min(y * side + side, trimap.height); ++v)
        for (int64_t cell = 0, x = 0; x < trimap.width; ++cell)
          for (const int64_t stop = std::min(x + side, trimap.width); x < stop; ++x)
            core.row(y)[cell] |= distance.row(v)[x] > least;
    }
  });
  Image<int32_t> known = column_distance(core, cap);
  parallel_for(core.height(), row_grain(trimap.width * side, 1 << 14), [&](int64_t begin, int64_t end) {
    RowDistance row_distance(core.width());
    for (int64_t y = begin; y < end; ++y) {
      row_distance.square_outside(known.row(y), core.width(), cap);
      for (int64_t x = 0; x < core.width(); ++x) core.row(y)[x] = -known.row(y)[x] > beyond;
      if (side == 1) {
        const int32_t* __restrict from = distance.row(y);
        const uint8_t* __restrict far_off = core.row(y), * __restrict kind = trimap.row(y);
        uint8_t* __restrict to = kinds.row(y);
        for (int64_t x = 0; x < trimap.width; ++x)
          to[x] = static_cast<uint8_t>((far_off[x] != 0) & (from[x] > 0) & (kind[x] == kUnknown));
        continue;
      }
      for (int64_t v = y * side; v < std::min(y * side + side, trimap.height); ++v)
        for (int64_t cell = 0, x = 0; x < trimap.width; ++cell)
          for (const int64_t stop = std::min(x + side, trimap.width); x < stop; ++x)
            kinds.row(v)[x] = core.row(y)[cell] != 0 && distance.row(v)[x] > 0 && trimap.row(v)[x] == kUnknown;
    }
  });
  const auto is_far = [&](const auto& at) { return -known.row(at[0] / side)[at[1] / side] > far; };
  Pixels part;
  for (int64_t y = 0; y < trimap.height; ++y)
    for (uint8_t* at = kinds.row(y);
         (at = std::find(at, kinds.row(y) + trimap.width, kThin)) != kinds.row(y) + trimap.width;) {
      part.assign(1, {y, at - kinds.row(y)});
      reach(kinds, kThin, kReached, part);
      if (std::none_of(part.begin(), part.end(), is_far)) continue;
      for (const auto& [v, u] : part) trimap.row(v)[u] = at_edge(distance, v, u) ? thin.edge : thin.middle;
    }
}

// Where no background at all is known, its parts keep their pixels farthest from the edge.
void keep_background(ImageView<const int32_t> distance, ImageView<uint8_t> kinds, ImageView<uint8_t> trimap) {
  for (int64_t y = 0; y < trimap.height; ++y) {
    if (std::find(trimap.row(y), trimap.row(y) + trimap.width, 0) != trimap.row(y) + trimap.width) return;
    for (int64_t x = 0; x < trimap.width; ++x) kinds.row(y)[x] = distance.row(y)[x] < 0 ? kThin : 0;
  }
  Pixels part;
  for (int64_t y = 0; y < trimap.height; ++y)
    for (int64_t x = 0; x < trimap.width; ++x) {
      if (kinds.row(y)[x] != kThin) continue;
      part.assign(1, {y, x});
      reach(kinds, kThin, kReached, part);
      int32_t farthest = 0;
      for (const auto& [v, u] : part) farthest = std::min(farthest, distance.row(v)[u]);
      for (const auto& [v, u] : part)
        if (distance.row(v)[u] == farthest) trimap.row(v)[u] = 0;
    }
}

void fill_trimap(ImageView<const uint8_t> mask, double band, const Thin& thin, ImageView<uint8_t> trimap) {
  const Image<int32_t> distance = signed_distance(mask, static_cast<int32_t>(std::max(band, thin.radius)) + 1);
  const auto near = static_cast<int32_t>(band * band);  // squares are whole
  parallel_for(mask.height, row_grain(mask.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < mask.width; ++x) {
        const int32_t squared = distance.row(y)[x];
        trimap.row(y)[x] = std::abs(squared) <= near ? kUnknown : squared > 0 ? 255 : 0;
      }
  });
  Image<uint8_t> kinds = Image<uint8_t>::like(mask);
  mark_thin_parts(distance, thin, kinds, trimap);
  keep_background(distance, kinds, trimap);
}

}  // namespace

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
  fill_trimap(mask, band, {band, kReach * band, 255, kUnknown}, trimap);
}

void trimap_of_mask(ImageView<const uint8_t> mask, ImageView<uint8_t> trimap) {
  const double band = default_band(mask.height, mask.width);
  fill_trimap(mask, band, {1.5 * band, 3 * band, kThinMiddle, kThinEdge}, trimap);
  const TrimapKinds kinds = trimap_kinds(trimap);
  if (kinds.foreground || !kinds.unknown) return;
  for (int64_t y = 0; y < trimap.height; ++y)  // nothing but thin parts: where else should colours come from
    std::replace(trimap.row(y), trimap.row(y) + trimap.width, kThinMiddle, uint8_t{255});
}

}  // namespace alphacut
