#include "color_sampling.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "alphacut/parallel.hpp"
#include "guided_filter.hpp"
#include "math.hpp"

namespace alphacut {
namespace {

constexpr uint8_t kUnknown = 128, kForeground = 255, kBackground = 0;

bool is_unknown(uint8_t label) { return label != kBackground && label != kForeground; }

struct Offset {
  int dx, dy, squared;
};

// The `count` offsets nearest to the origin (which comes first), ties in raster order.
std::vector<Offset> nearest_offsets(size_t count, int reach) {
  std::vector<Offset> offsets;
  for (int dy = -reach; dy <= reach; ++dy)
    for (int dx = -reach; dx <= reach; ++dx) offsets.push_back({dx, dy, dx * dx + dy * dy});
  std::stable_sort(offsets.begin(), offsets.end(),
                   [](const Offset& a, const Offset& b) { return a.squared < b.squared; });
  offsets.resize(count);
  return offsets;
}

// Colours are 0..255 here, as in the constants.
struct Color {
  float v[3];
};

Color operator+(Color a, Color b) { return {{a.v[0] + b.v[0], a.v[1] + b.v[1], a.v[2] + b.v[2]}}; }
Color operator-(Color a, Color b) { return {{a.v[0] - b.v[0], a.v[1] - b.v[1], a.v[2] - b.v[2]}}; }
Color operator*(float s, Color a) { return {{s * a.v[0], s * a.v[1], s * a.v[2]}}; }
float dot(Color a, Color b) { return a.v[0] * b.v[0] + a.v[1] * b.v[1] + a.v[2] * b.v[2]; }
float squared(Color a) { return dot(a, a); }

template <class T>
Color color_at(ImageView<const T> image, int64_t y, int64_t x) {
  const T* p = image.row(y) + x * image.channels;
  const int64_t step = image.channels == 3 ? 1 : 0;
  return {{unit(p[0]) * 255, unit(p[step]) * 255, unit(p[2 * step]) * 255}};
}

// What mixtures of two colours need, once for many colours.
struct Segment {
  Color b, along;
  float scale;

