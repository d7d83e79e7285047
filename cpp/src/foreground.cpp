#include "alphacut/foreground.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "alphacut/color.hpp"
#include "alphacut/parallel.hpp"
#include "dispatch.hpp"
#include "unit.hpp"

namespace alphacut {
namespace {

constexpr int64_t kSmall = 32;  // levels up to this size, both sides, get more iterations
constexpr int kSmallIterations = 10, kIterations = 2;
// An iteration looks at cells this far away.
constexpr int64_t kReach = 2;
constexpr int kCoarse = 3;         // the levels finer than this are solved where alpha is partial only,
constexpr int64_t kTile = 1 << 7;  // in tiles of so many pixels

struct Box {
  int64_t y0, y1, x0, x1;
};

// A level of the pyramid, or a box of its cells: alpha, picture, F and B, split like a chessboard (see the kernel).
// Zeros surround each half-row and the whole, where neighbours are read but weigh nothing.
class Level {
 public:
  // Has room for at least `room` cells a side, so that levels of like boxes take like blocks of memory.
  Level(const Box& cells, int64_t planes, int64_t room)
      : origin_y(cells.y0),
        origin_x(cells.x0),
        height(cells.y1 - cells.y0),
        width(cells.x1 - cells.x0),
        channels(static_cast<int>(planes)),
        pitch_(pitch_of(width)),
        values_(1, (1 + 3 * planes) * std::max(plane_rows() * pitch_, rows_of(room) * pitch_of(room)) + kPad) {
    std::fill_n(values_.data(), kPad, 0.0f);
    for (int64_t i = 0; i < (1 + 3 * planes) * plane_rows(); ++i) {
      const bool outside = i % plane_rows() < 2 || i % plane_rows() >= plane_rows() - 2;
      const int64_t from = outside ? 0 : width / 2;
      std::fill_n(values_.data() + kPad + i * pitch_ + from, pitch_ - from, 0.0f);
    }
  }

  // Plane 0 is alpha, then come `channels` planes each of the picture, F and B. `first` is the x of the half-row's
  // first cell, 0 or 1; its cells lie two pixels apart.
  float* half_row(int64_t plane, int64_t y, int64_t first) {
    const int64_t color = (y ^ first) & 1;
    return values_.data() + kPad + (plane * plane_rows() + (y + 1) * 2 + color) * pitch_;
  }
  float& at(int64_t plane, int64_t y, int64_t x) { return half_row(plane, y, x & 1)[x >> 1]; }
  int64_t half_width(int64_t first) const { return (width + 1 - first) / 2; }
  int64_t foreground() const { return 1 + channels; }
  int64_t background() const { return 1 + 2 * channels; }

  void relax(int iterations) {
    for (int64_t color = 0; color < 2 * iterations; ++color)
      parallel_for(height, row_grain(width, 1 << 13), [&](int64_t begin, int64_t end) {
        for (int64_t y = begin; y < end; ++y) relax_half_row(y, (y ^ color) & 1);
      });
  }

  int64_t origin_y, origin_x, height, width;  // origins are even: both colours keep their places
  int channels;

 private:
  static constexpr int64_t kPad = 16;
  static int64_t pitch_of(int64_t cells) { return ((cells + 1) / 2 + kPad) / kPad * kPad; }
  static int64_t rows_of(int64_t cells) { return 2 * (cells + 2); }
  int64_t plane_rows() const { return rows_of(height); }

  void relax_half_row(int64_t y, int64_t first) {
    const int64_t n = half_width(first);
    if (n == 0) return;
    kernels().foreground.relax(half_row(0, y, first), half_row(0, y, 1 - first), 2 * pitch_, plane_rows() * pitch_,
                               channels, static_cast<size_t>(n), static_cast<int>(first), y > 0, y + 1 < height,
                               first > 0, 2 * (n - 1) + first + 1 < width);
  }

