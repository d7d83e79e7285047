#include "alphacut/chromakey.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "alphacut/color.hpp"
#include "alphacut/parallel.hpp"
#include "dispatch.hpp"
#include "planes.hpp"
#include "pooled_vector.hpp"

namespace alphacut {
namespace {

using Triple = std::array<double, 3>;

constexpr double kNear = 0.05;            // a border pixel at this distance from the key still has its colour
constexpr double kWide = 0.15;            // ... while the key is one colour and not yet a fitted plane
constexpr int64_t kMaxSamples = 1 << 18;  // more than the frame of a picture of 1,000 megapixels that is not a strip

template <class T>
constexpr double full_scale = std::is_same_v<T, uint8_t> ? 255 : 1;

template <class T>
void require_picture(ImageView<const T> image, const char* name) {
  if (image.empty() || (image.channels != 1 && image.channels != 3))
    throw std::invalid_argument(std::string(name) + ": the picture must have 1 or 3 channels, no side 0");
  if constexpr (std::is_same_v<T, float>) require_range(image, 0, 1, "image");
}

void require_between(double value, double low, double high, const char* name) {
  if (!(value >= low && value <= high))
    throw std::invalid_argument(std::string(name) + " must be from " + std::to_string(low) + " to " +
                                std::to_string(high) + ", got " + std::to_string(value));
}

constexpr double kLowest = -1, kHighest = 2;  // a fitted plane may leave the gamut
constexpr double kSteepest = 4;

void require_key(const KeyColor& key) {
  for (size_t c = 0; c < 3; ++c) {
    require_between(key.color[c], kLowest, kHighest, "key: color");
    require_between(key.across[c], -kSteepest, kSteepest, "key: across");
    require_between(key.down[c], -kSteepest, kSteepest, "key: down");
  }
}

// (Y, Cb, Cr) of a colour or a difference of colours.
Triple luma_chroma(const Triple& rgb) {
  const double luma = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
  return {luma, 0.564 * (rgb[2] - luma), 0.713 * (rgb[0] - luma)};
}

// The weight of the squared luma difference.
double luma_weight(const KeyColor& key) { return 1 - 0.75 * saturation(key); }

// A pixel of the border: its place (+-1/2) and colour.
struct Sample {
  double u, v;
  Triple color;
};

Triple key_at(const KeyColor& key, double u, double v) {
  Triple color;
  for (size_t c = 0; c < 3; ++c) color[c] = key.color[c] + key.across[c] * u + key.down[c] * v;
  return color;
}

PooledVector<Sample> near_key(const PooledVector<Sample>& border, const KeyColor& key, double limit) {
  const double weight = luma_weight(key);
  PooledVector<Sample> near;
  for (const Sample& s : border) {
    const Triple k = key_at(key, s.u, s.v);
    const Triple d = luma_chroma({s.color[0] - k[0], s.color[1] - k[1], s.color[2] - k[2]});
    if (weight * d[0] * d[0] + d[1] * d[1] + d[2] * d[2] <= limit * limit) near.push_back(s);
  }
  return near;
}

// All pixels of the frame, or every so many of them: the frame of a picture of few rows may be the whole picture.
template <class T>
PooledVector<Sample> border_of(ImageView<const T> image) {
  const int64_t height = image.height, width = image.width;
  const int64_t thickness = std::clamp<int64_t>(std::min(height, width) / 100, 1, 3);
  const int64_t inside = std::max<int64_t>(0, height - 2 * thickness) * std::max<int64_t>(0, width - 2 * thickness);
  const int64_t step = (height * width - inside - 1) / kMaxSamples + 1;
  int64_t next = 0;
  PooledVector<Sample> border;
  for (int64_t y = 0; y < height; ++y) {
    const bool whole_row = y < thickness || y >= height - thickness;
    for (int64_t x = 0; x < width; ++x) {
      if (!whole_row && x == thickness) x = std::max(x, width - thickness);
      if (next++ % step != 0) continue;
      Sample s{(static_cast<double>(x) + 0.5) / static_cast<double>(width) - 0.5,
               (static_cast<double>(y) + 0.5) / static_cast<double>(height) - 0.5,
               {}};
      for (size_t c = 0; c < 3; ++c)
        s.color[c] = image.row(y)[image.channels == 1 ? x : 3 * x + static_cast<int64_t>(c)] / full_scale<T>;
      border.push_back(s);
    }
  }
  return border;
}

// The mean colour of the fullest cube of 2 x 2 x 2 bins, of 16 bins a channel: overlapping cubes have no seams.
Triple commonest_color(const PooledVector<Sample>& border) {
  const auto bin = [](double v) { return std::min<size_t>(static_cast<size_t>(v * 16), 15); };
  std::vector<int64_t> count(15 * 15 * 15, 0);
  const auto for_each_cube = [&](const Sample& s, auto f) {
    std::array<size_t, 3> b{};
    for (size_t c = 0; c < 3; ++c) b[c] = bin(s.color[c]);
    for (size_t corner = 0; corner < 8; ++corner) {
      const size_t r = b[0] - (corner & 1), g = b[1] - (corner >> 1 & 1), v = b[2] - (corner >> 2);
      if (r < 15 && g < 15 && v < 15) f((r * 15 + g) * 15 + v);  // one below 0 wraps round to a large number
    }
  };
  for (const Sample& s : border) for_each_cube(s, [&](size_t cube) { ++count[cube]; });
  const auto best = static_cast<size_t>(std::max_element(count.begin(), count.end()) - count.begin());
  Triple sum{};
  for (const Sample& s : border)
    for_each_cube(s, [&](size_t cube) {
      if (cube == best)
        for (size_t c = 0; c < 3; ++c) sum[c] += s.color[c];
    });
  for (double& value : sum) value /= static_cast<double>(count[best]);
  return sum;
}

// Least squares of color + across u + down v; slopes cost a little, so those that nothing determines become 0.
void fit_plane(const PooledVector<Sample>& samples, KeyColor& key) {
  const auto n = static_cast<double>(samples.size());
  double u = 0, v = 0;
  Triple mean{};
  for (const Sample& s : samples) {
    u += s.u, v += s.v;
    for (size_t c = 0; c < 3; ++c) mean[c] += s.color[c];
  }
  u /= n, v /= n;
  double uu = 1e-3 * n, uv = 0, vv = 1e-3 * n;
  Triple uc{}, vc{};
  for (size_t c = 0; c < 3; ++c) mean[c] /= n;
  for (const Sample& s : samples) {
    uu += (s.u - u) * (s.u - u), uv += (s.u - u) * (s.v - v), vv += (s.v - v) * (s.v - v);
    for (size_t c = 0; c < 3; ++c) {
      uc[c] += (s.u - u) * (s.color[c] - mean[c]);
      vc[c] += (s.v - v) * (s.color[c] - mean[c]);
    }
  }
  const double determinant = uu * vv - uv * uv;
  for (size_t c = 0; c < 3; ++c) {
    key.across[c] = (uc[c] * vv - vc[c] * uv) / determinant;
    key.down[c] = (vc[c] * uu - uc[c] * uv) / determinant;
    key.color[c] = mean[c] - key.across[c] * u - key.down[c] * v;
  }
}

template <class T>
KeyColor find(ImageView<const T> image) {
  require_picture(image, "find_key");
  const auto border = border_of(image);
  KeyColor key;
  key.color = commonest_color(border);
  auto near = near_key(border, key, kWide);
  for (int round = 0; round < 4 && !near.empty(); ++round) {
    fit_plane(near, key);
    near = near_key(border, key, kNear);
  }
  key.uniformity = static_cast<double>(near.size()) / static_cast<double>(border.size());
  return key;
}

// Makes opaque what is below `full` but not connected to the border. Memory: 1 byte a pixel and the spans in wait.
template <class T>
void keep_connected(ImageView<T> alpha, T full) {
  const int64_t height = alpha.height, width = alpha.width;
  Image<uint8_t> reached = Image<uint8_t>::like(alpha);
  std::fill_n(reached.data(), reached.pixels(), uint8_t{0});
  struct Point {
    int64_t y, x;
  };
  PooledVector<Point> waiting;
  const auto open = [&](int64_t y, int64_t x) { return alpha.row(y)[x] < full && !reached.row(y)[x]; };
  const auto fill_from = [&](int64_t y0, int64_t x0) {
    if (open(y0, x0)) waiting.push_back({y0, x0});
    while (!waiting.empty()) {
      const auto [y, x] = waiting.back();
      waiting.pop_back();
      if (!open(y, x)) continue;
      int64_t begin = x, end = x + 1;
      while (begin > 0 && open(y, begin - 1)) --begin;
      while (end < width && open(y, end)) ++end;
      std::fill(reached.row(y) + begin, reached.row(y) + end, uint8_t{1});
      for (const int64_t next : {y - 1, y + 1}) {
        if (next < 0 || next >= height) continue;
        for (int64_t i = begin; i < end; ++i)  // one point for each run that touches
          if (open(next, i) && (i == begin || !open(next, i - 1))) waiting.push_back({next, i});
      }
    }
  };
  for (int64_t x = 0; x < width; ++x) fill_from(0, x), fill_from(height - 1, x);
  for (int64_t y = 0; y < height; ++y) fill_from(y, 0), fill_from(y, width - 1);
  parallel_for(height, row_grain(width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < width; ++x)
        if (!reached.row(y)[x]) alpha.row(y)[x] = full;
  });
}

template <class T>
void key_rows(ImageView<const T> image, const KeyColor& key, double similarity, double blend, bool contiguous,
              ImageView<T> alpha, void (*kernel)(const T*, size_t, const ChromakeyRow*, T*)) {
  require_picture(image, "chroma_key");
  if (alpha.height != image.height || alpha.width != image.width || alpha.channels != 1)
    throw std::invalid_argument("chroma_key: alpha must have one channel and the picture's size");
  require_key(key);
  require_between(similarity, 0, 2, "similarity");
  require_between(blend, 0, 2, "blend");
  constexpr double full = full_scale<T>;
  ChromakeyRow base{};
  base.luma_weight = static_cast<float>(luma_weight(key));
  base.similarity = static_cast<float>(similarity * full);
  base.inverse_blend = static_cast<float>(1 / (std::max(blend, 1e-20) * full));
  parallel_for(image.height, row_grain(image.width), [&](int64_t begin, int64_t end) {
    ChromakeyRow row = base;
    for (int64_t y = begin; y < end; ++y) {
      const Triple start = key_at(key, 0.5 / static_cast<double>(image.width) - 0.5,
                                  (static_cast<double>(y) + 0.5) / static_cast<double>(image.height) - 0.5);
      for (size_t c = 0; c < 3; ++c) {
        row.start[c] = static_cast<float>(start[c] * full);
        row.step[c] = static_cast<float>(key.across[c] / static_cast<double>(image.width) * full);
      }
      kernel(image.row(y), static_cast<size_t>(image.width), &row, alpha.row(y));
    }
  });
  if (contiguous) keep_connected(alpha, static_cast<T>(full));
}

template <class T>
void despill_rows(ImageView<const T> image, const KeyColor& key, ImageView<const T> alpha, double strength,
                  ImageView<T> out, void (*kernel)(const T*, const T*, size_t, const DespillRow*, T*)) {
  require_picture(image, "despill");
  if (out.height != image.height || out.width != image.width || out.channels != image.channels)
    throw std::invalid_argument("despill: out must have the picture's size and channels");
  if (alpha && (alpha.height != image.height || alpha.width != image.width || alpha.channels != 1))
    throw std::invalid_argument("alpha must have the picture's height and width");
  if constexpr (std::is_same_v<T, float>)
    if (alpha) require_range(alpha, 0, 1, "alpha");
  require_key(key);
  require_between(strength, 0, 1, "strength");
  const auto [least, greatest] = std::minmax_element(key.color.begin(), key.color.end());
  const bool neutral = image.channels == 1 || *greatest - *least < 0.1;
  double strong = *greatest, weak = *least;
  DespillRow spill{};
  for (size_t c = 0; c < 3; ++c) {
    const bool is_strong = 2 * key.color[c] > *least + *greatest;
    spill.strong[c] = is_strong;
    if (is_strong)
      strong = std::min(strong, key.color[c]);
    else
      weak = std::max(weak, key.color[c]);
  }
  spill.key_excess = static_cast<float>((strong - weak) * full_scale<T>);
  spill.strength = static_cast<float>(strength);
  const auto n = static_cast<size_t>(image.width);
  parallel_for(image.height, row_grain(image.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      if (neutral)
        std::memcpy(out.row(y), image.row(y), n * static_cast<size_t>(image.channels) * sizeof(T));
      else
        kernel(image.row(y), alpha ? alpha.row(y) : nullptr, n, &spill, out.row(y));
    }
  });
}

}  // namespace

