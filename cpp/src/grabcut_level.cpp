#include "grabcut_level.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <utility>

#include "alphacut/parallel.hpp"
#include "math.hpp"

namespace alphacut {
namespace {

constexpr double kScale = 1024;              // capacities to a unit of energy
constexpr int64_t kMaxSamples = 2048;        // of a side, for the first clustering
constexpr int64_t kMaxFitted = 1 << 17;      // pixels of the rows that models are fitted to
constexpr int64_t kFewFitted = 256;          // a side that these rows show less of keeps its model
constexpr int32_t kMaxHard = 1 << 24;        // a graph of larger terminals is made anew each time
constexpr int64_t kRoom = 16;                // around a graph, of a side a part in so many
constexpr int64_t kMaxContrasted = 1 << 20;  // ... and that the mean contrast is taken of

// Neighbours: the even ones lie ahead in raster order, in the order of Neighbours; k ^ 1 is the way back.
constexpr int kDx[8] = {1, -1, 0, 0, 1, -1, -1, 1};
constexpr int kDy[8] = {0, 0, 1, -1, 1, -1, 1, -1};

size_t side_of(uint8_t label) { return label & 1; }
int64_t spacing(int64_t pixels, int64_t wanted) { return (pixels - 1) / wanted + 1; }

}  // namespace

int64_t contrast_step(int64_t pixels) { return spacing(pixels, kMaxContrasted); }
int64_t fit_step(int64_t pixels) { return spacing(pixels, kMaxFitted); }

std::vector<float> refitted(const Rgb8Sums* components, int64_t step, const std::vector<float>& old) {
  int64_t seen = 0;
  for (int k = 0; k < kMaxComponents; ++k) seen += components[k].count;
  return step > 1 && seen < kFewFitted ? old : fit_mixture(components, kMaxComponents);
}

namespace {
// Between which of so many cells pixel i lies, and how far.
Prior::Between between(int64_t i, int64_t size, int64_t cells) {
  const double at =
      std::clamp((static_cast<double>(i) + 0.5) * static_cast<double>(cells) / static_cast<double>(size) - 0.5, 0.0,
                 static_cast<double>(cells - 1));
  const auto first = static_cast<int64_t>(at);
  return {static_cast<int32_t>(first), static_cast<int32_t>(std::min(first + 1, cells - 1)),
          static_cast<float>(at - static_cast<double>(first))};
}
}  // namespace

Prior::Prior(ImageView<const float> map, int64_t height, int64_t width) : map_(map), height_(height), width_(width) {
  if (map.data == nullptr || (map.height == height && map.width == width)) return;
  columns_.resize(static_cast<size_t>(width));
  for (int64_t x = 0; x < width; ++x) columns_[static_cast<size_t>(x)] = between(x, width, map.width);
}

void Prior::row(int64_t y, int64_t x0, int64_t x1, float* values) const {
  if (map_.data == nullptr) {
    std::fill_n(values, x1 - x0, 0.0f);
    return;
  }
  if (columns_.empty()) {
    std::copy(map_.row(y) + x0, map_.row(y) + x1, values);
    return;
  }
  const auto [top, bottom, down] = between(y, height_, map_.height);
  const float *const upper = map_.row(top), *const lower = map_.row(bottom);
  for (int64_t x = x0; x < x1; ++x) {
    const auto [left, right, share] = columns_[static_cast<size_t>(x)];
    const float above = upper[left] + share * (upper[right] - upper[left]);
    const float below = lower[left] + share * (lower[right] - lower[left]);
    values[x - x0] = above + down * (below - above);
  }
}

// Parts of the picture's rows, one array a channel.
class GrabCutLevel::Rows {
 public:
  explicit Rows(const GrabCutLevel& level) : image_(level.image_), planes_(static_cast<size_t>(9 * level.width_)) {}
  // Columns [x0, x1) of row y, kept in slot 0..2; a pointer to where column 0 would be.
  GraphcutRow load(size_t slot, int64_t y, int64_t x0, int64_t x1) {
    const uint8_t* row = image_.row(y);
    if (image_.channels == 1) return {{row, row, row}};
    const auto width = static_cast<size_t>(image_.width);
    uint8_t* plane[3];
    for (size_t c = 0; c < 3; ++c) plane[c] = planes_.data() + (3 * slot + c) * width;
    kernels().graphcut.split_rgb(row + 3 * x0, static_cast<size_t>(x1 - x0), plane[0] + x0, plane[1] + x0,
                                 plane[2] + x0);
    return {{plane[0], plane[1], plane[2]}};
  }

