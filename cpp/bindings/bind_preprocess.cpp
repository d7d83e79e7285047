#include <algorithm>
#include <optional>

#include "alphacut/color.hpp"
#include "alphacut/preprocess.hpp"
#include "border_named.hpp"
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

void require_size(int64_t height, int64_t width) {
  if (height < 1 || width < 1 || height >= 1 << 30 || width >= 1 << 30)
    throw py::value_error("size must be (height, width), each from 1 to 2^30 - 1, got (" + std::to_string(height) +
                          ", " + std::to_string(width) + ")");
}

template <class F>
py::array new_size(py::handle image, int64_t height, int64_t width, py::handle out, F f) {
  require_size(height, width);
  return with_image(image, "image", [&]<class T>(const Input<T>& in) -> py::array {
    auto result = output<T>(out, height, width, in.array.ndim() == 2 ? 0 : 3, {image, in.array});
    without_gil([&] {
      require_picture(in.view);
      f(in.view, result.view);
    });
    return result.array;
  });
}

// Bicubic and Lanczos overshoot: pictures end at 0 and full scale.
void hold_range(ImageView<uint8_t>) {}
void hold_range(ImageView<float> image) {
  for (int64_t y = 0; y < image.height; ++y)
    for (int64_t i = 0; i < image.width * image.channels; ++i)
      image.row(y)[i] = std::clamp(image.row(y)[i], 0.0f, 1.0f);
}

py::array lab_of(py::handle picture, py::handle out) {
  return with_image(picture, "image", [&]<class T>(const Input<T>& in) -> py::array {
    auto lab = output<float>(out, in.view.height, in.view.width, 3, {in.array});
    without_gil([&] {
      require_picture(in.view);
      to_lab(in.view, lab);
    });
    return lab.array;
  });
}

template <class T>
py::array nearest_of(const py::array& given, int64_t height, int64_t width, py::handle out) {
  const auto in = image<T>(given, "image");
  auto result = output<T>(out, height, width, given.ndim() == 2 ? 0 : 3, {given});
  without_gil([&] { resize_nearest<T>(in, result); });
  return result.array;
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
      [](py::object image, int size, double sigma, std::optional<double> sigma_space, py::object out) {
        return same_size(image, out, [&](auto in, auto result) { bilateral(in, size, sigma, result, sigma_space); });
      },
      py::arg("image"), py::arg("size"), py::arg("sigma"), py::arg("sigma_space"), py::arg("out") = py::none());
  m.def(
      "gaussian_blur",
      [](py::object image, double down, double across, double truncate, const std::string& border, py::object out) {
        const GaussianBlur blur{down, across, truncate, border_named(border)};
        return same_size(image, out, [&](auto in, auto result) { gaussian_blur(in, blur, result); });
      },
      py::arg("image"), py::arg("down"), py::arg("across"), py::arg("truncate"), py::arg("border"),
      py::arg("out") = py::none());
  m.def(
      "unsharp_mask",
      [](py::object image, double down, double across, double amount, double truncate, const std::string& border,
         py::object out) {
        const GaussianBlur blur{down, across, truncate, border_named(border)};
        return same_size(image, out, [&](auto in, auto result) { unsharp_mask(in, blur, amount, result); });
      },
      py::arg("image"), py::arg("down"), py::arg("across"), py::arg("amount"), py::arg("truncate"), py::arg("border"),
      py::arg("out") = py::none());
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
  m.def(
      "resize_bicubic",
      [](py::object image, int64_t height, int64_t width, py::object out) {
        return new_size(image, height, width, out, [](auto in, auto result) {
          resize_bicubic(in, result);
          hold_range(result);
        });
      },
      py::arg("image"), py::arg("height"), py::arg("width"), py::arg("out") = py::none());
  m.def(
      "resize_lanczos",
      [](py::object image, int64_t height, int64_t width, py::object out) {
        return new_size(image, height, width, out, [](auto in, auto result) {
          resize_lanczos(in, result);
          hold_range(result);
        });
      },
      py::arg("image"), py::arg("height"), py::arg("width"), py::arg("out") = py::none());
  m.def(
      "resize_nearest",
      [](py::object image, int64_t height, int64_t width, py::object out) {
        require_size(height, width);
        const py::array array = array_argument(image, "image");
        if (has_dtype<uint8_t>(array)) return nearest_of<uint8_t>(array, height, width, out);
        if (has_dtype<uint16_t>(array)) return nearest_of<uint16_t>(array, height, width, out);
        if (has_dtype<int32_t>(array)) return nearest_of<int32_t>(array, height, width, out);
        if (has_dtype<float>(array)) return nearest_of<float>(array, height, width, out);
        throw py::type_error("image must have dtype uint8, uint16, int32, float32 or bool, got " +
                             std::string(py::str(array.dtype())));
      },
      py::arg("image"), py::arg("height"), py::arg("width"), py::arg("out") = py::none());
  m.def("rgb_to_lab", &lab_of, py::arg("image"), py::arg("out") = py::none());
}

}  // namespace alphacut
