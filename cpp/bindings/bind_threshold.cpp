#include "alphacut/color.hpp"
#include "alphacut/threshold.hpp"
#include "numpy_view.hpp"

namespace alphacut {
namespace {

template <class T>
py::array threshold_image(const Input<T>& gray, T limit, py::handle out) {
  auto mask = output<uint8_t>(out, gray.view.height, gray.view.width, 0, {gray.array});
  py::gil_scoped_release unlocked;  // everything that touches Python is done
  threshold(gray, limit, mask);
  return mask.array;
}

}  // namespace

void bind_threshold(py::module_& m) {
  m.def(
      "threshold_u8",
      [](py::object gray, uint8_t limit, py::object out) {
        return threshold_image(plane<uint8_t>(gray, "gray"), limit, out);
      },
      py::arg("gray"), py::arg("limit"), py::arg("out") = py::none());
  m.def(
      "threshold_f32",
      [](py::object gray, float limit, py::object out) {
        return threshold_image(plane<float>(gray, "gray"), limit, out);
      },
      py::arg("gray"), py::arg("limit"), py::arg("out") = py::none());
}

}  // namespace alphacut
