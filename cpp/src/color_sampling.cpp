#include "color_sampling.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "alphacut/parallel.hpp"
#include "dilate.hpp"
#include "dispatch.hpp"
#include "guided_filter.hpp"
#include "math.hpp"
#include "pooled_vector.hpp"
#include "ray_sampling.hpp"

namespace alphacut {
namespace {

bool is_unknown(uint8_t label) { return label != kBackground && label != kForeground; }

struct Offset {
  int dx, dy, squared;
};

// The offsets within a Euclidean distance, nearest first (the origin), ties in raster order. Whole circles: what is
// made of them is the same in a transposed picture.
std::vector<Offset> offsets_within(int reach) {
  std::vector<Offset> offsets;
  for (int dy = -reach; dy <= reach; ++dy)
    for (int dx = -reach; dx <= reach; ++dx)
      if (dx * dx + dy * dy <= reach * reach) offsets.push_back({dx, dy, dx * dx + dy * dy});
  std::stable_sort(offsets.begin(), offsets.end(),
                   [](const Offset& a, const Offset& b) { return a.squared < b.squared; });
  return offsets;
}

template <class T>
Color color_at(ImageView<const T> image, int64_t y, int64_t x) {
  const T* p = image.row(y) + x * image.channels;
  const int64_t step = image.channels == 3 ? 1 : 0;
  return {{to_float(p[0]) * 255, to_float(p[step]) * 255, to_float(p[2 * step]) * 255}};
}

struct Pair {
  Color f{}, b{};
  float f_variance = 0, b_variance = 0;
  bool found = false;
};

Image<uint8_t> shrink_labels(ImageView<const uint8_t> labels) {
  Image<uint8_t> half((labels.height + 1) / 2, (labels.width + 1) / 2);
  parallel_for(half.height(), row_grain(labels.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < half.width(); ++x) {
        int foreground = 0, background = 0, all = 0;
        for (int64_t v = 2 * y; v < std::min(2 * y + 2, labels.height); ++v)
          for (int64_t u = 2 * x; u < std::min(2 * x + 2, labels.width); ++u, ++all) {
            foreground += labels.row(v)[u] == kForeground;
            background += labels.row(v)[u] == kBackground;
          }
        half.row(y)[x] = 2 * foreground > all ? kForeground : 2 * background > all ? kBackground : kUnknown;
      }
  });
  return half;
}

template <class T>
Image<Color> shrink_colors(ImageView<const T> image) {
  const Image<float> half = shrink(image, 2, 0);
  Image<Color> colors(half.height(), half.width());
  parallel_for(half.height(), row_grain(half.width()), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < half.width(); ++x) colors.row(y)[x] = color_at<float>(half, y, x);
  });
  return colors;
}

template <class T>
Half halve(ImageView<const T> image, ImageView<const uint8_t> labels) {
  Half half{shrink_colors(image), shrink_labels(labels), {}, {}};
  half.index = Image<int32_t>::like(half.labels.view());
  for (int64_t y = 0; y < half.labels.height(); ++y)
    for (int64_t x = 0; x < half.labels.width(); ++x) {
      const bool unknown = half.labels.row(y)[x] == kUnknown;
      half.index.row(y)[x] = unknown ? static_cast<int32_t>(half.unknown.size()) : -1;
      if (unknown) half.unknown.push_back({static_cast<int32_t>(y), static_cast<int32_t>(x)});
    }
  return half;
}

// Mean squared difference from a sample's colour of its 5×5 neighbours of the same label.
float local_variance(const Half& half, const Sample& at) {
  const Color center = half.color(at.y, at.x);
  const uint8_t label = half.labels.row(at.y)[at.x];
  float sum = 0, count = 0;
  for (int64_t v = std::max<int64_t>(at.y - 2, 0); v <= std::min(at.y + 2, half.image.height() - 1); ++v)
    for (int64_t u = std::max<int64_t>(at.x - 2, 0); u <= std::min(at.x + 2, half.image.width() - 1); ++u)
      if (half.labels.row(v)[u] == label) {
        sum += squared(half.color(v, u) - center);
        ++count;
      }
  return sum / count;
}

