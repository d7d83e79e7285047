#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>

#include "alphacut/cancel.hpp"
#include "alphacut/components.hpp"
#include "alphacut/parallel.hpp"
#include "planes.hpp"
#include "runs.hpp"

namespace alphacut {
namespace {

// Walks along the edges between pixels with the component to the right.
class Outliner {
 public:
  Outliner(ImageView<const uint8_t> mask, int connectivity)
      : diagonal_(connectivity == 8), grid_(mask.height + 2, mask.width + 2) {
    parallel_for(grid_.height(), row_grain(grid_.width()), [&](int64_t begin, int64_t end) {
      for (int64_t y = begin; y < end; ++y) {
        uint8_t* row = grid_.row(y);
        std::fill_n(row, grid_.width(), uint8_t{0});
        if (y == 0 || y > mask.height) continue;
        const uint8_t* pixels = mask.row(y - 1);
        std::transform(pixels, pixels + mask.width, row + 1, [](uint8_t v) { return v != 0 ? kInside : uint8_t{0}; });
      }
    });
  }

  // Whether a walk has passed the left edge of pixel (x, y).
  bool walked(int32_t x, int32_t y) { return (pixel(x, y) & kWalked) != 0; }

  // The ring whose first upward edge, in raster order, is the left edge of pixel (x, y). It starts at that edge's upper
  // end. Where the ring comes to a vertex a second time, what lies between is a hole, and goes to `holes`.
  Ring walk(int32_t x, int32_t y, std::vector<Ring>& holes) {
    static constexpr int32_t step[4][2] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};     // right, down, left, up
    static constexpr int32_t ahead[4][2] = {{0, 0}, {-1, 0}, {-1, -1}, {0, -1}};  // the pixel ahead to the right
    const auto inside = [&](int direction) {
      return (pixel(int64_t{x} + ahead[direction][0], int64_t{y} + ahead[direction][1]) & kInside) != 0;
    };
    Ring ring;
    std::unordered_map<int64_t, size_t> pinches;  // vertices where two pixels meet at their corners: index in the ring
    int direction = 3;
    pass(x, y);
    do {
      const int left = (direction + 3) % 4;
      const bool right_inside = inside(direction), left_inside = inside(left);  // pixels ahead, to either side
      if (!right_inside && left_inside && diagonal_) {
        direction = left;
        ring.push_back({x, y});
      } else if (!right_inside) {
        direction = (direction + 1) % 4;
        // Diagonal neighbours do not belong together here.
        const auto [pinch, first] =
            left_inside ? pinches.try_emplace(y * grid_.width() + x, ring.size()) : std::pair{pinches.end(), true};
        if (first) {
          ring.push_back({x, y});
        } else {
          const auto begin = ring.begin() + static_cast<ptrdiff_t>(pinch->second);
          holes.emplace_back(begin, ring.end());
          ring.erase(begin + 1, ring.end());
        }
      } else if (left_inside) {
        direction = left;
        ring.push_back({x, y});
      }
      x += step[direction][0];
      y += step[direction][1];
    } while (direction != 3 || pass(x, y));
    return ring;
  }

 private:
  static constexpr uint8_t kInside = 1, kWalked = 2;
  // Passes the left edge of pixel (x, y); false if that was done before.
  bool pass(int32_t x, int32_t y) {
    uint8_t& value = pixel(x, y);
    const bool first = (value & kWalked) == 0;
    value |= kWalked;
    return first;
  }
  uint8_t& pixel(int64_t x, int64_t y) { return grid_.row(y + 1)[x + 1]; }

