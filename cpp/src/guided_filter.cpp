#include "guided_filter.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "alphacut/color.hpp"
#include "alphacut/matting.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

size_t count(int64_t n) { return static_cast<size_t>(n); }

// One over how much of each window lies in a row or column of `size` pixels.
std::vector<double> inverse_lengths(int64_t size, int64_t radius) {
  std::vector<double> inverse(count(size));
  for (int64_t x = 0; x < size; ++x)
    inverse[count(x)] = 1 / static_cast<double>(std::min(x + radius, size - 1) - std::max<int64_t>(x - radius, 0) + 1);
  return inverse;
}

// The kernels of a depth.
auto split(uint8_t) { return kernels().guided.split_u8; }
auto split(float) { return kernels().guided.split_f32; }
auto shrinking(uint8_t) { return kernels().guided.shrink_u8; }
auto shrinking(float) { return kernels().guided.shrink_f32; }
auto blend(uint8_t) { return kernels().guided.blend_u8; }
auto blend(float) { return kernels().guided.blend_f32; }

// What tiles filter: the pictures themselves. uint8 guides go from 0 to 255 here, and eps with them, so that their sums
// are whole numbers.
template <class Guide, class Source>
struct FullSize {
  static constexpr bool whole = std::is_same_v<Guide, uint8_t>;
  ImageView<const Guide> guide;
  ImageView<const Source> source;

  int64_t height() const { return guide.height; }
  int64_t width() const { return guide.width; }
  int64_t scratch(int64_t) const { return 0; }
  float guide_at(int64_t y, int64_t x, int64_t c) const {
    return static_cast<float>(guide.row(y)[x * guide.channels + c]);
  }
  float source_at(int64_t y, int64_t x) const { return to_float(source.row(y)[x]); }

  // Planes of n pixels of a row, less their centres.
  void load(int64_t y, int64_t x, int64_t n, const float* centre, float*, float* planes, int64_t pitch) const {
    const int channels = static_cast<int>(guide.channels);
    float* last = planes + channels * pitch;
    split(Guide{})(guide.row(y) + x * channels, count(n), channels, centre, planes, count(pitch));
    if constexpr (std::is_same_v<Source, uint8_t>)
      kernels().guided.unit_u8(source.row(y) + x, count(n), centre[channels], last);
    else
      kernels().guided.split_f32(source.row(y) + x, count(n), 1, centre + channels, last, count(pitch));
  }
};

// ... or the means of cells of factor² pixels.
template <class Guide, class Source>
struct Shrunk {
  static constexpr bool whole = false;
  ImageView<const Guide> guide;
  ImageView<const Source> source;
  int64_t factor;

  int64_t height() const { return (guide.height - 1) / factor + 1; }
  int64_t width() const { return (guide.width - 1) / factor + 1; }
  int64_t scratch(int64_t pitch) const { return pitch * factor * guide.channels; }
  float guide_at(int64_t y, int64_t x, int64_t c) const {
    return to_float(guide.row(y * factor)[x * factor * guide.channels + c]);
  }
  float source_at(int64_t y, int64_t x) const { return to_float(source.row(y * factor)[x * factor]); }

  void load(int64_t y, int64_t x, int64_t n, const float* centre, float* sums, float* planes, int64_t pitch) const {
    shrink_row(guide, y, x, n, centre, sums, planes, pitch);
    shrink_row(source, y, x, n, centre + guide.channels, sums, planes + guide.channels * pitch, pitch);
  }

  template <class T>
  void shrink_row(ImageView<const T> image, int64_t y, int64_t x, int64_t n, const float* centre, float* sums,
                  float* planes, int64_t pitch) const {
    const T* row = image.row(y * factor) + x * factor * image.channels;
    const size_t rows = count(std::min(factor, image.height - y * factor));
    const int64_t whole_cells = std::min(n, image.width / factor - x), left = image.width % factor;
    const int channels = static_cast<int>(image.channels);
    shrinking(T{})(row, image.stride, rows, count(whole_cells), channels, count(factor), centre, sums, planes,
                   count(pitch));
    if (whole_cells < n)
      shrinking(T{})(row + whole_cells * factor * image.channels, image.stride, rows, 1, channels, count(left), centre,
                     sums, planes + whole_cells, count(pitch));
  }
};

