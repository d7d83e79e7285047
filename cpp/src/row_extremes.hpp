// The least or the greatest of what is in reach of each pixel: ways for shapes of different kinds.
#pragma once

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "alphacut/cancel.hpp"
#include "alphacut/parallel.hpp"
#include "dispatch.hpp"
#include "distance.hpp"
#include "footprint.hpp"

namespace alphacut {

template <class T>
const auto& kernels_of() {
  const MorphologyKernels& table = kernels().morphology;
  if constexpr (std::is_same_v<T, uint8_t>)
    return table.u8;
  else if constexpr (std::is_same_v<T, uint16_t>)
    return table.u16;
  else
    return table.f32;
}

// One of the two ways to choose between values.
template <class T>
struct Best {
  using Limits = std::numeric_limits<T>;
  bool greatest;
  T none = !greatest ? (Limits::has_infinity ? Limits::infinity() : Limits::max())
                     : (Limits::has_infinity ? -Limits::infinity() : Limits::lowest());  // loses against any
  decltype(kernels_of<T>().lower) of_two = greatest ? kernels_of<T>().higher : kernels_of<T>().lower;
  decltype(kernels_of<T>().lowest) of_rows = greatest ? kernels_of<T>().highest : kernels_of<T>().lowest;
  decltype(kernels_of<T>().sink) take = greatest ? kernels_of<T>().raise : kernels_of<T>().sink;
};

// The best of the pixels from `left` to `right` of each, of a row at a time.
template <class T>
class RowBest {
 public:
  RowBest(ImageView<const T> in, const Best<T>& best, int64_t left, int64_t right)
      : in_(in),
        best_(best),
        n_(static_cast<size_t>(in.width * in.channels)),
        step_(static_cast<size_t>(in.channels)),
        before_(static_cast<size_t>(-left) * step_),
        after_(static_cast<size_t>(right) * step_),
        window_(static_cast<size_t>(right - left) + 1),
        from_(n_ + (window_ - 1) * step_),
        to_(from_.size()) {}

  // Row y; one outside the picture has nothing.
  void operator()(int64_t y, T* out) {
    if (y < 0 || y >= in_.height) {
      std::fill_n(out, n_, best_.none);
      return;
    }
    if (window_ == 1) {
      std::copy_n(in_.row(y), n_, out);
      return;
    }
    std::fill_n(from_.data(), before_, best_.none);
    std::copy_n(in_.row(y), n_, from_.data() + before_);
    std::fill_n(from_.data() + before_ + n_, after_, best_.none);
    size_t wide = from_.size();
    for (size_t span = 1; span < window_;) {
      const size_t shift = std::min(span, window_ - span);
      span += shift;
      wide -= shift * step_;
      best_.of_two(from_.data(), from_.data() + shift * step_, wide, span == window_ ? out : to_.data());
      from_.swap(to_);
    }
  }

