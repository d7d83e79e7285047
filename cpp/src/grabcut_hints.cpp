#include "grabcut_hints.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "alphacut/matting.hpp"
#include "alphacut/parallel.hpp"
#include "alphacut/subject.hpp"
#include "alphacut/threshold.hpp"
#include "math.hpp"

namespace alphacut {
namespace {

constexpr int kPasses = 6;  // of the barrier distance

Image<uint8_t> where(ImageView<const uint8_t> labels, uint8_t label) {
  Image<uint8_t> mask = Image<uint8_t>::like(labels);
  for (int64_t y = 0; y < labels.height; ++y)
    for (int64_t x = 0; x < labels.width; ++x) mask.row(y)[x] = labels.row(y)[x] == label ? 255 : 0;
  return mask;
}

template <class Body>
void for_undecided(ImageView<uint8_t> labels, Body body) {
  for (int64_t y = 0; y < labels.height; ++y)
    for (int64_t x = 0; x < labels.width; ++x)
      if (labels.row(y)[x] > 1) body(y, x, labels.row(y)[x]);
}

// Which rows of `old` ones touch row y of `size`.
Range touched(int64_t y, int64_t old, int64_t size) { return {y * old / size, ((y + 1) * old - 1) / size + 1}; }

// In each column of some rows: how many pixels are background, and whether any is foreground.
template <class Count>
void count_columns(ImageView<const uint8_t> labels, Range rows, Count* __restrict background,
                   uint8_t* __restrict foreground) {
  const auto n = static_cast<size_t>(labels.width);
  std::fill_n(background, n, Count{0});
  std::fill_n(foreground, n, uint8_t{0});
  for (int64_t v = rows.begin; v < rows.end; ++v) {
    const uint8_t* __restrict row = labels.row(v);
    for (size_t x = 0; x < n; ++x) {
      const uint8_t label = row[x];
      background[x] = static_cast<Count>(background[x] + (label == 0));
      foreground[x] = static_cast<uint8_t>(foreground[x] | (label == 1));
    }
  }
}

constexpr uint8_t kEnough = 1, kThin = 2;

// Row y of the smaller labels; background that covers more than one of `parts` parts of a pixel keeps it. Returns
// which there is: kEnough, kThin.
template <class Count>
uint8_t shrink_row(ImageView<const uint8_t> labels, int64_t parts, int64_t y, ImageView<uint8_t> small) {
  const Range rows = touched(y, labels.height, small.height);
  const auto width = static_cast<size_t>(labels.width);
  std::vector<Count> background(width);
  std::vector<uint8_t> foreground(width);
  count_columns(labels, rows, background.data(), foreground.data());
  const uint8_t* centre = labels.row((2 * y + 1) * labels.height / (2 * small.height));
  uint8_t found = 0;
  for (int64_t x = 0; x < small.width; ++x) {
    const Range columns = touched(x, labels.width, small.width);
    int64_t known = 0;
    uint8_t stroke = 0;
    for (auto u = static_cast<size_t>(columns.begin); u < static_cast<size_t>(columns.end); ++u) {
      known += background[u];
      stroke |= foreground[u];
    }
    const uint8_t label = centre[(2 * x + 1) * labels.width / (2 * small.width)];
    const bool enough = parts * known > (rows.end - rows.begin) * (columns.end - columns.begin);
    if (known > 0 && stroke == 0) found |= enough ? kEnough : kThin;
    small.row(y)[x] = stroke != 0 ? 1 : enough ? 0 : label;
  }
  return found;
}

void shrink_rows(ImageView<const uint8_t> labels, int64_t parts, const std::vector<uint8_t>& changed,
                 ShrunkLabels& shrunk) {
  const ImageView<uint8_t> small = shrunk.labels;
  const int64_t rows = labels.height / small.height + 1;
  parallel_for(small.height, row_grain(labels.width * rows), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const Range from = touched(y, labels.height, small.height);
      const auto first = changed.begin() + from.begin, last = changed.begin() + from.end;
      if (!changed.empty() && std::find(first, last, 1) == last) continue;
      shrunk.found[static_cast<size_t>(y)] =
          rows < 255 ? shrink_row<uint8_t>(labels, parts, y, small) : shrink_row<uint32_t>(labels, parts, y, small);
    }
  });
}

}  // namespace

Range scaled(int64_t begin, int64_t end, int64_t old, int64_t size) {
  const int64_t low = std::min((begin * size + old - 1) / old, size - 1);
  return {low, std::max(low + 1, end * size / old)};
}

