#include "alphacut/subject.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "alphacut/color.hpp"
#include "alphacut/morphology.hpp"
#include "alphacut/parallel.hpp"
#include "alphacut/preprocess.hpp"
#include "dispatch.hpp"
#include "math.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

constexpr int64_t kLongSide = 300;
constexpr float kLeastContrast = 4;  // barrier, summed over L, a and b: below it there is nothing to see

constexpr float kInfinity = std::numeric_limits<float>::infinity();

int64_t round_down(int64_t n, int64_t unit) { return n / unit * unit; }
int64_t round_up(int64_t n, int64_t unit) { return round_down(n + unit - 1, unit); }

// Where the pixels of a picture lie that is stored by its diagonals. A pixel of a raster pass waits for its neighbours
// to the left and above, which are both of the diagonal before: all pixels of one are done at once. Pixel (y, x) is
// lane y + 1 of diagonal x + y. A diagonal is kept in whole groups of lanes, with at least one more than it has pixels
// at either end: where its neighbours have a pixel and it has none.
struct Diagonals {
  static constexpr int64_t kGroup = 16;
  int64_t height, width;
  std::vector<int64_t> lane0;  // of each diagonal, whether it is kept or not
  int64_t size = kGroup;       // with a group at either end, as reads reach one lane out

  Diagonals(int64_t height_, int64_t width_) : height(height_), width(width_) {
    for (int64_t t = 0; t < count(); ++t) {
      lane0.push_back(size - kept(t));
      size += kept_end(t) - kept(t);
    }
    size += kGroup;
  }
  int64_t count() const { return height + width - 1; }
  int64_t groups() const { return kept_end(count() - 1) / kGroup; }
  int64_t at(int64_t t, int64_t lane) const { return lane0[static_cast<size_t>(t)] + lane; }

  int64_t first(int64_t t) const { return std::max<int64_t>(t - width + 1, 0) + 1; }
  int64_t end(int64_t t) const { return std::min(t + 1, height) + 1; }
  int64_t kept(int64_t t) const { return round_down(first(t) - 1, kGroup); }
  int64_t kept_end(int64_t t) const { return round_up(end(t) + 1, kGroup); }

  // A strip holds the rows of one group of lanes, with a margin of a group on both sides.
  int64_t pitch() const { return width + 2 * kGroup; }
  int64_t top(int64_t group) const { return group * kGroup - 1; }
  // Calls visit(i, j) for each diagonal that keeps the group: from i on in store, from j on (to the left and down, so
  // pitch - 1 apart) in the strip.
  template <class Visit>
  void for_group(int64_t group, Visit visit) const {
    const int64_t lane = group * kGroup;
    for (int64_t t = std::max<int64_t>(lane - 2, 0); t < count() && kept(t) <= lane; ++t)
      if (lane < kept_end(t)) visit(at(t, lane), kGroup + t - top(group));
  }
};

// A picture, one plane a channel, and its seeds, by diagonals.
struct Barriers {
  Diagonals place;
  Image<float> value;
  Image<uint8_t> seed;

  // load(y, planes, plane) writes row y of the picture.
  template <class Load>
  Barriers(ImageView<const uint8_t> seeds, int64_t channels, Load load)
      : place(seeds.height, seeds.width), value(channels, place.size), seed(1, place.size) {
    constexpr int64_t group = Diagonals::kGroup;
    const int64_t pitch = place.pitch(), plane = group * pitch;
    for (const int64_t begin : {int64_t{0}, place.size - group}) {
      std::fill_n(seed.data() + begin, group, uint8_t{0});
      for (int64_t c = 0; c < channels; ++c) std::fill_n(value.row(c) + begin, group, kInfinity);
    }
    parallel_for(place.groups(), row_grain(plane, 1 << 13), [&](int64_t begin, int64_t end) {
      std::vector<float> values(static_cast<size_t>(channels * plane), kInfinity);
      std::vector<uint8_t> marks(static_cast<size_t>(plane));
      for (int64_t g = begin; g < end; ++g) {
        for (int64_t k = 0; k < group; ++k) {
          const int64_t y = place.top(g) + k, i = k * pitch + group;
          if (y >= 0 && y < place.height) {
            load(y, values.data() + i, plane);
            std::copy_n(seeds.row(y), place.width, marks.data() + i);
          } else {
            for (int64_t c = 0; c < channels; ++c) std::fill_n(values.data() + c * plane + i, place.width, kInfinity);
            std::fill_n(marks.data() + i, place.width, uint8_t{0});
          }
        }
        place.for_group(g, [&](int64_t i, int64_t j) {
          for (int64_t k = 0; k < group; ++k) seed.data()[i + k] = marks.data()[j + k * (pitch - 1)];
          for (int64_t c = 0; c < channels; ++c)
            for (int64_t k = 0; k < group; ++k) value.row(c)[i + k] = values.data()[c * plane + j + k * (pitch - 1)];
        });
      }
    });
  }

