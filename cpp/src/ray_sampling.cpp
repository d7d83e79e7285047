#include "ray_sampling.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <vector>

#include "dispatch.hpp"

namespace alphacut {
namespace {

// A ray gives up at this distance, in pixels, and so many times that at which another ray met a known pixel.
constexpr int32_t kGiveUp = 16, kGiveUpTimes = 4;
constexpr int64_t kLanes = MattingKernels::kRays;

int64_t whole(float x) {  // std::floor is a call where the instruction set has none
  const auto truncated = static_cast<int64_t>(x);
  return truncated - (static_cast<float>(truncated) > x ? 1 : 0);
}

// The base angle of a pixel's four rays, in 32nds of a turn, by its column and row modulo 3: neighbours together look
// in 32 directions. A pixel's place in the transposed picture has the mirrored angle, so that the answer is transposed
// too.
constexpr int kBase[9] = {0, 7, 6, 1, 4, 5, 2, 3, 0};  // column + 3 · row

// By base angle, which quarter turns come first: what these two meet bounds how far the other two look. Mirrored rays
// are paired alike.
constexpr size_t kTurns[8][4] = {{0, 1, 2, 3}, {0, 1, 2, 3}, {0, 1, 2, 3}, {0, 1, 2, 3},
                                 {0, 2, 1, 3}, {0, 3, 2, 1}, {0, 3, 2, 1}, {0, 3, 2, 1}};

// The picture for rays that walk side by side: every third pixel of a row looks in the same directions. So the columns
// are dealt out to three pictures: in these such pixels are neighbours, and so are those that their rays meet.
class Rays {
 public:
  explicit Rays(const Half& half)
      : half_(half),
        height_(half.image.height()),
        width_(half.image.width()),
        pitch_((width_ + 2) / 3 + 2 * kLanes),
        planes_(12 * height_, pitch_) {
    parallel_for(height_, row_grain(width_), [&](int64_t begin, int64_t end) {
      for (int64_t y = begin; y < end; ++y) deal_out(y);
    });
    for (int64_t cell = 0; cell < 9; ++cell) lay(cell);
  }

  // The candidates of the pixels (y, x), (y, x + 3), ... of which `wanted` is not 0.
  void walk(int64_t y, int64_t x, const int32_t (&wanted)[kLanes], Candidates (&found)[kLanes]) const {
    MattingKernels::Rays rays;
    std::fill_n(rays.limit, kLanes, std::numeric_limits<int32_t>::max());
    for (int64_t i = 0; i < kLanes; ++i) found[i] = {};
    const float* pixels = planes_.data() + place(x % 3, y, x / 3);
    const auto cell = static_cast<size_t>(x % 3 + 3 * (y % 3));
    std::array<int32_t, kLanes> nearest;
    std::copy_n(rays.limit, kLanes, nearest.data());
    for (size_t k = 0; k < 4; ++k) {
      const Ray& ray = rays_[cell][kTurns[kBase[cell]][k]];
      if (k == 2) std::copy_n(nearest.data(), kLanes, rays.limit);
      const auto beyond = std::partition_point(ray.offsets.begin(), ray.offsets.end(), [&](const Offset& at) {
        return y + at.down >= 0 && y + at.down < height_ && x + 3 * (kLanes - 1) + at.right >= 0 &&
               x + at.right < width_;
      });
      for (int c = 0; c < 3; ++c) std::copy_n(pixels + c * plane(), kLanes, rays.color[c]);
      std::copy_n(wanted, kLanes, rays.want);
      kernels().matting.walk_rays(pixels, plane(), ray.steps.data(), static_cast<size_t>(beyond - ray.offsets.begin()),
                                  &rays);
      for (int kind = 0; kind < 2; ++kind)
        for (int64_t i = 0; i < kLanes; ++i) {
          const int32_t step = rays.step[kind][i];
          if (step == 0) continue;
          const Offset& at = ray.offsets[static_cast<size_t>(step) - 1];
          add(found[i], kind == 1, {y + at.down, x + 3 * i + at.right, static_cast<float>(step)}, rays.cost[kind][i]);
          int32_t& limit = nearest[static_cast<size_t>(i)];
          limit = std::min(limit, kGiveUp + kGiveUpTimes * step);
        }
    }
  }

