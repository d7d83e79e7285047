#include "flow/motion.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "alphacut/parallel.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

constexpr int64_t kWindow = 2 * kBlock;  // what is compared of a block: it and half of one around it
constexpr int32_t kWindowBytes = kWindow * kWindow * 3;
constexpr int32_t kStep = kWindowBytes / 6;  // what a step away from a motion at hand must gain
constexpr int32_t kHidden = 90;              // differences of three channels count up to this
constexpr int kDescent = 4;
constexpr int64_t kMargin = kBlock / 2;
constexpr double kNever = 1e9;  // the cost of a shift that is none

int32_t difference(const Padded& before, const Padded& now, int64_t y, int64_t x, Shift by) {
  const int64_t top = y - kMargin + by.y, left = x - kMargin + by.x;
  constexpr int64_t pad = Padded::kPad;
  if (top < -pad || left < -pad || top + kWindow > before.height() + pad || left + kWindow > before.width() + pad)
    return std::numeric_limits<int32_t>::max() / 2;
  int32_t sum = 0;
  for (int64_t v = 0; v < kWindow; ++v) {
    const uint8_t* __restrict a = now.at(y - kMargin + v, x - kMargin);
    const uint8_t* __restrict b = before.at(top + v, left);
    for (int64_t i = 0; i < 3 * kWindow; ++i) sum += std::abs(a[i] - b[i]);
  }
  return sum;
}

struct Best {
  int32_t cost = std::numeric_limits<int32_t>::max();
  Shift by;
  void take(int32_t other, Shift shift) {
    if (other < cost) *this = {other, shift};
  }
};

void descend(const Padded& before, const Padded& now, int64_t y, int64_t x, Best& best) {
  for (int k = 0; k < kDescent; ++k) {
    const Shift at = best.by;
    for (const Shift step : {Shift{-1, 0}, {1, 0}, {0, -1}, {0, 1}}) {
      const Shift there{at.x + step.x, at.y + step.y};
      best.take(difference(before, now, y, x, there) + kStep, there);
    }
    if (best.by == at) return;
  }
}

}  // namespace

Padded::Padded(ImageView<const uint8_t> rgb) : pixels_(rgb.height + 2 * kPad, rgb.width + 2 * kPad, 3) {
  for (int64_t y = 0; y < pixels_.height(); ++y) {
    const uint8_t* from = rgb.row(std::clamp<int64_t>(y - kPad, 0, rgb.height - 1));
    uint8_t* to = pixels_.row(y);
    for (int64_t x = 0; x < kPad; ++x) std::copy_n(from, 3, to + 3 * x);
    std::copy_n(from, 3 * rgb.width, to + 3 * kPad);
    for (int64_t x = kPad + rgb.width; x < pixels_.width(); ++x) std::copy_n(from + 3 * (rgb.width - 1), 3, to + 3 * x);
  }
}

ImageView<const uint8_t> Padded::view() const { return {at(0, 0), height(), width(), 3, pixels_.view().stride}; }

