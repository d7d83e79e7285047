#include "guided_filter.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "alphacut/color.hpp"
#include "alphacut/matting.hpp"

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

// What all tiles share. uint8 guides go from 0 to 255 here, and eps with them, so that their sums are whole numbers.
template <class Guide, class Source>
struct Job {
  static constexpr bool whole = std::is_same_v<Guide, uint8_t>;

  ImageView<const Guide> guide;
  ImageView<const Source> source;
  int64_t radius;
  double eps;
  std::vector<double> inverse_width, inverse_height;

  Job(ImageView<const Guide> g, ImageView<const Source> s, int64_t r, double e)
      : guide(g),
        source(s),
        radius(r),
        eps(whole ? e * 255 * 255 : e),
        inverse_width(inverse_lengths(g.width, r)),
        inverse_height(inverse_lengths(g.height, r)) {}
  int channels() const { return static_cast<int>(guide.channels); }
  // Whether float holds sums of I² down a window exactly.
  bool exact() const { return whole && (2 * radius + 1) * 255 * 255 <= 1 << 24; }
};

// Filters the rectangle [y0, y1) × [x0, x1) in one pass over its rows and the 2·radius around it, so that all but the
// pictures stays in the cache. Values are kept less a centre, the mean of some of the tile's, so that float holds them.
template <class Guide, class Source>
class Tile {
 public:
  Tile(const Job<Guide, Source>& job, int64_t y0, int64_t y1, int64_t x0, int64_t x1)
      : job_(job),
        y0_(y0),
        y1_(y1),
        x0_(x0),
        x1_(x1),
        planes_(job.channels() + 1),
        length_(2 * job.radius + 2),
        pitch_((x1 - x0 + 4 * job.radius + 15) / 16 * 16) {
    const int64_t moments = job.channels() == 3 ? 9 : 2, ring = length_ * planes_;
    const int64_t doubles = 2 * planes_ + (job.exact() ? 0 : moments), floats = 2 * ring + moments + 15 + planes_;
    memory_ = Image<double>(2 * doubles + floats, pitch_ / 2);
    std::fill_n(memory_.data(), memory_.pixels(), 0.0);
    sums_ = memory_.data();
    fit_sums_ = sums_ + planes_ * pitch_;
    moments_ = fit_sums_ + planes_ * pitch_;
    rows_ = reinterpret_cast<float*>(sums_ + doubles * pitch_);
    fits_ = rows_ + ring * pitch_;
    mean_ = fits_ + ring * pitch_;
    exact_ = mean_ + planes_ * pitch_;
    scratch_ = exact_ + moments * pitch_;
    for (int64_t c = 0; c < job.channels(); ++c) {
      guide_centre[c] = mean_of(job.guide, c, 1);
      if (job.whole) guide_centre[c] = std::floor(guide_centre[c] + 0.5f);
    }
    source_centre = mean_of(job.source, 0, std::is_same_v<Source, uint8_t> ? 255 : 1);
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
      kernel_.mean_fit(fit_sums_, count(x1_ - x0_), count(r), static_cast<int>(planes_), count(pitch_),
                       &job_.inverse_width[count(x0_)], job_.inverse_height[count(done)], scratch_, mean_);
      finish(done, mean_, row(done) + 2 * r);
    }
  }

  int64_t pitch() const { return pitch_; }

  float guide_centre[3] = {}, source_centre = 0;

 private:
  // Of 16 × 16 pixels of the tile, exact where all are the same.
  template <class T>
  float mean_of(ImageView<const T> image, int64_t channel, float scale) const {
    double sum = 0;
    for (int64_t i = 0; i < 256; ++i) {
      const int64_t y = y0_ + (y1_ - y0_) * (2 * (i / 16) + 1) / 32, x = x0_ + (x1_ - x0_) * (2 * (i % 16) + 1) / 32;
      sum += static_cast<double>(static_cast<float>(image.row(y)[x * image.channels + channel]) / scale);
    }
    return static_cast<float>(sum / 256);
  }

  // The latest rows are kept, and so are their fits.
  float* row(int64_t y) { return rows_ + y % length_ * planes_ * pitch_; }
  float* fit(int64_t y) { return fits_ + y % length_ * planes_ * pitch_; }

  void enter_row(int64_t y) {
    if (y < job_.guide.height)
      load_row(y);
    else
      std::fill_n(row(y), planes_ * pitch_, 0.0f);
    kernel_.slide(row(y), row(y + 1), count(x1_ - x0_ + 4 * job_.radius), job_.channels(), count(pitch_), sums_,
                  job_.exact() ? exact_ : nullptr, moments_);
  }

  void load_row(int64_t y) {
    const int64_t margin = 2 * job_.radius;
    const int64_t from = std::max<int64_t>(x0_ - margin, 0), to = std::min(x1_ + margin, job_.guide.width);
    float *guide = row(y) + from - (x0_ - margin), *source = guide + (planes_ - 1) * pitch_;
    const Guide* pixels = job_.guide.row(y) + from * job_.guide.channels;
    if constexpr (job_.whole)
      kernel_.split_u8(pixels, count(to - from), job_.channels(), guide_centre, guide, count(pitch_));
    else
      kernel_.split_f32(pixels, count(to - from), job_.channels(), guide_centre, guide, count(pitch_));
    if constexpr (std::is_same_v<Source, uint8_t>)
      kernel_.unit_u8(job_.source.row(y) + from, count(to - from), source_centre, source);
    else
      kernel_.split_f32(job_.source.row(y) + from, count(to - from), 1, &source_centre, source, count(pitch_));
  }

  void enter_fit(int64_t y) {
    const int64_t r = job_.radius, from = std::max<int64_t>(x0_ - r, 0), to = std::min(x1_ + r, job_.guide.width);
    const int64_t at = from - (x0_ - r);
    if (y < job_.guide.height)
      kernel_.fit(sums_ + at, job_.exact() ? exact_ + at : nullptr, moments_ + at, count(to - from), count(r),
                  job_.channels(), count(pitch_), &job_.inverse_width[count(from)], job_.inverse_height[count(y)],
                  job_.eps, scratch_, fit(y) + at);
    else
      std::fill_n(fit(y), planes_ * pitch_, 0.0f);
    kernel_.slide_fit(fit(y), fit(y + 1), count(x1_ - x0_ + 2 * r), static_cast<int>(planes_), count(pitch_),
                      fit_sums_);
  }

  const GuidedKernels& kernel_ = kernels().guided;
  const Job<Guide, Source>& job_;
  int64_t y0_, y1_, x0_, x1_, planes_, length_, pitch_;
  Image<double> memory_;  // in one piece, or the system would take it back and clear it for each tile
  double *sums_, *fit_sums_, *moments_;
  float *rows_, *fits_, *mean_, *exact_, *scratch_;
};