 private:
  struct Offset {
    int32_t right, down;
  };
  struct Ray {
    std::vector<Offset> offsets;  // of its steps
    std::vector<int64_t> steps;   // the same in the planes
  };

  static void add(Candidates& found, bool foreground, const Sample& sample, float cost) {
    int& count = foreground ? found.foregrounds : found.backgrounds;
    float& least = foreground ? found.foreground_cost : found.background_cost;
    least = count == 0 ? cost : std::min(least, cost);
    (foreground ? found.foreground : found.background)[count++] = sample;
  }

  int64_t plane() const { return height_ * pitch_; }
  // Of a third's first plane; its other two colours and its labels follow.
  int64_t place(int64_t third, int64_t y, int64_t column) const {
    return 4 * third * plane() + y * pitch_ + kLanes + column;
  }

  void deal_out(int64_t y) {
    for (int64_t third = 0; third < 3; ++third) {
      float* row = planes_.data() + place(third, y, 0);
      for (int c = 0; c < 4; ++c) std::fill_n(row + c * plane() - kLanes, pitch_, c == 3 ? 4.0f : 0.0f);
      for (int64_t x = third; x < width_; x += 3, ++row) {
        for (int c = 0; c < 3; ++c) row[c * plane()] = half_.color(y, x).v[c];
        const uint8_t label = half_.labels.row(y)[x];
        row[3 * plane()] = label == kBackground ? 1.0f : label == kForeground ? 2.0f : 0.0f;
      }
    }
  }

  // The rays of the pixels of a cell.
  void lay(int64_t cell) {
    static constexpr float kCosine[9] = {1.0f,           0.98078528040f, 0.92387953251f,
                                         0.83146961230f, 0.70710678119f, 0.55557023302f,
                                         0.38268343237f, 0.19509032202f, 0.0f};
    const int64_t column = cell % 3;
    const int base = kBase[cell];
    float dx = kCosine[base], dy = kCosine[8 - base];
    for (Ray& ray : rays_[static_cast<size_t>(cell)]) {
      for (int32_t step = 1;; ++step) {
        const auto distance = static_cast<float>(step);
        const int64_t right = whole(distance * dx + 0.5f), down = whole(distance * dy + 0.5f);
        if (std::abs(right) >= width_ || std::abs(down) >= height_) break;
        const int64_t x = column + right, third = (x % 3 + 3) % 3;
        ray.offsets.push_back({static_cast<int32_t>(right), static_cast<int32_t>(down)});
        ray.steps.push_back(place(third, down, (x - third) / 3) - place(column, 0, 0));
      }
      const float turned = -dy;
      dy = dx;
      dx = turned;
    }
  }

  const Half& half_;
  int64_t height_, width_, pitch_;
  Image<float> planes_;
  std::array<std::array<Ray, 4>, 9> rays_;  // by cell
};

}  // namespace

void walk_rays(const Half& half, const std::function<void(int64_t, int64_t, const Candidates&)>& take) {
  const Rays rays(half);
  const int64_t width = half.image.width();
  parallel_for(half.image.height(), 4, [&](int64_t begin, int64_t end) {
    int32_t wanted[kLanes];
    Candidates found[kLanes];
    for (int64_t y = begin; y < end; ++y)
      for (int64_t third = 0; third < 3; ++third)
        for (int64_t x = third; x < width; x += 3) {
          const int32_t* index = half.index.row(y);
          if (index[x] < 0) continue;
          for (int64_t i = 0; i < kLanes; ++i) wanted[i] = x + 3 * i < width && index[x + 3 * i] >= 0 ? 3 : 0;
          rays.walk(y, x, wanted, found);
          for (int64_t i = 0; i < kLanes; ++i)
            if (wanted[i] != 0) take(y, x + 3 * i, found[i]);
          x += 3 * (kLanes - 1);
        }
  });
}

}  // namespace alphacut
