// Stages called from several threads at once, while others change the settings: the results equal the serial ones. Best
// run under ThreadSanitizer.
#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "alphacut/components.hpp"
#include "alphacut/foreground.hpp"
#include "alphacut/graphcut.hpp"
#include "alphacut/kmeans.hpp"
#include "alphacut/matting.hpp"
#include "alphacut/parallel.hpp"
#include "alphacut/threshold.hpp"
#include "check.hpp"
#include "dispatch.hpp"

using namespace alphacut;

namespace {

constexpr int64_t kHeight = 301, kWidth = 307;  // more than one block of rows for every stage

using Bytes = std::vector<unsigned char>;

template <class T>
void append(Bytes& bytes, const Image<T>& image, int64_t channels = 1) {
  const size_t before = bytes.size(), more = static_cast<size_t>(image.pixels() * channels) * sizeof(T);
  bytes.resize(before + more);
  std::memcpy(bytes.data() + before, image.data(), more);
}

// A noisy disc on a noisy ramp, and a trimap of it: known inside and far outside, unknown between.
struct Scene {
  Image<uint8_t> image{kHeight, kWidth, 3}, gray{kHeight, kWidth}, trimap{kHeight, kWidth};

  Scene() {
    uint32_t noise = 7;
    for (int64_t y = 0; y < kHeight; ++y)
      for (int64_t x = 0; x < kWidth; ++x) {
        const int64_t dy = y - kHeight / 2, dx = x - kWidth / 2, square = dx * dx + dy * dy;
        for (int64_t c = 0; c < 3; ++c) {
          noise = noise * 1664525 + 1013904223;
          const int64_t base = square < 80 * 80 ? 200 - 50 * c : 20 * c + x / 4;
          image.row(y)[3 * x + c] = static_cast<uint8_t>(base + (noise >> 27));
        }
        gray.row(y)[x] = image.row(y)[3 * x];
        trimap.row(y)[x] = square < 70 * 70 ? 255 : square > 90 * 90 ? 0 : 128;
      }
  }
};

Bytes thresholds(const Scene& scene) {
  Image<uint8_t> fixed(kHeight, kWidth), adapted(kHeight, kWidth);
  threshold(scene.gray, static_cast<int>(otsu_limit(histogram(scene.gray))), fixed);
  adaptive_threshold(scene.gray, 15, AdaptiveMethod::sauvola, 0, 0.2, adapted);
  Bytes bytes;
  append(bytes, fixed);
  append(bytes, adapted);
  return bytes;
}

Bytes components(const Scene& scene) {
  Image<uint8_t> mask(kHeight, kWidth), largest(kHeight, kWidth);
  Image<int32_t> labels(kHeight, kWidth);
  threshold(scene.gray, 100, mask);
  label_components(mask, 8, labels);
  keep_largest(mask, 1, 4, largest);
  Bytes bytes;
  append(bytes, labels);
  append(bytes, largest);
  return bytes;
}

Bytes clusters(const Scene& scene) {
  Image<uint8_t> labels(kHeight, kWidth);
  kmeans(scene.image, {.n_clusters = 5}, labels);
  Bytes bytes;
  append(bytes, labels);
  return bytes;
}

Bytes cut(const Scene& scene) {
  Image<uint8_t> labels(kHeight, kWidth);
  GrabCutter(scene.image, 15).cut({}, Box{50, 50, 200, 200}, {}, {.max_iter = 2}, labels);
  Bytes bytes;
  append(bytes, labels);
  return bytes;
}

Bytes alphas(const Scene& scene) {
  Bytes bytes;
  for (const auto method : {MattingMethod::guided, MattingMethod::closed_form}) {
    Image<uint8_t> alpha(kHeight, kWidth);
    refine_alpha<uint8_t>(scene.image, scene.trimap, method, alpha);
    append(bytes, alpha);
  }
  return bytes;
}

Bytes foregrounds(const Scene& scene) {
  Image<uint8_t> foreground(kHeight, kWidth, 3);
  estimate_foreground<uint8_t, uint8_t>(scene.image, scene.trimap, foreground);
  Bytes bytes;
  append(bytes, foreground, 3);
  return bytes;
}

}  // namespace

int main() {
  const Scene scene;
  const std::array<std::function<Bytes(const Scene&)>, 6> stages{thresholds, components, clusters,
                                                                 cut,        alphas,     foregrounds};
  set_num_threads(1);
  std::vector<Bytes> expected;
  for (const auto& stage : stages) expected.push_back(stage(scene));

  set_num_threads(3);
  std::atomic<int> differences{0};
  std::vector<std::thread> callers;
  for (size_t caller = 0; caller < 4; ++caller)
    callers.emplace_back([&, caller] {
      for (size_t i = 0; i < stages.size(); ++i) {
        const size_t stage = (i + caller) % stages.size();
        if (stages[stage](scene) != expected[stage]) ++differences;
      }
    });
  std::atomic<bool> ended{false};
  std::thread settings([&] {
    const std::vector<std::string> isas = available_isas();
    for (size_t i = 0; !ended; ++i) {
      set_num_threads(1 + static_cast<int>(i % 4));
      set_isa(isas[i % isas.size()]);
      std::this_thread::yield();
    }
  });
  for (std::thread& caller : callers) caller.join();
  ended = true;
  settings.join();
  CHECK(differences == 0);
  return check::result();
}