  int64_t pitch_;
  Image<float> values_;
};

int64_t cells_of(int64_t pixels, int shift) { return ((pixels - 1) >> shift) + 1; }

void split(const uint8_t* pixels, size_t n, int channels, ptrdiff_t step, float* const* halves) {
  kernels().foreground.split_u8(pixels, n, channels, step, halves);
}
void split(const float* pixels, size_t n, int channels, ptrdiff_t step, float* const* halves) {
  kernels().foreground.split_f32(pixels, n, channels, step, halves);
}

// Writes the pixels at the middle of the row's cells into `planes` planes from `plane` on.
template <class T>
void load_row(ImageView<const T> image, int shift, int64_t y, int64_t plane, Level& level) {
  const int64_t size = int64_t{1} << shift, middle = size / 2;
  const T* row = image.row(std::min((level.origin_y + y) * size + middle, image.height - 1));
  const auto load = [&](int64_t x, int64_t n, int64_t from) {
    float* halves[6];
    for (int64_t c = 0; c < image.channels; ++c)
      for (int64_t first = 0; first < 2; ++first)
        halves[2 * c + first] = level.half_row(plane + c, y, (x + first) & 1) + (x + first) / 2;
    split(row + from * image.channels, static_cast<size_t>(n), static_cast<int>(image.channels), size * image.channels,
          halves);
  };
  // The middle of the last cell may lie outside.
  const int64_t inside = std::min(level.width, (image.width - 1 + size - middle) / size - level.origin_x);
  if (inside > 0) load(0, inside, level.origin_x * size + middle);
  if (inside < level.width) load(level.width - 1, 1, image.width - 1);
}

// Alpha and picture of those cells of the level 2^shift times smaller, each the pixel at its middle.
template <class T, class A>
Level make_level(ImageView<const T> image, ImageView<const A> alpha, int shift, const Box& cells, int64_t room = 0) {
  Level level(cells, image.channels, room);
  parallel_for(level.height, row_grain(level.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      load_row(alpha, shift, y, 0, level);
      load_row(image, shift, y, 1, level);
    }
  });
  return level;
}

// Starts F and B from those of the next coarser level. Origins are multiples of 4, so that pairs of cells stay
// together.
void take_coarser(Level& level, Level& coarser) {
  const int64_t left = (level.origin_x / 2 - coarser.origin_x) / 2;
  parallel_for(level.height, row_grain(level.width), [&](int64_t begin, int64_t end) {
    for (int64_t plane = level.foreground(); plane < 1 + 3 * level.channels; ++plane)
      for (int64_t y = begin; y < end; ++y) {
        const int64_t from = (level.origin_y + y) / 2 - coarser.origin_y;
        for (int64_t first = 0; first < 2; ++first)
          kernels().foreground.enlarge(coarser.half_row(plane, from, 0) + left, coarser.half_row(plane, from, 1) + left,
                                       static_cast<size_t>(level.half_width(first)), level.half_row(plane, y, first));
      }
  });
}

// Mean colours of the picture, weighted by alpha and by 1 - alpha; summed in blocks of rows, in their order.
struct MeanColors {
  double foreground[3] = {}, background[3] = {}, foreground_weight = 0, background_weight = 0;

  void add(const MeanColors& other) {
    for (int c = 0; c < 3; ++c) {
      foreground[c] += other.foreground[c];
      background[c] += other.background[c];
    }
    foreground_weight += other.foreground_weight;
    background_weight += other.background_weight;
  }

  void add_row(const uint8_t* alpha, const uint8_t* pixels, int64_t width, int64_t channels) {
    uint64_t sums[7] = {};  // whole numbers: exact
    kernels().foreground.sums_u8(alpha, pixels, static_cast<size_t>(width), static_cast<int>(channels), sums);
    const auto scaled = [](uint64_t sum, double scale) { return static_cast<double>(sum) / scale; };
    foreground_weight += scaled(sums[0], 255);
    background_weight += scaled(255 * static_cast<uint64_t>(width) - sums[0], 255);
    for (int64_t c = 0; c < channels; ++c) {
      foreground[c] += scaled(sums[1 + 2 * c], 255 * 255);
      background[c] += scaled(255 * sums[2 + 2 * c] - sums[1 + 2 * c], 255 * 255);
    }
  }