  const bool diagonal_;  // whether pixels that meet at a corner belong together
  Image<uint8_t> grid_;  // with a border of one pixel
};

// Calls visit(column) for the pixels that are set and whose left neighbour is not.
template <class Visit>
void for_each_start(const uint64_t* bits, size_t words, Visit visit) {
  uint64_t before = 0;
  for (size_t i = 0; i < words; ++i) {
    uint64_t starts = bits[i] & ~(bits[i] << 1 | before);
    before = bits[i] >> 63;
    for (; starts != 0; starts &= starts - 1) visit(static_cast<int32_t>(64 * i) + std::countr_zero(starts));
  }
}

// The squared distance of p from the stretch between a and b.
double squared_distance(const std::array<int32_t, 2>& p, const std::array<int32_t, 2>& a,
                        const std::array<int32_t, 2>& b) {
  const auto along = [](int32_t to, int32_t from) { return static_cast<double>(to) - from; };
  const double dx = along(b[0], a[0]), dy = along(b[1], a[1]), px = along(p[0], a[0]), py = along(p[1], a[1]);
  const double length = dx * dx + dy * dy, share = dx * px + dy * py;
  if (share <= 0) return px * px + py * py;
  if (share >= length) return (px - dx) * (px - dx) + (py - dy) * (py - dy);
  const double cross = dx * py - dy * px;
  return cross * cross / length;
}

// Leaves out what lies at most `tolerance` from the stretches between the corners that stay: of these the first and the
// one farthest from it, and then, of any stretch with a corner that lies too far off, the farthest.
void simplify(Ring& ring, double tolerance) {
  const size_t n = ring.size();
  const auto corner = [&](size_t i) -> const std::array<int32_t, 2>& { return ring[i % n]; };
  std::vector<uint8_t> stays(n, 0);
  // The corner between two that is farthest from their stretch, on ties the first, and its squared distance.
  const auto farthest = [&](size_t first, size_t last) {
    std::pair<size_t, double> best{first, -1};
    for (size_t i = first + 1; i < last; ++i)
      if (const double far = squared_distance(corner(i), corner(first), corner(last)); far > best.second)
        best = {i, far};
    return best;
  };
  const size_t opposite = farthest(0, n).first;
  stays[0] = stays[opposite] = 1;
  std::vector<std::pair<size_t, size_t>> open{{opposite, n}, {0, opposite}};
  while (!open.empty()) {
    throw_if_cancelled();
    const auto [first, last] = open.back();
    open.pop_back();
    const auto [middle, far] = farthest(first, last);
    if (far <= tolerance * tolerance) continue;
    stays[middle] = 1;
    open.push_back({middle, last});
    open.push_back({first, middle});
  }
  if (std::count(stays.begin(), stays.end(), uint8_t{1}) < 3) return;
  Ring left;
  for (size_t i = 0; i < n; ++i)
    if (stays[i] != 0) left.push_back(ring[i]);
  ring = std::move(left);
}

}  // namespace

std::vector<Polygon> mask_to_polygons(ImageView<const uint8_t> mask, int connectivity, double tolerance) {
  if (!(tolerance >= 0) || !std::isfinite(tolerance))
    throw std::invalid_argument("simplify must be at least 0 and finite, got " + std::to_string(tolerance));
  if (connectivity != 4 && connectivity != 8)
    throw std::invalid_argument("connectivity must be 4 or 8, got " + std::to_string(connectivity));
  const Image<uint8_t> kept = copied(mask);  // is read more than once, and the caller's may change meanwhile
  const Runs runs(kept, 4);
  Image<int32_t> labels;  // with connectivity 8: runs of two rows do not tell where each begins
  int32_t count = runs.components();
  if (connectivity == 8) {
    labels = Image<int32_t>::like(mask);
    count = static_cast<int32_t>(label_components(kept, 8, labels));
  }
  Outliner outliner(kept, connectivity);
  std::vector<Polygon> polygons(static_cast<size_t>(count));
  for (int64_t row = 0; row < runs.height(); ++row) {
    throw_if_cancelled();
    const int32_t* code = runs.codes(row);
    const auto y = static_cast<int32_t>(row);
    for_each_start(runs.band(row).first, runs.words(), [&](int32_t x) {
      const int32_t own = runs.component(*code++), component = labels ? labels.row(y)[x] : own;
      if (outliner.walked(x, y)) return;
      // The first edge of a component is on its exterior.
      Polygon& polygon = polygons[static_cast<size_t>(component) - 1];
      Ring ring = outliner.walk(x, y, polygon.holes);
      if (polygon.exterior.empty())
        polygon.exterior = std::move(ring);
      else
        polygon.holes.push_back(std::move(ring));
    });
  }
  if (tolerance > 0)
    parallel_for(count, 64, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        Polygon& polygon = polygons[static_cast<size_t>(i)];
        simplify(polygon.exterior, tolerance);
        for (Ring& hole : polygon.holes) simplify(hole, tolerance);
      }
    });
  return polygons;
}

}  // namespace alphacut
