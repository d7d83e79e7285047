// Opening a picture of any depth.
#include "alphacut/session.hpp"

#include <cmath>
#include <stdexcept>
#include <type_traits>

#include "alphacut/color.hpp"
#include "depth.hpp"
#include "flow/flow.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

void require(bool holds, const char* message) {
  if (!holds) throw std::invalid_argument(message);
}

template <class T>
void require_picture(ImageView<const T> image, ImageView<const T> own_alpha) {
  require(!image.empty() && (image.channels == 1 || image.channels == 3 || image.channels == 4),
          "image must have 1, 3 or 4 channels, no side 0");
  require(image.channels != 4 || !own_alpha, "a picture of 4 channels has its own alpha: no other can be given");
  require(own_alpha.data == nullptr ||
              (own_alpha.height == image.height && own_alpha.width == image.width && own_alpha.channels == 1),
          "the picture's alpha must have its size");
  if constexpr (std::is_same_v<T, float>) {
    require_range(image, 0, 1, "image");
    if (own_alpha.data != nullptr) require_range(own_alpha, 0, 1, "the picture's alpha");
  }
}

Image<float> in_floats(ImageView<const uint16_t> image) {
  if (image.data == nullptr) return {};
  Image<float> values = Image<float>::like(image, image.channels);
  const int64_t n = image.width * image.channels;
  for_rows(image.height, n, [&](int64_t y) {
    const uint16_t* __restrict from = image.row(y);
    float* __restrict to = values.row(y);
    for (int64_t i = 0; i < n; ++i) to[i] = static_cast<float>(from[i]) / kSteps;
  });
  return values;
}

template <class T>
std::unique_ptr<Session::Flow> opened(ImageView<const T> image, ImageView<const T> own_alpha, SessionOptions options) {
  if (image.channels == 4) {
    Image<T> pixels = channels_of(image, 0, 3), alpha = channels_of(image, 3, 1);
    const ImageView<const T> view = pixels, alpha_view = alpha;
    if constexpr (std::is_same_v<T, uint16_t>)
      return opened<T>(view, alpha_view, std::move(options));
    else
      return std::make_unique<FlowOf<T>>(view, std::move(pixels), alpha_view, std::move(alpha), false,
                                         std::move(options));
  }
  if constexpr (std::is_same_v<T, uint16_t>) {
    Image<float> pixels = in_floats(image), alpha = in_floats(own_alpha);
    const ImageView<const float> view = pixels, alpha_view = alpha;
    return std::make_unique<FlowOf<float>>(view, std::move(pixels), alpha_view, std::move(alpha), true,
                                           std::move(options));
  } else {
    return std::make_unique<FlowOf<T>>(image, Image<T>(), own_alpha, Image<T>(), false, std::move(options));
  }
}

// No data where there is none; of another depth it is none of this picture.
template <class T>
ImageView<const T> alpha_of(ImageView<const T>, const AnyView& own_alpha) {
  if (std::visit([](auto view) { return !view; }, own_alpha)) return {};
  const auto* alpha = std::get_if<ImageView<const T>>(&own_alpha);
  require(alpha != nullptr, "the picture's alpha must have its depth");
  return *alpha;
}

}  // namespace

void require_picture(const AnyView& image, const AnyView& own_alpha) {
  std::visit([&](auto pixels) { require_picture(pixels, alpha_of(pixels, own_alpha)); }, image);
}

Session::Session(const AnyView& image, const AnyView& own_alpha, SessionOptions options) {
  for (const auto& value : {options.similarity, options.blend})
    require(!value || (*value >= 0 && *value <= 2), "similarity and blend must be from 0 to 2");
  require(std::fabs(options.edge_shift) <= 100 && options.edge_feather >= 0 && options.edge_feather <= 100,
          "edge: shift must be from -100 to 100 pixels and feather from 0 to 100");
  require(options.seed >= 0, "seed must be 0 or more");
  require_picture(image, own_alpha);
  flow_ =
      std::visit([&](auto pixels) { return opened(pixels, alpha_of(pixels, own_alpha), std::move(options)); }, image);
}
Session::Session(const AnyView& image, SessionOptions options)
    : Session(image, ImageView<const uint8_t>{}, std::move(options)) {}
Session::Session(Session&&) noexcept = default;
Session::~Session() = default;

Cutout Session::cut(const Prompt& prompt, bool resume, const Elsewhere& elsewhere) {
  const CancelScope scope(flow_->running());
  return flow_->cut(prompt, resume, elsewhere);
}

void Session::cancel() { flow_->cancel(); }

std::optional<AnyImage> Session::prepared() { return flow_->prepared(); }

Cutout remove_background(const AnyView& image, const Prompt& prompt, const SessionOptions& options) {
  return Session(image, options).cut(prompt);
}

}  // namespace alphacut
