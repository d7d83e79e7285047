#include "alphacut/preprocess.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "alphacut/color.hpp"
#include "alphacut/parallel.hpp"
#include "dispatch.hpp"
#include "math.hpp"
#include "planes.hpp"
#include "pooled_vector.hpp"
#include "wide_median.hpp"

namespace alphacut {
namespace {

template <class T>
constexpr bool is_u8 = std::is_same_v<T, uint8_t>;

template <class T>
void require_same(ImageView<const T> in, ImageView<T> out, const char* name) {
  if (in.empty() || in.height != out.height || in.width != out.width || in.channels != out.channels)
    throw std::invalid_argument(std::string(name) + ": in and out must have one size and channel count, no side 0");
}

template <class T>
void require_picture(ImageView<const T> in, ImageView<T> out, const char* name) {
  require_same(in, out, name);
  if (in.channels != 1 && in.channels != 3)
    throw std::invalid_argument(std::string(name) + ": the picture must have 1 or 3 channels, got " +
                                std::to_string(in.channels));
  if constexpr (!is_u8<T>) require_range(in, 0, 1, "image");
}

void require_window(int size) {
  if (size < 3 || size > 31 || size % 2 == 0)
    throw std::invalid_argument("size must be an odd number from 3 to 31, got " + std::to_string(size));
}

// The last `count` rows of a picture, each as `width` values that `load(y, row)` writes. Row y of the picture is
// clamped into it. Asked for rows y, y + 1, ... it loads each once.
template <class T>
class RowWindow {
 public:
  RowWindow(int count, int64_t width) : count_(count), width_(width), values_(static_cast<size_t>(count * width)) {}
  T* slot(int64_t y) { return values_.data() + ((y + count_) % count_) * width_; }

