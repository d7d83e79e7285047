#include "alphacut/matting.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <utility>

#include "alphacut/color.hpp"
#include "alphacut/parallel.hpp"
#include "color_sampling.hpp"
#include "guided_filter.hpp"
#include "matting_laplacian.hpp"
#include "planes.hpp"
#include "trimap.hpp"

namespace alphacut {
namespace {

constexpr float kHeld = 0.506f;  // the least alpha of what the mask holds of thin parts: more than half

bool is_unknown(uint8_t label) { return label != 0 && label != 255; }

// What a trimap holds, and the rectangle [y0, y1) × [x0, x1) of its unknown pixels.
struct UnknownPart {
  bool foreground = false, background = false;
  int64_t y0 = 0, y1 = 0, x0 = 0, x1 = 0;
  bool unknown() const { return y1 > y0; }
};

UnknownPart unknown_part_of(ImageView<const uint8_t> trimap) {
  std::mutex mutex;
  UnknownPart all{false, false, trimap.height, 0, trimap.width, 0};
  parallel_for(trimap.height, row_grain(trimap.width), [&](int64_t begin, int64_t end) {
    UnknownPart e = {false, false, trimap.height, 0, trimap.width, 0};
    for (int64_t y = begin; y < end; ++y) {
      const uint8_t *row = trimap.row(y), *stop = row + trimap.width;
      uint8_t foreground = 0, background = 0, unknown = 0;
      for (const uint8_t* label = row; label < stop; ++label) {
        foreground |= *label == 255;
        background |= *label == 0;
        unknown |= is_unknown(*label);
      }
      e.foreground |= foreground != 0;
      e.background |= background != 0;
      if (unknown == 0) continue;
      const uint8_t* last = stop;
      while (!is_unknown(last[-1])) --last;
      e.y0 = std::min(e.y0, y);
      e.y1 = y + 1;
      e.x0 = std::min<int64_t>(e.x0, std::find_if(row, stop, is_unknown) - row);
      e.x1 = std::max<int64_t>(e.x1, last - row);
    }
    std::lock_guard lock(mutex);
    all = {all.foreground || e.foreground, all.background || e.background, std::min(all.y0, e.y0),
           std::max(all.y1, e.y1),         std::min(all.x0, e.x0),         std::max(all.x1, e.x1)};
  });
  return all;
}

template <class T>
ImageView<T> crop(ImageView<T> image, const UnknownPart& e) {
  return {image.row(e.y0) + e.x0 * image.channels, e.y1 - e.y0, e.x1 - e.x0, image.channels, image.stride};
}

// Weighted means of alpha over cells of factor² pixels, and the means of the weights.
struct Cells {
  Image<float> alpha, weight;
};

Cells weighted_means(ImageView<const float> alpha, ImageView<const float> weight, int64_t factor) {
  const int64_t width = (alpha.width - 1) / factor + 1;
  Cells cells{Image<float>((alpha.height - 1) / factor + 1, width), {}};
  cells.weight = Image<float>::like(cells.alpha.view());
  const auto n = static_cast<size_t>(alpha.width);
  parallel_for(cells.alpha.height(), row_grain(alpha.width * factor), [&](int64_t begin, int64_t end) {
    std::vector<float> sum(n), product(n);
    for (int64_t y = begin; y < end; ++y) {
      const int64_t y0 = y * factor, y1 = std::min(alpha.height, y0 + factor);
      std::fill(sum.begin(), sum.end(), 0.0f);
      std::fill(product.begin(), product.end(), 0.0f);
      for (int64_t v = y0; v < y1; ++v) {
        const float *w = weight.row(v), *a = alpha.row(v);
        for (size_t x = 0; x < n; ++x) sum[x] += w[x], product[x] += w[x] * a[x];
      }
      sum_across(sum.data(), alpha.width, factor, 1, cells.weight.row(y));
      sum_across(product.data(), alpha.width, factor, 1, cells.alpha.row(y));
      for (int64_t x = 0; x < width; ++x) {
        float &w = cells.weight.row(y)[x], &a = cells.alpha.row(y)[x];
        if (w > 0) a /= w;
        w /= static_cast<float>((y1 - y0) * std::min(factor, alpha.width - x * factor));
      }
    }
  });
  return cells;
}

// a·I + b where `labels` is unknown, with the coefficients `mean` of cells of `factor` pixels, bilinear between these;
// no change where they tell nothing. Returns whether they did so anywhere.
template <class T>
bool apply_where_unknown(ImageView<const T> image, ImageView<const uint8_t> labels, ImageView<const float> mean,
                         int64_t factor, ImageView<uint8_t> found, ImageView<float> alpha) {
  std::vector<Between> columns;
  for (int64_t x = 0; x < image.width; ++x) columns.push_back(between_cells(x, factor, mean.width));
  std::atomic<bool> missing = false;
  parallel_for(image.height, row_grain(image.width, 1 << 14), [&](int64_t begin, int64_t end) {
    const int64_t channels = image.channels, terms = channels + 2;
    for (int64_t y = begin; y < end; ++y) {
      const Between rows = between_cells(y, factor, mean.height);
      const float *above = mean.row(rows.first), *below = mean.row(rows.second);
      for (int64_t x = 0; x < image.width; ++x) {
        if (!is_unknown(labels.row(y)[x]) || found.row(y)[x] != 0) continue;
        const Between& across = columns[static_cast<size_t>(x)];
        float fit[5] = {};
        between_fits(above, below, across, rows.share, terms, fit);
        if (fit[terms - 1] < 1) {
          missing = true;
          continue;
        }
        float value = fit[channels];
        for (int64_t c = 0; c < channels; ++c)
          value += fit[c] * (to_float(image.row(y)[x * channels + c]) - kGuideCentre);
        alpha.row(y)[x] = std::clamp(value, 0.0f, 1.0f);
        found.row(y)[x] = 1;
      }
    }
  });
  return missing;
}

// A guided filter in which each pixel counts by its weight, on the picture shrunk by `factor`; changes the unknown
// pixels of `alpha`. Where no window holds a weighted pixel, windows 4 times as large are tried, and so on.
template <class T>
void filter_unknown(ImageView<const T> image, ImageView<const uint8_t> labels, ImageView<const float> weight,
                    int64_t factor, int64_t radius, double eps, ImageView<float> alpha) {
  const Image<float> guide = shrink(image, factor, kGuideCentre);
  const Cells cells = weighted_means(alpha, weight, factor);
  Image<uint8_t> found = Image<uint8_t>::like(alpha);
  std::fill_n(found.data(), found.pixels(), uint8_t{0});
  const int64_t largest = std::max(guide.height(), guide.width());
  for (bool missing = true; missing; radius *= 4) {
    radius = std::min(radius, largest);
    const Image<float> mean = mean_fit(local_fit(guide, cells.alpha, cells.weight, radius, eps), radius);
    missing = apply_where_unknown(image, labels, mean, factor, found, alpha);
  }
}

bool is_thin(uint8_t label) { return label == kThinMiddle || label == kThinEdge; }

// A first alpha, and how far it can be trusted: `labels` are extended on the way. Constants: see refine_alpha in the
// Python package for where they come from.
template <class T>
SampledAlpha first_alpha(ImageView<const T> image, ImageView<uint8_t> labels, MattingMethod method) {
  if (method == MattingMethod::guided) {
    SampledAlpha first{Image<float>::like(labels), Image<float>::like(labels)};
    for (int64_t y = 0; y < labels.height; ++y)
      for (int64_t x = 0; x < labels.width; ++x) {
        first.alpha.row(y)[x] = labels.row(y)[x] == 255 ? 1.0f : 0.0f;
        first.confidence.row(y)[x] = is_unknown(labels.row(y)[x]) ? 0.0f : 1.0f;
      }
    filter_unknown<T>(image, labels, first.confidence, 4, 10, 1e-5, first.alpha);
    return first;
  }
  expand_known<T>(image, labels);
  SampledAlpha first = sample_colours<T>(image, labels);
  filter_unknown<T>(image, labels, first.confidence, 2, 4, 1e-5, first.alpha);
  return first;
}

// What the mask holds of thin parts keeps more than half.
void hold_thin_parts(ImageView<const uint8_t> trimap, ImageView<float> alpha) {
  parallel_for(trimap.height, row_grain(trimap.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < trimap.width; ++x) {
        const uint8_t label = trimap.row(y)[x];
        if (is_thin(label)) alpha.row(y)[x] = std::max(alpha.row(y)[x], kHeld);
      }
  });
}

// Makes known the middle of what the mask holds of thin parts where the first alpha has lost it: mixtures of hair are
// left alone. Returns whether it had. More is doubted where no pair of colours fits, and of the guided filter, whose
// windows are wide.
bool keep_lost(ImageView<const uint8_t> trimap, MattingMethod method, const SampledAlpha& first,
               ImageView<uint8_t> labels) {
  bool any = false;
  for (int64_t y = 0; y < trimap.height; ++y)
    for (int64_t x = 0; x < trimap.width; ++x) {
      const bool doubtful = first.confidence.row(y)[x] < 0.3f;
      const float least = method == MattingMethod::guided ? 0.5f : doubtful ? 0.75f : 0.35f;
      const bool lost = trimap.row(y)[x] == kThinMiddle && first.alpha.row(y)[x] < least;
      labels.row(y)[x] = lost ? 255 : trimap.row(y)[x];
      any = any || lost;
    }
  return any;
}

// How far samples are believed: the less is known, the farther they were fetched from, and the worse they are. Measured
// on 15 photographs, at 64 and 200 pixels, of which .03 to .5 was known in blots: from a share of .3 on nothing is to
// be gained; below, the solver gets as much less weight and as many more steps.
float trust_in_samples(ImageView<const uint8_t> trimap) {
  constexpr float enough = 0.3f, least = 0.1f;
  int64_t known = 0;
  for (int64_t y = 0; y < trimap.height; ++y)
    for (int64_t x = 0; x < trimap.width; ++x) known += !is_unknown(trimap.row(y)[x]);
  return std::clamp(static_cast<float>(known) / (enough * static_cast<float>(trimap.height * trimap.width)), least,
                    1.0f);
}

template <class T>
Image<float> estimate(ImageView<const T> image, ImageView<const uint8_t> trimap, MattingMethod method) {
  Image<uint8_t> labels = copied(trimap);
  SampledAlpha first = first_alpha<T>(image, labels, method);
  Image<uint8_t> kept = Image<uint8_t>::like(trimap);
  if (keep_lost(trimap, method, first, kept)) {
    labels = std::move(kept);
    first = first_alpha<T>(image, labels, method);
  }
  Image<float>& alpha = first.alpha;
  if (method == MattingMethod::closed_form) {
    const float trust = trust_in_samples(trimap);
    solve_laplacian<T>(image, labels, first.confidence, 0.03f * trust, static_cast<int>(15 / trust), alpha);
    // Mixtures come out a little short of 0 and 1.
    for (int64_t i = 0; i < labels.pixels(); ++i)
      if (is_unknown(labels.data()[i])) alpha.data()[i] = std::clamp((alpha.data()[i] - 0.05f) / 0.9f, 0.0f, 1.0f);
  }
  hold_thin_parts(trimap, alpha);
  return std::move(alpha);
}

// The labels of cells of factor² pixels: what most of its pixels are known to be; else the most telling unknown.
Image<uint8_t> shrink_trimap(ImageView<const uint8_t> trimap, int64_t factor) {
  Image<uint8_t> cells((trimap.height - 1) / factor + 1, (trimap.width - 1) / factor + 1);
  parallel_for(cells.height(), row_grain(trimap.width * factor), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < cells.width(); ++x) {
        const int64_t y1 = std::min(y * factor + factor, trimap.height),
                      x1 = std::min(x * factor + factor, trimap.width);
        int64_t foreground = 0, background = 0;
        uint8_t unknown = 128;
        for (int64_t v = y * factor; v < y1; ++v)
          for (int64_t u = x * factor; u < x1; ++u) {
            const uint8_t label = trimap.row(v)[u];
            foreground += label == 255;
            background += label == 0;
            if (is_thin(label)) unknown = std::max(unknown, label);
          }
        const int64_t all = (y1 - y * factor) * (x1 - x * factor);
        cells.row(y)[x] = 2 * foreground > all ? 255 : 2 * background > all ? 0 : unknown;
      }
  });
  return cells;
}

