#include "alphacut/morphology.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "alphacut/parallel.hpp"
#include "border.hpp"
#include "footprint.hpp"
#include "planes.hpp"
#include "row_extremes.hpp"

namespace alphacut {
namespace {

using Operation = MorphologyOperation;

constexpr int64_t kMostReach = 32767;
constexpr int64_t kNear = 3, kFew = 21;  // up to such a radius of a box, or so many pixels, all are looked at
constexpr int64_t kFarReach = 80;        // from here on, distances are faster for discs on masks

// Any shape, by looking at all, by half the widths of its rows if it has such, or by its runs.
template <class T>
void shape(ImageView<const T> in, const Best<T>& best, const std::vector<FootprintRun>& runs,
           const std::vector<int64_t>& half, ImageView<T> out) {
  int64_t pixels = 0;
  for (const FootprintRun& run : runs) pixels += run.last - run.first + 1;
  const FootprintExtent e = extent_of(runs);
  if (pixels <= kFew && e.bottom - e.top <= kFew) return nearby(in, best, runs, out);
  half.empty() ? by_runs(in, best, runs, out) : by_rows(in, best, half, out);
}

template <class T>
void extreme(ImageView<const T> in, bool greatest, const Neighbourhood& reach, ImageView<T> out) {
  const Best<T> best{greatest};
  const auto box = [&](const FootprintExtent& e) {
    if (std::max(-e.top, e.bottom) <= kNear && std::max(-e.left, e.right) <= kNear)
      return nearby(in, best, runs_of(e), out);
    rectangle(in, best, e, out);
  };
  if (!reach.runs.empty()) {
    const FootprintExtent e = extent_of(reach.runs);
    const bool around = e.top <= 0 && e.bottom >= 0 && e.left <= 0 && e.right >= 0;
    return around && fills(reach.runs, e) ? box(e) : shape(in, best, reach.runs, half_widths(reach.runs), out);
  }
  if (!reach.disc || reach.down == 0) return box(extent_of(reach));
  if (reach.down >= kFarReach)
    if (const auto values = two_values(in))
      return greatest ? far_disc(in, values->second, values->first, reach.down, out)
                      : far_disc(in, values->first, values->second, reach.down, out);
  const std::vector<int64_t> half = half_widths(reach.down);
  shape(in, best, runs_of(half), half, out);
}

// One value beyond the picture, for the pixels that reach there.
template <class T>
void constant_beyond(const FootprintExtent& e, T value, const Best<T>& best, ImageView<T> out) {
  const int64_t left = std::clamp<int64_t>(-e.left, 0, out.width), right = std::clamp<int64_t>(e.right, 0, out.width);
  const std::vector<T> values(static_cast<size_t>(out.width * out.channels), value);
  for (int64_t y = 0; y < out.height; ++y) {
    const bool whole = y + e.top < 0 || y + e.bottom >= out.height;
    const auto take = [&](int64_t first, int64_t last) {
      best.take(values.data(), static_cast<size_t>((last - first) * out.channels), out.row(y) + first * out.channels);
    };
    if (whole) {
      take(0, out.width);
    } else {
      take(0, left);
      take(out.width - right, out.width);
    }
  }
}

// The same of a picture with what lies beyond it.
template <class T>
void extreme(ImageView<const T> in, bool greatest, const Neighbourhood& reach, const std::optional<Beyond>& beyond,
             ImageView<T> out) {
  if (beyond && beyond->border == Border::constant) {
    extreme(in, greatest, reach, out);
    return constant_beyond(extent_of(reach), static_cast<T>(beyond->value), Best<T>{greatest}, out);
  }
  if (!beyond || (beyond->border != Border::wrap && has_what_is_nearer(reach)))
    return extreme(in, greatest, reach, out);
  const Neighbourhood near = within_periods(reach, in.height, in.width, beyond->border);
  const FootprintExtent e = extent_of(near);
  const int64_t top = std::max<int64_t>(-e.top, 0), left = std::max<int64_t>(-e.left, 0), step = in.channels;
  Image<T> padded(in.height + top + std::max<int64_t>(e.bottom, 0), in.width + left + std::max<int64_t>(e.right, 0),
                  step);
  std::vector<int64_t> columns(static_cast<size_t>(padded.width()));
  for (size_t x = 0; x < columns.size(); ++x)
    columns[x] = within(static_cast<int64_t>(x) - left, in.width, beyond->border) * step;
  parallel_for(padded.height(), row_grain(padded.width() * step), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const T* const from = in.row(within(y - top, in.height, beyond->border));
      T* to = padded.row(y);
      for (const int64_t x : columns) to = std::copy_n(from + x, step, to);
    }
  });
  Image<T> found(padded.height(), padded.width(), step);
  extreme<T>(padded, greatest, near, found);
  for (int64_t y = 0; y < in.height; ++y) std::copy_n(found.row(y + top) + left * step, in.width * step, out.row(y));
}

