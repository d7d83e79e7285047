// A subject followed as a C++ program does it, by motion and colours alone.
#include <stdexcept>

#include "alphacut/parallel.hpp"
#include "alphacut/tracker.hpp"
#include "check.hpp"

using namespace alphacut;

namespace {

constexpr int64_t kHeight = 90, kWidth = 130, kSide = 30;

Image<uint8_t> frame(int64_t left, int64_t top, int64_t channels = 3) {
  Image<uint8_t> image(kHeight, kWidth, channels);
  for (int64_t y = 0; y < kHeight; ++y)
    for (int64_t x = 0; x < kWidth; ++x) {
      const bool in = y >= top && y < top + kSide && x >= left && x < left + kSide;
      uint8_t* p = image.row(y) + channels * x;
      p[0] = static_cast<uint8_t>(in ? 200 + (x - left) : 60 + (x / 8 * 7 + y / 8 * 13) % 40);
      p[1] = static_cast<uint8_t>(in ? 60 + 2 * (y - top) : 90 + (x / 8 * 11 + y / 8 * 5) % 40);
      p[2] = 70;
      if (channels == 4) p[3] = 255;
    }
  return image;
}

// Intersection over union of the mask and the square.
double overlap(const Image<uint8_t>& mask, int64_t left, int64_t top) {
  int64_t both = 0, either = 0;
  for (int64_t y = 0; y < kHeight; ++y)
    for (int64_t x = 0; x < kWidth; ++x) {
      const bool in = y >= top && y < top + kSide && x >= left && x < left + kSide, found = mask.row(y)[x] != 0;
      both += in && found;
      either += in || found;
    }
  return static_cast<double>(both) / static_cast<double>(either);
}

uint64_t followed(int64_t channels = 3) {
  Tracker tracker{SessionOptions{}};
  CHECK(tracker.confidence() == 1);
  uint64_t digest = 0;
  for (int64_t k = 0; k < 8; ++k) {
    const Image<uint8_t> image = frame(20 + 4 * k, 30 + k, channels);
    Prompt prompt;
    if (k == 0) prompt.box = Box{16, 26, 38, 38};
    const Cutout cutout = tracker.next(image.view(), ImageView<const uint8_t>{}, prompt);
    CHECK(overlap(cutout.mask, 20 + 4 * k, 30 + k) > 0.8);
    CHECK((cutout.method == "track") == (k > 0));
    CHECK(cutout.found.data() == nullptr || k == 0);
    const auto& alpha = std::get<Image<uint8_t>>(cutout.alpha);
    for (int64_t i = 0; i < alpha.pixels(); ++i) digest = (digest ^ alpha.data()[i]) * 0x100000001b3;
  }
  return digest;
}

}  // namespace

int main() {
  const uint64_t digest = followed();
  CHECK(followed(4) == digest);
  set_num_threads(1);
  CHECK(followed() == digest);
  Tracker tracker{SessionOptions{}};
  const Image<uint8_t> image = frame(20, 30);
  Prompt wrong;
  wrong.box = Box{500, 500, 4, 4};
  const Image<uint8_t> own(kHeight, kWidth), both = frame(20, 30, 4);
  CHECK_THROWS(std::invalid_argument, tracker.next(both.view(), own.view()));
  CHECK_THROWS(std::invalid_argument, tracker.next(image.view(), ImageView<const uint8_t>{}, wrong));
  tracker.next(image.view(), ImageView<const uint8_t>{});
  const std::vector<uint8_t> state = tracker.save();
  Tracker other{SessionOptions{}};
  CHECK_THROWS(std::invalid_argument, other.load(std::span(state).first(state.size() - 1)));
  other.load(state);
  CHECK(other.save() == state);
  const Image<uint8_t> following = frame(24, 31);
  const Cutout wanted = tracker.next(following.view(), ImageView<const uint8_t>{});
  const Cutout found = other.next(following.view(), ImageView<const uint8_t>{});
  CHECK(std::equal(wanted.mask.data(), wanted.mask.data() + wanted.mask.pixels(), found.mask.data()));
  return check::result();
}
