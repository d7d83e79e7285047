#include "color_histogram.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>

#include "alphacut/parallel.hpp"
#include "dispatch.hpp"

namespace alphacut {
namespace {

constexpr int64_t kBoxes = 1 << 15;
constexpr int64_t kColors = 512;  // to a box
constexpr int64_t kMaxPixels = (1 << 29) - 1;
constexpr int64_t kChunk = 1024;  // pixels whose keys are made at once
constexpr int64_t kGrain = 128;   // boxes to a block of work

// Boxes in which 4096 pixels all over the picture lie.
int64_t boxes_of_sample(ImageView<const uint8_t> image) {
  std::vector<bool> seen(kBoxes);
  for (uint64_t i = 0; i < 4096; ++i) {
    const uint64_t fraction = i * 0x9E3779B97F4A7C15u >> 32;  // golden ratio: spread evenly
    const auto index = static_cast<int64_t>(fraction * static_cast<uint64_t>(image.pixels()) >> 32);
    const uint8_t* p = image.row(index / image.width) + index % image.width * image.channels;
    seen[static_cast<size_t>(image.channels == 1 ? p[0] / 8 : p[0] / 8 + p[1] / 8 * 32 + p[2] / 8 * 1024)] = true;
  }
  return std::ranges::count(seen, true);
}

// Whether counting is sooner done than comparing each pixel each time. A box costs as much as some pixels, and more the
// more there are, for they leave the caches. The limits are measured.
bool counting_pays(ImageView<const uint8_t> image, int64_t max_iter) {
  if (image.pixels() > kMaxPixels || image.pixels() * std::min<int64_t>(max_iter, 8) < 1 << 19) return false;
  const int64_t boxes = boxes_of_sample(image);
  return boxes * boxes * boxes <= 12'000 * image.pixels();
}

// Calls body(x, keys, n) for the chunks of a row.
template <class Body>
void for_each_chunk(const uint8_t* row, int64_t width, int64_t channels, const Body& body) {
  alignas(64) std::array<uint32_t, kChunk> keys;
  for (int64_t x = 0; x < width; x += kChunk) {
    const int64_t n = std::min(kChunk, width - x);
    kernels().kmeans.box.keys(row + x * channels, static_cast<size_t>(n), static_cast<int>(channels), keys.data());
    body(x, keys.data(), n);
  }
}

// Counts the colours of the rows that one thread sees, in bytes: with 4-byte counts most would be out of cache.
class Counter {
 public:
  void add(const uint32_t* keys, int64_t n) {
    uint8_t *counts = counts_.data(), *used = used_.data();
    const auto add_one = [&](uint32_t key) {
      if (!used[key / kColors]) start(key / kColors);
      if (++counts[key] == 0) wrapped_.push_back(key);
    };
    const int64_t half = n / 2;
    for (int64_t i = 0; i < half; ++i) {  // neighbours are often alike, and would wait for each other
      add_one(keys[i]);
      add_one(keys[half + i]);
    }
    if (n % 2 != 0) add_one(keys[n - 1]);
  }
  bool uses(int64_t box) const { return used_[static_cast<size_t>(box)]; }
  const uint8_t* counts(int64_t box) const { return counts_.data() + kColors * box; }
  const std::vector<uint32_t>& wrapped() const { return wrapped_; }  // keys, once for each 256 pixels

 private:
  void start(uint32_t box) {
    used_[box] = 1;
    std::fill_n(counts_.data() + kColors * box, kColors, uint8_t{0});
  }

  Image<uint8_t> counts_{kBoxes, kColors};  // defined in the boxes in use
  std::vector<uint8_t> used_ = std::vector<uint8_t>(kBoxes);
  std::vector<uint32_t> wrapped_;
};

// As many counters as threads are at work.
class Counters {
 public:
  Counter* take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) idle_.push_back(all_.emplace_back(std::make_unique<Counter>()).get());
    Counter* counter = idle_.back();
    idle_.pop_back();
    return counter;
  }
  void give(Counter* counter, int64_t squares) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(counter);
    square_sum_ += squares;
  }
  const std::vector<std::unique_ptr<Counter>>& all() const { return all_; }
  int64_t square_sum() const { return square_sum_; }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Counter>> all_;
  std::vector<Counter*> idle_;
  int64_t square_sum_ = 0;
};

void count(ImageView<const uint8_t> image, Counters& counters) {
  const auto square_sum = kernels().kmeans.u8.square_sum;
  parallel_for(image.height, row_grain(image.width), [&](int64_t begin, int64_t end) {
    Counter* counter = counters.take();
    int64_t squares = 0;
    for (int64_t y = begin; y < end; ++y) {
      for_each_chunk(image.row(y), image.width, image.channels,
                     [&](int64_t, const uint32_t* keys, int64_t n) { counter->add(keys, n); });
      squares += square_sum(image.row(y), static_cast<size_t>(image.width), static_cast<int>(image.channels));
    }
    counters.give(counter, squares);
  });
}

