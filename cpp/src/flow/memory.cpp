#include "flow/memory.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "alphacut/components.hpp"
#include "alphacut/matting.hpp"
#include "alphacut/parallel.hpp"
#include "alphacut/preprocess.hpp"
#include "flow/pieces.hpp"
#include "math.hpp"
#include "planes.hpp"

#include <cstdlib>
namespace alphacut {
namespace {
double tune(const char* n,double v){const char*e=getenv(n);return e?atof(e):v;}

constexpr int64_t kLongest = 480;              // of the small copy
const int64_t kLookSide = static_cast<int64_t>(tune("kLookSide",192));             // of what the network sees of it
const float kMost = static_cast<float>(tune("kMost",6)), kKept = static_cast<float>(tune("kKept",4));          // log-odds, of a frame and of all before it
constexpr float kSure = 2;                     // from here on colours are learned
const float kRate = static_cast<float>(tune("kRate", 0.05));                 // of learning, a frame
const float kColors = static_cast<float>(tune("kColors", 0.6));                // weight of the colours' log-odds
const float kLayers = static_cast<float>(tune("kLayers", 2));                   // log-odds that the motion of the layers tells at most
const float kFar = static_cast<float>(tune("kFar", 0.05));                  // log-odds lost a pixel away from where the subject is expected, to
constexpr float kFarthest = 60;                // so many pixels
const double kRough = static_cast<double>(tune("kRough", 20));                  // colours that differ by this after motion tell half as much of before
const double kLoose = tune("kLoose",.08), kSeen = tune("kSeen",.18), kPrev=tune("kPrev",1), kNet=tune("kNet",1), kApart=tune("kApart",2), kLDiv=tune("kLDiv",4), kBoxp=tune("kBoxp",1), kAns=tune("kAns",1);  // around the box: what may be the subject's, and what is seen too
const double kOutward = tune("kOutward",.15), kInward = tune("kInward",.05);  // how far the box's sides follow the mask, a frame
constexpr double kStray = 0.005;                   // of the mask's pixels beyond each side of it
constexpr int32_t kReach = 8;                      // of the layers' motion at half of the small size
constexpr int64_t kFewest = 20;                    // pixels of a subject

Image<uint8_t> halved(ImageView<const uint8_t> image) {
  Image<uint8_t> half((image.height + 1) / 2, (image.width + 1) / 2, image.channels);
  resize_area(image, half);
  return half;
}

Image<uint8_t> shrunk(ImageView<const uint8_t> frame) {
  const int64_t by = (std::max(frame.height, frame.width) + kLongest - 1) / kLongest;
  Image<uint8_t> small((frame.height + by - 1) / by, (frame.width + by - 1) / by, frame.channels);
  resize_area(frame, small);
  return small;
}

// How alike the colours of two frames are, 0..1.
std::vector<float> histogram_of(ImageView<const uint8_t> rgb) {
  std::vector<float> shares(512, 0);
  const float one = 1 / static_cast<float>(rgb.pixels());
  for (int64_t y = 0; y < rgb.height; ++y)
    for (const uint8_t *p = rgb.row(y), *end = p + 3 * rgb.width; p != end; p += 3)
      shares[static_cast<size_t>((p[0] >> 5) * 64 + (p[1] >> 5) * 8 + (p[2] >> 5))] += one;
  return shares;
}
double common(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::min(a[i], b[i]);
  return sum;
}

Image<uint8_t> above(ImageView<const float> values, float limit) {
  Image<uint8_t> mask = Image<uint8_t>::like(values);
  for (int64_t y = 0; y < values.height; ++y)
    for (int64_t x = 0; x < values.width; ++x) mask.row(y)[x] = values.row(y)[x] > limit ? 255 : 0;
  return mask;
}

// Means of 5 by 5 pixels, in place.
void smooth(Image<uint8_t>& values) {
  const int64_t height = values.height(), width = values.width();
  Image<uint16_t> rows(height, width);
  parallel_for(height, 32, [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < width; ++x) {
        int sum = 0;
        for (int64_t u = x - 2; u <= x + 2; ++u) sum += values.row(y)[std::clamp<int64_t>(u, 0, width - 1)];
        rows.row(y)[x] = static_cast<uint16_t>(sum);
      }
  });
  parallel_for(height, 32, [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < width; ++x) {
        int sum = 0;
        for (int64_t v = y - 2; v <= y + 2; ++v) sum += rows.row(std::clamp<int64_t>(v, 0, height - 1))[x];
        values.row(y)[x] = static_cast<uint8_t>(sum / 25);
      }
  });
}

