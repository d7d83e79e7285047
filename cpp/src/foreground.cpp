#include "alphacut/foreground.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "alphacut/color.hpp"
#include "alphacut/parallel.hpp"
#include "depth.hpp"
#include "dispatch.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

constexpr int64_t kSmall = 32;  // levels up to this size, both sides, get more iterations
constexpr int kSmallIterations = 10, kIterations = 2;
constexpr int kCoarse = 3;         // the levels finer than this are solved where alpha is partial only,
constexpr int64_t kTile = 1 << 7;  // in tiles of so many pixels
constexpr int64_t kStep = 16;      // Spans of cells are worked on from a multiple of this to the next: whole vectors.

struct Rect {
  int64_t y0, y1, x0, x1;
};

// Cells of a row; none if end <= begin.
struct Span {
  int64_t begin, end;

  bool empty() const { return end <= begin; }
  void join(const Span& other) {
    if (other.empty()) return;
    *this = empty() ? other : Span{std::min(begin, other.begin), std::max(end, other.end)};
  }
};
using Spans = std::vector<Span>;  // one for each row

// What lies within one row and one cell of the spans.
Spans grown(const Spans& spans, int64_t width) {
  Spans result(spans.size());
  for (size_t y = 0; y < spans.size(); ++y) {
    Span& span = result[y] = spans[y];
    if (y > 0) span.join(spans[y - 1]);
    if (y + 1 < spans.size()) span.join(spans[y + 1]);
    if (!span.empty()) span = {std::max<int64_t>(span.begin - 1, 0), std::min(span.end + 1, width)};
  }
  return result;
}

// A level of the pyramid, or a box of its cells: alpha, picture, F and B, split like a chessboard (see the kernel).
// Only the cells of `wanted` matter, and what the iterations look at for them: no others are loaded or relaxed. Zeros
// surround them, where neighbours are read but weigh nothing, or are not wanted.
class Level {
 public:
  Level(const Rect& cells, int64_t planes, Spans wanted, int iterations, float regularization)
      : origin_y(cells.y0),
        origin_x(cells.x0),
        height(cells.y1 - cells.y0),
        width(cells.x1 - cells.x0),
        channels(static_cast<int>(planes)),
        regularization_(regularization),
        pitch_(pitch_of(width)),
        values_(1, (1 + 3 * planes) * plane_rows() * pitch_ + kPad) {
    std::fill_n(values_.data(), kPad, 0.0f);
    for (int64_t plane = 0; plane < 1 + 3 * planes; ++plane)
      for (int64_t y : {int64_t{-1}, height}) std::fill_n(half_row(plane, y, y & 1), 2 * pitch_, 0.0f);
    reach_.push_back(std::move(wanted));
    for (int i = 0; i < 2 * iterations; ++i) reach_.push_back(grown(reach_.back(), width));
  }

  // Plane 0 is alpha, then come `channels` planes each of the picture, F and B. `first` is the x of the half-row's
  // first cell, 0 or 1; its cells lie two pixels apart.
  float* half_row(int64_t plane, int64_t y, int64_t first) {
    const int64_t color = (y ^ first) & 1;
    return values_.data() + kPad + (plane * plane_rows() + (y + 1) * 2 + color) * pitch_;
  }
  float& at(int64_t plane, int64_t y, int64_t x) { return half_row(plane, y, x & 1)[x >> 1]; }
  int64_t foreground() const { return 1 + channels; }
  int64_t background() const { return 1 + 2 * channels; }

  // A span made longer.
  Span whole_steps(const Span& span) const {
    return {span.begin / kStep * kStep, std::min((span.end + kStep - 1) / kStep * kStep, width)};
  }
  // What must be there before the iterations, and the cells of a row to load for that.
  const Spans& reach() const { return reach_.back(); }
  Span loaded(int64_t y) const { return whole_steps(reach()[static_cast<size_t>(y)]); }
  // Zeros beside a row's loaded cells.
  void close(int64_t y) {
    const Span span = loaded(y);
    for (int64_t plane = 0; plane < 1 + 3 * channels; ++plane)
      for (int64_t first = 0; first < 2; ++first) {
        float* half = half_row(plane, y, first);
        half[span.begin / 2 - 1] = half[span.begin / 2 + half_count(span, first)] = 0;
      }
  }
  // How many of a span's cells a half-row has; spans begin at even cells.
  static int64_t half_count(const Span& span, int64_t first) { return (span.end - span.begin + 1 - first) / 2; }

