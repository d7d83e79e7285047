#include "alphacut/components.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>

#include "alphacut/parallel.hpp"
#include "runs.hpp"

namespace alphacut {
namespace {

template <class T>
void require_size(ImageView<const uint8_t> mask, ImageView<T> result) {
  if (result.channels != 1 || result.height != mask.height || result.width != mask.width)
    throw std::invalid_argument("the result must have one channel and the size of mask");
}

void require_not_negative(int64_t value, const char* name) {
  if (value < 0) throw std::invalid_argument(std::string(name) + " must be at least 0, got " + std::to_string(value));
}

// Calls visit(y, run, component, from 0) for all runs in raster order.
template <class Visit>
void for_each_run(const Runs& runs, Visit visit) {
  for (int64_t y = 0; y < runs.height(); ++y) {
    const auto row = runs.row(y);
    const auto labels = runs.labels(y);
    for (size_t i = 0; i < row.size(); ++i) visit(y, row[i], static_cast<size_t>(labels[i]) - 1);
  }
}

// Fills the picture with `rest`, and each run with value(its component, from 1).
template <class T, class Value>
void paint(const Runs& runs, T rest, ImageView<T> picture, Value value) {
  parallel_for(picture.height, row_grain(picture.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const auto row = runs.row(y);
      const auto labels = runs.labels(y);
      T* out = picture.row(y);
      int32_t x = 0;
      for (size_t i = 0; i < row.size(); ++i) {
        std::fill(out + x, out + row[i].begin, rest);
        std::fill(out + row[i].begin, out + row[i].end, value(labels[i]));
        x = row[i].end;
      }
      std::fill(out + x, out + picture.width, rest);
    }
  });
}

std::vector<int64_t> areas_of(const Runs& runs) {
  std::vector<int64_t> areas(static_cast<size_t>(runs.components()));
  for_each_run(runs, [&](int64_t, Run run, size_t component) { areas[component] += run.end - run.begin; });
  return areas;
}

}  // namespace

int32_t label_components(ImageView<const uint8_t> mask, int connectivity, ImageView<int32_t> labels) {
  require_size(mask, labels);
  const Runs runs(mask, connectivity);
  paint(runs, int32_t{0}, labels, [](int32_t label) { return label; });
  return runs.components();
}

std::vector<ComponentStats> component_stats(ImageView<const uint8_t> mask, int connectivity) {
  const Runs runs(mask, connectivity);
  struct Sums {
    int64_t area, left, top, right, bottom, twice_x, y;
  };
  std::vector<Sums> sums(static_cast<size_t>(runs.components()), Sums{0, mask.width, mask.height, 0, 0, 0, 0});
  for_each_run(runs, [&](int64_t y, Run run, size_t component) {
    Sums& s = sums[component];
    const int64_t length = run.end - run.begin;
    s.area += length;
    s.left = std::min<int64_t>(s.left, run.begin);
    s.right = std::max<int64_t>(s.right, run.end);
    s.top = std::min(s.top, y);
    s.bottom = y + 1;
    s.twice_x += length * (int64_t{run.begin} + run.end - 1);  // at most 2 · 2^31 · 2^30 in all
    s.y += length * y;
  });
  std::vector<ComponentStats> stats;
  stats.reserve(sums.size());
  for (const Sums& s : sums) {
    const auto area = static_cast<double>(s.area);
    stats.push_back({s.area, s.left, s.top, s.right - s.left, s.bottom - s.top,
                     static_cast<double>(s.twice_x) / (2 * area), static_cast<double>(s.y) / area});
  }
  return stats;
}

void keep_largest(ImageView<const uint8_t> mask, int64_t k, int connectivity, ImageView<uint8_t> result) {
  require_size(mask, result);
  if (k < 1) throw std::invalid_argument("k must be at least 1, got " + std::to_string(k));
  const Runs runs(mask, connectivity);
  const std::vector<int64_t> areas = areas_of(runs);
  std::vector<int32_t> order(areas.size());
  std::iota(order.begin(), order.end(), 0);
  const auto kept = std::min<int64_t>(k, runs.components());
  const auto area = [&](int32_t i) { return areas[static_cast<size_t>(i)]; };
  std::nth_element(order.begin(), order.begin() + kept, order.end(),
                   [&](int32_t a, int32_t b) { return area(a) != area(b) ? area(a) > area(b) : a < b; });
  std::vector<uint8_t> values(areas.size(), 0);
  for (int64_t i = 0; i < kept; ++i) values[static_cast<size_t>(order[static_cast<size_t>(i)])] = 255;
  paint(runs, uint8_t{0}, result, [&](int32_t label) { return values[static_cast<size_t>(label) - 1]; });
}

void remove_small(ImageView<const uint8_t> mask, int64_t min_area, int connectivity, ImageView<uint8_t> result) {
  require_size(mask, result);
  require_not_negative(min_area, "min_area");
  const Runs runs(mask, connectivity);
  const std::vector<int64_t> areas = areas_of(runs);
  paint(runs, uint8_t{0}, result, [&](int32_t label) {
    return static_cast<uint8_t>(areas[static_cast<size_t>(label) - 1] >= min_area ? 255 : 0);
  });
}

void fill_holes(ImageView<const uint8_t> mask, int64_t max_area, int connectivity, ImageView<uint8_t> result) {
  require_size(mask, result);
  require_not_negative(max_area, "max_area");
  constexpr int64_t no_hole = std::numeric_limits<int64_t>::max();
  max_area = std::min(max_area, no_hole - 1);
  const int other = connectivity == 8 ? 4 : connectivity == 4 ? 8 : connectivity;
  const Runs background(mask, other, true);
  std::vector<int64_t> areas = areas_of(background);
  for_each_run(background, [&](int64_t y, Run run, size_t component) {
    if (y == 0 || y + 1 == mask.height || run.begin == 0 || run.end == mask.width) areas[component] = no_hole;
  });
  paint(background, uint8_t{255}, result, [&](int32_t label) {
    return static_cast<uint8_t>(areas[static_cast<size_t>(label) - 1] <= max_area ? 255 : 0);
  });
}

}  // namespace alphacut
