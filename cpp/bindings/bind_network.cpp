#include <algorithm>
#include <memory>
#include <span>
#include <string_view>

#include "alphacut/network.hpp"
#include "numpy_view.hpp"

namespace alphacut {
namespace {

// (H, W, 10) of int16.
Input<int16_t> planes_of(py::handle value) {
  py::array array = array_argument(value, "planes");
  if (!has_dtype<int16_t>(array))
    throw py::type_error("planes must have dtype int16, got " + std::string(py::str(array.dtype())));
  if (array.ndim() != 3 || array.size() == 0)
    throw py::value_error("planes must have shape (height, width, 10), no side 0, got " + shape_text(array));
  return view_of<int16_t>(std::move(array));
}

py::array run(const Network& network, py::handle planes_array, py::handle out) {
  const auto planes = planes_of(planes_array);
  const auto logits = output<float>(out, planes.view.height / 2, planes.view.width / 2, 0, {planes.array});
  {
    py::gil_scoped_release unlocked;
    network.run(planes, logits);
  }
  return logits.array;
}

// The output of every layer, (h, w, channels) of int16, then the logits.
py::list layers(const Network& network, py::handle planes_array) {
  const auto planes = planes_of(planes_array);
  py::list arrays;
  const auto logits = output<float>(py::none(), planes.view.height / 2, planes.view.width / 2, 0, {});
  network.run(planes, logits, [&](ImageView<const int16_t> layer) {
    const auto copy = output<int16_t>(py::none(), layer.height, layer.width, layer.channels, {});
    for (int64_t y = 0; y < layer.height; ++y)
      std::copy_n(layer.row(y), layer.width * layer.channels, copy.view.row(y));
    arrays.append(copy.array);
  });
  arrays.append(logits.array);
  return arrays;
}

}  // namespace

void bind_network(py::module_& m) {
  py::class_<Network>(m, "Network", py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)))
      .def(py::init([](const py::bytes& file) {
             const auto bytes = static_cast<std::string_view>(file);
             return std::make_unique<Network>(std::as_bytes(std::span(bytes)));
           }),
           py::arg("file"))
      .def("run", &run, py::arg("planes"), py::arg("out") = py::none())
      .def("layers", &layers, py::arg("planes"));
}

}  // namespace alphacut