bool is_valid(const KeyColor& key) {
  const auto within = [](const Triple& values, double low, double high) {
    return std::all_of(values.begin(), values.end(), [&](double value) { return value >= low && value <= high; });
  };
  return within(key.color, kLowest, kHighest) && within(key.across, -kSteepest, kSteepest) &&
         within(key.down, -kSteepest, kSteepest) && key.uniformity >= 0 && key.uniformity <= 1;
}

double saturation(const KeyColor& key) {
  const Triple k = luma_chroma(key.color);
  return std::clamp((std::sqrt(k[1] * k[1] + k[2] * k[2]) - 0.05) / 0.1, 0.0, 1.0);
}

KeyColor find_key(ImageView<const uint8_t> image) { return find(image); }
KeyColor find_key(ImageView<const float> image) { return find(image); }

void chroma_key(ImageView<const uint8_t> image, const KeyColor& key, double similarity, double blend, bool contiguous,
                ImageView<uint8_t> alpha) {
  const auto& table = kernels().chromakey;
  key_rows(image, key, similarity, blend, contiguous, alpha, image.channels == 1 ? table.key1_u8 : table.key3_u8);
}

void chroma_key(ImageView<const float> image, const KeyColor& key, double similarity, double blend, bool contiguous,
                ImageView<float> alpha) {
  const auto& table = kernels().chromakey;
  key_rows(image, key, similarity, blend, contiguous, alpha, image.channels == 1 ? table.key1_f32 : table.key3_f32);
}

void despill(ImageView<const uint8_t> image, const KeyColor& key, ImageView<const uint8_t> alpha, double strength,
             ImageView<uint8_t> out) {
  despill_rows(image, key, alpha, strength, out, kernels().chromakey.despill_u8);
}

void despill(ImageView<const float> image, const KeyColor& key, ImageView<const float> alpha, double strength,
             ImageView<float> out) {
  despill_rows(image, key, alpha, strength, out, kernels().chromakey.despill_f32);
}

}  // namespace alphacut
