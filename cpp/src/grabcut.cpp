#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "alphacut/color.hpp"
#include "alphacut/components.hpp"
#include "alphacut/graphcut.hpp"
#include "alphacut/parallel.hpp"
#include "alphacut/preprocess.hpp"
#include "cleaning.hpp"
#include "grabcut_band.hpp"
#include "grabcut_hints.hpp"
#include "grabcut_level.hpp"
#include "label_rows.hpp"
#include "planes.hpp"
#include "twins.hpp"

namespace alphacut {

using detail::LabelRows;

namespace {

constexpr double kMaxGamma = 5e4;      // so that a hint outweighs its pixel's edges within GridFlow's range
constexpr int64_t kCoarseSide = 320;   // the longer side of the rounds' picture
constexpr int64_t kStep = 4;           // from a size to the next, at most
constexpr int64_t kFewPixels = 10000;  // rounds end when fewer than one pixel in so many changes side
constexpr int kResumedRounds = 1;      // more cost more and change little

bool foreground(uint8_t label) { return (label & 1) != 0; }

void require(bool holds, const std::string& message) {
  if (!holds) throw std::invalid_argument("grabcut: " + message);
}

// The box within the picture.
Box in_picture(const Box& box, int64_t height, int64_t width, std::vector<std::string>& warnings) {
  const std::optional<Box> inside = clipped(box, height, width);
  require(inside.has_value(), "box (" + std::to_string(box.x) + ", " + std::to_string(box.y) + ", " +
                                  std::to_string(box.width) + ", " + std::to_string(box.height) +
                                  ") must have a width and height of at least 1 and meet the picture of " +
                                  std::to_string(width) + " x " + std::to_string(height));
  if (*inside != box) warnings.emplace_back("the box was clipped to the picture");
  return *inside;
}

Box scaled_box(Box box, int64_t old_height, int64_t old_width, int64_t height, int64_t width) {
  const Range rows = scaled(box.y, box.y + box.height, old_height, height);
  const Range columns = scaled(box.x, box.x + box.width, old_width, width);
  return {columns.begin, rows.begin, columns.end - columns.begin, rows.end - rows.begin};
}

// The sizes of the picture's copies, the smallest first, and its own.
std::vector<std::array<int64_t, 2>> sizes_of(int64_t height, int64_t width) {
  const int64_t longest = std::max(height, width);
  std::vector<std::array<int64_t, 2>> sizes;
  for (int64_t side = kCoarseSide; side < longest; side *= kStep) {
    const auto size = [&](int64_t n) { return std::max<int64_t>(1, (2 * n * side + longest) / (2 * longest)); };
    sizes.push_back({size(height), size(width)});
  }
  sizes.push_back({height, width});
  return sizes;
}

// Calls body(begin, end) for the pixels of row y that lie outside the box.
template <class T, class Body>
void outside_box(const Box& box, T* row, int64_t y, int64_t width, Body body) {
  const bool inside = y >= box.y && y < box.y + box.height;
  body(row, row + (inside ? box.x : width));
  if (inside) body(row + box.x + box.width, row + width);
}

bool foreground_outside(const Box& box, const LabelRows& hints) {
  const ImageView<const uint8_t> labels = hints.labels();
  bool any = false;
  for (int64_t y = 0; y < labels.height && !any; ++y)
    if ((hints.row(y).kinds & 2) != 0)
      outside_box(box, labels.row(y), y, labels.width, [&](const uint8_t* begin, const uint8_t* end) {
        any = any || std::memchr(begin, 1, static_cast<size_t>(end - begin)) != nullptr;
      });
  return any;
}

// Drops parts below a twentieth of the largest, and where strokes alone tell of the subject all parts that touch none
// of foreground; a part that touches one stays. Fills holes below a hundredth of the mask. Hints stay.
Cleaning clean(ImageView<uint8_t> labels, bool strokes_alone) {
  Image<uint8_t> mask = Image<uint8_t>::like(labels);
  for (int64_t y = 0; y < labels.height; ++y)
    for (int64_t x = 0; x < labels.width; ++x) mask.row(y)[x] = foreground(labels.row(y)[x]) ? 255 : 0;
  Image<int32_t> parts = Image<int32_t>::like(labels);
  const auto count = static_cast<size_t>(label_components(mask, 8, parts)) + 1;
  std::vector<int64_t> area(count, 0);
  std::vector<uint8_t> touched(count, 0);
  for (int64_t y = 0; y < labels.height; ++y)
    for (int64_t x = 0; x < labels.width; ++x) {
      const auto part = static_cast<size_t>(parts.row(y)[x]);
      ++area[part];
      touched[part] |= labels.row(y)[x] == 1;
    }
  area[0] = touched[0] = 0;
  const bool stroke = std::find(touched.begin(), touched.end(), 1) != touched.end();
  const int64_t least = (*std::max_element(area.begin(), area.end()) + 19) / 20;
  std::vector<uint8_t> stays(count, 0);
  Cleaning done;
  for (size_t part = 1; part < count; ++part) {
    stays[part] = touched[part] || (area[part] >= least && !(stroke && strokes_alone)) ? 255 : 0;
    done.mask += area[part];
    done.parts += stays[part] == 0;
    done.dropped += stays[part] == 0 ? area[part] : 0;
  }
  Image<uint8_t> kept = Image<uint8_t>::like(labels);
  for (int64_t i = 0; i < kept.pixels(); ++i) kept.data()[i] = stays[static_cast<size_t>(parts.data()[i])];
  fill_holes(kept, (done.mask - done.dropped) / 100, 8, mask);
  done.filled = count_nonzero(mask) - (done.mask - done.dropped);
  for (int64_t y = 0; y < labels.height; ++y)
    for (int64_t x = 0; x < labels.width; ++x)
      if (labels.row(y)[x] > 1) labels.row(y)[x] = mask.row(y)[x] ? 3 : 2;
  return done;
}

void copy_rows(ImageView<const uint8_t> from, ImageView<uint8_t> to) {
  parallel_for(to.height, row_grain(to.width, 1 << 18), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) std::copy_n(from.row(y), to.width, to.row(y));
  });
}

}  // namespace

