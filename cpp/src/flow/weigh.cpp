// What the present picture and the frames before tell of each pixel.
#include <algorithm>
#include <array>
#include <cmath>

#include "alphacut/matting.hpp"
#include "alphacut/parallel.hpp"
#include "alphacut/preprocess.hpp"
#include "flow/flow.hpp"
#include "flow/memory.hpp"
#include "flow/memory_pieces.hpp"
#include "flow/pieces.hpp"
#include "math.hpp"
#include "network_input.hpp"

namespace alphacut {
namespace {

constexpr float kMost = 6;                     // log-odds of the network
constexpr float kSure = 2;                     // log-odds from which colours are learned
constexpr float kRate = 0.05f;                 // of learning, a frame
constexpr float kColors = 0.6f;                // weight of the colours' log-odds
constexpr float kLayers = 2;                   // log-odds that the motion of the layers tells at most
constexpr float kLayerScale = 4;               // differences of colours for one of them
constexpr int32_t kApart = 2;                  // pixels between the layers' shifts below which they tell nothing
constexpr float kFar = 0.02f, kFarthest = 60;  // log-odds lost a pixel away from the mask before, to so many pixels
constexpr double kRough = 20;                  // what was known counts for 1/e where colours differ by this

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

}  // namespace

Box enlarged(const Box& box, ImageView<const uint8_t> frame, int64_t height, int64_t width) {
  const int64_t left = box.x * frame.width / width, top = box.y * frame.height / height;
  return {left, top, std::max<int64_t>((box.x + box.width) * frame.width / width - left, 1),
          std::max<int64_t>((box.y + box.height) * frame.height / height - top, 1)};
}

Box Memory::around(double share) const {
  return grown(edges_.left, edges_.top, edges_.right, edges_.bottom, share, 3, log_odds_.height(), log_odds_.width());
}

// What the frame's picture, the frames before and the colours tell, summed; returns how well picture and sum agree.
double Memory::weigh(ImageView<const uint8_t> frame, const Padded& now, const Network* network, const Box& seen,
                     ImageView<const float> carried, ImageView<const uint8_t> different) {
  static const std::array<float, 256> trust = trusts();
  const int64_t height = log_odds_.height(), width = log_odds_.width();
  const Box box = expected();
  Image<float> found(seen.height, seen.width);
  if (network == nullptr) {
    std::fill_n(found.data(), found.pixels(), 0.0f);
  } else {
    Image<float> known(seen.height, seen.width), cells(kLookSide / kInputCell, kLookSide / kInputCell);
    for_rows(seen.height, seen.width, [&](int64_t y) {
      const float* from = carried.row(y);
      const uint8_t* differs = different.row(y);
      float* to = known.row(y);
      for (int64_t x = 0; x < seen.width; ++x) to[x] = from[x] * trust[differs[x]];
    });
    resize_area(known.view(), cells);
    const Image<float> answer = look(*network, part(frame, enlarged(seen, frame, height, width)),
                                     in_square(box, seen, kLookSide), cells, kLookSide);
    resize_bilinear(answer.view(), found);
  }
  const Image<uint8_t> before = positive(carried);
  Image<uint8_t> beyond = Image<uint8_t>::like(before.view()), side = Image<uint8_t>::like(before.view());
  for (int64_t i = 0; i < before.pixels(); ++i) beyond.data()[i] = before.data()[i] ^ 255;
  Image<float> away = Image<float>::like(before.view());
  distance_transform(beyond, away);
  Image<float> told(motion_.rows * kBlock, motion_.columns * kBlock);  // which layer's motion fits better
  {
    Image<float> blocks(motion_.rows, motion_.columns);
    const bool apart = std::abs(subject_.x - background_.x) + std::abs(subject_.y - background_.y) > kApart;
    for (int64_t i = 0; i < blocks.pixels(); ++i) {
      const auto k = static_cast<size_t>(i);
      blocks.data()[i] =
          apart ? std::clamp((motion_.as_layer[1][k] - motion_.as_layer[0][k]) / kLayerScale, -kLayers, kLayers) : 0;
    }
    resize_bilinear(blocks.view(), told);
  }
  const float scale = 1 / std::max(4.0f, 0.1f * static_cast<float>(std::min(box.width, box.height)));
  const auto outside = [](int64_t p, int64_t begin, int64_t length) {
    return static_cast<float>(std::max({begin - p, p - begin - length + 1, int64_t{0}}));
  };
  std::fill_n(log_odds_.data(), log_odds_.pixels(), -kKept);
  parallel_for(seen.height, 16, [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const float *seen_now = found.row(y), *known = carried.row(y), *far = away.row(y);
      const float* moved = told.row(seen.y + y) + seen.x;
      const uint8_t *differs = different.row(y), *rgb = now.at(seen.y + y, seen.x);
      float* to = log_odds_.row(seen.y + y) + seen.x;
      const float below = outside(seen.y + y, box.y, box.height);
      for (int64_t x = 0; x < seen.width; ++x, rgb += 3) {
        const float now_told = std::clamp(seen_now[x], -kMost, kMost);
        const float sum = now_told + trust[differs[x]] * known[x] + moved[x] + kColors * colors_.log_odds(rgb) -
                          kFar * std::min(far[x], kFarthest) - scale * (outside(seen.x + x, box.x, box.width) + below);
        side.row(y)[x] = sum > kSure && now_told >= 0 ? 1 : sum < -kSure && now_told <= 0 ? 0 : 2;
        to[x] = std::clamp(sum, -kKept, kKept);
      }
    }
  });
  drop_specks();
  Image<float> likely(seen.height, seen.width);
  for_rows(seen.height, 16 * seen.width, [&](int64_t y) {
    const float* __restrict from = found.row(y);
    float* __restrict to = likely.row(y);
    for (int64_t x = 0; x < seen.width; ++x) {
      const float unlikely = exp_quick(-std::min(std::fabs(from[x]), 20.0f));
      to[x] = (from[x] > 0 ? 1 : unlikely) / (1 + unlikely);
    }
  });
  const Image<uint8_t> mask = positive(part(log_odds(), seen));
  const ImageView<const uint8_t> pixels = part(now.view(), seen);
  const double confidence = network != nullptr ? agreement(likely, mask) : color_separation(pixels, mask);
  if (confidence > kLearns) colors_.learn(pixels, side, kRate);
  return confidence;
}

}  // namespace alphacut
