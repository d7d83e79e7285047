#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "alphacut/color.hpp"
#include "alphacut/graphcut.hpp"
#include "alphacut/parallel.hpp"
#include "dispatch.hpp"
#include "grid_flow.hpp"
#include "math.hpp"
#include "mixture.hpp"

namespace alphacut {
namespace {

constexpr double kScale = 1024;      // capacities to a unit of energy
constexpr float kMaxLogOdds = 1e4f;  // of the colours, clipped; of unary, refused beyond
constexpr double kMaxGamma = 1e5;
constexpr int kMaxComponents = 16;     // a component's number takes 4 bits
constexpr int64_t kMaxSamples = 2048;  // of a class, for the first clustering
constexpr int64_t kFewPixels = 10000;  // rounds end when fewer than one pixel in so many changes side

constexpr int kDx[4] = {1, 0, 1, -1}, kDy[4] = {0, 1, 1, 1};
enum Side : size_t { kBackground = 0, kForeground = 1 };
size_t side_of(uint8_t label) { return label & 1; }

void require_options(ImageView<const uint8_t> image, ImageView<uint8_t> labels, ImageView<const float> unary,
                     const GrabCutOptions& options) {
  const auto same = [&](auto view) {
    return view.height == image.height && view.width == image.width && view.channels == 1;
  };
  if (image.empty()) throw std::invalid_argument("grabcut: image has no pixels");
  if (image.channels != 1 && image.channels != 3)
    throw std::invalid_argument("grabcut: image must have 1 or 3 channels, got " + std::to_string(image.channels));
  if (!same(labels)) throw std::invalid_argument("grabcut: labels must have the size of image");
  if (unary.data != nullptr && !same(unary)) throw std::invalid_argument("grabcut: unary must have the size of image");
  if (options.n_iter < 1)
    throw std::invalid_argument("grabcut: n_iter must be at least 1, got " + std::to_string(options.n_iter));
  if (!(options.gamma >= 0 && options.gamma <= kMaxGamma))
    throw std::invalid_argument("grabcut: gamma must be from 0 to 100000, got " + std::to_string(options.gamma));
  if (options.n_components < 1 || options.n_components > kMaxComponents)
    throw std::invalid_argument("grabcut: n_components must be from 1 to 16, got " +
                                std::to_string(options.n_components));
  if (unary.data != nullptr) require_range(unary, -kMaxLogOdds, kMaxLogOdds, "grabcut: unary");
  for (int64_t y = 0; y < labels.height; ++y)
    if (const uint8_t top = *std::max_element(labels.row(y), labels.row(y) + labels.width); top > 3)
      throw std::invalid_argument("grabcut: labels must be 0, 1, 2 or 3, got " + std::to_string(top));
}

// Everything outside the box becomes background.
void apply_box(Box box, ImageView<uint8_t> labels, std::vector<std::string>& warnings) {
  const int64_t width = labels.width, height = labels.height;
  if (box.width < 1 || box.height < 1 || box.x >= width || box.y >= height || box.x <= -box.width ||
      box.y <= -box.height)
    throw std::invalid_argument("grabcut: box (" + std::to_string(box.x) + ", " + std::to_string(box.y) + ", " +
                                std::to_string(box.width) + ", " + std::to_string(box.height) +
                                ") must have a width and height of at least 1 and meet the picture of " +
                                std::to_string(width) + " x " + std::to_string(height));
  const int64_t left = std::max<int64_t>(box.x, 0), top = std::max<int64_t>(box.y, 0);
  const int64_t right = box.x > width - box.width ? width : box.x + box.width;
  const int64_t bottom = box.y > height - box.height ? height : box.y + box.height;
  if (left != box.x || top != box.y || right - left != box.width || bottom - top != box.height)
    warnings.emplace_back("the box was clipped to the picture");
  bool overruled = false;
  const auto clear = [&](uint8_t* begin, uint8_t* end) {
    overruled |= std::find(begin, end, 1) != end;
    std::fill(begin, end, uint8_t{0});
  };
  for (int64_t y = 0; y < height; ++y) {
    uint8_t* row = labels.row(y);
    const bool inside = y >= top && y < bottom;
    clear(row, row + (inside ? left : width));
    if (inside) clear(row + right, row + width);
  }
  if (overruled) warnings.emplace_back("foreground labels outside the box were taken as background");
}

class GrabCut {
 public:
  GrabCut(ImageView<const uint8_t> image, ImageView<uint8_t> labels, ImageView<const float> unary,
          const GrabCutOptions& options)
      : labels_(labels),
        unary_(unary),
        options_(options),
        height_(image.height),
        width_(image.width),
        grain_(row_grain(image.width, 1 << 14)),
        blocks_(static_cast<size_t>((image.height - 1) / grain_ + 1)),
        colours_(3 * image.height, image.width),
        component_(image.height, image.width),
        terminals_(2 * image.height, image.width),
        weights_(4 * image.height, image.width),
        graph_(image.height, image.width) {
    split_channels(image);
    weigh_edges();
  }

