#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>

#include "alphacut/session.hpp"
#include "alphacut/tracker.hpp"
#include "numpy_view.hpp"
#include "prompt_view.hpp"

namespace alphacut {
namespace {

using Triple = std::array<double, 3>;

// A picture's array that owns its pixels. `channels` = 0 makes (H, W), else (H, W, channels).
template <class T>
py::array array_of(Image<T> image, py::ssize_t channels) {
  auto* const kept = new Image<T>(std::move(image));
  const py::capsule owner(kept, [](void* held) { delete static_cast<Image<T>*>(held); });
  std::vector<py::ssize_t> shape{kept->height(), kept->width()};
  if (channels != 0) shape.push_back(channels);
  return py::array(py::dtype::of<T>(), shape, {}, kept->data(), owner);
}
py::array array_of(AnyImage image, py::ssize_t channels) {
  return std::visit([&](auto& held) { return array_of(std::move(held), channels); }, image);
}

// A copy of a view.
template <class T>
py::object copy_of(ImageView<const T> view) {
  if (view.data == nullptr) return py::none();
  auto copy = output<T>(py::none(), view.height, view.width, view.channels == 1 ? 0 : view.channels, {});
  for (int64_t y = 0; y < view.height; ++y) std::copy_n(view.row(y), view.width * view.channels, copy.view.row(y));
  return copy.array;
}

// A picture of any depth and what keeps it alive.
struct AnyInput {
  py::array array, pixels;
  AnyView view;
};
template <class T>
AnyInput any(Input<T> input) {
  return {std::move(input.array), std::move(input.pixels), input.view};
}
AnyInput picture_of(py::handle value) {
  const py::array array = array_argument(value, "image");
  if (has_dtype<uint16_t>(array)) return any(image<uint16_t>(array, "image"));
  return with_image(array, "image", [](auto input) { return any(std::move(input)); });
}
// Whether a plane in the pixels of another array, as the alpha of RGBA, is opaque: it need not be copied.
bool opaque_between(const py::array& array) {
  if (!has_dtype<uint8_t>(array) || array.ndim() != 2 || array.size() == 0 || array.strides(1) == 1) return false;
  const auto* const first = static_cast<const uint8_t*>(array.data());
  const py::ssize_t down = array.strides(0), across = array.strides(1);
  const int64_t width = array.shape(1);
  std::atomic<bool> opaque{true};
  parallel_for(array.shape(0), row_grain(width, 1 << 16), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; opaque && y < end; ++y) {
      const uint8_t* const row = first + y * down;
      uint8_t all = 255;
      for (int64_t x = 0; x < width; ++x) all &= row[x * across];
      if (all != 255) opaque = false;
    }
  });
  return opaque;
}
AnyInput alpha_of(py::handle value) {
  if (value.is_none()) return {{}, {}, ImageView<const uint8_t>{}};
  const py::array array = array_argument(value, "alpha");
  if (opaque_between(array)) return {{}, {}, ImageView<const uint8_t>{}};
  if (has_dtype<uint16_t>(array)) return any(plane<uint16_t>(array, "alpha"));
  return has_dtype<float>(array) ? any(plane<float>(array, "alpha")) : any(plane<uint8_t>(array, "alpha"));
}

template <class E>
E word(const std::string& given, std::initializer_list<std::pair<const char*, E>> words) {
  for (const auto& [name, value] : words)
    if (given == name) return value;
  throw py::value_error("unknown word '" + given + "'");
}

SessionOptions options_of(const py::dict& given) {
  SessionOptions options;
  options.method = word<CutMethod>(given["method"].cast<std::string>(), {{"auto", CutMethod::automatic},
                                                                         {"graphcut", CutMethod::graphcut},
                                                                         {"kmeans", CutMethod::kmeans},
                                                                         {"threshold", CutMethod::threshold},
                                                                         {"key", CutMethod::key}});
  options.similarity = given["similarity"].cast<std::optional<double>>();
  options.blend = given["blend"].cast<std::optional<double>>();
  options.despill = given["despill"].cast<bool>();
  options.refine = !given["refine"].is_none();
  if (options.refine && given["refine"].cast<std::string>() != "auto")
    options.refinement =
        word<MattingMethod>(given["refine"].cast<std::string>(), {{"guided", MattingMethod::guided},
                                                                  {"sampled", MattingMethod::sampled},
                                                                  {"closed_form", MattingMethod::closed_form}});
  std::tie(options.edge_shift, options.edge_feather) = given["edge"].cast<std::pair<double, double>>();
  options.clean = given["clean"].cast<bool>();
  options.foreground = given["foreground"].cast<bool>();
  for (const auto& name : given["preprocess"].cast<std::vector<std::string>>())
    options.preparations.push_back(
        word<Preparation>(name, {{"denoise", Preparation::denoise}, {"white_balance", Preparation::white_balance}}));
  options.seed = given["seed"].cast<int64_t>();
  options.network = nullptr;
  if (!given["network"].is_none())  // a function, which whoever holds the session keeps alive
    options.network = [load = py::handle(given["network"])]() -> const Network& {
      return *with_gil([&] { return &load().cast<const Network&>(); });
    };
  return options;
}

