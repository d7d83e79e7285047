// Shapes of components, from their label image: what is counted is whole, so its order does not matter.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "alphacut/cancel.hpp"
#include "alphacut/components.hpp"
#include "alphacut/parallel.hpp"
#include "math.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

__extension__ typedef __int128 Wide;  // sums of squares of 2^31 pixels in one row

// Sums over the pixels of a component, from the corner of its box.
struct Moments {
  Wide x = 0, y = 0, xx = 0, xy = 0, yy = 0;
  int64_t straight = 0, diagonal = 0, mixed = 0;  // border pixels by the way they are passed
  int64_t ones = 0, threes = 0, diagonals = 0;    // squares of 2 x 2 pixels by how many are set
  double weight = 0, weight_x = 0, weight_y = 0;
};

// The sum of 0 .. n - 1, and of their squares.
Wide sum_below(Wide n) { return n * (n - 1) / 2; }
Wide squares_below(Wide n) { return (n - 1) * n * (2 * n - 1) / 6; }

class Shapes {
 public:
  Shapes(ImageView<const uint8_t> mask, int connectivity)
      : connectivity_(connectivity),
        stats_(component_stats(mask, connectivity)),
        labels_(mask.height + 2, mask.width + 2),
        border_(mask.height + 2, mask.width + 2),
        moments_(stats_.size()) {
    for (int64_t y = 0; y < labels_.height(); ++y) {
      std::fill_n(labels_.row(y), labels_.width(), 0);
      std::fill_n(border_.row(y), border_.width(), uint8_t{0});
    }
    const ImageView<int32_t> all = labels_;
    label_components(mask, connectivity, {all.row(1) + 1, mask.height, mask.width, 1, all.stride});
  }

  std::vector<ComponentShape> shapes(ImageView<const double> weights) {
    for (int64_t y = 1; y + 1 < labels_.height(); ++y) {
      throw_if_cancelled();
      mark_border(y);
    }
    for (int64_t y = 1; y < labels_.height(); ++y) {
      throw_if_cancelled();
      count_squares(y);
      if (y + 1 == labels_.height()) break;
      count_border(y);
      add_runs(y);
      if (weights) add_weights(y, weights.row(y - 1));
    }
    std::vector<ComponentShape> result;
    result.reserve(stats_.size());
    for (size_t i = 0; i < stats_.size(); ++i) {
      throw_if_cancelled();
      result.push_back(shape(i, static_cast<bool>(weights)));
    }
    return result;
  }

 private:
  Moments& of(int32_t label) { return moments_[static_cast<size_t>(label) - 1]; }

  void mark_border(int64_t y) {
    const int32_t *row = labels_.row(y), *above = labels_.row(y - 1), *below = labels_.row(y + 1);
    for (int64_t x = 1; x + 1 < labels_.width(); ++x) {
      const int32_t label = row[x];
      const bool inner = (row[x - 1] == label) & (row[x + 1] == label) & (above[x] == label) & (below[x] == label);
      border_.row(y)[x] = (label != 0) & !inner;
    }
  }

  void count_border(int64_t y) {
    for (int64_t x = 1; x + 1 < labels_.width(); ++x) {
      if (border_.row(y)[x] == 0) continue;
      const int32_t label = labels_.row(y)[x];
      int sides = 0, corners = 0;
      for (int64_t v = -1; v <= 1; ++v)
        for (int64_t u = -1; u <= 1; ++u)
          if (border_.row(y + v)[x + u] != 0 && labels_.row(y + v)[x + u] == label)
            (u == 0 || v == 0 ? sides : corners) += u != 0 || v != 0;
      Moments& m = of(label);
      if ((sides == 2 || sides == 3) && corners <= 2) ++m.straight;
      if (sides == 0 && (corners == 2)) ++m.diagonal;
      if (sides == 1 && corners == 3) ++m.diagonal;
      if (sides == 1 && (corners == 1 || corners == 2)) ++m.mixed;
    }
  }

  void count_squares(int64_t y) {
    const int32_t *above = labels_.row(y - 1), *row = labels_.row(y);
    for (int64_t x = 1; x < labels_.width(); ++x) {
      const int32_t four[4] = {above[x - 1], above[x], row[x - 1], row[x]};
      if (four[0] == four[1] && four[1] == four[2] && four[2] == four[3]) continue;
      for (int i = 0; i < 4; ++i) {
        if (four[i] == 0 || std::find(four, four + i, four[i]) != four + i) continue;
        const auto set = std::count(four, four + 4, four[i]);
        Moments& m = of(four[i]);
        m.ones += set == 1;
        m.threes += set == 3;
        m.diagonals += set == 2 && four[i] == four[3 - i];
      }
    }
  }

  void add_runs(int64_t y) {
    const int32_t* row = labels_.row(y);
    for (int64_t x = 1; x + 1 < labels_.width();) {
      const int64_t begin = x;
      const int32_t label = row[x];
      while (row[x] == label && x + 1 < labels_.width()) ++x;
      if (label == 0) continue;
      const ComponentStats& stats = stats_[static_cast<size_t>(label) - 1];
      const Wide left = begin - 1 - stats.x, right = x - 1 - stats.x, n = x - begin, down = y - 1 - stats.y;
      const Wide sum = sum_below(right) - sum_below(left);
      Moments& m = of(label);
      m.x += sum;
      m.y += n * down;
      m.xx += squares_below(right) - squares_below(left);
      m.xy += sum * down;
      m.yy += n * down * down;
    }
  }

  void add_weights(int64_t y, const double* weights) {
    for (int64_t x = 1; x + 1 < labels_.width(); ++x) {
      const int32_t label = labels_.row(y)[x];
      if (label == 0) continue;
      Moments& m = of(label);
      const double weight = weights[x - 1];
      m.weight += weight;
      m.weight_x += weight * static_cast<double>(x - 1);
      m.weight_y += weight * static_cast<double>(y - 1);
    }
  }

