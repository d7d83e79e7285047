#include "alphacut/reconstruction.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "alphacut/cancel.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

template <class T, bool kErosion>
class Work {
 public:
  Work(ImageView<const T> seed, ImageView<const T> mask, bool diagonal, ImageView<T> out)
      : seed_(seed), mask_(mask), out_(out), side_(diagonal ? 1 : 0) {}

  void run() {
    down();
    up();
    spread();
  }

 private:
  struct Place {
    int32_t y, x;
  };
  static constexpr size_t kBetween = 1 << 16;  // places between two looks at whether to go on

  static bool beyond(T a, T b) { return kErosion ? a < b : a > b; }
  static T farther(T a, T b) { return beyond(a, b) ? a : b; }
  static T nearer(T a, T b) { return beyond(a, b) ? b : a; }

  // The farthest of a row's three neighbours of x, or of the one.
  T farthest(const T* row, int64_t x, T value) const {
    for (int64_t u = std::max<int64_t>(x - side_, 0); u <= std::min(x + side_, out_.width - 1); ++u)
      value = farther(value, row[u]);
    return value;
  }

  void down() {
    for (int64_t y = 0; y < out_.height; ++y) {
      throw_if_cancelled();
      const T *const seed = seed_.row(y), *const mask = mask_.row(y), *const above = y > 0 ? out_.row(y - 1) : nullptr;
      T* const out = out_.row(y);
      for (int64_t x = 0; x < out_.width; ++x) {
        T value = x > 0 ? farther(seed[x], out[x - 1]) : seed[x];
        if (above) value = farthest(above, x, value);
        out[x] = nearer(value, mask[x]);
      }
    }
  }

  // Also puts into the queue what could still change a neighbour that was looked at before it.
  void up() {
    for (int64_t y = out_.height - 1; y >= 0; --y) {
      throw_if_cancelled();
      const bool last = y + 1 == out_.height;
      const T *const mask = mask_.row(y), *const below = last ? nullptr : out_.row(y + 1);
      const T* const below_mask = last ? nullptr : mask_.row(y + 1);
      T* const out = out_.row(y);
      for (int64_t x = out_.width - 1; x >= 0; --x) {
        T value = x + 1 < out_.width ? farther(out[x], out[x + 1]) : out[x];
        if (below) value = farthest(below, x, value);
        out[x] = value = nearer(value, mask[x]);
        const auto changes = [&](T other, T limit) { return beyond(value, other) && beyond(limit, other); };
        bool any = x + 1 < out_.width && changes(out[x + 1], mask[x + 1]);
        for (int64_t u = std::max<int64_t>(x - side_, 0); below && u <= std::min(x + side_, out_.width - 1); ++u)
          any |= changes(below[u], below_mask[u]);
        if (any) queue_.push_back({static_cast<int32_t>(y), static_cast<int32_t>(x)});
      }
    }
  }

  void spread() {
    std::vector<Place> next;
    size_t seen = 0;
    for (; !queue_.empty(); queue_.swap(next)) {
      next.clear();
      for (const Place at : queue_) {
        if (++seen % kBetween == 0) throw_if_cancelled();
        const T value = out_.row(at.y)[at.x];
        for (int64_t v = std::max<int64_t>(at.y - 1, 0); v <= std::min<int64_t>(at.y + 1, out_.height - 1); ++v) {
          const int64_t side = v == at.y ? 1 : side_;
          T* const out = out_.row(v);
          const T* const mask = mask_.row(v);
          for (int64_t u = std::max<int64_t>(at.x - side, 0); u <= std::min<int64_t>(at.x + side, out_.width - 1); ++u)
            if (beyond(value, out[u]) && beyond(mask[u], out[u])) {
              out[u] = nearer(value, mask[u]);
              next.push_back({static_cast<int32_t>(v), static_cast<int32_t>(u)});
            }
        }
      }
    }
  }

  ImageView<const T> seed_, mask_;
  ImageView<T> out_;
  int64_t side_;
  std::vector<Place> queue_;
};

template <class T>
void require(ImageView<const T> seed, ImageView<const T> mask, bool erosion, int connectivity, ImageView<T> out) {
  const auto differs = [&](int64_t height, int64_t width) { return height != mask.height || width != mask.width; };
  if (differs(seed.height, seed.width) || differs(out.height, out.width))
    throw std::invalid_argument("seed must have the shape of mask, " + std::to_string(mask.height) + " by " +
                                std::to_string(mask.width) + ", got " + std::to_string(seed.height) + " by " +
                                std::to_string(seed.width));
  if (seed.channels != 1 || mask.channels != 1 || out.channels != 1)
    throw std::invalid_argument("reconstruct: seed and mask must have one channel");
  if (connectivity != 4 && connectivity != 8)
    throw std::invalid_argument("connectivity must be 4 or 8, got " + std::to_string(connectivity));
  if (std::max(mask.height, mask.width) > std::numeric_limits<int32_t>::max())
    throw std::invalid_argument("reconstruct: sides must be at most 2147483647");
  constexpr float most = std::numeric_limits<float>::max();
  if constexpr (std::is_same_v<T, float>) {
    require_range(seed, -most, most, "seed");
    require_range(mask, -most, most, "mask");
  }
  for (int64_t y = 0; y < mask.height; ++y)
    for (int64_t x = 0; x < mask.width; ++x)
      if (const T s = seed.row(y)[x], m = mask.row(y)[x]; erosion ? s < m : s > m)
        throw std::invalid_argument(std::string("seed must be nowhere ") + (erosion ? "below" : "above") +
                                    " mask, but is at row " + std::to_string(y) + ", column " + std::to_string(x));
}

}  // namespace

template <class T>
void reconstruct(ImageView<const T> seed, ImageView<const T> mask, Reconstruction method, int connectivity,
                 ImageView<T> out) {
  const bool erosion = method == Reconstruction::erosion;
  require(seed, mask, erosion, connectivity, out);
  if (mask.empty()) return;
  if (erosion)
    Work<T, true>(seed, mask, connectivity == 8, out).run();
  else
    Work<T, false>(seed, mask, connectivity == 8, out).run();
}

template void reconstruct(ImageView<const uint8_t>, ImageView<const uint8_t>, Reconstruction, int, ImageView<uint8_t>);
template void reconstruct(ImageView<const uint16_t>, ImageView<const uint16_t>, Reconstruction, int,
                          ImageView<uint16_t>);
template void reconstruct(ImageView<const float>, ImageView<const float>, Reconstruction, int, ImageView<float>);

}  // namespace alphacut
