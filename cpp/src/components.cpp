#include "alphacut/components.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <string>

#include "alphacut/parallel.hpp"
#include "dispatch.hpp"
#include "runs.hpp"

namespace alphacut {
namespace {

template <class T>
void require_size(ImageView<const uint8_t> mask, ImageView<T> result) {
  if (result.channels != 1 || result.height != mask.height || result.width != mask.width)
    throw std::invalid_argument("the result must have one channel and the size of mask");
}

void require_not_negative(int64_t value, const char* name) {
  if (value < 0) throw std::invalid_argument(std::string(name) + " must be at least 0, got " + std::to_string(value));
}

// Calls body(band, the rows of the picture it covers: second is null if it has one only) for all bands, on several
// threads, with a buffer of `size` values for each block.
template <class Buffer, class T, class Body>
void for_each_band(const Runs& runs, ImageView<T> picture, size_t size, Body body) {
  parallel_for(runs.bands(), row_grain(runs.width() * runs.band_rows()), [&](int64_t begin, int64_t end) {
    std::vector<Buffer> buffer(size);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t y = i * runs.band_rows();
      const bool two = runs.band_rows() == 2 && y + 1 < runs.height();
      body(i, picture.row(y), two ? picture.row(y + 1) : nullptr, buffer.data());
    }
  });
}

// `inside` for the components whose number, from 0, is chosen, its complement for all other pixels.
template <class Chosen>
void paint(const Runs& runs, Chosen chosen, uint8_t inside, ImageView<uint8_t> result) {
  const auto values = std::make_unique_for_overwrite<uint8_t[]>(static_cast<size_t>(runs.code_limit()));
  for (const Runs::Strip& strip : runs.strips())
    for (int32_t code = strip.first_code; code < strip.last_code; ++code)
      values[static_cast<size_t>(code)] = chosen(static_cast<size_t>(runs.component(code)) - 1);
  const auto pixels = static_cast<size_t>(runs.width());
  for_each_band<uint64_t>(runs, result, runs.words() + 1,
                          [&](int64_t band, uint8_t* first, uint8_t* second, uint64_t* bits) {
                            const int32_t *codes = runs.codes(band), count = runs.runs(band);
                            for (int32_t i = 0; i < count; i += 64) {
                              uint64_t word = 0;
                              for (int32_t j = i; j < std::min(count, i + 64); ++j)
                                word |= uint64_t{values[static_cast<size_t>(codes[j])]} << (j - i);
                              bits[i / 64] = word;
                            }
                            kernels().components.paint_mask(runs.band(band), bits, pixels, inside, first, second);
                          });
}

// For each component the sum of its runs: measure(band, words, values) gives a value for each run of a band, that go to
// add(sum, the first row of the band, value), and then merge(sum, part).
template <class Sum, class Value, class Add, class Merge>
std::vector<Sum> sum_components(const Runs& runs, Sum zero, void (*measure)(BitBand, size_t, Value*), Add add,
                                Merge merge) {
  const auto& strips = runs.strips();
  std::vector<std::vector<Sum>> parts(strips.size());
  parallel_for(static_cast<int64_t>(strips.size()), 1, [&](int64_t i, int64_t) {
    const Runs::Strip& strip = strips[static_cast<size_t>(i)];
    std::vector<Sum> part(static_cast<size_t>(strip.last_code - strip.first_code), zero);
    const auto values = std::make_unique_for_overwrite<Value[]>(32 * runs.words());
    for (int64_t band = strip.top; band < strip.bottom; ++band) {
      measure(runs.band(band), runs.words(), values.get());
      const int32_t *codes = runs.codes(band), count = runs.runs(band);
      for (int32_t j = 0; j < count; ++j)
        add(part[static_cast<size_t>(codes[j] - strip.first_code)], band * runs.band_rows(),
            values[static_cast<size_t>(j)]);
    }
    parts[static_cast<size_t>(i)] = std::move(part);
  });
  std::vector<Sum> sums(static_cast<size_t>(runs.components()), zero);
  for (size_t i = 0; i < strips.size(); ++i)
    for (size_t j = 0; j < parts[i].size(); ++j)
      merge(sums[static_cast<size_t>(runs.component(strips[i].first_code + static_cast<int32_t>(j))) - 1], parts[i][j]);
  return sums;
}

std::vector<int32_t> areas_of(const Runs& runs) {
  const auto add = [](int32_t& area, int32_t part) { area += part; };
  return sum_components(
      runs, int32_t{0}, kernels().components.count_pixels, [](int32_t& area, int64_t, int32_t count) { area += count; },
      add);
}

// Calls visit(component, from 0) for the runs that touch the border of the picture.
template <class Visit>
void for_each_border_run(const Runs& runs, Visit visit) {
  if (runs.width() == 0) return;
  const auto last_column = static_cast<size_t>(runs.width()) - 1;
  std::vector<RunSums> sums(32 * runs.words());
  for (int64_t i = 0; i < runs.bands(); ++i) {
    const BitBand band = runs.band(i);
    const auto set = [&](size_t x) { return ((band.first[x / 64] | band.second[x / 64]) >> (x % 64) & 1) != 0; };
    const auto visit_run = [&](int32_t run) { visit(static_cast<size_t>(runs.component(runs.codes(i)[run])) - 1); };
    if (set(0)) visit_run(0);
    if (set(last_column)) visit_run(runs.runs(i) - 1);
    if (i > 0 && i + 1 < runs.bands()) continue;
    const int64_t y = i * runs.band_rows();
    const bool first = y == 0 || y + 1 == runs.height(), second = y + 2 == runs.height();  // rows on the border
    kernels().components.sum_runs(band, runs.words(), sums.data());
    for (int32_t run = 0; run < runs.runs(i); ++run) {
      const RunSums& sum = sums[static_cast<size_t>(run)];
      if ((first && sum.first > 0) || (second && sum.second > 0)) visit_run(run);
    }
  }
}

}  // namespace