template <class Pixels>
struct Job {
  Pixels pixels;
  int64_t radius;
  double eps;
  std::vector<double> inverse_width, inverse_height;

  Job(Pixels p, int64_t r, double e)
      : pixels(p),
        radius(r),
        eps(Pixels::whole ? e * 255 * 255 : e),
        inverse_width(inverse_lengths(p.width(), r)),
        inverse_height(inverse_lengths(p.height(), r)) {}
  int channels() const { return static_cast<int>(pixels.guide.channels); }
  // Whether float holds sums of I² down a window exactly.
  bool exact() const { return Pixels::whole && (2 * radius + 1) * 255 * 255 <= 1 << 24; }
};

// Filters the rectangle [y0, y1) × [x0, x1) in one pass over its rows and the 2·radius around it, so that all but the
// pictures stays in the cache. Values are kept less a centre, the mean of some of the tile's, so that float holds them.
template <class Pixels>
class Tile {
 public:
  Tile(const Job<Pixels>& job, int64_t y0, int64_t y1, int64_t x0, int64_t x1)
      : job_(job),
        y0_(y0),
        y1_(y1),
        x0_(x0),
        x1_(x1),
        planes_(job.channels() + 1),
        length_(2 * job.radius + 2),
        pitch_((x1 - x0 + 4 * job.radius + 15) / 16 * 16) {
    const int64_t moments = job.channels() == 3 ? 9 : 2, ring = length_ * planes_, columns = planes_ + moments;
    const int64_t doubles = 2 * planes_ + (job.exact() ? 0 : moments), floats = 2 * (ring + planes_ + columns) + 1;
    memory_ = Image<double>(1, (2 * doubles + floats) * pitch_ / 2 + job.pixels.scratch(pitch_) / 2);
    std::fill_n(memory_.data(), (2 * doubles + floats) * pitch_ / 2, 0.0);
    fit_sums_ = memory_.data();
    sums_ = fit_sums_ + planes_ * pitch_;
    rows_ = reinterpret_cast<float*>(fit_sums_ + doubles * pitch_);
    fits_ = rows_ + ring * pitch_;
    mean_ = fits_ + ring * pitch_;
    fit_columns_ = mean_ + planes_ * pitch_;
    columns_ = fit_columns_ + planes_ * pitch_;
    scratch_ = columns_ + columns * pitch_;
    find_centre();
  }

  // Calls finish(y, mean, guide) for every row, with the mean fit and the guide from column x0 on.
  template <class Finish>
  void run(Finish finish) {
    const int64_t r = job_.radius;
    for (int64_t y = std::max<int64_t>(y0_ - 2 * r, 0); y < y1_ + 2 * r; ++y) {
      enter_row(y);
      if (y - r >= std::max<int64_t>(y0_ - r, 0)) enter_fit(y - r);
      const int64_t done = y - 2 * r;
      if (done < y0_) continue;
      kernel_.mean_fit(fit_columns_, count(x1_ - x0_), count(r), static_cast<int>(planes_), count(pitch_),
                       &job_.inverse_width[count(x0_)], job_.inverse_height[count(done)], scratch_, mean_);
      finish(done, mean_, row(done) + 2 * r);
    }
  }

  int64_t pitch() const { return pitch_; }
  const float* centre() const { return centre_; }  // of the guide's channels, then of the source