 private:
  ImageView<const T> in_;
  const Best<T>& best_;
  size_t n_, step_, before_, after_, window_;
  std::vector<T> from_, to_;
};

// All rows and columns to such ends, the pixel's own among them.
template <class T>
void rectangle(ImageView<const T> in, const Best<T>& best, FootprintExtent e, ImageView<T> out) {
  const int64_t lowest = in.height - 1, outermost = in.width - 1;
  e = {std::max(e.top, -lowest), std::min(e.bottom, lowest), std::max(e.left, -outermost),
       std::min(e.right, outermost)};
  const auto n = static_cast<size_t>(in.width * in.channels), window = static_cast<size_t>(e.bottom - e.top) + 1;
  const auto grain =
      std::max<int64_t>(row_grain(in.width * in.channels), window == 1 ? 1 : 4 * static_cast<int64_t>(window));
  parallel_for(in.height, grain, [&](int64_t begin, int64_t end) {
    RowBest<T> row(in, best, e.left, e.right);
    if (window == 1) {
      for (int64_t y = begin; y < end; ++y) row(y, out.row(y));
      return;
    }
    // Blocks of as many rows as are in reach of one: what the first row of a block reaches ends where what comes new
    // for the others begins. `block` gets the best from each of its rows to its end, `head` that from the beginning of
    // the next one.
    std::vector<T> block(window * n), next(window * n), head(n);
    const auto at = [n](std::vector<T>& rows, size_t i) { return rows.data() + i * n; };
    for (size_t i = 0; i < window; ++i) row(begin + e.top + static_cast<int64_t>(i), at(block, i));
    for (int64_t top = begin; top < end; top += static_cast<int64_t>(window)) {
      for (size_t i = window - 1; i-- > 0;) best.take(at(block, i + 1), n, at(block, i));
      std::copy_n(at(block, 0), n, out.row(top));
      for (size_t i = 1; i <= window; ++i) {
        const int64_t y = top + static_cast<int64_t>(i);
        if (y >= end) break;
        throw_if_cancelled();
        row(y + e.bottom, at(next, i - 1));
        if (i == window) break;
        if (i == 1)
          std::copy_n(at(next, 0), n, head.data());
        else
          best.take(at(next, i - 1), n, head.data());
        best.of_two(at(block, i), head.data(), n, out.row(y));
      }
      block.swap(next);
    }
  });
}

// Few pixels in reach: looked at one by one, those of a rectangle a row and a column.
template <class T>
void nearby(ImageView<const T> in, const Best<T>& best, const std::vector<FootprintRun>& runs, ImageView<T> out) {
  const FootprintExtent e = extent_of(runs);
  const bool full = fills(runs, e);
  const int64_t step = in.channels, values = in.width * step, kept = full ? 1 : e.bottom - e.top + 1;
  const int64_t before = std::max<int64_t>(-e.left, 0) * step;
  const int64_t wide = before + values + std::max<int64_t>(e.right, 0) * step;
  const auto n = static_cast<size_t>(values);
  parallel_for(in.height, row_grain(values), [&](int64_t begin, int64_t end) {
    std::vector<T> padded(static_cast<size_t>(wide * kept), best.none);
    const auto row = [&](int64_t y) { return padded.data() + (full ? 0 : y % kept) * wide + before; };
    const auto has = [&](int64_t y) { return y >= 0 && y < in.height; };
    std::vector<const T*> seen;
    for (int64_t v = begin + e.top; v < begin + e.bottom && !full; ++v)
      if (has(v)) std::copy_n(in.row(v), values, row(v));
    for (int64_t y = begin; y < end; ++y) {
      seen.clear();
      if (full) {
        for (int64_t v = std::max<int64_t>(y + e.top, 0); v <= std::min(y + e.bottom, in.height - 1); ++v)
          seen.push_back(in.row(v));
        if (!seen.empty()) {
          best.of_rows(seen.data(), seen.size(), n, row(y));
          seen.clear();
          for (int64_t u = e.left; u <= e.right; ++u) seen.push_back(row(y) + u * step);
        }
      } else {
        if (const int64_t v = y + e.bottom; has(v)) std::copy_n(in.row(v), values, row(v));
        for (const FootprintRun& run : runs)
          for (int64_t u = run.first; u <= run.last && has(y + run.row); ++u)
            seen.push_back(row(y + run.row) + u * step);
      }
      if (seen.empty())
        std::fill_n(out.row(y), n, best.none);
      else
        best.of_rows(seen.data(), seen.size(), n, out.row(y));
    }
  });
}

// Each row of the picture offers itself, in the widths that the shape's rows have, to the results that see it.
template <class T>
void by_rows(ImageView<const T> in, const Best<T>& best, const std::vector<int64_t>& half, ImageView<T> out) {
  const int64_t values = in.width * in.channels, reach = std::min<int64_t>(std::ssize(half), in.height) - 1;
  const auto n = static_cast<size_t>(values), step = static_cast<size_t>(in.channels);
  std::vector<std::pair<size_t, int64_t>> widths;  // half the width and where, the narrowest first
  for (int64_t dy = 0; dy <= reach; ++dy)
    widths.emplace_back(std::min(half[static_cast<size_t>(dy)], in.width - 1), dy);
  std::sort(widths.begin(), widths.end());
  const size_t pad = widths.back().first * step, wide = n + 2 * pad;
  parallel_for(in.height, std::max<int64_t>(row_grain(values), 4 * reach), [&](int64_t begin, int64_t end) {
    std::vector<T> row(wide), grown(wide);
    for (int64_t y = begin; y < end; ++y) std::fill_n(out.row(y), n, best.none);
    for (int64_t v = std::max<int64_t>(begin - reach, 0); v < std::min(end + reach, in.height); ++v) {
      throw_if_cancelled();
      std::fill_n(row.data(), pad, best.none);
      std::copy_n(in.row(v), n, row.data() + pad);
      std::fill_n(row.data() + pad + n, pad, best.none);
      size_t has = 0;  // half the width that `row` stands for
      for (const auto& [wants, dy] : widths) {
        while (has < wants) {
          const size_t more = std::min(wants - has, std::max<size_t>(has, 1)), to = has + more;
          best.of_two(row.data() + has * step, row.data() + (to + more) * step, wide - 2 * to * step,
                      grown.data() + to * step);
          if (has == 0) best.take(row.data() + to * step, wide - 2 * to * step, grown.data() + to * step);
          row.swap(grown);
          has = to;
        }
        for (const int64_t y : {v - dy, v + dy}) {
          if (y >= begin && y < end) best.take(row.data() + pad, n, out.row(y));
          if (dy == 0) break;
        }
      }
    }
  });
}

// The lower and the higher of a plane's two values; none of a plane of more, or of several channels.
template <class T>
std::optional<std::pair<T, T>> two_values(ImageView<const T> in) {
  if (in.channels != 1) return std::nullopt;
  const T first = in.row(0)[0];
  T second = first;
  for (int64_t y = 0; y < in.height; ++y) {
    const T *const values = in.row(y), *const end = values + in.width;
    if (second == first)
      if (const T* other = std::find_if(values, end, [&](T v) { return v != first; }); other != end) second = *other;
    bool others = false;
    for (const T* v = values; v != end; ++v) others |= *v != first && *v != second;
    if (others) return std::nullopt;
  }
  return std::pair(std::min(first, second), std::max(first, second));
}

// The disc on a plane of two values: what wins in a column reaches, from as far as it is, so far to both sides.
template <class T>
void far_disc(ImageView<const T> in, T wins, T loses, int64_t radius, ImageView<T> out) {
  Image<uint8_t> lost = Image<uint8_t>::like(in);
  parallel_for(in.height, row_grain(in.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < in.width; ++x) lost.row(y)[x] = in.row(y)[x] != wins;
  });
  const std::vector<int64_t> half = half_widths(radius);
  const Image<int32_t> column = column_distance(lost, static_cast<int32_t>(radius) + 1);
  parallel_for(in.height, row_grain(in.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const int32_t* const far = column.row(y);
      T* const to = out.row(y);
      const auto reach = [&](int64_t x) { return half[static_cast<size_t>(std::max(far[x], 0))]; };
      int64_t last = -1, first = in.width;  // what has been reached
      for (int64_t x = 0; x < in.width; ++x) {
        if (far[x] <= radius) last = std::max(last, x + reach(x));
        to[x] = x <= last ? wins : loses;
      }
      for (int64_t x = in.width - 1; x >= 0; --x) {
        if (far[x] <= radius) first = std::min(first, x - reach(x));
        if (x >= first) to[x] = wins;
      }
    }
  });
}