// The boxes in use, in order of their number, without their sums.
std::vector<KmeansBox> boxes_in_use(const Counters& counters) {
  std::vector<KmeansBox> boxes;
  for (int32_t box = 0; box < kBoxes; ++box)
    if (std::ranges::any_of(counters.all(), [&](const auto& counter) { return counter->uses(box); }))
      boxes.push_back({{box % 32 * 512, box / 32 % 32 * 512, box / 1024 * 512}, {}});
  return boxes;
}

int64_t number_of(const KmeansBox& box) { return (box.corner[0] + box.corner[1] * 32 + box.corner[2] * 1024) / 512; }

std::unique_ptr<const KmeansForms> forms_of(const std::vector<KmeansCenter>& centers) {
  std::unique_ptr<KmeansForms> forms(new KmeansForms);
  forms->k = static_cast<int32_t>(centers.size());
  for (size_t j = 0; j < centers.size(); ++j) {
    const int32_t* c = centers[j].value;
    for (int i = 0; i < 3; ++i) forms->value[i][j] = c[i];
    forms->norm[j] = centers[j].norm;
    for (int i = 0; i < 64; ++i) forms->plane[j][i] = -128 * (c[0] * (i % 8) + c[1] * (i / 8));
  }
  return forms;
}

}  // namespace

std::optional<ColorHistogram> ColorHistogram::of(ImageView<const uint8_t> image, int64_t max_iter) {
  if (!counting_pays(image, max_iter)) return std::nullopt;
  Counters counters;
  count(image, counters);
  ColorHistogram result;
  result.boxes_ = boxes_in_use(counters);
  result.square_sum_ = counters.square_sum();
  const auto n = static_cast<int64_t>(result.boxes_.size());
  result.counts_ = Image<uint32_t>(n, kColors);
  std::vector<int64_t> place(kBoxes);  // of a box in the list
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    std::vector<const uint8_t*> parts;
    for (int64_t i = begin; i < end; ++i) {
      KmeansBox& box = result.boxes_[static_cast<size_t>(i)];
      const int64_t number = number_of(box);
      place[static_cast<size_t>(number)] = i;
      parts.clear();
      for (const auto& counter : counters.all())
        if (counter->uses(number)) parts.push_back(counter->counts(number));
      kernels().kmeans.box.gather(parts.data(), static_cast<int>(parts.size()), result.counts_.row(i), &box);
    }
  });
  for (const auto& counter : counters.all())
    for (const uint32_t key : counter->wrapped()) {
      const int64_t i = place[key / kColors];
      result.counts_.row(i)[key % kColors] += 256;
      const uint32_t added[4] = {key % 8, key / 8 % 8, key / 64 % 8, 1};
      for (int c = 0; c < 4; ++c) result.boxes_[static_cast<size_t>(i)].sum[c] += 256 * added[c];
    }
  return result;
}

std::vector<int64_t> ColorHistogram::assign(const std::vector<KmeansCenter>& centers) const {
  const auto forms = forms_of(centers);
  std::vector<int64_t> total(4 * centers.size());
  std::mutex merging;
  parallel_for(counts_.height(), kGrain, [&](int64_t begin, int64_t end) {
    std::vector<int64_t> sums(total.size());
    kernels().kmeans.box.assign(&boxes_[static_cast<size_t>(begin)], counts_.view().row(begin),
                                static_cast<size_t>(end - begin), forms.get(), sums.data());
    const std::lock_guard lock(merging);
    for (size_t i = 0; i < total.size(); ++i) total[i] += sums[i];
  });
  return total;
}

void ColorHistogram::paint(ImageView<const uint8_t> image, const std::vector<KmeansCenter>& centers,
                           ImageView<uint8_t> labels) const {
  const auto forms = forms_of(centers);
  const auto k = static_cast<int64_t>(centers.size()), n = counts_.height();
  Image<uint8_t> palette(k + n, kColors);  // a row of each label, then the rows of the boxes that have several
  for (int64_t j = 0; j < k; ++j) std::fill_n(palette.row(j), kColors, static_cast<uint8_t>(j));
  std::vector<uint32_t> start(kBoxes);  // of a box's row
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const KmeansBox& box = boxes_[static_cast<size_t>(i)];
      const int label = kernels().kmeans.box.label(&box, forms.get(), palette.row(k + i));
      start[static_cast<size_t>(number_of(box))] = static_cast<uint32_t>(kColors * (label < 0 ? k + i : label));
    }
  });
  parallel_for(image.height, row_grain(image.width), [&](int64_t begin, int64_t end) {
    const uint8_t* from = palette.data();
    for (int64_t y = begin; y < end; ++y)
      for_each_chunk(image.row(y), image.width, image.channels, [&](int64_t x, const uint32_t* keys, int64_t count) {
        uint8_t* to = labels.row(y) + x;
        for (int64_t i = 0; i < count; ++i) to[i] = from[start[keys[i] / kColors] + keys[i] % kColors];
      });
  });
}

}  // namespace alphacut