 private:
  int64_t count_, width_;
  std::vector<T> values_;
};

template <class T>
void median_rows(ImageView<const T> in, int size, ImageView<T> out) {
  require_same(in, out, "median");
  require_window(size);
  if (size > 5) return wide_median(in, size, out);
  const int64_t radius = size / 2, step = in.channels, n = in.width * step, wide = n + 2 * radius * step;
  const auto& table = kernels().preprocess;
  const auto kernel = [&] {
    if constexpr (is_u8<T>)
      return size == 3 ? table.median3_u8 : table.median5_u8;
    else
      return size == 3 ? table.median3_f32 : table.median5_f32;
  }();
  parallel_for(in.height, row_grain(n), [&](int64_t begin, int64_t end) {
    RowWindow<T> window(size, wide);
    std::vector<T> scratch(static_cast<size_t>(size * wide));
    const auto load = [&](int64_t y) {
      const T* row = in.row(std::clamp<int64_t>(y, 0, in.height - 1));
      T* slot = window.slot(y);
      for (int64_t i = 0; i < radius * step; ++i) {
        slot[i] = row[i % step];
        slot[wide - radius * step + i] = row[n - step + i % step];
      }
      std::memcpy(slot + radius * step, row, static_cast<size_t>(n) * sizeof(T));
    };
    for (int64_t y = begin - radius; y < begin + radius; ++y) load(y);
    for (int64_t y = begin; y < end; ++y) {
      load(y + radius);
      std::array<const T*, 5> rows{};
      for (int k = 0; k < size; ++k) rows[static_cast<size_t>(k)] = window.slot(y - radius + k);
      kernel(rows.data(), static_cast<size_t>(n), static_cast<size_t>(step), scratch.data(), out.row(y));
    }
  });
}

template <class T>
void bilateral_rows(ImageView<const T> in, int size, double sigma, std::optional<double> sigma_space,
                    ImageView<T> out) {
  require_picture(in, out, "bilateral");
  require_window(size);
  if (!(sigma > 0 && sigma <= 4))
    throw std::invalid_argument("sigma must be above 0 and at most 4, got " + std::to_string(sigma));
  const double reach = sigma_space.value_or(size / 2.0);
  if (!(reach >= 0.01 && reach <= 1000))
    throw std::invalid_argument("sigma_space must be from 0.01 to 1000, got " + std::to_string(reach));
  const int64_t radius = size / 2, channels = in.channels, width = in.width, plane = width + 2 * radius;
  const double full = is_u8<T> ? 255 : 1;
  // Bounded, so that its product with a difference of 0 is 0 and with any other finite.
  const auto scale = static_cast<float>(1 / std::max(2 * sigma * sigma * full * full, 1e-32));
  const auto tap = channels == 1 ? kernels().preprocess.bilateral_tap1 : kernels().preprocess.bilateral_tap3;
  parallel_for(in.height, row_grain(width, 1 << 14), [&](int64_t begin, int64_t end) {
    RowWindow<float> window(size, channels * plane);
    std::vector<float> weights(static_cast<size_t>(width)), sums(static_cast<size_t>(channels * plane));
    const auto load = [&](int64_t y) {
      const T* row = in.row(std::clamp<int64_t>(y, 0, in.height - 1));
      float* slot = window.slot(y);
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t x = 0; x < plane; ++x)
          slot[c * plane + x] = row[std::clamp<int64_t>(x - radius, 0, width - 1) * channels + c];
    };
    for (int64_t y = begin - radius; y < begin + radius; ++y) load(y);
    for (int64_t y = begin; y < end; ++y) {
      load(y + radius);
      std::fill(weights.begin(), weights.end(), 0.0f);
      std::fill(sums.begin(), sums.end(), 0.0f);
      const float* center = window.slot(y) + radius;
      for (int64_t dy = -radius; dy <= radius; ++dy)
        for (int64_t dx = -radius; dx <= radius; ++dx) {
          const int64_t squared = dx * dx + dy * dy;
          if (squared > radius * radius) continue;
          const double spatial = exp_exact(-static_cast<double>(squared) / (2 * reach * reach));
          tap(center, window.slot(y + dy) + radius + dx, static_cast<size_t>(plane), static_cast<size_t>(width),
              static_cast<float>(spatial), scale, weights.data(), sums.data());
        }
      T* row = out.row(y);
      for (int64_t x = 0; x < width; ++x)
        for (int64_t c = 0; c < channels; ++c) {
          const float value = sums[static_cast<size_t>(c * plane + x)] / weights[static_cast<size_t>(x)];
          row[x * channels + c] = is_u8<T> ? static_cast<T>(value + 0.5f) : static_cast<T>(std::min(value, 1.0f));
        }
    }
  });
}

// out = table[channel][in].
void look_up(ImageView<const uint8_t> in, const std::vector<std::array<uint8_t, 256>>& table, ImageView<uint8_t> out) {
  parallel_for(in.height, row_grain(in.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t c = 0; c < in.channels; ++c) {
        const uint8_t* row = in.row(y) + c;
        uint8_t* result = out.row(y) + c;
        const auto& values = table[static_cast<size_t>(c)];
        for (int64_t i = 0; i < in.width * in.channels; i += in.channels) result[i] = values[row[i]];
      }
  });
}

// out = clamp((in - low) * gain) for each channel.
void stretch(ImageView<const float> in, const double* low, const double* gain, ImageView<float> out) {
  parallel_for(in.height, row_grain(in.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t c = 0; c < in.channels; ++c)
        for (int64_t i = c; i < in.width * in.channels; i += in.channels)
          out.row(y)[i] = static_cast<float>(std::clamp((in.row(y)[i] - low[c]) * gain[c], 0.0, 1.0));
  });
}

using Histogram = std::array<int64_t, 256>;

