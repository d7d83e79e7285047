// What GrabCut is told, brought to the size at hand, and where it starts from.
#pragma once

#include <optional>
#include <vector>

#include "alphacut/graphcut.hpp"
#include "alphacut/image.hpp"

namespace alphacut {

// The pixels, of `size`, that lie wholly in [begin, end) of `old` ones; at least one.
struct Range {
  int64_t begin, end;
};
Range scaled(int64_t begin, int64_t end, int64_t old, int64_t size);

struct ShrunkLabels {
  Image<uint8_t> labels;
  std::vector<uint8_t> found;  // of each row, what background there is; empty: not to be used again
};

// The labels at a smaller size. A foreground stroke is kept however thin it becomes, background where it covers more
// than a quarter of a pixel, or any of it if there were none otherwise; the rest goes by the pixel at the centre.
// `before` is what this gave for labels that differ in rows of `changed` (of each row, 0 or 1) alone; empty: in any.
ShrunkLabels shrink_labels(ImageView<const uint8_t> labels, int64_t height, int64_t width, const ShrunkLabels& before,
                           const std::vector<uint8_t>& changed);

// Barrier distance (Zhang et al. 2015) and Euclidean distance from the known pixels of one picture, kept as long as
// these stay the same.
class StrokeMaps {
 public:
  // The log-odds of the undecided pixels, no data: none, and their start. `unary`, log-odds too, may be no data; where
  // there are strokes of both kinds, these add theirs: which ones are nearer, by both distances. Where nothing tells
  // probable foreground from probable background, pixels start by the sign of the log-odds; without any, and with
  // background alone, what lies behind a barrier is foreground.
  Image<float> start_labels(ImageView<const uint8_t> image, Image<float> unary, ImageView<uint8_t> labels);

 private:
  // From the pixels of one label; no data where not yet asked for.
  struct Maps {
    Image<uint8_t> seed;
    Image<float> barrier, distance;
  };
  void find(ImageView<const uint8_t> image, ImageView<const uint8_t> labels, uint8_t label, bool distance);
  Image<float> between_strokes(ImageView<const uint8_t> image, ImageView<const uint8_t> labels);
  void behind_barriers(ImageView<const uint8_t> image, ImageView<uint8_t> labels);

  Maps maps_[2];  // of background and foreground
};

}  // namespace alphacut
