#include "alphacut/morphology.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alphacut/cancel.hpp"
#include "alphacut/parallel.hpp"
#include "dispatch.hpp"
#include "distance.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

using Operation = MorphologyOperation;

constexpr int64_t kMostReach = 32767;
constexpr int64_t kNear = 3, kFew = 21;  // up to such a radius of a box, or so many pixels, all are looked at
constexpr int64_t kFarReach = 80;        // from here on, distances are faster for discs on masks

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

// The best of the 2·across + 1 pixels around each, of a row at a time.
template <class T>
class RowBest {
 public:
  RowBest(ImageView<const T> in, const Best<T>& best, int64_t across)
      : in_(in),
        best_(best),
        n_(static_cast<size_t>(in.width * in.channels)),
        step_(static_cast<size_t>(in.channels)),
        window_(2 * static_cast<size_t>(across) + 1),
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
    const size_t pad = (window_ / 2) * step_;
    std::fill_n(from_.data(), pad, best_.none);
    std::copy_n(in_.row(y), n_, from_.data() + pad);
    std::fill_n(from_.data() + pad + n_, pad, best_.none);
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
  size_t n_, step_, window_;
  std::vector<T> from_, to_;
};

template <class T>
void rectangle(ImageView<const T> in, const Best<T>& best, int64_t down, int64_t across, ImageView<T> out) {
  const auto n = static_cast<size_t>(in.width * in.channels), window = 2 * static_cast<size_t>(down) + 1;
  const auto grain = std::max<int64_t>(row_grain(in.width * in.channels), down == 0 ? 1 : 4 * (2 * down + 1));
  parallel_for(in.height, grain, [&](int64_t begin, int64_t end) {
    RowBest<T> row(in, best, across);
    if (down == 0) {
      for (int64_t y = begin; y < end; ++y) row(y, out.row(y));
      return;
    }
    // Blocks of as many rows as are in reach of one: what the first row of a block reaches ends where what comes new
    // for the others begins. `block` gets the best from each of its rows to its end, `head` that from the beginning of
    // the next one.
    std::vector<T> block(window * n), next(window * n), head(n);
    const auto at = [n](std::vector<T>& rows, size_t i) { return rows.data() + i * n; };
    for (size_t i = 0; i < window; ++i) row(begin - down + static_cast<int64_t>(i), at(block, i));
    for (int64_t top = begin; top < end; top += static_cast<int64_t>(window)) {
      for (size_t i = window - 1; i-- > 0;) best.take(at(block, i + 1), n, at(block, i));
      std::copy_n(at(block, 0), n, out.row(top));
      for (size_t i = 1; i <= window; ++i) {
        const int64_t y = top + static_cast<int64_t>(i);
        if (y >= end) break;
        throw_if_cancelled();
        row(y + down, at(next, i - 1));
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

// Few pixels in reach, `half` the widths of their rows: looked at one by one, those of a rectangle a row and a column.
template <class T>
void nearby(ImageView<const T> in, const Best<T>& best, const std::vector<int64_t>& half, ImageView<T> out) {
  const int64_t step = in.channels, values = in.width * step, reach = std::ssize(half) - 1;
  const int64_t across = *std::max_element(half.begin(), half.end());
  const bool full = *std::min_element(half.begin(), half.end()) == across;
  const int64_t pad = across * step, wide = values + 2 * pad, kept = full ? 1 : 2 * reach + 1;
  const auto n = static_cast<size_t>(values);
  parallel_for(in.height, row_grain(values), [&](int64_t begin, int64_t end) {
    std::vector<T> padded(static_cast<size_t>(wide * kept), best.none);
    const auto row = [&](int64_t y) { return padded.data() + (full ? 0 : y % kept) * wide + pad; };
    std::vector<const T*> seen;
    for (int64_t v = std::max<int64_t>(begin - reach, 0); v < begin + reach && !full; ++v)
      if (v < in.height) std::copy_n(in.row(v), values, row(v));
    for (int64_t y = begin; y < end; ++y) {
      const int64_t top = std::max<int64_t>(y - reach, 0), bottom = std::min(y + reach, in.height - 1);
      seen.clear();
      if (full) {
        for (int64_t v = top; v <= bottom; ++v) seen.push_back(in.row(v));
        best.of_rows(seen.data(), seen.size(), n, row(y));
        seen.clear();
        for (int64_t u = -across; u <= across; ++u) seen.push_back(row(y) + u * step);
      } else {
        if (y + reach < in.height) std::copy_n(in.row(y + reach), values, row(y + reach));
        for (int64_t v = top; v <= bottom; ++v) {
          const int64_t side = half[static_cast<size_t>(v < y ? y - v : v - y)];
          for (int64_t u = -side; u <= side; ++u) seen.push_back(row(v) + u * step);
        }
      }
      best.of_rows(seen.data(), seen.size(), n, out.row(y));
    }
  });
}

// Half the width of a disc in the row so far from its middle.
std::vector<int64_t> half_widths(int64_t radius) {
  std::vector<int64_t> half;
  for (int64_t dy = 0, dx = radius; dy <= radius; ++dy) {
    while (dx * dx + dy * dy > radius * radius) --dx;
    half.push_back(dx);
  }
  return half;
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

// Any shape, by the widths of its rows.
template <class T>
void shape(ImageView<const T> in, const Best<T>& best, const std::vector<int64_t>& half, ImageView<T> out) {
  int64_t pixels = 0;
  for (size_t dy = 0; dy < half.size(); ++dy) pixels += (dy == 0 ? 1 : 2) * (2 * half[dy] + 1);
  pixels <= kFew ? nearby(in, best, half, out) : by_rows(in, best, half, out);
}

template <class T>
void extreme(ImageView<const T> in, bool greatest, const Neighbourhood& reach, ImageView<T> out) {
  const Best<T> best{greatest};
  const auto box = [&](int64_t down, int64_t across) {
    if (down <= kNear && across <= kNear)
      return nearby(in, best, std::vector<int64_t>(static_cast<size_t>(down) + 1, across), out);
    rectangle(in, best, std::min(down, in.height - 1), std::min(across, in.width - 1), out);
  };
  if (!reach.half.empty()) {
    const int64_t first = reach.half.front();
    const bool full = std::all_of(reach.half.begin(), reach.half.end(), [&](int64_t half) { return half == first; });
    return full ? box(std::ssize(reach.half) - 1, first) : shape(in, best, reach.half, out);
  }
  if (!reach.disc || reach.down == 0) return box(reach.down, reach.across);
  if (reach.down >= kFarReach)
    if (const auto values = two_values(in))
      return greatest ? far_disc(in, values->second, values->first, reach.down, out)
                      : far_disc(in, values->first, values->second, reach.down, out);
  shape(in, best, half_widths(reach.down), out);
}

// out = a - b, of values none of which is below the other's; out may be one of them.
template <class T>
void subtract(ImageView<const T> a, ImageView<const T> b, ImageView<T> out) {
  const int64_t n = a.width * a.channels;
  parallel_for(a.height, row_grain(n, 1 << 18), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const T *const left = a.row(y), *const right = b.row(y);
      T* const to = out.row(y);
      for (int64_t i = 0; i < n; ++i) to[i] = static_cast<T>(left[i] - right[i]);
    }
  });
}

template <class T>
void require(ImageView<const T> in, const Neighbourhood& reach, ImageView<T> out) {
  if (in.height != out.height || in.width != out.width || in.channels != out.channels)
    throw std::invalid_argument("morphology: in and out must have one size and channel count");
  for (const int64_t radius : {reach.down, reach.across})
    if (radius < 0 || radius > kMostReach)
      throw std::invalid_argument("radius must be from 0 to " + std::to_string(kMostReach) + ", got " +
                                  std::to_string(radius));
  if (std::ssize(reach.half) > kMostReach ||
      std::any_of(reach.half.begin(), reach.half.end(), [](int64_t half) { return half < 0 || half > kMostReach; }))
    throw std::invalid_argument("morphology: half must be at most 32767 numbers from 0 to 32767");
  if (reach.disc && reach.down != reach.across)
    throw std::invalid_argument("radius of a disc must be one number, got " + std::to_string(reach.down) + " and " +
                                std::to_string(reach.across));
  constexpr float most = std::numeric_limits<float>::max();
  if constexpr (std::is_same_v<T, float>) require_range(in, -most, most, "image");
}

}  // namespace

template <class T>
void morphology(ImageView<const T> in, MorphologyOperation operation, const Neighbourhood& reach, ImageView<T> out) {
  require(in, reach, out);
  if (in.empty()) return;
  if (operation == Operation::erode || operation == Operation::dilate)
    return extreme(in, operation == Operation::dilate, reach, out);
  Image<T> between = Image<T>::like(in, in.channels);
  const bool closes = operation == Operation::close || operation == Operation::blackhat;
  extreme<T>(in, closes, reach, between);
  if (operation == Operation::gradient) {
    extreme(in, true, reach, out);
    return subtract<T>(out, between, out);
  }
  extreme<T>(between, !closes, reach, out);
  if (operation == Operation::tophat) subtract<T>(in, out, out);
  if (operation == Operation::blackhat) subtract<T>(out, in, out);
}

template void morphology(ImageView<const uint8_t>, MorphologyOperation, const Neighbourhood&, ImageView<uint8_t>);
template void morphology(ImageView<const uint16_t>, MorphologyOperation, const Neighbourhood&, ImageView<uint16_t>);
template void morphology(ImageView<const float>, MorphologyOperation, const Neighbourhood&, ImageView<float>);

}  // namespace alphacut
