// One size of a picture under GrabCut: edge weights, colour models and the exact cut of its undecided pixels.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "alphacut/graphcut.hpp"
#include "dispatch.hpp"
#include "grid_flow.hpp"
#include "mixture.hpp"

namespace alphacut {

inline constexpr int kMaxComponents = 16;      // of a mixture
inline constexpr double kFineGamma = 4.0 / 3;  // times gamma at the larger sizes
inline constexpr float kMaxLogOdds = 1e4f;     // of the colours, clipped; of unary, refused beyond

// Where a pixel of a level stands: on a side for good, or in the graph.
enum Domain : uint8_t { kOutside = 0, kInside = 1, kNode = 2 };

// The colour models of background and foreground; empty where a side has no pixels. See mixture_score.
using Mixtures = std::array<std::vector<float>, 2>;

// Differences of colour, squared: their sum over so many edges.
struct Contrast {
  uint64_t sum = 0, edges = 0;
};

// The edge weights of a picture, from its contrast and `gamma`, the weight of the border's length.
struct EdgeWeights {
  EdgeWeights(double gamma, Contrast contrast);
  bool flat;                                // one colour
  std::vector<int32_t> straight, diagonal;  // by squared difference, up to the first that rounds to 0
  int32_t hard;                             // a terminal that outweighs a pixel's edges
};

// Which rows of so many pixels tell the contrast, and which ones the models: every n-th.
int64_t contrast_step(int64_t pixels);
int64_t fit_step(int64_t pixels);

// The model of a side from the sums of its components' pixels (kMaxComponents), seen in every `step`-th row; the old
// one if these show next to nothing of it.
std::vector<float> refitted(const Rgb8Sums* components, int64_t step, const std::vector<float>& old);

// Log-odds of foreground from a map of any size, no data: 0.
class Prior {
 public:
  Prior(ImageView<const float> map, int64_t height, int64_t width);
  // Those of the pixels [x0, x1) of row y of the picture; between the map's pixels bilinear.
  void row(int64_t y, int64_t x0, int64_t x1, float* values) const;

  struct Between {
    int32_t first, second;
    float share;  // of the second
  };

 private:
  ImageView<const float> map_;
  int64_t height_, width_;
  std::vector<Between> columns_;  // empty: the map has the picture's size
};

class GrabCutLevel {
 public:
  // The picture must live as long as the level. `gamma` is the weight of the border's length.
  GrabCutLevel(ImageView<const uint8_t> image, double gamma);

  bool flat() const { return weights_.flat; }  // one colour

  // First models: clusters of samples of both sides (the labels' low bit).
  Mixtures cluster_sides(ImageView<const uint8_t> labels, int components, int64_t seed) const;
  // The models of both sides, each pixel in its best component of `old`. Reads all rows, or evenly spaced ones; a side
  // of which these show next to nothing keeps its old model.
  Mixtures fit(ImageView<const uint8_t> labels, const Mixtures& old) const;

  // The graph of the pixels that `domain` says; edges to others join them to a terminal. It may use the memory of the
  // last one again. None of its pixels lie in rows where `rows` has a 0. Where `moved` has a 0, the domain is what it
  // was in the latest open(): the graph keeps its flow there.
  void open(ImageView<const uint8_t> domain, const std::vector<uint8_t>& rows = {},
            const std::vector<uint8_t>& moved = {});
  bool empty() const { return runs_.empty(); }
  void close() { graph_.reset(); }  // gives the graph's memory back
  // Cuts exactly and writes 2 or 3 to the labels of undecided pixels (above 1) in the graph; returns how many changed.
  // The flow of the last cut of the same graph is the start. Not for an empty graph.
  int64_t cut(const Mixtures& models, const Prior& prior, ImageView<uint8_t> labels);
  double energy() const;  // what the last cut costs, against each pixel's better side
  bool certified(ImageView<const uint8_t> domain, ImageView<const uint8_t> labels) const;  // flow equals capacity

  // What labels cost over the whole picture: data of undecided pixels against their better side, and border.
  double energy_of(const Mixtures& models, const Prior& prior, ImageView<const uint8_t> labels) const;

 private:
  struct Run {  // pixels [x0, x1) of row y, their values from `at` on
    int64_t y, x0, x1;
    size_t at;
    size_t size() const { return static_cast<size_t>(x1 - x0); }
  };
  class Rows;
  class Edges;
  class Terminals;

  Contrast contrast() const;
  Contrast contrast_of_rows(int64_t step) const;
  template <class Body>
  void for_runs(Body body) const;
  bool fits() const;
  std::vector<uint8_t> rows_anew(const std::vector<uint8_t>& moved);
  void keep_rows(const std::vector<Run>& old_runs, const std::vector<int32_t>& old_fold,
                 const std::vector<int32_t>& old_difference, const std::vector<uint8_t>& anew);

  ImageView<const uint8_t> image_;
  int64_t height_, width_;
  EdgeWeights weights_;
  std::vector<Run> runs_;
  std::vector<int32_t> fold_, difference_;  // of the nodes: what edges to fixed pixels give, the terminals now
  int64_t flow_ = 0;
  std::unique_ptr<GridFlow> graph_;
  bool solved_ = false;  // the graph, with these differences
  Box window_;           // the part of the picture that it has room for
};

}  // namespace alphacut
