#include <algorithm>
#include <stdexcept>

#include "alphacut/subject.hpp"
#include "alphacut/threshold.hpp"
#include "flow/flow.hpp"
#include "flow/pieces.hpp"

namespace alphacut {
namespace {

constexpr int64_t kPointShare = 200;  // a point is a disc of a radius of one in so many pixels of the longer side

void require(bool holds, const std::string& message) {
  if (!holds) throw std::invalid_argument(message);
}

Box clipped(const Box& box, int64_t height, int64_t width) {
  const int64_t left = std::max<int64_t>(box.x, 0), top = std::max<int64_t>(box.y, 0);
  const bool meets =
      box.width >= 1 && box.height >= 1 && box.x < width && box.y < height && box.x > -box.width && box.y > -box.height;
  require(meets, "box must have sides of at least 1 and overlap the picture");
  const int64_t right = box.x > width - box.width ? width : box.x + box.width;
  const int64_t bottom = box.y > height - box.height ? height : box.y + box.height;
  return {left, top, right - left, bottom - top};
}

void draw(const Point& point, int64_t radius, Image<uint8_t>& labels) {
  const int64_t height = labels.height(), width = labels.width();
  require(point.x >= 0 && point.x < static_cast<double>(width) && point.y >= 0 && point.y < static_cast<double>(height),
          "points: (" + std::to_string(point.x) + ", " + std::to_string(point.y) + ") lies outside the picture of " +
              std::to_string(width) + " x " + std::to_string(height));
  const auto cx = static_cast<int64_t>(point.x), cy = static_cast<int64_t>(point.y);
  for (int64_t y = std::max<int64_t>(cy - radius, 0); y <= std::min(cy + radius, height - 1); ++y)
    for (int64_t x = std::max<int64_t>(cx - radius, 0); x <= std::min(cx + radius, width - 1); ++x)
      if ((y - cy) * (y - cy) + (x - cx) * (x - cx) <= radius * radius) labels.row(y)[x] = point.keep ? 1 : 0;
}

}  // namespace

void Clock::add(const std::string& stage, double added) {
  for (auto& [name, sum] : seconds)
    if (name == stage) {
      sum += added;
      return;
    }
  seconds.emplace_back(stage, added);
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
  for (int64_t y = 0; y < (labels.data != nullptr ? height : 0); ++y) {
    const uint8_t most = *std::max_element(labels.row(y), labels.row(y) + width);
    require(most <= 3, "labels must be 0, 1, 2 or 3, got " + std::to_string(most));
  }
  if (trimap.data != nullptr) {
    const TrimapKinds found = trimap_kinds(trimap);
    const auto known = [&](bool any, const char* kind) {
      require(!found.unknown || any, std::string("trimap has unknown pixels (between 0 and 255) but no known ") + kind);
    };
    known(found.background, "background (0)");
    known(found.foreground, "foreground (255)");
  }
  if (prompt.box) box = clipped(*prompt.box, height, width);
  draw_points(prompt.points, height, width);
  if (labels.data != nullptr) only = only_kind(labels, box.has_value());
}

void CheckedPrompt::draw_points(const std::vector<Point>& points, int64_t height, int64_t width) {
  if (points.empty()) return;
  drawn = Image<uint8_t>(height, width);
  for (int64_t y = 0; y < height; ++y) {
    if (labels.data != nullptr)
      std::copy_n(labels.row(y), width, drawn.row(y));
    else
      std::fill_n(drawn.row(y), width, uint8_t{box ? uint8_t{3} : uint8_t{2}});
  }
  const int64_t radius =
      std::max<int64_t>(1, std::min(std::max(height, width) / kPointShare, std::min(height, width) / 8));
  for (const Point& point : points) draw(point, radius, drawn);
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
    found.hint = Image<uint8_t>::like(from);
    uint8_t most = 0;
    for (int64_t y = 0; !given && y < from.height; ++y)
      most = std::max(most, *std::max_element(from.row(y), from.row(y) + from.width));
    const uint8_t limit = most > 1 ? 127 : 0;  // a soft mask is cut at half
    for (int64_t y = 0; y < from.height; ++y)
      for (int64_t x = 0; x < from.width; ++x)
        found.hint.row(y)[x] = given ? from.row(y)[x] : from.row(y)[x] > limit ? 255 : 0;
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
