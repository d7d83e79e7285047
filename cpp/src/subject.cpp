#include "alphacut/subject.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "alphacut/color.hpp"
#include "alphacut/parallel.hpp"
#include "alphacut/preprocess.hpp"
#include "math.hpp"

namespace alphacut {
namespace {

constexpr int64_t kLongSide = 300;
constexpr float kLeastContrast = 4;  // barrier, summed over L, a and b: below it there is nothing to see

// The path found so far to each pixel: its highest and lowest value; their difference is the distance.
struct Paths {
  int64_t height, width;
  BlockVector<float> high, low;

  Paths(ImageView<const float> channel, ImageView<const uint8_t> seed)
      : height(channel.height), width(channel.width), high(static_cast<size_t>(channel.pixels())), low(high.size()) {
    bool any = false;
    size_t i = 0;
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x, ++i) {
        const bool is_seed = seed.row(y)[x] != 0;
        any |= is_seed;
        high[i] = is_seed ? channel.row(y)[x] : std::numeric_limits<float>::infinity();
        low[i] = is_seed ? channel.row(y)[x] : -std::numeric_limits<float>::infinity();
      }
    if (!any) throw std::invalid_argument("barrier_distance: seed must have at least one nonzero pixel");
  }

  // Takes the path through pixel j to pixel i, of value v, if it is shorter.
  void offer(size_t i, size_t j, float v) {
    const float top = std::max(high[j], v), bottom = std::min(low[j], v);
    if (top - bottom < high[i] - low[i]) high[i] = top, low[i] = bottom;
  }
};

void forward_pass(ImageView<const float> channel, Paths& paths) {
  const auto width = static_cast<size_t>(paths.width);
  for (int64_t y = 0; y < paths.height; ++y) {
    const float* row = channel.row(y);
    for (size_t x = 0, i = static_cast<size_t>(y) * width; x < width; ++x, ++i) {
      if (x > 0) paths.offer(i, i - 1, row[x]);
      if (y > 0) paths.offer(i, i - width, row[x]);
    }
  }
}

void backward_pass(ImageView<const float> channel, Paths& paths) {
  const auto width = static_cast<size_t>(paths.width);
  for (int64_t y = paths.height; y-- > 0;) {
    const float* row = channel.row(y);
    for (size_t x = width, i = static_cast<size_t>(y + 1) * width; x-- > 0;) {
      --i;
      if (x + 1 < width) paths.offer(i, i + 1, row[x]);
      if (y + 1 < paths.height) paths.offer(i, i + width, row[x]);
    }
  }
}

using Map = Image<float>;

float greatest(const Map& map) { return *std::max_element(map.data(), map.data() + map.pixels()); }

// The barrier distance from the seeds, summed over the channels.
void barrier_sum(ImageView<const float> lab, ImageView<const uint8_t> seed, int passes, ImageView<float> out) {
  std::array<Map, 3> distance;
  parallel_for(3, 1, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      Map plane = Map::like(lab);
      for (int64_t y = 0; y < lab.height; ++y)
        for (int64_t x = 0; x < lab.width; ++x) plane.row(y)[x] = lab.row(y)[3 * x + c];
      Map& result = distance[static_cast<size_t>(c)] = Map::like(lab);
      barrier_distance(plane, seed, passes, result);
    }
  });
  for (int64_t y = 0; y < lab.height; ++y)
    for (int64_t x = 0; x < lab.width; ++x)
      out.row(y)[x] = distance[0].row(y)[x] + distance[1].row(y)[x] + distance[2].row(y)[x];
}

// L*a*b* of the picture after a 5×5 median.
template <class T>
Image<float> smooth_lab(ImageView<const T> image) {
  Image<T> smooth = Image<T>::like(image, image.channels);
  median(image, 5, smooth);
  Image<float> lab = Image<float>::like(image, 3);
  to_lab(smooth.view(), lab);
  return lab;
}

Image<uint8_t> frame_of(ImageView<const float> picture) {
  Image<uint8_t> frame = Image<uint8_t>::like(picture);
  for (int64_t y = 0; y < picture.height; ++y)
    for (int64_t x = 0; x < picture.width; ++x)
      frame.row(y)[x] = y == 0 || x == 0 || y == picture.height - 1 || x == picture.width - 1;
  return frame;
}

// A normal distribution of colours; `inverse` is that of its covariance + 2 I (xx, xy, xz, yy, yz, zz).
struct Normal {
  std::array<double, 3> mean;
  std::array<double, 6> inverse;

