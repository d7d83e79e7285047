// Pictures and boxes as stages that take a prompt see them.
#pragma once

#include <vector>

#include "alphacut/color.hpp"
#include "numpy_view.hpp"
#include "planes.hpp"

namespace alphacut {

using Corners = std::optional<std::array<int64_t, 4>>;

// Float pictures are rounded to 8 bits.
inline Input<uint8_t> rounded(const Input<uint8_t>& image) { return image; }
inline Input<uint8_t> rounded(const Input<float>& image) {
  const ImageView<const float> from = image.view;
  const auto to = output<uint8_t>(py::none(), from.height, from.width, image.array.ndim() == 3 ? from.channels : 0, {});
  without_gil([&] {
    require_range(from, 0, 1, "image");
    in_bytes(from, to);
  });
  return {to.array, to.array, to.view};
}
inline Input<uint8_t> in_bytes(py::handle image) {
  return with_image(image, "image", [](const auto& input) { return rounded(input); });
}

inline std::optional<Box> box_of(const Corners& corners) {
  if (!corners) return std::nullopt;
  return Box{(*corners)[0], (*corners)[1], (*corners)[2], (*corners)[3]};
}

// From (x, y, keep) each.
inline std::vector<Point> points_of(py::handle given) {
  std::vector<Point> points;
  for (const auto& [x, y, keep] : given.cast<std::vector<std::tuple<double, double, bool>>>())
    points.push_back({x, y, keep});
  return points;
}

}  // namespace alphacut