ShrunkLabels shrink_labels(ImageView<const uint8_t> labels, int64_t height, int64_t width, const ShrunkLabels& before,
                           const std::vector<uint8_t>& changed) {
  ShrunkLabels shrunk{Image<uint8_t>(height, width), std::vector<uint8_t>(static_cast<size_t>(height))};
  const bool again = !changed.empty() && before.labels.data() != nullptr && !before.found.empty();
  if (again) {
    std::copy_n(before.labels.data(), height * width, shrunk.labels.data());
    shrunk.found = before.found;
  }
  shrink_rows(labels, 4, again ? changed : std::vector<uint8_t>{}, shrunk);
  uint8_t found = 0;
  for (const uint8_t row : shrunk.found) found |= row;
  if (found == kThin) {  // better too much than none
    shrink_rows(labels, std::numeric_limits<int32_t>::max(), {}, shrunk);
    shrunk.found.clear();
  }
  return shrunk;
}

// The maps of a label's pixels.
void StrokeMaps::find(ImageView<const uint8_t> image, ImageView<const uint8_t> labels, uint8_t label, bool distance) {
  Maps& maps = maps_[label];
  Image<uint8_t> seed = where(labels, label);
  if (maps.seed.data() == nullptr || !std::equal(seed.data(), seed.data() + seed.pixels(), maps.seed.data())) {
    maps = {};
    Image<float> barrier = Image<float>::like(image);
    barrier_map(image, seed, kPasses, barrier);
    maps = {std::move(seed), std::move(barrier), {}};
  }
  if (!distance || maps.distance.data() != nullptr) return;
  Image<uint8_t> rest = Image<uint8_t>::like(image);
  for (int64_t i = 0; i < rest.pixels(); ++i) rest.data()[i] = maps.seed.data()[i] ^ 255;
  Image<float> found = Image<float>::like(image);
  distance_transform(rest, found);
  maps.distance = std::move(found);  // only now: it may have thrown
}

Image<float> StrokeMaps::between_strokes(ImageView<const uint8_t> image, ImageView<const uint8_t> labels) {
  for (uint8_t label = 0; label < 2; ++label) find(image, labels, label, true);
  Image<float> prior = Image<float>::like(image);
  parallel_for(labels.height, row_grain(labels.width, 1 << 13), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < labels.width; ++x) {
        const float back = maps_[0].barrier.row(y)[x], front = maps_[1].barrier.row(y)[x];
        const double far = maps_[0].distance.row(y)[x], near = maps_[1].distance.row(y)[x];
        prior.row(y)[x] =
            2 * (back - front) / (back + front + 5) + static_cast<float>(log_exact((far + 4) / (near + 4)));
      }
  });
  return prior;
}

void StrokeMaps::behind_barriers(ImageView<const uint8_t> image, ImageView<uint8_t> labels) {
  find(image, labels, 0, false);
  Image<float> barrier = Image<float>::like(image);
  std::copy_n(maps_[0].barrier.data(), barrier.pixels(), barrier.data());
  Image<uint8_t> undecided = Image<uint8_t>::like(image);
  std::fill_n(undecided.data(), undecided.pixels(), uint8_t{0});
  std::vector<float> values;
  for_undecided(labels, [&](int64_t y, int64_t x, uint8_t&) {
    undecided.row(y)[x] = 255;
    values.push_back(barrier.row(y)[x]);
  });
  const auto high = values.begin() + static_cast<ptrdiff_t>(values.size() - 1) * 95 / 100;
  std::nth_element(values.begin(), high, values.end());
  if (!(*high > 0)) return;
  for (int64_t i = 0; i < barrier.pixels(); ++i) barrier.data()[i] = std::min(barrier.data()[i] / *high, 1.0f);
  const auto bin = static_cast<int>(otsu_limit(histogram(barrier.view(), undecided)));
  const float limit = static_cast<float>(bin + 1) / 512;  // half of Otsu's
  for_undecided(labels, [&](int64_t y, int64_t x, uint8_t& label) { label = barrier.row(y)[x] > limit ? 3 : 2; });
}

Image<float> StrokeMaps::start_labels(ImageView<const uint8_t> image, Image<float> unary, ImageView<uint8_t> labels) {
  std::array<bool, 4> any{};
  for (int64_t y = 0; y < labels.height; ++y)
    for (int64_t x = 0; x < labels.width; ++x) any[labels.row(y)[x]] = true;
  if ((any[2] && any[3]) || !(any[2] || any[3])) return unary;
  if (any[0] && any[1]) {
    Image<float> odds = between_strokes(image, labels);
    if (unary.data() == nullptr)
      unary = std::move(odds);
    else
      for (int64_t i = 0; i < unary.pixels(); ++i) unary.data()[i] += odds.data()[i];
  }
  if (unary.data() != nullptr)
    for_undecided(labels, [&](int64_t y, int64_t x, uint8_t& label) { label = unary.row(y)[x] > 0 ? 3 : 2; });
  else if (any[0])
    behind_barriers(image, labels);
  return unary;
}

}  // namespace alphacut