  GrabCutResult run();

 private:
  GraphcutRow colour_row(int64_t y, int64_t x = 0) const {
    return {{colours_.row(y) + x, colours_.row(height_ + y) + x, colours_.row(2 * height_ + y) + x}};
  }
  Colour colour(int64_t y, int64_t x) const {
    return {colours_.row(y)[x], colours_.row(height_ + y)[x], colours_.row(2 * height_ + y)[x]};
  }
  // Runs body(block, y) for all rows, on several threads.
  template <class Body>
  void for_rows(Body&& body) const {
    parallel_for(height_, grain_, [&](int64_t begin, int64_t end) {
      for (int64_t y = begin; y < end; ++y) body(static_cast<size_t>(begin / grain_), y);
    });
  }
  // Runs body(block, y, direction, row, other row, count, x) for the edges of each row, by direction.
  template <class Body>
  void for_edges(Body&& body) const;

  void split_channels(ImageView<const uint8_t> image);
  void weigh_edges();
  bool count_sides();
  void first_components();
  void fit();
  void score();
  int64_t cut();

  ImageView<uint8_t> labels_;
  ImageView<const float> unary_;
  GrabCutOptions options_;
  int64_t height_, width_, grain_;
  size_t blocks_;
  Image<uint8_t> colours_;    // three planes
  Image<uint8_t> component_;  // the best of the background's mixture in the low 4 bits, of the foreground's above
  Image<int32_t> terminals_;  // source above sink
  Image<int32_t> weights_;    // four planes
  GridFlow graph_;
  std::array<int64_t, 2> pixels_{};  // of each side
  std::array<std::vector<float>, 2> mixture_;
  bool flat_ = false;  // one colour
  int64_t flow_ = 0;
};

void GrabCut::split_channels(ImageView<const uint8_t> image) {
  for_rows([&](size_t, int64_t y) {
    uint8_t* channel[3] = {colours_.row(y), colours_.row(height_ + y), colours_.row(2 * height_ + y)};
    if (image.channels == 3)
      kernels().graphcut.split_rgb(image.row(y), static_cast<size_t>(width_), channel[0], channel[1], channel[2]);
    else
      for (uint8_t* plane : channel) std::copy(image.row(y), image.row(y) + width_, plane);
  });
}

template <class Body>
void GrabCut::for_edges(Body&& body) const {
  for_rows([&](size_t block, int64_t y) {
    for (int k = 0; k < 4; ++k) {
      const int64_t x = kDx[k] < 0 ? 1 : 0, count = width_ - (kDx[k] != 0 ? 1 : 0);
      if (y + kDy[k] < height_ && count > 0)
        body(block, y, k, colour_row(y, x), colour_row(y + kDy[k], x + kDx[k]), static_cast<size_t>(count), x);
    }
  });
}

// Edge weights γ / length · exp(-β |difference of colours|^2), β = 1 / (2 · mean |difference|^2), as in the paper.
void GrabCut::weigh_edges() {
  std::vector<uint64_t> partial(blocks_, 0);
  for_edges([&](size_t block, int64_t, int, GraphcutRow a, GraphcutRow b, size_t count, int64_t) {
    partial[block] += kernels().graphcut.sum_distance(a, b, count);
  });
  uint64_t sum = 0;
  for (const uint64_t part : partial) sum += part;
  const int64_t edges = 4 * height_ * width_ - 3 * height_ - 3 * width_ + 2;
  flat_ = sum == 0;
  const double beta = flat_ ? 0 : static_cast<double>(edges) / (2 * static_cast<double>(sum));
  std::vector<int32_t>
      table[2];  // straight and diagonal edges, by squared difference, up to the first that rounds to 0
  for (int diagonal = 0; diagonal < 2; ++diagonal) {
    const double weight = options_.gamma * kScale / (diagonal ? std::sqrt(2.0) : 1.0);
    for (int32_t d = 0; d <= 3 * 255 * 255; ++d) {
      table[diagonal].push_back(static_cast<int32_t>(std::floor(weight * exp_exact(-beta * d) + 0.5)));
      if (table[diagonal].back() == 0 || flat_) break;
    }
  }
  for_edges([&](size_t, int64_t y, int k, GraphcutRow a, GraphcutRow b, size_t count, int64_t x) {
    const auto& t = table[kDx[k] != 0 && kDy[k] != 0];
    kernels().graphcut.edge_weights(a, b, count, t.data(), static_cast<int32_t>(t.size()) - 1,
                                    weights_.row(k * height_ + y) + x);
  });
}

// Whether both sides have pixels.
bool GrabCut::count_sides() {
  std::vector<int64_t> partial(blocks_, 0);
  for_rows([&](size_t block, int64_t y) {
    for (int64_t x = 0; x < width_; ++x) partial[block] += labels_.row(y)[x] & 1;
  });
  pixels_[kForeground] = 0;
  for (const int64_t part : partial) pixels_[kForeground] += part;
  pixels_[kBackground] = height_ * width_ - pixels_[kForeground];
  return pixels_[kBackground] > 0 && pixels_[kForeground] > 0;
}

// Clusters evenly spaced samples of each side; every pixel goes to the nearest centre of its side.
void GrabCut::first_components() {
  std::vector<Colour> samples[2];
  int64_t seen[2] = {0, 0};
  for (int64_t y = 0; y < height_; ++y)
    for (int64_t x = 0; x < width_; ++x) {
      const size_t side = side_of(labels_.row(y)[x]);
      if (seen[side]++ % ((pixels_[side] - 1) / kMaxSamples + 1) == 0) samples[side].push_back(colour(y, x));
    }
  std::vector<Colour> centres[2];
  for (size_t side = 0; side < 2; ++side)
    centres[side] = cluster(samples[side], options_.n_components, 2 * static_cast<uint64_t>(options_.seed) + side);
  for_rows([&](size_t, int64_t y) {
    for (int64_t x = 0; x < width_; ++x)
      component_.row(y)[x] = static_cast<uint8_t>(17 * nearest(centres[side_of(labels_.row(y)[x])], colour(y, x)));
  });
}

// Both mixtures from the pixels' sides and components.
void GrabCut::fit() {
  using Sums = std::array<std::array<ColourSums, kMaxComponents>, 2>;
  std::vector<Sums> partial(blocks_);
  for_rows([&](size_t block, int64_t y) {
    Sums& sums = partial[block];
    for (int64_t x = 0; x < width_; ++x) {
      const size_t side = side_of(labels_.row(y)[x]);
      sums[side][(component_.row(y)[x] >> (4 * side)) & 15].add(colour(y, x));
    }
  });
  for (size_t side = 0; side < 2; ++side) {
    for (size_t block = 1; block < blocks_; ++block)
      for (size_t k = 0; k < kMaxComponents; ++k) partial[0][side][k].add(partial[block][side][k]);
    mixture_[side] = fit_mixture(partial[0][side].data(), kMaxComponents);
  }
}

// Terminal capacities, and each pixel's best component of both mixtures. A side without mixture says nothing.
void GrabCut::score() {
  const auto n = static_cast<size_t>(width_);
  const bool coloured = !mixture_[0].empty() && !mixture_[1].empty();
  const auto hard = static_cast<int32_t>(8 * std::ceil(options_.gamma * kScale)) + 1;  // more than a pixel's edges
  parallel_for(height_, grain_, [&](int64_t begin, int64_t end) {
    std::vector<float> value[2] = {std::vector<float>(n), std::vector<float>(n)}, zero(n);
    std::vector<uint8_t> best[2] = {std::vector<uint8_t>(n), std::vector<uint8_t>(n)};
    for (int64_t y = begin; y < end; ++y) {
      for (size_t side = 0; coloured && side < 2; ++side)
        kernels().graphcut.mixture_score(colour_row(y), n, mixture_[side].data(),
                                         static_cast<int>(mixture_[side].size() / 10), value[side].data(),
                                         best[side].data());
      for (size_t x = 0; x < n; ++x) component_.row(y)[x] = static_cast<uint8_t>(best[0][x] | best[1][x] << 4);
      kernels().graphcut.terminals(value[kForeground].data(), value[kBackground].data(),
                                   unary_.data != nullptr ? unary_.row(y) : zero.data(), labels_.row(y), n, kMaxLogOdds,
                                   static_cast<float>(kScale), hard, terminals_.row(y), terminals_.row(height_ + y));
    }
  });
}

// Cuts and relabels the undecided pixels; returns how many changed side.
int64_t GrabCut::cut() {
  graph_.clear();
  for_rows([&](size_t, int64_t y) {
    std::vector<int32_t> difference(static_cast<size_t>(width_)), zero(static_cast<size_t>(width_), 0);
    for (int64_t x = 0; x < width_; ++x)
      difference[static_cast<size_t>(x)] = terminals_.row(y)[x] - terminals_.row(height_ + y)[x];
    const int32_t* weights[4];
    for (int64_t k = 0; k < 4; ++k) {
      weights[k] = y + kDy[k] < height_ ? weights_.row(k * height_ + y) : zero.data();
      if (kDx[k] != 0) weights_.row(k * height_ + y)[kDx[k] < 0 ? 0 : width_ - 1] = 0;
    }
    graph_.add(y, 0, width_, difference.data(), weights);
  });
  flow_ = graph_.solve();
  Image<uint8_t> mask(height_, width_);
  for_rows([&](size_t, int64_t y) { graph_.source_side(y, 0, width_, mask.row(y)); });
  std::vector<int64_t> partial(blocks_, 0);
  for_rows([&](size_t block, int64_t y) {
    uint8_t* label = labels_.row(y);
    for (int64_t x = 0; x < width_; ++x) {
      if (label[x] < 2) continue;
      const auto decided = static_cast<uint8_t>(mask.row(y)[x] ? 3 : 2);
      partial[block] += label[x] != decided;
      label[x] = decided;
    }
  });
  int64_t changed = 0;
  for (const int64_t part : partial) changed += part;
  return changed;
}

GrabCutResult GrabCut::run() {
  GrabCutResult result;
  if (flat_) result.warnings.emplace_back("the picture has one colour: it tells nothing about the subject");
  bool coloured = false;  // whether a mixture has been fitted
  for (int64_t changed = height_ * width_;
       result.n_iter < options_.n_iter && changed > height_ * width_ / kFewPixels;) {
    if (count_sides()) {
      if (!coloured) first_components();
      fit();
      coloured = true;
    } else {
      const char* empty = pixels_[kForeground] == 0 ? "foreground" : "background";
      if (result.n_iter > 0)
        result.warnings.push_back("no " + std::string(empty) + " was left after round " +
                                  std::to_string(result.n_iter));
      else
        result.warnings.push_back("the hints leave no pixel that may be " + std::string(empty));
      if (unary_.data == nullptr || result.n_iter > 0) break;
    }
    score();
    changed = cut();
    ++result.n_iter;
  }
  result.energy = static_cast<double>(flow_) / kScale;
  return result;
}

}  // namespace

GrabCutResult grabcut(ImageView<const uint8_t> image, ImageView<uint8_t> labels, std::optional<Box> box,
                      ImageView<const float> unary, const GrabCutOptions& options) {
  require_options(image, labels, unary, options);
  GrabCutResult result;
  if (box) apply_box(*box, labels, result.warnings);
  GrabCutResult found = GrabCut(image, labels, unary, options).run();
  found.warnings.insert(found.warnings.begin(), result.warnings.begin(), result.warnings.end());
  return found;
}

GrabCutResult grabcut(ImageView<const float> image, ImageView<uint8_t> labels, std::optional<Box> box,
                      ImageView<const float> unary, const GrabCutOptions& options) {
  require_range(image, 0, 1, "grabcut: image");
  Image<uint8_t> rounded = Image<uint8_t>::like(image, image.channels);
  const int64_t values = image.width * image.channels;
  parallel_for(image.height, row_grain(values), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t i = 0; i < values; ++i) rounded.row(y)[i] = static_cast<uint8_t>(image.row(y)[i] * 255.0f + 0.5f);
  });
  return grabcut(rounded, labels, box, unary, options);
}

}  // namespace alphacut
