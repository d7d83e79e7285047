// The picture's depth and its smaller forms.
#include "depth.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "alphacut/preprocess.hpp"
#include "flow/flow.hpp"
#include "flow/pieces.hpp"

namespace alphacut {
namespace {

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

}  // namespace

template <class T>
Image<T> FlowOf<T>::of_mask(ImageView<const uint8_t> mask) const {
  Image<T> alpha = Image<T>::like(mask);
  for_rows(mask.height, mask.width, [&](int64_t y) { from_mask(mask.row(y), mask.width, alpha.row(y)); });
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
        const auto whole = [](float v) { return static_cast<uint64_t>(nearest_whole(v * kSteps)); };
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
      for (int64_t i = 0; i < n; ++i) row[i] = nearest_whole(row[i] * kSteps) / kSteps;
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
    if constexpr (std::is_same_v<T, float>) in_steps(values.row(y), n, result.row(y));
  });
  return result;
}

template <class T>
ImageView<const uint8_t> FlowOf<T>::bytes() {
  if constexpr (std::is_same_v<T, uint8_t>) {
    return working_;
  } else {
    if (!bytes_) {  // kept when it is whole: a cut may be cancelled in between
      Image<uint8_t> made(working_.height, working_.width, working_.channels);
      in_bytes(working_, made);
      bytes_ = std::move(made);
    }
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
    if (!small_bytes_) {
      Image<uint8_t> made(small().height, small().width, small().channels);
      in_bytes(small(), made);
      small_bytes_ = std::move(made);
    }
    return small_bytes_->view();
  }
}

template Image<uint8_t> FlowOf<uint8_t>::of_mask(ImageView<const uint8_t>) const;
template void FlowOf<uint8_t>::multiply_by_own(Image<uint8_t>&) const;
template void FlowOf<uint8_t>::quantize(Image<uint8_t>&) const;
template AnyImage FlowOf<uint8_t>::stored(Image<uint8_t>) const;
template ImageView<const uint8_t> FlowOf<uint8_t>::bytes();
template ImageView<const uint8_t> FlowOf<uint8_t>::small();
template ImageView<const uint8_t> FlowOf<uint8_t>::small_bytes();
template Image<float> FlowOf<float>::of_mask(ImageView<const uint8_t>) const;
template void FlowOf<float>::multiply_by_own(Image<float>&) const;
template void FlowOf<float>::quantize(Image<float>&) const;
template AnyImage FlowOf<float>::stored(Image<float>) const;
template ImageView<const uint8_t> FlowOf<float>::bytes();
template ImageView<const float> FlowOf<float>::small();
template ImageView<const uint8_t> FlowOf<float>::small_bytes();

}  // namespace alphacut