// Alpha at the unknown pixels. It is estimated at a bounded size and carried up by what the colours tell of it there in
// each window: the matting Laplacian's own model, so the full picture's strands come back. Constants: 14 photographs as
// one of 8 megapixels, MSE .0132 in full, .0132 at half, .0139 at a third and .0153 at a quarter of the size; five of
// them enlarged five times .0134 in full, .0112 at a quarter.
template <class T>
Image<float> estimate_bounded(ImageView<const T> image, ImageView<const uint8_t> trimap, MattingMethod method) {
  constexpr int64_t bound = 1400000;
  int64_t factor = 1;
  while (image.height * image.width > bound * factor * factor) ++factor;
  if (factor == 1) return estimate<T>(image, trimap, method);
  Image<float> small = shrink(image, factor, 0.0f);
  for (int64_t i = 0; i < small.pixels() * image.channels; ++i) small.data()[i] = std::min(small.data()[i], 1.0f);
  const Image<float> coarse = estimate<float>(small, shrink_trimap(trimap, factor), method);
  for (int64_t i = 0; i < small.pixels() * image.channels; ++i) small.data()[i] -= kGuideCentre;
  const Image<float> mean = mean_fit(local_fit(small, coarse, {}, 1, 1e-5), 1);
  Image<float> alpha = Image<float>::like(trimap);
  Image<uint8_t> found = Image<uint8_t>::like(trimap);
  std::fill_n(found.data(), found.pixels(), uint8_t{0});
  apply_where_unknown<T>(image, trimap, mean, factor, found, alpha);
  hold_thin_parts(trimap, alpha);
  return alpha;
}

}  // namespace

