#include <array>
#include <optional>
#include <string>
#include <vector>

#include "alphacut/composite.hpp"
#include "alphacut/shadow.hpp"
#include "numpy_view.hpp"

namespace alphacut {
namespace {

using Color = std::array<uint8_t, 3>;

template <class T>
T of_byte(uint8_t value) {
  return std::is_same_v<T, uint8_t> ? static_cast<T>(value) : static_cast<T>(value) / static_cast<T>(255);
}

// What lies between: a plane and its colour, or None.
template <class T>
struct Between {
  std::optional<Input<T>> plane;
  Shade<T> shade;

  Between(py::handle shadow, Color color) {
    if (shadow.is_none()) return;
    plane.emplace(alphacut::plane<T>(shadow, "shadow"));
    shade = {plane->view, {of_byte<T>(color[0]), of_byte<T>(color[1]), of_byte<T>(color[2])}};
  }
  py::array array() const { return plane ? plane->array : py::array(); }
};

py::array cut_out(py::handle foreground, py::handle alpha, py::handle out, py::handle shadow, Color shade) {
  return with_image(foreground, "foreground", [&]<class T>(const Input<T>& front) {
    const auto weight = plane<T>(alpha, "alpha");
    const Between<T> between(shadow, shade);
    const auto rgba =
        output<T>(out, front.view.height, front.view.width, 4, {front.array, weight.array, between.array()});
    without_gil([&] { to_rgba(front, weight, rgba, between.shade); });
    return rgba.array;
  });
}

py::array over_color(py::handle foreground, py::handle alpha, Color color, bool linear, py::handle out,
                     py::handle shadow, Color shade) {
  return with_image(foreground, "foreground", [&]<class T>(const Input<T>& front) {
    const auto weight = plane<T>(alpha, "alpha");
    const Between<T> between(shadow, shade);
    const auto result =
        output<T>(out, front.view.height, front.view.width, 3, {front.array, weight.array, between.array()});
    without_gil([&] {
      std::vector<T> row(static_cast<size_t>(3 * front.view.width));
      for (size_t i = 0; i < row.size(); ++i) row[i] = of_byte<T>(color[i % 3]);
      composite(front, weight, ImageView<const T>{row.data(), front.view.height, front.view.width, 3, 0}, linear,
                result, between.shade);
    });
    return result.array;
  });
}

py::array over_image(py::handle foreground, py::handle alpha, py::handle background, bool linear, py::handle out,
                     py::handle shadow, Color shade) {
  return with_image(foreground, "foreground", [&]<class T>(const Input<T>& front) {
    const auto weight = plane<T>(alpha, "alpha");
    const auto back = image<T>(background, "background");
    const Between<T> between(shadow, shade);
    const auto result = output<T>(out, front.view.height, front.view.width, 3,
                                  {front.array, weight.array, back.array, between.array()});
    without_gil([&] { composite(front, weight, back, linear, result, between.shade); });
    return result.array;
  });
}

py::array shadow_of(py::handle alpha, bool contact, double dx, double dy, double softness, double opacity,
                    py::handle out) {
  const Shadow shadow{contact ? ShadowKind::contact : ShadowKind::drop, dx, dy, softness, opacity};
  return with_plane(alpha, "alpha", [&]<class T>(const Input<T>& subject) -> py::array {
    const auto result = output<T>(out, subject.view.height, subject.view.width, 0, {subject.array});
    without_gil([&] { cast_shadow(subject, shadow, result); });
    return result.array;
  });
}

template <class T>
using Convert = void (*)(ImageView<const T>, ImageView<T>);

template <class T>
py::array convert(py::handle rgba, py::handle out, Convert<T> function) {
  const auto in = rgba_image<T>(rgba, "rgba");
  const auto result = output<T>(out, in.view.height, in.view.width, 4, {in.array});
  without_gil([&] { function(in, result); });
  return result.array;
}

py::array convert_any(py::handle rgba, py::handle out, Convert<uint8_t> bytes, Convert<float> floats) {
  const py::array array = array_argument(rgba, "rgba");
  if (py::isinstance<py::array_t<uint8_t>>(array)) return convert<uint8_t>(array, out, bytes);
  if (py::isinstance<py::array_t<float>>(array)) return convert<float>(array, out, floats);
  throw py::type_error("rgba must have dtype uint8, uint16 or float32, got " + std::string(py::str(array.dtype())));
}

// A float picture of the shape of `values`.
template <class T, class Function>
py::array to_floats(const Input<T>& in, py::handle out, Function&& function) {
  const auto result =
      output<float>(out, in.view.height, in.view.width, in.array.ndim() == 2 ? 0 : in.view.channels, {in.array});
  without_gil([&] { function(in, result); });
  return result.array;
}

py::array decoded(py::handle picture, py::handle out) {
  return with_image(picture, "image", [&]<class T>(const Input<T>& in) {
    return to_floats(in, out, [](ImageView<const T> from, ImageView<float> to) { decode_srgb(from, to); });
  });
}

py::array encoded(py::handle light, py::handle out) {
  return to_floats(image<float>(light, "light"), out,
                   [](ImageView<const float> from, ImageView<float> to) { encode_srgb(from, to); });
}

py::array blurred(py::handle picture, py::handle alpha, double sigma, py::handle out) {
  return with_image(picture, "image", [&]<class T>(const Input<T>& in) {
    const auto weight = plane<T>(alpha, "alpha");
    const int64_t channels = in.array.ndim() == 2 ? 0 : 3;
    const auto result = output<T>(out, in.view.height, in.view.width, channels, {in.array, weight.array});
    without_gil([&] { blurred_background(in, weight, sigma, result); });
    return result.array;
  });
}

py::array board(int64_t height, int64_t width, int64_t tile, py::handle out) {
  if (height < 1 || width < 1)
    throw py::value_error("height and width must be at least 1, got " + std::to_string(height) + " and " +
                          std::to_string(width));
  const auto result = output<uint8_t>(out, height, width, 3, {});
  without_gil([&] { checkerboard(tile, result); });
  return result.array;
}

}  // namespace

void bind_composite(py::module_& m) {
  m.def("to_rgba", &cut_out, py::arg("foreground"), py::arg("alpha"), py::arg("out") = py::none(),
        py::arg("shadow") = py::none(), py::arg("shade") = Color{});
  m.def("composite_color", &over_color, py::arg("foreground"), py::arg("alpha"), py::arg("color"),
        py::arg("linear") = false, py::arg("out") = py::none(), py::arg("shadow") = py::none(),
        py::arg("shade") = Color{});
  m.def("composite_image", &over_image, py::arg("foreground"), py::arg("alpha"), py::arg("background"),
        py::arg("linear") = false, py::arg("out") = py::none(), py::arg("shadow") = py::none(),
        py::arg("shade") = Color{});
  m.def("cast_shadow", &shadow_of, py::arg("alpha"), py::arg("contact"), py::arg("dx"), py::arg("dy"),
        py::arg("softness"), py::arg("opacity"), py::arg("out") = py::none());
  m.def(
      "premultiply", [](py::object rgba, py::object out) { return convert_any(rgba, out, &premultiply, &premultiply); },
      py::arg("rgba"), py::arg("out") = py::none());
  m.def(
      "unpremultiply",
      [](py::object rgba, py::object out) { return convert_any(rgba, out, &unpremultiply, &unpremultiply); },
      py::arg("rgba"), py::arg("out") = py::none());
  m.def("decode_srgb", &decoded, py::arg("image"), py::arg("out") = py::none());
  m.def("encode_srgb", &encoded, py::arg("light"), py::arg("out") = py::none());
  m.def("blurred_background", &blurred, py::arg("image"), py::arg("alpha"), py::arg("sigma"),
        py::arg("out") = py::none());
  m.def("checkerboard", &board, py::arg("height"), py::arg("width"), py::arg("tile"), py::arg("out") = py::none());
}

}  // namespace alphacut