std::vector<Histogram> histograms(ImageView<const uint8_t> in) {
  const int64_t grain = row_grain(in.width), blocks = (in.height + grain - 1) / grain;
  const auto channels = static_cast<size_t>(in.channels);
  std::vector<Histogram> part(static_cast<size_t>(blocks) * channels, Histogram{}), total(channels, Histogram{});
  parallel_for(in.height, grain, [&](int64_t begin, int64_t end) {
    Histogram* mine = part.data() + static_cast<size_t>(begin / grain) * channels;
    for (int64_t y = begin; y < end; ++y) {
      const uint8_t* row = in.row(y);
      for (int64_t x = 0; x < in.width; ++x)
        for (size_t c = 0; c < channels; ++c) ++mine[c][*row++];
    }
  });
  for (size_t i = 0; i < part.size(); ++i)
    for (size_t v = 0; v < 256; ++v) total[i % channels][v] += part[i][v];
  return total;
}

// The sum of each channel, in block order.
std::array<double, 3> sums(ImageView<const float> in) {
  const int64_t grain = row_grain(in.width), blocks = (in.height + grain - 1) / grain;
  std::vector<std::array<double, 3>> part(static_cast<size_t>(blocks), std::array<double, 3>{});
  parallel_for(in.height, grain, [&](int64_t begin, int64_t end) {
    auto& mine = part[static_cast<size_t>(begin / grain)];
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < in.width; ++x)
        for (size_t c = 0; c < 3; ++c) mine[c] += in.row(y)[3 * x + static_cast<int64_t>(c)];
  });
  std::array<double, 3> total{};
  for (const auto& p : part)
    for (size_t c = 0; c < 3; ++c) total[c] += p[c];
  return total;
}

int64_t tail_rank(int64_t pixels, double percent) {
  if (!(percent >= 0 && percent < 50))
    throw std::invalid_argument("percent must be from 0 to below 50, got " + std::to_string(percent));
  return static_cast<int64_t>(std::floor(percent / 100 * static_cast<double>(pixels - 1)));
}

// How one axis is resized: result x is the weighted sum of `taps` inputs from first[x] on, over `divisor`.
template <class Sum>
struct Axis {
  int64_t taps;
  Sum divisor;
  std::vector<int64_t> first;
  std::vector<Sum> weights;
  const Sum* at(int64_t x) const { return weights.data() + x * taps; }
};

// In units of 1/out of an input pixel everything is a whole number: input j covers [j out, (j+1) out), result x covers
// [x in, (x+1) in).
template <class Sum>
Axis<Sum> area_axis(int64_t in, int64_t out) {
  const int64_t taps = std::min(in, in % out == 0 ? in / out : in / out + 2);
  Axis<Sum> axis{taps, static_cast<Sum>(in) / static_cast<Sum>(out), {}, {}};
  for (int64_t x = 0; x < out; ++x) {
    const int64_t begin = x * in, first = std::min(begin / out, in - taps);
    axis.first.push_back(first);
    for (int64_t j = first; j < first + taps; ++j) {
      const int64_t overlap = std::min((j + 1) * out, begin + in) - std::max(j * out, begin);
      axis.weights.push_back(
          static_cast<Sum>(static_cast<double>(std::max<int64_t>(overlap, 0)) / static_cast<double>(out)));
    }
  }
  return axis;
}

// The centre of result x lies at (2x + 1) in / (2 out) - 1/2.
template <class Sum>
Axis<Sum> linear_axis(int64_t in, int64_t out) {
  Axis<Sum> axis{std::min<int64_t>(in, 2), 1, {}, {}};
  for (int64_t x = 0; x < out; ++x) {
    const int64_t twice = std::clamp((2 * x + 1) * in - out, int64_t{0}, 2 * out * (in - 1));
    const int64_t first = std::min(twice / (2 * out), in - axis.taps);
    const double share = static_cast<double>(twice - first * 2 * out) / static_cast<double>(2 * out);
    axis.first.push_back(first);
    axis.weights.push_back(static_cast<Sum>(1 - share));
    if (axis.taps == 2) axis.weights.push_back(static_cast<Sum>(share));
  }
  return axis;
}

double cubic(double x) {  // |x| < 2
  return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2;
}

