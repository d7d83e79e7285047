#include "guided_filter.hpp"

#include <cmath>
#include <string>

#include "alphacut/color.hpp"
#include "alphacut/matting.hpp"

namespace alphacut {
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