Shift shift_of(const Padded& before, const Padded& now, ImageView<const uint8_t> mask, Shift around, int32_t reach,
               int64_t samples) {
  const int64_t every = count_nonzero(mask) / samples + 1;
  struct Sample {
    int32_t y, x;
    uint8_t color[3];
  };
  std::vector<Sample> some;
  some.reserve(static_cast<size_t>(samples));
  int64_t next = 0;
  for (int64_t y = 0; y < mask.height; ++y) {
    const uint8_t* row = mask.row(y);
    for (int64_t x = 0; x < mask.width; ++x)
      if (row[x] != 0 && --next < 0) {
        const uint8_t* at = before.at(y, x);
        some.push_back({static_cast<int32_t>(y), static_cast<int32_t>(x), {at[0], at[1], at[2]}});
        next = every - 1;
      }
  }
  const int64_t side = 2 * reach + 1;
  const auto count = static_cast<int64_t>(some.size());
  // Given up where it cannot come below `least`.
  const auto cost_of = [&](int64_t j, int64_t i, double least) {
    const int64_t dy = around.y + j - reach, dx = around.x + i - reach;
    const double away = 0.2 * static_cast<double>(std::abs(j - reach) + std::abs(i - reach));
    const double most = std::max(least - away, 0.0) * static_cast<double>(count) + 1;
    const auto limit = static_cast<int64_t>(std::min(most, 1e15));
    const auto height = static_cast<uint64_t>(now.height()), width = static_cast<uint64_t>(now.width());
    int64_t sum = 0, seen = 0;
    for (const auto& [v, u, a] : some) {
      const int64_t y = v + dy, x = u + dx;
      if (static_cast<uint64_t>(y) >= height || static_cast<uint64_t>(x) >= width) continue;
      const uint8_t* b = now.at(y, x);
      sum += std::min(std::abs(a[0] - b[0]) + std::abs(a[1] - b[1]) + std::abs(a[2] - b[2]), kHidden);
      if (sum > limit) return kNever;
      ++seen;
    }
    return 2 * seen < count || seen == 0 ? kNever : static_cast<double>(sum) / static_cast<double>(seen) + away;
  };
  const double first = cost_of(reach, reach, kNever);
  std::vector<double> costs(static_cast<size_t>(side * side));
  parallel_for(side, 2, [&](int64_t begin, int64_t end) {
    double least = first;
    for (int64_t j = begin; j < end; ++j)
      for (int64_t i = 0; i < side; ++i) {
        double& cost = costs[static_cast<size_t>(j * side + i)];
        cost = cost_of(j, i, least);
        least = std::min(least, cost);
      }
  });
  const auto best = std::min_element(costs.begin(), costs.end());
  if (*best >= kNever) return around;
  const int64_t place = best - costs.begin();
  return {static_cast<int32_t>(around.x + place % side - reach), static_cast<int32_t>(around.y + place / side - reach)};
}

BlockMotion block_motion(const Padded& before, const Padded& now, const std::array<Shift, 2>& layers,
                         const BlockMotion& last, const Box& within) {
  BlockMotion motion;
  motion.rows = (now.height() + kBlock - 1) / kBlock;
  motion.columns = (now.width() + kBlock - 1) / kBlock;
  const auto count = static_cast<size_t>(motion.rows * motion.columns);
  const bool known = last.rows == motion.rows && last.columns == motion.columns;
  std::vector<Best> first(count);
  motion.from.resize(count);
  motion.difference.resize(count);
  for (auto& values : motion.as_layer) values.resize(count);
  const int64_t top = within.y / kBlock, bottom = (within.y + within.height + kBlock - 1) / kBlock;
  const int64_t left = within.x / kBlock, right = (within.x + within.width + kBlock - 1) / kBlock;
  const auto mean = [](int32_t cost) { return static_cast<float>(cost) / kWindowBytes; };
  parallel_for(bottom - top, 2, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin * (right - left); n < end * (right - left); ++n) {
      const int64_t j = top + n / (right - left), i = left + n % (right - left), y = j * kBlock, x = i * kBlock;
      const auto k = static_cast<size_t>(j * motion.columns + i);
      for (size_t layer = 0; layer < 2; ++layer) {
        const int32_t cost = difference(before, now, y, x, layers[layer]);
        motion.as_layer[layer][k] = std::min(mean(cost), 255.0f);
        first[k].take(cost, layers[layer]);
      }
      first[k].take(difference(before, now, y, x, {}), {});
      if (known) first[k].take(difference(before, now, y, x, last.from[k]), last.from[k]);
      descend(before, now, y, x, first[k]);
    }
  });
  parallel_for(bottom - top, 2, [&](int64_t begin, int64_t end) {
    for (int64_t j = top + begin; j < top + end; ++j)
      for (int64_t i = left; i < right; ++i) {
        const auto at = [&](int64_t v, int64_t u) { return static_cast<size_t>(v * motion.columns + u); };
        Best best = first[at(j, i)];
        const Shift own = best.by;
        for (const auto& [v, u] : {std::pair{j - 1, i}, {j + 1, i}, {j, i - 1}, {j, i + 1}}) {
          if (v < top || u < left || v >= bottom || u >= right) continue;
          const Shift other = first[at(v, u)].by;
          if (!(other == best.by)) best.take(difference(before, now, j * kBlock, i * kBlock, other), other);
        }
        if (!(best.by == own)) descend(before, now, j * kBlock, i * kBlock, best);
        motion.from[at(j, i)] = best.by;
        motion.difference[at(j, i)] = std::min(mean(best.cost), 255.0f);
      }
  });
  return motion;
}

