#include <mutex>

#include "alphacut/subject.hpp"
#include "confidence.hpp"
#include "network_input.hpp"
#include "numpy_view.hpp"
#include "planes.hpp"
#include "points.hpp"
#include "prompt_view.hpp"

namespace alphacut {
namespace {

// The strokes that a prompt may have; no data without.
std::optional<Input<uint8_t>> strokes_of(py::handle labels) {
  if (labels.is_none()) return std::nullopt;
  return plane<uint8_t>(labels, "labels");
}
ImageView<const uint8_t> view_of_strokes(const std::optional<Input<uint8_t>>& strokes) {
  return strokes ? strokes->view : ImageView<const uint8_t>{};
}

// A SubjectFinder and the picture it looks at.
class Finder {
 public:
  Finder(py::object network, py::handle picture, py::handle small)
      : network_(std::move(network)),
        image_(in_bytes(picture)),
        small_(in_bytes(small)),
        finder_(network_.cast<const Network&>(), image_, small_) {}

  // The probability of each pixel of a map of this size, and its log-odds.
  py::tuple find(py::handle labels, const Corners& box, int64_t height, int64_t width) {
    const auto strokes = strokes_of(labels);
    auto probability = output<float>(py::none(), height, width, 0, {});
    auto log_odds = output<float>(py::none(), height, width, 0, {});
    without_gil([&] {
      std::lock_guard lock(mutex_);
      finder_.find(view_of_strokes(strokes), box_of(box), probability, log_odds);
    });
    return py::make_tuple(probability.array, log_odds.array);
  }

 private:
  py::object network_;
  Input<uint8_t> image_, small_;  // in 8 bits
  SubjectFinder finder_;
  std::mutex mutex_;
};

}  // namespace

void bind_subject(py::module_& m) {
  m.def(
      "detect_subject",
      [](py::object image, py::object out) {
        return with_image(image, "image", [&]<class T>(const Input<T>& in) -> py::array {
          auto map = output<float>(out, in.view.height, in.view.width, 0, {image, in.array});
          without_gil([&] { detect_subject(in, map); });
          return map.array;
        });
      },
      py::arg("image"), py::arg("out") = py::none());
  m.def(
      "barrier_map",
      [](py::object image, py::object seed, int passes, py::object out) {
        const auto seeds = plane<uint8_t>(seed, "seed");
        return with_image(image, "image", [&]<class T>(const Input<T>& in) -> py::array {
          auto map = output<float>(out, in.view.height, in.view.width, 0, {image, in.array, seed});
          without_gil([&] { barrier_map(in, seeds, passes, map); });
          return map.array;
        });
      },
      py::arg("image"), py::arg("seed"), py::arg("passes"), py::arg("out") = py::none());
  m.def(
      "barrier_distance",
      [](py::object channel, py::object seed, int passes, py::object out) -> py::array {
        const auto values = plane<float>(channel, "channel");
        const auto seeds = plane<uint8_t>(seed, "seed");
        auto distance = output<float>(out, values.view.height, values.view.width, 0, {channel, seed});
        without_gil([&] { barrier_distance(values, seeds, passes, distance); });
        return distance.array;
      },
      py::arg("channel"), py::arg("seed"), py::arg("passes") = 3, py::arg("out") = py::none());
  m.def(
      "learned_subject",
      [](const Network& network, py::object image, py::object labels, const Corners& box, py::object points,
         py::object out) {
        const auto pixels = in_bytes(image);
        const auto strokes = strokes_of(labels);
        const auto spots = points_of(points);
        auto map = output<float>(out, pixels.view.height, pixels.view.width, 0, {image, pixels.array, labels});
        without_gil([&] {
          ImageView<const uint8_t> shown = view_of_strokes(strokes);
          Image<uint8_t> drawn;
          if (!spots.empty()) {
            drawn = with_points(shown, spots, pixels.view.height, pixels.view.width, box.has_value());
            shown = drawn.view();
          }
          detect_subject(network, pixels, shown, box_of(box), map);
        });
        return map.array;
      },
      py::arg("network"), py::arg("image"), py::arg("labels"), py::arg("box"), py::arg("points"),
      py::arg("out") = py::none());
  py::class_<Finder>(m, "SubjectFinder", py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)))
      .def(py::init<py::object, py::object, py::object>(), py::arg("network"), py::arg("image"), py::arg("small"))
      .def("find", &Finder::find, py::arg("labels"), py::arg("box"), py::arg("height"), py::arg("width"));
  m.def(
      "cut_evidence",
      [](py::object probability, py::object mask) {
        const auto map = plane<float>(probability, "probability");
        const auto cut = plane<uint8_t>(mask, "mask");
        return without_gil([&] { return cut_evidence(map, nearest(cut, map.view.height, map.view.width)); });
      },
      py::arg("probability"), py::arg("mask"));
  m.def(
      "confidence_of",
      [](py::object probability, py::object mask) {
        const auto map = plane<float>(probability, "probability");
        const auto cut = plane<uint8_t>(mask, "mask");
        return without_gil([&] { return confidence_of(map, cut); });
      },
      py::arg("probability"), py::arg("mask"));
  m.def(
      "network_input",
      [](py::object image, py::object hints, const Corners& box, py::object answer) {
        const auto pixels = alphacut::image<uint8_t>(image, "image");
        const auto strokes = strokes_of(hints);
        std::optional<Input<float>> before;
        if (!answer.is_none()) before = plane<float>(answer, "answer");
        auto planes = output<int16_t>(py::none(), pixels.view.height / kInputCell, pixels.view.width / kInputCell,
                                      kInputPlanes, {});
        without_gil([&] {
          network_input(pixels, view_of_strokes(strokes), box_of(box), before ? before->view : ImageView<const float>{},
                        planes);
        });
        return planes.array;
      },
      py::arg("image"), py::arg("hints") = py::none(), py::arg("box") = py::none(), py::arg("answer") = py::none());
}

}  // namespace alphacut