  // Turns the values of a channel into distances. The path found so far to each pixel is kept as its highest and lowest
  // value, and improved by raster passes, the first forward.
  void measure(int64_t channel, int passes) {
    float* v = value.row(channel);
    const auto size = static_cast<size_t>(place.size);
    Image<float> paths(2, place.size);
    float *top = paths.row(0), *bottom = paths.row(1);
    const auto& kernel = kernels().subject;
    kernel.start_paths(v, seed.data(), size, kInfinity, top, bottom);
    // Offers to the pixels of diagonal t those of its neighbour, at the same lane, then at `shift` lanes from it.
    const auto offer = [&](int64_t t, int64_t near, int64_t shift) {
      const int64_t lane = round_down(place.first(t), Diagonals::kGroup);
      const int64_t n = round_up(place.end(t), Diagonals::kGroup) - lane, i = place.at(t, lane);
      const int64_t j = place.at(near, lane);
      kernel.offer_paths(v + i, static_cast<size_t>(n), top + j, bottom + j, static_cast<ptrdiff_t>(shift), top + i,
                         bottom + i);
    };
    for (int pass = 0; pass < passes; ++pass)
      if (pass % 2 == 0)
        for (int64_t t = 1; t < place.count(); ++t) offer(t, t - 1, -1);
      else
        for (int64_t t = place.count() - 2; t >= 0; --t) offer(t, t + 1, 1);
    kernel.path_ranges(top, bottom, size, v);
  }

  // The distances, once measured, summed over the channels in order.
  void sum(ImageView<float> out) const {
    constexpr int64_t group = Diagonals::kGroup;
    const int64_t pitch = place.pitch();
    parallel_for(place.groups(), row_grain(group * pitch, 1 << 14), [&](int64_t begin, int64_t end) {
      std::vector<float> strip(static_cast<size_t>(group * pitch));
      for (int64_t g = begin; g < end; ++g) {
        place.for_group(g, [&](int64_t i, int64_t j) {
          float total[group];
          std::copy_n(value.data() + i, group, total);
          for (int64_t c = 1; c < value.height(); ++c)
            for (int64_t k = 0; k < group; ++k) total[k] += value.row(c)[i + k];
          for (int64_t k = 0; k < group; ++k) strip[static_cast<size_t>(j + k * (pitch - 1))] = total[k];
        });
        for (int64_t k = 0; k < group; ++k)
          if (const int64_t y = place.top(g) + k; y >= 0 && y < place.height)
            std::copy_n(strip.data() + k * pitch + group, place.width, out.row(y));
      }
    });
  }
};

// The barrier distance of a picture, summed over its channels.
template <class Load>
void barrier_sum(ImageView<const uint8_t> seed, int64_t channels, int passes, Load load, ImageView<float> out) {
  Barriers barriers(seed, channels, load);
  parallel_for(channels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) barriers.measure(c, passes);
  });
  barriers.sum(out);
}

struct Rect {
  int64_t top, bottom, left, right;  // bottom and right exclusive

  Rect grown(int64_t by, int64_t height, int64_t width) const {
    return {std::max<int64_t>(top - by, 0), std::min(bottom + by, height), std::max<int64_t>(left - by, 0),
            std::min(right + by, width)};
  }
  template <class T>
  ImageView<T> of(ImageView<T> picture) const {
    return {picture.row(top) + left * picture.channels, bottom - top, right - left, picture.channels, picture.stride};
  }
};

