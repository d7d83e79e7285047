// The compressor and the filter of PNG files: zlib gives back what was compressed, in parts as they come, and the
// filter undone gives the picture.
#include <zlib.h>

#include "fuzz.hpp"
#include "png_deflate.hpp"
#include "png_filter.hpp"

using namespace alphacut;

namespace {

std::vector<uint8_t> inflated(std::vector<uint8_t> stream, size_t most) {
  std::vector<uint8_t> bytes(most + 1);
  z_stream z = {};
  REQUIRE(inflateInit2(&z, -15) == Z_OK);
  z.next_in = stream.data(), z.avail_in = static_cast<uInt>(stream.size());
  z.next_out = bytes.data(), z.avail_out = static_cast<uInt>(bytes.size());
  const int end = inflate(&z, Z_FINISH);
  REQUIRE(end == Z_STREAM_END && z.avail_in == 0);
  bytes.resize(z.total_out);
  inflateEnd(&z);
  return bytes;
}

int paeth(int a, int b, int c) {
  const int p = a + b - c, pa = std::abs(p - a), pb = std::abs(p - b), pc = std::abs(p - c);
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

void filter(std::span<const uint8_t> bytes, int64_t width, int64_t pixel) {
  width = std::max(width, pixel) / pixel * pixel;
  const int64_t height = static_cast<int64_t>(bytes.size()) / width;
  if (height == 0) return;
  Image<uint8_t> filtered(height, width + 1);
  const int64_t half = height / 2;
  const ImageView<const uint8_t> all = packed(bytes.data(), height, width);
  paeth_filter(all, 0, pixel, filtered.view().rows(0, half));
  paeth_filter(all, half, pixel, filtered.view().rows(half, height));
  std::vector<uint8_t> back(static_cast<size_t>(height * width));
  for (int64_t y = 0; y < height; ++y) {
    REQUIRE(filtered.row(y)[0] == 4);
    for (int64_t x = 0; x < width; ++x) {
      const auto at = [&](int64_t row, int64_t column) -> int {
        return row < 0 || column < 0 ? 0 : back[static_cast<size_t>(row * width + column)];
      };
      const int guess = paeth(at(y, x - pixel), at(y - 1, x), at(y - 1, x - pixel));
      back[static_cast<size_t>(y * width + x)] = static_cast<uint8_t>(filtered.row(y)[1 + x] + guess);
    }
  }
  REQUIRE(std::equal(back.begin(), back.end(), bytes.begin()));
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  std::vector<uint8_t> bytes;
  if (data[0] % 2 == 0) {
    bytes.assign(data + 4, data + size);
  } else {  // runs: a value and how long it goes on
    for (size_t i = 4; i + 1 < size && bytes.size() < 1 << 18; i += 2)
      bytes.insert(bytes.end(), size_t{data[i + 1]} * (data[0] % 16), data[i]);
  }
  const size_t cut = bytes.size() * data[1] / 255;
  const std::span all(bytes);
  std::vector<uint8_t> stream = deflate_runs(all.first(cut), false);
  const std::vector<uint8_t> rest = deflate_runs(all.subspan(cut), true);
  stream.insert(stream.end(), rest.begin(), rest.end());
  REQUIRE(inflated(stream, bytes.size()) == bytes);
  const int64_t pixels[] = {1, 2, 3, 4, 6, 8};
  filter(all, 1 + data[2], pixels[data[3] % 6]);
  return 0;
}