 private:
  ImageView<const uint8_t> image_;
  std::vector<uint8_t> planes_;
};

namespace {
GraphcutRow from(GraphcutRow row, int64_t x) { return {{row.channel[0] + x, row.channel[1] + x, row.channel[2] + x}}; }
}  // namespace

// The edges of a run's pixels to all neighbours.
class GrabCutLevel::Edges {
 public:
  explicit Edges(const GrabCutLevel& level)
      : level_(level), rows_(level), weights_(static_cast<size_t>(level.width_)) {}
  // Calls body(k, x, n, weights) for each neighbour k that n pixels from column x on have inside the picture.
  template <class Body>
  void visit(const Run& run, int step, Body body) {
    const int64_t left = std::max<int64_t>(run.x0 - 1, 0), right = std::min(run.x1 + 1, level_.width_);
    GraphcutRow row[3];
    for (int64_t y = run.y - (step == 1); y <= run.y + 1; ++y)
      if (y >= 0 && y < level_.height_)
        row[y - run.y + 1] = rows_.load(static_cast<size_t>(y - run.y + 1), y, left, right);
    for (int k = 0; k < 8; k += step) {
      const int64_t y = run.y + kDy[k], x = std::max<int64_t>(run.x0, -kDx[k]);
      const int64_t end = std::min(run.x1, level_.width_ - kDx[k]);
      if (y < 0 || y >= level_.height_ || x >= end) continue;
      const auto n = static_cast<size_t>(end - x);
      const auto& table = kDx[k] != 0 && kDy[k] != 0 ? level_.weights_.diagonal : level_.weights_.straight;
      kernels().graphcut.edge_weights(from(row[1], x), from(row[kDy[k] + 1], x + kDx[k]), n, table.data(),
                                      static_cast<int32_t>(table.size()) - 1, weights_.data());
      body(k, x, n, weights_.data());
    }
  }

