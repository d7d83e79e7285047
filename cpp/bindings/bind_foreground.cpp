#include "alphacut/foreground.hpp"
#include "numpy_view.hpp"

namespace alphacut {
namespace {

template <class T, class A>
py::array estimate(const Input<T>& image, const Input<A>& alpha, float regularization, py::handle out) {
  const py::ssize_t channels = image.array.ndim() == 3 ? 3 : 0;
  auto result = output<T>(out, image.view.height, image.view.width, channels, {image.array, alpha.array});
  without_gil([&] { estimate_foreground<T, A>(image, alpha, result, regularization); });
  return result.array;
}

}  // namespace

void bind_foreground(py::module_& m) {
  m.def(
      "estimate_foreground",
      [](py::object image, py::object alpha, float regularization, py::object out) {
        return with_image(image, "image", [&]<class T>(const Input<T>& i) {
          if (py::isinstance<py::array_t<float>>(alpha))
            return estimate(i, plane<float>(alpha, "alpha"), regularization, out);
          return estimate(i, plane<uint8_t>(alpha, "alpha"), regularization, out);
        });
      },
      py::arg("image"), py::arg("alpha"), py::arg("regularization"), py::arg("out") = py::none());
}

}  // namespace alphacut
