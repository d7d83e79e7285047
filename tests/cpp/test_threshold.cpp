// Histograms from C++: every way of counting, widths and strides that no array has.
#include <algorithm>
#include <vector>

#include "alphacut/parallel.hpp"
#include "alphacut/threshold.hpp"
#include "check.hpp"

using namespace alphacut;

namespace {

uint32_t next(uint32_t& seed) { return (seed = seed * 1664525 + 1013904223) >> 16; }

// Bands of noise, of a slope with grain, of paper with a few dark spots, of one colour.
Image<uint8_t> bands(int64_t height, int64_t width) {
  Image<uint8_t> image(height, width);
  uint32_t seed = static_cast<uint32_t>(width);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const uint32_t random = next(seed);
      const int64_t kinds[] = {random & 255, 40 + 150 * x / width + (random & 7), random % 50 == 0 ? 30 : 255, 7};
      image.row(y)[x] = static_cast<uint8_t>(kinds[4 * y / height]);
    }
  return image;
}

Histogram counted(ImageView<const uint8_t> gray) {
  Histogram counts{};
  for (int64_t y = 0; y < gray.height; ++y)
    for (int64_t x = 0; x < gray.width; ++x) ++counts[gray.row(y)[x]];
  return counts;
}

void every_way_counts_the_same() {
  for (int64_t width : {1, 7, 63, 64, 65, 130, 1155, 4096, 4111, 9000, 200000}) {
    const int64_t height = (1 << 19) / width + 4;
    const Image<uint8_t> image = bands(height, width);
    const ImageView<const uint8_t> all = image.view();
    const ImageView<const uint8_t> upside_down{all.row(height - 1), height, width, 1, -all.stride};
    const ImageView<const uint8_t> left{all.data, height, (width + 1) / 2, 1, all.stride};
    const Histogram whole = counted(all), half = counted(left);
    const std::vector<uint8_t> ones(static_cast<size_t>(all.pixels()), 1);
    for (int threads : {1, 2, 5}) {
      set_num_threads(threads);
      CHECK(histogram(all) == whole);
      CHECK(histogram(upside_down) == whole);
      CHECK(histogram(left) == half);
      CHECK(histogram(all, {ones.data(), height, width, 1, static_cast<ptrdiff_t>(width)}) == whole);
      CHECK(histogram(left, {ones.data(), height, left.width, 1, static_cast<ptrdiff_t>(width)}) == half);
    }
  }
}

void rows_with_and_without_gaps() {
  const Image<uint8_t> image = bands(300, 517);
  const ImageView<const uint8_t> all = image.view(), part{all.data + 3, 300, 500, 1, all.stride};
  Image<uint8_t> mask(300, 500), wide(300, 517);
  const ImageView<uint8_t> inside{wide.data() + 5, 300, 500, 1, 517};
  for (int limit : {-1, 0, 100, 254, 255}) {
    std::fill_n(wide.data(), wide.pixels(), uint8_t{99});
    threshold(part, limit, mask);
    threshold(part, limit, inside);
    for (int64_t y = 0; y < 300; ++y) {
      CHECK(std::equal(mask.row(y), mask.row(y) + 500, inside.row(y)));
      CHECK(wide.row(y)[4] == 99 && wide.row(y)[505] == 99);
      for (int64_t x = 0; x < 500; ++x) CHECK(mask.row(y)[x] == (part.row(y)[x] > limit ? 255 : 0));
    }
    threshold(all, limit, wide);
    for (int64_t i = 0; i < all.pixels(); ++i) CHECK(wide.data()[i] == (all.data[i] > limit ? 255 : 0));
  }
}

}  // namespace

int main() {
  every_way_counts_the_same();
  rows_with_and_without_gaps();
  return check::result();
}
