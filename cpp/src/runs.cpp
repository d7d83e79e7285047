#include "runs.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>

#include "alphacut/parallel.hpp"
#include "dispatch.hpp"

namespace alphacut {
namespace {

// Calls visit(the bits of `words` that differ from the pixel to their left, the first pixel of the word).
template <class Visit>
void for_each_change(std::span<const uint64_t> words, Visit visit) {
  uint64_t before = 0;  // the pixel to the left of the word
  for (size_t i = 0; i < words.size(); ++i) {
    visit(words[i] ^ (words[i] << 1 | before), static_cast<int64_t>(64 * i));
    before = words[i] >> 63;
  }
}

int32_t find_root(std::vector<int32_t>& parents, int32_t i) {
  const auto at = [&](int32_t j) -> int32_t& { return parents[static_cast<size_t>(j)]; };
  while (at(i) != i) i = at(i) = at(at(i));
  return i;
}

// The earlier run becomes the root: the root of a component is its first run in raster order.
void unite(std::vector<int32_t>& parents, int32_t a, int32_t b) {
  a = find_root(parents, a);
  b = find_root(parents, b);
  if (a != b) parents[static_cast<size_t>(std::max(a, b))] = std::min(a, b);
}

}  // namespace

Runs::Runs(ImageView<const uint8_t> mask, int connectivity, bool background)
    : height_(mask.height), width_(mask.width), strip_rows_(row_grain(mask.width, 1 << 18)) {
  constexpr int64_t limit = std::numeric_limits<int32_t>::max();
  if (mask.channels != 1) throw std::invalid_argument("mask must have one channel");
  if (mask.width != 0 && mask.height > limit / mask.width)
    throw std::invalid_argument("mask must have at most 2147483647 pixels, got " + std::to_string(mask.height) + " x " +
                                std::to_string(mask.width));
  if (connectivity != 4 && connectivity != 8)
    throw std::invalid_argument("connectivity must be 4 or 8, got " + std::to_string(connectivity));
  const int reach = connectivity == 8 ? 1 : 0;

  strips_.resize(static_cast<size_t>((height_ + strip_rows_ - 1) / strip_rows_));
  const auto count = static_cast<int64_t>(strips_.size());
  parallel_for(count, 1, [&](int64_t i, int64_t) {
    Strip& strip = strips_[static_cast<size_t>(i)];
    strip.top = i * strip_rows_;
    strip.bottom = std::min(height_, strip.top + strip_rows_);
    extract(mask, strip, background);
  });
  int32_t runs = 0;
  for (Strip& strip : strips_) {
    strip.first = runs;
    runs += static_cast<int32_t>(strip.runs.size());
  }

  labels_.resize(static_cast<size_t>(runs));
  parallel_for(count, 1, [&](int64_t i, int64_t) {
    const Strip& strip = strips_[static_cast<size_t>(i)];
    for (size_t run = 0; run < strip.runs.size(); ++run)
      labels_[static_cast<size_t>(strip.first) + run] = strip.first + static_cast<int32_t>(run);
    for (int64_t y = strip.top + 1; y < strip.bottom; ++y) join_rows(y - 1, y, reach);
  });
  for (const Strip& strip : strips_)
    if (strip.top > 0) join_rows(strip.top - 1, strip.top, reach);

  // Roots precede the others, so one pass numbers them in raster order and everything before is a number already.
  for (size_t run = 0; run < labels_.size(); ++run) {
    const auto parent = static_cast<size_t>(labels_[run]);
    labels_[run] = parent == run ? ++components_ : labels_[parent];
  }
}

void Runs::extract(ImageView<const uint8_t> mask, Strip& strip, bool background) const {
  // One word more than the row needs: where the row ends in a run, the run's end is a change to 0 there.
  const auto pixels = static_cast<size_t>(width_), stride = pixels / 64 + 1;
  const auto rows = static_cast<size_t>(strip.bottom - strip.top);
  std::vector<uint64_t> words(rows * stride, 0);
  const auto row_words = [&](size_t row) { return std::span(words).subspan(row * stride, stride); };
  int64_t changes = 0;
  for (size_t row = 0; row < rows; ++row) {
    const auto bits = row_words(row);
    kernels().components.pack_bits(mask.row(strip.top + static_cast<int64_t>(row)), pixels, bits.data());
    if (background) {
      for (uint64_t& word : bits) word = ~word;
      bits.back() &= (uint64_t{1} << (pixels % 64)) - 1;
    }
    for_each_change(bits, [&](uint64_t change, int64_t) { changes += std::popcount(change); });
  }
  // Begins and ends alternate.
  std::vector<int32_t> edges(pixels + 1);
  strip.runs.reserve(static_cast<size_t>(changes / 2));
  strip.starts.reserve(rows + 1);
  strip.starts.push_back(0);
  for (size_t row = 0; row < rows; ++row) {
    size_t count = 0;
    for_each_change(row_words(row), [&](uint64_t change, int64_t first) {
      for (; change != 0; change &= change - 1) edges[count++] = static_cast<int32_t>(first + std::countr_zero(change));
    });
    for (size_t i = 0; i < count; i += 2) strip.runs.push_back({edges[i], edges[i + 1]});
    strip.starts.push_back(static_cast<int32_t>(strip.runs.size()));
  }
}

// Two pointers: of the two runs at hand, the one that ends first can meet no further run of the other row.
void Runs::join_rows(int64_t upper, int64_t lower, int reach) {
  const auto above = row(upper), below = row(lower);
  const int32_t first_above = first_run(upper), first_below = first_run(lower);
  for (size_t i = 0, j = 0; i < above.size() && j < below.size();) {
    const Run a = above[i], b = below[j];
    if (a.begin < b.end + reach && b.begin < a.end + reach)
      unite(labels_, first_above + static_cast<int32_t>(i), first_below + static_cast<int32_t>(j));
    const bool above_ends = a.end < b.end;  // no branch: on noise it would be a coin's toss
    i += above_ends;
    j += !above_ends;
  }
}

}  // namespace alphacut
