#include "points.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace alphacut {
namespace {

constexpr int64_t kPointShare = 200;  // a point is a disc of a radius of one in so many pixels of the longer side

void draw(const Point& point, int64_t radius, Image<uint8_t>& labels) {
  const int64_t height = labels.height(), width = labels.width();
  if (!(point.x >= 0 && point.x < static_cast<double>(width) && point.y >= 0 && point.y < static_cast<double>(height)))
    throw std::invalid_argument("points: (" + std::to_string(point.x) + ", " + std::to_string(point.y) +
                                ") lies outside the picture of " + std::to_string(width) + " x " +
                                std::to_string(height));
  const auto cx = static_cast<int64_t>(point.x), cy = static_cast<int64_t>(point.y);
  for (int64_t y = std::max<int64_t>(cy - radius, 0); y <= std::min(cy + radius, height - 1); ++y)
    for (int64_t x = std::max<int64_t>(cx - radius, 0); x <= std::min(cx + radius, width - 1); ++x)
      if ((y - cy) * (y - cy) + (x - cx) * (x - cx) <= radius * radius) labels.row(y)[x] = point.keep ? 1 : 0;
}

}  // namespace

Image<uint8_t> with_points(ImageView<const uint8_t> labels, const std::vector<Point>& points, int64_t height,
                           int64_t width, bool in_box) {
  if (labels.data != nullptr && (labels.height != height || labels.width != width || labels.channels != 1))
    throw std::invalid_argument("labels must have the picture's size");
  Image<uint8_t> drawn(height, width);
  for (int64_t y = 0; y < height; ++y) {
    if (labels.data != nullptr)
      std::copy_n(labels.row(y), width, drawn.row(y));
    else
      std::fill_n(drawn.row(y), width, in_box ? uint8_t{3} : uint8_t{2});
  }
  const int64_t radius =
      std::max<int64_t>(1, std::min(std::max(height, width) / kPointShare, std::min(height, width) / 8));
  for (const Point& point : points) draw(point, radius, drawn);
  return drawn;
}

}  // namespace alphacut