// Windows that reach farther than this go through the picture plane by plane: tiles would be mostly margin.
constexpr int64_t kLargestMargin = 256;

// The longest equal parts of `size` up to a length that suits the cache and is not mostly margin.
int64_t part_length(int64_t size, int64_t radius, int64_t suitable) {
  const int64_t parts = (size - 1) / std::max(suitable, 8 * radius) + 1;
  return (size - 1) / parts + 1;
}

// Calls finish(tile, y, x0, x1, mean, guide) for every row of every tile.
template <class Guide, class Source, class Finish>
void filter_tiles(const Job<Guide, Source>& job, Finish finish) {
  const int64_t height = job.guide.height, width = job.guide.width;
  const int64_t rows = part_length(height, job.radius, 512), columns = part_length(width, job.radius, 512);
  const int64_t across = (width - 1) / columns + 1;
  parallel_for(((height - 1) / rows + 1) * across, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t y0 = i / across * rows, x0 = i % across * columns, x1 = std::min(x0 + columns, width);
      Tile<Guide, Source> tile(job, y0, std::min(y0 + rows, height), x0, x1);
      tile.run([&](int64_t y, const float* mean, const float* guide) { finish(tile, y, x0, x1, mean, guide); });
    }
  });
}

// The mean fits of all windows, planar: row planes·y + k holds plane k of row y, with the first and last fit once more
// at either end. They are for guides less kGuideCentre.
Image<float> mean_fits(const Job<float, float>& job) {
  const int64_t planes = job.guide.channels + 1, width = job.guide.width;
  Image<float> fits(job.guide.height * planes, width + 2);
  filter_tiles(job, [&](const auto& tile, int64_t y, int64_t x0, int64_t x1, const float* mean, const float*) {
    float* offset = fits.row(planes * y + planes - 1) + 1;
    for (int64_t x = x0; x < x1; ++x) offset[x] = mean[(planes - 1) * tile.pitch() + x - x0] + tile.source_centre;
    for (int64_t c = 0; c + 1 < planes; ++c) {
      float* slope = fits.row(planes * y + c) + 1;
      for (int64_t x = x0; x < x1; ++x) {
        slope[x] = mean[c * tile.pitch() + x - x0];
        offset[x] -= slope[x] * tile.guide_centre[c];
      }
    }
  });
  for (int64_t i = 0; i < fits.height(); ++i) {
    fits.row(i)[0] = fits.row(i)[1];
    fits.row(i)[width + 1] = fits.row(i)[width];
  }
  return fits;
}