GrabCutPlan plan_grabcut(int64_t height, int64_t width, std::optional<Box> box) {
  GrabCutPlan plan;
  if (box) box = in_picture(*box, height, width, plan.warnings);
  plan.sizes = sizes_of(height, width);
  for (const auto& size : plan.sizes)
    if (box) plan.boxes.push_back(scaled_box(*box, height, width, size[0], size[1]));
  return plan;
}

struct GrabCutter::State {
  // The hints of a call, from which those of the next one that has some are made.
  struct Hints {
    const LabelRows* rows;
    uint64_t version;
    std::vector<ShrunkLabels> shrunk;           // of the smaller sizes
    std::vector<std::vector<uint8_t>> changed;  // of each size and row, whether it differs from the call before
  };
  // What the latest call was told, and `enlarged` is made from.
  struct Told {
    std::optional<Box> box;
    bool hinted;  // whether there were hints
  };
  // What a resumed cut goes on from.
  struct Latest {
    int n_components;
    Image<uint8_t> labels;  // of the smallest size
    Mixtures models;
    Image<float> log_odds;  // of strokes and `unary`
  };
  class Cut;

  ImageView<const uint8_t> image;
  std::vector<Image<uint8_t>> pictures;               // smaller copies, the smallest first
  std::vector<std::unique_ptr<GrabCutLevel>> levels;  // of these and of the picture itself
  std::optional<Box> opened;                          // that of the first level's graph
  StrokeMaps strokes;
  std::optional<Hints> hints;            // the latest
  std::vector<EnlargedLabels> enlarged;  // of the larger sizes
  std::optional<Told> told;              // none after a call that threw
  std::optional<Latest> latest;
  LabelRows own;  // what cut() was told, where the caller keeps no such rows

