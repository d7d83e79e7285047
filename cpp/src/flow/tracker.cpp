// The course of a film: begin, follow, correct, look again.
#include "alphacut/tracker.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

#include "alphacut/preprocess.hpp"
#include "depth.hpp"
#include "flow/archive.hpp"
#include "flow/cut_by_mask.hpp"
#include "flow/flow.hpp"
#include "flow/memory.hpp"
#include "flow/memory_pieces.hpp"
#include "math.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

constexpr double kHeld = 0.25;  // the confidence in a subject that was found again
constexpr int kStill = 6;       // colours that differ by less are taken for still
constexpr uint64_t kMark =
    0x6163'5472'0000'0001;  // "acTr" and the form of what is saved; also tells the order of bytes

// FNV-1a.
uint64_t checksum(std::span<const uint8_t> bytes) {
  uint64_t sum = 0xcbf29ce484222325;
  for (const uint8_t byte : bytes) sum = (sum ^ byte) * 0x100000001b3;
  return sum;
}

// RGB of 8 bits.
template <class T>
Image<uint8_t> in_rgb(ImageView<const T> frame) {
  Image<uint8_t> rgb(frame.height, frame.width, 3);
  for_rows(frame.height, frame.width, [&](int64_t y) {
    if constexpr (std::is_same_v<T, uint8_t>)
      if (frame.channels == 3) {
        std::copy_n(frame.row(y), 3 * frame.width, rgb.row(y));
        return;
      }
    for (int64_t x = 0; x < frame.width; ++x)
      for (int64_t c = 0; c < 3; ++c) {
        const T value = frame.row(y)[frame.channels == 3 ? 3 * x + c : x];
        uint8_t& to = rgb.row(y)[3 * x + c];
        if constexpr (std::is_same_v<T, uint8_t>)
          to = value;
        else if constexpr (std::is_same_v<T, uint16_t>)
          to = static_cast<uint8_t>((value + 128) / 257);
        else
          store_float(value, to);
      }
  });
  return rgb;
}

// Above 0 at full size. Where that is a multiple of the small one nothing is looked at but the subject and a pixel
// around it, which gives the same.
Image<uint8_t> mask_of(ImageView<const float> log_odds, int64_t height, int64_t width) {
  const int64_t by = height / log_odds.height;
  Box inner{0, 0, log_odds.width, log_odds.height};
  if (by * log_odds.height == height && by * log_odds.width == width) {
    const std::optional<Box> box = bounding_box(positive(log_odds));
    inner = box ? *clipped({box->x - 1, box->y - 1, box->width + 2, box->height + 2}, log_odds.height, log_odds.width)
                : Box{0, 0, 0, 0};
  }
  const bool whole = inner.width == log_odds.width && inner.height == log_odds.height;
  const int64_t top = whole ? 0 : by * inner.y, left = whole ? 0 : by * inner.x;
  Image<float> large(whole ? height : by * inner.height, whole ? width : by * inner.width);
  if (!large.view().empty()) resize_bilinear(part(log_odds, inner), large);
  Image<uint8_t> mask(height, width);
  for_rows(height, width, [&](int64_t y) {
    uint8_t* to = mask.row(y);
    const bool within = y >= top && y < top + large.height();
    if (large.width() < width || !within) std::fill_n(to, width, uint8_t{0});
    if (within) above_zero(large.row(y - top), large.width(), to + left);
  });
  return mask;
}

Image<float> probability_of(ImageView<const float> log_odds) {
  Image<float> probability = Image<float>::like(log_odds);
  for (int64_t i = 0; i < probability.pixels(); ++i)
    probability.data()[i] = static_cast<float>(1 / (1 + exp_exact(-static_cast<double>(log_odds.data[i]))));
  return probability;
}

// Whether what was found is followed; what a plain background or colours alone tell is found in each frame.
bool follows(const Cutout& cutout) {
  return cutout.method == "graphcut" || cutout.method == "mask" || cutout.method == "trimap";
}

}  // namespace

struct Tracker::State {
  SessionOptions options;
  Memory memory;
  int64_t height = 0, width = 0;
  Image<uint8_t> frame, alpha;  // the latest that was followed
  double confidence = 1;
  bool begun = false;           // there was a frame
  bool alone = false;           // each frame is cut out by itself
  bool held = true;             // the subject is
  bool keyed = false;           // the latest frame's background was keyed out
  std::optional<KeyColor> key;  // that was told for it