  Segment(Color f, Color from) : b(from), along(f - from), scale(1 / (squared(along) + 1e-3f)) {}
  float alpha(Color i) const { return std::clamp(dot(i - b, along) * scale, 0.0f, 1.0f); }
  // Squared distance of a colour from the best mixture.
  float misfit(Color i) const { return squared(i - (b + alpha(i) * along)); }
};

struct Pair {
  Color f{}, b{};
  float f_variance = 0, b_variance = 0;
  bool found = false;
};

// The picture and its labels at half size: where pairs are gathered.
struct Half {
  Image<float> image;                           // 0..1
  Image<uint8_t> labels;                        // 0, 128, 255
  Image<int32_t> index;                         // of an unknown pixel in `unknown`, -1 elsewhere
  std::vector<std::array<int32_t, 2>> unknown;  // y, x
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
Half halve(ImageView<const T> image, ImageView<const uint8_t> labels) {
  Half half{shrink(image, 2, 0), shrink_labels(labels), {}, {}};
  half.index = Image<int32_t>::like(half.labels.view());
  for (int64_t y = 0; y < half.labels.height(); ++y)
    for (int64_t x = 0; x < half.labels.width(); ++x) {
      const bool unknown = half.labels.row(y)[x] == kUnknown;
      half.index.row(y)[x] = unknown ? static_cast<int32_t>(half.unknown.size()) : -1;
      if (unknown) half.unknown.push_back({static_cast<int32_t>(y), static_cast<int32_t>(x)});
    }
  return half;
}

struct Sample {
  int64_t y, x;
  float distance;
};

struct Candidates {
  Sample foreground[4], background[4];
  int foregrounds = 0, backgrounds = 0;
  float foreground_cost = 0, background_cost = 0;  // of the cheapest ray to each
};

// Walks four rays from an unknown pixel to the first known pixel of each kind. Their base angle, a multiple of 10
// degrees, changes from pixel to pixel, so that neighbours together look in 36 directions.
Candidates walk_rays(const Half& half, int64_t y, int64_t x) {
  static constexpr float kCosine[10] = {1.0f,           0.98480775301f, 0.93969262079f, 0.86602540378f, 0.76604444312f,
                                        0.64278760969f, 0.5f,           0.34202014333f, 0.17364817767f, 0.0f};
  const int64_t base = x % 3 + 3 * (y % 3);
  float dx = kCosine[base], dy = kCosine[9 - base];
  Candidates found;
  for (int ray = 0; ray < 4; ++ray) {
    float cost = 0;
    bool want[2] = {true, true};
    Color before = color_at<float>(half.image, y, x);
    for (int step = 1; want[0] || want[1]; ++step) {
      const auto distance = static_cast<float>(step);
      const int64_t u = x + static_cast<int64_t>(std::floor(distance * dx + 0.5f));
      const int64_t v = y + static_cast<int64_t>(std::floor(distance * dy + 0.5f));
      if (u < 0 || v < 0 || u >= half.image.width() || v >= half.image.height()) break;
      const Color here = color_at<float>(half.image, v, u);
      cost += squared(here - before);
      before = here;
      const uint8_t label = half.labels.row(v)[u];
      const bool foreground = label == kForeground;
      if (label == kUnknown || !want[foreground]) continue;
      want[foreground] = false;
      int& count = foreground ? found.foregrounds : found.backgrounds;
      float& least = foreground ? found.foreground_cost : found.background_cost;
      least = count == 0 ? cost : std::min(least, cost);
      (foreground ? found.foreground : found.background)[count++] = {v, u, distance};
    }
    const float turned = -dy;
    dy = dx;
    dx = turned;
  }
  return found;
}

// Mean squared difference from a sample's colour of its 5×5 neighbours of the same label.
float local_variance(const Half& half, const Sample& at) {
  const Color center = color_at<float>(half.image, at.y, at.x);
  const uint8_t label = half.labels.row(at.y)[at.x];
  float sum = 0, count = 0;
  for (int64_t v = std::max<int64_t>(at.y - 2, 0); v <= std::min(at.y + 2, half.image.height() - 1); ++v)
    for (int64_t u = std::max<int64_t>(at.x - 2, 0); u <= std::min(at.x + 2, half.image.width() - 1); ++u)
      if (half.labels.row(v)[u] == label) {
        sum += squared(color_at<float>(half.image, v, u) - center);
        ++count;
      }
  return sum / count;
}

double cube(double x) { return x * x * x; }
double square(double x) { return x * x; }

// The pair of samples that explains the 3×3 neighbourhood best, prefers near samples and agrees with the rays' costs.
Pair best_pair(const Half& half, int64_t y, int64_t x) {
  const Candidates found = walk_rays(half, y, x);
  Color around[9];
  int neighbours = 0;
  for (int64_t v = std::max<int64_t>(y - 1, 0); v <= std::min(y + 1, half.image.height() - 1); ++v)
    for (int64_t u = std::max<int64_t>(x - 1, 0); u <= std::min(x + 1, half.image.width() - 1); ++u)
      around[neighbours++] = color_at<float>(half.image, v, u);
  const Color here = color_at<float>(half.image, y, x);
  const float likely = found.background_cost / (found.foreground_cost + found.background_cost + 1e-6f);
  const Sample *best_f = nullptr, *best_b = nullptr;
  double least = 0;
  for (int i = 0; i < found.foregrounds; ++i)
    for (int j = 0; j < found.backgrounds; ++j) {
      const Sample &f = found.foreground[i], &b = found.background[j];
      const Color f_color = color_at<float>(half.image, f.y, f.x), b_color = color_at<float>(half.image, b.y, b.x);
      const Segment mixtures(f_color, b_color);
      float misfit = 0;
      for (int k = 0; k < neighbours; ++k) misfit += mixtures.misfit(around[k]);
      const float alpha = mixtures.alpha(here);
      const double unlikely = likely + (1 - 2 * likely) * alpha;
      const double cost = cube(misfit + 1e-3) * square(unlikely + 1e-3) * f.distance * square(square(b.distance));
      if (best_f == nullptr || cost < least) {
        least = cost;
        best_f = &f;
        best_b = &b;
      }
    }
  if (best_f == nullptr) return {};
  return {color_at<float>(half.image, best_f->y, best_f->x), color_at<float>(half.image, best_b->y, best_b->x),
          local_variance(half, *best_f), local_variance(half, *best_b), true};
}

// The mean of the three nearby pairs that explain this pixel best, drawn to its own colour where that is as likely.
Pair shared_pair(const Half& half, const std::vector<Pair>& pairs, const std::vector<Segment>& segments,
                 const std::vector<Offset>& offsets, int64_t y, int64_t x) {
  const Color here = color_at<float>(half.image, y, x);
  const Pair* best[3] = {};
  float least[3] = {};
  int count = 0;
  for (const Offset& offset : offsets) {
    const int64_t v = y + offset.dy, u = x + offset.dx;
    if (v < 0 || u < 0 || v >= half.image.height() || u >= half.image.width()) continue;
    const int32_t index = half.index.row(v)[u];
    if (index < 0 || !pairs[static_cast<size_t>(index)].found) continue;
    const Pair& pair = pairs[static_cast<size_t>(index)];
    const float misfit = segments[static_cast<size_t>(index)].misfit(here);
    int at = count;
    while (at > 0 && misfit < least[at - 1]) --at;
    if (at == 3) continue;
    count = std::min(count + 1, 3);
    for (int k = count - 1; k > at; --k) {
      best[k] = best[k - 1];
      least[k] = least[k - 1];
    }
    best[at] = &pair;
    least[at] = misfit;
  }
  if (count == 0) return {};
  Pair mean{{}, {}, 0, 0, true};
  const float share = 1 / static_cast<float>(count);
  for (int k = 0; k < count; ++k) {
    mean.f = mean.f + share * best[k]->f;
    mean.b = mean.b + share * best[k]->b;
    mean.f_variance += share * best[k]->f_variance;
    mean.b_variance += share * best[k]->b_variance;
  }
  if (squared(mean.f - here) < mean.f_variance) mean.f = here;
  if (squared(mean.b - here) < mean.b_variance) mean.b = here;
  return mean;
}

template <class F>
std::vector<Pair> for_unknown(const Half& half, F find) {
  std::vector<Pair> pairs(half.unknown.size());
  parallel_for(static_cast<int64_t>(pairs.size()), 512, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i)
      pairs[i] = find(half.unknown[i][0], half.unknown[i][1]);
  });
  return pairs;
}

// The pair at a pixel of the full picture, bilinear between the half-size pairs that exist.
Pair pair_at(const Half& half, const std::vector<Pair>& pairs, int64_t y, int64_t x) {
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
  static const std::vector<Offset> offsets = nearest_offsets(81, 5);
  Image<uint8_t> result = Image<uint8_t>::like(labels);
  parallel_for(labels.height, row_grain(labels.width, 1 << 14), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < labels.width; ++x) {
        uint8_t label = labels.row(y)[x];
        if (is_unknown(label)) {
          label = kUnknown;
          const Color here = color_at(image, y, x);
          for (const Offset& offset : offsets) {
            const int64_t v = y + offset.dy, u = x + offset.dx;
            if (v < 0 || u < 0 || v >= labels.height || u >= labels.width || is_unknown(labels.row(v)[u])) continue;
            const float room = 5 - std::sqrt(static_cast<float>(offset.squared));
            if (squared(color_at(image, v, u) - here) > room * room) continue;
            label = labels.row(v)[u];
            break;
          }
        }
        result.row(y)[x] = label;
      }
  });
  parallel_for(labels.height, row_grain(labels.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) std::copy_n(result.row(y), labels.width, labels.row(y));
  });
}

template <class T>
SampledAlpha sample_colours(ImageView<const T> image, ImageView<const uint8_t> labels) {
  const Half half = halve(image, labels);
  static const std::vector<Offset> offsets = nearest_offsets(200, 9);
  const std::vector<Pair> gathered = for_unknown(half, [&](int64_t y, int64_t x) { return best_pair(half, y, x); });
  std::vector<Segment> segments;
  segments.reserve(gathered.size());
  for (const Pair& pair : gathered) segments.emplace_back(pair.f, pair.b);
  const std::vector<Pair> pairs =
      for_unknown(half, [&](int64_t y, int64_t x) { return shared_pair(half, gathered, segments, offsets, y, x); });

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
        confidence = static_cast<float>(exp_exact(-20.0 / 255 * misfit));
      }
  });
  return result;
}

template void expand_known(ImageView<const uint8_t>, ImageView<uint8_t>);
template void expand_known(ImageView<const float>, ImageView<uint8_t>);
template SampledAlpha sample_colours(ImageView<const uint8_t>, ImageView<const uint8_t>);
template SampledAlpha sample_colours(ImageView<const float>, ImageView<const uint8_t>);

}  // namespace alphacut
