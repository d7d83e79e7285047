// Exact minimum cuts on the 8-connected grid of a picture, and GrabCut, which finds the subject with them.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "alphacut/image.hpp"

namespace alphacut {

// The undirected edges of a grid, one capacity a pixel for the neighbour to the right, below, below right, below left.
// Entries that point outside the picture are ignored.
using Neighbours = std::array<ImageView<const int32_t>, 4>;

// Largest capacity of an edge or a terminal: the residual of an edge goes up to twice as much and must fit 32 bits.
inline constexpr int32_t kMaxCapacity = (1 << 30) - 1;

// Minimum cut between a source and a sink joined to each pixel with the capacities `source` and `sink`. Writes 255
// where the pixel can be reached from the source in the residual graph (the smallest source side of all minimum cuts,
// so the same for every solver) and 0 elsewhere; returns the flow, which equals the capacity of the cut. All views have
// one size, one channel; capacities lie in 0..kMaxCapacity; (width + 1)·(height + 2) < 2^31. With `certify` the
// capacity is summed anew and a flow that differs, which a correct program never finds, is a std::runtime_error. 40
// bytes a pixel. Push-relabel (Goldberg, Tarjan, 1988) with exact distances renewed.
int64_t graph_cut(ImageView<const int32_t> source, ImageView<const int32_t> sink, const Neighbours& neighbours,
                  ImageView<uint8_t> mask, bool certify = false);

// What the cut costs that has the nonzero pixels of `mask` on the source side: sums the capacities anew, to check a
// flow.
int64_t cut_capacity(ImageView<const int32_t> source, ImageView<const int32_t> sink, const Neighbours& neighbours,
                     ImageView<const uint8_t> mask);

// Top left corner and size in pixels.
struct Box {
  int64_t x = 0, y = 0, width = 0, height = 0;
};

struct GrabCutOptions {
  int n_iter = 5;        // rounds at most, at least 1
  double gamma = 50;     // weight of the border's length, 0..100000
  int n_components = 5;  // Gaussians a mixture, 1..16
  int64_t seed = 0;      // of the first clustering
};

struct GrabCutResult {
  double energy = 0;  // what the last cut costs: data term and border, against each pixel's better side
  int n_iter = 0;     // rounds run
  std::vector<std::string> warnings;
};

// GrabCut (Rother, Kolmogorov, Blake, 2004). `labels` holds the hints, 0 background, 1 foreground, 2 probably
// background, 3 probably foreground, and gets the answer: 0 and 1 stay, 2 and 3 are decided anew. Everything outside
// `box` becomes background. `unary`, log-odds of foreground from -10000 to 10000, is added to the colours' data term;
// no data: none. Float pictures are rounded to 8 bits. About 90 bytes a pixel.
GrabCutResult grabcut(ImageView<const uint8_t> image, ImageView<uint8_t> labels, std::optional<Box> box,
                      ImageView<const float> unary, const GrabCutOptions& options);
GrabCutResult grabcut(ImageView<const float> image, ImageView<uint8_t> labels, std::optional<Box> box,
                      ImageView<const float> unary, const GrabCutOptions& options);

}  // namespace alphacut