  size_t top() const { return levels.size() - 1; }
  ImageView<const uint8_t> picture(size_t level) const {
    return level < pictures.size() ? pictures[level].view() : image;
  }
  Box at_level(Box box, size_t level) const {
    return scaled_box(box, image.height, image.width, picture(level).height, picture(level).width);
  }
};

GrabCutter::GrabCutter(ImageView<const uint8_t> image, double gamma) : state_(std::make_unique<State>()) {
  require(!image.empty(), "image has no pixels");
  require(image.channels == 1 || image.channels == 3,
          "image must have 1 or 3 channels, got " + std::to_string(image.channels));
  require(gamma >= 0 && gamma <= kMaxGamma, "gamma must be from 0 to 50000, got " + std::to_string(gamma));
  state_->image = image;
  const auto sizes = sizes_of(image.height, image.width);
  for (size_t i = sizes.size() - 1; i-- > 0;) {  // each from the next larger one
    Image<uint8_t> small(sizes[i][0], sizes[i][1], image.channels);
    resize_area(state_->pictures.empty() ? image : state_->pictures.back().view(), small);
    state_->pictures.push_back(std::move(small));
  }
  std::reverse(state_->pictures.begin(), state_->pictures.end());
  state_->enlarged.resize(sizes.size() - 1);
  for (size_t level = 0; level < sizes.size(); ++level)
    state_->levels.push_back(
        std::make_unique<GrabCutLevel>(state_->picture(level), level == 0 ? gamma : gamma * kFineGamma));
}

GrabCutter::GrabCutter(GrabCutter&&) noexcept = default;
GrabCutter::~GrabCutter() = default;

// One cut, from hints to labels.
class GrabCutter::State::Cut {
 public:
  Cut(State& state, std::optional<Box> box, ImageView<const float> unary, const GrabCutOptions& options)
      : state_(state), top_(state.top()), box_(box), unary_(unary), options_(options) {
    if (box) box_ = in_picture(*box, state.image.height, state.image.width, result_.warnings);
    models_ = {mixture_of(options.models[0]), mixture_of(options.models[1])};
    given_ = !models_[0].empty() || !models_[1].empty();
    require(models_[0].empty() == models_[1].empty(), "models must have a Gaussian of each side");
    require(given_ || !options.freeze_models, "freeze_models needs models");
    told_ = std::exchange(state.told, std::nullopt);
    if (told_ && told_->box != box_) told_.reset();
    const bool usable = options.resume && told_ && state.latest && state.latest->n_components == options.n_components;
    result_.resumed = usable;
    if (usable) latest_ = std::move(state.latest);
    state.latest.reset();
    coarse_ = Image<uint8_t>::like(state.picture(0));
  }

  GrabCutResult run(const LabelRows* hints, ImageView<uint8_t> labels, GrabCutModels* models) {
    if (hints != nullptr) take(*hints);
    start();
    run_rounds();
    for (size_t level = 1; level <= top_; ++level) cut_edge(level);
    if (options_.certify) result_.energy = state_.levels[top_]->energy_of(models_, prior(top_), this->labels(top_));
    give(labels);
    for (size_t side = 0; side < 2; ++side) result_.models[side] = gaussians_of(models_[side]);
    if (models != nullptr)
      *models = {std::move(coarse_models_), std::move(log_odds_)};
    else
      keep();
    return std::move(result_);
  }

 private:
  ImageView<uint8_t> labels(size_t level) { return level == 0 ? coarse_.view() : state_.enlarged[level - 1].labels(); }
  // No data: there are none.
  ImageView<const uint8_t> hints(size_t level) const {
    if (!hints_) return {};
    return level == top_ ? hints_->rows->labels() : hints_->shrunk[level].labels.view();
  }
  Prior prior(size_t level) const {
    return Prior(log_odds_, state_.picture(level).height, state_.picture(level).width);
  }
  void take(const LabelRows& hints);
  void take_row(size_t level, int64_t y, int64_t x0, int64_t x1, uint8_t* to) const;
  HintRows hint_rows(size_t level) const;
  void start();
  void resume_start(ImageView<uint8_t> here);
  bool learn(const GrabCutLevel& coarse, ImageView<const uint8_t> here);
  void run_rounds();
  void cut_edge(size_t level);
  void require_certified(size_t level, ImageView<const uint8_t> domain);
  void give(ImageView<uint8_t> labels);
  void keep();

