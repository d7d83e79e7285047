#include "flow/memory.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "alphacut/preprocess.hpp"
#include "flow/flow.hpp"
#include "flow/memory_pieces.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

constexpr int64_t kLongest = 480;   // of the small copy
constexpr double kInward = 0.1;     // how far the box's sides follow the mask inwards, a frame
constexpr double kSeen = 0.29;      // around the expected place: what is seen too
constexpr double kStray = 0.005;    // of the mask's pixels beyond each side of it
constexpr int32_t kReach = 8;       // of the layers' motion at half of the small size
constexpr int32_t kWideReach = 20;  // the same of a subject whose pace is not known
constexpr int32_t kUnsettled = 2;   // frames for which that is so, after it was told or found again
constexpr float kRough = 20;        // a block whose colours differ by more after motion came from nowhere
constexpr double kAlike = 0.6;      // of the colours of two frames, in one scene
constexpr int64_t kSamples = 1500;  // of a layer's pixels, whose motion is looked for
constexpr int kExplained = 30;   // differences of three channels below which the background's motion explains a pixel
constexpr double kOwn = 0.1;     // of the subject's pixels, left to tell its motion; fewer: it moves as the background
constexpr double kPace = 0.3;    // how fast its motion before the background is learned, a frame
constexpr double kHidden = 0.3;  // of the usual area: too little to tell motion and extent
constexpr double kUsual = 0.1;   // how fast the usual area and likeness are learned, a frame
constexpr double kAlikeStill = 0.4;  // of the usual likeness: below it is not the subject
constexpr double kLostMost = 0.2;    // confidence in what is not
constexpr float kLearned = 0.5f;     // how far the colours of a mask that is told replace those before
constexpr size_t kHistogram = 512;   // bins of a frame's colours

// RGB of a size `by` times as large as `small`: as resize_area, but the means are of whole pixels.
void mean_of_cells(ImageView<const uint8_t> rgb, int64_t by, ImageView<uint8_t> small) {
  const auto half = static_cast<uint32_t>(by * by / 2), all = static_cast<uint32_t>(by * by);
  parallel_for(small.height, row_grain(rgb.width * by), [&](int64_t begin, int64_t end) {
    std::vector<uint16_t> column(static_cast<size_t>(3 * rgb.width));
    for (int64_t y = begin; y < end; ++y) {
      uint16_t* __restrict sums = column.data();
      std::fill(column.begin(), column.end(), uint16_t{0});
      for (int64_t v = y * by; v < (y + 1) * by; ++v) {
        const uint8_t* __restrict row = rgb.row(v);
        for (int64_t i = 0; i < 3 * rgb.width; ++i) sums[i] = static_cast<uint16_t>(sums[i] + row[i]);
      }
      uint8_t* to = small.row(y);
      const auto across = [&](auto count) {
        const uint16_t* from = sums;
        for (int64_t x = 0; x < small.width; ++x, from += 3 * count, to += 3)
          for (int c = 0; c < 3; ++c) {
            uint32_t sum = half;
            for (int64_t i = 0; i < count; ++i) sum += from[3 * i + c];
            to[c] = static_cast<uint8_t>(sum / all);
          }
      };
      if (by == 2)
        across(std::integral_constant<int64_t, 2>{});
      else
        across(by);
    }
  });
}

Image<uint8_t> halved(ImageView<const uint8_t> image) {
  Image<uint8_t> half((image.height + 1) / 2, (image.width + 1) / 2, image.channels);
  resize_area(image, half);
  return half;
}

// Height and width of the small copy.
std::pair<int64_t, int64_t> small_size(int64_t height, int64_t width) {
  const int64_t by = (std::max(height, width) + kLongest - 1) / kLongest;
  return {(height + by - 1) / by, (width + by - 1) / by};
}

Image<uint8_t> shrunk(ImageView<const uint8_t> frame) {
  const auto [height, width] = small_size(frame.height, frame.width);
  Image<uint8_t> small(height, width, frame.channels);
  const int64_t by = frame.height / height;
  if (frame.channels == 3 && by > 1 && by < 64 && by * height == frame.height && by * width == frame.width)
    mean_of_cells(frame, by, small);
  else
    resize_area(frame, small);
  return small;
}

std::vector<float> histogram_of(ImageView<const uint8_t> rgb) {
  std::array<uint32_t, kHistogram> counts{};
  for (int64_t y = 0; y < rgb.height; ++y)
    for (const uint8_t *p = rgb.row(y), *end = p + 3 * rgb.width; p != end; p += 3)
      ++counts[static_cast<size_t>((p[0] >> 5) * 64 + (p[1] >> 5) * 8 + (p[2] >> 5))];
  std::vector<float> shares(kHistogram);
  for (size_t i = 0; i < kHistogram; ++i) shares[i] = static_cast<float>(counts[i]) / static_cast<float>(rgb.pixels());
  return shares;
}

// How alike the colours of two frames are, 0..1.
double common(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::min(a[i], b[i]);
  return sum;
}

}  // namespace

