// The flow's course: prepare, find, refine, clean the colours.
#include "flow/flow.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <type_traits>

#include "alphacut/color.hpp"
#include "alphacut/foreground.hpp"
#include "alphacut/parallel.hpp"
#include "alphacut/preprocess.hpp"
#include "flow/pieces.hpp"

namespace alphacut {
namespace {

constexpr double kKeyBand = 1.5;     // pixels to either side of a key's edge that are found out
constexpr double kRingingBand = 3;   // ... where the background next to it is uneven, and neutral
constexpr double kUneven = 0.25;     // the share of its pixels that makes it so
constexpr double kNearlyAll = 0.99;  // of the picture: hardly a subject
constexpr double kDoubtful = 0.3;    // the confidence in that, at most

const char* name_of(MattingMethod method) {
  return method == MattingMethod::guided ? "guided" : method == MattingMethod::sampled ? "sampled" : "closed_form";
}

// A row's mask at one half; whether any alpha is above 0.
template <class T>
bool cut_at_half(const T* __restrict alpha, int64_t n, uint8_t* __restrict mask) {
  uint8_t any = 0;
  for (int64_t x = 0; x < n; ++x) {
    mask[x] = alpha[x] > kHalf<T> ? 255 : 0;
    any |= alpha[x] != 0;
  }
  return any != 0;
}

// Whether the background is uneven next to the edge, as by the ringing and the blocks of JPEG: neighbours in a row
// differ by more than a level and a half, 4 to 9 pixels from the mask.
template <class T>
bool rings(ImageView<const T> image, const Found<T>& found) {
  constexpr double differs = 1.5 / 255 * static_cast<double>(kOpaque<T>);
  std::atomic<int64_t> uneven{0}, seen{0};
  for_rows(image.height, image.width, [&](int64_t y) {
    const uint8_t* mask = found.hint.row(y);
    const T *alpha = found.alpha.row(y), *row = image.row(y);
    int64_t all = 0, some = 0;
    const auto look = [&](int64_t x) {
      if (x < 1 || x >= image.width || mask[x] != 0 || alpha[x] != 0 || alpha[x - 1] != 0) return;
      bool any = false;
      for (int64_t c = x * image.channels; c < (x + 1) * image.channels; ++c)
        any |= std::abs(static_cast<double>(row[c]) - static_cast<double>(row[c - image.channels])) > differs;
      ++all;
      some += any;
    };
    for (int64_t x = 1; x < image.width; ++x) {
      if ((mask[x] != 0) == (mask[x - 1] != 0)) continue;
      for (int64_t i = 4; i < 10; ++i) look(mask[x] != 0 ? x - i : x - 1 + i);
    }
    seen += all;
    uneven += some;
  });
  return kUneven * static_cast<double>(seen) < static_cast<double>(uneven);
}

// What a key is sure of is known: unknown are the pixels of its ramp and those next to its edge. False if that leaves
// nothing to find out, or nothing known of either side. On 180 composites over white, gray, off-white and green the
// matte of this trimap has 0.65 of the ramp's error near the edge, that of the mask's own trimap 0.72.
template <class T>
bool trimap_of_key(ImageView<const T> image, const Found<T>& found, Image<uint8_t>& trimap) {
  Image<uint8_t> made = Image<uint8_t>::like(found.hint.view());
  const bool wide = saturation(*found.key) < 0.5 && rings(image, found);
  make_trimap(found.hint, wide ? kRingingBand : kKeyBand, made);
  for (int64_t i = 0; i < made.pixels(); ++i)
    if (found.alpha.data()[i] > 0 && found.alpha.data()[i] < kOpaque<T>) made.data()[i] = 128;
  const TrimapKinds kinds = trimap_kinds(made);
  if (!kinds.background || !kinds.unknown || !kinds.foreground) return false;
  trimap = std::move(made);
  return true;
}

// Nothing is empty, or all there is, in silence.
template <class T>
void require_some(int64_t count, int64_t pixels, Found<T>& found) {
  const auto kept = static_cast<double>(count), all = static_cast<double>(pixels);
  if (kept == 0) {
    if (found.confidence > 0 || found.warnings.empty()) found.warnings.emplace_back("the cutout is empty");
    found.confidence = 0;
  } else if (kept > kNearlyAll * all) {
    found.warnings.emplace_back("the cutout is nearly the whole picture");
    found.confidence = std::min(found.confidence, kDoubtful);
  }
}

// A picture that is nearly black may be one of fewer bits, as 12 in 16.
template <class T>
void require_light(ImageView<const T> image, Found<T>& found) {
  if (found.method == "alpha" || found.method == "mask" || found.method == "trimap") return;
  constexpr double limit = static_cast<double>(kOpaque<T>) / 16;
  for (int64_t y = 0; y < image.height; ++y)
    if (static_cast<double>(*std::max_element(image.row(y), image.row(y) + image.width * image.channels)) > limit)
      return;
  found.warnings.emplace_back("the picture is nearly black: no value is above a sixteenth of full scale");
  found.confidence = std::min(found.confidence, kDoubtful);
}

}  // namespace

template <class T>
FlowOf<T>::FlowOf(ImageView<const T> pixels, Image<T> owned, ImageView<const T> own_alpha, Image<T> owned_alpha,
                  bool wide, SessionOptions options)
    : options_(std::move(options)),
      wide_(wide),
      owned_(std::move(owned)),
      owned_alpha_(std::move(owned_alpha)),
      pixels_(pixels),
      own_alpha_(own_alpha) {}

template <class T>
Cutout FlowOf<T>::cut(const Prompt& prompt, bool resume, const Elsewhere& elsewhere) {
  Call call{{}, resume, elsewhere};
  const CheckedPrompt checked(prompt, pixels_.height, pixels_.width);
  require_usable(checked);
  Found<T> found = found_alone(checked, call);
  require_light(pixels_, found);
  if (!found.key && (options_.similarity || options_.blend || options_.despill))
    found.warnings.emplace_back("the background was not keyed out: similarity, blend and despill changed nothing");
  Cutout cutout;
  Image<T> alpha;
  Extent extent;
  const bool edged = options_.edge_shift != 0 || options_.edge_feather != 0;
  const bool final = is_hard(found) && !edged && own_alpha_.data == nullptr;  // alpha is the mask that was found
  if (final) {
    const auto running = call.clock("refine");
    alpha = Image<T>::like(pixels_);
    cutout.mask = std::move(found.hint);
    extent = extent_of(cutout.mask, [&](int64_t y) { from_mask(cutout.mask.row(y), alpha.width(), alpha.row(y)); });
  } else {
    const auto running = call.clock("refine");
    alpha = refined(found, cutout.refine, cutout.trimap);
    if (edged) {
      Image<T> moved = Image<T>::like(pixels_);
      adjust_edge<T>(alpha.view(), options_.edge_shift, options_.edge_feather, moved);
      quantize(moved);
      alpha = std::move(moved);
    }
  }
  {
    const auto running = call.clock("foreground");
    Image<T> colors;
    const bool keyed = found.key && (options_.despill || options_.foreground);
    if (options_.foreground && found.method != "alpha") {
      if constexpr (std::is_same_v<T, float>)
        if (wide_ && !keyed) {
          Image<uint16_t> steps = Image<uint16_t>::like(pixels_, pixels_.channels);
          estimate_foreground(shown(), alpha, steps);
          cutout.foreground = std::move(steps);
        }
      if (!cutout.foreground) {
        colors = Image<T>::like(pixels_, pixels_.channels);
        estimate_foreground<T, T>(shown(), alpha, colors);
        quantize(colors);
      }
    }
    if (keyed) {
      const ImageView<const T> from = colors.data() != nullptr ? ImageView<const T>(colors) : pixels_;
      // The preparation may have changed the colour of the background that it was found by.
      const bool anew = !options_.preparations.empty() && !checked.key;
      const ImageView<const T> matte = alpha;  // where it is full, only what is asked for changes
      Image<T> result = Image<T>::like(pixels_, pixels_.channels);
      const KeyColor key{(anew ? find_key(shown()) : *found.key).color};
      despill(from, key, options_.despill ? ImageView<const T>{} : matte, 1.0, result);
      colors = std::move(result);
    }
    if (colors.data() != nullptr) cutout.foreground = stored(std::move(colors));
    if (own_alpha_.data != nullptr) multiply_by_own(alpha);
  }
  std::atomic<bool> some{extent.count > 0};
  if (!final) {
    const auto running = call.clock("refine");
    cutout.mask = Image<uint8_t>::like(pixels_);
    extent = extent_of(cutout.mask, [&](int64_t y) {
      if (cut_at_half(alpha.row(y), alpha.width(), cutout.mask.row(y))) some = true;
    });
    cutout.found = std::move(found.hint);
  }
  cutout.box = extent.box;
  if (!some) {  // it must not carry the photo
    Image<T> colors = Image<T>::like(pixels_, pixels_.channels);
    std::fill_n(colors.data(), colors.pixels() * pixels_.channels, T{0});
    cutout.foreground = stored(std::move(colors));
  }
  cutout.alpha = stored(std::move(alpha));
  require_some(extent.count, cutout.mask.pixels(), found);
  cutout.confidence = found.confidence;
  cutout.method = std::move(found.method);
  cutout.subject = std::move(found.subject);
  cutout.seconds = std::move(call.clock.seconds);
  cutout.warnings = std::move(found.warnings);
  cutout.saliency = std::move(found.saliency);
  return cutout;
}

// One cut at a time finds; what follows reads only what finding leaves as it is.
template <class T>
Found<T> FlowOf<T>::found_alone(const CheckedPrompt& prompt, Call& call) {
  std::lock_guard lock(mutex_);
  {
    const auto running = call.clock("preprocess");
    prepare();
  }
  if (prompt.labels) {
    const auto running = call.clock("segment");
    labels_.take(prompt.labels);
  }
  Found<T> found = find(prompt, call);
  if (prompt.boxed_at_most() && !found.resumed) keep_unprompted(prompt.box, found.hint);
  return found;
}

template <class T>
std::optional<AnyImage> FlowOf<T>::prepared() {
  std::lock_guard lock(mutex_);
  prepare();
  if (!prepared_) return std::nullopt;
  return stored(copied<T>(*prepared_));
}

// The copy in which the subject is looked for.
template <class T>
void FlowOf<T>::prepare() {
  if (working_.data != nullptr) return;
  judge_own_alpha();
  std::optional<Image<T>> made;  // kept when all steps are done: a cut may be cancelled in between
  for (const Preparation step : options_.preparations) {
    const ImageView<const T> from = made ? ImageView<const T>(*made) : shown();
    Image<T> next = Image<T>::like(from, from.channels);
    if (step == Preparation::denoise)
      median(from, 3, next);
    else
      gray_world(from, next);
    quantize(next);
    made = std::move(next);
  }
  prepared_ = std::move(made);
  working_ = prepared_ ? ImageView<const T>(*prepared_) : shown();
}

// Whether what was found is a mask that is cut out as it is.
template <class T>
bool FlowOf<T>::is_hard(const Found<T>& found) const {
  if (found.method == "alpha" || (found.alpha.data() != nullptr && !options_.refinement)) return false;
  return found.method == "trimap" ? !trimap_kinds(found.hint).unknown : !options_.refine;
}

template <class T>
Image<T> FlowOf<T>::refined(const Found<T>& found, std::string& refined_by, Image<uint8_t>& trimap) const {
  Image<T> alpha = Image<T>::like(pixels_);
  if (found.method == "alpha") {  // the picture's own is multiplied in
    std::fill_n(alpha.data(), alpha.pixels(), kOpaque<T>);
    return alpha;
  }
  if (found.alpha.data() != nullptr && !options_.refinement) {
    if (options_.refine && trimap_of_key(working_, found, trimap)) {
      refine_alpha<T>(working_, trimap, MattingMethod::closed_form, alpha);
      quantize(alpha);
      refined_by = name_of(MattingMethod::closed_form);
    } else {
      std::copy_n(found.alpha.data(), alpha.pixels(), alpha.data());
    }
    return alpha;
  }
  if (!options_.refine || is_hard(found)) return of_mask(found.hint);
  const MattingMethod method = options_.refinement.value_or(MattingMethod::closed_form);
  refine_alpha<T>(working_, found.hint, method, alpha);
  quantize(alpha);
  refined_by = name_of(method);
  return alpha;
}

template class FlowOf<uint8_t>;
template class FlowOf<float>;

}  // namespace alphacut