// How much of what was known still counts, by the difference of colours.
std::array<float, 256> trusts() {
  std::array<float, 256> trust{};
  for (size_t i = 0; i < trust.size(); ++i) {
    const double d = static_cast<double>(i) / kRough;
    trust[i] = static_cast<float>(exp_exact(-d * d));
  }
  return trust;
}

Box grown(double left, double top, double right, double bottom, double share, double least, int64_t height,
          int64_t width) {
  const double across = std::max(share * (right - left), least), down = std::max(share * (bottom - top), least);
  const auto inside = [](double v, int64_t n) {
    return std::clamp<int64_t>(static_cast<int64_t>(std::nearbyint(v)), 0, n);
  };
  const int64_t x = std::min(inside(left - across, width), width - 1);
  const int64_t y = std::min(inside(top - down, height), height - 1);
  return {x, y, std::max<int64_t>(inside(right + across, width) - x, 1),
          std::max<int64_t>(inside(bottom + down, height) - y, 1)};
}

// A box of the small copy, in the frame.
Box enlarged(const Box& box, ImageView<const uint8_t> frame, int64_t height, int64_t width) {
  const int64_t left = box.x * frame.width / width, top = box.y * frame.height / height;
  return {left, top, std::max<int64_t>((box.x + box.width) * frame.width / width - left, 1),
          std::max<int64_t>((box.y + box.height) * frame.height / height - top, 1)};
}

template <class T>
ImageView<T> part(ImageView<T> whole, const Box& box) {
  return {whole.row(box.y) + box.x * whole.channels, box.height, box.width, whole.channels, whole.stride};
}

}  // namespace

void ColorMemory::learn(ImageView<const uint8_t> rgb, ImageView<const uint8_t> side, float rate) {
  for (size_t k = 0; k < 2; ++k) {
    std::vector<float> counts(kBins, 0);
    int64_t all = 0;
    for (int64_t y = 0; y < rgb.height; ++y)
      for (int64_t x = 0; x < rgb.width; ++x)
        if (side.row(y)[x] == k) {
          ++counts[bin_of(rgb.row(y) + 3 * x)];
          ++all;
        }
    if (all < kFewest) continue;
    for (const size_t step : {size_t{256}, size_t{16}, size_t{1}}) {  // each colour counts for its neighbours, too
      std::vector<float> spread(kBins);
      for (size_t i = 0; i < kBins; ++i) {
        const size_t place = i / step % 16;
        spread[i] = (2 * counts[i] + (place > 0 ? counts[i - step] : 0) + (place < 15 ? counts[i + step] : 0)) / 4;
      }
      counts.swap(spread);
    }
    const float weight = shares_[k].empty() ? 1 : rate;
    shares_[k].resize(kBins, 0);
    for (size_t i = 0; i < kBins; ++i) shares_[k][i] += weight * (counts[i] / static_cast<float>(all) - shares_[k][i]);
  }
  if (shares_[0].empty() || shares_[1].empty()) return;
  constexpr double rare = 2e-4;
  for (size_t i = 0; i < kBins; ++i)
    ratio_[i] = static_cast<float>(
        std::clamp(log_exact((static_cast<double>(shares_[1][i]) + rare) / (static_cast<double>(shares_[0][i]) + rare)),
                   -2.0, 2.0));
}

void Memory::begin(ImageView<const uint8_t> frame, ImageView<const uint8_t> mask, bool anew) {
  if (anew) *this = Memory();
  const Image<uint8_t> small = shrunk(frame), inside = shrunk(mask);
  log_odds_ = Image<float>::like(inside.view());
  Image<uint8_t> side = Image<uint8_t>::like(inside.view());
  for (int64_t i = 0; i < inside.pixels(); ++i) {
    log_odds_.data()[i] = kKept * (static_cast<float>(inside.data()[i]) / 127.5f - 1);
    side.data()[i] = inside.data()[i] == 255 ? 1 : inside.data()[i] == 0 ? 0 : 2;
  }
  colors_.learn(small, side, 0.5f);
  if (const auto found = extent()) edges_ = *found;
  before_ = Padded(small);
  before_half_ = Padded(halved(small));
  histogram_ = histogram_of(small);
}