// sin(πx) / (πx), 0 <= x < 3, by Taylor's series of sin on -π/2..π/2: the C library's differ between machines.
double sinc(double x) {
  if (x < 1e-9) return 1;
  const double pi = 3.14159265358979323846, whole = std::floor(x + 0.5), r = pi * (x - whole);
  double sum = 1;
  for (int k = 20; k >= 2; k -= 2) sum = 1 - sum * r * r / (k * (k + 1));
  return (static_cast<int64_t>(whole) % 2 != 0 ? -r : r) * sum / (pi * x);
}

double lanczos(double x) { return sinc(x) * sinc(x / 3); }

// Weights by the distance of pixel centres, beyond `reach` none; an axis that shrinks widens them.
template <class Sum>
Axis<Sum> filter_axis(int64_t in, int64_t out, double (*weight)(double), double reach) {
  const double step = static_cast<double>(in) / static_cast<double>(out), wide = std::max(step, 1.0);
  Axis<Sum> axis{std::min(in, 2 * static_cast<int64_t>(std::ceil(reach * wide)) + 1), 1, {}, {}};
  std::vector<double> own(static_cast<size_t>(axis.taps));
  for (int64_t x = 0; x < out; ++x) {
    const double centre = (static_cast<double>(x) + 0.5) * step;
    const auto first = std::clamp(static_cast<int64_t>(std::floor(centre - reach * wide)), int64_t{0}, in - axis.taps);
    double sum = 0;
    for (int64_t k = 0; k < axis.taps; ++k) {
      const double distance = std::abs(static_cast<double>(first + k) + 0.5 - centre) / wide;
      sum += own[static_cast<size_t>(k)] = distance < reach ? weight(distance) : 0;
    }
    axis.first.push_back(first);
    for (const double each : own) axis.weights.push_back(static_cast<Sum>(each / sum));
  }
  return axis;
}

enum class Filter { area, bilinear, bicubic, lanczos };

template <class Sum>
Axis<Sum> make_axis(int64_t in, int64_t out, Filter filter) {
  if (filter == Filter::bicubic) return filter_axis<Sum>(in, out, cubic, 2);
  if (filter == Filter::lanczos) return filter_axis<Sum>(in, out, lanczos, 3);
  return filter == Filter::area && in >= out ? area_axis<Sum>(in, out) : linear_axis<Sum>(in, out);
}

template <class T>
void require_resizable(ImageView<const T> in, ImageView<T> out) {
  if (in.empty() || out.empty() || in.channels != out.channels || in.channels < 1 || in.channels > 4)
    throw std::invalid_argument("resize: in and out must have the same 1 to 4 channels, no side 0");
  const int64_t most = std::max({in.height, in.width, out.height, out.width});
  if (most >= int64_t{1} << 30) throw std::invalid_argument("resize: a side must be below 2^30 pixels");
}

// Down the columns first: that loop runs over whole rows and leaves few of them when shrinking.
template <class T>
void resize_rows(ImageView<const T> in, Filter filter, ImageView<T> out) {
  using Sum = std::conditional_t<is_u8<T>, float, double>;
  require_resizable(in, out);
  const auto down = make_axis<Sum>(in.height, out.height, filter), across = make_axis<Sum>(in.width, out.width, filter);
  const auto& table = kernels().preprocess;
  const int64_t n = in.width * in.channels;
  parallel_for(out.height, row_grain(n * down.taps + out.width * out.channels * across.taps),
               [&](int64_t begin, int64_t end) {
                 std::vector<Sum> sum(static_cast<size_t>(n));
                 for (int64_t y = begin; y < end; ++y) {
                   bool more = false;
                   for (int64_t k = 0; k < down.taps; ++k) {
                     const Sum weight = down.at(y)[k];
                     if (weight == 0) continue;
                     const T* row = in.row(down.first[static_cast<size_t>(y)] + k);
                     if constexpr (is_u8<T>)
                       table.weigh_u8(row, static_cast<size_t>(n), weight, more, sum.data());
                     else
                       table.weigh_f32(row, static_cast<size_t>(n), weight, more, sum.data());
                     more = true;
                   }
                   const auto kernel = [&] {
                     if constexpr (is_u8<T>)
                       return table.across_u8;
                     else
                       return table.across_f32;
                   }();
                   kernel(sum.data(), across.first.data(), across.weights.data(), static_cast<size_t>(across.taps),
                          static_cast<size_t>(out.width), static_cast<size_t>(out.channels),
                          down.divisor * across.divisor, out.row(y));
                 }
               });
}

}  // namespace

