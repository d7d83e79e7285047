#include <stdexcept>

#include "alphacut/subject.hpp"
#include "alphacut/threshold.hpp"
#include "flow/flow.hpp"
#include "flow/pieces.hpp"
#include "planes.hpp"
#include "points.hpp"

namespace alphacut {
namespace {

void require(bool holds, const std::string& message) {
  if (!holds) throw std::invalid_argument(message);
}

}  // namespace

void Clock::add(std::string stage, double added) {
  for (auto& [name, sum] : seconds)
    if (name == stage) {
      sum += added;
      return;
    }
  seconds.emplace_back(std::move(stage), added);
}

CheckedPrompt::CheckedPrompt(const Prompt& prompt, int64_t height, int64_t width)
    : labels(prompt.labels), mask(prompt.mask), trimap(prompt.trimap), key(prompt.key), prior(prompt.prior) {
  const auto require_size = [&](ImageView<const uint8_t> plane, const char* name) {
    require(plane.data == nullptr || (plane.height == height && plane.width == width && plane.channels == 1),
            std::string(name) + " must have the picture's size");
  };
  require_size(labels, "labels");
  require_size(mask, "mask");
  require_size(trimap, "trimap");
  const bool shown = prompt.box || !prompt.points.empty() || labels.data != nullptr || prior.data != nullptr;
  const int kinds = shown + (mask.data != nullptr) + (trimap.data != nullptr) + key.has_value();
  require(kinds <= 1, "the prompts contradict: only box, points, labels and prior go together");
  require(prior.data == nullptr || (prior.channels == 1 && !prior.empty()), "prior must have one channel, no side 0");
  if (trimap.data != nullptr) {
    const TrimapKinds found = trimap_kinds(trimap);
    const auto known = [&](bool any, const char* kind) {
      require(!found.unknown || any, std::string("trimap has unknown pixels (between 0 and 255) but no known ") + kind);
    };
    known(found.background, "background (0)");
    known(found.foreground, "foreground (255)");
  }
  if (prompt.box) box = clipped(*prompt.box, height, width);
  require(box || !prompt.box, "box must have sides of at least 1 and overlap the picture");
  if (prompt.points.empty()) return;
  drawn = with_points(labels, prompt.points, height, width, box.has_value());
  labels = drawn.view();
}

template <class T>
void FlowOf<T>::require_usable(const CheckedPrompt& prompt) const {
  const CutMethod method = options_.method;
  if (method == CutMethod::automatic) return;
  const bool cut = method == CutMethod::graphcut, keyed = method == CutMethod::key;
  require(!prompt.box || !keyed, "method: the key cannot use box");
  require(prompt.labels.data == nullptr || cut, "method: only automatic and graphcut can use labels and points");
  require(prompt.prior.data == nullptr || cut, "method: only automatic and graphcut can use a prior");
  require(!prompt.key || keyed, "method: only automatic and key can use key");
  require(prompt.mask.data == nullptr && prompt.trimap.data == nullptr,
          "method: only automatic can use mask or trimap");
}

template <class T>
Found<T> FlowOf<T>::find(const CheckedPrompt& prompt, Call& call, GrabCutter* cutter) {
  const bool given = prompt.trimap.data != nullptr;
  if (given || prompt.mask.data != nullptr) {
    const ImageView<const uint8_t> from = given ? prompt.trimap : prompt.mask;
    Found<T> found;
    found.method = given ? "trimap" : "mask";
    if (given) {
      found.hint = copied(from);
    } else {
      found.hint = Image<uint8_t>::like(from);
      threshold(from, largest_of(from) > 1 ? 127 : 0, found.hint);  // a soft mask is cut at half
    }
    return found;
  }
  CutMethod method = options_.method;
  const bool alone = !prompt.tells() && prompt.prior.data == nullptr && !prompt.key;
  if (method == CutMethod::automatic && alone && cut_out_) {
    Found<T> found;
    found.method = "alpha";
    found.hint = Image<uint8_t>::like(pixels_);
    threshold(own_alpha_, kHalf<T>, found.hint);
    found.warnings.emplace_back("the picture is cut out already: its alpha and colours are kept");
    return found;
  }
  if (method == CutMethod::automatic && (prompt.tells() || prompt.prior.data != nullptr)) method = CutMethod::graphcut;
  if (method == CutMethod::automatic || method == CutMethod::key) {
    const bool must = method == CutMethod::key || prompt.key;
    std::optional<Found<T>> keyed = by_key(prompt, call, must);
    if (keyed && (must || !framed(*keyed))) return std::move(*keyed);
    Call anew{std::move(call.clock), call.resume && !keyed, call.elsewhere};
    Found<T> found = by_graphcut(prompt, anew, cutter);
    call.clock = std::move(anew.clock);
    if (keyed) found.warnings.emplace_back("the uniform border was taken for a frame; method='key' keys it out");
    return found;
  }
  if (method == CutMethod::graphcut) return by_graphcut(prompt, call, cutter);
  return method == CutMethod::kmeans ? by_kmeans(prompt, call) : by_threshold(prompt, call);
}

template void FlowOf<uint8_t>::require_usable(const CheckedPrompt&) const;
template void FlowOf<float>::require_usable(const CheckedPrompt&) const;
template Found<uint8_t> FlowOf<uint8_t>::find(const CheckedPrompt&, Call&, GrabCutter*);
template Found<float> FlowOf<float>::find(const CheckedPrompt&, Call&, GrabCutter*);

}  // namespace alphacut