int32_t label_components(ImageView<const uint8_t> mask, int connectivity, ImageView<int32_t> labels) {
  require_size(mask, labels);
  const Runs runs(mask, connectivity);
  const auto pixels = static_cast<size_t>(mask.width);
  // One value before the labels of a band's runs and 16 behind them may be read.
  for_each_band<int32_t>(runs, labels, 32 * runs.words() + 17,
                         [&](int64_t band, int32_t* first, int32_t* second, int32_t* buffer) {
                           const int32_t *codes = runs.codes(band), count = runs.runs(band);
                           for (int32_t i = 0; i < count; ++i) buffer[1 + i] = runs.component(codes[i]);
                           kernels().components.paint_labels(runs.band(band), buffer + 1, pixels, first, second);
                         });
  return runs.components();
}

namespace {

struct PixelSums {
  int64_t x = 0, y = 0, area = 0;
  int32_t left = std::numeric_limits<int32_t>::max(), right = 0, top = std::numeric_limits<int32_t>::max(), bottom = 0;

  void add(const PixelSums& part) {
    area += part.area;
    x += part.x;
    y += part.y;
    left = std::min(left, part.left);
    right = std::max(right, part.right);
    top = std::min(top, part.top);
    bottom = std::max(bottom, part.bottom);
  }
  ComponentStats stats() const {
    if (area == 0) return {0, 0, 0, 0, 0, std::nan(""), std::nan("")};
    const auto pixels = static_cast<double>(area);
    return {
        area, left, top, right - left, bottom - top, static_cast<double>(x) / pixels, static_cast<double>(y) / pixels};
  }
};

std::vector<PixelSums> pixel_sums(const Runs& runs) {
  return sum_components(
      runs, PixelSums(), kernels().components.sum_runs,
      [](PixelSums& s, int64_t y, const RunSums& run) {
        const auto row = static_cast<int32_t>(y);
        s.add({run.x, y * run.first + (y + 1) * run.second, run.first + run.second, run.begin, run.end,
               row + (run.first == 0), row + 1 + (run.second != 0)});
      },
      [](PixelSums& s, const PixelSums& part) { s.add(part); });
}

}  // namespace

std::vector<ComponentStats> component_stats(ImageView<const uint8_t> mask, int connectivity, bool background) {
  std::vector<ComponentStats> stats;
  if (background) {
    PixelSums all;
    for (const PixelSums& part : pixel_sums(Runs(mask, connectivity, true))) all.add(part);
    stats.push_back(all.stats());
  }
  const std::vector<PixelSums> sums = pixel_sums(Runs(mask, connectivity));
  stats.reserve(stats.size() + sums.size());
  for (const PixelSums& one : sums) stats.push_back(one.stats());
  return stats;
}