  template <class T, class A>
  void add_row(const A* alpha, const T* pixels, int64_t width, int64_t channels) {
    for (int64_t x = 0; x < width; ++x) {
      const double a = static_cast<double>(unit(alpha[x]));
      foreground_weight += a;
      background_weight += 1 - a;
      for (int64_t c = 0; c < channels; ++c) {
        const double value = static_cast<double>(unit(*pixels++));
        foreground[c] += a * value;
        background[c] += (1 - a) * value;
      }
    }
  }
};

template <class T, class A>
MeanColors mean_colors(ImageView<const T> image, ImageView<const A> alpha) {
  const int64_t grain = row_grain(image.width);
  std::vector<MeanColors> blocks(static_cast<size_t>((image.height - 1) / grain + 1));
  parallel_for(image.height, grain, [&](int64_t begin, int64_t end) {
    MeanColors& sum = blocks[static_cast<size_t>(begin / grain)];
    for (int64_t y = begin; y < end; ++y) sum.add_row(alpha.row(y), image.row(y), image.width, image.channels);
  });
  MeanColors mean;
  for (const MeanColors& block : blocks) mean.add(block);
  for (int c = 0; c < 3; ++c) {
    mean.foreground[c] /= mean.foreground_weight > 0 ? mean.foreground_weight : 1;
    mean.background[c] /= mean.background_weight > 0 ? mean.background_weight : 1;
  }
  return mean;
}

// The level of that shift, solved from the coarsest, whose longer side is 2.
template <class T, class A>
Level solve(ImageView<const T> image, ImageView<const A> alpha, const MeanColors& mean, int last) {
  int shift = last;
  while (cells_of(std::max(image.height, image.width), shift) > 2) ++shift;
  const auto make = [&](int s) {
    return make_level(image, alpha, s, {0, cells_of(image.height, s), 0, cells_of(image.width, s)});
  };
  Level level = make(shift);
  for (int64_t y = 0; y < level.height; ++y)
    for (int64_t x = 0; x < level.width; ++x)
      for (int64_t c = 0; c < image.channels; ++c) {
        level.at(level.foreground() + c, y, x) = static_cast<float>(mean.foreground[c]);
        level.at(level.background() + c, y, x) = static_cast<float>(mean.background[c]);
      }
  for (;; --shift) {
    level.relax(std::max(level.height, level.width) <= kSmall ? kSmallIterations : kIterations);
    if (shift == last) return level;
    Level finer = make(shift - 1);
    take_coarser(finer, level);
    level = std::move(finer);
  }
}

// The finest level in a box, as if the whole of it were solved from `coarse`: boxes grow by what the iterations look
// at.
template <class T, class A>
Level solve_box(ImageView<const T> image, ImageView<const A> alpha, Level& coarse, int shift, const Box& box) {
  Box cells[kCoarse];
  const auto widen = [&](const Box& b, int s) -> Box {
    constexpr int64_t margin = kIterations * kReach;
    return {std::max<int64_t>(b.y0 - margin, 0) & ~int64_t{3}, std::min(b.y1 + margin, cells_of(image.height, s)),
            std::max<int64_t>(b.x0 - margin, 0) & ~int64_t{3}, std::min(b.x1 + margin, cells_of(image.width, s))};
  };
  cells[0] = widen(box, 0);
  for (int s = 1; s < shift; ++s) {
    const Box& finer = cells[s - 1];
    cells[s] = widen({finer.y0 / 2, (finer.y1 + 1) / 2, finer.x0 / 2, (finer.x1 + 1) / 2}, s);
  }
  const auto room = [](int s) { return (kTile >> s) + 24; };  // two margins and what rounding adds, level by level
  Level level = make_level(image, alpha, shift - 1, cells[shift - 1], room(shift - 1));
  take_coarser(level, coarse);
  level.relax(kIterations);
  for (int s = shift - 2; s >= 0; --s) {
    Level finer = make_level(image, alpha, s, cells[s], room(s));
    take_coarser(finer, level);
    finer.relax(kIterations);
    level = std::move(finer);
  }
  return level;
}

bool full(uint8_t alpha) { return alpha == 255; }
bool full(float alpha) { return alpha == 1; }

void find_partial(const uint8_t* alpha, size_t n, size_t& first, size_t& end) {
  kernels().foreground.partial_u8(alpha, n, &first, &end);
}

void find_partial(const float* alpha, size_t n, size_t& first, size_t& end) {
  const auto partial = [](float a) { return a > 0 && a < 1; };
  first = static_cast<size_t>(std::find_if(alpha, alpha + n, partial) - alpha);
  for (end = first == n ? 0 : n; end > first && !partial(alpha[end - 1]);) --end;
}

// The rectangle of the partial pixels in a box; empty (y1 <= y0) if there are none.
template <class A>
Box partial_box(ImageView<const A> alpha, const Box& box) {
  Box found{box.y1, box.y0, box.x1, box.x0};
  for (int64_t y = box.y0; y < box.y1; ++y) {
    size_t first, end;
    find_partial(alpha.row(y) + box.x0, static_cast<size_t>(box.x1 - box.x0), first, end);
    if (first >= end) continue;
    found = {std::min(found.y0, y), y + 1, std::min(found.x0, box.x0 + static_cast<int64_t>(first)),
             std::max(found.x1, box.x0 + static_cast<int64_t>(end))};
  }
  return found;
}

// The picture where alpha is full, else the coarse F; a row's F serves all rows of its cells.
template <class T, class A>
void fill_rows(ImageView<const T> image, ImageView<const A> alpha, Level& coarse, int shift, int64_t y0, int64_t y1,
               ImageView<T> foreground) {
  std::vector<T> colors(static_cast<size_t>(image.width * image.channels));
  for (int64_t y = y0; y < y1; ++y) {
    if (y == y0 || y % (int64_t{1} << shift) == 0)
      for (int64_t x = 0; x < image.width; ++x)
        for (int64_t c = 0; c < image.channels; ++c)
          store_unit(coarse.at(coarse.foreground() + c, y >> shift, x >> shift),
                     colors[static_cast<size_t>(x * image.channels + c)]);
    const T* in = image.row(y);
    T* out = foreground.row(y);
    if constexpr (std::is_same_v<T, uint8_t> && std::is_same_v<A, uint8_t>) {
      kernels().foreground.select_u8(alpha.row(y), in, colors.data(), static_cast<size_t>(image.width),
                                     static_cast<int>(image.channels), out);
    } else {
      for (int64_t x = 0; x < image.width; ++x)
        for (int64_t i = x * image.channels; i < (x + 1) * image.channels; ++i)
          out[i] = full(alpha.row(y)[x]) ? in[i] : colors[static_cast<size_t>(i)];
    }
  }
}

template <class T, class A>
void write_box(ImageView<const A> alpha, Level& level, const Box& box, ImageView<T> foreground) {
  for (int64_t y = box.y0; y < box.y1; ++y)
    for (int64_t c = 0; c < foreground.channels; ++c) {
      T* out = foreground.row(y) + c;
      for (int64_t x = box.x0; x < box.x1; ++x)
        if (!full(alpha.row(y)[x]))
          store_unit(level.at(level.foreground() + c, y - level.origin_y, x - level.origin_x),
                     out[x * foreground.channels]);
    }
}

template <class T, class A>
void check(ImageView<const T> image, ImageView<const A> alpha, ImageView<T> foreground) {
  if ((image.channels != 1 && image.channels != 3) || alpha.channels != 1 || foreground.channels != image.channels)
    throw std::invalid_argument("estimate_foreground: image and foreground must have 1 or 3 channels, alpha 1");
  const auto differs = [&](int64_t height, int64_t width) { return height != image.height || width != image.width; };
  if (differs(alpha.height, alpha.width) || differs(foreground.height, foreground.width))
    throw std::invalid_argument("alpha must have the size of image, " + std::to_string(image.height) + " by " +
                                std::to_string(image.width) + ", got " + std::to_string(alpha.height) + " by " +
                                std::to_string(alpha.width));
  if constexpr (std::is_same_v<T, float>) require_range(image, 0, 1, "image");
  if constexpr (std::is_same_v<A, float>) require_range(alpha, 0, 1, "alpha");
}

}  // namespace

