#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "alphacut/color.hpp"
#include "alphacut/components.hpp"
#include "alphacut/graphcut.hpp"
#include "alphacut/parallel.hpp"
#include "alphacut/preprocess.hpp"
#include "cut_hints.hpp"
#include "cut_level.hpp"

namespace alphacut {
namespace {

constexpr double kMaxGamma = 5e4;  // so that a hint outweighs its pixel's edges within GridFlow's range
constexpr int kMaxComponents = 16;
constexpr int64_t kCoarseSide = 320;    // the longer side of the rounds' picture
constexpr int64_t kStep = 4;            // from a size to the next, at most
constexpr int64_t kBand = 3;            // pixels to either side of an edge that are cut again at the next size
constexpr double kFineGamma = 4.0 / 3;  // times gamma at the larger sizes
constexpr int64_t kFewPixels = 10000;   // rounds end when fewer than one pixel in so many changes side

bool foreground(uint8_t label) { return (label & 1) != 0; }

void require(bool holds, const std::string& message) {
  if (!holds) throw std::invalid_argument("grabcut: " + message);
}

void require_labels(ImageView<const uint8_t> labels) {
  for (int64_t y = 0; y < labels.height; ++y) {
    const uint8_t top = *std::max_element(labels.row(y), labels.row(y) + labels.width);
    require(top <= 3, "labels must be 0, 1, 2 or 3, got " + std::to_string(top));
  }
}

// The box within the picture.
Box clipped(Box box, int64_t height, int64_t width, std::vector<std::string>& warnings) {
  require(
      box.width >= 1 && box.height >= 1 && box.x < width && box.y < height && box.x > -box.width && box.y > -box.height,
      "box (" + std::to_string(box.x) + ", " + std::to_string(box.y) + ", " + std::to_string(box.width) + ", " +
          std::to_string(box.height) + ") must have a width and height of at least 1 and meet the picture of " +
          std::to_string(width) + " x " + std::to_string(height));
  const int64_t left = std::max<int64_t>(box.x, 0), top = std::max<int64_t>(box.y, 0);
  const int64_t right = box.x > width - box.width ? width : box.x + box.width;
  const int64_t bottom = box.y > height - box.height ? height : box.y + box.height;
  if (left != box.x || top != box.y || right - left != box.width || bottom - top != box.height)
    warnings.emplace_back("the box was clipped to the picture");
  return {left, top, right - left, bottom - top};
}

Box scaled_box(Box box, int64_t old_height, int64_t old_width, int64_t height, int64_t width) {
  const Range rows = scaled(box.y, box.y + box.height, old_height, height);
  const Range columns = scaled(box.x, box.x + box.width, old_width, width);
  return {columns.begin, rows.begin, columns.end - columns.begin, rows.end - rows.begin};
}

// Everything outside the box becomes background; whether foreground was overruled.
bool apply_box(Box box, ImageView<uint8_t> labels) {
  bool overruled = false;
  const auto clear = [&](uint8_t* begin, uint8_t* end) {
    overruled |= std::find(begin, end, 1) != end;
    std::fill(begin, end, uint8_t{0});
  };
  for (int64_t y = 0; y < labels.height; ++y) {
    uint8_t* row = labels.row(y);
    const bool inside = y >= box.y && y < box.y + box.height;
    clear(row, row + (inside ? box.x : labels.width));
    if (inside) clear(row + box.x + box.width, row + labels.width);
  }
  return overruled;
}

// Drops parts below a twentieth of the largest, or those that touch no stroke of foreground if there is one, and fills
// holes below a hundredth of the mask. Hints stay.
void clean(ImageView<uint8_t> labels) {
  Image<uint8_t> mask = Image<uint8_t>::like(labels);
  bool stroke = false;
  for (int64_t y = 0; y < labels.height; ++y)
    for (int64_t x = 0; x < labels.width; ++x) {
      mask.row(y)[x] = foreground(labels.row(y)[x]) ? 255 : 0;
      stroke |= labels.row(y)[x] == 1;
    }
  Image<uint8_t> kept = Image<uint8_t>::like(labels);
  if (stroke) {
    Image<int32_t> parts = Image<int32_t>::like(labels);
    std::vector<uint8_t> touched(static_cast<size_t>(label_components(mask, 8, parts)) + 1, 0);
    for (int64_t y = 0; y < labels.height; ++y)
      for (int64_t x = 0; x < labels.width; ++x)
        if (labels.row(y)[x] == 1) touched[static_cast<size_t>(parts.row(y)[x])] = 255;
    touched[0] = 0;
    for (int64_t i = 0; i < kept.pixels(); ++i) kept.data()[i] = touched[static_cast<size_t>(parts.data()[i])];
  } else {
    int64_t largest = 0;
    for (const ComponentStats& part : component_stats(mask, 8)) largest = std::max(largest, part.area);
    remove_small(mask, (largest + 19) / 20, 8, kept);
  }
  fill_holes(kept, std::count(kept.data(), kept.data() + kept.pixels(), 255) / 100, 8, mask);
  for (int64_t y = 0; y < labels.height; ++y)
    for (int64_t x = 0; x < labels.width; ++x)
      if (labels.row(y)[x] > 1) labels.row(y)[x] = mask.row(y)[x] ? 3 : 2;
}

// Where the edge is near: kNode; elsewhere the pixel's side.
Image<uint8_t> band_of(ImageView<const uint8_t> labels) {
  const int64_t height = labels.height, width = labels.width;
  Image<uint8_t> across = Image<uint8_t>::like(labels), band = Image<uint8_t>::like(labels);
  // Bit s: a pixel of side s is near, first in the row, then anywhere.
  parallel_for(height, row_grain(width), [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> bits(static_cast<size_t>(width + 2 * kBand), 0);
    for (int64_t y = begin; y < end; ++y) {
      for (int64_t x = 0; x < width; ++x) bits[static_cast<size_t>(x + kBand)] = foreground(labels.row(y)[x]) ? 2 : 1;
      for (int64_t x = 0; x < width; ++x) {
        uint8_t any = 0;
        for (int64_t i = 0; i <= 2 * kBand; ++i) any |= bits[static_cast<size_t>(x + i)];
        across.row(y)[x] = any;
      }
    }
  });
  parallel_for(height, row_grain(width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      uint8_t* row = band.row(y);
      std::fill_n(row, width, uint8_t{0});
      for (int64_t v = std::max<int64_t>(y - kBand, 0); v <= std::min(y + kBand, height - 1); ++v)
        for (int64_t x = 0; x < width; ++x) row[x] |= across.row(v)[x];
      for (int64_t x = 0; x < width; ++x)
        row[x] = row[x] == 3 ? kNode : foreground(labels.row(y)[x]) ? kInside : kOutside;
    }
  });
  return band;
}

// Takes the answer of the smaller size to undecided labels, and says which of them take part in the next cut.
Image<uint8_t> enlarge(ImageView<const uint8_t> small, bool all, ImageView<uint8_t> labels) {
  const Image<uint8_t> band = band_of(small);
  Image<uint8_t> domain = Image<uint8_t>::like(labels);
  std::vector<int64_t> first{0};  // of the pixels whose centre lies in each column
  for (int64_t u = 1; u <= small.width; ++u)
    first.push_back(u == small.width ? labels.width : ((2 * u * labels.width - 1) / small.width + 1) / 2);
  parallel_for(labels.height, row_grain(labels.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const int64_t v = (2 * y + 1) * small.height / (2 * labels.height);
      uint8_t *label = labels.row(y), *where = domain.row(y);
      for (int64_t u = 0; u < small.width; ++u) {
        const auto decided = static_cast<uint8_t>(foreground(small.row(v)[u]) ? 3 : 2);
        const uint8_t place = all ? static_cast<uint8_t>(kNode) : band.row(v)[u];
        for (int64_t x = first[static_cast<size_t>(u)]; x < first[static_cast<size_t>(u) + 1]; ++x) {
          const bool undecided = label[x] > 1;
          where[x] = undecided ? place : label[x];
          label[x] = undecided ? decided : label[x];
        }
      }
    }
  });
  return domain;
}

}  // namespace

