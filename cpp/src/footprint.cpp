#include "footprint.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace alphacut {

FootprintExtent extent_of(const std::vector<FootprintRun>& runs) {
  FootprintExtent e{runs[0].row, runs[0].row, runs[0].first, runs[0].last};
  for (const FootprintRun& run : runs)
    e = {std::min(e.top, run.row), std::max(e.bottom, run.row), std::min(e.left, run.first),
         std::max(e.right, run.last)};
  return e;
}

FootprintExtent extent_of(const Neighbourhood& reach) {
  if (!reach.runs.empty()) return extent_of(reach.runs);
  return {-reach.down, reach.down, -reach.across, reach.across};
}

bool fills(const std::vector<FootprintRun>& runs, const FootprintExtent& e) {
  std::vector<bool> has(static_cast<size_t>(e.bottom - e.top + 1));
  for (const FootprintRun& run : runs) has[static_cast<size_t>(run.row - e.top)] = true;
  return std::find(has.begin(), has.end(), false) == has.end() &&
         std::all_of(runs.begin(), runs.end(),
                     [&](const FootprintRun& run) { return run.first == e.left && run.last == e.right; });
}

std::vector<int64_t> half_widths(int64_t radius) {
  std::vector<int64_t> half;
  for (int64_t dy = 0, dx = radius; dy <= radius; ++dy) {
    while (dx * dx + dy * dy > radius * radius) --dx;
    half.push_back(dx);
  }
  return half;
}

std::vector<int64_t> half_widths(const std::vector<FootprintRun>& runs) {
  const FootprintExtent e = extent_of(runs);
  if (e.top != -e.bottom || std::ssize(runs) != 2 * e.bottom + 1) return {};
  std::vector<int64_t> half(static_cast<size_t>(e.bottom) + 1, -1);
  std::vector<bool> has(runs.size());
  for (const FootprintRun& run : runs) {  // as many as rows: each has one, if none has two
    int64_t& known = half[static_cast<size_t>(std::abs(run.row))];
    const auto row = static_cast<size_t>(run.row - e.top);
    if (has[row] || run.first != -run.last || (known != -1 && known != run.last)) return {};
    known = run.last;
    has[row] = true;
  }
  return half;
}

std::vector<FootprintRun> runs_of(const std::vector<int64_t>& half) {
  std::vector<FootprintRun> runs;
  const int64_t down = std::ssize(half) - 1;
  for (int64_t dy = -down; dy <= down; ++dy) {
    const int64_t side = half[static_cast<size_t>(std::abs(dy))];
    runs.push_back({dy, -side, side});
  }
  return runs;
}

std::vector<FootprintRun> runs_of(const FootprintExtent& rectangle) {
  std::vector<FootprintRun> runs;
  for (int64_t row = rectangle.top; row <= rectangle.bottom; ++row)
    runs.push_back({row, rectangle.left, rectangle.right});
  return runs;
}

Neighbourhood mirrored(Neighbourhood reach) {
  for (FootprintRun& run : reach.runs) run = {-run.row, -run.last, -run.first};
  return reach;
}

bool has_what_is_nearer(const Neighbourhood& reach) {
  if (reach.runs.empty()) return true;
  const std::vector<int64_t> half = half_widths(reach.runs);
  return !half.empty() && std::is_sorted(half.rbegin(), half.rend());
}

Neighbourhood within_periods(const Neighbourhood& reach, int64_t height, int64_t width, Border border) {
  const auto near = [&](int64_t first, int64_t last, int64_t n) {
    if (border == Border::nearest) return std::pair(std::clamp(first, -n, n), std::clamp(last, -n, n));
    const int64_t period =
        border == Border::wrap ? n : std::max<int64_t>(border == Border::mirror ? 2 * n - 2 : 2 * n, 1);
    if (last - first + 1 >= period) return std::pair<int64_t, int64_t>(0, period - 1);
    return std::pair(first % period, first % period + (last - first));
  };
  Neighbourhood same = reach;
  if (reach.runs.empty() && !reach.disc) {  // all is in reach of one that is larger than the picture
    same.down = std::min(reach.down, height);
    same.across = std::min(reach.across, width);
    return same;
  }
  if (reach.runs.empty()) same.runs = runs_of(half_widths(reach.down));
  for (FootprintRun& run : same.runs) {
    const auto [first, last] = near(run.first, run.last, width);
    run = {near(run.row, run.row, height).first, first, last};
  }
  return same;
}

}  // namespace alphacut
