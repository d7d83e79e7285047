// A session with prompts of all kinds, one of its cuts cancelled at its nth check: what follows, and a session that was
// opened for it alone, must give the same bytes, whatever the instruction set and number of threads.
#include "fuzz.hpp"

using namespace alphacut;
using fuzz::Input;

namespace {

struct Told {
  Prompt prompt;
  Image<uint8_t> labels, mask, trimap;
  Image<float> prior;
};

Told prompt_of(Input& in, int64_t height, int64_t width) {
  Told told;
  const uint8_t kinds = in.byte();
  if ((kinds & 1) != 0) {
    const int64_t x = in.whole(0, width), y = in.whole(0, height), wide = in.whole(1, width);
    told.prompt.box = Box{x, y, wide, in.whole(1, height)};
  }
  if ((kinds & 2) != 0)
    for (int64_t n = in.between(1, 5); n > 0; --n) {
      const double x = in.real(0, static_cast<double>(width)), y = in.real(0, static_cast<double>(height));
      told.prompt.points.push_back({x, y, in.flag()});
    }
  if ((kinds & 4) != 0)
    told.prompt.labels = told.labels = in.image<uint8_t>(height, width, 1, in.byte() == 255 ? 4 : 3);
  if ((kinds & 8) != 0) told.prompt.prior = told.prior = in.image<float>(in.side(), in.side());
  if (kinds >= 224)
    told.prompt.mask = told.mask = in.image<uint8_t>(height, width, 1, in.flag() ? 1 : 255);
  else if (kinds >= 192)
    told.prompt.trimap = told.trimap = in.image<uint8_t>(height, width);
  else if (kinds >= 176) {
    KeyColor key;
    for (double& value : key.color) value = in.real(0, 1);
    told.prompt.key = key;
  }
  return told;
}

SessionOptions options_of(Input& in) {
  SessionOptions options;
  options.method = in.one_of({CutMethod::automatic, CutMethod::graphcut, CutMethod::kmeans, CutMethod::threshold,
                              CutMethod::key, CutMethod::automatic});
  if (in.byte() < 240) options.network = nullptr;  // slow under a sanitizer
  if (in.flag()) options.similarity = in.real(0, 1), options.blend = in.real(0, 1);
  options.despill = in.flag(), options.refine = in.byte() % 4 != 0, options.clean = in.flag();
  options.foreground = in.flag();
  if (in.flag())
    options.refinement = in.one_of({MattingMethod::guided, MattingMethod::sampled, MattingMethod::closed_form});
  if (in.flag()) options.edge_shift = in.real(-5, 5), options.edge_feather = in.real(0, 5);
  const uint8_t prepared = in.byte();
  if (prepared % 4 == 1) options.preparations.push_back(Preparation::denoise);
  if (prepared % 8 >= 6) options.preparations.push_back(Preparation::white_balance);
  options.seed = in.byte();
  return options;
}

using Bytes = std::vector<uint8_t>;

template <class T>
void append(Bytes& bytes, const Image<T>& image) {
  const auto* from = reinterpret_cast<const uint8_t*>(image.data());
  bytes.insert(bytes.end(), from, from + static_cast<size_t>(image.pixels() * image.view().channels) * sizeof(T));
}
void append(Bytes& bytes, const std::string& text) { bytes.insert(bytes.end(), text.begin(), text.end()); }

// All of a cutout but its times, or why there is none.
template <class Cut>
Bytes bytes_of(Cut cut) {
  Bytes bytes;
  try {
    const Cutout made = cut();
    append(bytes, made.mask), append(bytes, made.found), append(bytes, made.trimap), append(bytes, made.saliency);
    std::visit([&](const auto& image) { append(bytes, image); }, made.alpha);
    if (made.foreground) std::visit([&](const auto& image) { append(bytes, image); }, *made.foreground);
    for (const std::string& text : made.warnings) append(bytes, text);
    append(bytes, made.method), append(bytes, made.subject), append(bytes, made.refine);
    append(bytes, std::to_string(made.confidence));
  } catch (const std::invalid_argument& error) {
    append(bytes, error.what());
  }
  return bytes;
}

void flow(Input& in, const AnyView& image, const AnyView& own_alpha, int64_t height, int64_t width, uint8_t other) {
  const SessionOptions options = options_of(in);
  std::vector<Told> told;
  for (int64_t n = in.between(1, 3); n > 0; --n) told.push_back(prompt_of(in, height, width));
  const int64_t limit = in.between(1, 200);
  const size_t cancelled = in.byte() % told.size();
  const auto& isas = available_isas();
  set_isa(isas.back());
  set_num_threads(1);
  std::vector<Bytes> expected;
  for (const Told& each : told)
    expected.push_back(bytes_of([&] { return Session(image, own_alpha, options).cut(each.prompt); }));

  set_isa(isas[other % isas.size()]);
  set_num_threads(1 + other / 16 % 3);
  try {
    Session session(image, own_alpha, options);
    for (size_t i = 0; i < told.size(); ++i) {
      if (i == cancelled) {
        int64_t left = limit;
        const CancelScope scope([&] { return --left == 0; }, {});
        try {
          session.cut(told[i].prompt);
        } catch (const Cancelled&) {
        } catch (const std::invalid_argument&) {
        }
      }
      REQUIRE(bytes_of([&] { return session.cut(told[i].prompt); }) == expected[i]);
    }
    bytes_of([&] { return session.cut(told.back().prompt, true); });  // a resumed cut may be another
    REQUIRE(bytes_of([&] { return session.cut(told.front().prompt); }) == expected.front());
  } catch (const std::invalid_argument& error) {  // of the session itself
    for (const Bytes& each : expected) REQUIRE(each == Bytes(error.what(), error.what() + std::strlen(error.what())));
  }
}

template <class T>
void flow_of(Input& in, uint8_t other) {
  const int64_t height = in.side(), width = in.side();
  const int64_t channels = in.one_of({3, 1, 3, 4, 3, 3, 2});
  const Image<T> image = in.image<T>(height, width, channels);
  const bool has_alpha = in.byte() % 4 == 0;
  const Image<T> alpha = has_alpha ? in.image<T>(height, width) : Image<T>();
  flow(in, image.view(), alpha.view(), height, width, other);
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input in({data, size});
  const uint8_t depth = in.byte(), other = in.byte();
  if (depth % 4 == 1)
    flow_of<float>(in, other);
  else if (depth % 4 == 2)
    flow_of<uint16_t>(in, other);
  else
    flow_of<uint8_t>(in, other);
  return 0;
}