void median(ImageView<const uint8_t> in, int size, ImageView<uint8_t> out) { median_rows(in, size, out); }
void median(ImageView<const float> in, int size, ImageView<float> out) { median_rows(in, size, out); }

void bilateral(ImageView<const uint8_t> in, int size, double sigma, ImageView<uint8_t> out,
               std::optional<double> sigma_space) {
  bilateral_rows(in, size, sigma, sigma_space, out);
}
void bilateral(ImageView<const float> in, int size, double sigma, ImageView<float> out,
               std::optional<double> sigma_space) {
  bilateral_rows(in, size, sigma, sigma_space, out);
}

void gray_world(ImageView<const uint8_t> in, ImageView<uint8_t> out) {
  require_picture(in, out, "gray_world");
  const auto counts = histograms(in);
  const auto channels = counts.size();
  std::vector<int64_t> sum(channels, 0);
  int64_t total = 0;
  for (size_t c = 0; c < channels; ++c) {
    for (int64_t v = 0; v < 256; ++v) sum[c] += v * counts[c][static_cast<size_t>(v)];
    total += sum[c];
  }
  std::vector<std::array<uint8_t, 256>> table(channels);
  for (size_t c = 0; c < channels; ++c) {
    const int64_t own = static_cast<int64_t>(channels) * std::max<int64_t>(sum[c], 1);
    for (int64_t v = 0; v < 256; ++v)
      table[c][static_cast<size_t>(v)] =
          static_cast<uint8_t>(std::min<int64_t>((2 * v * total + own) / (2 * own), 255));
  }
  look_up(in, table, out);
}

void gray_world(ImageView<const float> in, ImageView<float> out) {
  require_picture(in, out, "gray_world");
  const double low[3] = {0, 0, 0};
  double gain[3] = {1, 1, 1};
  if (in.channels == 3) {
    const auto sum = sums(in);
    const double total = sum[0] + sum[1] + sum[2];
    for (size_t c = 0; c < 3; ++c) gain[c] = sum[c] > 0 ? total / (3 * sum[c]) : 1;
  }
  stretch(in, low, gain, out);
}

void percentile_stretch(ImageView<const uint8_t> in, double percent, ImageView<uint8_t> out) {
  require_picture(in, out, "percentile_stretch");
  const int64_t rank = tail_rank(in.pixels(), percent);
  const auto counts = histograms(in);
  std::vector<std::array<uint8_t, 256>> table(counts.size());
  for (size_t c = 0; c < counts.size(); ++c) {
    int64_t low = 0, high = 255;
    for (int64_t seen = counts[c][0]; seen <= rank;) seen += counts[c][static_cast<size_t>(++low)];
    for (int64_t seen = counts[c][255]; seen <= rank;) seen += counts[c][static_cast<size_t>(--high)];
    const int64_t span = high - low;
    for (int64_t v = 0; v < 256; ++v)
      table[c][static_cast<size_t>(v)] = static_cast<uint8_t>(
          span == 0 ? v : std::clamp<int64_t>((2 * 255 * std::max<int64_t>(v - low, 0) + span) / (2 * span), 0, 255));
  }
  look_up(in, table, out);
}