  State& state_;
  const size_t top_;
  std::optional<Box> box_;
  const ImageView<const float> unary_;
  const GrabCutOptions& options_;
  std::optional<Told> told_;      // by the latest call; none if that helps nothing
  std::optional<Latest> latest_;  // what this cut goes on from
  std::optional<Hints> hints_;    // of this one
  Image<uint8_t> coarse_;         // labels of the smallest size
  Image<float> log_odds_;
  Mixtures models_;
  bool given_ = false;  // the first models, by the caller
  Mixtures coarse_models_;
  GrabCutResult result_;
};

// The hints at every size.
void GrabCutter::State::Cut::take(const LabelRows& hints) {
  if (box_ && foreground_outside(*box_, hints))
    result_.warnings.emplace_back("foreground labels outside the box were taken as background");
  std::optional<Hints> before = std::exchange(state_.hints, std::nullopt);  // lost if anything throws
  if (before && before->rows != &hints) before.reset();
  Hints& now = hints_.emplace(Hints{&hints, hints.version(), {}, {}});
  std::vector<uint8_t> differing;  // none: all
  if (before) differing = hints.changed_since(before->version);
  now.changed.resize(top_ + 1);
  const ShrunkLabels none;
  for (size_t level = 0; level < top_; ++level) {
    const int64_t height = state_.picture(level).height, width = state_.picture(level).width;
    const ShrunkLabels& was = before ? before->shrunk[level] : none;
    now.shrunk.push_back(shrink_labels(hints.labels(), height, width, was, differing));
    for (int64_t y = 0; before && y < height; ++y) {
      const uint8_t* row = now.shrunk[level].labels.row(y);
      now.changed[level].push_back(std::equal(row, row + width, was.labels.row(y)) ? 0 : 1);
    }
  }
  now.changed[top_] = std::move(differing);
}

// The hints of a part of a row; outside the box everything is background.
void GrabCutter::State::Cut::take_row(size_t level, int64_t y, int64_t x0, int64_t x1, uint8_t* to) const {
  const ImageView<const uint8_t> from = hints(level);
  if (from.data == nullptr)
    std::fill_n(to, x1 - x0, uint8_t{3});
  else
    std::copy_n(from.row(y) + x0, x1 - x0, to);
  if (!box_) return;
  const Box box = state_.at_level(*box_, level);
  const bool inside = y >= box.y && y < box.y + box.height;
  const int64_t left = inside ? std::clamp(box.x, x0, x1) : x1, right = std::clamp(box.x + box.width, left, x1);
  std::fill_n(to, left - x0, uint8_t{0});
  std::fill_n(to + (right - x0), x1 - right, uint8_t{0});
}

HintRows GrabCutter::State::Cut::hint_rows(size_t level) const {
  return {[this, level](int64_t y, int64_t x0, int64_t x1, uint8_t* to) { take_row(level, y, x0, x1, to); },
          [this, level](int64_t begin, int64_t end) {
            if (!told_ || told_->hinted != hints_.has_value()) return true;
            if (!hints_) return false;
            if (hints_->changed[level].empty()) return true;
            const auto row = hints_->changed[level].begin();
            return std::find(row + begin, row + end, 1) != row + end;
          }};
}

// The sides that undecided pixels of the smallest size start from, and the log-odds that the hints give.
void GrabCutter::State::Cut::start() {
  const ImageView<uint8_t> here = labels(0);
  for (int64_t y = 0; y < here.height; ++y) take_row(0, y, 0, here.width, here.row(y));
  Image<float> unary;
  if (unary_.data != nullptr) resize_area(unary_, unary = Image<float>::like(here));
  log_odds_ = state_.strokes.start_labels(state_.picture(0), std::move(unary), here);
  if (latest_) resume_start(here);
}

