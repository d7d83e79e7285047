// Pictures and boxes as stages that take a prompt see them.
#pragma once

#include "alphacut/color.hpp"
#include "alphacut/parallel.hpp"
#include "numpy_view.hpp"

namespace alphacut {

using Corners = std::optional<std::array<int64_t, 4>>;

// Float pictures are rounded to 8 bits.
inline Input<uint8_t> rounded(const Input<uint8_t>& image) { return image; }
inline Input<uint8_t> rounded(const Input<float>& image) {
  const ImageView<const float> from = image.view;
  const auto to = output<uint8_t>(py::none(), from.height, from.width, image.array.ndim() == 3 ? from.channels : 0, {});
  {
    py::gil_scoped_release unlocked;
    require_range(from, 0, 1, "image");
    const int64_t values = from.width * from.channels;
    parallel_for(from.height, row_grain(values), [&](int64_t begin, int64_t end) {
      for (int64_t y = begin; y < end; ++y)
        for (int64_t i = 0; i < values; ++i) to.view.row(y)[i] = static_cast<uint8_t>(from.row(y)[i] * 255.0f + 0.5f);
    });
  }
  return {to.array, to.array, to.view};
}
inline Input<uint8_t> in_bytes(py::handle image) {
  return with_image(image, "image", [](const auto& input) { return rounded(input); });
}

inline std::optional<Box> box_of(const Corners& corners) {
  if (!corners) return std::nullopt;
  return Box{(*corners)[0], (*corners)[1], (*corners)[2], (*corners)[3]};
}

}  // namespace alphacut
