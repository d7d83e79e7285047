// Exact minimum cuts on the 8-connected grid of a picture, and GrabCut, which finds the subject with them.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alphacut/image.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {
namespace detail {
class LabelRows;
}

// The edges of a grid, one capacity a pixel for the neighbour to the right, below, below right, below left. Entries
// that point outside the picture are ignored. A plane without data has no edges: the first two alone are the
// 4-connected grid.
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

// The same with directed edges: `neighbours` from each pixel to its neighbour, `reverse` from that to the pixel.
int64_t graph_cut(ImageView<const int32_t> source, ImageView<const int32_t> sink, const Neighbours& neighbours,
                  const Neighbours& reverse, ImageView<uint8_t> mask, bool certify = false);

// What the cut costs that has the nonzero pixels of `mask` on the source side: sums the capacities anew, to check a
// flow.
int64_t cut_capacity(ImageView<const int32_t> source, ImageView<const int32_t> sink, const Neighbours& neighbours,
                     ImageView<const uint8_t> mask);
int64_t cut_capacity(ImageView<const int32_t> source, ImageView<const int32_t> sink, const Neighbours& neighbours,
                     const Neighbours& reverse, ImageView<const uint8_t> mask);

// Several labels by expansion moves (Boykov, Veksler, Zabih, "Fast approximate energy minimization via graph cuts",
// PAMI 2001). The energy of labels f is the sum of costs[f(p)] at each pixel p and of w·smoothness[f(p)][f(q)] for each
// edge of weight w. A move lets any set of pixels take one label, the best set by a minimum cut; moves follow each
// other until none of any label helps. The energy never rises; at the end it is at most twice the least there is times
// the ratio of the largest to the smallest smoothness of two labels. With two labels it is the least.
struct AlphaExpansion {
  int64_t energy = 0;
  int n_iter = 0;  // rounds of all labels begun
};

// Largest |cost|, and largest product of weight and smoothness: the graphs' capacities then fit.
inline constexpr int32_t kMaxCost = (1 << 28) - 1, kMaxSmoothness = (1 << 26) - 1;

// `costs`: one plane a label, 1 to 256, each of the size of the others. `neighbours`: weights of the edges, >= 0.
// `smoothness`: a row a label, a metric: 0 from a label to itself, the same both ways, and no way over a third label
// shorter. `labels` has the start, below the number of labels, and gets the result. At most `max_iter` >= 1 rounds.
// With `certify` the energy that each cut promises is compared with that of its labels, a std::runtime_error if they
// differ. 42 bytes a pixel.
AlphaExpansion alpha_expansion(const std::vector<ImageView<const int32_t>>& costs, const Neighbours& neighbours,
                               const std::vector<int32_t>& smoothness, int max_iter, ImageView<uint8_t> labels,
                               bool certify = false);

// What labels cost.
int64_t labelling_energy(const std::vector<ImageView<const int32_t>>& costs, const Neighbours& neighbours,
                         const std::vector<int32_t>& smoothness, ImageView<const uint8_t> labels);

// A Gaussian of a colour model: its share of the model, and mean and covariance (row by row) in 8-bit levels.
struct ColorGaussian {
  double weight = 0;
  std::array<double, 3> mean{};
  std::array<double, 9> covariance{};
};

struct GrabCutOptions {
  int max_iter = 5;      // rounds at most, at least 1
  int n_components = 5;  // Gaussians a mixture, 1..16
  int64_t seed = 0;      // of the first clustering
  bool clean = false;    // drop small parts and holes of the mask that the rounds find
  bool exact = false;    // cut the whole picture at full size, not a band
  bool certify = false;  // check the last flow against the capacity of its cut, and price the whole picture
  bool resume = false;   // go on from the latest cut of the same picture
  bool mask = false;     // write 0 and 255 in place of labels
  // Colour models of background and foreground to start from, 1..16 Gaussians each, those of weight 0 are left out.
  std::array<std::vector<ColorGaussian>, 2> models{};
  bool freeze_models = false;  // leave them as they are: one round
};

// What the smallest size knows when its rounds end, for whoever cuts the larger ones.
struct GrabCutModels {
  std::array<std::vector<float>, 2> colours;  // of background and foreground, as fit_mixture makes them; may be empty
  Image<float> log_odds;                      // joined the data term; no data: none
};

struct GrabCutResult {
  double energy = 0;   // what the last cut costs: data term and border, against each pixel's better side; 0 without one
  int n_iter = 0;      // rounds run
  bool exact = false;  // whether that cut had all undecided pixels
  bool resumed = false;  // whether it went on from the latest cut
  std::vector<std::string> warnings;
  std::array<std::vector<ColorGaussian>, 2> models;  // of background and foreground, those of the last cut
};

// GrabCut (Rother, Kolmogorov, Blake, 2004), coarse to fine (Lombaert et al., 2005): the rounds run on a copy with a
// long side of at most 320 pixels; at each larger size the edge found is cut again in a band of 3 of the smaller pixels
// to either side, with the models fitted anew. Keeps what cuts of one picture share, so that another stroke costs less;
// the answers are those of a new one, unless a cut resumes.
class GrabCutter {
 public:
  // The picture, 1 or 3 channels, must live as long as this. `gamma`, the weight of the border's length, is 0..50000.
  GrabCutter(ImageView<const uint8_t> image, double gamma);
  GrabCutter(GrabCutter&&) noexcept;
  ~GrabCutter();

  // `hints`, no data: all 3; 0 background, 1 foreground, 2 probably background, 3 probably foreground. Everything
  // outside `box` becomes background. `unary`, log-odds of foreground from -10000 to 10000 on a map of any size, no
  // data: none, is added to the colours' data term. `labels`, of the picture's size, gets the answer: 0 and 1 as in the
  // hints, 2 and 3 decided anew; it may be `hints`.
  //
  // With `resume` the cut goes on from the latest one, if that had the same box and number of components: undecided
  // pixels start on the sides, and the models from those, that it ended with; one round; and at the larger sizes the
  // edge is cut again only near changes of hints or sides. The answer depends on the cuts before. With `models` the
  // cutter keeps nothing to resume from and gives them away.
  GrabCutResult cut(ImageView<const uint8_t> hints, std::optional<Box> box, ImageView<const float> unary,
                    const GrabCutOptions& options, ImageView<uint8_t> labels, GrabCutModels* models = nullptr);
  // By hints that the caller keeps from call to call; nullptr: all 3.
  GrabCutResult cut_rows(const detail::LabelRows* hints, std::optional<Box> box, ImageView<const float> unary,
                         const GrabCutOptions& options, ImageView<uint8_t> labels, GrabCutModels* models = nullptr);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace alphacut
ALPHACUT_API_END
