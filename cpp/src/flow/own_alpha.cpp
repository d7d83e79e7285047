// A picture that brings its own alpha: whether it is cut out already, and what is seen where it hides its pixels.
#include <algorithm>
#include <array>

#include "alphacut/subject.hpp"
#include "alphacut/threshold.hpp"
#include "flow/flow.hpp"
#include "flow/pieces.hpp"

namespace alphacut {
namespace {

constexpr double kBorder = 0.9;  // of the border: nearly all of it
constexpr double kSolid = 0.95;  // of its box that is shown: a rectangle, with round corners or without
constexpr double kMost = 0.75;   // of the picture that such a rectangle fills: a photo, where nothing else tells
constexpr double kFar = 0.3;     // of full scale, in some channel: another colour

// The colour that the fewest pixels that are shown come near to; of equals the first.
template <class T>
std::array<T, 3> unlike(ImageView<const T> image, ImageView<const T> own_alpha) {
  constexpr T o = kOpaque<T>;
  constexpr T m = static_cast<T>(std::is_same_v<T, uint8_t> ? 128 : 0.5);
  constexpr std::array<std::array<T, 3>, 6> colors = {
      {{o, o, o}, {0, 0, 0}, {m, m, m}, {0, m, 0}, {o, 0, o}, {0, 0, o}}};
  const size_t usable = image.channels == 1 ? 3 : colors.size();
  std::array<int64_t, 6> near{};
  for (int64_t y = 0; y < image.height; ++y)
    for (int64_t x = 0; x < image.width; ++x) {
      if (own_alpha.row(y)[x] == 0) continue;
      const T* pixel = image.row(y) + x * image.channels;
      for (size_t k = 0; k < usable; ++k) {
        double apart = 0;
        for (int64_t c = 0; c < image.channels; ++c)
          apart = std::max(
              apart, std::abs(static_cast<double>(pixel[c]) - static_cast<double>(colors[k][static_cast<size_t>(c)])));
        near[k] += apart < kFar * static_cast<double>(o);
      }
    }
  return colors[static_cast<size_t>(std::min_element(near.begin(), near.begin() + static_cast<ptrdiff_t>(usable)) -
                                    near.begin())];
}

// Pixels that are not shown take the colour of the nearest in their row that is; rows without any, that of a row.
template <class T>
void continue_shown(ImageView<const uint8_t> shown, Image<T>& image, int64_t channels) {
  const int64_t height = shown.height, width = shown.width;
  std::vector<int64_t> rows;
  for (int64_t y = 0; y < height; ++y) {
    const uint8_t* is_shown = shown.row(y);
    T* row = image.row(y);
    int64_t last = -1;
    for (int64_t x = 0; x <= width; ++x) {
      if (x < width && is_shown[x] == 0) continue;
      for (int64_t i = last + 1; i < x && (last >= 0 || x < width); ++i) {
        const int64_t from = last < 0 || (x < width && x - i < i - last) ? x : last;
        std::copy_n(row + from * channels, channels, row + i * channels);
      }
      if (x < width) last = x;
    }
    if (last >= 0) rows.push_back(y);
  }
  for (int64_t y = 0; y < height && !rows.empty(); ++y) {
    const auto after = std::lower_bound(rows.begin(), rows.end(), y);
    if (after != rows.end() && *after == y) continue;
    const bool before = after == rows.end() || (after != rows.begin() && y - after[-1] <= *after - y);
    std::copy_n(image.row(before ? after[-1] : *after), width * channels, image.row(y));
  }
}

}  // namespace

// Cut out already is a picture whose alpha hides nearly all of its border, or most of it, unless what it shows is a
// photo. Pixels that are hidden are seen as nothing that is shown in the one, as what is next to them in the other:
// their own colours count nowhere. An alpha that hides nothing at all is forgotten.
template <class T>
void FlowOf<T>::judge_own_alpha() {
  if (own_alpha_.data == nullptr) return;
  int64_t hidden = 0, opaque = 0;
  for (int64_t y = 0; y < own_alpha_.height; ++y) {
    const T *row = own_alpha_.row(y), *end = row + own_alpha_.width;
    hidden += std::count(row, end, T{0});
    opaque += std::count(row, end, kOpaque<T>);
  }
  if (opaque == own_alpha_.pixels()) own_alpha_ = {};  // as good as none
  if (hidden == 0 || hidden == own_alpha_.pixels()) return;
  Image<uint8_t> shown = Image<uint8_t>::like(own_alpha_);
  threshold(own_alpha_, kHalf<T>, shown);
  const bool hides = border_share(own_alpha_, T{0}) >= kBorder || 2 * hidden >= own_alpha_.pixels();
  filled_ = copied(pixels_);
  const int64_t channels = pixels_.channels;
  const std::array<T, 3> color = unlike(pixels_, own_alpha_);
  for (int64_t y = 0; hides && y < pixels_.height; ++y)
    for (int64_t x = 0; x < pixels_.width; ++x)
      if (own_alpha_.row(y)[x] == 0) std::copy_n(color.data(), channels, filled_->row(y) + x * channels);
  cut_out_ = hides && !shows_photo(shown);
  if (cut_out_) return;
  if (!hides)
    for (int64_t y = 0; y < shown.height(); ++y)
      for (int64_t x = 0; x < shown.width(); ++x) shown.row(y)[x] = own_alpha_.row(y)[x] != 0 ? 255 : 0;
  continue_shown<T>(shown, *filled_, channels);
}

// Whether what is shown is a rectangle in which the network sees a subject that is but a part of it.
template <class T>
bool FlowOf<T>::shows_photo(const Image<uint8_t>& shown) {
  const auto [box, count] = extent_of(shown);
  if (!box) return false;
  const auto area = [](int64_t n) { return static_cast<double>(n); };
  const double boxed = area(box->width * box->height);
  if (area(count) < kSolid * boxed) return false;
  if (!options_.network) return boxed >= kMost * area(shown.pixels());
  struct Meanwhile {  // if it is cancelled, too
    FlowOf& flow;
    ~Meanwhile() {
      flow.working_ = {};
      flow.bytes_.reset(), flow.small_bytes_.reset(), flow.small_.reset();
    }
  } const meanwhile{*this};
  working_ = *filled_;
  Image<float> saliency = Image<float>::like(small());
  SubjectFinder(options_.network(), bytes(), small_bytes()).find({}, std::nullopt, saliency);
  return agreement(saliency, nearest(shown, small().height, small().width)) < 0.5;
}

template void FlowOf<uint8_t>::judge_own_alpha();
template void FlowOf<float>::judge_own_alpha();
template bool FlowOf<uint8_t>::shows_photo(const Image<uint8_t>&);
template bool FlowOf<float>::shows_photo(const Image<uint8_t>&);

}  // namespace alphacut
