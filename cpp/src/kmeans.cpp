#include "alphacut/kmeans.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <mutex>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "alphacut/color.hpp"
#include "alphacut/parallel.hpp"
#include "color_histogram.hpp"
#include "dispatch.hpp"
#include "planes.hpp"
#include "splitmix.hpp"
#include "twins.hpp"

namespace alphacut {
namespace {

constexpr int kMaxClusters = 256;
constexpr int kFullScale = 16320;
constexpr int64_t kMaxPixels = int64_t{1} << 32;
constexpr int64_t kMaxSamples = 1 << 16;
constexpr int64_t kMaxSegment = 1 << 17;  // pixels of a row that the kernel takes at once

int32_t fixed(uint8_t v) { return 64 * v; }
int32_t fixed(float v) { return static_cast<int32_t>(static_cast<double>(v) * kFullScale + 0.5); }

const auto& row_kernels(uint8_t) { return kernels().kmeans.u8; }
const auto& row_kernels(float) { return kernels().kmeans.f32; }

void require_values(ImageView<const uint8_t>) {}
void require_values(ImageView<const float> image) { require_range(image, 0, 1, "image"); }

KmeansCenter center_of(int32_t r, int32_t g, int32_t b) { return {{r, g, b}, r * r + g * g + b * b}; }

template <class T>
KmeansCenter center_at(ImageView<const T> image, int64_t index) {
  const T* p = image.row(index / image.width) + index % image.width * image.channels;
  return image.channels == 1 ? center_of(fixed(p[0]), 0, 0) : center_of(fixed(p[0]), fixed(p[1]), fixed(p[2]));
}

std::vector<KmeansCenter> unpack(const std::vector<int32_t>& values, int64_t channels) {
  std::vector<KmeansCenter> centers;
  for (size_t i = 0; i < values.size(); i += static_cast<size_t>(channels))
    centers.push_back(channels == 1 ? center_of(values[i], 0, 0) : center_of(values[i], values[i + 1], values[i + 2]));
  return centers;
}

std::vector<int32_t> pack(const std::vector<KmeansCenter>& centers, int64_t channels) {
  std::vector<int32_t> values;
  for (const KmeansCenter& c : centers) values.insert(values.end(), c.value, c.value + channels);
  return values;
}

void require_clusters(int64_t n_clusters) {
  if (n_clusters < 1 || n_clusters > kMaxClusters)
    throw std::invalid_argument("n_clusters must be from 1 to 256, got " + std::to_string(n_clusters));
}

template <class T>
void require_options(ImageView<const T> image, const KmeansOptions& options, ImageView<uint8_t> labels) {
  require_clusters(options.n_clusters);
  if (options.max_iter < 1)
    throw std::invalid_argument("max_iter must be at least 1, got " + std::to_string(options.max_iter));
  if (options.attempts < 1 || options.attempts > 1000)
    throw std::invalid_argument("attempts must be from 1 to 1000, got " + std::to_string(options.attempts));
  if (options.tol < 0 || options.tol > kFullScale)
    throw std::invalid_argument("tol must be from 0 to 16320, got " + std::to_string(options.tol));
  if (image.empty() || (image.channels != 1 && image.channels != 3) || image.pixels() > kMaxPixels)
    throw std::invalid_argument("image must have 1 or 3 channels and from 1 to 2^32 pixels");
  if (labels.channels != 1 || labels.height != image.height || labels.width != image.width)
    throw std::invalid_argument("labels must have one channel and the size of the image");
  if (options.init.empty()) return;
  if (options.init.size() != static_cast<size_t>(options.n_clusters * image.channels))
    throw std::invalid_argument("init must have n_clusters rows and a column for each channel");
  for (int32_t value : options.init)
    if (value < 0 || value > kFullScale) throw std::invalid_argument("init must lie in the value range of the image");
}

template <class T>
Image<T> samples_of(ImageView<const T> image, uint64_t seed) {
  const auto indices = kmeans_samples(image.pixels(), seed);
  Image<T> samples(1, static_cast<int64_t>(indices.size()), image.channels);
  T* out = samples.data();
  int64_t y = 0;
  for (const int64_t index : indices) {  // they rise
    while (index >= (y + 1) * image.width) ++y;
    const T* pixel = image.row(y) + (index - y * image.width) * image.channels;
    for (int64_t c = 0; c < image.channels; ++c) *out++ = pixel[c];
  }
  return samples;
}

// Totals of one pass: for each cluster the sums of the three channels and the count.
using Sums = std::vector<int64_t>;

// Labels every pixel. Whole numbers, so the order in which blocks are merged does not matter.
template <class T>
Sums assign(ImageView<const T> image, const std::vector<KmeansCenter>& centers, ImageView<uint8_t> labels) {
  const auto kernel = row_kernels(T{}).assign;
  const int k = static_cast<int>(centers.size());
  Sums total(4 * centers.size());
  std::mutex merging;
  parallel_for(image.height, row_grain(image.width), [&](int64_t begin, int64_t end) {
    std::array<int64_t, 4 * kMaxClusters> sums;
    std::fill_n(sums.begin(), total.size(), 0);
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < image.width; x += kMaxSegment)
        kernel(image.row(y) + x * image.channels, static_cast<size_t>(std::min(kMaxSegment, image.width - x)),
               static_cast<int>(image.channels), centers.data(), k, labels.row(y) + x, sums.data());
    const std::lock_guard lock(merging);
    for (size_t i = 0; i < total.size(); ++i) total[i] += sums[i];
  });
  return total;
}

struct Farthest {
  uint32_t distance = 0;
  int64_t index = 0;
};

// Lowers the distances to those to the nearest of `centers` and returns the greatest, first in raster order.
template <class T>
Farthest relax(ImageView<const T> image, std::span<const KmeansCenter> centers, ImageView<uint32_t> distances) {
  const auto kernel = row_kernels(T{}).relax;
  Farthest farthest;
  std::mutex merging;
  parallel_for(image.height, row_grain(image.width), [&](int64_t begin, int64_t end) {
    Farthest best{0, begin * image.width};
    for (int64_t y = begin; y < end; ++y) {
      const uint32_t* row = distances.row(y);
      kernel(image.row(y), static_cast<size_t>(image.width), static_cast<int>(image.channels), centers.data(),
             static_cast<int>(centers.size()), distances.row(y));
      const uint32_t* top = std::max_element(row, row + image.width);
      if (*top > best.distance) best = {*top, y * image.width + (top - row)};
    }
    const std::lock_guard lock(merging);
    if (best.distance > farthest.distance || (best.distance == farthest.distance && best.index < farthest.index))
      farthest = best;
  });
  return farthest;
}

template <class T>
void refill(ImageView<const T> image, const Sums& sums, std::vector<KmeansCenter>& centers) {
  std::vector<KmeansCenter> filled;
  for (size_t j = 0; j < centers.size(); ++j)
    if (sums[4 * j + 3] > 0) filled.push_back(centers[j]);
  if (filled.size() == centers.size()) return;
  auto distances = Image<uint32_t>::like(image);
  std::fill_n(distances.data(), distances.pixels(), UINT32_MAX);
  Farthest farthest = relax(image, std::span<const KmeansCenter>(filled), distances.view());
  for (size_t j = 0; j < centers.size() && farthest.distance > 0; ++j) {
    if (sums[4 * j + 3] > 0) continue;
    centers[j] = center_at(image, farthest.index);
    farthest = relax(image, std::span<const KmeansCenter>(&centers[j], 1), distances.view());
  }
}

template <class T>
std::vector<KmeansCenter> update(ImageView<const T> image, const Sums& sums, std::vector<KmeansCenter> centers) {
  for (size_t j = 0; j < centers.size(); ++j) {
    const int64_t* sum = &sums[4 * j];
    const auto mean = [&](int c) { return static_cast<int32_t>((2 * sum[c] + sum[3]) / (2 * sum[3])); };
    if (sum[3] > 0) centers[j] = center_of(mean(0), mean(1), mean(2));
  }
  refill(image, sums, centers);
  return centers;
}

// The greatest squared movement of a centre.
int64_t movement(const std::vector<KmeansCenter>& a, const std::vector<KmeansCenter>& b) {
  int64_t greatest = 0;
  for (size_t j = 0; j < a.size(); ++j) {
    int64_t moved = 0;
    for (int c = 0; c < 3; ++c) moved += int64_t{a[j].value[c] - b[j].value[c]} * (a[j].value[c] - b[j].value[c]);
    greatest = std::max(greatest, moved);
  }
  return greatest;
}

template <class T>
int64_t square_sum(ImageView<const T> image) {
  const auto kernel = row_kernels(T{}).square_sum;
  int64_t total = 0;
  std::mutex merging;
  parallel_for(image.height, row_grain(image.width), [&](int64_t begin, int64_t end) {
    int64_t part = 0;
    for (int64_t y = begin; y < end; ++y)
      part += kernel(image.row(y), static_cast<size_t>(image.width), static_cast<int>(image.channels));
    const std::lock_guard lock(merging);
    total += part;
  });
  return total;
}

// Σ|X - C|² = Σ|X|² + Σ over the clusters of count·|C|² - 2 C·S.
int64_t inertia_of(int64_t squares, const Sums& sums, const std::vector<KmeansCenter>& centers) {
  for (size_t j = 0; j < centers.size(); ++j) {
    squares += sums[4 * j + 3] * centers[j].norm;
    for (size_t c = 0; c < 3; ++c) squares -= 2 * centers[j].value[c] * sums[4 * j + c];
  }
  return squares;
}

// The samples whose inclusive prefix sum of the distances is the first to exceed each of these numbers.
std::vector<int64_t> drawn_samples(const std::vector<uint32_t>& distances, const std::vector<uint64_t>& numbers) {
  constexpr size_t block = 256;
  std::vector<uint64_t> prefix;  // of whole blocks
  uint64_t total = 0;
  for (size_t i = 0; i < distances.size(); i += block) {
    total = std::accumulate(&distances[i], distances.data() + std::min(i + block, distances.size()), total);
    prefix.push_back(total);
  }
  std::vector<int64_t> samples;
  for (const uint64_t number : numbers) {
    const auto first = static_cast<size_t>(std::ranges::upper_bound(prefix, number % total) - prefix.begin());
    size_t i = first * block;
    for (uint64_t sum = (first > 0 ? prefix[first - 1] : 0) + distances[i]; sum <= number % total; sum += distances[i])
      ++i;
    samples.push_back(static_cast<int64_t>(i));
  }
  return samples;
}

template <class T>
std::vector<KmeansCenter> seed_centers(ImageView<const T> samples, int64_t n_clusters, uint64_t seed) {
  const auto& kernel = row_kernels(T{});
  const auto m = static_cast<size_t>(samples.width);
  const int channels = static_cast<int>(samples.channels);
  std::vector<uint32_t> distances(m, UINT32_MAX);
  std::vector<KmeansCenter> centers{center_at(samples, static_cast<int64_t>(splitmix(seed, 0) % m))};
  std::vector<uint64_t> numbers(static_cast<size_t>(std::bit_width(static_cast<uint64_t>(n_clusters))));
  while (centers.size() < static_cast<size_t>(n_clusters)) {
    kernel.relax(samples.data, m, channels, &centers.back(), 1, distances.data());
    if (std::ranges::all_of(distances, [](uint32_t d) { return d == 0; })) {
      centers.resize(static_cast<size_t>(n_clusters), centers[0]);
      break;
    }
    for (size_t t = 0; t < numbers.size(); ++t) numbers[t] = splitmix(seed, 16 * centers.size() + t);
    std::vector<KmeansCenter> candidates;
    for (const int64_t i : drawn_samples(distances, numbers)) candidates.push_back(center_at(samples, i));
    std::vector<uint64_t> potentials(candidates.size());
    kernel.potentials(samples.data, m, channels, candidates.data(), static_cast<int>(candidates.size()),
                      distances.data(), potentials.data());
    centers.push_back(candidates[static_cast<size_t>(std::ranges::min_element(potentials) - potentials.begin())]);
  }
  return centers;
}

struct Converged {
  std::vector<KmeansCenter> centers;
  Sums sums;
  int64_t n_iter;
};

// `assign_to` gives the sums of the clusters of given centres.
template <class T, class Assign>
Converged iterate(ImageView<const T> image, const KmeansOptions& options, std::vector<KmeansCenter> centers,
                  const Assign& assign_to) {
  const int64_t tolerated = options.tol * options.tol;
  Sums sums = assign_to(centers);
  int64_t n_iter = 0;
  while (n_iter < options.max_iter) {
    auto next = update(image, sums, centers);
    ++n_iter;
    const int64_t moved = movement(centers, next);
    if (moved == 0) break;
    centers = std::move(next);
    sums = assign_to(centers);
    if (moved <= tolerated) break;
  }
  return {std::move(centers), std::move(sums), n_iter};
}

// The best of all attempts; `squares` is the sum of |X|².
template <class T, class Assign>
Kmeans best_of(ImageView<const T> image, const KmeansOptions& options, int64_t squares, const Assign& assign_to) {
  Kmeans best;
  std::vector<KmeansCenter> centers;
  bool last = false;  // the best is what was assigned last
  for (int64_t attempt = 0; attempt < (options.init.empty() ? options.attempts : 1); ++attempt) {
    const uint64_t seed = kmeans_attempt_seed(options.seed, attempt);
    auto end = iterate(image, options,
                       options.init.empty() ? seed_centers<T>(samples_of(image, seed), options.n_clusters, seed)
                                            : unpack(options.init, image.channels),
                       assign_to);
    const int64_t inertia = inertia_of(squares, end.sums, end.centers);
    last = attempt == 0 || inertia < best.inertia;
    if (!last) continue;
    best = {pack(end.centers, image.channels), inertia, end.n_iter};
    centers = std::move(end.centers);
  }
  if (!last) assign_to(centers);
  return best;
}

template <class T>
Kmeans run(ImageView<const T> image, const KmeansOptions& options, ImageView<uint8_t> labels) {
  require_options(image, options, labels);
  require_values(image);
  if constexpr (std::is_same_v<T, uint8_t>)
    if (const auto boxes = ColorHistogram::of(image, options.max_iter)) {
      Kmeans best = best_of(image, options, boxes->square_sum(), [&](const auto& c) { return boxes->assign(c); });
      boxes->paint(image, unpack(best.centers, image.channels), labels);
      return best;
    }
  return best_of(image, options, square_sum(image), [&](const auto& c) { return assign(image, c, labels); });
}

template <class T>
std::vector<int32_t> seed(ImageView<const T> samples, int64_t n_clusters, uint64_t number) {
  require_clusters(n_clusters);
  if (samples.empty() || samples.height != 1 || samples.width > kMaxSamples)
    throw std::invalid_argument("samples must be one row of 1 to 65536 pixels");
  require_values(samples);
  return pack(seed_centers(samples, n_clusters, number), samples.channels);
}

}  // namespace