double cube(double x) { return x * x * x; }
double square(double x) { return x * x; }

// The pair of samples that explains the 3×3 neighbourhood best, prefers near samples and agrees with the rays' costs.
Pair best_pair(const Half& half, int64_t y, int64_t x, const Candidates& found) {
  if (found.foregrounds == 0 || found.backgrounds == 0) return {};
  Color around[9];
  int neighbours = 0;
  for (int64_t v = std::max<int64_t>(y - 1, 0); v <= std::min(y + 1, half.image.height() - 1); ++v)
    for (int64_t u = std::max<int64_t>(x - 1, 0); u <= std::min(x + 1, half.image.width() - 1); ++u)
      around[neighbours++] = half.color(v, u);
  float pairs[6][16], misfit[16], alpha[16];  // of foreground k / 4 and background k % 4; the last fill up
  for (int k = 0; k < 16; ++k) {
    const Sample &f = found.foreground[std::min(k / 4, found.foregrounds - 1)],
                 &b = found.background[std::min(k % 4, found.backgrounds - 1)];
    for (int c = 0; c < 3; ++c) {
      pairs[c][k] = half.color(f.y, f.x).v[c];
      pairs[3 + c][k] = half.color(b.y, b.x).v[c];
    }
  }
  const Color here = half.color(y, x);
  kernels().matting.pair_misfits(&pairs[0][0], around[0].v, static_cast<size_t>(neighbours), here.v, misfit, alpha);
  const float likely = found.background_cost / (found.foreground_cost + found.background_cost + 1e-6f);
  const Sample *best_f = nullptr, *best_b = nullptr;
  double least = 0;
  for (int i = 0; i < found.foregrounds; ++i)
    for (int j = 0; j < found.backgrounds; ++j) {
      const Sample &f = found.foreground[i], &b = found.background[j];
      const double unlikely = likely + (1 - 2 * likely) * alpha[4 * i + j];
      const double cost =
          cube(misfit[4 * i + j] + 1e-3) * square(unlikely + 1e-3) * f.distance * square(square(b.distance));
      if (best_f == nullptr || cost < least) {
        least = cost;
        best_f = &f;
        best_b = &b;
      }
    }
  return {half.color(best_f->y, best_f->x), half.color(best_b->y, best_b->x), local_variance(half, *best_f),
          local_variance(half, *best_b), true};
}

constexpr int kShareReach = 9;
constexpr int64_t kRun = MattingKernels::kRun;

// What mixtures of each pixel's pair need: b, f - b and 1 / (|f - b|² + 1e-3), planar, with as much margin as pairs are
// shared over. Where there is no pair, b is so far that its squared distance is infinite.
class Mixtures {
 public:
  Mixtures(const Half& half, const PooledVector<Pair>& pairs)
      : rows_(half.image.height() + 2 * kShareReach),
        pitch_(half.image.width() + 2 * kShareReach),
        planes_(7 * rows_, pitch_) {
    std::fill_n(planes_.data(), rows_ * pitch_, 1e20f);
    std::fill_n(planes_.data() + rows_ * pitch_, 6 * rows_ * pitch_, 0.0f);
    for (size_t i = 0; i < pairs.size(); ++i) {
      if (!pairs[i].found) continue;
      float* at = this->at(half.unknown[i][0], half.unknown[i][1]);
      const Color along = pairs[i].f - pairs[i].b;
      for (int c = 0; c < 3; ++c) {
        at[c * plane()] = pairs[i].b.v[c];
        at[(3 + c) * plane()] = along.v[c];
      }
      at[6 * plane()] = 1 / (squared(along) + 1e-3f);
    }
  }
  float* at(int64_t y, int64_t x) { return planes_.row(y + kShareReach) + kShareReach + x; }
  int64_t plane() const { return rows_ * pitch_; }
  int64_t pitch() const { return pitch_; }

