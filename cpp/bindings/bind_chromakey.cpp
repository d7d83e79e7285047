#include "alphacut/chromakey.hpp"
#include "numpy_view.hpp"

namespace alphacut {
namespace {

using Triple = std::array<double, 3>;

py::tuple find_key_of(py::object image) {
  const KeyColor key =
      with_image(image, "image", []<class T>(const Input<T>& in) { return without_gil([&] { return find_key(in); }); });
  return py::make_tuple(key.color, key.across, key.down, key.uniformity);
}

py::array chroma_key_of(py::object image, Triple color, Triple across, Triple down, double similarity, double blend,
                        bool contiguous, py::object out) {
  return with_image(image, "image", [&]<class T>(const Input<T>& in) -> py::array {
    auto alpha = output<T>(out, in.view.height, in.view.width, 0, {image, in.array});
    without_gil([&] { chroma_key(in, {color, across, down}, similarity, blend, contiguous, alpha); });
    return alpha.array;
  });
}

py::array despill_of(py::object image, Triple color, py::object alpha, double strength, py::object out) {
  return with_image(image, "image", [&]<class T>(const Input<T>& in) -> py::array {
    Input<T> matte;
    if (!alpha.is_none()) matte = plane<T>(alpha, "alpha");
    auto result = output<T>(out, in.view.height, in.view.width, in.array.ndim() == 2 ? 0 : 3, {image, in.array, alpha});
    without_gil([&] { despill(in, {color, {}, {}}, matte, strength, result); });
    return result.array;
  });
}

}  // namespace

void bind_chromakey(py::module_& m) {
  m.def("find_key", &find_key_of, py::arg("image"));
  m.def("key_saturation", [](Triple color) { return saturation({color, {}, {}}); }, py::arg("color"));
  m.def("chroma_key", &chroma_key_of, py::arg("image"), py::arg("color"), py::arg("across"), py::arg("down"),
        py::arg("similarity"), py::arg("blend"), py::arg("contiguous") = false, py::arg("out") = py::none());
  m.def("despill", &despill_of, py::arg("image"), py::arg("color"), py::arg("alpha") = py::none(),
        py::arg("strength") = 1.0, py::arg("out") = py::none());
}

}  // namespace alphacut