 private:
  const GrabCutLevel& level_;
  Rows rows_;
  std::vector<int32_t> weights_;
};

GrabCutLevel::GrabCutLevel(ImageView<const uint8_t> image, double gamma)
    : image_(image), height_(image.height), width_(image.width), weights_(gamma, contrast()) {}

// Edge weights γ / length · exp(-β |difference of colours|²), β = 1 / (2 · mean |difference|²), as in the paper.
EdgeWeights::EdgeWeights(double gamma, Contrast contrast)
    : flat(contrast.sum == 0), hard(static_cast<int32_t>(7 * std::ceil(gamma * kScale)) + 1) {
  const double beta = flat ? 0 : static_cast<double>(contrast.edges) / (2 * static_cast<double>(contrast.sum));
  const double step_down = exp_exact(-beta), root = 1 / std::sqrt(2.0);
  double weight = 0;
  for (int32_t d = 0; d <= 3 * 255 * 255; ++d) {
    weight = d % 256 == 0 ? gamma * kScale * exp_exact(-beta * d) : weight * step_down;
    straight.push_back(static_cast<int32_t>(weight + 0.5));
    diagonal.push_back(static_cast<int32_t>(weight * root + 0.5));
    if (straight.back() == 0 || flat) break;
  }
}

Contrast GrabCutLevel::contrast() const {
  const Contrast contrast = contrast_of_rows(contrast_step(image_.pixels()));
  return contrast.sum == 0 ? contrast_of_rows(1) : contrast;
}

// Of the edges of every `step`-th row, to the right and down.
Contrast GrabCutLevel::contrast_of_rows(int64_t step) const {
  const int64_t rows = (height_ - 1) / step + 1;
  const int64_t grain = row_grain(width_, 1 << 14);
  std::vector<uint64_t> sums(static_cast<size_t>((rows - 1) / grain + 1)), counts(sums.size());
  parallel_for(rows, grain, [&](int64_t begin, int64_t end) {
    Rows pixels(*this);
    uint64_t sum = 0, count = 0;
    for (int64_t y = begin * step; y < end * step && y < height_; y += step) {
      const GraphcutRow row[2] = {pixels.load(0, y, 0, width_),
                                  y + 1 < height_ ? pixels.load(1, y + 1, 0, width_) : GraphcutRow{}};
      for (int k = 0; k < 8; k += 2) {
        const int64_t x = kDx[k] < 0 ? 1 : 0, n = width_ - (kDx[k] != 0 ? 1 : 0);
        if (y + kDy[k] >= height_ || n < 1) continue;
        sum += kernels().graphcut.sum_distance(from(row[0], x), from(row[kDy[k]], x + kDx[k]), static_cast<size_t>(n));
        count += static_cast<uint64_t>(n);
      }
    }
    sums[static_cast<size_t>(begin / grain)] = sum;
    counts[static_cast<size_t>(begin / grain)] = count;
  });
  Contrast contrast;
  for (const uint64_t part : sums) contrast.sum += part;
  for (const uint64_t part : counts) contrast.edges += part;
  return contrast;
}

// The samples are spaced evenly over the pixels of each side.
Mixtures GrabCutLevel::cluster_sides(ImageView<const uint8_t> labels, int components, int64_t seed) const {
  std::array<int64_t, 2> pixels{}, seen{};
  for (int64_t y = 0; y < height_; ++y)
    for (int64_t x = 0; x < width_; ++x) ++pixels[side_of(labels.row(y)[x])];
  std::array<std::vector<Rgb8>, 2> samples;
  for (int64_t y = 0; y < height_; ++y)
    for (int64_t x = 0; x < width_; ++x) {
      const size_t side = side_of(labels.row(y)[x]);
      if (seen[side]++ % spacing(pixels[side], kMaxSamples) != 0) continue;
      const uint8_t* p = image_.row(y) + x * image_.channels;
      samples[side].push_back(image_.channels == 3 ? Rgb8{p[0], p[1], p[2]} : Rgb8{p[0], p[0], p[0]});
    }
  Mixtures models;
  parallel_for(2, 1, [&](int64_t begin, int64_t end) {
    for (auto side = static_cast<size_t>(begin); side < static_cast<size_t>(end); ++side)
      for (const Rgb8& c : cluster(samples[side], components, 2 * static_cast<uint64_t>(seed) + side)) {
        models[side].insert(models[side].end(), c.begin(), c.end());
        models[side].insert(models[side].end(), {1, 0, 1, 0, 0, 1, 0});  // the nearest centre scores best
      }
  });
  return fit(labels, models);
}

Mixtures GrabCutLevel::fit(ImageView<const uint8_t> labels, const Mixtures& old) const {
  using Sums = std::array<std::array<Rgb8Sums, kMaxComponents>, 2>;
  const int64_t step = fit_step(image_.pixels()), rows = (height_ - 1) / step + 1;
  const int64_t grain = row_grain(width_, 1 << 14);
  std::vector<Sums> partial(static_cast<size_t>((rows - 1) / grain + 1));
  parallel_for(rows, grain, [&](int64_t begin, int64_t end) {
    Rows pixels(*this);
    const auto n = static_cast<size_t>(width_);
    std::vector<float> score(n);
    std::vector<uint8_t> best(n);
    Sums& sums = partial[static_cast<size_t>(begin / grain)];
    for (int64_t y = begin * step; y < end * step && y < height_; y += step) {
      const GraphcutRow row = pixels.load(0, y, 0, width_);
      const uint8_t* label = labels.row(y);
      for (size_t x = 0, stop = 0; x < n; x = stop) {  // a stretch of one side
        const size_t side = side_of(label[x]);
        for (stop = x + 1; stop < n && side_of(label[stop]) == side;) ++stop;
        kernels().graphcut.mixture_score(from(row, static_cast<int64_t>(x)), stop - x, old[side].data(),
                                         static_cast<int>(old[side].size() / 10), score.data(), best.data());
        for (size_t i = x; i < stop; ++i)
          sums[side][best[i - x]].add(Rgb8{row.channel[0][i], row.channel[1][i], row.channel[2][i]});
      }
    }
  });
  Mixtures models;
  for (size_t side = 0; side < 2; ++side) {
    for (size_t block = 1; block < partial.size(); ++block)
      for (size_t k = 0; k < kMaxComponents; ++k) partial[0][side][k].add(partial[block][side][k]);
    models[side] = refitted(partial[0][side].data(), step, old[side]);
  }
  return models;
}

template <class Body>
void GrabCutLevel::for_runs(Body body) const {
  constexpr size_t kNodes = 1 << 13;
  std::vector<size_t> first{0};  // of each block: runs of whole rows
  for (size_t i = 1; i < runs_.size(); ++i)
    if (runs_[i].y != runs_[i - 1].y && runs_[i].at - runs_[first.back()].at >= kNodes) first.push_back(i);
  first.push_back(runs_.size());
  parallel_for(static_cast<int64_t>(first.size()) - 1, 1, [&](int64_t begin, int64_t end) {
    body(first[static_cast<size_t>(begin)], first[static_cast<size_t>(end)]);
  });
}

// Whether the graph has room for the runs.
bool GrabCutLevel::fits() const {
  const Box& w = window_;
  return std::all_of(runs_.begin(), runs_.end(), [&](const Run& run) {
    return run.y >= w.y && run.y < w.y + w.height && run.x0 >= w.x && run.x1 <= w.x + w.width;
  });
}

// Which rows of the graph are to be made: those that moved and those next to them, or all. They are empty then.
std::vector<uint8_t> GrabCutLevel::rows_anew(const std::vector<uint8_t>& moved) {
  const auto height = static_cast<size_t>(height_);
  std::vector<uint8_t> anew(height, 1);
  const bool usable = std::exchange(solved_, false) && graph_ && !moved.empty() && weights_.hard < kMaxHard;
  if (graph_ && fits()) {
    if (!usable) {
      graph_->clear();
      return anew;
    }
    for (size_t y = 0; y < height; ++y)
      anew[y] = moved[y] | (y > 0 ? moved[y - 1] : 0) | (y + 1 < height ? moved[y + 1] : 0);
    graph_->clear_rows({anew.begin() + window_.y, anew.begin() + window_.y + window_.height});
    return anew;
  }
  // A little room around the pixels, so that the graph serves the next cut: memory that none touches costs nothing.
  int64_t left = width_, right = 0;
  for (const Run& run : runs_) left = std::min(left, run.x0), right = std::max(right, run.x1);
  const int64_t top = std::max<int64_t>(runs_.front().y - height_ / kRoom, 0);
  const int64_t bottom = std::min(runs_.back().y + 1 + height_ / kRoom, height_);
  left = std::max<int64_t>(left - width_ / kRoom, 0);
  right = std::min(right + width_ / kRoom, width_);
  graph_.reset();
  window_ = {left, top, right - left, bottom - top};
  graph_ = std::make_unique<GridFlow>(window_.height, window_.width);
  return anew;
}

// The values of runs in rows that stay.
void GrabCutLevel::keep_rows(const std::vector<Run>& old_runs, const std::vector<int32_t>& old_fold,
                             const std::vector<int32_t>& old_difference, const std::vector<uint8_t>& anew) {
  auto old = old_runs.begin();
  for (const Run& run : runs_) {
    if (anew[static_cast<size_t>(run.y)] != 0) continue;
    while (old->y < run.y || old->x0 < run.x0) ++old;
    std::copy_n(old_fold.data() + old->at, run.size(), fold_.data() + run.at);
    std::copy_n(old_difference.data() + old->at, run.size(), difference_.data() + run.at);
  }
}

void GrabCutLevel::open(ImageView<const uint8_t> domain, const std::vector<uint8_t>& rows,
                        const std::vector<uint8_t>& moved) {
  const std::vector<Run> old_runs = std::exchange(runs_, {});
  flow_ = 0;
  const int64_t grain = row_grain(width_, 1 << 18);
  std::vector<std::vector<Run>> found(static_cast<size_t>((height_ - 1) / grain + 1));
  parallel_for(height_, grain, [&](int64_t first, int64_t last) {
    for (int64_t y = first; y < last; ++y) {
      if (!rows.empty() && rows[static_cast<size_t>(y)] == 0) continue;
      const uint8_t *row = domain.row(y), *end = row + width_;
      for (const uint8_t* x = row; x < end;) {
        x = static_cast<const uint8_t*>(std::memchr(x, kNode, static_cast<size_t>(end - x)));
        if (x == nullptr) break;
        const uint8_t* stop = std::find_if(x, end, [](uint8_t d) { return d != kNode; });
        found[static_cast<size_t>(first / grain)].push_back({y, x - row, stop - row, 0});
        x = stop;
      }
    }
  });
  size_t at = 0;
  for (const std::vector<Run>& block : found)
    for (Run run : block) {
      run.at = std::exchange(at, at + run.size());
      runs_.push_back(run);
    }
  if (runs_.empty()) {
    solved_ = false;
    return;
  }
  const std::vector<uint8_t> anew = rows_anew(moved);
  const std::vector<int32_t> old_fold = std::exchange(fold_, std::vector<int32_t>(at, 0));
  const std::vector<int32_t> old_difference = std::exchange(difference_, std::vector<int32_t>(at, 0));
  keep_rows(old_runs, old_fold, old_difference, anew);
  for_runs([&](size_t begin, size_t end) {
    Edges edges(*this);
    std::vector<int32_t> ahead[4];
    for (size_t i = begin; i < end; ++i) {
      const Run& run = runs_[i];
      if (anew[static_cast<size_t>(run.y)] == 0) continue;
      for (auto& weights : ahead) weights.assign(run.size(), 0);
      int32_t* fold = fold_.data() + run.at;
      edges.visit(run, 1, [&](int k, int64_t x, size_t n, int32_t* weights) {
        kernels().graphcut.fold_edges(domain.row(run.y + kDy[k]) + x + kDx[k], n, weights, fold + (x - run.x0));
        if (k % 2 == 0) std::copy_n(weights, n, ahead[k / 2].data() + (x - run.x0));
      });
      const int32_t* const weights[4] = {ahead[0].data(), ahead[1].data(), ahead[2].data(), ahead[3].data()};
      graph_->add(run.y - window_.y, run.x0 - window_.x, run.x1 - window_.x, fold, weights);
      std::copy_n(fold, run.size(), difference_.data() + run.at);
    }
  });
}

// Terminals, source less sink, of a run: data, hints and the edges to fixed pixels.
class GrabCutLevel::Terminals {
 public:
  Terminals(const GrabCutLevel& level, const Mixtures& models, const Prior& prior)
      : level_(level), models_(models), prior_(prior), rows_(level), best_(static_cast<size_t>(level.width_)) {
    for (auto& values : values_) values.resize(best_.size());
  }
  void find(const Run& run, const uint8_t* labels, const int32_t* fold, int32_t* difference) {
    const size_t n = run.size();
    if (!models_[0].empty() && !models_[1].empty()) {
      const GraphcutRow row = from(rows_.load(0, run.y, run.x0, run.x1), run.x0);
      for (size_t side = 0; side < 2; ++side)
        kernels().graphcut.mixture_score(row, n, models_[side].data(), static_cast<int>(models_[side].size() / 10),
                                         values_[side].data(), best_.data());
    }
    prior_.row(run.y, run.x0, run.x1, values_[2].data());
    kernels().graphcut.terminals(values_[1].data(), values_[0].data(), values_[2].data(), labels, fold, n, kMaxLogOdds,
                                 static_cast<float>(kScale), level_.weights_.hard, difference);
  }