  void archive(auto& a) {
    KeyColor color = key.value_or(KeyColor{});
    bool told = key.has_value();
    archive_all(a, memory, height, width, frame, alpha, confidence, begun, alone, held, keyed, told, color.color,
                color.across, color.down, color.uniformity);
    if constexpr (std::remove_reference_t<decltype(a)>::kReads) key = told ? std::optional(color) : std::nullopt;
  }
  // Whether what was read from an archive is what one tracker can know.
  bool consistent() const {
    const auto sized = [&](const Image<uint8_t>& of, int64_t channels) {
      return of.height() == height && of.width() == width && of.view().channels == channels;
    };
    if ((key && !is_valid(*key)) || !(confidence >= 0 && confidence <= 1)) return false;
    if (!begun) return !frame && !alpha && memory.empty();
    if (alone) return height > 0 && width > 0 && !alpha;
    return frame && sized(frame, 3) && (!alpha || sized(alpha, 1)) && memory.consistent(height, width);
  }

  const Network* network() const { return options.network ? &options.network() : nullptr; }

  // A frame that throws, for it was cancelled or there was no memory, is as if it had never been.
  Cutout next(const AnyView& picture, const AnyView& own_alpha, const Prompt& prompt) {
    ToBytes bytes;
    archive_all(bytes, memory);
    FromBytes from(bytes.bytes);
    Memory memory_before;
    archive_all(from, memory_before);
    const auto before = std::tuple(confidence, begun, alone, held, keyed, key);
    try {
      return tried(picture, own_alpha, prompt);
    } catch (...) {
      memory = std::move(memory_before);
      std::tie(confidence, begun, alone, held, keyed, key) = before;
      throw;
    }
  }

 private:
  Cutout tried(const AnyView& picture, const AnyView& own_alpha, const Prompt& prompt) {
    const auto [rows, columns] = std::visit([](auto view) { return std::pair(view.height, view.width); }, picture);
    require_picture(picture, own_alpha);
    const CheckedPrompt checked(prompt, rows, columns);
    const bool anew = prompt.box || checked.mask.data != nullptr || checked.trimap.data != nullptr || prompt.key ||
                      prompt.prior.data != nullptr;
    const bool corrects = !anew && checked.labels.data != nullptr;
    const bool same = rows == height && columns == width;
    Image<uint8_t> rgb;  // not of a frame that is cut out by itself
    const auto take = [&] { rgb = std::visit([](auto view) { return in_rgb(view); }, picture); };
    std::vector<std::string> warnings;
    if (begun && !same) warnings.emplace_back("the frame's size changed: the subject is looked for anew");
    Cutout cutout;
    Followed followed;
    if (begun && same && !anew && !alone) {
      take();
      followed = memory.follow(rgb, network());
    }
    if (followed.cut) warnings.emplace_back("the scene changed: the subject is looked for anew");
    const bool begins = !begun || !same || anew || alone || followed.cut;
    if (begins || corrects) {
      Prompt told = prompt;
      Image<float> likely;
      if (begins && !anew && !corrects && key) told.key = key;
      if (!begins) {
        likely = probability_of(memory.log_odds());
        told.prior = likely;
      }
      cutout = cut(picture, own_alpha, told);
      keyed = cutout.method == "key";
      key = keyed ? told.key : std::nullopt;
      alone = begins && !follows(cutout);
      if (!alone) {
        if (!rgb) take();
        memory.begin(rgb, cutout.mask, begins);
      }
      confidence = cutout.confidence;
      held = true;
    } else {
      cutout = followed_cutout(picture, own_alpha, followed, rgb, warnings);
    }
    cutout.warnings.insert(cutout.warnings.begin(), warnings.begin(), warnings.end());
    Image<uint8_t> shown;
    if (!alone) shown = steady(cutout, rgb, !begins && !corrects);
    begun = true;  // from here on nothing throws
    height = rows;
    width = columns;
    alpha = std::move(shown);
    frame = alone ? Image<uint8_t>() : std::move(rgb);
    return cutout;
  }

  // A key's own ramp is the fast edge of a frame that is keyed, as the guided filter is of others; which of both a
  // frame is shows at first when it is cut out.
  Cutout cut(const AnyView& picture, const AnyView& own_alpha, const Prompt& told) const {
    SessionOptions ramp = options;
    ramp.refine = false;
    ramp.refinement.reset();
    const bool fast = options.refine && options.refinement == MattingMethod::guided;
    if (fast && (told.key || keyed)) {
      Cutout cutout = Session(picture, own_alpha, ramp).cut(told);
      if (cutout.method == "key") return cutout;
    }
    Cutout cutout = Session(picture, own_alpha, options).cut(told);
    return fast && cutout.method == "key" ? Session(picture, own_alpha, ramp).cut(told) : std::move(cutout);
  }

