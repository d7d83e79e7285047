// Medians of windows too large for a network of minima and maxima.
#pragma once

#include "alphacut/image.hpp"

namespace alphacut {

// As median of preprocess.hpp, of any odd size from 3. 8-bit values by histograms of the columns (Perreault & Hébert,
// "Median filtering in constant time", 2007): the time hardly grows with the size; 544 bytes a pixel of a row and
// thread. Others by selection: the time grows with the window.
void wide_median(ImageView<const uint8_t> in, int size, ImageView<uint8_t> out);
void wide_median(ImageView<const float> in, int size, ImageView<float> out);

}  // namespace alphacut
