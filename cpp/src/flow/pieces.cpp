#include "flow/pieces.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "alphacut/parallel.hpp"
#include "math.hpp"

namespace alphacut {
namespace {

double real(int64_t n) { return static_cast<double>(n); }

}  // namespace

Image<uint8_t> outside_of(const std::optional<Box>& box, int64_t old_height, int64_t old_width, int64_t height,
                          int64_t width) {
  Image<uint8_t> outside(height, width);
  std::fill_n(outside.data(), outside.pixels(), uint8_t{box ? uint8_t{255} : uint8_t{0}});
  if (!box) return outside;
  const Box inside = rescaled(*box, old_height, old_width, height, width);
  for (int64_t y = inside.y; y < inside.y + inside.height; ++y)
    std::fill_n(outside.row(y) + inside.x, inside.width, uint8_t{0});
  return outside;
}

Image<uint8_t> surely_outside(const std::optional<Box>& box, int64_t old_height, int64_t old_width, int64_t height,
                              int64_t width) {
  Image<uint8_t> outside = outside_of(box, old_height, old_width, height, width);
  if (count_nonzero(outside) != 0) return outside;
  const int64_t frame = std::max<int64_t>(1, std::min(height, width) / 20);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      outside.row(y)[x] = std::min(std::min(y, height - 1 - y), std::min(x, width - 1 - x)) < frame ? 255 : 0;
  return outside;
}

bool all_zero(const Image<float>& map) {
  return std::all_of(map.data(), map.data() + map.pixels(), [](float p) { return p == 0; });
}

Image<float> log_odds_of(ImageView<const float> probability) {
  Image<float> result = Image<float>::like(probability);
  for (int64_t y = 0; y < probability.height; ++y)
    for (int64_t x = 0; x < probability.width; ++x) {
      const double p = std::clamp(probability.row(y)[x], 0.02f, 0.98f);
      result.row(y)[x] = static_cast<float>(log_exact(p / (1 - p)));
    }
  return result;
}

double agreement(ImageView<const float> probability, ImageView<const uint8_t> mask) {
  double inside = 0, beyond = 0;
  int64_t area = 0;
  for (int64_t y = 0; y < mask.height; ++y)
    for (int64_t x = 0; x < mask.width; ++x) {
      const bool in = mask.row(y)[x] != 0;
      area += in;
      (in ? inside : beyond) += static_cast<double>(probability.row(y)[x]);
    }
  const double united = real(area) + beyond;
  return united > 0 ? inside / united : 0;
}

double color_separation(ImageView<const uint8_t> image, ImageView<const uint8_t> mask) {
  std::array<std::vector<int64_t>, 2> counts{std::vector<int64_t>(512, 0), std::vector<int64_t>(512, 0)};
  std::array<int64_t, 2> all{};
  for (int64_t y = 0; y < mask.height; ++y) {
    const uint8_t* row = image.row(y);
    for (int64_t x = 0; x < mask.width; ++x, row += image.channels) {
      const size_t side = mask.row(y)[x] != 0 ? 1 : 0;
      const size_t bin = image.channels == 1 ? row[0] >> 5 : (row[0] >> 5) * 64 + (row[1] >> 5) * 8 + (row[2] >> 5);
      ++counts[side][bin];
      ++all[side];
    }
  }
  if (all[0] == 0 || all[1] == 0) return 0;
  double common = 0;
  for (size_t bin = 0; bin < 512; ++bin)
    common += std::sqrt(real(counts[0][bin]) / real(all[0]) * (real(counts[1][bin]) / real(all[1])));
  return std::clamp(1 - common, 0.0, 1.0);
}

}  // namespace alphacut
