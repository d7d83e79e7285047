#include "runs.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>

#include "alphacut/parallel.hpp"
#include "dispatch.hpp"

namespace alphacut {

struct Runs::Links {
  std::unique_ptr<RunLink[]> pairs;
  std::unique_ptr<int32_t[]> first, second;  // runs that touch none above
  LinkCounts counts{};

  explicit Links(size_t words)
      : pairs(std::make_unique_for_overwrite<RunLink[]>(64 * words)),
        first(std::make_unique_for_overwrite<int32_t[]>(32 * words)),
        second(std::make_unique_for_overwrite<int32_t[]>(32 * words)) {}
  void find(BitBand upper, BitBand lower, size_t words, int64_t band_rows) {
    counts =
        kernels().components.link_runs(upper, lower, words, band_rows == 2, pairs.get(), first.get(), second.get());
  }
};

Runs::Runs(ImageView<const uint8_t> mask, int connectivity, bool background)
    : height_(mask.height), width_(mask.width), band_rows_(connectivity == 8 ? 2 : 1) {
  constexpr int64_t limit = std::numeric_limits<int32_t>::max();
  if (mask.channels != 1) throw std::invalid_argument("mask must have one channel");
  if (mask.width != 0 && mask.height > limit / mask.width)
    throw std::invalid_argument("mask must have at most 2147483647 pixels, got " + std::to_string(mask.height) + " x " +
                                std::to_string(mask.width));
  if (connectivity != 4 && connectivity != 8)
    throw std::invalid_argument("connectivity must be 4 or 8, got " + std::to_string(connectivity));

  bands_ = (height_ + band_rows_ - 1) / band_rows_;
  words_ = static_cast<size_t>(width_) / 64 + 1;
  bits_ = Image<uint64_t>(height_ + 1, static_cast<int64_t>(words_));
  std::fill_n(bits_.row(height_), words_, 0);
  first_.resize(static_cast<size_t>(bands_) + 1);
  // A quarter of a million pixels, but enough bands that the seams, which are joined serially, are few.
  const int64_t strip_bands = std::max<int64_t>(row_grain(width_ * band_rows_, 1 << 18), 16);
  for (int64_t top = 0; top < bands_; top += strip_bands) strips_.push_back({top, std::min(bands_, top + strip_bands)});
  const auto count = static_cast<int64_t>(strips_.size());
  const auto strip = [&](int64_t i) -> Strip& { return strips_[static_cast<size_t>(i)]; };

  parallel_for(count, 1, [&](int64_t i, int64_t) { pack(mask, strip(i), background); });
  for (size_t i = 0; i < static_cast<size_t>(bands_); ++i) first_[i + 1] += first_[i];
  codes_ = Image<int32_t>(1, first_.back());
  parents_ = Image<int32_t>(1, first_.back());
  parallel_for(count, 1, [&](int64_t i, int64_t) { join(strip(i)); });
  if (count > 1) {
    Links links(words_);
    for (int64_t i = 1; i < count; ++i) join_seam(strip(i).top, links);
  }
  number();
}

// The bits of a strip's rows, and behind each band the number of its runs.
void Runs::pack(ImageView<const uint8_t> mask, const Strip& strip, bool background) {
  const auto pixels = static_cast<size_t>(width_);
  for (int64_t y = strip.top * band_rows_; y < std::min(height_, strip.bottom * band_rows_); ++y) {
    uint64_t* words = bits_.row(y);
    kernels().components.pack_bits(mask.row(y), pixels, words);
    if (!background) continue;
    for (size_t i = 0; i < words_; ++i) words[i] = ~words[i];
    words[words_ - 1] &= (uint64_t{1} << (pixels % 64)) - 1;
  }
  for (int64_t i = strip.top; i < strip.bottom; ++i)
    first_[static_cast<size_t>(i) + 1] = static_cast<int32_t>(kernels().components.count_runs(band(i), words_));
}

// The earlier code becomes the root. Returns it.
int32_t Runs::unite(int32_t a, int32_t b) {
  const auto root = [&](int32_t code) {
    int32_t* const parents = parents_.data();
    while (parents[code] != code) code = parents[code] = parents[parents[code]];
    return code;
  };
  a = root(a);
  b = root(b);
  if (a > b) std::swap(a, b);
  return parents_.data()[b] = a;
}

// Gives each run of a strip the code of a run it touches in the band above, and a new one if there is none. Codes begin
// in raster order of their first pixel: in a band, first those of runs with a pixel in its first row. So the root of a
// component, its smallest code, began at its first pixel.
void Runs::join(Strip& strip) {
  const BitBand nothing{bits_.row(height_), bits_.row(height_)};
  Links links(words_);
  int32_t* const parents = parents_.data();
  strip.first_code = first_[static_cast<size_t>(strip.top)];
  int32_t next_code = strip.first_code;
  for (int64_t i = strip.top; i < strip.bottom; ++i) {
    links.find(i == strip.top ? nothing : band(i - 1), band(i), words_, band_rows_);
    const int32_t* const above = codes_.data() + first_[static_cast<size_t>(std::max(i - 1, strip.top))];
    int32_t* const below = codes_.data() + first_[static_cast<size_t>(i)];
    const auto begin_code = [&](int32_t run) {
      below[run] = parents[next_code] = next_code;
      ++next_code;
    };
    std::for_each_n(links.first.get(), links.counts.first, begin_code);
    std::for_each_n(links.second.get(), links.counts.second, begin_code);
    int32_t run = -1, code = 0;
    for (size_t j = 0; j < links.counts.links; ++j) {
      const RunLink link = links.pairs[j];
      const int32_t other = parents[above[link.upper]];
      const int32_t same = -static_cast<int32_t>(link.lower == run);  // no branch: on noise it would be a coin's toss
      code = other ^ ((other ^ code) & same);
      run = link.lower;
      if (code != other) code = unite(code, other);
      below[run] = code;
    }
  }
  strip.last_code = next_code;
}

void Runs::join_seam(int64_t lower, Links& links) {
  links.find(band(lower - 1), band(lower), words_, band_rows_);
  const int32_t *const above = codes(lower - 1), *const below = codes(lower);
  for (size_t j = 0; j < links.counts.links; ++j) unite(above[links.pairs[j].upper], below[links.pairs[j].lower]);
}

// Parents precede, so they are numbers already.
void Runs::number() {
  for (const Strip& strip : strips_)
    for (int32_t code = strip.first_code; code < strip.last_code; ++code) {
      int32_t& parent = parents_.data()[code];
      parent = parent == code ? ++components_ : parents_.data()[parent];
    }
}

}  // namespace alphacut
