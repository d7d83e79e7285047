// What the flow computes between the stages.
#pragma once

#include <optional>

#include "alphacut/image.hpp"
#include "planes.hpp"

namespace alphacut {

// 255 outside the box, brought from a picture of one size to another; and nowhere without a box.
Image<uint8_t> outside_of(const std::optional<Box>& box, int64_t old_height, int64_t old_width, int64_t height,
                          int64_t width);
// 255 where the background can be sampled: outside the box, or else a frame of a twentieth of the shorter side.
Image<uint8_t> surely_outside(const std::optional<Box>& box, int64_t old_height, int64_t old_width, int64_t height,
                              int64_t width);

// Whether nothing is seen anywhere.
bool all_zero(const Image<float>& map);

// Log-odds of probabilities, held within 0.02 and 0.98.
Image<float> log_odds_of(ImageView<const float> probability);

// Soft intersection over union of what was detected and a mask of the same size.
double agreement(ImageView<const float> probability, ImageView<const uint8_t> mask);

// 1 − Bhattacharyya coefficient of the colours (8 levels a channel) inside and outside a mask of the same size.
double color_separation(ImageView<const uint8_t> image, ImageView<const uint8_t> mask);

}  // namespace alphacut