 private:
  // The mean of 16 × 16 pixels, exact where all are the same.
  void find_centre() {
    double sums[4] = {};
    for (int64_t i = 0; i < 256; ++i) {
      const int64_t y = y0_ + (y1_ - y0_) * (2 * (i / 16) + 1) / 32, x = x0_ + (x1_ - x0_) * (2 * (i % 16) + 1) / 32;
      for (int64_t c = 0; c + 1 < planes_; ++c) sums[c] += static_cast<double>(job_.pixels.guide_at(y, x, c));
      sums[planes_ - 1] += static_cast<double>(job_.pixels.source_at(y, x));
    }
    for (int64_t c = 0; c < planes_; ++c) {
      const bool whole = Pixels::whole && c + 1 < planes_;
      centre_[c] = static_cast<float>(whole ? std::floor(sums[c] / 256 + 0.5) : sums[c] / 256);
    }
  }

  // The latest rows are kept, and so are their fits.
  float* row(int64_t y) { return rows_ + y % length_ * planes_ * pitch_; }
  float* fit(int64_t y) { return fits_ + y % length_ * planes_ * pitch_; }

  // Columns outside the picture stay 0.
  void enter_row(int64_t y) {
    const int64_t margin = 2 * job_.radius;
    const int64_t from = std::max<int64_t>(x0_ - margin, 0), n = std::min(x1_ + margin, job_.pixels.width()) - from;
    const int64_t at = from - (x0_ - margin);
    if (y < job_.pixels.height())
      job_.pixels.load(y, from, n, centre_, scratch_, row(y) + at, pitch_);
    else
      std::fill_n(row(y), planes_ * pitch_, 0.0f);
    kernel_.slide(row(y) + at, row(y + 1) + at, count(n), job_.channels(), job_.exact(), count(pitch_), sums_ + at,
                  columns_ + at);
  }

  void enter_fit(int64_t y) {
    const int64_t r = job_.radius;
    const int64_t from = std::max<int64_t>(x0_ - r, 0), n = std::min(x1_ + r, job_.pixels.width()) - from;
    const int64_t at = from - (x0_ - r);
    if (y < job_.pixels.height())
      kernel_.fit(columns_ + at, count(n), count(r), job_.channels(), count(pitch_), &job_.inverse_width[count(from)],
                  job_.inverse_height[count(y)], job_.eps, scratch_, fit(y) + at);
    else
      std::fill_n(fit(y), planes_ * pitch_, 0.0f);
    kernel_.slide_fit(fit(y) + at, fit(y + 1) + at, count(n), static_cast<int>(planes_), count(pitch_), fit_sums_ + at,
                      fit_columns_ + at);
  }

  const GuidedKernels& kernel_ = kernels().guided;
  const Job<Pixels>& job_;
  int64_t y0_, y1_, x0_, x1_, planes_, length_, pitch_;
  float centre_[4] = {};
  Image<double> memory_;  // in one piece, or the system would take it back and clear it for each tile
  double *fit_sums_, *sums_;
  float *rows_, *fits_, *mean_, *fit_columns_, *columns_, *scratch_;
};

// Windows that reach farther than this go through the picture plane by plane: tiles would be mostly margin.
constexpr int64_t kLargestMargin = 256;

// Equal parts of `size`, as long as suits the cache but not mostly margin.
int64_t part_length(int64_t size, int64_t radius, int64_t suitable) {
  const int64_t parts = (size - 1) / std::max(suitable, 8 * radius) + 1;
  return (size - 1) / parts + 1;
}

// Calls body(y0, y1, x0, x1) for the rectangles of a picture's tiles, about `rows` by `columns` each.
template <class Body>
void for_tiles(int64_t height, int64_t width, int64_t radius, int64_t rows, int64_t columns, Body body) {
  rows = part_length(height, radius, rows);
  columns = part_length(width, radius, columns);
  const int64_t across = (width - 1) / columns + 1;
  parallel_for(((height - 1) / rows + 1) * across, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t y = i / across * rows, x = i % across * columns;
      body(y, std::min(y + rows, height), x, std::min(x + columns, width));
    }
  });
}

