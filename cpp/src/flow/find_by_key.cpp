// The subject is what is left when the background's colour is taken out.
#include <algorithm>
#include <cmath>

#include "alphacut/chromakey.hpp"
#include "alphacut/threshold.hpp"
#include "cleaning.hpp"
#include "flow/flow.hpp"
#include "flow/pieces.hpp"
#include "plain_background.hpp"
#include "probability_at.hpp"

namespace alphacut {
namespace {

constexpr double kSimilarity = 0.03;                // of chroma_key, where nothing is said
constexpr double kBlend = 0.05, kMoreBlend = 0.15;  // for a neutral key, and what a saturated one adds
constexpr int64_t kBand = 3;                        // pixels around the cleaned mask, that keeps the key's alpha
constexpr float kSure = 0.98f;                      // that likely the subject, alpha is full
constexpr int64_t kNear = 2;                        // pixels from what is not background: shadow may be an edge
constexpr double kFull = 0.75, kSolid = 0.95;       // of the picture, of its box: a subject that may be framed

std::string percent(double share) { return std::to_string(static_cast<int>(std::nearbyint(100 * share))) + "%"; }

// Whether all within kNear of a pixel is background.
bool surrounded(const Image<uint8_t>& background, int64_t y, int64_t x) {
  const int64_t top = std::max<int64_t>(y - kNear, 0), bottom = std::min(y + kNear, background.height() - 1);
  const int64_t left = std::max<int64_t>(x - kNear, 0), right = std::min(x + kNear, background.width() - 1);
  for (int64_t v = top; v <= bottom; ++v) {
    const uint8_t* row = background.row(v);
    if (std::any_of(row + left, row + right + 1, [](uint8_t is_background) { return is_background == 0; }))
      return false;
  }
  return true;
}

// Whether a mask has a pixel at most kBand from this one.
bool reached(const Image<uint8_t>& mask, int64_t y, int64_t x) {
  for (int64_t dy = std::max(-kBand, -y); dy <= std::min(kBand, mask.height() - 1 - y); ++dy)
    for (int64_t dx = std::max(-kBand, -x); dx <= std::min(kBand, mask.width() - 1 - x); ++dx)
      if (dy * dy + dx * dx <= kBand * kBand && mask.row(y + dy)[x + dx] != 0) return true;
  return false;
}

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
    const double similarity = options_.similarity.value_or(kSimilarity);
    bool learned = !prompt.key && options_.network != nullptr;
    if (learned) {
      found.subject = "learned";
      found.saliency = Image<float>::like(small());
      finder().find({}, std::nullopt, found.saliency);
      learned = !all_zero(found.saliency);
    }
    chroma_key(working_, key, similarity, blend, !prompt.key && !learned, found.alpha);
    if (!prompt.key) judge_ramp(key, similarity, found);
    quantize(found.alpha);
    found.key = key;
    found.confidence = prompt.key ? border_share<T>(found.alpha, kHalf<T>) : key.uniformity;
  }
  const auto running = call.clock("clean");
  found.hint = Image<uint8_t>::like(working_);
  threshold(found.alpha.view(), kHalf<T>, found.hint);
  if (options_.clean) {
    clean_mask(found.hint).tell(found.warnings);
    for_rows(working_.height, working_.width, [&](int64_t y) {
      T* alpha = found.alpha.row(y);
      const uint8_t* mask = found.hint.row(y);
      for (int64_t x = 0; x < working_.width; ++x)
        if (alpha[x] > 0 && mask[x] == 0 && !reached(found.hint, y, x)) alpha[x] = 0;
    });
  }
  if (found.confidence < kUniformBorder)
    found.warnings.push_back("only " + percent(found.confidence) + " of the border has the colour that was keyed out");
  return found;
}

// A key that was found is more than a colour: shadows are background, too, though next to the subject they may be its
// soft edge, which stays open below half; and what is not background but has partial alpha belongs to the subject where
// that is likely. Without a network nothing enclosed is background.
template <class T>
void FlowOf<T>::judge_ramp(const KeyColor& key, double similarity, Found<T>& found) {
  constexpr T above_half = static_cast<T>(std::is_same_v<T, uint8_t> ? 128 : 0.502);
  constexpr T below_half = static_cast<T>(std::is_same_v<T, uint8_t> ? 127 : 0.498);
  ImageView<const float> probability;
  if (found.saliency.data() != nullptr && !all_zero(found.saliency)) probability = found.saliency;
  Image<uint8_t> background = Image<uint8_t>::like(working_);
  plain_background(working_, key, similarity, probability, background);
  for_rows(working_.height, working_.width, [&](int64_t y) {
    const ProbabilityAt likely(probability, working_.height, working_.width);
    const uint8_t* is_background = background.row(y);
    T* alpha = found.alpha.row(y);
    for (int64_t x = 0; x < working_.width; ++x) {
      if (is_background[x] != 0) {
        if (alpha[x] > 0) alpha[x] = surrounded(background, y, x) ? T(0) : std::min(alpha[x], below_half);
      } else if (alpha[x] < kOpaque<T> && probability.data != nullptr) {
        const float p = likely(y, x);
        if (p > kSure)
          alpha[x] = kOpaque<T>;
        else if (p > 0.5f)
          alpha[x] = std::max(alpha[x], above_half);
      }
    }
  });
}

// Whether a uniform border is but the frame of a picture, whose subject is another.
template <class T>
bool FlowOf<T>::framed(const Found<T>& keyed) const {
  const auto [box, count] = extent_of(keyed.hint);
  const auto area = [](int64_t n) { return static_cast<double>(n); };
  if (keyed.saliency.data() == nullptr || !box) return false;
  const double solid = area(count), boxed = area(box->width * box->height);
  if (boxed < kFull * area(keyed.hint.pixels()) || solid < kSolid * boxed) return false;
  const Image<float>& saliency = keyed.saliency;
  if (all_zero(saliency)) return false;
  return agreement(saliency, nearest(keyed.hint, saliency.height(), saliency.width())) < 0.5;
}

template std::optional<Found<uint8_t>> FlowOf<uint8_t>::by_key(const CheckedPrompt&, Call&, bool);
template std::optional<Found<float>> FlowOf<float>::by_key(const CheckedPrompt&, Call&, bool);
template void FlowOf<uint8_t>::judge_ramp(const KeyColor&, double, Found<uint8_t>&);
template void FlowOf<float>::judge_ramp(const KeyColor&, double, Found<float>&);
template bool FlowOf<uint8_t>::framed(const Found<uint8_t>&) const;
template bool FlowOf<float>::framed(const Found<float>&) const;

}  // namespace alphacut