void percentile_stretch(ImageView<const float> in, double percent, ImageView<float> out) {
  require_picture(in, out, "percentile_stretch");
  const int64_t rank = tail_rank(in.pixels(), percent);
  double low[3] = {0, 0, 0}, gain[3] = {1, 1, 1};
  PooledVector<float> values(static_cast<size_t>(in.pixels()));
  for (int64_t c = 0; c < in.channels; ++c) {
    auto next = values.begin();
    for (int64_t y = 0; y < in.height; ++y)
      for (int64_t x = 0; x < in.width; ++x) *next++ = in.row(y)[x * in.channels + c];
    std::nth_element(values.begin(), values.begin() + rank, values.end());
    const double bottom = values[static_cast<size_t>(rank)];
    std::nth_element(values.begin(), values.end() - 1 - rank, values.end());
    const double top = *(values.end() - 1 - rank);
    if (top > bottom) low[c] = bottom, gain[c] = 1 / (top - bottom);
  }
  stretch(in, low, gain, out);
}

void resize_area(ImageView<const uint8_t> in, ImageView<uint8_t> out) { resize_rows(in, Filter::area, out); }
void resize_area(ImageView<const float> in, ImageView<float> out) { resize_rows(in, Filter::area, out); }
void resize_bilinear(ImageView<const uint8_t> in, ImageView<uint8_t> out) { resize_rows(in, Filter::bilinear, out); }
void resize_bilinear(ImageView<const float> in, ImageView<float> out) { resize_rows(in, Filter::bilinear, out); }

void resize_bicubic(ImageView<const uint8_t> in, ImageView<uint8_t> out) { resize_rows(in, Filter::bicubic, out); }
void resize_bicubic(ImageView<const float> in, ImageView<float> out) { resize_rows(in, Filter::bicubic, out); }
void resize_lanczos(ImageView<const uint8_t> in, ImageView<uint8_t> out) { resize_rows(in, Filter::lanczos, out); }
void resize_lanczos(ImageView<const float> in, ImageView<float> out) { resize_rows(in, Filter::lanczos, out); }

template <class T>
void resize_nearest(ImageView<const T> in, ImageView<T> out) {
  require_resizable(in, out);
  std::vector<int64_t> from(static_cast<size_t>(out.width));
  for (int64_t x = 0; x < out.width; ++x)
    from[static_cast<size_t>(x)] = (2 * x + 1) * in.width / (2 * out.width) * in.channels;
  // Pixels with another one behind them, in the result and where they come from.
  const auto quick = static_cast<size_t>(
      std::min(out.width - 1, std::lower_bound(from.begin(), from.end(), (in.width - 1) * in.channels) - from.begin()));
  parallel_for(out.height, row_grain(out.width * out.channels), [&](int64_t begin, int64_t end) {
    int64_t last = -1;
    for (int64_t y = begin; y < end; ++y) {
      const int64_t v = (2 * y + 1) * in.height / (2 * out.height);
      T* to = out.row(y);
      if (v == last) {
        std::copy_n(out.row(y - 1), out.width * out.channels, to);
        continue;
      }
      last = v;
      const T* row = in.row(v);
      const auto pick = [&](auto channels) {
        size_t x = 0;
        if constexpr (sizeof(T) * channels() == 3)  // in fours: the fourth byte is overwritten by the next pixel
          for (; x < quick; ++x, to += 3) std::memcpy(to, row + from[x], 4);
        for (; x < from.size(); ++x) to = std::copy_n(row + from[x], channels(), to);
      };
      if (out.channels == 1)
        pick(std::integral_constant<int64_t, 1>());
      else if (out.channels == 2)
        pick(std::integral_constant<int64_t, 2>());
      else if (out.channels == 3)
        pick(std::integral_constant<int64_t, 3>());
      else
        pick(std::integral_constant<int64_t, 4>());
    }
  });
}

template void resize_nearest(ImageView<const uint8_t>, ImageView<uint8_t>);
template void resize_nearest(ImageView<const uint16_t>, ImageView<uint16_t>);
template void resize_nearest(ImageView<const int32_t>, ImageView<int32_t>);
template void resize_nearest(ImageView<const float>, ImageView<float>);

}  // namespace alphacut
