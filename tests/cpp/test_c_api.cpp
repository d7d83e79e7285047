// The C API: the bytes of C++, and every failure as a status with a message.
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "alphacut/alphacut.h"
#include "alphacut/alphacut.hpp"
#include "check.hpp"

namespace {

constexpr int64_t kHeight = 60, kWidth = 80;

std::vector<uint8_t> picture(int64_t channels) {
  std::vector<uint8_t> values;
  for (int64_t y = 0; y < kHeight; ++y)
    for (int64_t x = 0; x < kWidth; ++x)
      for (int64_t c = 0; c < channels; ++c) {
        const bool inside = (y - 30) * (y - 30) + (x - 40) * (x - 40) < 15 * 15;
        const int64_t value = c == 3 ? 255 : inside ? 200 - 60 * c : 60 + 20 * c + x / 4;
        values.push_back(static_cast<uint8_t>(value + (x * 7 + y * 13) % 5 * (c < 3)));
      }
  return values;
}

alphacut_image image_of(const std::vector<uint8_t>& values, int64_t channels) {
  return {values.data(), kHeight, kWidth, channels, 0, ALPHACUT_UINT8};
}

void the_bytes_are_those_of_cpp() {
  for (const int64_t channels : {1, 3, 4}) {
    const std::vector<uint8_t> values = picture(channels);
    const alphacut_image image = image_of(values, channels);
    const alphacut_box box{20, 10, 40, 40};
    alphacut_prompt prompt;
    alphacut_prompt_init(&prompt);
    prompt.box = &box;
    const alphacut_point points[] = {{40, 30, 1}, {5, 5, 0}};
    prompt.points = points;
    prompt.n_points = 2;
    alphacut_options options;
    alphacut_options_init(&options);
    options.refine = "guided";
    options.edge_feather = 1;

    const alphacut::AnyView view = alphacut::packed(values.data(), kHeight, kWidth, channels);
    alphacut::Prompt cpp_prompt;
    cpp_prompt.box = {20, 10, 40, 40};
    cpp_prompt.points = {{40, 30, true}, {5, 5, false}};
    alphacut::SessionOptions cpp_options;
    cpp_options.refinement = alphacut::MattingMethod::guided;
    cpp_options.edge_feather = 1;
    const alphacut::Cutout wanted = alphacut::remove_background(view, cpp_prompt, cpp_options);
    const alphacut::AnyImage wanted_rgba = alphacut::to_rgba(view, wanted);

    alphacut_session* session = nullptr;
    CHECK(alphacut_session_open(&image, &options, &session) == ALPHACUT_OK);
    for (int again = 0; again < 2; ++again) {
      alphacut_cutout* cutout = nullptr;
      if (again == 0)
        CHECK(alphacut_session_cut(session, &prompt, 0, &cutout) == ALPHACUT_OK);
      else
        CHECK(alphacut_remove_background(&image, &prompt, &options, &cutout) == ALPHACUT_OK);
      std::vector<uint8_t> rgba(static_cast<size_t>(kHeight * (4 * kWidth + 3)), 7);
      CHECK(alphacut_cutout_rgba(cutout, &image, rgba.data(), 4 * kWidth + 3) == ALPHACUT_OK);
      const alphacut_image mask = alphacut_cutout_mask(cutout), alpha = alphacut_cutout_alpha(cutout);
      for (int64_t y = 0; y < kHeight; ++y) {
        const auto row = [&](const alphacut_image& from) {
          return static_cast<const uint8_t*>(from.data) + y * from.stride;
        };
        CHECK(std::memcmp(row(mask), wanted.mask.row(y), kWidth) == 0);
        CHECK(std::memcmp(row(alpha), std::get<alphacut::Image<uint8_t>>(wanted.alpha).row(y), kWidth) == 0);
        const uint8_t* out = rgba.data() + y * (4 * kWidth + 3);
        CHECK(std::memcmp(out, std::get<alphacut::Image<uint8_t>>(wanted_rgba).row(y), 4 * kWidth) == 0);
        CHECK(out[4 * kWidth] == 7 && out[4 * kWidth + 2] == 7);
      }
      alphacut_box found{};
      CHECK(alphacut_cutout_box(cutout, &found) == 1);
      CHECK(alphacut::Box{found.x, found.y, found.width, found.height} == wanted.box);
      CHECK(alphacut_cutout_confidence(cutout) == wanted.confidence);
      CHECK(alphacut_cutout_method(cutout) == wanted.method);
      size_t warnings = 0;
      while (const char* text = alphacut_cutout_warning(cutout, warnings)) CHECK(text == wanted.warnings[warnings++]);
      CHECK(warnings == wanted.warnings.size());
      alphacut_cutout_free(cutout);
    }
    alphacut_session_free(session);
  }
}

void failures_are_statuses() {
  const std::vector<uint8_t> values = picture(3);
  const alphacut_image image = image_of(values, 3);
  alphacut_cutout* const untouched = reinterpret_cast<alphacut_cutout*>(8);
  alphacut_cutout* cutout = untouched;
  const auto refused = [&](auto change, const char* says) {
    alphacut_image picture = image;
    alphacut_prompt prompt;
    alphacut_prompt_init(&prompt);
    alphacut_options options;
    alphacut_options_init(&options);
    change(picture, prompt, options);
    CHECK(alphacut_remove_background(&picture, &prompt, &options, &cutout) == ALPHACUT_INVALID_ARGUMENT);
    CHECK(cutout == untouched);
    const bool said = std::string(alphacut_last_error()).find(says) != std::string::npos;
    if (!said) std::fprintf(stderr, "'%s' does not say '%s'\n", alphacut_last_error(), says);
    CHECK(said);
  };
  using I = alphacut_image&;
  using P = alphacut_prompt&;
  using O = alphacut_options&;
  refused([](I i, P, O) { i.data = nullptr; }, "image.data");
  refused([](I i, P, O) { i.width = 0; }, "no side below 1");
  refused([](I i, P, O) { i.channels = 5; }, "channels");
  refused([](I i, P, O) { i.channels = 2; }, "channels");
  refused([](I i, P, O) { i.height = std::numeric_limits<int64_t>::max(); }, "image");
  refused([](I i, P, O) { i.depth = static_cast<alphacut_depth>(3); }, "depth");
  refused([](I i, P, O) { i.depth = ALPHACUT_FLOAT32, i.stride = 961; }, "aligned");
  refused([](I, P p, O) { p.size = 4; }, "alphacut_prompt_init");
  refused([](I, P p, O) { p.n_points = 1; }, "points");
  refused([&](I, P p, O) { p.labels = image; }, "labels");
  refused([&](I, P p, O) { p.prior = image; }, "prior");
  refused([](I, P, O o) { o.size = 0; }, "alphacut_options_init");
  refused([](I, P, O o) { o.method = "magic"; }, "'magic' is none of auto, graphcut");
  refused([](I, P, O o) { o.refine = nullptr; }, "refine");
  refused([](I, P, O o) { o.blend = 3; }, "blend");
  refused([](I, P, O o) { o.blend = std::nan(""); }, "blend");
  refused([](I, P, O o) { o.seed = -1; }, "seed");
  const alphacut_box outside{500, 0, 5, 5};
  refused([&](I, P p, O) { p.box = &outside; }, "box");

  CHECK(alphacut_remove_background(nullptr, nullptr, nullptr, &cutout) == ALPHACUT_INVALID_ARGUMENT);
  CHECK(alphacut_remove_background(&image, nullptr, nullptr, nullptr) == ALPHACUT_INVALID_ARGUMENT);
  CHECK(alphacut_session_cut(nullptr, nullptr, 0, &cutout) == ALPHACUT_INVALID_ARGUMENT);
  CHECK(alphacut_cutout_rgba(nullptr, &image, &cutout, 0) == ALPHACUT_INVALID_ARGUMENT);
  alphacut_network* network = nullptr;
  CHECK(alphacut_network_load("nonsense", 8, &network) == ALPHACUT_INVALID_ARGUMENT);
  CHECK(network == nullptr);
  CHECK(alphacut_set_num_threads(0) == ALPHACUT_INVALID_ARGUMENT);
  CHECK(alphacut_set_isa("sse9") == ALPHACUT_INVALID_ARGUMENT && alphacut_set_isa(nullptr) != ALPHACUT_OK);
  alphacut_session_cancel(nullptr);
  alphacut_session_free(nullptr);
  alphacut_cutout_free(nullptr);
  alphacut_network_free(nullptr);
  alphacut_options_init(nullptr);
  CHECK(alphacut_cutout_mask(nullptr).data == nullptr && alphacut_cutout_warning(nullptr, 0) == nullptr);
}

// A cut that is cancelled says so, and the next one is as if nothing had been.
void cancelling() {
  const std::vector<uint8_t> values = picture(3);
  const alphacut_image image = image_of(values, 3);
  const alphacut_box box{20, 10, 40, 40};
  alphacut_prompt prompt;
  alphacut_prompt_init(&prompt);
  prompt.box = &box;
  const auto mask_of = [&](alphacut_session* session) {
    alphacut_cutout* cutout = nullptr;
    CHECK(alphacut_session_cut(session, &prompt, 0, &cutout) == ALPHACUT_OK);
    const alphacut_image mask = alphacut_cutout_mask(cutout);
    const auto* const data = static_cast<const uint8_t*>(mask.data);
    std::vector<uint8_t> copy(data, data + kHeight * kWidth);
    alphacut_cutout_free(cutout);
    return copy;
  };
  alphacut_session *session = nullptr, *untouched = nullptr;
  CHECK(alphacut_session_open(&image, nullptr, &session) == ALPHACUT_OK);
  alphacut_session_cancel(session);  // nothing is being cut
  const std::vector<uint8_t> before = mask_of(session);

  std::atomic<bool> ended{false};
  std::string message;
  std::thread cutting([&] {
    alphacut_cutout* cutout = nullptr;
    alphacut_status status = ALPHACUT_OK;
    while ((status = alphacut_session_cut(session, &prompt, 0, &cutout)) == ALPHACUT_OK) {
      alphacut_cutout_free(cutout);
      cutout = nullptr;
    }
    CHECK(status == ALPHACUT_CANCELLED && cutout == nullptr);
    message = alphacut_last_error();
    ended = true;
  });
  while (!ended) {
    alphacut_session_cancel(session);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  cutting.join();
  CHECK(message == "the call was cancelled");

  CHECK(mask_of(session) == before);
  CHECK(alphacut_session_open(&image, nullptr, &untouched) == ALPHACUT_OK);
  CHECK(mask_of(untouched) == before);
  alphacut_session_free(untouched);
  alphacut_session_free(session);
}

void settings() {
  CHECK(std::string(alphacut_version()) == ALPHACUT_VERSION);
  const int before = alphacut_num_threads();
  CHECK(alphacut_set_num_threads(3) == ALPHACUT_OK && alphacut_num_threads() == 3);
  CHECK(alphacut_set_num_threads(before) == ALPHACUT_OK);
  const std::string isa = alphacut_isa();
  int count = 0;
  for (; const char* name = alphacut_available_isa(count); ++count) {
    CHECK(alphacut_set_isa(name) == ALPHACUT_OK);
    CHECK(std::string(alphacut_isa()) == name);
  }
  CHECK(count > 0 && alphacut_available_isa(-1) == nullptr);
  CHECK(alphacut_set_isa(isa.c_str()) == ALPHACUT_OK);
}

}  // namespace

int main() {
  the_bytes_are_those_of_cpp();
  failures_are_statuses();
  cancelling();
  settings();
  return check::result();
}
