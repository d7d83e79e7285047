// What GrabCut is told, brought to the size at hand, and where it starts from.
#pragma once

#include <optional>

#include "alphacut/graphcut.hpp"
#include "alphacut/image.hpp"

namespace alphacut {

// The pixels, of `size`, that lie wholly in [begin, end) of `old` ones; at least one.
struct Range {
  int64_t begin, end;
};
Range scaled(int64_t begin, int64_t end, int64_t old, int64_t size);

// The labels at a smaller size. A foreground stroke is kept however thin it becomes, background where it covers more
// than a quarter of a pixel, or any of it if there were none otherwise; the rest goes by the pixel at the centre.
void shrink_labels(ImageView<const uint8_t> labels, ImageView<uint8_t> small);

// Where nothing tells probable foreground from probable background, the undecided pixels start by barrier distance
// (Zhang et al. 2015) from what is known: with strokes of both kinds the nearer one, by barrier and Euclidean distance,
// which also gives log-odds for the cut; with background alone, what lies behind a barrier is foreground.
Image<float> start_labels(ImageView<const uint8_t> image, ImageView<uint8_t> labels);

}  // namespace alphacut
