// Distances to the nearest pixel of another kind, by columns and then by rows (Meijster, Roerdink & Hesselink 2000).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "alphacut/image.hpp"

namespace alphacut {

// Distances within each column to the nearest pixel of the other kind, negative on background, at most cap.
Image<int32_t> column_distance(ImageView<const uint8_t> mask, int32_t cap);

// A metric tells what a column `across` away counts, whose distance within itself is g; and from which column on, at
// least, u is nearer than i < u is: never again is i then. What they count may be anything that rises with the
// distance.
struct EuclideanSquared {
  using Value = int64_t;
  Value at(int64_t across, int64_t g) const { return across * across + g * g; }
  int64_t from(int64_t i, int64_t gi, int64_t u, int64_t gu, int64_t) const {
    return (u * u - i * i + gu * gu - gi * gi) / (2 * (u - i)) + 1;  // the dividend is >= 0 where RowScan asks
  }
};

struct Taxicab {
  using Value = int64_t;
  Value at(int64_t across, int64_t g) const { return std::abs(across) + g; }
  int64_t from(int64_t i, int64_t gi, int64_t u, int64_t gu, int64_t width) const {
    return gu >= gi + u - i ? width : (u + i + gu - gi) / 2 + 1;
  }
};

struct Chessboard {
  using Value = int64_t;
  Value at(int64_t across, int64_t g) const { return std::max(std::abs(across), g); }
  int64_t from(int64_t i, int64_t gi, int64_t u, int64_t gu, int64_t) const {
    return (gi <= gu ? std::max(i + gu, (i + u) / 2) : std::min(u - gi, (i + u) / 2)) + 1;
  }
};

// Of pixels that are not square: `down` and `across_` are the squares of their sides.
struct SampledSquared {
  using Value = double;
  double down, across_;
  Value at(int64_t across, int64_t g) const {
    return across_ * static_cast<double>(across * across) + down * static_cast<double>(g * g);
  }
  int64_t from(int64_t i, int64_t gi, int64_t u, int64_t gu, int64_t width) const {
    const double gap = across_ * static_cast<double>(u * u - i * i) + down * static_cast<double>(gu * gu - gi * gi);
    const double column = gap / (2 * across_ * static_cast<double>(u - i));
    return column < static_cast<double>(width) ? static_cast<int64_t>(std::max(column, 0.0)) + 1 : width;
  }
};

// The lower envelope of what the columns of a row count.
class RowScan {
 public:
  explicit RowScan(int64_t width) : apex_(static_cast<size_t>(width)), start_(static_cast<size_t>(width)) {}

  // Calls emit(x, value, column) for all x with g[x] > 0 from the last to the first: the least there is, and the column
  // that gives it, on ties the first. Columns of g >= cap are as good as empty.
  template <class Metric, class Emit>
  void scan(const Metric& metric, const int32_t* g, int64_t width, int32_t cap, Emit emit) {
    // Neither a far column nor one inside a run of zeros is the nearest to any x that is asked for.
    const auto matters = [g, width, cap](int64_t u) {
      return g[u] < cap && (g[u] > 0 || u + 1 == width || g[u - 1] > 0 || g[u + 1] > 0);
    };
    size_t top = 0;
    apex_[0] = start_[0] = 0;
    for (int64_t u = 1; u < width; ++u) {
      if (!matters(u)) continue;
      bool empty = false;
      while (!empty && metric.at(start_[top] - apex_[top], g[apex_[top]]) > metric.at(start_[top] - u, g[u])) {
        empty = top == 0;
        if (!empty) --top;
      }
      if (empty) {
        apex_[0] = u;
        continue;
      }
      // Later than at start_[top], where it is not nearer: rounded numbers may contradict themselves there.
      const int64_t from = std::max(metric.from(apex_[top], g[apex_[top]], u, g[u], width), start_[top] + 1);
      if (from < width) {
        ++top;
        apex_[top] = u;
        start_[top] = from;
      }
    }
    for (int64_t x = width - 1; x >= 0; --x) {
      if (g[x] > 0) emit(x, metric.at(x - apex_[top], g[apex_[top]]), apex_[top]);
      if (x == start_[top] && top > 0) --top;
    }
  }

 private:
  std::vector<int64_t> apex_, start_;
};

}  // namespace alphacut