// The stages that Python may run on a GPU: callables, or None.
Elsewhere elsewhere_of(const py::object& grabcut, const py::object& kmeans) {
  Elsewhere elsewhere;
  if (!grabcut.is_none())
    elsewhere.grabcut = [&grabcut](ImageView<const uint8_t> labels, const std::optional<Box>& box,
                                   ImageView<const float> unary, const GrabCutOptions& options, ImageView<uint8_t> mask,
                                   std::vector<std::string>& warnings) {
      return with_gil([&] {
        py::object corners = py::none();
        if (box) corners = py::make_tuple(box->x, box->y, box->width, box->height);
        const py::object answer = grabcut(copy_of(labels), corners, copy_of(unary), options.max_iter);
        if (answer.is_none()) return false;
        const auto found = answer.cast<py::tuple>();
        const auto made = plane<uint8_t>(found[0], "mask");
        for (int64_t y = 0; y < mask.height; ++y) std::copy_n(made.view.row(y), mask.width, mask.row(y));
        for (auto& warning : found[1].cast<std::vector<std::string>>()) warnings.push_back(std::move(warning));
        return true;
      });
    };
  if (!kmeans.is_none())
    elsewhere.kmeans = [&kmeans](const std::optional<AnyView>& small, const KmeansOptions& options,
                                 ImageView<uint8_t> labels) -> std::optional<Kmeans> {
      return with_gil([&]() -> std::optional<Kmeans> {
        py::object picture = py::none();
        if (small) picture = std::visit([](auto view) { return copy_of(view); }, *small);
        const py::object answer = kmeans(picture, options.n_clusters, options.max_iter, options.init);
        if (answer.is_none()) return std::nullopt;
        const auto found = answer.cast<py::tuple>();
        const auto made = plane<uint8_t>(found[0], "labels");
        for (int64_t y = 0; y < labels.height; ++y) std::copy_n(made.view.row(y), labels.width, labels.row(y));
        return Kmeans{found[1].cast<std::vector<int32_t>>(), 0, 0};
      });
    };
  return elsewhere;
}

// A prompt and the arrays it looks at.
struct PromptOfArrays {
  explicit PromptOfArrays(const py::dict& given) {
    prompt.box = box_of(given["box"].cast<Corners>());
    prompt.points = points_of(given["points"]);
    for (const auto& [name, view] :
         {std::pair("labels", &prompt.labels), std::pair("mask", &prompt.mask), std::pair("trimap", &prompt.trimap)})
      if (!given[name].is_none()) *view = planes.emplace_back(plane<uint8_t>(given[name], name)).view;
    if (!given["prior"].is_none()) prompt.prior = prior.emplace(plane<float>(given["prior"], "prior")).view;
    if (!given["key"].is_none()) {
      const auto [color, across, down] = given["key"].cast<std::tuple<Triple, Triple, Triple>>();
      prompt.key = KeyColor{color, across, down};
    }
  }
  Prompt prompt;
  std::vector<Input<uint8_t>> planes;
  std::optional<Input<float>> prior;
};

py::object or_none(std::optional<AnyImage> picture, py::ssize_t channels) {
  if (!picture) return py::none();
  return array_of(std::move(*picture), channels);
}
py::dict result_of(Cutout cutout, py::ssize_t channels) {
  const auto name = [](const std::string& given) -> py::object {
    if (given.empty()) return py::none();
    return py::str(given);
  };
  py::dict result;
  const py::array mask = array_of(std::move(cutout.mask), 0);
  result["mask"] = mask;
  result["alpha"] = array_of(std::move(cutout.alpha), 0);
  result["foreground"] = or_none(std::move(cutout.foreground), channels);
  result["found"] = mask;
  if (cutout.found) result["found"] = array_of(std::move(cutout.found), 0);
  result["trimap"] = py::none();
  if (cutout.trimap.data() != nullptr) result["trimap"] = array_of(std::move(cutout.trimap), 0);
  result["saliency"] = py::none();
  if (cutout.saliency.data() != nullptr) result["saliency"] = array_of(std::move(cutout.saliency), 0);
  result["box"] = py::none();
  if (cutout.box) result["box"] = py::make_tuple(cutout.box->x, cutout.box->y, cutout.box->width, cutout.box->height);
  result["confidence"] = cutout.confidence;
  result["method"] = name(cutout.method);
  result["subject"] = name(cutout.subject);
  result["refine"] = name(cutout.refine);
  py::dict timings;
  for (const auto& [stage, seconds] : cutout.seconds) timings[py::str(stage)] = seconds;
  result["timings"] = timings;
  result["warnings"] = cutout.warnings;
  return result;
}