void keep_largest(ImageView<const uint8_t> mask, int64_t k, int connectivity, ImageView<uint8_t> result) {
  require_size(mask, result);
  if (k < 1) throw std::invalid_argument("k must be at least 1, got " + std::to_string(k));
  const Runs runs(mask, connectivity);
  const std::vector<int32_t> areas = areas_of(runs);
  std::vector<int32_t> order(areas.size());
  std::iota(order.begin(), order.end(), 0);
  const auto kept = std::min<int64_t>(k, runs.components());
  const auto area = [&](int32_t i) { return areas[static_cast<size_t>(i)]; };
  std::nth_element(order.begin(), order.begin() + kept, order.end(),
                   [&](int32_t a, int32_t b) { return area(a) != area(b) ? area(a) > area(b) : a < b; });
  std::vector<uint8_t> keep(areas.size(), 0);
  for (int64_t i = 0; i < kept; ++i) keep[static_cast<size_t>(order[static_cast<size_t>(i)])] = 1;
  paint(runs, [&](size_t i) { return keep[i]; }, 255, result);
}

void remove_small(ImageView<const uint8_t> mask, int64_t min_area, int connectivity, ImageView<uint8_t> result,
                  int64_t max_area, bool invert) {
  require_size(mask, result);
  require_not_negative(min_area, "min_area");
  require_not_negative(max_area, "max_area");
  const Runs runs(mask, connectivity);
  const std::vector<int32_t> areas = areas_of(runs);
  paint(runs, [&](size_t i) { return (areas[i] >= min_area && areas[i] <= max_area) != invert; }, 255, result);
}

void keep_touching(ImageView<const uint8_t> mask, ImageView<const uint8_t> seeds, int connectivity,
                   ImageView<uint8_t> result) {
  require_size(mask, result);
  if (seeds.channels != 1 || seeds.height != mask.height || seeds.width != mask.width)
    throw std::invalid_argument("seeds must have one channel and the size of mask");
  const Runs runs(mask, connectivity);
  std::vector<uint8_t> kept(static_cast<size_t>(runs.components()));
  std::vector<uint64_t> bits[2] = {std::vector<uint64_t>(runs.words()), std::vector<uint64_t>(runs.words())};
  for (int64_t i = 0; i < runs.bands(); ++i) {
    for (int64_t row = 0; row < runs.band_rows(); ++row) {
      const int64_t y = i * runs.band_rows() + row;
      if (y < runs.height())
        kernels().components.pack_bits(seeds.row(y), static_cast<size_t>(runs.width()), bits[row].data());
      else
        std::fill(bits[row].begin(), bits[row].end(), 0);
    }
    const BitBand band = runs.band(i);
    int32_t begun = -1;  // the run that began last
    uint64_t before = 0;
    for (size_t word = 0; word < runs.words(); ++word) {
      const uint64_t both = band.first[word] | band.second[word], starts = both & ~(both << 1 | before);
      before = both >> 63;
      uint64_t hits = (band.first[word] & bits[0][word]) | (band.second[word] & bits[1][word]);
      while (hits != 0) {
        const int place = std::countr_zero(hits);
        const int32_t run = begun + std::popcount(starts & (~uint64_t{0} >> (63 - place)));
        kept[static_cast<size_t>(runs.component(runs.codes(i)[run])) - 1] = 1;
        const uint64_t ends = ~both >> place;  // hits of the same run need no further look
        const int rest = place + std::countr_zero(ends);
        hits = ends == 0 || rest >= 64 ? 0 : hits & (~uint64_t{0} << rest);
      }
      begun += std::popcount(starts);
    }
  }
  paint(runs, [&](size_t i) { return kept[i]; }, 255, result);
}

void fill_holes(ImageView<const uint8_t> mask, int64_t max_area, int connectivity, ImageView<uint8_t> result) {
  require_size(mask, result);
  require_not_negative(max_area, "max_area");
  const int other = connectivity == 8 ? 4 : connectivity == 4 ? 8 : connectivity;
  const Runs background(mask, other, true);
  const std::vector<int32_t> areas = areas_of(background);
  std::vector<uint8_t> kept(areas.size());
  for (size_t i = 0; i < areas.size(); ++i) kept[i] = areas[i] > max_area;
  for_each_border_run(background, [&](size_t i) { kept[i] = 1; });
  paint(background, [&](size_t i) { return kept[i]; }, 0, result);
}

}  // namespace alphacut
