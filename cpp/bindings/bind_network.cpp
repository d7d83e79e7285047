#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "alphacut/network.hpp"
#include "network_data.hpp"
#include "network_trace.hpp"
#include "numpy_view.hpp"

namespace alphacut {

// Python reads the network from the file beside it, see subject.py.
std::span<const std::byte> detail::network_data() { return {}; }

namespace {

// (H, W, channels) of int16.
Input<int16_t> planes_of(py::handle value, const char* name) {
  py::array array = array_argument(value, name);
  if (!has_dtype<int16_t>(array))
    throw py::type_error(std::string(name) + " must have dtype int16, got " + std::string(py::str(array.dtype())));
  if (array.ndim() != 3 || array.size() == 0)
    throw py::value_error(std::string(name) + " must have shape (height, width, channels), no side 0, got " +
                          shape_text(array));
  return view_of<int16_t>(std::move(array));
}

Network::Features see(const Network& network, py::handle colours_array) {
  const auto colours = planes_of(colours_array, "colours");
  return without_gil([&] { return network.see(colours); });
}

py::array ask(const Network& network, const Network::Features& features, py::handle planes_array, py::handle out) {
  const auto planes = planes_of(planes_array, "planes");
  const auto log_odds = output<float>(out, features.height(), features.width(), 0, {planes.array});
  without_gil([&] { network.ask(features, planes, log_odds); });
  return log_odds.array;
}

// The output of every operation of both parts, (h, w, channels) of int16, then the log-odds.
py::list layers(const Network& network, py::handle colours_array, py::handle planes_array) {
  const auto colours = planes_of(colours_array, "colours"), planes = planes_of(planes_array, "planes");
  py::list arrays;
  const auto show = [&](ImageView<const int16_t> layer) {
    const auto copy = output<int16_t>(py::none(), layer.height, layer.width, layer.channels, {});
    for (int64_t y = 0; y < layer.height; ++y)
      std::copy_n(layer.row(y), layer.width * layer.channels, copy.view.row(y));
    arrays.append(copy.array);
  };
  const Network::Features features = NetworkTrace::see(network, colours, show);
  const auto log_odds = output<float>(py::none(), features.height(), features.width(), 0, {});
  NetworkTrace::ask(network, features, planes, log_odds, show);
  arrays.append(log_odds.array);
  return arrays;
}

}  // namespace

void bind_network(py::module_& m) {
  py::class_<Network::Features>(m, "Features", py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)));
  py::class_<Network>(m, "Network", py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)))
      .def(py::init([](const py::bytes& file) {
             const auto bytes = static_cast<std::string_view>(file);
             return std::make_unique<Network>(std::as_bytes(std::span(bytes)));
           }),
           py::arg("file"))
      .def("see", &see, py::arg("colours"))
      .def("ask", &ask, py::arg("features"), py::arg("planes"), py::arg("out") = py::none())
      .def("layers", &layers, py::arg("colours"), py::arg("planes"));
}

}  // namespace alphacut