template <class Guide, class Source>
void filter_full(const Job<FullSize<Guide, Source>>& job, ImageView<float> result) {
  // Rows of a gray tile fit the first-level cache; those of colours do not at any useful width.
  const int64_t rows = std::clamp<int64_t>((result.height + 1) / 2, 128, 512),
                columns = job.channels() == 3 ? 1024 : 512;
  for_tiles(result.height, result.width, job.radius, rows, columns,
            [&](int64_t y0, int64_t y1, int64_t x0, int64_t x1) {
              Tile tile(job, y0, y1, x0, x1);
              tile.run([&](int64_t y, const float* mean, const float* guide) {
                kernels().guided.apply_fit(mean, guide, count(x1 - x0), job.channels(), count(tile.pitch()),
                                           tile.centre()[job.channels()], result.row(y) + x0);
              });
            });
}

// Two neighbouring rows of mean fits, at the picture's width.
class WideRows {
 public:
  WideRows(int64_t cells, int64_t planes, int64_t factor)
      : cells_(cells), planes_(planes), factor_(factor), narrow_(1, cells + 2), wide_(2 * planes, cells * factor) {}
  int64_t pitch() const { return cells_ * factor_; }
  const float* row(int64_t y) { return wide_.row(y % 2 * planes_); }
  void enter(int64_t y, const float* mean, int64_t mean_pitch) {
    for (int64_t k = 0; k < planes_; ++k) {
      float* cells = narrow_.data() + 1;
      std::copy_n(mean + k * mean_pitch, cells_, cells);
      cells[-1] = cells[0];
      cells[cells_] = cells[cells_ - 1];
      kernels().guided.enlarge(cells, count(cells_), count(factor_), wide_.row(y % 2 * planes_ + k));
    }
  }

 private:
  int64_t cells_, planes_, factor_;
  Image<float> narrow_, wide_;
};

// Tiles have a cell more on each side, for the fits between cells.
template <class Guide, class Source>
void filter_shrunk(const Job<Shrunk<Guide, Source>>& job, ImageView<float> result) {
  const int64_t factor = job.pixels.factor, height = job.pixels.height(), width = job.pixels.width();
  const ImageView<const Guide> guide = job.pixels.guide;
  for_tiles(height, width, job.radius, 256, 256, [&](int64_t y0, int64_t y1, int64_t x0, int64_t x1) {
    const int64_t left = std::max<int64_t>(x0 - 1, 0), right = std::min(x1 + 1, width);
    Tile tile(job, std::max<int64_t>(y0 - 1, 0), std::min(y1 + 1, height), left, right);
    WideRows rows(right - left, guide.channels + 1, factor);
    const int64_t from = x0 * factor, n = std::min(x1 * factor, guide.width) - from;
    int64_t y = y0 * factor;
    const int64_t end = std::min(y1 * factor, guide.height);
    tile.run([&](int64_t cell, const float* mean, const float*) {
      rows.enter(cell, mean, tile.pitch());
      for (; y < end && between_cells(y, factor, height).second == cell; ++y) {
        const Between between = between_cells(y, factor, height);
        const int64_t at = from - left * factor;
        blend(Guide{})(rows.row(between.first) + at, rows.row(between.second) + at, between.share,
                       guide.row(y) + from * guide.channels, count(n), job.channels(), tile.centre(),
                       count(rows.pitch()), result.row(y) + from);
      }
    });
  });
}

template <class T>
void load_guide(ImageView<const T> image, int64_t y, float* guide) {
  const T* row = image.row(y);
  for (int64_t i = 0; i < image.width * image.channels; ++i) guide[i] = to_float(row[i]) - kGuideCentre;
}

// The row y of `small`, each cell `factor` pixels long, at the size of a picture `width` wide.
void enlarge_row(ImageView<const float> small, int64_t y, int64_t factor, int64_t width, float* out) {
  const Between rows = between_cells(y, factor, small.height);
  const float *above = small.row(rows.first), *below = small.row(rows.second);
  for (int64_t x = 0; x < width; ++x, out += small.channels)
    between_fits(above, below, between_cells(x, factor, small.width), rows.share, small.channels, out);
}

