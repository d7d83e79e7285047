// The subject is what is left when the background's colour is taken out.
#include <algorithm>
#include <cmath>

#include "alphacut/chromakey.hpp"
#include "alphacut/threshold.hpp"
#include "flow/flow.hpp"
#include "flow/pieces.hpp"

namespace alphacut {
namespace {

constexpr double kSimilarity = 0.03;                // of chroma_key, where nothing is said
constexpr double kBlend = 0.05, kMoreBlend = 0.15;  // for a neutral key, and what a saturated one adds
constexpr double kBand = 3;                         // around the cleaned mask, that keeps the key's alpha
constexpr double kFull = 0.75, kSolid = 0.95;       // of the picture, of its box: a subject that may be framed

// The share of the border's pixels that went with the background.
template <class T>
double keyed_border(ImageView<const T> alpha) {
  int64_t keyed = 0, border = 0;
  for (int64_t y = 0; y < alpha.height; ++y) {
    const bool whole = y == 0 || y == alpha.height - 1;
    for (int64_t x = 0; x < alpha.width; x += whole || alpha.width == 1 ? 1 : alpha.width - 1) {
      ++border;
      keyed += alpha.row(y)[x] <= kHalf<T>;
    }
  }
  return static_cast<double>(keyed) / static_cast<double>(border);
}

std::string percent(double share) { return std::to_string(static_cast<int>(std::nearbyint(100 * share))) + "%"; }

}  // namespace

template <class T>
std::optional<Found<T>> FlowOf<T>::by_key(const CheckedPrompt& prompt, Call& call, bool must) {
  Found<T> found;
  found.method = "key";
  {
    const auto running = call.clock("key");
    const KeyColor key = prompt.key ? *prompt.key : find_key(working_);
    if (!prompt.key && key.uniformity < kUniformBorder && !must) return std::nullopt;
    found.alpha = Image<T>::like(working_);
    const double blend = options_.blend.value_or(kBlend + kMoreBlend * saturation(key));
    chroma_key(working_, key, options_.similarity.value_or(kSimilarity), blend, !prompt.key, found.alpha);
    quantize(found.alpha);
    found.key = key;
    found.confidence = prompt.key ? keyed_border<T>(found.alpha.view()) : key.uniformity;
  }
  const auto running = call.clock("clean");
  found.hint = Image<uint8_t>::like(working_);
  threshold(found.alpha.view(), kHalf<T>, found.hint);
  if (options_.clean) {
    clean_mask(found.hint);
    Image<uint8_t> trimap = Image<uint8_t>::like(working_);
    make_trimap(found.hint, kBand, trimap);
    for (int64_t i = 0; i < trimap.pixels(); ++i)
      if (trimap.data()[i] == 0) found.alpha.data()[i] = 0;
  }
  if (found.confidence < kUniformBorder)
    found.warnings.push_back("only " + percent(found.confidence) + " of the border has the colour that was keyed out");
  return found;
}

// Whether a uniform border is but the frame of a picture, whose subject is another.
template <class T>
bool FlowOf<T>::framed(const Found<T>& keyed, Call& call) {
  const std::optional<Box> box = bounding_box(keyed.hint);
  const auto area = [](int64_t n) { return static_cast<double>(n); };
  if (!options_.network || !box) return false;
  const double solid = area(count_nonzero(keyed.hint)), boxed = area(box->width * box->height);
  if (boxed < kFull * area(keyed.hint.pixels()) || solid < kSolid * boxed) return false;
  const auto running = call.clock("subject");
  Image<float> saliency = Image<float>::like(small());
  finder().find({}, std::nullopt, saliency);
  if (std::all_of(saliency.data(), saliency.data() + saliency.pixels(), [](float p) { return p == 0; })) return false;
  return agreement(saliency, nearest(keyed.hint, saliency.height(), saliency.width())) < 0.5;
}

template std::optional<Found<uint8_t>> FlowOf<uint8_t>::by_key(const CheckedPrompt&, Call&, bool);
template std::optional<Found<float>> FlowOf<float>::by_key(const CheckedPrompt&, Call&, bool);
template bool FlowOf<uint8_t>::framed(const Found<uint8_t>&, Call&);
template bool FlowOf<float>::framed(const Found<float>&, Call&);

}  // namespace alphacut
