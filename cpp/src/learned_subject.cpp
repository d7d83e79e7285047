#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alphacut/components.hpp"
#include "alphacut/parallel.hpp"
#include "alphacut/preprocess.hpp"
#include "alphacut/subject.hpp"
#include "dispatch.hpp"
#include "label_rows.hpp"
#include "network_input.hpp"
#include "planes.hpp"

namespace alphacut {

using detail::LabelRows;

namespace {

constexpr int64_t kSide = 256;    // of what the network sees, squashed to a square
constexpr int64_t kStrip = 64;    // a picture so many times wider than high is a strip
constexpr double kMargin = 0.18;  // around a box, of its sides, that is seen too
constexpr float kMost = 9;        // log-odds
constexpr float kGivenUp = 2;     // log-odds against what was removed
constexpr float kSomething = 4;   // barrier distance: below it there is nothing to see

// The rectangle outside which all labels are background; none if that is the whole picture, or nothing.
std::optional<Box> open_box(const LabelRows& labels) {
  std::optional<Box> box = bounding_box(labels);
  if (box && box->width == labels.labels().width && box->height == labels.labels().height) box.reset();
  return box;
}

// What is seen for a box: it and a margin, within the picture.
Box seen_around(const Box& box, int64_t height, int64_t width) {
  const auto margin = [](int64_t length) { return static_cast<int64_t>(kMargin * static_cast<double>(length) + 0.5); };
  const int64_t across = margin(box.width), down = margin(box.height);
  return *clipped({box.x - across, box.y - down, box.width + 2 * across, box.height + 2 * down}, height, width);
}

Image<uint8_t> square_rgb(ImageView<const uint8_t> image) {
  if (image.width > kSide && image.width / kStrip > image.height) {  // or its few wide rows were read for each of many
    Image<uint8_t> narrow(image.height, kSide, image.channels);
    resize_area(image, narrow);
    return square_rgb(narrow);
  }
  Image<uint8_t> rgb(kSide, kSide, 3);
  if (image.channels == 3) {
    resize_area(image, rgb);
    return rgb;
  }
  Image<uint8_t> gray(kSide, kSide);
  resize_area(image, gray);
  for (int64_t i = 0; i < gray.pixels(); ++i) std::fill_n(rgb.data() + 3 * i, 3, gray.data()[i]);
  return rgb;
}

// Writes a map of what was seen into that of the whole picture, and `beyond` where nothing was.
void place(const Image<float>& map, const Box& seen, int64_t height, int64_t width, float beyond,
           ImageView<float> out) {
  if (out.empty() || out.channels != 1)
    throw std::invalid_argument("detect_subject: out must have one channel, no side 0");
  const Box inside = rescaled(seen, height, width, out.height, out.width);
  if (inside.width < out.width || inside.height < out.height)
    for (int64_t v = 0; v < out.height; ++v) std::fill_n(out.row(v), out.width, beyond);
  resize_bilinear(map.view(), part(out, inside));
}

// The means of 4 by 4 pixels.
Image<float> in_cells(const Image<float>& log_odds) {
  Image<float> cells(kSide / kInputCell, kSide / kInputCell);
  resize_area(log_odds.view(), cells);
  return cells;
}

// The strokes at the network's size, however thin.
struct SmallStrokes {
  Image<uint8_t> hints;           // of a cell: 1 with foreground in it, else 0 with background, else 2
  std::array<bool, kSide> any{};  // of each row, whether some are not 2
};

// Those of a part's labels, as far as they lie `within` it; rows of the result that see none of the labels' `changed`
// ones stay.
void shrink_strokes(ImageView<const uint8_t> labels, const Box& within, const uint8_t* changed, SmallStrokes& strokes) {
  Image<uint8_t>& hints = strokes.hints;
  // The pixels of a cell.
  const auto covered = [](int64_t cell, int64_t pixels, int64_t begin, int64_t length) {
    return std::pair(std::max(cell * pixels / kSide, begin),
                     std::min(((cell + 1) * pixels - 1) / kSide + 1, begin + length));
  };
  parallel_for(kSide, row_grain(labels.pixels() / kSide + 1), [&](int64_t begin, int64_t end) {
    const auto width = static_cast<size_t>(labels.width);
    std::vector<uint8_t> seen(width);  // bit 0: background, bit 1: foreground
    for (int64_t y = begin; y < end; ++y) {
      const auto [top, bottom] = covered(y, labels.height, within.y, within.height);
      if (top < bottom && std::find(changed + top, changed + bottom, 1) == changed + bottom) continue;
      bool& any = strokes.any[static_cast<size_t>(y)];
      if (y > begin && covered(y - 1, labels.height, within.y, within.height) == std::pair(top, bottom)) {
        std::copy_n(hints.row(y - 1), kSide, hints.row(y));  // of few and wide rows
        any = strokes.any[static_cast<size_t>(y - 1)];
        continue;
      }
      std::fill(seen.begin(), seen.end(), uint8_t{0});
      any = false;
      for (int64_t v = top; v < bottom; ++v) {
        const uint8_t* row = labels.row(v);
        for (size_t x = 0; x < width; ++x)
          seen[x] = static_cast<uint8_t>(seen[x] | (row[x] == 0 ? 1 : 0) | (row[x] == 1 ? 2 : 0));
      }
      for (int64_t x = 0; x < kSide; ++x) {
        const auto [left, right] = covered(x, labels.width, within.x, within.width);
        uint8_t bits = 0;
        for (int64_t u = left; u < right; ++u) bits |= seen[static_cast<size_t>(u)];
        hints.row(y)[x] = bits == 0 ? 2 : (bits & 2) != 0 ? 1 : 0;
        any |= bits != 0;
      }
    }
  });
}

void check(ImageView<const uint8_t> image, ImageView<const uint8_t> labels, const std::optional<Box>& box) {
  const auto require = [](bool holds, const std::string& message) {
    if (!holds) throw std::invalid_argument("detect_subject: " + message);
  };
  require(!image.empty() && (image.channels == 1 || image.channels == 3),
          "the picture must have 1 or 3 channels, no side 0");
  require(
      labels.data == nullptr || (labels.height == image.height && labels.width == image.width && labels.channels == 1),
      "labels must have the picture's size");
  require(!box || (box->x >= 0 && box->y >= 0 && box->width >= 1 && box->height >= 1 &&
                   box->x <= image.width - box->width && box->y <= image.height - box->height),
          "box must lie in the picture");
}

// With strokes of one kind alone an answer only grows, or only shrinks: to keep takes nothing away, to remove adds
// nothing.
void bound_by(const Image<float>& before, ImageView<const uint8_t> hints, Image<float>& log_odds) {
  const uint8_t *first = hints.data, *last = first + hints.pixels();
  const bool keeps = std::find(first, last, 1) != last, removes = std::find(first, last, 0) != last;
  if (keeps == removes) return;
  float* values = log_odds.data();
  for (int64_t i = 0; i < log_odds.pixels(); ++i)
    values[i] = keeps ? std::max(values[i], before.data()[i]) : std::min(values[i], before.data()[i]);
}

// With strokes of both kinds, a part of the answer that one to remove touches and none to keep is given up.
void give_up_removed(ImageView<const uint8_t> hints, Image<float>& log_odds) {
  const int64_t n = log_odds.pixels();
  if (std::find(hints.data, hints.data + n, 1) == hints.data + n) return;
  Image<uint8_t> likely(log_odds.height(), log_odds.width());
  Image<int32_t> parts(log_odds.height(), log_odds.width());
  float* values = log_odds.data();
  for (int64_t i = 0; i < n; ++i) likely.data()[i] = values[i] > 0 ? 255 : 0;
  std::vector<uint8_t> touched(static_cast<size_t>(label_components(likely, 4, parts)) + 1, 0);  // bit 0: to remove
  for (int64_t i = 0; i < n; ++i)
    if (hints.data[i] < 2) touched[static_cast<size_t>(parts.data()[i])] |= hints.data[i] == 0 ? 1 : 2;
  touched[0] = 0;
  for (int64_t i = 0; i < n; ++i)
    if (touched[static_cast<size_t>(parts.data()[i])] == 1) values[i] = -kGivenUp;
}

}  // namespace

// The latest part that was looked at.
struct SubjectFinder::State {
  const Network& network;
  ImageView<const uint8_t> image, small;
  Box seen{};
  std::optional<Box> inside{};
  Image<uint8_t> rgb{};
  std::optional<Network::Features> features{};
  Image<float> answer{};  // without strokes; no data: not asked yet
  LabelRows own{};        // what find() was told, where the caller keeps no such rows
  // The latest strokes, and what they were made from.
  struct Drawn {
    const LabelRows* labels;
    uint64_t version;
    Box seen, within;
  };
  std::optional<Drawn> drawn{};
  SmallStrokes strokes{};