template <class T, class A>
void estimate_foreground(ImageView<const T> image, ImageView<const A> alpha, ImageView<T> foreground) {
  check(image, alpha, foreground);
  const MeanColors mean = mean_colors(image, alpha);
  if (image.pixels() == 1 || mean.foreground_weight == 0) {  // nothing to estimate from
    for (int64_t y = 0; y < image.height; ++y)
      std::copy_n(image.row(y), image.width * image.channels, foreground.row(y));
    return;
  }
  int shift = kCoarse;
  while (shift > 0 && cells_of(std::max(image.height, image.width), shift - 1) <= kSmall) --shift;
  Level coarse = solve(image, alpha, mean, shift);
  const int64_t band = std::max(row_grain(image.width) >> shift, int64_t{1}) << shift;
  parallel_for(image.height, band,
               [&](int64_t begin, int64_t end) { fill_rows(image, alpha, coarse, shift, begin, end, foreground); });
  if (shift == 0) return;
  const int64_t across = (image.width - 1) / kTile + 1;
  parallel_for(((image.height - 1) / kTile + 1) * across, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t y0 = i / across * kTile, x0 = i % across * kTile;
      const Box box =
          partial_box(alpha, {y0, std::min(y0 + kTile, image.height), x0, std::min(x0 + kTile, image.width)});
      if (box.y1 <= box.y0) continue;
      Level level = solve_box(image, alpha, coarse, shift, box);
      write_box(alpha, level, box, foreground);
    }
  });
}

template void estimate_foreground(ImageView<const uint8_t>, ImageView<const uint8_t>, ImageView<uint8_t>);
template void estimate_foreground(ImageView<const uint8_t>, ImageView<const float>, ImageView<uint8_t>);
template void estimate_foreground(ImageView<const float>, ImageView<const uint8_t>, ImageView<float>);
template void estimate_foreground(ImageView<const float>, ImageView<const float>, ImageView<float>);

}  // namespace alphacut