// As the latest cut left them, but where the log-odds now tell the other side. If that leaves a side without pixels,
// the cut starts anew.
void GrabCutter::State::Cut::resume_start(ImageView<uint8_t> here) {
  const ImageView<const uint8_t> before = latest_->labels;
  const bool compare = log_odds_.data() != nullptr && latest_->log_odds.data() != nullptr;
  Image<uint8_t> start = copied<uint8_t>(here);
  int64_t front = 0;
  for (int64_t y = 0; y < here.height; ++y) {
    uint8_t* label = start.row(y);
    for (int64_t x = 0; x < here.width; ++x) {
      const bool turned = compare && (log_odds_.row(y)[x] > 0) != (latest_->log_odds.row(y)[x] > 0);
      if (label[x] > 1 && !turned) label[x] = foreground(before.row(y)[x]) ? 3 : 2;
      front += foreground(label[x]);
    }
  }
  if (front == 0 || front == start.pixels()) return latest_.reset();
  copy_rows(start, here);
  if (!given_) models_ = latest_->models;
}

// Fits the models to the two sides. Whether there is anything to cut by.
bool GrabCutter::State::Cut::learn(const GrabCutLevel& coarse, ImageView<const uint8_t> here) {
  int64_t front = 0;
  for (int64_t y = 0; y < here.height; ++y) front += std::count_if(here.row(y), here.row(y) + here.width, foreground);
  if (front > 0 && front < here.pixels()) {
    const bool first = models_[0].empty() && models_[1].empty();
    models_ = first ? coarse.cluster_sides(here, options_.n_components, options_.seed) : coarse.fit(here, models_);
    return true;
  }
  const std::string empty = front == 0 ? "foreground" : "background";
  result_.warnings.push_back(result_.n_iter > 0
                                 ? "no " + empty + " was left after round " + std::to_string(result_.n_iter)
                                 : "the hints leave no pixel that may be " + empty);
  return result_.n_iter == 0 && (unary_.data != nullptr || given_);
}

// Models and cuts of the smallest size in turn.
void GrabCutter::State::Cut::run_rounds() {
  GrabCutLevel& coarse = *state_.levels[0];
  const ImageView<uint8_t> here = labels(0);
  const Box graph = box_ ? state_.at_level(*box_, 0) : Box{0, 0, here.width, here.height};
  const bool opened = std::exchange(state_.opened, std::nullopt) == graph;  // none again if anything throws
  Image<uint8_t> domain;
  if (!opened || options_.certify) {
    domain = Image<uint8_t>::like(here);
    std::fill_n(domain.data(), domain.pixels(), uint8_t{kOutside});
    for (int64_t y = graph.y; y < graph.y + graph.height; ++y)
      std::fill_n(domain.row(y) + graph.x, graph.width, uint8_t{kNode});
  }
  if (!opened) coarse.open(domain);
  if (coarse.flat()) result_.warnings.emplace_back("the picture has one colour: it tells nothing about the subject");

  const int rounds = options_.freeze_models ? 1
                     : latest_              ? std::min(options_.max_iter, kResumedRounds)
                                            : options_.max_iter;
  const int64_t pixels = here.pixels();
  for (int64_t changed = pixels; result_.n_iter < rounds && changed > pixels / kFewPixels;) {
    if (!options_.freeze_models && !learn(coarse, here)) break;
    changed = coarse.cut(models_, prior(0), here);
    ++result_.n_iter;
  }
  state_.opened = graph;
  coarse_models_ = models_;
  result_.exact = top_ == 0 || options_.exact;
  if (result_.n_iter > 0) {
    result_.energy = coarse.energy();
    require_certified(0, domain);
  } else {
    latest_.reset();  // no edge is left, nor any that was
  }
  if (options_.clean) clean(here, unary_.data == nullptr).tell(result_.warnings);
}

