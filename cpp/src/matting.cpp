#include "alphacut/matting.hpp"

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include "alphacut/color.hpp"
#include "alphacut/parallel.hpp"
#include "color_sampling.hpp"
#include "guided_filter.hpp"
#include "matting_laplacian.hpp"

namespace alphacut {
namespace {

bool is_unknown(uint8_t label) { return label != 0 && label != 255; }

// What a trimap holds, and the rectangle [y0, y1) × [x0, x1) of its unknown pixels.
struct Extent {
  bool foreground = false, background = false;
  int64_t y0 = 0, y1 = 0, x0 = 0, x1 = 0;
  bool unknown() const { return y1 > y0; }
};

Extent extent_of(ImageView<const uint8_t> trimap) {
  Extent e;
  for (int64_t y = 0; y < trimap.height; ++y)
    for (int64_t x = 0; x < trimap.width; ++x) {
      const uint8_t label = trimap.row(y)[x];
      e.foreground |= label == 255;
      e.background |= label == 0;
      if (!is_unknown(label)) continue;
      if (!e.unknown()) e = {e.foreground, e.background, y, y + 1, x, x + 1};
      e = {e.foreground, e.background, e.y0, y + 1, std::min(e.x0, x), std::max(e.x1, x + 1)};
    }
  return e;
}

template <class T>
ImageView<T> crop(ImageView<T> image, const Extent& e) {
  return {image.row(e.y0) + e.x0 * image.channels, e.y1 - e.y0, e.x1 - e.x0, image.channels, image.stride};
}

// A guided filter in which each pixel counts by its weight, on the picture shrunk by `factor`; changes the unknown
// pixels of `alpha`. Where no window holds a weighted pixel, windows 4 times as large are tried, and so on.
template <class T>
void filter_unknown(ImageView<const T> image, ImageView<const uint8_t> labels, ImageView<const float> weight,
                    int64_t factor, int64_t radius, double eps, ImageView<float> alpha) {
  Image<float> weighted = Image<float>::like(alpha);
  parallel_for(alpha.height, row_grain(alpha.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < alpha.width; ++x) weighted.row(y)[x] = alpha.row(y)[x] * weight.row(y)[x];
  });
  const Image<float> guide = shrink(image, factor, kGuideCentre);
  const Image<float> small_weight = shrink(weight, factor, 0);
  Image<float> source = shrink(ImageView<const float>(weighted), factor, 0);
  for (int64_t i = 0; i < source.pixels(); ++i)
    if (small_weight.data()[i] > 0) source.data()[i] /= small_weight.data()[i];

  Image<uint8_t> found = Image<uint8_t>::like(alpha);
  std::fill_n(found.data(), found.pixels(), uint8_t{0});
  const int64_t largest = std::max(guide.height(), guide.width());
  for (std::atomic<bool> missing = true; missing; radius *= 4) {
    missing = false;
    radius = std::min(radius, largest);
    const Image<float> mean = mean_fit(local_fit(guide, source, small_weight, radius, eps), radius);
    apply_fit(image, mean, factor, [&](int64_t y, const float* values, const float* coefficients) {
      for (int64_t x = 0; x < image.width; ++x) {
        if (!is_unknown(labels.row(y)[x]) || found.row(y)[x]) continue;
        if (coefficients[x * (image.channels + 2) + image.channels + 1] < 1) {
          missing = true;
          continue;
        }
        alpha.row(y)[x] = std::clamp(values[x], 0.0f, 1.0f);
        found.row(y)[x] = 1;
      }
    });
  }
}

// Constants: see refine_alpha in the Python package for where they come from.
template <class T>
Image<float> estimate(ImageView<const T> image, ImageView<const uint8_t> trimap, MattingMethod method) {
  Image<uint8_t> labels = Image<uint8_t>::like(trimap);
  for (int64_t y = 0; y < trimap.height; ++y) std::copy_n(trimap.row(y), trimap.width, labels.row(y));
  if (method == MattingMethod::guided) {
    Image<float> alpha = Image<float>::like(trimap), weight = Image<float>::like(trimap);
    for (int64_t i = 0; i < alpha.pixels(); ++i) {
      alpha.data()[i] = labels.data()[i] == 255 ? 1.0f : 0.0f;
      weight.data()[i] = is_unknown(labels.data()[i]) ? 0.0f : 1.0f;
    }
    filter_unknown<T>(image, labels, weight, 2, 20, 1e-4, alpha);
    return alpha;
  }
  expand_known<T>(image, labels);
  SampledAlpha sampled = sample_colours<T>(image, labels);
  if (method == MattingMethod::sampled) {
    filter_unknown<T>(image, labels, sampled.confidence, 1, 5, 1e-4, sampled.alpha);
    return std::move(sampled.alpha);
  }
  solve_laplacian<T>(image, labels, sampled.confidence, 0.03f, 20, sampled.alpha);
  // Mixtures come out a little short of 0 and 1.
  for (int64_t i = 0; i < labels.pixels(); ++i)
    if (is_unknown(labels.data()[i]))
      sampled.alpha.data()[i] = std::clamp((sampled.alpha.data()[i] - 0.05f) / 0.9f, 0.0f, 1.0f);
  return std::move(sampled.alpha);
}

}  // namespace