// A Session and the arrays it looks at.
class SessionOfArrays {
 public:
  SessionOfArrays(py::handle image, py::handle alpha, const py::dict& options)
      : network_(options["network"]),
        image_(picture_of(image)),
        alpha_(alpha_of(alpha)),
        session_(opened(image_.view, alpha_.view, options_of(options))) {}

  py::dict cut(const py::dict& given, bool resume, const py::object& grabcut, const py::object& kmeans) {
    const PromptOfArrays told(given);
    const Elsewhere elsewhere = elsewhere_of(grabcut, kmeans);
    Cutout cutout;
    without_gil([&] { cutout = session_.cut(told.prompt, resume, elsewhere); });
    return result_of(std::move(cutout), image_.array.ndim() == 3 ? 3 : 0);
  }

  void cancel() { session_.cancel(); }

  py::object prepared() {
    std::optional<AnyImage> picture;
    without_gil([&] { picture = session_.prepared(); });
    return or_none(std::move(picture), image_.array.ndim() == 3 ? 3 : 0);
  }

 private:
  static Session opened(const AnyView& image, const AnyView& alpha, SessionOptions options) {
    return without_gil([&] { return Session(image, alpha, std::move(options)); });
  }

  py::object network_;  // a function that keeps what it gives
  AnyInput image_, alpha_;
  Session session_;
};

// A Tracker; frames are looked at during a call alone.
class TrackerOfArrays {
 public:
  explicit TrackerOfArrays(const py::dict& options) : network_(options["network"]), tracker_(options_of(options)) {}

  py::dict next(py::handle image, py::handle alpha, const py::dict& given) {
    const AnyInput frame = picture_of(image), own = alpha_of(alpha);
    const PromptOfArrays told(given);
    Cutout cutout;
    without_gil([&] {
      std::lock_guard lock(mutex_);
      cutout = tracker_.next(frame.view, own.view, told.prompt);
    });
    return result_of(std::move(cutout), frame.array.ndim() == 3 ? 3 : 0);
  }
  double confidence() {
    return without_gil([&] {
      std::lock_guard lock(mutex_);
      return tracker_.confidence();
    });
  }
  void reset() {
    without_gil([&] {
      std::lock_guard lock(mutex_);
      tracker_.reset();
    });
  }
  py::bytes save() {
    std::vector<uint8_t> bytes;
    without_gil([&] {
      std::lock_guard lock(mutex_);
      bytes = tracker_.save();
    });
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  void load(const py::bytes& given) {
    const std::string_view bytes = given;
    without_gil([&] {
      std::lock_guard lock(mutex_);
      tracker_.load({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
    });
  }

 private:
  py::object network_;
  std::mutex mutex_;
  Tracker tracker_;
};

}  // namespace

void bind_session(py::module_& m) {
  py::class_<SessionOfArrays>(m, "Session", py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)))
      .def(py::init<py::object, py::object, py::dict>(), py::arg("image"), py::arg("alpha"), py::arg("options"))
      .def("prepared", &SessionOfArrays::prepared)
      .def("cancel", &SessionOfArrays::cancel)
      .def("cut", &SessionOfArrays::cut, py::arg("prompt"), py::arg("resume"), py::arg("grabcut"), py::arg("kmeans"));
  py::class_<TrackerOfArrays>(m, "Tracker", py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)))
      .def(py::init<py::dict>(), py::arg("options"))
      .def("next", &TrackerOfArrays::next, py::arg("image"), py::arg("alpha"), py::arg("prompt"))
      .def("save", &TrackerOfArrays::save)
      .def("load", &TrackerOfArrays::load, py::arg("state"))
      .def("reset", &TrackerOfArrays::reset)
      .def_property_readonly("confidence", &TrackerOfArrays::confidence);
}

}  // namespace alphacut
