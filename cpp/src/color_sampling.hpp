// A first alpha for unknown pixels from pairs of known colours, after the idea of Gastal & Oliveira 2010.
#pragma once

#include "alphacut/image.hpp"

namespace alphacut {

struct SampledAlpha {
  Image<float> alpha;       // 0 and 1 at known pixels, the estimate at unknown ones
  Image<float> confidence;  // 1 at known pixels, 0 where no estimate was found (alpha is then 0.5)
};

// `labels` (0, 255, else unknown) is first extended: an unknown pixel takes the label of a known one near in place and
// colour. `labels` must hold both 0 and 255.
template <class T>
void expand_known(ImageView<const T> image, ImageView<uint8_t> labels);

template <class T>
SampledAlpha sample_colours(ImageView<const T> image, ImageView<const uint8_t> labels);

}  // namespace alphacut