  explicit Normal(ImageView<const float> lab) {
    std::array<double, 3> sum{};
    std::array<double, 6> product{};
    for (int64_t y = 0; y < lab.height; ++y)
      for (int64_t x = 0; x < lab.width; ++x) {
        const float* p = lab.row(y) + 3 * x;
        size_t k = 0;
        for (size_t a = 0; a < 3; ++a) {
          sum[a] += p[a];
          for (size_t b = a; b < 3; ++b) product[k++] += static_cast<double>(p[a]) * p[b];
        }
      }
    const auto n = static_cast<double>(lab.pixels());
    std::array<double, 6> c{};
    for (size_t a = 0, k = 0; a < 3; ++a) {
      mean[a] = sum[a] / n;
      for (size_t b = a; b < 3; ++b, ++k) c[k] = product[k] / n - sum[a] / n * (sum[b] / n) + (a == b ? 2 : 0);
    }
    const std::array<double, 6> cofactor{c[3] * c[5] - c[4] * c[4], c[2] * c[4] - c[1] * c[5],
                                         c[1] * c[4] - c[2] * c[3], c[0] * c[5] - c[2] * c[2],
                                         c[1] * c[2] - c[0] * c[4], c[0] * c[3] - c[1] * c[1]};
    const double determinant = c[0] * cofactor[0] + c[1] * cofactor[1] + c[2] * cofactor[2];
    for (size_t k = 0; k < 6; ++k) inverse[k] = cofactor[k] / determinant;
  }

  double distance(const float* p) const {
    const double l = p[0] - mean[0], a = p[1] - mean[1], b = p[2] - mean[2];
    const double square = l * (inverse[0] * l + 2 * (inverse[1] * a + inverse[2] * b)) +
                          a * (inverse[3] * a + 2 * inverse[4] * b) + b * inverse[5] * b;
    return std::sqrt(std::max(square, 0.0));
  }
};

// How unlike the colours along each side of the frame a pixel is: the sum over four bands of a tenth of the picture,
// each scaled to 1, without the largest, so that a subject that touches one side is not lost.
Map contrast_map(ImageView<const float> lab) {
  const int64_t tall = std::max<int64_t>(1, lab.height / 10), wide = std::max<int64_t>(1, lab.width / 10);
  const auto columns = [&](int64_t begin, int64_t end) {
    return ImageView<const float>{lab.data + 3 * begin, lab.height, end - begin, 3, lab.stride};
  };
  const std::array<Normal, 4> bands{Normal(lab.rows(0, tall)), Normal(lab.rows(lab.height - tall, lab.height)),
                                    Normal(columns(0, wide)), Normal(columns(lab.width - wide, lab.width))};
  std::array<Map, 4> distance;
  parallel_for(4, 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      Map& map = distance[static_cast<size_t>(k)] = Map::like(lab);
      for (int64_t y = 0; y < lab.height; ++y)
        for (int64_t x = 0; x < lab.width; ++x)
          map.row(y)[x] = static_cast<float>(bands[static_cast<size_t>(k)].distance(lab.row(y) + 3 * x));
      const float scale = greatest(map);
      if (scale > 0)
        for (int64_t i = 0; i < map.pixels(); ++i) map.data()[i] /= scale;
    }
  });
  for (int64_t i = 0; i < lab.pixels(); ++i) {
    const float a = distance[0].data()[i], b = distance[1].data()[i], c = distance[2].data()[i],
                d = distance[3].data()[i];
    distance[0].data()[i] = a + b + c + d - std::max({a, b, c, d});
  }
  return std::move(distance[0]);
}

// Each value becomes the least of the square of side 2 radius + 1 around it.
Map erode(const Map& map, int64_t radius) {
  Map rows = Map::like(map.view()), result = Map::like(map.view());
  for (int64_t y = 0; y < map.height(); ++y)
    for (int64_t x = 0; x < map.width(); ++x)
      rows.row(y)[x] = *std::min_element(map.row(y) + std::max<int64_t>(x - radius, 0),
                                         map.row(y) + std::min(x + radius + 1, map.width()));
  for (int64_t y = 0; y < map.height(); ++y) {
    const int64_t begin = std::max<int64_t>(y - radius, 0), end = std::min(y + radius + 1, map.height());
    std::copy_n(rows.row(begin), map.width(), result.row(y));
    for (int64_t near = begin + 1; near < end; ++near)
      for (int64_t x = 0; x < map.width(); ++x) result.row(y)[x] = std::min(result.row(y)[x], rows.row(near)[x]);
  }
  return result;
}

// Grows `marker` within 4-neighbours as far as it stays under `limit` (Vincent 1993), by raster passes until it rests.
void reconstruct(Map& marker, const Map& limit) {
  const int64_t height = marker.height(), width = marker.width();
  for (bool changed = true; changed;) {
    changed = false;
    const auto raise = [&](int64_t y, int64_t x, int64_t ny, int64_t nx) {
      const float value = std::min(marker.row(ny)[nx], limit.row(y)[x]);
      if (value > marker.row(y)[x]) marker.row(y)[x] = value, changed = true;
    };
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x) {
        if (x > 0) raise(y, x, y, x - 1);
        if (y > 0) raise(y, x, y - 1, x);
      }
    for (int64_t y = height; y-- > 0;)
      for (int64_t x = width; x-- > 0;) {
        if (x + 1 < width) raise(y, x, y, x + 1);
        if (y + 1 < height) raise(y, x, y + 1, x);
      }
  }
}

