#include "alphacut/superpixels.hpp"
#include "numpy_view.hpp"

namespace alphacut {

void bind_superpixels(py::module_& m) {
  m.def(
      "slic",
      [](py::object picture, int64_t n_segments, double compactness, int64_t max_iter, py::object out) {
        return with_image(picture, "image", [&](const auto& input) {
          const auto labels = output<int32_t>(out, input.view.height, input.view.width, 0, {input.array});
          const SlicOptions options{n_segments, compactness, max_iter};
          const int32_t count = without_gil([&] { return slic(input.view, options, labels); });
          return py::make_tuple(labels.array, count);
        });
      },
      py::arg("image"), py::arg("n_segments"), py::arg("compactness"), py::arg("max_iter"),
      py::arg("out") = py::none());
}

}  // namespace alphacut