struct GrabCutter::State {
  ImageView<const uint8_t> image;
  std::vector<Image<uint8_t>> pictures;           // smaller copies, the smallest first
  std::vector<std::unique_ptr<CutLevel>> levels;  // of these and of the picture itself
  std::optional<std::array<int64_t, 4>> opened;   // the box of the first level's graph

  ImageView<const uint8_t> picture(size_t level) const {
    return level < pictures.size() ? pictures[level].view() : image;
  }
};

GrabCutter::GrabCutter(ImageView<const uint8_t> image, double gamma) : state_(std::make_unique<State>()) {
  require(!image.empty(), "image has no pixels");
  require(image.channels == 1 || image.channels == 3,
          "image must have 1 or 3 channels, got " + std::to_string(image.channels));
  require(gamma >= 0 && gamma <= kMaxGamma, "gamma must be from 0 to 50000, got " + std::to_string(gamma));
  state_->image = image;
  const int64_t longest = std::max(image.height, image.width);
  std::vector<int64_t> sides;
  for (int64_t side = kCoarseSide; side < longest; side *= kStep) sides.push_back(side);
  for (size_t i = sides.size(); i-- > 0;) {  // each from the next larger one
    const auto size = [&](int64_t n) { return std::max<int64_t>(1, (2 * n * sides[i] + longest) / (2 * longest)); };
    Image<uint8_t> small(size(image.height), size(image.width), image.channels);
    resize_area(state_->pictures.empty() ? image : state_->pictures.back().view(), small);
    state_->pictures.push_back(std::move(small));
  }
  std::reverse(state_->pictures.begin(), state_->pictures.end());
  for (size_t level = 0; level <= sides.size(); ++level)
    state_->levels.push_back(
        std::make_unique<CutLevel>(state_->picture(level), level == 0 ? gamma : gamma * kFineGamma));
}