  Cutout followed_cutout(const AnyView& picture, const AnyView& own_alpha, const Followed& followed,
                         ImageView<const uint8_t> rgb, std::vector<std::string>& warnings) {
    confidence = followed.confidence;
    if (followed.lost) {
      const bool found = network() != nullptr && memory.search(rgb, *network());
      if (held && !found) warnings.emplace_back("the subject was lost: it is looked for");
      if (found) warnings.emplace_back("the subject was lost, and found again");
      if (found) confidence = kHeld;
      held = found;
    } else {
      if (!held) warnings.emplace_back("the subject was found again");
      held = true;
    }
    const Image<uint8_t> mask = mask_of(memory.log_odds(), rgb.height, rgb.width);
    SessionOptions finish = options;
    finish.method = CutMethod::automatic;
    Cutout cutout = cut_by_mask(picture, own_alpha, mask, finish);
    cutout.method = "track";
    if (options.network) cutout.subject = "learned";
    cutout.confidence = std::min(cutout.confidence, confidence);
    return cutout;
  }

  // Where nothing moves alpha goes but half of the way to its new value, if the frame `follows`. Returns what it is.
  Image<uint8_t> steady(Cutout& cutout, ImageView<const uint8_t> rgb, bool follows) const {
    Image<uint8_t>* now = std::get_if<Image<uint8_t>>(&cutout.alpha);
    if (now == nullptr) return {};
    if (follows && alpha.height() == rgb.height && alpha.width() == rgb.width) {
      const auto row_bytes = static_cast<size_t>(rgb.width);
      for_rows(rgb.height, rgb.width, [&](int64_t y) {
        if (std::memcmp(now->row(y), alpha.row(y), row_bytes) == 0) return;
        const uint8_t *a = rgb.row(y), *b = frame.row(y), *before = alpha.row(y);
        uint8_t *to = now->row(y), *mask = cutout.mask.row(y);
        for (int64_t x = 0; x < rgb.width; ++x) {
          if (to[x] == before[x]) continue;
          int most = 0;
          for (int64_t c = 3 * x; c < 3 * x + 3; ++c) most = std::max(most, std::abs(a[c] - b[c]));
          if (most < kStill) to[x] = static_cast<uint8_t>((to[x] + before[x] + 1) / 2);
          mask[x] = to[x] > 127 ? 255 : 0;
        }
      });
      cutout.box = bounding_box(cutout.mask);
    }
    return copied<uint8_t>(*now);
  }
};

Tracker::Tracker(SessionOptions options) : state_(std::make_unique<State>()) {
  if (options.refine && !options.refinement) options.refinement = MattingMethod::guided;
  state_->options = std::move(options);
}
Tracker::Tracker(Tracker&&) noexcept = default;
Tracker& Tracker::operator=(Tracker&&) noexcept = default;
Tracker::~Tracker() = default;

Cutout Tracker::next(const AnyView& frame, const AnyView& own_alpha, const Prompt& prompt) {
  return std::visit(
      [&]<class T>(ImageView<const T> picture) {
        const bool opaque = std::visit([](auto view) { return !view; }, own_alpha);
        if (picture.channels != 4 || picture.empty() || !opaque) return state_->next(frame, own_alpha, prompt);
        const Image<T> colors = channels_of(picture, 0, 3), alpha = channels_of(picture, 3, 1);
        return state_->next(colors.view(), alpha.view(), prompt);
      },
      frame);
}
double Tracker::confidence() const { return state_->confidence; }
std::vector<uint8_t> Tracker::save() const {
  ToBytes to;
  uint64_t mark = kMark;
  archive_all(to, mark, *state_);
  uint64_t sum = checksum(to.bytes);
  archive(to, sum);
  return std::move(to.bytes);
}

void Tracker::load(std::span<const uint8_t> bytes) {
  uint64_t mark = 0, sum = 0;
  FromBytes from(bytes);
  from.require(sizeof sum);
  FromBytes(bytes.last(sizeof sum)).raw(&sum, sizeof sum);
  State state;
  archive(from, mark);
  if (mark != kMark) throw std::invalid_argument("state is not of a tracker of this version");
  if (sum != checksum(bytes.first(bytes.size() - sizeof sum))) throw std::invalid_argument("state is damaged");
  archive_all(from, state, sum);
  if (!from.at_end() || !state.consistent()) throw std::invalid_argument("state is damaged");
  state.options = state_->options;
  *state_ = std::move(state);
}

void Tracker::reset() { *this = Tracker(state_->options); }

}  // namespace alphacut
