// Where the planes of a grid's edges (Neighbours) lead.
#pragma once

#include <cstddef>
#include <cstdint>

namespace alphacut {

inline constexpr int kEdgeDx[4] = {1, 0, 1, -1}, kEdgeDy[4] = {0, 1, 1, 1};

// Where the entries of a plane of edges point inside the picture, in row y: columns [begin, end).
struct Columns {
  int64_t begin, end;
};
inline Columns columns_inside(std::size_t direction, int64_t y, int64_t height, int64_t width) {
  if (direction != 0 && y == height - 1) return {0, 0};
  return {direction == 3 ? 1 : 0, direction == 0 || direction == 2 ? width - 1 : width};
}

}  // namespace alphacut