// Each row of the picture offers itself, in stretches of powers of two, to the results that see it: two for each run.
template <class T>
void by_runs(ImageView<const T> in, const Best<T>& best, const std::vector<FootprintRun>& runs, ImageView<T> out) {
  struct Part {
    int level;  // of 2^level pixels
    int64_t row, first, second;
  };
  const int64_t step = in.channels, values = in.width * step, side = in.width - 1;
  const auto n = static_cast<size_t>(values);
  std::vector<Part> parts;
  for (const FootprintRun& run : runs) {
    const int64_t first = std::max(run.first, -side), last = std::min(run.last, side);
    if (first > last || std::abs(run.row) >= in.height) continue;
    const int level = std::bit_width(static_cast<uint64_t>(last - first + 1)) - 1;
    parts.push_back({level, run.row, first, last + 1 - (int64_t{1} << level)});
  }
  std::stable_sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.level < b.level; });
  const FootprintExtent e = extent_of(runs);
  const int64_t top = std::max(e.top, 1 - in.height), bottom = std::min(e.bottom, in.height - 1);
  const int64_t before = std::clamp<int64_t>(-e.left, 0, side) * step;
  const auto wide = static_cast<size_t>(before + values + std::clamp<int64_t>(e.right, 0, side) * step);
  const auto grain = std::max<int64_t>(row_grain(values), 4 * std::max<int64_t>(bottom - top, 0));
  parallel_for(in.height, grain, [&](int64_t begin, int64_t end) {
    std::vector<T> row(wide), grown(wide);
    for (int64_t y = begin; y < end; ++y) std::fill_n(out.row(y), n, best.none);
    for (int64_t v = std::max<int64_t>(begin + top, 0); v < std::min(end + bottom, in.height); ++v) {
      throw_if_cancelled();
      std::fill(row.begin(), row.end(), best.none);
      std::copy_n(in.row(v), n, row.data() + before);
      size_t stretch = 1;
      for (const Part& part : parts) {
        for (; stretch < size_t{1} << part.level; stretch *= 2) {
          const size_t shift = stretch * static_cast<size_t>(step);
          best.of_two(row.data(), row.data() + shift, wide - (2 * stretch - 1) * static_cast<size_t>(step),
                      grown.data());
          row.swap(grown);
        }
        const int64_t y = v - part.row;
        if (y < begin || y >= end) continue;
        best.take(row.data() + before + part.first * step, n, out.row(y));
        if (part.second != part.first) best.take(row.data() + before + part.second * step, n, out.row(y));
      }
    }
  });
}

}  // namespace alphacut