  ComponentShape shape(size_t i, bool weighted) const {
    const Moments& m = moments_[i];
    const ComponentStats& stats = stats_[i];
    ComponentShape result{};
    constexpr double root = std::numbers::sqrt2;
    result.perimeter = static_cast<double>(m.straight) + static_cast<double>(m.diagonal) * root +
                       static_cast<double>(m.mixed) * ((1 + root) / 2);
    const int64_t turn = 2 * m.diagonals;
    result.euler_number = (m.ones - m.threes + (connectivity_ == 8 ? -turn : turn)) / 4;
    const Wide n = stats.area;
    const double square = static_cast<double>(n) * static_cast<double>(n);
    const double xx = static_cast<double>(n * m.xx - m.x * m.x) / square;
    const double yy = static_cast<double>(n * m.yy - m.y * m.y) / square;
    const double xy = static_cast<double>(n * m.xy - m.x * m.y) / square;
    const double middle = (xx + yy) / 2, reach = std::sqrt((xx - yy) * (xx - yy) / 4 + xy * xy);
    const double large = middle + reach, small = std::max(middle - reach, 0.0);
    result.major_axis = 4 * std::sqrt(large);
    result.minor_axis = 4 * std::sqrt(small);
    result.eccentricity = large == 0 ? 0 : std::sqrt(1 - small / large);
    result.orientation = angle(xx, yy, xy);
    result.convex_area = convex_area(static_cast<int32_t>(i) + 1, stats);
    result.weighted_x = weighted ? m.weight_x / m.weight : stats.center_x;
    result.weighted_y = weighted ? m.weight_y / m.weight : stats.center_y;
    return result;
  }

  // Half of the angle of (yy - xx, 2 xy).
  static double angle(double xx, double yy, double xy) {
    constexpr double pi = std::numbers::pi;
    const double a = 2 * xy, b = yy - xx;
    if (b == 0) return a > 0 ? pi / 4 : -pi / 4;
    const double half = atan_exact(a / b) / 2;
    if (b > 0) return half;
    return a >= 0 ? half + pi / 2 : half - pi / 2;
  }

  // In halves of pixels: in each row of the middles of sides the outermost of them, left and right; the convex chains
  // through them; and the pixels between.
  int64_t convex_area(int32_t label, const ComponentStats& stats) const {
    const auto rows = static_cast<size_t>(2 * stats.height + 1);
    constexpr int64_t none = std::numeric_limits<int64_t>::max();
    std::vector<int64_t> left(rows, none), right(rows, none);  // the right ones mirrored
    for (int64_t y = 0; y < stats.height; ++y) {
      const int32_t* row = labels_.row(y + stats.y + 1) + 1 + stats.x;
      int64_t first = 0, last = stats.width - 1;
      while (first < stats.width && row[first] != label) ++first;
      if (first == stats.width) continue;
      while (row[last] != label) --last;
      for (int64_t j = 0; j < 3; ++j) {
        const auto at = static_cast<size_t>(2 * y + j);
        left[at] = std::min(left[at], 2 * first - (j == 1));
        right[at] = std::min(right[at], -2 * last - (j == 1));
      }
    }
    int64_t area = 0;
    const std::vector<int64_t> lefts = pixels_from(left), rights = pixels_from(right);
    for (size_t y = 0; y < lefts.size(); ++y) area += std::max<int64_t>(-rights[y] - lefts[y] + 1, 0);
    return area;
  }

  // For each row of pixels the first at or behind the convex chain to the left of all points.
  static std::vector<int64_t> pixels_from(const std::vector<int64_t>& points) {
    std::vector<int64_t> chain;  // rows of its corners
    const auto x = [&](int64_t row) { return points[static_cast<size_t>(row)]; };
    for (int64_t row = 0; row < static_cast<int64_t>(points.size()); ++row) {
      if (x(row) == std::numeric_limits<int64_t>::max()) continue;
      while (chain.size() > 1) {
        const int64_t a = chain[chain.size() - 2], b = chain.back();
        if ((x(b) - x(a)) * (row - a) < (x(row) - x(a)) * (b - a)) break;  // b is to the left of the line
        chain.pop_back();
      }
      chain.push_back(row);
    }
    std::vector<int64_t> first(points.size() / 2);
    size_t k = 0;
    for (int64_t y = 0; y < static_cast<int64_t>(first.size()); ++y) {
      const int64_t row = 2 * y + 1;
      while (chain[k + 1] < row) ++k;
      const int64_t a = chain[k], b = chain[k + 1], rise = b - a;
      const int64_t place = x(a) * rise + (x(b) - x(a)) * (row - a), twice = 2 * rise;
      first[static_cast<size_t>(y)] = place >= 0 ? (place + twice - 1) / twice : -(-place / twice);
    }
    return first;
  }

  int connectivity_;
  std::vector<ComponentStats> stats_;
  Image<int32_t> labels_;  // with a border of one pixel, as the next
  Image<uint8_t> border_;  // 1: a pixel of a component that meets another label at a side
  std::vector<Moments> moments_;
};

}  // namespace

std::vector<ComponentShape> component_shapes(ImageView<const uint8_t> mask, int connectivity,
                                             ImageView<const double> weights) {
  if (weights && (weights.channels != 1 || weights.height != mask.height || weights.width != mask.width))
    throw std::invalid_argument("weights must have one channel and the size of mask");
  const Image<uint8_t> kept = copied(mask);  // it is looked at twice, and may change meanwhile
  return Shapes(kept, connectivity).shapes(weights);
}

}  // namespace alphacut