Kmeans kmeans(ImageView<const uint8_t> image, const KmeansOptions& options, ImageView<uint8_t> labels) {
  return run(image, options, labels);
}
Kmeans kmeans(ImageView<const float> image, const KmeansOptions& options, ImageView<uint8_t> labels) {
  return run(image, options, labels);
}

uint64_t kmeans_attempt_seed(uint64_t seed_number, int64_t attempt) {
  return attempt == 0 ? seed_number : splitmix(seed_number, (uint64_t{1} << 33) + static_cast<uint64_t>(attempt));
}

std::vector<int64_t> kmeans_samples(int64_t pixels, uint64_t seed_number) {
  if (pixels < 1 || pixels > kMaxPixels)
    throw std::invalid_argument("pixels must be from 1 to 2^32, got " + std::to_string(pixels));
  std::vector<int64_t> indices(static_cast<size_t>(std::min(pixels, kMaxSamples)));
  if (pixels <= kMaxSamples) {
    std::iota(indices.begin(), indices.end(), 0);
    return indices;
  }
  for (int64_t i = 0, low = 0; i < kMaxSamples; ++i) {
    const int64_t high = (i + 1) * pixels / kMaxSamples;
    const uint64_t drawn = splitmix(seed_number, (uint64_t{1} << 32) + static_cast<uint64_t>(i));
    indices[static_cast<size_t>(i)] = low + static_cast<int64_t>(drawn % static_cast<uint64_t>(high - low));
    low = high;
  }
  return indices;
}

std::vector<int32_t> kmeans_seed(ImageView<const uint8_t> samples, int64_t n_clusters, uint64_t seed_number) {
  return seed(samples, n_clusters, seed_number);
}
std::vector<int32_t> kmeans_seed(ImageView<const float> samples, int64_t n_clusters, uint64_t seed_number) {
  return seed(samples, n_clusters, seed_number);
}

}  // namespace alphacut
