// The flow's course: prepare, find, refine, clean the colours.
#include "flow/flow.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "alphacut/color.hpp"
#include "alphacut/foreground.hpp"
#include "alphacut/parallel.hpp"
#include "alphacut/preprocess.hpp"
#include "alphacut/threshold.hpp"
#include "flow/pieces.hpp"

namespace alphacut {
namespace {

constexpr double kNearlyAll = 0.99;  // of the picture: hardly a subject
constexpr double kDoubtful = 0.3;    // the confidence in that, at most

const char* name_of(MattingMethod method) {
  return method == MattingMethod::guided ? "guided" : method == MattingMethod::sampled ? "sampled" : "closed_form";
}

// The long side at most kSmallSide.
template <class T>
Image<T> shrunk(ImageView<const T> image) {
  const int64_t longest = std::max(image.height, image.width);
  const auto side = [&](int64_t n) {
    const double exact = static_cast<double>(n * kSmallSide) / static_cast<double>(longest);
    return std::max<int64_t>(1, static_cast<int64_t>(std::nearbyint(exact)));
  };
  Image<T> small(side(image.height), side(image.width), image.channels);
  resize_area(image, small);
  return small;
}

template <class T>
bool is_zero(const Image<T>& plane) {
  return std::all_of(plane.data(), plane.data() + plane.pixels(), [](T value) { return value == 0; });
}

// Nothing is empty, or all there is, in silence.
template <class T>
void require_some(ImageView<const uint8_t> mask, Found<T>& found) {
  const auto kept = static_cast<double>(count_nonzero(mask)), all = static_cast<double>(mask.pixels());
  if (kept == 0) {
    if (found.confidence > 0 || found.warnings.empty()) found.warnings.emplace_back("the cutout is empty");
    found.confidence = 0;
  } else if (kept > kNearlyAll * all) {
    found.warnings.emplace_back("the cutout is nearly the whole picture");
    found.confidence = std::min(found.confidence, kDoubtful);
  }
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
  std::lock_guard lock(mutex_);
  Call call{{}, resume, elsewhere};
  const CheckedPrompt checked(prompt, pixels_.height, pixels_.width);
  require_usable(checked);
  {
    const auto running = call.clock("preprocess");
    prepare();
  }
  Found<T> found = find(checked, call);
  if (!found.key && (options_.similarity || options_.blend || options_.despill))
    found.warnings.emplace_back("the ground was not keyed out: similarity, blend and despill changed nothing");
  Cutout cutout;
  Image<T> alpha;
  {
    const auto running = call.clock("refine");
    alpha = refined(found, cutout.refine);
    if (options_.edge_shift != 0 || options_.edge_feather != 0) {
      Image<T> moved = Image<T>::like(pixels_);
      adjust_edge<T>(alpha.view(), options_.edge_shift, options_.edge_feather, moved);
      quantize(moved);
      alpha = std::move(moved);
    }
    if (own_alpha_.data != nullptr) multiply_by_own(alpha);
  }
  {
    const auto running = call.clock("foreground");
    Image<T> colors;
    if (options_.foreground) {
      colors = Image<T>::like(pixels_, pixels_.channels);
      estimate_foreground<T, T>(pixels_, alpha, colors);
      quantize(colors);
    }
    if (options_.despill && found.key) {
      const ImageView<const T> from = colors.data() != nullptr ? ImageView<const T>(colors) : pixels_;
      // The preparation may have changed the colour of the background that it was found by.
      const bool anew = !options_.preparations.empty() && !checked.key;
      Image<T> result = Image<T>::like(pixels_, pixels_.channels);
      despill(from, KeyColor{(anew ? find_key(pixels_) : *found.key).color}, nullptr, 1.0, result);
      colors = std::move(result);
    }
    if (colors.data() != nullptr) cutout.foreground = stored(std::move(colors));
  }
  cutout.mask = Image<uint8_t>::like(pixels_);
  threshold(alpha.view(), kHalf<T>, cutout.mask);
  cutout.box = bounding_box(cutout.mask);
  if (is_zero(alpha)) {  // it must not carry the photo
    Image<T> colors = Image<T>::like(pixels_, pixels_.channels);
    std::fill_n(colors.data(), colors.pixels() * pixels_.channels, T{0});
    cutout.foreground = stored(std::move(colors));
  }
  cutout.alpha = stored(std::move(alpha));
  require_some(cutout.mask, found);
  cutout.confidence = found.confidence;
  cutout.method = std::move(found.method);
  cutout.subject = std::move(found.subject);
  cutout.seconds = std::move(call.clock.seconds);
  cutout.warnings = std::move(found.warnings);
  cutout.found = std::move(found.hint);
  cutout.saliency = std::move(found.saliency);
  if (prepared_) {
    Image<T> copy = Image<T>::like(working_, working_.channels);
    std::copy_n(prepared_->data(), copy.pixels() * working_.channels, copy.data());
    cutout.prepared = stored(std::move(copy));
  }
  return cutout;
}

// The copy in which the subject is looked for.
template <class T>
void FlowOf<T>::prepare() {
  if (working_.data != nullptr) return;
  for (const Preparation step : options_.preparations) {
    const ImageView<const T> from = prepared_ ? ImageView<const T>(*prepared_) : pixels_;
    Image<T> next = Image<T>::like(from, from.channels);
    if (step == Preparation::denoise)
      median(from, 3, next);
    else
      gray_world(from, next);
    quantize(next);
    prepared_ = std::move(next);
  }
  working_ = prepared_ ? ImageView<const T>(*prepared_) : pixels_;
}

template <class T>
Image<T> FlowOf<T>::refined(const Found<T>& found, std::string& refined_by) const {
  Image<T> alpha = Image<T>::like(pixels_);
  if (found.alpha.data() != nullptr && (!options_.refine || !options_.refinement)) {
    std::copy_n(found.alpha.data(), alpha.pixels(), alpha.data());
    return alpha;
  }
  if (!options_.refine || (found.method == "trimap" && !trimap_kinds(found.hint).unknown)) return of_mask(found.hint);
  const MattingMethod method = options_.refinement.value_or(MattingMethod::closed_form);
  refine_alpha<T>(working_, found.hint, method, alpha);
  quantize(alpha);
  refined_by = name_of(method);
  return alpha;
}

template <class T>
Image<T> FlowOf<T>::of_mask(ImageView<const uint8_t> mask) const {
  Image<T> alpha = Image<T>::like(mask);
  for_rows(mask.height, mask.width, [&](int64_t y) {
    if constexpr (std::is_same_v<T, uint8_t>)
      std::copy_n(mask.row(y), mask.width, alpha.row(y));
    else
      for (int64_t x = 0; x < mask.width; ++x) alpha.row(y)[x] = static_cast<float>(mask.row(y)[x]) / 255.0f;
  });
  quantize(alpha);
  return alpha;
}

// Rounded to nearest.
template <class T>
void FlowOf<T>::multiply_by_own(Image<T>& alpha) const {
  for_rows(alpha.height(), alpha.width(), [&](int64_t y) {
    T* __restrict a = alpha.row(y);
    const T* __restrict own = own_alpha_.row(y);
    for (int64_t x = 0; x < alpha.width(); ++x) {
      if constexpr (std::is_same_v<T, uint8_t>) {
        a[x] = static_cast<uint8_t>((static_cast<uint32_t>(a[x]) * own[x] + 127) / 255);
      } else if (wide_) {
        const auto whole = [](float v) { return static_cast<uint64_t>(std::nearbyint(v * kSteps)); };
        a[x] = static_cast<float>((whole(a[x]) * whole(own[x]) + 32767) / 65535) / kSteps;
      } else {
        a[x] *= own[x];
      }
    }
  });
}

template <class T>
void FlowOf<T>::quantize(Image<T>& values) const {
  if constexpr (std::is_same_v<T, float>) {
    if (!wide_) return;
    const int64_t n = values.view().width * values.view().channels;
    for_rows(values.height(), n, [&](int64_t y) {
      float* row = values.row(y);
      for (int64_t i = 0; i < n; ++i) row[i] = std::nearbyint(row[i] * kSteps) / kSteps;
    });
  }
}

// In the picture's depth.
template <class T>
AnyImage FlowOf<T>::stored(Image<T> values) const {
  if (!wide_) return values;
  Image<uint16_t> result = Image<uint16_t>::like(values.view(), values.view().channels);
  const int64_t n = result.view().width * result.view().channels;
  for_rows(result.height(), n, [&](int64_t y) {
    for (int64_t i = 0; i < n; ++i)
      result.row(y)[i] = static_cast<uint16_t>(std::nearbyint(static_cast<float>(values.row(y)[i]) * kSteps));
  });
  return result;
}

template <class T>
ImageView<const uint8_t> FlowOf<T>::bytes() {
  if constexpr (std::is_same_v<T, uint8_t>) {
    return working_;
  } else {
    if (!bytes_) bytes_ = in_bytes(working_);
    return bytes_->view();
  }
}

template <class T>
ImageView<const T> FlowOf<T>::small() {
  if (std::max(working_.height, working_.width) <= kSmallSide) return working_;
  if (!small_) {
    Image<T> made = shrunk(working_);
    quantize(made);
    small_ = std::move(made);
  }
  return small_->view();
}

template <class T>
ImageView<const uint8_t> FlowOf<T>::small_bytes() {
  if constexpr (std::is_same_v<T, uint8_t>) {
    return small();
  } else {
    if (!small_bytes_) small_bytes_ = in_bytes(small());
    return small_bytes_->view();
  }
}

template class FlowOf<uint8_t>;
template class FlowOf<float>;

}  // namespace alphacut