template <class T>
void refine_alpha(ImageView<const T> image, ImageView<const uint8_t> trimap, MattingMethod method, ImageView<T> alpha) {
  if ((image.channels != 1 && image.channels != 3) || trimap.channels != 1 || alpha.channels != 1)
    throw std::invalid_argument("refine_alpha: image must have 1 or 3 channels, the trimap and alpha 1");
  const auto differs = [&](int64_t height, int64_t width) { return height != image.height || width != image.width; };
  if (differs(trimap.height, trimap.width) || differs(alpha.height, alpha.width))
    throw std::invalid_argument("mask_or_trimap must have the size of image, " + std::to_string(image.height) + " by " +
                                std::to_string(image.width) + ", got " + std::to_string(trimap.height) + " by " +
                                std::to_string(trimap.width));
  if constexpr (std::is_same_v<T, float>) require_range(image, 0, 1, "image");

  Extent extent = extent_of(trimap);
  Image<uint8_t> banded;
  if (!extent.unknown()) {
    banded = Image<uint8_t>::like(trimap);
    make_trimap(trimap, default_band(trimap.height, trimap.width), banded);
    trimap = banded;
    extent = extent_of(trimap);
  }
  if (extent.unknown() && !(extent.foreground && extent.background))
    throw std::invalid_argument(std::string("mask_or_trimap has unknown pixels (between 0 and 255) but no known ") +
                                (extent.foreground ? "background (0)" : "foreground (255)"));
  parallel_for(alpha.height, row_grain(alpha.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < alpha.width; ++x) store_unit(trimap.row(y)[x] == 255 ? 1.0f : 0.0f, alpha.row(y)[x]);
  });
  if (!extent.unknown()) return;

  // All is done near the unknown pixels: twice the guided method's radius around them, from an even row and column.
  constexpr int64_t margin = 88;
  extent.y0 = std::max<int64_t>(extent.y0 - margin, 0) & ~int64_t{1};
  extent.x0 = std::max<int64_t>(extent.x0 - margin, 0) & ~int64_t{1};
  extent.y1 = std::min(extent.y1 + margin, image.height);
  extent.x1 = std::min(extent.x1 + margin, image.width);
  const ImageView<const uint8_t> near = crop(trimap, extent);
  const ImageView<T> result = crop(alpha, extent);
  const Image<float> estimated = estimate<T>(crop(image, extent), near, method);
  parallel_for(near.height, row_grain(near.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < near.width; ++x)
        if (is_unknown(near.row(y)[x])) store_unit(estimated.row(y)[x], result.row(y)[x]);
  });
}

template void refine_alpha(ImageView<const uint8_t>, ImageView<const uint8_t>, MattingMethod, ImageView<uint8_t>);
template void refine_alpha(ImageView<const float>, ImageView<const uint8_t>, MattingMethod, ImageView<float>);

}  // namespace alphacut