// The sides of the mask, but for a few pixels.
std::optional<Memory::Edges> Memory::extent() const {
  const int64_t height = log_odds_.height(), width = log_odds_.width();
  std::vector<int64_t> rows(static_cast<size_t>(height), 0), columns(static_cast<size_t>(width), 0);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const bool in = log_odds_.row(y)[x] > 0;
      rows[static_cast<size_t>(y)] += in;
      columns[static_cast<size_t>(x)] += in;
    }
  const int64_t all = std::accumulate(rows.begin(), rows.end(), int64_t{0});
  if (all < kFewest) return std::nullopt;
  const auto few = static_cast<int64_t>(kStray * static_cast<double>(all));
  const auto span = [few](const std::vector<int64_t>& counts) {
    size_t low = 0, high = counts.size();
    for (int64_t sum = counts[low]; sum <= few; sum += counts[low]) ++low;
    for (int64_t sum = counts[high - 1]; sum <= few; sum += counts[high - 1]) --high;
    return std::pair(static_cast<double>(low), static_cast<double>(high));
  };
  const auto [top, bottom] = span(rows);
  const auto [left, right] = span(columns);
  return Edges{left, top, right, bottom};
}

Box Memory::expected() const {
  return grown(edges_.left, edges_.top, edges_.right, edges_.bottom, kLoose, 3, log_odds_.height(), log_odds_.width());
}

// The layers' motion since the frame before, back from the present one, and the box along with the subject.
void Memory::move(const Padded& now, std::array<Shift, 2>& layers) {
  const Padded now_half(halved(now.view()));
  Image<uint8_t> subject = above(log_odds_, 0), ground = Image<uint8_t>::like(subject.view());
  for (int64_t y = 0; y < subject.height(); ++y)
    for (int64_t x = 0; x < subject.width(); ++x) {
      ground.row(y)[x] = subject.row(y)[x] ^ 255;
      if (colors_.log_odds(before_.at(y, x)) < 0) subject.row(y)[x] = 0;  // hardly its own
    }
  if (count_nonzero(subject) < kFewest) subject = above(log_odds_, 0);
  const auto shift = [&](const Image<uint8_t>& mask, Shift last) {
    const Image<uint8_t> half = nearest(mask, (mask.height() + 1) / 2, (mask.width() + 1) / 2);
    const Shift coarse = shift_of(before_half_, now_half, half, {last.x / 2, last.y / 2}, kReach);
    return shift_of(before_, now, mask, {2 * coarse.x, 2 * coarse.y}, 2);
  };
  subject_ = shift(subject, subject_);
  ground_ = shift(ground, ground_);
  layers = {Shift{-subject_.x, -subject_.y}, Shift{-ground_.x, -ground_.y}};
  edges_.left += subject_.x;
  edges_.right += subject_.x;
  edges_.top += subject_.y;
  edges_.bottom += subject_.y;
}

Followed Memory::follow(ImageView<const uint8_t> frame, const Network* network) {
  const Image<uint8_t> small = shrunk(frame);
  const Padded now(small);
  std::vector<float> histogram = histogram_of(small);
  std::array<Shift, 2> layers;
  const Edges edges = edges_;
  move(now, layers);
  BlockMotion motion = block_motion(before_, now, layers, motion_);
  const auto rough = std::count_if(motion.difference.begin(), motion.difference.end(), [](float d) { return d > 20; });
  Followed followed;
  if (2 * rough > static_cast<int64_t>(motion.difference.size()) && common(histogram_, histogram) < 0.6) {
    edges_ = edges;
    followed.cut = true;
    return followed;
  }
  motion_ = std::move(motion);
  Image<float> carried = Image<float>::like(log_odds_.view());
  Image<uint8_t> different = Image<uint8_t>::like(log_odds_.view());
  carry(before_, now, motion_, log_odds_, carried, different);
  smooth(different);
  followed.confidence = weigh(frame, now, network, carried, different);
  before_ = Padded(small);
  before_half_ = Padded(halved(small));
  histogram_ = std::move(histogram);
  if (const auto found = extent()) {
    const auto toward = [](double& side, double to, double outward) {
      side += (to - side) * ((to - side) * outward > 0 ? kOutward : kInward);
    };
    toward(edges_.left, found->left, -1);
    toward(edges_.top, found->top, -1);
    toward(edges_.right, found->right, 1);
    toward(edges_.bottom, found->bottom, 1);
  } else {
    followed.lost = true;
    followed.confidence = 0;
  }
  return followed;
}

