// From a picture to its cutout, prompt after prompt: the one place that knows the order of the stages.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "alphacut/cancel.hpp"
#include "alphacut/chromakey.hpp"
#include "alphacut/graphcut.hpp"
#include "alphacut/image.hpp"
#include "alphacut/kmeans.hpp"
#include "alphacut/matting.hpp"
#include "alphacut/network.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

// Pictures of any depth: values 0..255, 0..65535 or 0..1. A view becomes one by itself.
using AnyView = std::variant<ImageView<const uint8_t>, ImageView<const uint16_t>, ImageView<const float>>;
using AnyImage = std::variant<Image<uint8_t>, Image<uint16_t>, Image<float>>;

// How the mask is found. `automatic` follows the prompt; without one, a uniform border means `key`, unless it is but
// the frame of a picture, and anything else `graphcut` around the detected subject.
enum class CutMethod { automatic, graphcut, kmeans, threshold, key };

// What may be done to the copy in which the subject is looked for.
enum class Preparation { denoise, white_balance };

struct SessionOptions {
  CutMethod method = CutMethod::automatic;
  // Says where the subject is, asked for when first needed; nullptr: barriers.
  std::function<const Network&()> network = builtin_network;
  std::optional<double> similarity, blend;  // of chroma_key
  bool despill = false;                     // of a key, on the whole subject; the edge's is taken off with the colours
  bool refine = true;                       // else the hard mask, or the key's own ramp
  std::optional<MattingMethod> refinement;  // none: closed_form, for a key from what it is sure of
  double edge_shift = 0, edge_feather = 0;  // of adjust_edge
  bool clean = true;  // drops parts below 5 % of the largest, fills holes below 1 % of the mask; warns if much goes
  bool foreground = true;  // estimates the subject's own colours
  std::vector<Preparation> preparations;
  int64_t seed = 0;
};

// What is told of the subject. Box, points, labels and prior go together; mask, trimap and key go alone.
struct Prompt {
  std::optional<Box> box;
  std::vector<Point> points;        // on top of `labels`
  ImageView<const uint8_t> labels;  // as grabcut's; no data: none
  ImageView<const uint8_t> mask;    // the subject, found already: above 127, or 1 in a mask of 0 and 1
  ImageView<const uint8_t> trimap;
  std::optional<KeyColor> key;
  ImageView<const float> prior;  // how likely each pixel belongs to the subject, of any size, from elsewhere
};

struct Cutout {
  Image<uint8_t> mask;                 // 255 where alpha is above one half
  AnyImage alpha;                      // in the picture's depth, times the picture's own
  std::optional<AnyImage> foreground;  // none: the picture's colours
  std::optional<Box> box;              // the mask's
  double confidence = 1;
  std::string method, subject, refine;  // what found the mask and the subject, what refined; empty: nothing did
  std::vector<std::pair<std::string, double>> seconds;  // of each stage, in the order they ran
  std::vector<std::string> warnings;
  Image<uint8_t> found;   // the mask before refinement, or the trimap that was given; no data: it is `mask`, or a
                          // tracker followed the frame
  Image<uint8_t> trimap;  // what a key's edge was refined from; no data for others
  Image<float> saliency;  // how likely each pixel belongs to the subject; no data: not asked
};

// Where the two stages that have a twin on a GPU may run instead. Each may decline, and is then done here.
struct Elsewhere {
  // As GrabCutter::cut; fills `mask` with 0 and 255.
  std::function<bool(ImageView<const uint8_t> labels, const std::optional<Box>& box, ImageView<const float> unary,
                     const GrabCutOptions& options, ImageView<uint8_t> mask, std::vector<std::string>& warnings)>
      grabcut;
  // As kmeans of the picture, or of its small copy, which it is given.
  std::function<std::optional<Kmeans>(const std::optional<AnyView>& small, const KmeansOptions& options,
                                      ImageView<uint8_t> labels)>
      kmeans;
};

// One opened picture: prepared once, with what was found of it so far, so that one more stroke costs a fraction of the
// first cut. The same prompts give the same bytes in any order, unless a cut resumes. Calls from many threads find the
// subject one after the other, and refine at the same time. A cut that is cancelled leaves the session as good as it
// was.
class Session {
 public:
  // The picture, 1 or 3 channels, or 4, the last of them its own alpha; that alpha alone (no data: opaque); and the
  // network must live as long as this, but for a picture of 4 channels or uint16, which is copied. Throws
  // std::invalid_argument if a size, a value or an option is out of range.
  Session(const AnyView& image, const AnyView& own_alpha, SessionOptions options);
  explicit Session(const AnyView& image, SessionOptions options = {});
  Session(Session&&) noexcept;
  ~Session();

  // With `resume`, a graph cut goes on from the latest one, if that had the same box, instead of starting anew: see
  // GrabCutter. Throws std::invalid_argument for a prompt that cannot work.
  Cutout cut(const Prompt& prompt, bool resume = false, const Elsewhere& elsewhere = {});

  // Ends the cuts that other threads are making: they throw Cancelled. Later ones are made as ever.
  void cancel();

  // A copy of the picture in which the subject is looked for, if `preparations` make it another.
  std::optional<AnyImage> prepared();

  class Flow;

 private:
  std::unique_ptr<Flow> flow_;
};

// A session for one cut.
Cutout remove_background(const AnyView& image, const Prompt& prompt = {}, const SessionOptions& options = {});

// The cutout as straight RGBA, in the picture's depth: 4 channels. `image` is the picture that was cut, of as many
// channels; throws std::invalid_argument for one of another size or depth.
AnyImage to_rgba(const AnyView& image, const Cutout& cutout);

}  // namespace alphacut
ALPHACUT_API_END