void smooth(ImageView<uint8_t> values) {
  const int64_t height = values.height, width = values.width;
  Image<uint16_t> rows(height, width);
  parallel_for(height, 32, [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> padded(static_cast<size_t>(width + 4));
    for (int64_t y = begin; y < end; ++y) {
      uint8_t* __restrict p = padded.data();
      std::copy_n(values.row(y), width, p + 2);
      std::fill_n(p, 2, p[2]);
      std::fill_n(p + width + 2, 2, p[width + 1]);
      uint16_t* __restrict to = rows.row(y);
      for (int64_t x = 0; x < width; ++x)
        to[x] = static_cast<uint16_t>(p[x] + p[x + 1] + p[x + 2] + p[x + 3] + p[x + 4]);
    }
  });
  parallel_for(height, 32, [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      const auto row = [&](int64_t v) { return rows.row(std::clamp<int64_t>(v, 0, height - 1)); };
      const uint16_t *a = row(y - 2), *b = row(y - 1), *c = row(y), *d = row(y + 1), *e = row(y + 2);
      uint8_t* __restrict to = values.row(y);
      for (int64_t x = 0; x < width; ++x) to[x] = static_cast<uint8_t>((a[x] + b[x] + c[x] + d[x] + e[x]) / 25);
    }
  });
}

void carry(const Padded& before, const Padded& now, const BlockMotion& motion, ImageView<const float> log_odds,
           const Box& within, ImageView<float> carried, ImageView<uint8_t> different) {
  const int64_t height = now.height(), width = now.width();
  // Between the middles of blocks, their motion.
  const auto place = [](int64_t p, int64_t count) {
    const float at = std::clamp((static_cast<float>(p) + 0.5f) / kBlock - 0.5f, 0.0f, static_cast<float>(count - 1));
    const auto low = std::min(static_cast<int64_t>(at), std::max<int64_t>(count - 2, 0));
    return std::pair(low, at - static_cast<float>(low));
  };
  parallel_for(within.height, 16, [&](int64_t begin, int64_t end) {
    std::vector<float> across(static_cast<size_t>(2 * motion.columns));
    for (int64_t y = within.y + begin; y < within.y + end; ++y) {
      float* to = carried.row(y - within.y);
      uint8_t* to_difference = different.row(y - within.y);
      const auto [j, down] = place(y, motion.rows);
      const int64_t next = std::min(j + 1, motion.rows - 1);
      for (int64_t i = 0; i < motion.columns; ++i) {
        const Shift a = motion.from[static_cast<size_t>(j * motion.columns + i)];
        const Shift b = motion.from[static_cast<size_t>(next * motion.columns + i)];
        const auto mix = [w = down](int32_t p, int32_t q) {
          return static_cast<float>(p) + w * static_cast<float>(q - p);
        };
        across[static_cast<size_t>(2 * i)] = mix(a.x, b.x);
        across[static_cast<size_t>(2 * i + 1)] = mix(a.y, b.y);
      }
      for (int64_t x = within.x; x < within.x + within.width; ++x) {
        const auto [i, right] = place(x, motion.columns);
        const float* m = across.data() + 2 * i;
        const int64_t step = motion.columns > 1 ? 2 : 0;
        const auto limit = [](float v, int64_t n) { return std::clamp(v, 0.0f, static_cast<float>(n - 1)); };
        const float fx = limit(static_cast<float>(x) + m[0] + right * (m[step] - m[0]), width);
        const float fy = limit(static_cast<float>(y) + m[1] + right * (m[step + 1] - m[1]), height);
        const auto u = static_cast<int64_t>(fx), v = static_cast<int64_t>(fy);
        const float wx = fx - static_cast<float>(u), wy = fy - static_cast<float>(v);
        const float *p = log_odds.row(v) + u, *q = log_odds.row(std::min(v + 1, height - 1)) + u;
        const int64_t one = u + 1 < width ? 1 : 0;
        const float above = p[0] + wx * (p[one] - p[0]), below = q[0] + wx * (q[one] - q[0]);
        *to++ = above + wy * (below - above);
        const uint8_t *a = now.at(y, x), *b = before.at(v + (wy >= 0.5f ? 1 : 0), u + (wx >= 0.5f ? 1 : 0));
        const int sum = std::abs(a[0] - b[0]) + std::abs(a[1] - b[1]) + std::abs(a[2] - b[2]);
        *to_difference++ = static_cast<uint8_t>(sum / 3);
      }
    }
  });
}

}  // namespace alphacut
