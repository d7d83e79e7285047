// The flow as a C++ program uses it: the bytes of Python's, see tests/golden/flow.py.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "alphacut/alphacut.hpp"
#include "check.hpp"
#include "made.hpp"

using namespace alphacut;

namespace {

constexpr int64_t kHeight = 90, kWidth = 130;
constexpr Box kBox{30, 8, 74, 72};

uint64_t hashed(uint64_t index, uint64_t seed) {
  uint64_t x = index + seed * 1000003;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x >> 48;
}

int64_t from_centre(int64_t y, int64_t x) { return (y - 42) * (y - 42) + (x - 66) * (x - 66); }

Image<uint8_t> picture() {
  return made(kHeight, kWidth, 3, [](int64_t y, int64_t x, int64_t c) {
    const int64_t ground[] = {60 + x / 2, 90 + y / 3, 70 + (x + y) / 5}, disc[] = {205, 90, 40},
                  stripe[] = {230, 200, 60};
    const bool inside = from_centre(y, x) < 26 * 26;
    const int64_t color = inside && x / 6 % 3 == 0 ? stripe[c] : inside ? disc[c] : ground[c];
    return color + static_cast<int64_t>(hashed(static_cast<uint64_t>((y * kWidth + x) * 3 + c), 1) % 13);
  });
}

Image<uint8_t> mask() {
  return made(kHeight, kWidth, 1, [](int64_t y, int64_t x, int64_t) {
    const bool inside = from_centre(y, x) < 26 * 26 && (y - 40) * (y - 40) + (x - 60) * (x - 60) > 16;
    return inside || hashed(static_cast<uint64_t>(y * kWidth + x), 2) % 97 == 0 ? 255 : 0;
  });
}

Image<uint8_t> soft() {
  return made(kHeight, kWidth, 1, [](int64_t y, int64_t x, int64_t) {
    const double value = (28 - std::sqrt(static_cast<double>(from_centre(y, x)))) * 21;
    return value < 0 ? 0 : value > 255 ? 255 : static_cast<int>(value);
  });
}

Image<uint8_t> trimap() {
  const Image<uint8_t> alpha = soft();
  return made(kHeight, kWidth, 1, [&](int64_t y, int64_t x, int64_t) {
    const uint8_t a = alpha.row(y)[x];
    return a == 0 || a == 255 ? a : 128;
  });
}

Image<uint8_t> labels() {
  return made(kHeight, kWidth, 1, [](int64_t y, int64_t x, int64_t) {
    return y >= 38 && y < 44 && x >= 55 && x < 75 ? 1 : y >= 5 && y < 9 && x >= 10 && x < 100 ? 0 : 2;
  });
}

class Digest {
 public:
  template <class T>
  void add(ImageView<const T> view) {
    const size_t bytes = static_cast<size_t>(view.width * view.channels) * sizeof(T);
    for (int64_t y = 0; y < view.height; ++y)
      for (const std::byte byte : std::as_bytes(std::span(view.row(y), bytes / sizeof(T))))
        value_ = (value_ ^ static_cast<uint64_t>(byte)) * 0x100000001B3;
  }
  std::string text() const {
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value_));
    return digits;
  }

 private:
  uint64_t value_ = 0xCBF29CE484222325;
};

std::string digest(const Cutout& cutout, const AnyView& image) {
  Digest sum;
  sum.add(cutout.mask.view());
  std::visit([&](const auto& held) { sum.add(held.view()); }, cutout.alpha);
  if (cutout.foreground)
    std::visit([&](const auto& held) { sum.add(held.view()); }, *cutout.foreground);
  else
    std::visit([&](auto view) { sum.add(view); }, image);
  return sum.text();
}

std::map<std::string, std::string> expected() {
  std::ifstream stream(ALPHACUT_GOLDEN);
  std::map<std::string, std::string> lines;
  for (std::string line; std::getline(stream, line);) lines[line.substr(17)] = line.substr(0, 16);
  return lines;
}

// One call of Python's, by its name.
struct Call {
  SessionOptions options;
  Prompt prompt;
};

