// The saved state of a tracker with some of its bytes changed, cut short or gone on with, and its checksum made anew:
// what is refused changes nothing, and what is taken is saved as it was and follows the next frames.
#include "fuzz.hpp"

using namespace alphacut;
using fuzz::Input;

namespace {

std::vector<uint8_t> with_sum(std::span<const uint8_t> content) {
  uint64_t sum = 0xcbf29ce484222325;
  for (const uint8_t byte : content) sum = (sum ^ byte) * 0x100000001b3;
  std::vector<uint8_t> state(content.begin(), content.end());
  for (int i = 0; i < 8; ++i) state.push_back(reinterpret_cast<const uint8_t*>(&sum)[i]);
  return state;
}

SessionOptions options() {
  SessionOptions made;
  made.network = nullptr;
  return made;
}

Image<uint8_t> frame(int64_t height, int64_t width, int64_t moved) {
  Image<uint8_t> made(height, width, 3);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t c = 0; c < 3; ++c) {
        const bool in = std::abs(x - moved - width / 2) < width / 4 && std::abs(y - height / 2) < height / 4;
        made.row(y)[3 * x + c] = static_cast<uint8_t>(in ? 200 - 60 * c + x % 7 : 60 + (5 * x + 3 * y) % 29 + 9 * c);
      }
  return made;
}

// Of trackers after none, one and three frames, the last with a key told.
const std::vector<std::vector<uint8_t>>& states() {
  static const std::vector<std::vector<uint8_t>> made = [] {
    std::vector<std::vector<uint8_t>> all;
    for (const int64_t frames : {0, 1, 3, 2}) {
      Tracker tracker(options());
      for (int64_t k = 0; k < frames; ++k) {
        Prompt prompt;
        if (k == 0) prompt.box = Box{6, 4, 20, 16};
        if (k == 0 && frames == 2) prompt = {}, prompt.key = KeyColor{};
        tracker.next(frame(24, 32, k).view(), ImageView<const uint8_t>{}, prompt);
      }
      all.push_back(tracker.save());
      all.back().resize(all.back().size() - 8);
    }
    return all;
  }();
  return made;
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input in({data, size});
  set_num_threads(1);
  std::vector<uint8_t> content = states()[in.byte() % 4];
  const uint8_t then = in.byte();
  const uint8_t length = in.byte();
  if (length == 255) content.resize(content.size() - std::min<size_t>(content.size(), in.raw<uint16_t>()));
  if (length == 254) content.resize(content.size() + in.byte(), in.byte());
  for (int64_t n = in.between(0, 8); n > 0 && !content.empty(); --n) {
    const uint8_t kind = in.byte();
    const size_t far = kind % 4 == 0 ? in.raw<uint32_t>() : in.raw<uint16_t>() % 400;  // most is pixels and histograms
    const size_t at = kind % 4 == 1 ? content.size() - 1 - far % content.size() : far % content.size();
    uint8_t bytes[8];
    size_t count = 1;
    const auto put = [&](auto value) { std::memcpy(bytes, &value, count = sizeof value); };
    switch (kind / 4 % 6) {
      case 0:
        put(in.byte());
        break;
      case 1:
        put(in.raw<int32_t>());
        break;
      case 2:
        put(in.raw<int64_t>());
        break;
      case 3:
        put(in.real(-1e9, 1e9));
        break;
      case 4:
        put(static_cast<float>(in.real(-100, 100)));
        break;
      default:
        put(in.whole(0, 1000));
    }
    for (size_t i = 0; i < count && at + i < content.size(); ++i) content[at + i] = bytes[i];
  }

  Tracker tracker(options());
  const std::vector<uint8_t> before = tracker.save();
  try {
    tracker.load(with_sum(content));
  } catch (const std::invalid_argument&) {
    REQUIRE(tracker.save() == before);
    return 0;
  }
  REQUIRE(tracker.confidence() >= 0 && tracker.confidence() <= 1);
  const std::vector<uint8_t> saved = tracker.save();
  Tracker twin(options());
  twin.load(saved);
  REQUIRE(twin.save() == saved);
  const int64_t height = then % 8 == 7 ? 20 : 24;
  for (int64_t k = 0; k < 2; ++k) {
    const Image<uint8_t> image = frame(height, 32, 3 * k + 3);
    Prompt prompt;
    if (then % 8 == 1) prompt.points = {{16, 12, true}, {1, 1, false}};
    set_num_threads(1);
    const Cutout one = tracker.next(image.view(), ImageView<const uint8_t>{}, prompt);
    set_num_threads(2);
    const Cutout other = twin.next(image.view(), ImageView<const uint8_t>{}, prompt);
    REQUIRE(std::memcmp(one.mask.data(), other.mask.data(), static_cast<size_t>(one.mask.pixels())) == 0);
  }
  return 0;
}