void blend(const float* above, const float* below, float share, ImageView<const uint8_t> guide, int64_t y, size_t pitch,
           float* result) {
  kernels().guided.blend_u8(above, below, share, guide.row(y), count(guide.width), static_cast<int>(guide.channels),
                            pitch, result);
}

void blend(const float* above, const float* below, float share, ImageView<const float> guide, int64_t y, size_t pitch,
           float* result) {
  kernels().guided.blend_f32(above, below, share, guide.row(y), count(guide.width), static_cast<int>(guide.channels),
                             pitch, result);
}

// a·I + b with the fits of a picture `factor` times smaller. Rows of fits are made wide once and blended for each row.
template <class Guide>
void apply_small_fits(ImageView<const Guide> guide, ImageView<const float> fits, int64_t factor,
                      ImageView<float> result) {
  const int64_t planes = guide.channels + 1, cells = fits.width - 2, rows = fits.height / planes;
  const int64_t pitch = cells * factor;
  parallel_for(guide.height, row_grain(guide.width, 1 << 18), [&](int64_t begin, int64_t end) {
    Image<float> wide(2 * planes, pitch);
    int64_t held[2] = {-1, -1};
    const auto enlarged = [&](int64_t row) {
      float* to = wide.row(row % 2 * planes);
      if (held[row % 2] != row)
        for (int64_t k = 0; k < planes; ++k)
          kernels().guided.enlarge(fits.row(row * planes + k) + 1, count(cells), count(factor), to + k * pitch);
      held[row % 2] = row;
      return to;
    };
    for (int64_t y = begin; y < end; ++y) {
      const Between between = between_cells(y, factor, rows);
      const float *above = enlarged(between.first), *below = enlarged(between.second);
      blend(above, below, between.share, guide, y, count(pitch), result.row(y));
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

  const int64_t longest = std::max(guide.height, guide.width);
  radius = std::min(radius / subsample, longest);
  subsample = std::min(subsample, longest);  // one cell already; keeps products small
  const auto& kernel = kernels().guided;
  if (subsample == 1 && radius <= kLargestMargin) {
    filter_tiles(Job<Guide, Source>(guide, source, radius, eps),
                 [&](const auto& tile, int64_t y, int64_t x0, int64_t x1, const float* mean, const float* centred) {
                   kernel.apply_fit(mean, centred, count(x1 - x0), static_cast<int>(guide.channels),
                                    count(tile.pitch()), tile.source_centre, result.row(y) + x0);
                 });
    return;
  }
  const Image<float> small = shrink(guide, subsample, kGuideCentre);
  const Image<float> small_source = shrink(source, subsample, 0);
  if (radius <= kLargestMargin) {
    apply_small_fits<Guide>(guide, mean_fits(Job<float, float>(small, small_source, radius, eps)), subsample, result);
    return;
  }
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