void the_bytes_are_pythons() {
  const Network network(std::filesystem::path(ALPHACUT_WEIGHTS));  // the one that comes with alphacut, as a file
  const Image<uint8_t> image = picture(), strokes = labels(), given_mask = mask(), given_trimap = trimap(),
                       own = soft();
  std::map<std::string, Call> calls;
  for (const auto& [name, wanted] : expected()) calls[name] = {};
  calls["learned"].options.network = [&]() -> const Network& { return network; };
  CHECK(calls.size() == 16);
  calls["learned"].options.method = calls["barrier"].options.method = CutMethod::graphcut;
  calls["barrier"].options.network = nullptr;
  for (const char* name : {"box", "edge", "16 bits", "float", "own alpha"}) calls[name].prompt.box = kBox;
  calls["edge"].options.edge_shift = -1.5;
  calls["edge"].options.edge_feather = 1;
  calls["points"].prompt.points = {{66, 42, true}, {10, 10, false}};
  calls["keep"].prompt.points = {{20.5, 70, true}};
  calls["labels"].prompt.labels = strokes;
  calls["labels"].options.refinement = MattingMethod::guided;
  calls["mask"].prompt.mask = given_mask;
  calls["mask"].options.refinement = MattingMethod::sampled;
  calls["trimap"].prompt.trimap = given_trimap;
  calls["key"].prompt.key = KeyColor{{0x5a / 255.0, 0x6a / 255.0, 0x50 / 255.0}};
  calls["key"].options.blend = 0.1;
  calls["key"].options.despill = true;
  calls["kmeans"].options.method = CutMethod::kmeans;
  calls["kmeans"].options.preparations = {Preparation::denoise};
  calls["threshold"].options.method = CutMethod::threshold;
  calls["threshold"].options.refine = calls["threshold"].options.foreground = false;

  Image<uint16_t> wide(kHeight, kWidth, 3);
  Image<float> real(kHeight, kWidth, 3);
  for (int64_t i = 0; i < 3 * image.pixels(); ++i) {
    wide.data()[i] = static_cast<uint16_t>(image.data()[i] * 257);
    real.data()[i] = static_cast<float>(image.data()[i]) / 255;
  }
  for (const auto& [name, wanted] : expected()) {
    const Call& call = calls[name];
    AnyView view = image.view(), alpha = ImageView<const uint8_t>{};
    if (name == "16 bits") view = ImageView<const uint16_t>(wide.view());
    if (name == "float") view = ImageView<const float>(real.view());
    if (name == "own alpha") alpha = own.view();
    Session session(view, alpha, call.options);
    const std::string first = digest(session.cut(call.prompt), view);
    if (first != wanted) std::fprintf(stderr, "%s: %s, not %s\n", name.c_str(), first.c_str(), wanted.c_str());
    CHECK(first == wanted);
    CHECK(digest(session.cut(call.prompt), view) == wanted);  // again, with what is kept
  }
}

// A picture's fourth channel is its own alpha, in every depth, and a cutout's colours and alpha go side by side.
template <class T>
void rgba_goes_in_and_out(T one) {
  const Image<uint8_t> rgb = picture(), own = soft();
  Image<T> colors(kHeight, kWidth, 3), alpha(kHeight, kWidth), both(kHeight, kWidth, 4);
  const auto stored = [&](uint8_t value) {
    return one <= 1 ? static_cast<T>(static_cast<float>(value) / 255) : static_cast<T>(value * (one / 255));
  };
  for (int64_t i = 0; i < rgb.pixels(); ++i) {
    for (int64_t c = 0; c < 3; ++c) both.data()[4 * i + c] = colors.data()[3 * i + c] = stored(rgb.data()[3 * i + c]);
    both.data()[4 * i + 3] = alpha.data()[i] = stored(own.data()[i]);
  }
  Prompt prompt;
  prompt.box = kBox;
  for (const bool clean_colors : {true, false}) {
    SessionOptions options;
    options.foreground = clean_colors;
    const Cutout wanted = Session(ImageView<const T>(colors), ImageView<const T>(alpha), options).cut(prompt);
    const Cutout found = remove_background(ImageView<const T>(both), prompt, options);
    CHECK(digest(found, ImageView<const T>(colors)) == digest(wanted, ImageView<const T>(colors)));
    CHECK(found.foreground.has_value() == clean_colors);
    const AnyImage joined = to_rgba(ImageView<const T>(both), found);
    const auto& rgba = std::get<Image<T>>(joined);
    const auto& out = std::get<Image<T>>(found.alpha);
    const T* front = clean_colors ? std::get<Image<T>>(*found.foreground).data() : colors.data();
    for (int64_t i = 0; i < rgba.pixels(); ++i) {
      CHECK(rgba.data()[4 * i + 3] == out.data()[i]);
      for (int64_t c = 0; c < 3; ++c) CHECK(rgba.data()[4 * i + c] == front[3 * i + c]);
    }
    CHECK_THROWS(std::invalid_argument, to_rgba(packed(rgb.data(), 3, 3, 3), found));
  }
  CHECK_THROWS(std::invalid_argument, Session(ImageView<const T>(both), ImageView<const T>(alpha), {}));
}