// out = a - b, and 0 for integers where that is below; out may be one of them.
template <class T>
void subtract(ImageView<const T> a, ImageView<const T> b, ImageView<T> out) {
  const int64_t n = a.width * a.channels;
  parallel_for(a.height, row_grain(n, 1 << 18), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const T *const left = a.row(y), *const right = b.row(y);
      T* const to = out.row(y);
      for (int64_t i = 0; i < n; ++i)
        to[i] = std::is_integral_v<T> && left[i] < right[i] ? T{0} : static_cast<T>(left[i] - right[i]);
    }
  });
}

template <class T>
void require(ImageView<const T> in, const Neighbourhood& reach, const std::optional<Beyond>& beyond, ImageView<T> out) {
  if (in.height != out.height || in.width != out.width || in.channels != out.channels)
    throw std::invalid_argument("morphology: in and out must have one size and channel count");
  for (const int64_t radius : {reach.down, reach.across})
    if (radius < 0 || radius > kMostReach)
      throw std::invalid_argument("radius must be from 0 to " + std::to_string(kMostReach) + ", got " +
                                  std::to_string(radius));
  const auto far = [](int64_t at) { return at < -kMostReach || at > kMostReach; };
  if (std::any_of(reach.runs.begin(), reach.runs.end(), [&](const FootprintRun& run) {
        return far(run.row) || far(run.first) || far(run.last) || run.first > run.last;
      }))
    throw std::invalid_argument("morphology: runs must lie within 32767 of their pixel, their first before their last");
  if (reach.disc && reach.down != reach.across)
    throw std::invalid_argument("radius of a disc must be one number, got " + std::to_string(reach.down) + " and " +
                                std::to_string(reach.across));
  if (beyond && beyond->border == Border::constant) {
    using Limits = std::numeric_limits<T>;
    const double value = beyond->value;
    if (std::is_integral_v<T> ? !(value >= 0 && value <= Limits::max() && value == std::floor(value))
                              : std::isnan(value))
      throw std::invalid_argument("cval must be a value of the image's dtype, got " + std::to_string(value));
  }
  constexpr float most = std::numeric_limits<float>::max();
  if constexpr (std::is_same_v<T, float>) require_range(in, -most, most, "image");
}

}  // namespace

template <class T>
void morphology(ImageView<const T> in, MorphologyOperation operation, const Neighbourhood& reach, ImageView<T> out,
                const std::optional<Beyond>& beyond) {
  require(in, reach, beyond, out);
  if (in.empty()) return;
  if (operation == Operation::erode || operation == Operation::dilate)
    return extreme(in, operation == Operation::dilate, reach, beyond, out);
  Image<T> between = Image<T>::like(in, in.channels);
  const bool closes = operation == Operation::close || operation == Operation::blackhat;
  extreme<T>(in, closes, reach, beyond, between);
  if (operation == Operation::gradient) {
    extreme(in, true, reach, beyond, out);
    return subtract<T>(out, between, out);
  }
  extreme<T>(between, !closes, mirrored(reach), beyond, out);
  if (operation == Operation::tophat) subtract<T>(in, out, out);
  if (operation == Operation::blackhat) subtract<T>(out, in, out);
}

template void morphology(ImageView<const uint8_t>, MorphologyOperation, const Neighbourhood&, ImageView<uint8_t>,
                         const std::optional<Beyond>&);
template void morphology(ImageView<const uint16_t>, MorphologyOperation, const Neighbourhood&, ImageView<uint16_t>,
                         const std::optional<Beyond>&);
template void morphology(ImageView<const float>, MorphologyOperation, const Neighbourhood&, ImageView<float>,
                         const std::optional<Beyond>&);

}  // namespace alphacut