// A larger size: the edge again, as far as it changed.
void GrabCutter::State::Cut::cut_edge(size_t level) {
  const ImageView<const uint8_t> small = labels(level - 1);
  EnlargedLabels& enlarged = state_.enlarged[level - 1];
  Image<uint8_t> places = Image<uint8_t>::like(small);
  if (options_.exact && level == top_) {
    std::fill_n(places.data(), places.pixels(), uint8_t{kNode});
  } else {
    places = band_of(small);
    if (latest_) enlarged.keep_unchanged(small, hint_rows(level), places);
  }
  enlarged.update(small, places, hint_rows(level), state_.picture(level).height, state_.picture(level).width);
  GrabCutLevel& fine = *state_.levels[level];
  if (result_.n_iter == 0) return fine.close();
  fine.open(enlarged.domain(), enlarged.rows(), enlarged.moved());
  if (fine.empty()) return;
  const ImageView<uint8_t> here = enlarged.labels();
  if (!options_.freeze_models && !models_[0].empty() && !models_[1].empty()) models_ = fine.fit(here, models_);
  fine.cut(models_, prior(level), here);
  result_.energy = fine.energy();
  require_certified(level, enlarged.domain());
  if (options_.exact) fine.close();
}

void GrabCutter::State::Cut::require_certified(size_t level, ImageView<const uint8_t> domain) {
  if (options_.certify && !state_.levels[level]->certified(domain, labels(level)))
    throw std::runtime_error("grabcut: the flow does not equal the capacity of the cut");
}

// What the caller asked for: labels, or a mask.
void GrabCutter::State::Cut::give(ImageView<uint8_t> labels) {
  const ImageView<const uint8_t> from = this->labels(top_);
  const auto in_mask = [](const uint8_t* __restrict label, int64_t n, uint8_t* __restrict mask) {
    for (int64_t x = 0; x < n; ++x) mask[x] = static_cast<uint8_t>(-(label[x] & 1));
  };
  if (!options_.mask) return copy_rows(from, labels);
  parallel_for(labels.height, row_grain(labels.width, 1 << 18), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) in_mask(from.row(y), labels.width, labels.row(y));
  });
}

// For the cuts to come.
void GrabCutter::State::Cut::keep() {
  state_.told = {box_, hints_.has_value()};
  if (hints_) state_.hints = std::move(hints_);
  if (result_.n_iter == 0) return;
  state_.latest = {options_.n_components, std::move(coarse_), std::move(coarse_models_), std::move(log_odds_)};
}

GrabCutResult GrabCutter::cut(ImageView<const uint8_t> hints, std::optional<Box> box, ImageView<const float> unary,
                              const GrabCutOptions& options, ImageView<uint8_t> labels, GrabCutModels* models) {
  if (!hints) return cut_rows(nullptr, box, unary, options, labels, models);
  require(hints.height == state_->image.height && hints.width == state_->image.width && hints.channels == 1,
          "labels must have the size of image");
  try {
    state_->own.take(hints);
  } catch (const std::invalid_argument& error) {
    require(false, error.what());
  }
  return cut_rows(&state_->own, box, unary, options, labels, models);
}

GrabCutResult GrabCutter::cut_rows(const LabelRows* hints, std::optional<Box> box, ImageView<const float> unary,
                                   const GrabCutOptions& options, ImageView<uint8_t> labels, GrabCutModels* models) {
  const ImageView<const uint8_t> image = state_->image;
  require(options.max_iter >= 1, "max_iter must be at least 1, got " + std::to_string(options.max_iter));
  require(options.n_components >= 1 && options.n_components <= kMaxComponents,
          "n_components must be from 1 to 16, got " + std::to_string(options.n_components));
  for (const auto& model : options.models)
    require(model.size() <= kMaxComponents, "models must have at most 16 Gaussians a side");
  const auto same_size = [&](auto view) {
    return view.height == image.height && view.width == image.width && view.channels == 1;
  };
  require(same_size(labels) && (hints == nullptr || same_size(hints->labels())), "labels must have the size of image");
  if (unary.data != nullptr) require_range(unary, -kMaxLogOdds, kMaxLogOdds, "grabcut: unary");
  return State::Cut(*state_, box, unary, options).run(hints, labels, models);
}

}  // namespace alphacut
