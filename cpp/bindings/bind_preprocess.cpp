#include "alphacut/color.hpp"
#include "alphacut/preprocess.hpp"
#include "numpy_view.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

// The C++ median and resizing take any values (maps too), these functions pictures.
void require_picture(ImageView<const uint8_t>) {}
void require_picture(ImageView<const float> image) { require_range(image, 0, 1, "image"); }

// Runs f(image, out) for a picture of either depth, out of the picture's size.
template <class F>
py::array same_size(py::handle image, py::handle out, F f) {
  return with_image(image, "image", [&]<class T>(const Input<T>& in) -> py::array {
    auto result = output<T>(out, in.view.height, in.view.width, in.array.ndim() == 2 ? 0 : 3, {image, in.array});
    without_gil([&] { f(in.view, result.view); });
    return result.array;
  });
}

template <class F>
py::array new_size(py::handle image, int64_t height, int64_t width, py::handle out, F f) {
  if (height < 1 || width < 1 || height >= 1 << 30 || width >= 1 << 30)
    throw py::value_error("size must be (height, width), each from 1 to 2^30 - 1, got (" + std::to_string(height) +
                          ", " + std::to_string(width) + ")");
  return with_image(image, "image", [&]<class T>(const Input<T>& in) -> py::array {
    auto result = output<T>(out, height, width, in.array.ndim() == 2 ? 0 : 3, {image, in.array});
    without_gil([&] {
      require_picture(in.view);
      f(in.view, result.view);
    });
    return result.array;
  });
}

}  // namespace

void bind_preprocess(py::module_& m) {
  m.def(
      "median",
      [](py::object image, int size, py::object out) {
        return same_size(image, out, [&](auto in, auto result) {
          require_picture(in);
          median(in, size, result);
        });
      },
      py::arg("image"), py::arg("size"), py::arg("out") = py::none());
  m.def(
      "bilateral",
      [](py::object image, int size, double sigma, py::object out) {
        return same_size(image, out, [&](auto in, auto result) { bilateral(in, size, sigma, result); });
      },
      py::arg("image"), py::arg("size"), py::arg("sigma"), py::arg("out") = py::none());
  m.def(
      "gray_world",
      [](py::object image, py::object out) {
        return same_size(image, out, [](auto in, auto result) { gray_world(in, result); });
      },
      py::arg("image"), py::arg("out") = py::none());
  m.def(
      "percentile_stretch",
      [](py::object image, double percent, py::object out) {
        return same_size(image, out, [&](auto in, auto result) { percentile_stretch(in, percent, result); });
      },
      py::arg("image"), py::arg("percent"), py::arg("out") = py::none());
  m.def(
      "resize_area",
      [](py::object image, int64_t height, int64_t width, py::object out) {
        return new_size(image, height, width, out, [](auto in, auto result) { resize_area(in, result); });
      },
      py::arg("image"), py::arg("height"), py::arg("width"), py::arg("out") = py::none());
  m.def(
      "resize_bilinear",
      [](py::object image, int64_t height, int64_t width, py::object out) {
        return new_size(image, height, width, out, [](auto in, auto result) { resize_bilinear(in, result); });
      },
      py::arg("image"), py::arg("height"), py::arg("width"), py::arg("out") = py::none());
}

}  // namespace alphacut
