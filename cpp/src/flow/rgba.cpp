// A cutout's colours and alpha side by side.
#include <stdexcept>

#include "alphacut/parallel.hpp"
#include "alphacut/session.hpp"

namespace alphacut {
namespace {

template <class T>
Image<T> joined(ImageView<const T> colors, ImageView<const T> alpha) {
  Image<T> rgba = Image<T>::like(alpha, 4);
  parallel_for(alpha.height, row_grain(alpha.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const T* color = colors.row(y);
      T* out = rgba.row(y);
      for (int64_t x = 0; x < alpha.width; ++x, color += colors.channels, out += 4) {
        const bool gray = colors.channels == 1;
        out[0] = color[0];
        out[1] = color[gray ? 0 : 1];
        out[2] = color[gray ? 0 : 2];
        out[3] = alpha.row(y)[x];
      }
    }
  });
  return rgba;
}

}  // namespace

AnyImage to_rgba(const AnyView& image, const Cutout& cutout) {
  return std::visit(
      [&]<class T>(ImageView<const T> picture) -> AnyImage {
        const auto* alpha = std::get_if<Image<T>>(&cutout.alpha);
        if (alpha == nullptr || alpha->height() != picture.height || alpha->width() != picture.width)
          throw std::invalid_argument("the cutout must be of this picture");
        return joined<T>(cutout.foreground ? std::get<Image<T>>(*cutout.foreground).view() : picture, alpha->view());
      },
      image);
}

}  // namespace alphacut