// Calls emit(y, a·I + b, coefficients) for every row of `guide`, with the coefficients `mean` of a picture shrunk by
// `factor`.
template <class T, class Emit>
void apply_fit(ImageView<const T> guide, ImageView<const float> mean, int64_t factor, Emit emit) {
  const auto apply = kernels().matting.guided_apply;
  const auto n = static_cast<size_t>(guide.width);
  const auto channels = static_cast<size_t>(guide.channels);
  parallel_for(guide.height, row_grain(guide.width), [&](int64_t begin, int64_t end) {
    std::vector<float> guide_row(n * channels), enlarged(factor == 1 ? 0 : n * (channels + 2)), values(n);
    for (int64_t y = begin; y < end; ++y) {
      load_guide(guide, y, guide_row.data());
      if (factor != 1) enlarge_row(mean, y, factor, guide.width, enlarged.data());
      const float* coefficients = factor == 1 ? mean.row(y) : enlarged.data();
      apply(guide_row.data(), coefficients, n, static_cast<int>(channels), values.data());
      emit(y, values.data(), coefficients);
    }
  });
}

}  // namespace

template <class Guide, class Source>
void guided_filter(ImageView<const Guide> guide, ImageView<const Source> source, int64_t radius, double eps,
                   int64_t subsample, ImageView<float> result) {
  if ((guide.channels != 1 && guide.channels != 3) || source.channels != 1 || result.channels != 1)
    throw std::invalid_argument("guided_filter: guide must have 1 or 3 channels, src and the result 1");
  const auto differs = [&](int64_t height, int64_t width) { return height != guide.height || width != guide.width; };
  if (differs(source.height, source.width) || differs(result.height, result.width))
    throw std::invalid_argument("src must have the size of guide, " + std::to_string(guide.height) + " by " +
                                std::to_string(guide.width) + ", got " + std::to_string(source.height) + " by " +
                                std::to_string(source.width));
  if (radius < 1) throw std::invalid_argument("radius must be at least 1, got " + std::to_string(radius));
  if (!(eps > 0) || !std::isfinite(eps))
    throw std::invalid_argument("eps must be a finite number above 0, got " + std::to_string(eps));
  if (subsample < 1 || subsample > radius)
    throw std::invalid_argument("subsample must be from 1 to radius, got " + std::to_string(subsample));
  if constexpr (std::is_same_v<Guide, float>) require_range(guide, 0, 1, "guide");
  if constexpr (std::is_same_v<Source, float>) require_range(source, -1e6f, 1e6f, "src");
  if (guide.empty()) return;

  eps = std::clamp(eps, 1e-12, 1e30);  // beyond, double tells no more, and products of pivots leave its range
  const int64_t longest = std::max(guide.height, guide.width);
  radius = std::min(radius / subsample, longest);
  subsample = std::min(subsample, longest);  // one cell already; keeps products small
  if (radius <= kLargestMargin) {
    if (subsample == 1)
      filter_full(Job(FullSize<Guide, Source>{guide, source}, radius, eps), result);
    else
      filter_shrunk(Job(Shrunk<Guide, Source>{guide, source, subsample}, radius, eps), result);
    return;
  }
  const Image<float> small = shrink(guide, subsample, kGuideCentre);
  const Image<float> small_source = shrink(source, subsample, 0);
  const Image<float> mean = mean_fit(local_fit(small, small_source, {}, radius, eps), radius);
  apply_fit(guide, mean, subsample,
            [&](int64_t y, const float* values, const float*) { std::copy_n(values, guide.width, result.row(y)); });
}

#define ALPHACUT_INSTANTIATE(Guide, Source)                                                              \
  template void guided_filter(ImageView<const Guide>, ImageView<const Source>, int64_t, double, int64_t, \
                              ImageView<float>);
ALPHACUT_INSTANTIATE(uint8_t, uint8_t)
ALPHACUT_INSTANTIATE(uint8_t, float)
ALPHACUT_INSTANTIATE(float, uint8_t)
ALPHACUT_INSTANTIATE(float, float)
#undef ALPHACUT_INSTANTIATE

}  // namespace alphacut