  // Each sweep reaches a cell less far than the one before: in the end what is wanted is there.
  void relax() {
    const auto sweeps = static_cast<int64_t>(reach_.size()) - 1;
    for (int64_t sweep = 0; sweep < sweeps; ++sweep) {
      const Spans& spans = reach_[static_cast<size_t>(sweeps - 1 - sweep)];
      parallel_for(height, row_grain(width, 1 << 13), [&](int64_t begin, int64_t end) {
        for (int64_t y = begin; y < end; ++y)
          relax_half_row(y, (y ^ sweep) & 1, whole_steps(spans[static_cast<size_t>(y)]));
      });
    }
  }

  int64_t origin_y, origin_x, height, width;  // origins are even: both colours keep their places
  int channels;

 private:
  static constexpr int64_t kPad = 16;
  static int64_t pitch_of(int64_t cells) { return ((cells + 1) / 2 + kPad) / kPad * kPad; }
  static int64_t rows_of(int64_t cells) { return 2 * (cells + 2); }
  int64_t plane_rows() const { return rows_of(height); }

  void relax_half_row(int64_t y, int64_t first, const Span& span) {
    const int64_t n = half_count(span, first), from = span.begin / 2;
    if (n <= 0) return;
    kernels().foreground.relax(half_row(0, y, first) + from, half_row(0, y, 1 - first) + from, 2 * pitch_,
                               plane_rows() * pitch_, channels, static_cast<size_t>(n), static_cast<int>(first), y > 0,
                               y + 1 < height, span.begin + first > 0, span.begin + 2 * (n - 1) + first + 1 < width,
                               regularization_);
  }

  float regularization_;
  int64_t pitch_;
  std::vector<Spans> reach_;  // [i]: what lies within i cells of what is wanted
  Image<float> values_;
};

int64_t cells_of(int64_t pixels, int shift) { return ((pixels - 1) >> shift) + 1; }

void split(const uint8_t* pixels, size_t n, int channels, ptrdiff_t step, float* const* halves) {
  kernels().foreground.split_u8(pixels, n, channels, step, halves);
}
void split(const float* pixels, size_t n, int channels, ptrdiff_t step, float* const* halves) {
  kernels().foreground.split_f32(pixels, n, channels, step, halves);
}

// Writes the pixels at the middle of a row's cells into `planes` planes from `plane` on.
template <class T>
void load_row(ImageView<const T> image, int shift, int64_t y, const Span& cells, int64_t plane, Level& level) {
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
  const int64_t inside = std::min(cells.end, (image.width - 1 + size - middle) / size - level.origin_x);
  if (inside > cells.begin) load(cells.begin, inside - cells.begin, (level.origin_x + cells.begin) * size + middle);
  if (inside < cells.end) load(cells.end - 1, 1, image.width - 1);
}

// Fills a level, 2^shift times smaller than the picture: alpha and colours of the pixel at the middle of each cell.
template <class T, class A>
void load(ImageView<const T> image, ImageView<const A> alpha, int shift, Level& level) {
  parallel_for(level.height, row_grain(level.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const Span cells = level.loaded(y);
      if (cells.empty()) continue;
      load_row(alpha, shift, y, cells, 0, level);
      load_row(image, shift, y, cells, 1, level);
      level.close(y);
    }
  });
}