void Memory::begin(ImageView<const uint8_t> frame, ImageView<const uint8_t> mask, bool anew) {
  if (anew) *this = Memory();
  const Image<uint8_t> small = shrunk(frame), inside = shrunk(mask);
  log_odds_ = Image<float>::like(inside.view());
  Image<uint8_t> side = Image<uint8_t>::like(inside.view());
  for (int64_t i = 0; i < inside.pixels(); ++i) {
    log_odds_.data()[i] = kKept * (static_cast<float>(inside.data()[i]) / 127.5f - 1);
    side.data()[i] = inside.data()[i] == 255 ? 1 : inside.data()[i] == 0 ? 0 : 2;
  }
  colors_.learn(small, side, kLearned);
  if (const auto found = extent()) edges_ = *found;
  const Image<uint8_t> held = positive(log_odds_);
  area_ = usual_area_ = static_cast<double>(count_nonzero(held));
  likeness_ = colors_.likeness(small, held);
  before_ = Padded(small);
  before_half_ = Padded(halved(small));
  histogram_ = histogram_of(small);
  if (anew) unsettle();
}

bool Memory::consistent(int64_t frame_height, int64_t frame_width) const {
  const auto [height, width] = small_size(frame_height, frame_width);
  const auto has = [](const auto& of, int64_t h, int64_t w) { return of.height() == h && of.width() == w; };
  const auto finite = [](double v) { return std::fabs(v) < 1e9; };
  const auto near = [](Shift by) { return std::abs(by.x) < 1 << 20 && std::abs(by.y) < 1 << 20; };
  const auto count = static_cast<size_t>(std::clamp<int64_t>(motion_.rows, 0, kLongest)) *
                     static_cast<size_t>(std::clamp<int64_t>(motion_.columns, 0, kLongest));
  return !empty() && before_.consistent() && before_half_.consistent() && has(before_, height, width) &&
         has(before_half_, (height + 1) / 2, (width + 1) / 2) && has(log_odds_, height, width) &&
         log_odds_.view().channels == 1 && motion_.from.size() == count && motion_.difference.size() == count &&
         motion_.as_layer[0].size() == count && motion_.as_layer[1].size() == count && near(subject_) &&
         near(background_) && std::all_of(motion_.from.begin(), motion_.from.end(), near) && finite(edges_.left) &&
         finite(edges_.top) && finite(edges_.right) && finite(edges_.bottom) && finite(ahead_x_) && finite(ahead_y_) &&
         histogram_.size() == kHistogram && colors_.consistent();
}

// The sides of the mask, but for a few pixels.
std::optional<Memory::Edges> Memory::extent() const {
  const int64_t height = log_odds_.height(), width = log_odds_.width();
  std::vector<int32_t> rows(static_cast<size_t>(height), 0), columns(static_cast<size_t>(width), 0);
  for (int64_t y = 0; y < height; ++y) {
    const float* __restrict row = log_odds_.row(y);
    int32_t* __restrict to = columns.data();
    int32_t sum = 0;
    for (int64_t x = 0; x < width; ++x) {
      const int32_t in = row[x] > 0;
      sum += in;
      to[x] += in;
    }
    rows[static_cast<size_t>(y)] = sum;
  }
  const int64_t all = std::accumulate(rows.begin(), rows.end(), int64_t{0});
  if (all < kFewest) return std::nullopt;
  const auto few = static_cast<int64_t>(kStray * static_cast<double>(all));
  const auto span = [few](const std::vector<int32_t>& counts) {
    size_t low = 0, high = counts.size();
    for (int64_t sum = counts[low]; sum <= few; sum += counts[low]) ++low;
    for (int64_t sum = counts[high - 1]; sum <= few; sum += counts[high - 1]) --high;
    return std::pair(static_cast<double>(low), static_cast<double>(high));
  };
  const auto [top, bottom] = span(rows);
  const auto [left, right] = span(columns);
  return Edges{left, top, right, bottom};
}

// Its pace is not known: it was told, or it was lost and may come back at another. Until enough is seen to tell, that
// of before counts.
void Memory::unsettle() {
  unsettled_ = kUnsettled;
  lost_ = false;
}

// Whether so little is to be seen that its motion and extent tell nothing of the rest.
bool Memory::hidden() const { return area_ < kHidden * usual_area_; }