  void see(const Box& part_seen, std::optional<Box> box) {
    const bool whole = part_seen.width == image.width && part_seen.height == image.height;
    if (!features || !(seen == part_seen)) {
      features.reset();
      answer = {};
      rgb = square_rgb(whole ? small : part(image, part_seen));
      features.emplace(network.see(network_colours(rgb)));
      seen = part_seen;
    } else if (inside == box && answer.data() != nullptr) {
      return;
    }
    answer = {};  // of another box, or none yet: stays so if anything throws
    inside = box;
    Image<float> log_odds(kSide, kSide);
    const float contrast = ask({}, {}, log_odds);
    if (contrast < kSomething && !box) std::fill_n(log_odds.data(), log_odds.pixels(), -kMost);
    answer = std::move(log_odds);
  }
  float ask(ImageView<const uint8_t> hints, ImageView<const float> before, Image<float>& log_odds) const {
    Image<int16_t> planes(kSide / kInputCell, kSide / kInputCell, kInputPlanes);
    const float found = network_input(rgb, hints, inside, before, planes);
    network.ask(*features, planes, log_odds);
    return found;
  }
  // The strokes of labels as far as they lie `within` what is seen; no data if there are none.
  ImageView<const uint8_t> hints_of(const LabelRows& labels, const Box& within) {
    const std::optional<Drawn> before = std::exchange(drawn, std::nullopt);  // lost if anything throws
    const bool again = before && before->labels == &labels && before->seen == seen && before->within == within;
    if (strokes.hints.data() == nullptr) strokes.hints = Image<uint8_t>(kSide, kSide);
    const std::vector<uint8_t> changed = labels.changed_since(again ? std::optional(before->version) : std::nullopt);
    shrink_strokes(part(labels.labels(), seen), within, changed.data() + seen.y, strokes);
    drawn = {&labels, labels.version(), seen, within};
    const bool any = std::find(strokes.any.begin(), strokes.any.end(), true) != strokes.any.end();
    return any ? ImageView<const uint8_t>(strokes.hints) : ImageView<const uint8_t>{};
  }
  Image<float> ask(const LabelRows* labels, std::optional<Box> box) {
    check(image, labels != nullptr ? labels->labels() : ImageView<const uint8_t>{}, box);
    const bool told = box.has_value();
    if (!told && labels != nullptr) box = open_box(*labels);
    const Box around = box ? seen_around(*box, image.height, image.width) : Box{0, 0, image.width, image.height};
    see(around, box ? std::optional(in_square(*box, around, kSide)) : std::nullopt);
    ImageView<const uint8_t> hints;
    if (labels != nullptr) {  // where they make the box, they are no strokes beyond it
      Box within{0, 0, seen.width, seen.height};
      if (!told && box) within = {box->x - seen.x, box->y - seen.y, box->width, box->height};
      hints = hints_of(*labels, within);
    }
    Image<float> log_odds(kSide, kSide);
    if (hints.data != nullptr) {  // strokes correct what is answered without them
      ask(hints, in_cells(answer), log_odds);
      bound_by(answer, hints, log_odds);
      give_up_removed(hints, log_odds);
    } else {
      std::copy_n(answer.data(), answer.pixels(), log_odds.data());
    }
    return log_odds;
  }
};

SubjectFinder::SubjectFinder(const Network& network, ImageView<const uint8_t> image, ImageView<const uint8_t> small)
    : state_(new State{network, image, small.data != nullptr ? small : image}) {}
SubjectFinder::SubjectFinder(SubjectFinder&&) noexcept = default;
SubjectFinder::~SubjectFinder() = default;

void SubjectFinder::find(ImageView<const uint8_t> labels, std::optional<Box> box, ImageView<float> probability,
                         ImageView<float> log_odds) {
  if (labels) {
    check(state_->image, labels, box);
    state_->own.take(labels);
  }
  find_rows(labels ? &state_->own : nullptr, box, probability, log_odds);
}

void SubjectFinder::find_rows(const LabelRows* labels, std::optional<Box> box, ImageView<float> probability,
                              ImageView<float> log_odds) {
  Image<float> found = state_->ask(labels, box);
  const int64_t height = state_->image.height, width = state_->image.width;
  float* values = found.data();
  const int64_t n = found.pixels();
  for (int64_t i = 0; i < n; ++i) values[i] = std::clamp(values[i], -kMost, kMost);
  if (log_odds.data != nullptr) place(found, state_->seen, height, width, 0, log_odds);
  Image<float> likely(kSide, kSide);
  parallel_for(kSide, row_grain(kSide, 1 << 13), [&](int64_t begin, int64_t end) {
    kernels().subject.logistic(found.row(begin), static_cast<size_t>((end - begin) * kSide), -kMost, likely.row(begin));
  });
  place(likely, state_->seen, height, width, 0, probability);
}

void detect_subject(const Network& network, ImageView<const uint8_t> image, ImageView<const uint8_t> labels,
                    std::optional<Box> box, ImageView<float> probability, ImageView<float> log_odds) {
  SubjectFinder(network, image).find(labels, box, probability, log_odds);
}

}  // namespace alphacut