GrabCutter::GrabCutter(GrabCutter&&) noexcept = default;
GrabCutter::~GrabCutter() = default;

GrabCutResult GrabCutter::cut(ImageView<const uint8_t> hints, std::optional<Box> box, ImageView<const float> unary,
                              const GrabCutOptions& options, ImageView<uint8_t> labels) {
  State& state = *state_;
  const ImageView<const uint8_t> image = state.image;
  require(options.n_iter >= 1, "n_iter must be at least 1, got " + std::to_string(options.n_iter));
  require(options.n_components >= 1 && options.n_components <= kMaxComponents,
          "n_components must be from 1 to 16, got " + std::to_string(options.n_components));
  const auto same_size = [&](auto view) {
    return view.height == image.height && view.width == image.width && view.channels == 1;
  };
  require(same_size(labels) && (hints.data == nullptr || same_size(hints)), "labels must have the size of image");
  if (hints.data != nullptr) require_labels(hints);
  if (unary.data != nullptr) require_range(unary, -kMaxLogOdds, kMaxLogOdds, "grabcut: unary");

  GrabCutResult result;
  if (box) box = clipped(*box, image.height, image.width, result.warnings);
  const size_t top = state.levels.size() - 1;
  std::vector<Image<uint8_t>> smaller;  // labels of the smaller sizes
  const auto labels_of = [&](size_t level) { return level < top ? smaller[level].view() : labels; };
  for (size_t level = 0; level <= top; ++level) {
    const ImageView<const uint8_t> picture = state.picture(level);
    if (level < top) smaller.emplace_back(picture.height, picture.width);
    const ImageView<uint8_t> here = labels_of(level);
    if (hints.data == nullptr)
      for (int64_t y = 0; y < here.height; ++y) std::fill_n(here.row(y), here.width, uint8_t{3});
    else if (level < top)
      shrink_labels(hints, here);
    else if (hints.data != here.data)
      for (int64_t y = 0; y < here.height; ++y) std::copy_n(hints.row(y), here.width, here.row(y));
    const bool overruled =
        box && apply_box(scaled_box(*box, image.height, image.width, picture.height, picture.width), here);
    if (overruled && level == top)
      result.warnings.emplace_back("foreground labels outside the box were taken as background");
  }

  // The smallest size: where to start, then the rounds.
  CutLevel& coarse = *state.levels[0];
  const ImageView<uint8_t> start = labels_of(0);
  Image<float> log_odds;
  if (unary.data != nullptr) {
    log_odds = Image<float>::like(start);
    resize_area(unary, log_odds);
    const auto any = [&](uint8_t label) {
      bool found = false;
      for (int64_t y = 0; !found && y < start.height; ++y)
        found = std::find(start.row(y), start.row(y) + start.width, label) != start.row(y) + start.width;
      return found;
    };
    const bool told = any(2) && any(3);  // whether the hints tell probable foreground from probable background
    for (int64_t y = 0; !told && y < start.height; ++y)
      for (int64_t x = 0; x < start.width; ++x)
        if (start.row(y)[x] > 1) start.row(y)[x] = log_odds.row(y)[x] > 0 ? 3 : 2;
  } else {
    log_odds = start_labels(state.picture(0), start);
  }
  const Prior coarse_prior(log_odds, start.height, start.width);
  const Box whole{0, 0, start.width, start.height};
  const Box graph = box ? scaled_box(*box, image.height, image.width, start.height, start.width) : whole;
  const std::array<int64_t, 4> corners{graph.x, graph.y, graph.width, graph.height};
  Image<uint8_t> domain = Image<uint8_t>::like(start);
  for (int64_t y = 0; y < start.height; ++y)
    for (int64_t x = 0; x < start.width; ++x)
      domain.row(y)[x] =
          y >= graph.y && y < graph.y + graph.height && x >= graph.x && x < graph.x + graph.width ? kNode : kOutside;
  if (state.opened != corners) {
    state.opened.reset();
    coarse.open(domain);
    state.opened = corners;
  }

  if (coarse.flat()) result.warnings.emplace_back("the picture has one colour: it tells nothing about the subject");
  Mixtures models;
  const int64_t pixels = start.height * start.width;
  for (int64_t changed = pixels; result.n_iter < options.n_iter && changed > pixels / kFewPixels;) {
    int64_t front = 0;
    for (int64_t y = 0; y < start.height; ++y)
      front += std::count_if(start.row(y), start.row(y) + start.width, foreground);
    if (front > 0 && front < pixels) {
      const bool first = models[0].empty() && models[1].empty();
      models = first ? coarse.cluster_sides(start, options.n_components, options.seed) : coarse.fit(start, models);
    } else {
      const char* empty = front == 0 ? "foreground" : "background";
      if (result.n_iter > 0)
        result.warnings.push_back("no " + std::string(empty) + " was left after round " +
                                  std::to_string(result.n_iter));
      else
        result.warnings.push_back("the hints leave no pixel that may be " + std::string(empty));
      if (unary.data == nullptr || result.n_iter > 0) break;
    }
    changed = coarse.cut(models, coarse_prior, start);
    ++result.n_iter;
  }
  result.exact = top == 0 || options.exact;
  if (result.n_iter > 0) result.energy = coarse.energy();
  if (options.certify && result.n_iter > 0 && !coarse.certified(domain, start))
    throw std::runtime_error("grabcut: the flow does not equal the capacity of the cut");
  if (options.clean) clean(start);

  // Every larger size: the edge again.
  for (size_t level = 1; level <= top; ++level) {
    const ImageView<uint8_t> here = labels_of(level);
    domain = enlarge(labels_of(level - 1), options.exact && level == top, here);
    if (result.n_iter == 0) continue;
    CutLevel& fine = *state.levels[level];
    fine.open(domain);
    if (!fine.empty()) {
      if (!models[0].empty() && !models[1].empty()) models = fine.fit(here, models);
      fine.cut(models, Prior(log_odds, here.height, here.width), here);
      result.energy = fine.energy();
      if (options.certify && !fine.certified(domain, here))
        throw std::runtime_error("grabcut: the flow does not equal the capacity of the cut");
    }
    fine.close();
  }
  if (options.certify)
    result.energy = state.levels[top]->energy_of(models, Prior(log_odds, image.height, image.width), labels);
  return result;
}

}  // namespace alphacut
