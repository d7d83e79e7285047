#include "alphacut/subject.hpp"
#include "numpy_view.hpp"

namespace alphacut {

void bind_subject(py::module_& m) {
  m.def(
      "detect_subject",
      [](py::object image, py::object out) {
        return with_image(image, "image", [&]<class T>(const Input<T>& in) -> py::array {
          auto map = output<float>(out, in.view.height, in.view.width, 0, {image, in.array});
          {
            py::gil_scoped_release unlocked;  // everything that touches Python is done
            detect_subject(in, map);
          }
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
          {
            py::gil_scoped_release unlocked;
            barrier_map(in, seeds, passes, map);
          }
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
        {
          py::gil_scoped_release unlocked;
          barrier_distance(values, seeds, passes, distance);
        }
        return distance.array;
      },
      py::arg("channel"), py::arg("seed"), py::arg("passes") = 3, py::arg("out") = py::none());
}

}  // namespace alphacut