 private:
  const GrabCutLevel& level_;
  const Mixtures& models_;
  const Prior& prior_;
  Rows rows_;
  std::vector<float> values_[3];
  std::vector<uint8_t> best_;
};

int64_t GrabCutLevel::cut(const Mixtures& models, const Prior& prior, ImageView<uint8_t> labels) {
  solved_ = false;  // unless nothing throws
  for_runs([&](size_t begin, size_t end) {
    Terminals terminals(*this, models, prior);
    std::vector<int32_t> after(static_cast<size_t>(width_));
    for (size_t i = begin; i < end; ++i) {
      const Run& run = runs_[i];
      int32_t* before = difference_.data() + run.at;
      terminals.find(run, labels.row(run.y) + run.x0, fold_.data() + run.at, after.data());
      graph_->change(run.y - window_.y, run.x0 - window_.x, run.x1 - window_.x, before, after.data());
      std::copy_n(after.data(), run.size(), before);
    }
  });
  flow_ = graph_->solve();
  solved_ = true;
  std::atomic<int64_t> changed{0};
  for_runs([&](size_t begin, size_t end) {
    std::vector<uint8_t> mask(static_cast<size_t>(width_));
    int64_t sum = 0;
    for (size_t i = begin; i < end; ++i) {
      const Run& run = runs_[i];
      graph_->source_side(run.y - window_.y, run.x0 - window_.x, run.x1 - window_.x, mask.data());
      uint8_t* label = labels.row(run.y) + run.x0;
      for (size_t k = 0; k < run.size(); ++k) {
        if (label[k] < 2) continue;
        const auto decided = static_cast<uint8_t>(mask[k] != 0 ? 3 : 2);
        sum += label[k] != decided;
        label[k] = decided;
      }
    }
    changed += sum;
  });
  return changed;
}

double GrabCutLevel::energy() const { return static_cast<double>(flow_) / kScale; }

bool GrabCutLevel::certified(ImageView<const uint8_t> domain, ImageView<const uint8_t> labels) const {
  Edges edges(*this);
  int64_t capacity = 0;
  for (const Run& run : runs_) {
    const uint8_t* label = labels.row(run.y) + run.x0;
    for (size_t i = 0; i < run.size(); ++i) {
      const int64_t d = difference_[run.at + i];
      capacity += side_of(label[i]) ? std::max<int64_t>(-d, 0) : std::max<int64_t>(d, 0);
    }
    edges.visit(run, 2, [&](int k, int64_t x, size_t n, const int32_t* weights) {
      const uint8_t* ahead = labels.row(run.y + kDy[k]) + x + kDx[k];
      const uint8_t* node = domain.row(run.y + kDy[k]) + x + kDx[k];
      for (size_t i = 0; i < n; ++i)
        if (node[i] == kNode && side_of(ahead[i]) != side_of(labels.row(run.y)[x + static_cast<int64_t>(i)]))
          capacity += weights[i];
    });
  }
  return capacity == flow_;
}

double GrabCutLevel::energy_of(const Mixtures& models, const Prior& prior, ImageView<const uint8_t> labels) const {
  Edges edges(*this);
  Terminals terminals(*this, models, prior);
  const auto n = static_cast<size_t>(width_);
  const std::vector<int32_t> none(n);
  std::vector<int32_t> difference(n);
  int64_t sum = 0;
  for (int64_t y = 0; y < height_; ++y) {
    const Run run{y, 0, width_, 0};
    const uint8_t* label = labels.row(y);
    terminals.find(run, label, none.data(), difference.data());
    for (size_t x = 0; x < n; ++x)
      if (label[x] > 1) sum += std::max<int64_t>(side_of(label[x]) ? -difference[x] : difference[x], 0);
    edges.visit(run, 2, [&](int k, int64_t x, size_t count, const int32_t* weights) {
      const uint8_t* ahead = labels.row(y + kDy[k]) + x + kDx[k];
      for (size_t i = 0; i < count; ++i)
        if (side_of(ahead[i]) != side_of(label[x + static_cast<int64_t>(i)])) sum += weights[i];
    });
  }
  return static_cast<double>(sum) / kScale;
}

}  // namespace alphacut