void a_view_of_three_numbers_is_packed() {
  const uint8_t values[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const ImageView<const uint8_t> plane{values, 3, 4}, colors = packed(values, 2, 2, 3);
  CHECK(plane.row(2)[1] == 9 && colors.row(1)[0] == 6 && colors.channels == 3);
  CHECK(plane && !ImageView<const uint8_t>{} && !Image<float>());
  CHECK(ImageView<const uint8_t>{values, 3, 4, 1, 0}.row(2) == values);  // one row, on purpose
}

void what_runs_here() {
  const Info here = info();
  CHECK(here.version == ALPHACUT_VERSION && here.threads == num_threads());
  CHECK(!here.isas.empty() && here.isas == available_isas());
  for (const std::string& isa : here.isas) {
    set_isa(isa);
    CHECK(info().isa == isa);
  }
  set_isa(here.isa);
  CHECK_THROWS(std::invalid_argument, set_isa("sse9"));
}

void a_network_comes_from_a_file() {
  CHECK(Network(std::filesystem::path(ALPHACUT_WEIGHTS)).multiple() == builtin_network().multiple());
  CHECK_THROWS(std::runtime_error, Network(std::filesystem::path("no such file")));
  CHECK_THROWS(std::exception, Network(std::filesystem::path(ALPHACUT_GOLDEN)));  // another file
}

void many_threads_cut_one_picture() {
  const Image<uint8_t> image = picture();
  SessionOptions options;
  Session session(image.view(), ImageView<const uint8_t>{}, options);
  Prompt prompts[2];
  prompts[0].box = kBox;
  prompts[1].points = {{66, 42, true}, {10, 10, false}};
  std::string wanted[2];
  for (size_t k = 0; k < 2; ++k) wanted[k] = digest(remove_background(image.view(), prompts[k], options), image.view());
  std::vector<std::thread> threads;
  std::vector<int> right(4, 0);
  for (size_t t = 0; t < right.size(); ++t)
    threads.emplace_back([&, t] {
      for (size_t k = 0; k < 6; ++k) right[t] += digest(session.cut(prompts[k % 2]), image.view()) == wanted[k % 2];
    });
  for (std::thread& thread : threads) thread.join();
  for (const int count : right) CHECK(count == 6);
}

// Strokes of one kind are held against the cut without them: made once, whoever asked for it first.
void the_first_stroke_knows_the_cut_before() {
  const Image<uint8_t> image = picture();
  int cuts = 0;
  Elsewhere counting;
  counting.grabcut = [&](auto, const auto&, auto, const auto&, auto, auto&) {
    ++cuts;
    return false;
  };
  SessionOptions options;
  options.method = CutMethod::graphcut;
  for (const std::optional<Box> box : {std::optional<Box>(kBox), std::optional<Box>()})
    for (const bool keep : {true, false}) {
      Prompt plain, stroke;
      plain.box = stroke.box = box;
      stroke.points = {{60, 40, keep}};
      const auto cut = [&](Session& session, const Prompt& prompt, bool resume = false) {
        return digest(session.cut(prompt, resume, counting), image.view());
      };
      Session told(image.view(), options), untold(image.view(), options), stays(image.view(), options);
      cuts = 0;
      const std::string wanted = cut(untold, stroke);
      CHECK(cuts == 2);
      const std::string before = cut(told, plain);
      CHECK(cuts == 3);
      CHECK(cut(told, stroke) == wanted);
      CHECK(cuts == 4);
      CHECK(cut(untold, plain) == before);
      // A resumed cut is not what the next stroke is held against, but one that had nothing to go on from is.
      CHECK(digest(stays.cut(plain, true), image.view()) == before);
      stays.cut(stroke, true);
      stays.cut(plain, true);
      CHECK(cut(stays, stroke) == wanted);
    }
}

void what_cannot_work_is_refused() {
  const Image<uint8_t> image = picture(), small(3, 4), plane = mask();
  const ImageView<const uint8_t> opaque;
  Session session(image.view(), opaque, {});
  const auto refuses = [&](auto change) {
    Prompt prompt;
    change(prompt);
    CHECK_THROWS(std::invalid_argument, session.cut(prompt));
  };
  refuses([](Prompt& p) { p.box = Box{200, 0, 5, 5}; });
  refuses([](Prompt& p) { p.box = Box{0, 0, 0, 5}; });
  refuses([](Prompt& p) { p.points = {{-1, 5, true}}; });
  refuses([](Prompt& p) { p.points = {{std::nan(""), 5, true}}; });
  refuses([&](Prompt& p) { p.labels = small; });
  refuses([&](Prompt& p) { p.labels = plane; });  // 255 is no label
  refuses([&](Prompt& p) { p.mask = p.trimap = plane; });
  refuses([&](Prompt& p) { p.mask = plane, p.box = kBox; });
  CHECK_THROWS(std::invalid_argument, Session(ImageView<const uint8_t>{}, opaque, {}));
  CHECK_THROWS(std::invalid_argument, Session(image.view(), small.view(), {}));
  Image<float> beyond(4, 4);
  for (int64_t i = 0; i < beyond.pixels(); ++i) beyond.data()[i] = std::nanf("");
  CHECK_THROWS(std::invalid_argument, Session(ImageView<const float>(beyond.view()), opaque, {}));
  SessionOptions options;
  options.blend = -1;
  CHECK_THROWS(std::invalid_argument, Session(image.view(), opaque, options));
  options = {};
  options.method = CutMethod::kmeans;
  Prompt prompt;
  prompt.mask = plane;
  CHECK_THROWS(std::invalid_argument, Session(image.view(), opaque, options).cut(prompt));
}

}  // namespace

int main() {
  the_bytes_are_pythons();
  rgba_goes_in_and_out<uint8_t>(255);
  rgba_goes_in_and_out<uint16_t>(65535);
  rgba_goes_in_and_out<float>(1);
  a_view_of_three_numbers_is_packed();
  what_runs_here();
  a_network_comes_from_a_file();
  many_threads_cut_one_picture();
  the_first_stroke_knows_the_cut_before();
  what_cannot_work_is_refused();
  return check::result();
}