// Starts F and B from those of the next coarser level. Origins and spans begin at multiples of 4, so that pairs of
// cells stay together.
void take_coarser(Level& level, Level& coarser) {
  parallel_for(level.height, row_grain(level.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const Span cells = level.loaded(y);
      if (cells.empty()) continue;
      const int64_t from = (level.origin_y + y) / 2 - coarser.origin_y;
      const int64_t left = ((level.origin_x + cells.begin) / 2 - coarser.origin_x) / 2;
      for (int64_t plane = level.foreground(); plane < 1 + 3 * level.channels; ++plane)
        for (int64_t first = 0; first < 2; ++first)
          kernels().foreground.enlarge(coarser.half_row(plane, from, 0) + left, coarser.half_row(plane, from, 1) + left,
                                       static_cast<size_t>(Level::half_count(cells, first)),
                                       level.half_row(plane, y, first) + cells.begin / 2);
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
    if (channels == 1)
      add_row<1>(alpha, pixels, width);
    else
      add_row<3>(alpha, pixels, width);
  }

 private:
  template <int N, class T, class A>
  void add_row(const A* alpha, const T* pixels, int64_t width) {
    MeanColors sum = *this;  // one that stays in registers
    for (int64_t x = 0; x < width; ++x, pixels += N) {
      const double a = static_cast<double>(to_float(alpha[x]));
      sum.foreground_weight += a;
      sum.background_weight += 1 - a;
      for (int c = 0; c < N; ++c) {
        const double value = static_cast<double>(to_float(pixels[c]));
        sum.foreground[c] += a * value;
        sum.background[c] += (1 - a) * value;
      }
    }
    *this = sum;
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
Level solve(ImageView<const T> image, ImageView<const A> alpha, const MeanColors& mean, int last,
            float regularization) {
  int shift = last;
  while (cells_of(std::max(image.height, image.width), shift) > 2) ++shift;
  const auto make = [&](int s) {
    const int64_t height = cells_of(image.height, s), width = cells_of(image.width, s);
    Level level({0, height, 0, width}, image.channels, Spans(static_cast<size_t>(height), Span{0, width}),
                std::max(height, width) <= kSmall ? kSmallIterations : kIterations, regularization);
    load(image, alpha, s, level);
    return level;
  };
  Level level = make(shift);
  for (int64_t y = 0; y < level.height; ++y)
    for (int64_t x = 0; x < level.width; ++x)
      for (int64_t c = 0; c < image.channels; ++c) {
        level.at(level.foreground() + c, y, x) = static_cast<float>(mean.foreground[c]);
        level.at(level.background() + c, y, x) = static_cast<float>(mean.background[c]);
      }
  for (;; --shift) {
    level.relax();
    if (shift == last) return level;
    Level finer = make(shift - 1);
    take_coarser(finer, level);
    level = std::move(finer);
  }
}

// The spans of a tile's rows as those of a box of cells around it.
Spans shifted(const Span* spans, const Rect& tile, const Rect& cells) {
  Spans result(static_cast<size_t>(cells.y1 - cells.y0));
  const int64_t left = tile.x0 - cells.x0;
  for (int64_t y = tile.y0; y < tile.y1; ++y, ++spans)
    if (!spans->empty()) result[static_cast<size_t>(y - cells.y0)] = {spans->begin + left, spans->end + left};
  return result;
}

// The cells that a finer level starts from.
Spans halved(const Level& finer, const Rect& cells) {
  Spans result(static_cast<size_t>(cells.y1 - cells.y0));
  for (int64_t y = 0; y < finer.height; ++y) {
    const Span span = finer.loaded(y);
    if (!span.empty())
      result[static_cast<size_t>((finer.origin_y + y) / 2 - cells.y0)].join(
          {(finer.origin_x + span.begin) / 2 - cells.x0, (finer.origin_x + span.end - 1) / 2 + 1 - cells.x0});
  }
  return result;
}

// The finest level at `wanted`, spans of the tile's rows, as if the whole of it were solved from `coarse`: levels look
// as far beyond as their iterations do.
template <class T, class A>
Level solve_around(ImageView<const T> image, ImageView<const A> alpha, Level& coarse, int shift, const Rect& tile,
                   const Span* wanted, float regularization) {
  constexpr int64_t margin = 2 * kIterations;
  std::vector<Level> levels;
  levels.reserve(kCoarse);
  Rect inner = tile;
  for (int s = 0; s < shift; ++s) {
    const Rect cells{std::max<int64_t>(inner.y0 - margin, 0) & ~int64_t{3},
                     std::min(inner.y1 + margin, cells_of(image.height, s)),
                     std::max<int64_t>(inner.x0 - margin, 0) / kStep * kStep,
                     std::min((inner.x1 + margin + kStep - 1) / kStep * kStep, cells_of(image.width, s))};
    levels.emplace_back(cells, image.channels, s == 0 ? shifted(wanted, tile, cells) : halved(levels.back(), cells),
                        kIterations, regularization);
    inner = {cells.y0 / 2, (cells.y1 + 1) / 2, cells.x0 / 2, (cells.x1 + 1) / 2};
  }
  for (int s = shift - 1; s >= 0; --s) {
    Level& level = levels[static_cast<size_t>(s)];
    load(image, alpha, s, level);
    take_coarser(level, s == shift - 1 ? coarse : levels[static_cast<size_t>(s) + 1]);
    level.relax();
  }
  return std::move(levels.front());
}

// From the first to the last partial pixel of n.
Span partial_span(const uint8_t* alpha, int64_t n) {
  size_t first, end;
  kernels().foreground.partial_u8(alpha, static_cast<size_t>(n), &first, &end);
  return {static_cast<int64_t>(first), static_cast<int64_t>(end)};
}

Span partial_span(const float* alpha, int64_t n) {
  const auto partial = [](float a) { return a > 0 && a < 1; };
  const int64_t first = std::find_if(alpha, alpha + n, partial) - alpha;
  int64_t end = n;
  while (end > first && !partial(alpha[end - 1])) --end;
  return {first, end};
}

void join(const float* const* halves, size_t n, int channels, uint8_t* pixels) {
  kernels().foreground.join_u8(halves, n, channels, pixels);
}
void join(const float* const* halves, size_t n, int channels, float* pixels) {
  kernels().foreground.join_f32(halves, n, channels, pixels);
}

// F of the cells from an even one on, as pixels.
template <class T>
void store_row(Level& level, int64_t y, const Span& cells, T* pixels) {
  const float* halves[6];
  for (int c = 0; c < level.channels; ++c)
    for (int64_t first = 0; first < 2; ++first)
      halves[2 * c + first] = level.half_row(level.foreground() + c, y, first) + cells.begin / 2;
  join(halves, static_cast<size_t>(cells.end - cells.begin), level.channels, pixels);
}

// The picture's pixels where alpha is full, else the others.
void select(const uint8_t* alpha, const uint8_t* pixels, const uint8_t* others, int64_t n, int channels,
            uint8_t* result) {
  kernels().foreground.select_u8(alpha, pixels, others, static_cast<size_t>(n), channels, result);
}
template <class T>
void copy_values(const T* from, int64_t n, T* to) {
  std::copy_n(from, n, to);
}
void copy_values(const float* from, int64_t n, uint16_t* to) { in_steps(from, n, to); }

template <class T, class A, class F>
void select(const A* alpha, const T* pixels, const T* others, int64_t n, int channels, F* result) {
  for (int64_t x = 0, end; x < n; x = end) {
    const bool full = to_float(alpha[x]) == 1;
    end = x + 1;
    while (end < n && (to_float(alpha[end]) == 1) == full) ++end;
    copy_values((full ? pixels : others) + x * channels, (end - x) * channels, result + x * channels);
  }
}

// The picture where alpha is full, else the coarse F; a row's F serves all rows of its cells. Also finds the partial
// pixels of each tile's rows, `spans[tile column · height + y]`.
template <class T, class A, class F>
void fill_rows(ImageView<const T> image, ImageView<const A> alpha, Level& coarse, int shift, int64_t y0, int64_t y1,
               Span* spans, ImageView<F> foreground) {
  const int64_t width = image.width, channels = image.channels;
  std::vector<T> cells(static_cast<size_t>(coarse.width * channels)), colors(static_cast<size_t>(width * channels));
  for (int64_t y = y0; y < y1; ++y) {
    if (y == y0 || y % (int64_t{1} << shift) == 0) {
      store_row(coarse, y >> shift, {0, coarse.width}, cells.data());
      T* color = colors.data();
      for (int64_t x = 0; x < width; ++x)
        for (int64_t c = 0; c < channels; ++c) *color++ = cells[static_cast<size_t>((x >> shift) * channels + c)];
    }
    const A* row = alpha.row(y);
    select(row, image.row(y), colors.data(), width, coarse.channels, foreground.row(y));
    for (int64_t x = 0; x < width; x += kTile)
      spans[x / kTile * image.height + y] = partial_span(row + x, std::min(kTile, width - x));
  }
}

// F as solved at full size, in the spans of a tile's rows.
template <class T, class A, class F>
void solve_tile(ImageView<const T> image, ImageView<const A> alpha, Level& coarse, int shift, const Rect& tile,
                const Span* spans, float regularization, ImageView<F> foreground) {
  if (std::all_of(spans, spans + tile.y1 - tile.y0, [](const Span& span) { return span.empty(); })) return;
  Level level = solve_around(image, alpha, coarse, shift, tile, spans, regularization);
  const int64_t left = tile.x0 - level.origin_x, channels = image.channels;
  std::vector<T> colors(static_cast<size_t>(level.width * channels));
  for (int64_t y = tile.y0; y < tile.y1; ++y) {
    const Span& span = spans[y - tile.y0];
    if (span.empty()) continue;
    const int64_t x = tile.x0 + span.begin;
    const Span cells = level.whole_steps({left + span.begin, left + span.end});
    store_row(level, y - level.origin_y, cells, colors.data());
    select(alpha.row(y) + x, image.row(y) + x * channels, colors.data() + (left + span.begin - cells.begin) * channels,
           span.end - span.begin, level.channels, foreground.row(y) + x * channels);
  }
}

template <class T, class A, class F>
void check(ImageView<const T> image, ImageView<const A> alpha, float regularization, ImageView<F> foreground) {
  if (!(regularization >= 1e-8f && regularization <= 1))
    throw std::invalid_argument("regularization must be from 1e-8 to 1, got " + std::to_string(regularization));
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

template <class T, class A, class F>
void estimate(ImageView<const T> image, ImageView<const A> alpha, float regularization, ImageView<F> foreground) {
  check(image, alpha, regularization, foreground);
  const MeanColors mean = mean_colors(image, alpha);
  if (image.pixels() == 1 || mean.foreground_weight == 0) {  // nothing to estimate from
    for (int64_t y = 0; y < image.height; ++y)
      copy_values(image.row(y), image.width * image.channels, foreground.row(y));
    return;
  }
  int shift = kCoarse;
  while (shift > 0 && cells_of(std::max(image.height, image.width), shift - 1) <= kSmall) --shift;
  Level coarse = solve(image, alpha, mean, shift, regularization);
  const int64_t band = std::max(row_grain(image.width) >> shift, int64_t{1}) << shift;
  const int64_t across = (image.width - 1) / kTile + 1;
  Spans spans(static_cast<size_t>(across * image.height));
  parallel_for(image.height, band, [&](int64_t begin, int64_t end) {
    fill_rows(image, alpha, coarse, shift, begin, end, spans.data(), foreground);
  });
  if (shift == 0) return;
  parallel_for(((image.height - 1) / kTile + 1) * across, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t y0 = i / across * kTile, x0 = i % across * kTile;
      solve_tile(image, alpha, coarse, shift,
                 {y0, std::min(y0 + kTile, image.height), x0, std::min(x0 + kTile, image.width)},
                 spans.data() + i % across * image.height + y0, regularization, foreground);
    }
  });
}

}  // namespace

template <class T, class A>
void estimate_foreground(ImageView<const T> image, ImageView<const A> alpha, ImageView<T> foreground,
                         float regularization) {
  estimate(image, alpha, regularization, foreground);
}
void estimate_foreground(ImageView<const float> image, ImageView<const float> alpha, ImageView<uint16_t> foreground,
                         float regularization) {
  estimate(image, alpha, regularization, foreground);
}

template void estimate_foreground(ImageView<const uint8_t>, ImageView<const uint8_t>, ImageView<uint8_t>, float);
template void estimate_foreground(ImageView<const uint8_t>, ImageView<const float>, ImageView<uint8_t>, float);
template void estimate_foreground(ImageView<const float>, ImageView<const uint8_t>, ImageView<float>, float);
template void estimate_foreground(ImageView<const float>, ImageView<const float>, ImageView<float>, float);

}  // namespace alphacut