template <class T>
void refine_alpha(ImageView<const T> image, ImageView<const uint8_t> trimap, MattingMethod method, ImageView<T> alpha) {
  if ((image.channels != 1 && image.channels != 3) || trimap.channels != 1 || alpha.channels != 1)
    throw std::invalid_argument("refine_alpha: image must have 1 or 3 channels, the trimap and alpha 1");
  const auto differs = [&](int64_t height, int64_t width) { return height != image.height || width != image.width; };
  if (differs(trimap.height, trimap.width) || differs(alpha.height, alpha.width))
    throw std::invalid_argument("trimap must have the size of image, " + std::to_string(image.height) + " by " +
                                std::to_string(image.width) + ", got " + std::to_string(trimap.height) + " by " +
                                std::to_string(trimap.width));
  if constexpr (std::is_same_v<T, float>) require_range(image, 0, 1, "image");

  UnknownPart part = unknown_part_of(trimap);
  Image<uint8_t> banded;
  if (!part.unknown()) {
    banded = Image<uint8_t>::like(trimap);
    trimap_of_mask(trimap, banded);
    trimap = banded;
    part = unknown_part_of(trimap);
  }
  if (part.unknown() && !(part.foreground && part.background))
    throw std::invalid_argument(std::string("trimap has unknown pixels (between 0 and 255) but no known ") +
                                (part.foreground ? "background (0)" : "foreground (255)"));
  parallel_for(alpha.height, row_grain(alpha.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < alpha.width; ++x) store_float(trimap.row(y)[x] == 255 ? 1.0f : 0.0f, alpha.row(y)[x]);
  });
  if (!part.unknown()) return;

  // All is done near the unknown pixels: twice the guided method's radius around them, from an even row and column.
  constexpr int64_t margin = 88;
  part.y0 = std::max<int64_t>(part.y0 - margin, 0) & ~int64_t{1};
  part.x0 = std::max<int64_t>(part.x0 - margin, 0) & ~int64_t{1};
  part.y1 = std::min(part.y1 + margin, image.height);
  part.x1 = std::min(part.x1 + margin, image.width);
  ImageView<const uint8_t> near = crop(trimap, part);
  Image<uint8_t> given;
  if (!banded) {  // whatever it holds between 0 and 255: marks of thin parts are trimap_of_mask's alone
    given = Image<uint8_t>::like(near);
    parallel_for(near.height, row_grain(near.width), [&](int64_t begin, int64_t end) {
      for (int64_t y = begin; y < end; ++y)
        for (int64_t x = 0; x < near.width; ++x)
          given.row(y)[x] = is_unknown(near.row(y)[x]) ? uint8_t{128} : near.row(y)[x];
    });
    near = given;
  }
  const ImageView<T> result = crop(alpha, part);
  const Image<float> estimated = estimate_bounded<T>(crop(image, part), near, method);
  parallel_for(near.height, row_grain(near.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < near.width; ++x)
        if (is_unknown(near.row(y)[x])) store_float(estimated.row(y)[x], result.row(y)[x]);
  });
}

template void refine_alpha(ImageView<const uint8_t>, ImageView<const uint8_t>, MattingMethod, ImageView<uint8_t>);
template void refine_alpha(ImageView<const float>, ImageView<const uint8_t>, MattingMethod, ImageView<float>);

}  // namespace alphacut
