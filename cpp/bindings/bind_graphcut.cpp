#include <algorithm>
#include <cstring>

#include "alphacut/color.hpp"
#include "alphacut/graphcut.hpp"
#include "alphacut/parallel.hpp"
#include "numpy_view.hpp"

namespace alphacut {
namespace {

// The four planes of an array (4, H, W); rows with gaps inside are copied once.
struct NeighboursInput {
  py::array array;   // the caller's
  py::array pixels;  // what the planes show: the same, or a copy of it
  Neighbours planes;
};

NeighboursInput neighbours_of(py::handle value) {
  py::array array = array_argument(value, "neighbours");
  if (!py::isinstance<py::array_t<int32_t>>(array))
    throw py::type_error("neighbours must have dtype int32, got " + std::string(py::str(array.dtype())));
  if (array.ndim() != 3 || array.shape(0) != 4 || array.size() == 0)
    throw py::value_error("neighbours must have shape (4, height, width), neither side 0, got " + shape_text(array));
  const bool aligned = (array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) != 0;
  const bool packed = array.shape(2) == 1 || array.strides(2) == 4;
  const py::array pixels = packed && aligned ? array : py::array(array.attr("copy")("C"));
  NeighboursInput input{array, pixels, {}};
  for (py::ssize_t k = 0; k < 4; ++k)
    input.planes[static_cast<size_t>(k)] = {
        reinterpret_cast<const int32_t*>(static_cast<const char*>(pixels.data()) + k * pixels.strides(0)),
        pixels.shape(1), pixels.shape(2), 1, pixels.strides(1)};
  return input;
}

py::tuple graph_cut_array(py::handle source_array, py::handle sink_array, py::handle neighbours_array, py::handle out,
                          bool certify) {
  const auto source = plane<int32_t>(source_array, "source");
  const auto sink = plane<int32_t>(sink_array, "sink");
  const auto neighbours = neighbours_of(neighbours_array);
  const auto mask =
      output<uint8_t>(out, source.view.height, source.view.width, 0, {source.array, sink.array, neighbours.array});
  int64_t flow = 0;
  {
    py::gil_scoped_release unlocked;
    flow = graph_cut(source, sink, neighbours.planes, mask, certify);
  }
  return py::make_tuple(mask.array, flow);
}

int64_t cut_capacity_array(py::handle source_array, py::handle sink_array, py::handle neighbours_array,
                           py::handle mask_array) {
  const auto source = plane<int32_t>(source_array, "source");
  const auto sink = plane<int32_t>(sink_array, "sink");
  const auto neighbours = neighbours_of(neighbours_array);
  const auto mask = plane<uint8_t>(mask_array, "mask");
  py::gil_scoped_release unlocked;
  return cut_capacity(source, sink, neighbours.planes, mask);
}

// Whether two arrays have one dtype, one shape and the same bytes.
bool same_bytes(py::handle a_value, py::handle b_value) {
  const auto packed = [](py::handle value, const char* name) {
    const py::array array = array_argument(value, name);
    return (array.flags() & py::array::c_style) != 0 ? array : py::array(array.attr("copy")("C"));
  };
  const py::array a = packed(a_value, "a"), b = packed(b_value, "b");
  if (!a.dtype().equal(b.dtype()) || a.ndim() != b.ndim() || !std::equal(a.shape(), a.shape() + a.ndim(), b.shape()))
    return false;
  const void *first = a.data(), *second = b.data();
  const auto size = static_cast<size_t>(a.nbytes());
  py::gil_scoped_release unlocked;
  return std::memcmp(first, second, size) == 0;
}

}  // namespace

void bind_graphcut(py::module_& m) {
  m.def("graph_cut", &graph_cut_array, py::arg("source"), py::arg("sink"), py::arg("neighbours"),
        py::arg("out") = py::none(), py::arg("certify") = false);
  m.def("cut_capacity", &cut_capacity_array, py::arg("source"), py::arg("sink"), py::arg("neighbours"),
        py::arg("mask"));
  m.def("same_bytes", &same_bytes, py::arg("a"), py::arg("b"));
}

}  // namespace alphacut