 private:
  int64_t rows_, pitch_;
  Image<float> planes_;
};

// The mean of the pairs at those offsets (or fewer, from the best on), drawn to the pixel's own colour where that is as
// likely.
Pair mean_pair(const Half& half, const PooledVector<Pair>& pairs, const std::vector<Offset>& offsets, int64_t y,
               int64_t x, const int32_t* best) {
  Pair mean{{}, {}, 0, 0, false};
  int found = 0;
  while (found < 3 && best[found * kRun] >= 0) ++found;
  if (found == 0) return mean;
  const float share = 1 / static_cast<float>(found);
  for (int k = 0; k < found; ++k) {
    const Offset& offset = offsets[static_cast<size_t>(best[k * kRun])];
    const Pair& pair = pairs[static_cast<size_t>(half.index.row(y + offset.dy)[x + offset.dx])];
    mean.f = mean.f + share * pair.f;
    mean.b = mean.b + share * pair.b;
    mean.f_variance += share * pair.f_variance;
    mean.b_variance += share * pair.b_variance;
  }
  mean.found = true;
  const Color here = half.color(y, x);
  if (squared(mean.f - here) < mean.f_variance) mean.f = here;
  if (squared(mean.b - here) < mean.b_variance) mean.b = here;
  return mean;
}

// For each pixel the mean of the three nearby pairs that explain it best.
PooledVector<Pair> share_pairs(const Half& half, const PooledVector<Pair>& pairs) {
  static const std::vector<Offset> offsets = offsets_within(kShareReach);
  Mixtures mixtures(half, pairs);
  std::vector<int64_t> steps;
  for (const Offset& offset : offsets) steps.push_back(offset.dy * mixtures.pitch() + offset.dx);
  PooledVector<Pair> shared(pairs.size());
  parallel_for(static_cast<int64_t>(pairs.size()), 512, [&](int64_t begin, int64_t end) {
    float colors[3][kRun];
    int32_t best[3][kRun];
    for (int64_t first = begin, n; first < end; first += n) {  // runs of neighbours in a row
      const auto [y, x] = half.unknown[static_cast<size_t>(first)];
      for (n = 0; first + n < end && n < kRun; ++n) {
        if (half.unknown[static_cast<size_t>(first + n)] != std::array<int32_t, 2>{y, static_cast<int32_t>(x + n)})
          break;
        for (int c = 0; c < 3; ++c) colors[c][n] = half.color(y, x + n).v[c];
      }
      kernels().matting.best_mixtures(mixtures.at(y, x), mixtures.plane(), steps.data(), steps.size(), &colors[0][0],
                                      static_cast<size_t>(n), &best[0][0]);
      for (int64_t k = 0; k < n; ++k)
        shared[static_cast<size_t>(first + k)] = mean_pair(half, pairs, offsets, y, x + k, &best[0][k]);
    }
  });
  return shared;
}

PooledVector<Pair> best_pairs(const Half& half) {
  PooledVector<Pair> pairs(half.unknown.size());
  walk_rays(half, [&](int64_t y, int64_t x, const Candidates& found) {
    pairs[static_cast<size_t>(half.index.row(y)[x])] = best_pair(half, y, x, found);
  });
  return pairs;
}

// The pair at a pixel of the full picture, bilinear between the half-size pairs that exist.
Pair pair_at(const Half& half, const PooledVector<Pair>& pairs, int64_t y, int64_t x) {
  const Between rows = between_cells(y, 2, half.image.height()), columns = between_cells(x, 2, half.image.width());
  Pair mean{{}, {}, 0, 0, false};
  float weight = 0;
  for (int k = 0; k < 4; ++k) {
    const int32_t index = half.index.row(k < 2 ? rows.first : rows.second)[k % 2 ? columns.second : columns.first];
    if (index < 0 || !pairs[static_cast<size_t>(index)].found) continue;
    const float w = (k < 2 ? 1 - rows.share : rows.share) * (k % 2 ? columns.share : 1 - columns.share);
    mean.f = mean.f + w * pairs[static_cast<size_t>(index)].f;
    mean.b = mean.b + w * pairs[static_cast<size_t>(index)].b;
    weight += w;
  }
  if (weight > 0) {
    mean.f = (1 / weight) * mean.f;
    mean.b = (1 / weight) * mean.b;
    mean.found = true;
  }
  return mean;
}

}  // namespace

