// The edge of a mask that was followed, in the frame at full size.
#include "flow/cut_by_mask.hpp"

#include <algorithm>
#include <optional>

#include "alphacut/matting.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

// Of the default band, for a mask that is near the edge already: on the clips the guided filter's masks lose .01 of IoU
// by a band of 2 pixels, .02 by 4 and .06 by the default's 10.
constexpr double kBand = 0.3;

// A part put back where it was taken from: into `around`, or zeros if that has no data.
template <class T>
Image<T> put_back(const Image<T>& inner, const Box& box, ImageView<const T> around, int64_t height, int64_t width) {
  const int64_t channels = inner.view().channels;
  Image<T> whole(height, width, channels);
  for (int64_t y = 0; y < height; ++y) {
    if (around.data != nullptr)
      std::copy_n(around.row(y), width * channels, whole.row(y));
    else
      std::fill_n(whole.row(y), width * channels, T{0});
    if (y >= box.y && y < box.y + box.height)
      std::copy_n(inner.row(y - box.y), box.width * channels, whole.row(y) + box.x * channels);
  }
  return whole;
}

// What is worked on of a frame: the mask's box and as far around it as its edge is refined and moved; the whole frame
// for an empty mask.
Box worked_on(ImageView<const uint8_t> mask, const SessionOptions& options) {
  const std::optional<Box> box = bounding_box(mask);
  if (!box) return {0, 0, mask.width, mask.height};
  const double reach =
      2 * default_band(mask.height, mask.width) + 8 + std::max(options.edge_shift, 0.0) + 3 * options.edge_feather;
  const auto margin = static_cast<int64_t>(reach) + 1;
  return *clipped({box->x - margin, box->y - margin, box->width + 2 * margin, box->height + 2 * margin}, mask.height,
                  mask.width);
}

}  // namespace

Cutout cut_by_mask(const AnyView& frame, const AnyView& own_alpha, ImageView<const uint8_t> mask,
                   const SessionOptions& options) {
  const Box box = worked_on(mask, options);
  const auto inside = [&](const AnyView& view) {
    return std::visit([&](auto whole) -> AnyView { return part(whole, box); }, view);
  };
  const ImageView<const uint8_t> inner = part(mask, box);
  Image<uint8_t> trimap;
  Prompt prompt;
  if (options.refine) {
    trimap = Image<uint8_t>::like(inner);
    make_trimap(inner, std::max(2.0, kBand * default_band(mask.height, mask.width)), trimap);
    const TrimapKinds kinds = trimap_kinds(trimap);
    if (kinds.background && kinds.foreground) prompt.trimap = trimap;
  }
  if (prompt.trimap.data == nullptr) prompt.mask = inner;
  Cutout cutout = Session(inside(frame), inside(own_alpha), options).cut(prompt);
  const int64_t height = mask.height, width = mask.width;
  std::visit(
      [&]<class T>(ImageView<const T> view) {
        cutout.alpha = put_back(std::get<Image<T>>(cutout.alpha), box, ImageView<const T>{}, height, width);
        if (!cutout.foreground) return;
        const ImageView<const T> around = cutout.box ? view : ImageView<const T>{};  // nothing must not carry the photo
        cutout.foreground = put_back(std::get<Image<T>>(*cutout.foreground), box, around, height, width);
      },
      frame);
  cutout.mask = put_back(cutout.mask, box, ImageView<const uint8_t>{}, height, width);
  cutout.found = {};  // of the part alone, as the trimap
  cutout.trimap = {};
  if (cutout.box) cutout.box = Box{cutout.box->x + box.x, cutout.box->y + box.y, cutout.box->width, cutout.box->height};
  return cutout;
}

}  // namespace alphacut