// The layers' motion since the frame before, back from the present one, and the box along with the subject.
void Memory::move(const Padded& now, const Padded& now_half, std::array<Shift, 2>& layers) {
  Image<uint8_t> subject = positive(log_odds_), background = Image<uint8_t>::like(subject.view());
  for_rows(subject.height(), subject.width(), [&](int64_t y) {
    uint8_t *own = subject.row(y), *other = background.row(y);
    for (int64_t x = 0; x < subject.width(); ++x) {
      other[x] = own[x] ^ 255;
      if (own[x] != 0 && colors_.log_odds(before_.at(y, x)) < 0) own[x] = 0;  // hardly its own
    }
  });
  if (count_nonzero(subject) < kFewest) subject = positive(log_odds_);
  const bool nowhere = is_empty(subject);
  const auto shift = [&](const Image<uint8_t>& mask, Shift last, int32_t reach) {
    const Image<uint8_t> half = nearest(mask, (mask.height() + 1) / 2, (mask.width() + 1) / 2);
    const Shift coarse = shift_of(before_half_, now_half, half, {last.x / 2, last.y / 2}, reach, kSamples / 3);
    return shift_of(before_, now, mask, {2 * coarse.x, 2 * coarse.y}, 2, kSamples);
  };
  background_ = shift(background, background_, kReach);
  // What the background's motion explains (its own pixels within the mask, a post before the subject, and what has no
  // texture) tells nothing of the subject's.
  const int64_t all = count_nonzero(subject);
  for_rows(subject.height(), subject.width(), [&](int64_t y) {
    const int64_t v = y + background_.y;
    uint8_t* own = subject.row(y);
    if (v < 0 || v >= subject.height()) return;
    for (int64_t x = 0; x < subject.width(); ++x) {
      const int64_t u = x + background_.x;
      if (own[x] == 0 || u < 0 || u >= subject.width()) continue;
      const uint8_t *a = before_.at(y, x), *b = now.at(v, u);
      if (std::abs(a[0] - b[0]) + std::abs(a[1] - b[1]) + std::abs(a[2] - b[2]) < kExplained) own[x] = 0;
    }
  });
  const int64_t left = count_nonzero(subject);
  const bool along = nowhere || left < kFewest || static_cast<double>(left) < kOwn * static_cast<double>(all);
  const auto rounded = [](double x, double y) {
    return Shift{static_cast<int32_t>(std::nearbyint(x)), static_cast<int32_t>(std::nearbyint(y))};
  };
  const double ahead_x = background_.x + ahead_x_, ahead_y = background_.y + ahead_y_;  // as it went up to now
  const bool settled = unsettled_ == 0;
  subject_ = along     ? background_
             : settled ? shift(subject, rounded(ahead_x, ahead_y), kReach)
                       : shift(subject, background_, kWideReach);
  double x = subject_.x, y = subject_.y;
  if (hidden()) {
    x = ahead_x;
    y = ahead_y;
    subject_ = rounded(x, y);
  } else {
    const double pace = settled ? kPace : 1;
    ahead_x_ += pace * (x - ahead_x);
    ahead_y_ += pace * (y - ahead_y);
    if (!settled) --unsettled_;
  }
  layers = {Shift{-subject_.x, -subject_.y}, Shift{-background_.x, -background_.y}};
  const auto height = static_cast<double>(now.height()), width = static_cast<double>(now.width());
  if (edges_.right + x <= 0 || edges_.left + x >= width || edges_.bottom + y <= 0 || edges_.top + y >= height)
    return;  // it waits at the frame's side, where it left
  edges_.left += x;
  edges_.right += x;
  edges_.top += y;
  edges_.bottom += y;
}

Followed Memory::follow(ImageView<const uint8_t> frame, const Network* network) {
  const Image<uint8_t> small = shrunk(frame);
  Padded now(small), now_half(halved(small));
  std::vector<float> histogram = histogram_of(small);
  std::array<Shift, 2> layers;
  const Edges edges = edges_;
  move(now, now_half, layers);
  const Box seen = around(kSeen);
  BlockMotion motion = block_motion(before_, now, layers, motion_, seen);
  const auto rough =
      std::count_if(motion.difference.begin(), motion.difference.end(), [](float d) { return d > kRough; });
  Followed followed;
  if (2 * rough * kBlock * kBlock > seen.width * seen.height && common(histogram_, histogram) < kAlike) {
    edges_ = edges;
    followed.cut = true;
    return followed;
  }
  motion_ = std::move(motion);
  Image<float> carried(seen.height, seen.width);
  Image<uint8_t> different(seen.height, seen.width);
  carry(before_, now, motion_, log_odds_, seen, carried, different);
  smooth(different);
  followed.confidence = weigh(frame, now, network, seen, carried, different);
  before_ = std::move(now);
  before_half_ = std::move(now_half);
  histogram_ = std::move(histogram);
  const Image<uint8_t> held = positive(log_odds_);
  area_ = static_cast<double>(count_nonzero(held));
  const double alike = colors_.likeness(small, held);
  if (followed.confidence > kLearns && !hidden()) {
    usual_area_ += kUsual * (area_ - usual_area_);
    likeness_ += kUsual * (alike - likeness_);
  }
  const auto found = extent();
  if (found && alike >= kAlikeStill * likeness_) {
    const double inward = hidden() ? 0 : kInward;
    const auto toward = [inward](double& side, double to, double outward) {
      side = (to - side) * outward > 0 ? to : side + inward * (to - side);
    };
    toward(edges_.left, found->left, -1);
    toward(edges_.top, found->top, -1);
    toward(edges_.right, found->right, 1);
    toward(edges_.bottom, found->bottom, 1);
    if (lost_) unsettle();
  } else {
    followed.lost = lost_ = true;
    followed.confidence = found ? std::min(followed.confidence, kLostMost) : 0;
  }
  return followed;
}

}  // namespace alphacut