// What holds all pixels that are no seeds, and the nearest seeds around: no path need leave it. Empty if all are seeds.
Rect search_area(ImageView<const uint8_t> seed) {
  Rect box{seed.height, 0, seed.width, 0};
  bool any = false;
  for (int64_t y = 0; y < seed.height; ++y) {
    const uint8_t *row = seed.row(y), *end = row + seed.width;
    any = any || std::find_if(row, end, [](uint8_t v) { return v != 0; }) != end;
    const uint8_t* first = std::find(row, end, 0);
    if (first == end) continue;
    box.top = std::min(box.top, y);
    box.bottom = y + 1;
    box.left = std::min<int64_t>(box.left, first - row);
    while (end[-1] != 0) --end;
    box.right = std::max<int64_t>(box.right, end - row);
  }
  if (!any) throw std::invalid_argument("barrier_distance: seed must have at least one nonzero pixel");
  return box.bottom == 0 ? Rect{0, 0, 0, 0} : box.grown(1, seed.height, seed.width);
}

using Map = Image<float>;

float greatest(const Map& map) { return *std::max_element(map.data(), map.data() + map.pixels()); }

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
  Map marker = Map::like(map.view());
  morphology<float>(map, MorphologyOperation::erode, {radius, radius, false}, marker);
  reconstruct(marker, map);
  map = std::move(marker);
}

void negate(Map& map) {
  for (int64_t i = 0; i < map.pixels(); ++i) map.data()[i] = -map.data()[i];
}

// The map of the small picture.
Map subject_map(ImageView<const float> lab) {
  Map map = Map::like(lab);
  const auto load = [lab](int64_t y, float* planes, int64_t plane) {
    for (int64_t x = 0; x < lab.width; ++x)
      for (int64_t c = 0; c < 3; ++c) planes[c * plane + x] = lab.row(y)[3 * x + c];
  };
  barrier_sum(frame_of(lab).view(), 3, 3, load, map);
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
  if (image.channels != 1 && image.channels != 3)
    throw std::invalid_argument("barrier_map: the picture must have 1 or 3 channels");
  if (passes < 1) throw std::invalid_argument("barrier_map: passes must be at least 1");
  if constexpr (std::is_same_v<T, float>) require_range(image, 0, 1, "image");
  for (int64_t y = 0; y < out.height; ++y) std::fill_n(out.row(y), out.width, 0.0f);
  const Rect box = search_area(seed);
  if (box.bottom == 0) return;
  const Rect seen = box.grown(2, image.height, image.width);  // by the median
  Image<T> smooth(seen.bottom - seen.top, seen.right - seen.left, image.channels);
  median(seen.of(image), 5, smooth);
  const auto load = [&](int64_t y, float* planes, int64_t plane) {
    const T* row = smooth.row(y + box.top - seen.top) + (box.left - seen.left) * image.channels;
    to_lab_planes(row, box.right - box.left, image.channels, planes, plane);
  };
  barrier_sum(box.of(seed), 3, passes, load, box.of(out));
}

}  // namespace

void barrier_distance(ImageView<const float> channel, ImageView<const uint8_t> seed, int passes, ImageView<float> out) {
  if (channel.channels != 1 || seed.channels != 1 || out.channels != 1 || channel.height != seed.height ||
      channel.width != seed.width || channel.height != out.height || channel.width != out.width)
    throw std::invalid_argument("barrier_distance: channel, seed and out must be single-channel and of one size");
  if (passes < 1) throw std::invalid_argument("barrier_distance: passes must be at least 1");
  for (int64_t y = 0; y < out.height; ++y) std::fill_n(out.row(y), out.width, 0.0f);
  const Rect box = search_area(seed);
  if (box.bottom == 0) return;
  const ImageView<const float> seen = box.of(channel);
  const auto load = [seen](int64_t y, float* plane, int64_t) { std::copy_n(seen.row(y), seen.width, plane); };
  barrier_sum(box.of(seed), 1, passes, load, box.of(out));
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
