#include "label_rows.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "alphacut/parallel.hpp"
#include "planes.hpp"

namespace alphacut::detail {
namespace {

constexpr uint8_t kBeyond = 16;  // beside the bits of a row's kinds: a label above 3

uint8_t kinds_of(const uint8_t* __restrict row, int64_t n) {
  uint8_t any[5] = {};
  for (int64_t x = 0; x < n; ++x) {
    for (uint8_t k = 0; k < 4; ++k) any[k] |= row[x] == k;
    any[4] |= row[x] > 3;
  }
  unsigned kinds = 0;
  for (unsigned k = 0; k < 5; ++k) kinds |= any[k] != 0 ? 1u << k : 0;
  return static_cast<uint8_t>(kinds);
}

LabelRows::Row looked_at(const uint8_t* row, int64_t n, uint64_t version) {
  LabelRows::Row found{kinds_of(row, n), 0, n - 1, version};
  while (found.first < n && row[found.first] == 0) ++found.first;
  while (found.last > found.first && row[found.last] == 0) --found.last;
  if (found.first == n) found.first = 0, found.last = -1;
  return found;
}

}  // namespace

void LabelRows::take(ImageView<const uint8_t> labels) {
  const bool same = labels_.height() == labels.height && labels_.width() == labels.width;
  const int64_t n = labels.width, grain = row_grain(n, 1 << 18);
  std::vector<Row> rows(static_cast<size_t>(labels.height));
  alphacut::parallel_for(labels.height, grain, [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const bool kept = same && std::memcmp(labels.row(y), labels_.row(y), static_cast<size_t>(n)) == 0;
      rows[static_cast<size_t>(y)] = kept ? row(y) : looked_at(labels.row(y), n, version_ + 1);
    }
  });
  if (std::any_of(rows.begin(), rows.end(), [](const Row& found) { return (found.kinds & kBeyond) != 0; }))
    throw std::invalid_argument("labels must be 0, 1, 2 or 3, got " + std::to_string(largest_of(labels)));
  Image<uint8_t> copy = std::exchange(labels_, {});  // lost if anything throws: all is new then
  if (!same) copy = Image<uint8_t>::like(labels);
  ++version_;
  alphacut::parallel_for(labels.height, grain, [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      if (rows[static_cast<size_t>(y)].since == version_)  // checked, but they may change at any time: masked
        std::transform(labels.row(y), labels.row(y) + n, copy.row(y),
                       [](uint8_t label) { return static_cast<uint8_t>(label & 3); });
  });
  rows_ = std::move(rows);
  labels_ = std::move(copy);
}

std::vector<uint8_t> LabelRows::changed_since(std::optional<uint64_t> version) const {
  std::vector<uint8_t> changed;
  for (const Row& row : rows_) changed.push_back(!version || row.since > *version);
  return changed;
}

std::optional<Box> bounding_box(const LabelRows& labels) {
  const int64_t height = labels.labels().height;
  int64_t top = height, bottom = -1, left = labels.labels().width, right = -1;
  for (int64_t y = 0; y < height; ++y) {
    const LabelRows::Row& row = labels.row(y);
    if (row.last < 0) continue;
    top = std::min(top, y);
    bottom = y;
    left = std::min(left, row.first);
    right = std::max(right, row.last);
  }
  if (bottom < 0) return std::nullopt;
  return Box{left, top, right - left + 1, bottom - top + 1};
}

std::optional<int> only_kind(const LabelRows& labels, bool boxed) {
  const int64_t height = labels.labels().height, width = labels.labels().width;
  unsigned kinds = 0;
  bool left = false, right = false;  // whether something but background is at these sides
  for (int64_t y = 0; y < height; ++y) {
    const LabelRows::Row& row = labels.row(y);
    kinds |= row.kinds;
    left |= row.last >= 0 && row.first == 0;
    right |= row.last == width - 1;
  }
  const bool back = (kinds & 1) != 0, front = (kinds & 2) != 0;
  const bool framed = left && right && labels.row(0).last >= 0 && labels.row(height - 1).last >= 0;
  if (back == front || (kinds & 12) == 12 || (!boxed && !framed)) return std::nullopt;
  return front ? 1 : 0;
}

}  // namespace alphacut::detail