// Opening by reconstruction: bright spots that hold no square of this size vanish, all else keeps its outline.
void open(Map& map, int64_t radius) {
  Map marker = erode(map, radius);
  reconstruct(marker, map);
  map = std::move(marker);
}

void negate(Map& map) {
  for (int64_t i = 0; i < map.pixels(); ++i) map.data()[i] = -map.data()[i];
}

// The map of the small picture.
Map subject_map(ImageView<const float> lab) {
  Map map = Map::like(lab);
  barrier_sum(lab, frame_of(lab), 3, map);
  const float scale = greatest(map);
  if (!(scale >= kLeastContrast)) {
    std::fill_n(map.data(), map.pixels(), 0.0f);
    return map;
  }
  const Map contrast = contrast_map(lab);
  const float contrast_scale = std::max(greatest(contrast), 1e-6f);
  const auto middle_y = static_cast<float>(lab.height - 1) / 2, middle_x = static_cast<float>(lab.width - 1) / 2;
  for (int64_t y = 0; y < lab.height; ++y)
    for (int64_t x = 0; x < lab.width; ++x) {
      const float v = (static_cast<float>(y) - middle_y) / middle_y, u = (static_cast<float>(x) - middle_x) / middle_x;
      const float center = 1 - std::sqrt(0.5f * (u * u + v * v));
      map.row(y)[x] = (map.row(y)[x] / scale + contrast.row(y)[x] / contrast_scale) * center;
    }
  const int64_t radius = std::max(lab.height, lab.width) / 50;
  open(map, radius);
  negate(map);
  open(map, radius);
  negate(map);
  const float top = std::max(greatest(map), 1e-6f);
  parallel_for(lab.height, row_grain(lab.width, 1 << 12), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < lab.width; ++x)
        map.row(y)[x] = static_cast<float>(1 / (1 + exp_exact(5 - 10.0 * (map.row(y)[x] / top))));
  });
  return map;
}

template <class T>
void detect(ImageView<const T> image, ImageView<float> out) {
  if (image.empty() || (image.channels != 1 && image.channels != 3))
    throw std::invalid_argument("detect_subject: the picture must have 1 or 3 channels, no side 0");
  if (out.height != image.height || out.width != image.width || out.channels != 1)
    throw std::invalid_argument("detect_subject: out must have one channel and the picture's size");
  if constexpr (std::is_same_v<T, float>) require_range(image, 0, 1, "image");
  const int64_t longest = std::max(image.height, image.width), side = std::min(longest, kLongSide);
  const auto shrunk = [&](int64_t n) { return std::max<int64_t>(1, (2 * n * side + longest) / (2 * longest)); };
  Image<T> small(shrunk(image.height), shrunk(image.width), image.channels);
  resize_area(image, small);
  resize_bilinear(subject_map(smooth_lab<T>(small)).view(), out);
}

template <class T>
void map_barriers(ImageView<const T> image, ImageView<const uint8_t> seed, int passes, ImageView<float> out) {
  if (image.height != seed.height || image.width != seed.width || image.height != out.height ||
      image.width != out.width || seed.channels != 1 || out.channels != 1)
    throw std::invalid_argument("barrier_map: image, seed and out must be of one size");
  if constexpr (std::is_same_v<T, float>) require_range(image, 0, 1, "image");
  barrier_sum(smooth_lab(image), seed, passes, out);
}

}  // namespace

void barrier_distance(ImageView<const float> channel, ImageView<const uint8_t> seed, int passes, ImageView<float> out) {
  if (channel.channels != 1 || seed.channels != 1 || out.channels != 1 || channel.height != seed.height ||
      channel.width != seed.width || channel.height != out.height || channel.width != out.width)
    throw std::invalid_argument("barrier_distance: channel, seed and out must be single-channel and of one size");
  if (passes < 1) throw std::invalid_argument("barrier_distance: passes must be at least 1");
  Paths paths(channel, seed);
  for (int pass = 0; pass < passes; ++pass)
    pass % 2 == 0 ? forward_pass(channel, paths) : backward_pass(channel, paths);
  for (int64_t y = 0; y < out.height; ++y)
    for (int64_t x = 0; x < out.width; ++x) {
      const auto i = static_cast<size_t>(y * out.width + x);
      out.row(y)[x] = paths.high[i] - paths.low[i];
    }
}

void barrier_map(ImageView<const uint8_t> image, ImageView<const uint8_t> seed, int passes, ImageView<float> out) {
  map_barriers(image, seed, passes, out);
}
void barrier_map(ImageView<const float> image, ImageView<const uint8_t> seed, int passes, ImageView<float> out) {
  map_barriers(image, seed, passes, out);
}

void detect_subject(ImageView<const uint8_t> image, ImageView<float> out) { detect(image, out); }
void detect_subject(ImageView<const float> image, ImageView<float> out) { detect(image, out); }

}  // namespace alphacut