// What the frame's picture, the frames before and the colours tell, summed; returns how well picture and sum agree.
double Memory::weigh(ImageView<const uint8_t> frame, const Padded& now, const Network* network,
                     ImageView<const float> carried, ImageView<const uint8_t> different) {
  static const std::array<float, 256> trust = trusts();
  const int64_t height = carried.height, width = carried.width;
  const Box box = expected();
  const auto real = [](int64_t n) { return static_cast<double>(n); };
  const Box seen =
      grown(real(box.x), real(box.y), real(box.x + box.width), real(box.y + box.height), kSeen, 1, height, width);
  Image<float> found(seen.height, seen.width);
  std::fill_n(found.data(), found.pixels(), 0.0f);
  if (network != nullptr) {
    Image<float> known(seen.height, seen.width), cells(kLookSide / 4, kLookSide / 4);
    for (int64_t y = 0; y < seen.height; ++y)
      for (int64_t x = 0; x < seen.width; ++x)
        known.row(y)[x] = carried.row(seen.y + y)[seen.x + x] * trust[different.row(seen.y + y)[seen.x + x]];
    resize_area(known.view(), cells);
    const auto scaled = [](int64_t begin, int64_t length, int64_t from, int64_t whole) {
      const int64_t low = (begin - from) * kLookSide / whole;
      return std::pair(low, ((begin + length - from) * kLookSide + whole - 1) / whole - low);
    };
    const auto [x, across] = scaled(box.x, box.width, seen.x, seen.width);
    const auto [y, down] = scaled(box.y, box.height, seen.y, seen.height);
    const Image<float> answer =
        look(*network, part(frame, enlarged(seen, frame, height, width)), kBoxp>0?std::optional(Box{x, y, across, down}):std::nullopt, kAns>0?ImageView<const float>(cells):ImageView<const float>{}, kLookSide);
    resize_bilinear(answer.view(), found);
  }
  const Image<uint8_t> before = above(carried, 0);
  Image<uint8_t> beyond = Image<uint8_t>::like(before.view()), side = Image<uint8_t>::like(before.view());
  for (int64_t i = 0; i < before.pixels(); ++i) beyond.data()[i] = before.data()[i] ^ 255;
  Image<float> away = Image<float>::like(before.view());
  distance_transform(beyond, away);
  Image<float> told = Image<float>::like(before.view());  // which layer's motion fits better
  {
    Image<float> blocks(motion_.rows, motion_.columns);
    const bool apart = std::abs(subject_.x - ground_.x) + std::abs(subject_.y - ground_.y) > kApart;
    for (int64_t i = 0; i < blocks.pixels(); ++i) {
      const auto k = static_cast<size_t>(i);
      blocks.data()[i] =
          apart ? std::clamp((motion_.as_layer[1][k] - motion_.as_layer[0][k]) / static_cast<float>(kLDiv), -kLayers, kLayers) : 0;
    }
    Image<float> all(motion_.rows * kBlock, motion_.columns * kBlock);
    resize_bilinear(blocks.view(), all);
    for (int64_t y = 0; y < height; ++y) std::copy_n(all.row(y), width, told.row(y));
  }
  const float scale = 1 / std::max(4.0f, 0.1f * static_cast<float>(std::min(box.width, box.height)));
  const auto outside = [](int64_t p, int64_t begin, int64_t length) {
    return static_cast<float>(std::max({begin - p, p - begin - length + 1, int64_t{0}}));
  };
  parallel_for(height, 16, [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < width; ++x) {
        const bool in = y >= seen.y && y < seen.y + seen.height && x >= seen.x && x < seen.x + seen.width;
        float sum = -kMost;
        side.row(y)[x] = 2;
        if (in) {
          const float now_told = std::clamp(found.row(y - seen.y)[x - seen.x], -kMost, kMost);
          sum = static_cast<float>(kNet)*now_told + static_cast<float>(kPrev)*trust[different.row(y)[x]] * carried.row(y)[x] + told.row(y)[x] +
                kColors * colors_.log_odds(now.at(y, x)) - kFar * std::min(away.row(y)[x], kFarthest) -
                scale * (outside(x, box.x, box.width) + outside(y, box.y, box.height));
          if (sum > kSure && now_told >= 0) side.row(y)[x] = 1;
          if (sum < -kSure && now_told <= 0) side.row(y)[x] = 0;
        }
        log_odds_.row(y)[x] = std::clamp(sum, -kKept, kKept);
      }
  });
  drop_specks();
  colors_.learn(now.view(), side, kRate);
  Image<float> likely(seen.height, seen.width);
  Image<uint8_t> mask(seen.height, seen.width);
  for (int64_t y = 0; y < seen.height; ++y)
    for (int64_t x = 0; x < seen.width; ++x) {
      likely.row(y)[x] = static_cast<float>(1 / (1 + exp_exact(-static_cast<double>(found.row(y)[x]))));
      mask.row(y)[x] = log_odds_.row(seen.y + y)[seen.x + x] > 0 ? 255 : 0;
    }
  return network != nullptr ? agreement(likely, mask) : color_separation(part(now.view(), seen), mask);
}