template <class T>
void expand_known(ImageView<const T> image, ImageView<uint8_t> labels) {
  constexpr int reach = 5;
  static const std::vector<Offset> offsets = offsets_within(reach);
  const Image<uint8_t> known = dilate(labels.height, labels.width, reach, [&](int64_t y, uint8_t* bits) {
    for (int64_t x = 0; x < labels.width; ++x) bits[x] = is_unknown(labels.row(y)[x]) ? 0 : 1;
  });
  Image<uint8_t> result = Image<uint8_t>::like(labels);
  parallel_for(labels.height, row_grain(labels.width, 1 << 14), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < labels.width; ++x) {
        uint8_t& label = result.row(y)[x];
        label = labels.row(y)[x];
        if (!is_unknown(label)) continue;
        label = kUnknown;
        if (known.row(y)[x] == 0) continue;
        const Color here = color_at(image, y, x);
        int distance = 0;  // of the nearest such pixel; of several the most similar
        float least = 0;
        for (const Offset& offset : offsets) {
          if (label != kUnknown && offset.squared != distance) break;
          const int64_t v = y + offset.dy, u = x + offset.dx;
          if (v < 0 || u < 0 || v >= labels.height || u >= labels.width || is_unknown(labels.row(v)[u])) continue;
          const float room = reach - std::sqrt(static_cast<float>(offset.squared));
          const float differs = squared(color_at(image, v, u) - here);
          if (differs > room * room || (label != kUnknown && differs >= least)) continue;
          label = labels.row(v)[u];
          distance = offset.squared;
          least = differs;
        }
      }
  });
  parallel_for(labels.height, row_grain(labels.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) std::copy_n(result.row(y), labels.width, labels.row(y));
  });
}

template <class T>
SampledAlpha sample_colours(ImageView<const T> image, ImageView<const uint8_t> labels) {
  const Half half = halve(image, labels);
  const PooledVector<Pair> pairs = share_pairs(half, best_pairs(half));

  SampledAlpha result{Image<float>::like(labels), Image<float>::like(labels)};
  parallel_for(labels.height, row_grain(labels.width, 1 << 14), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < labels.width; ++x) {
        float &alpha = result.alpha.row(y)[x], &confidence = result.confidence.row(y)[x];
        alpha = labels.row(y)[x] == kForeground ? 1.0f : 0.0f;
        confidence = 1;
        if (!is_unknown(labels.row(y)[x])) continue;
        const Pair pair = pair_at(half, pairs, y, x);
        if (!pair.found || squared(pair.f - pair.b) < 1) {
          alpha = 0.5f;
          confidence = 0;
          continue;
        }
        const Color here = color_at(image, y, x);
        const Color along = pair.f - pair.b;
        alpha = std::clamp(dot(here - pair.b, along) / (squared(along) + 1), 0.0f, 1.0f);
        const float misfit = std::sqrt(squared(here - (pair.b + alpha * along)));
        confidence = exp_quick(-20.0f / 255 * misfit);
      }
  });
  return result;
}

template void expand_known(ImageView<const uint8_t>, ImageView<uint8_t>);
template void expand_known(ImageView<const float>, ImageView<uint8_t>);
template SampledAlpha sample_colours(ImageView<const uint8_t>, ImageView<const uint8_t>);
template SampledAlpha sample_colours(ImageView<const float>, ImageView<const uint8_t>);

}  // namespace alphacut
