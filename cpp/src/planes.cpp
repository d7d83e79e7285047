#include "planes.hpp"

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "alphacut/parallel.hpp"

namespace alphacut {

std::optional<Box> clipped(const Box& box, int64_t height, int64_t width) {
  if (box.width < 1 || box.height < 1 || box.x >= width || box.y >= height || box.x <= -box.width ||
      box.y <= -box.height)
    return std::nullopt;
  const int64_t left = std::max<int64_t>(box.x, 0), top = std::max<int64_t>(box.y, 0);
  const int64_t right = box.x > width - box.width ? width : box.x + box.width;
  const int64_t bottom = box.y > height - box.height ? height : box.y + box.height;
  return Box{left, top, right - left, bottom - top};
}

Box rescaled(const Box& box, int64_t old_height, int64_t old_width, int64_t height, int64_t width) {
  const auto span = [](int64_t begin, int64_t length, int64_t old, int64_t size) {
    const int64_t low = std::min((2 * begin * size + old) / (2 * old), size - 1);
    return std::pair(low, std::max((2 * (begin + length) * size + old) / (2 * old), low + 1) - low);
  };
  const auto [x, across] = span(box.x, box.width, old_width, width);
  const auto [y, down] = span(box.y, box.height, old_height, height);
  return {x, y, across, down};
}

Image<uint8_t> nearest(ImageView<const uint8_t> plane, int64_t height, int64_t width) {
  Image<uint8_t> result(height, width);
  std::vector<int64_t> columns(static_cast<size_t>(width));
  for (int64_t x = 0; x < width; ++x) columns[static_cast<size_t>(x)] = (2 * x + 1) * plane.width / (2 * width);
  for (int64_t y = 0; y < height; ++y) {
    const uint8_t* row = plane.row((2 * y + 1) * plane.height / (2 * height));
    for (int64_t x = 0; x < width; ++x) result.row(y)[x] = row[columns[static_cast<size_t>(x)]];
  }
  return result;
}

void in_bytes(ImageView<const float> image, ImageView<uint8_t> bytes) {
  const int64_t values = image.width * image.channels;
  const auto convert = [](const float* __restrict from, int64_t n, uint8_t* __restrict to) {
    for (int64_t i = 0; i < n; ++i) to[i] = static_cast<uint8_t>(static_cast<int32_t>(from[i] * 255.0f + 0.5f));
  };
  parallel_for(image.height, row_grain(values), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) convert(image.row(y), values, bytes.row(y));
  });
}

uint8_t largest_of(ImageView<const uint8_t> plane) {
  std::atomic<uint8_t> largest{0};
  parallel_for(plane.height, row_grain(plane.width, 1 << 18), [&](int64_t begin, int64_t end) {
    uint8_t most = 0;
    for (int64_t y = begin; y < end; ++y) {
      const uint8_t* row = plane.row(y);
      for (int64_t x = 0; x < plane.width; ++x) most = std::max(most, row[x]);
    }
    for (uint8_t known = largest; known < most && !largest.compare_exchange_weak(known, most);) {
    }
  });
  return largest;
}

namespace {

int64_t count_in_row(const uint8_t* row, int64_t width) {
  int64_t sum = 0;
  for (int64_t x = 0; x < width; x += 255) {  // as many as a byte can count
    const uint8_t* const values = row + x;
    uint8_t few = 0;
    for (int64_t i = 0, n = std::min<int64_t>(255, width - x); i < n; ++i) few += values[i] != 0;
    sum += few;
  }
  return sum;
}

}  // namespace

int64_t count_nonzero(ImageView<const uint8_t> mask) {
  std::atomic<int64_t> count{0};
  parallel_for(mask.height, row_grain(mask.width, 1 << 18), [&](int64_t begin, int64_t end) {
    int64_t sum = 0;
    for (int64_t y = begin; y < end; ++y) sum += count_in_row(mask.row(y), mask.width);
    count += sum;
  });
  return count;
}

bool is_empty(ImageView<const uint8_t> mask) {
  for (int64_t y = 0; y < mask.height; ++y) {
    uint8_t any = 0;
    for (int64_t x = 0; x < mask.width; ++x) any |= mask.row(y)[x];
    if (any != 0) return false;
  }
  return true;
}

std::optional<Box> bounding_box(ImageView<const uint8_t> mask) { return extent_of(mask).box; }

Extent extent_of(ImageView<const uint8_t> mask, const std::function<void(int64_t y)>& make) {
  const auto width = static_cast<size_t>(mask.width);
  const int64_t grain = row_grain(mask.width, 1 << 18), blocks = (mask.height + grain - 1) / grain;
  std::vector<uint8_t> rows(static_cast<size_t>(mask.height)), columns(static_cast<size_t>(blocks) * width, 0);
  std::atomic<int64_t> count{0};
  const auto join = [](const uint8_t* __restrict row, size_t n, uint8_t* __restrict column) {
    uint8_t any = 0;
    for (size_t x = 0; x < n; ++x) {
      any |= row[x];
      column[x] |= row[x];
    }
    return any;
  };
  parallel_for(mask.height, grain, [&](int64_t begin, int64_t end) {
    uint8_t* const column = columns.data() + static_cast<size_t>(begin / grain) * width;
    int64_t sum = 0;
    for (int64_t y = begin; y < end; ++y) {
      if (make) make(y);
      const uint8_t any = rows[static_cast<size_t>(y)] = join(mask.row(y), width, column);
      if (any != 0) sum += count_in_row(mask.row(y), mask.width);
    }
    count += sum;
  });
  for (size_t block = width; block < columns.size(); block += width)
    join(columns.data() + block, width, columns.data());
  columns.resize(width);
  const auto span = [](const std::vector<uint8_t>& set) {
    const auto some = [](uint8_t value) { return value != 0; };
    const auto first = std::find_if(set.begin(), set.end(), some);
    const auto last = std::find_if(set.rbegin(), set.rend(), some);
    return std::pair<int64_t, int64_t>(first - set.begin(), set.rend() - last);
  };
  const auto [top, bottom] = span(rows);
  const auto [left, right] = span(columns);
  if (bottom == 0) return {};
  return {Box{left, top, right - left, bottom - top}, count};
}

}  // namespace alphacut