// Parts below a twentieth of the largest.
void Memory::drop_specks() {
  const Image<uint8_t> mask = above(log_odds_, 0);
  Image<int32_t> parts = Image<int32_t>::like(mask.view());
  const auto count = static_cast<size_t>(label_components(mask, 8, parts));
  std::vector<int64_t> area(count + 1, 0);
  for (int64_t i = 0; i < parts.pixels(); ++i) ++area[static_cast<size_t>(parts.data()[i])];
  area[0] = 0;
  const int64_t largest = *std::max_element(area.begin(), area.end());
  for (int64_t i = 0; i < parts.pixels(); ++i) {
    const auto of = static_cast<size_t>(parts.data()[i]);
    if (of != 0 && 20 * area[of] < largest) log_odds_.data()[i] = -1;
  }
}

bool Memory::search(ImageView<const uint8_t> frame, const Network& network) {
  const int64_t height = log_odds_.height(), width = log_odds_.width();
  Image<float> odds = Image<float>::like(log_odds_.view());
  resize_bilinear(look(network, frame, std::nullopt, {}, 256).view(), odds);
  const ImageView<const uint8_t> small = before_.view();
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      odds.row(y)[x] = std::clamp(odds.row(y)[x], -kKept, kKept) + colors_.log_odds(small.row(y) + 3 * x);
  const Image<uint8_t> mask = above(odds, 0);
  Image<int32_t> parts = Image<int32_t>::like(mask.view());
  const auto count = static_cast<size_t>(label_components(mask, 8, parts));
  std::vector<double> likely(count + 1, 0), colored(count + 1, 0);
  std::vector<int64_t> area(count + 1, 0);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const auto of = static_cast<size_t>(parts.row(y)[x]);
      likely[of] += static_cast<double>(odds.row(y)[x]);
      colored[of] += static_cast<double>(colors_.log_odds(small.row(y) + 3 * x));
      ++area[of];
    }
  size_t best = 0;
  for (size_t k = 1; k <= count; ++k)
    if (area[k] >= 3 * kFewest && colored[k] > 0.5 * static_cast<double>(area[k]) &&
        (best == 0 || likely[k] > likely[best]))
      best = k;
  if (best == 0) return false;
  for (int64_t i = 0; i < parts.pixels(); ++i)
    log_odds_.data()[i] = static_cast<size_t>(parts.data()[i]) == best ? std::min(odds.data()[i], kKept) : -kKept;
  if (const auto found = extent()) edges_ = *found;
  subject_ = {};
  return true;
}

}  // namespace alphacut
