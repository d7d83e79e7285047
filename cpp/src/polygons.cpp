#include <algorithm>
#include <bit>
#include <unordered_map>
#include <utility>

#include "alphacut/components.hpp"
#include "alphacut/parallel.hpp"
#include "runs.hpp"

namespace alphacut {
namespace {

// Walks along the edges between pixels with the component to the right.
class Outliner {
 public:
  explicit Outliner(ImageView<const uint8_t> mask) : grid_(mask.height + 2, mask.width + 2) {
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
      if (!right_inside) {
        direction = (direction + 1) % 4;
        // Diagonal neighbours do not belong together.
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

}  // namespace

std::vector<Polygon> mask_to_polygons(ImageView<const uint8_t> mask) {
  const Runs runs(mask, 4);
  Outliner outliner(mask);
  std::vector<Polygon> polygons(static_cast<size_t>(runs.components()));
  for (int64_t row = 0; row < runs.height(); ++row) {
    const int32_t* code = runs.codes(row);
    const auto y = static_cast<int32_t>(row);
    for_each_start(runs.band(row).first, runs.words(), [&](int32_t x) {
      const int32_t component = runs.component(*code++);
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
  return polygons;
}

}  // namespace alphacut
