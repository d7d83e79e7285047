#include <algorithm>
#include <atomic>
#include <cstring>
#include <type_traits>
#include <vector>

#include "alphacut/color.hpp"
#include "alphacut/graphcut.hpp"
#include "alphacut/parallel.hpp"
#include "numpy_view.hpp"

namespace alphacut {
namespace {

// The planes of an array (N, H, W); rows with gaps inside are copied once.
struct Stack {
  py::array array;   // the caller's
  py::array pixels;  // what the planes show: the same, or a copy of it
  std::vector<ImageView<const int32_t>> planes;
};

Stack stack_of(py::handle value, const std::string& name, const std::string& shape, bool (*legal)(py::ssize_t)) {
  py::array array = array_argument(value, name.c_str());
  if (!py::isinstance<py::array_t<int32_t>>(array))
    throw py::type_error(name + " must have dtype int32, got " + std::string(py::str(array.dtype())));
  if (array.ndim() != 3 || !legal(array.shape(0)) || array.size() == 0)
    throw py::value_error(name + " must have shape " + shape + ", neither side 0, got " + shape_text(array));
  const bool aligned = (array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) != 0;
  const bool packed = array.shape(2) == 1 || array.strides(2) == 4;
  const py::array pixels = packed && aligned ? array : py::array(array.attr("copy")("C"));
  Stack stack{array, pixels, {}};
  for (py::ssize_t k = 0; k < pixels.shape(0); ++k)
    stack.planes.push_back(
        {reinterpret_cast<const int32_t*>(static_cast<const char*>(pixels.data()) + k * pixels.strides(0)),
         pixels.shape(1), pixels.shape(2), 1, pixels.strides(1)});
  return stack;
}

struct NeighboursInput : Stack {
  Neighbours edges;
};

NeighboursInput neighbours_of(py::handle value, const std::string& name = "neighbours") {
  NeighboursInput input{
      stack_of(value, name, "(4, height, width) or (2, height, width)", [](py::ssize_t n) { return n == 4 || n == 2; }),
      {}};
  std::copy(input.planes.begin(), input.planes.end(), input.edges.begin());
  return input;
}

// The capacities back: those of `neighbours` where there is no `reverse`.
NeighboursInput reverse_of(py::handle value, const NeighboursInput& neighbours) {
  if (value.is_none()) return neighbours;
  NeighboursInput input = neighbours_of(value, "reverse");
  if (!std::equal(input.array.shape(), input.array.shape() + 3, neighbours.array.shape()))
    throw py::value_error("reverse must have the shape of neighbours, " + shape_text(neighbours.array) + ", got " +
                          shape_text(input.array));
  return input;
}

py::tuple graph_cut_array(py::handle source_array, py::handle sink_array, py::handle neighbours_array, py::handle out,
                          bool certify, py::handle reverse_array) {
  const auto source = plane<int32_t>(source_array, "source");
  const auto sink = plane<int32_t>(sink_array, "sink");
  const auto neighbours = neighbours_of(neighbours_array);
  const auto reverse = reverse_of(reverse_array, neighbours);
  const auto mask = output<uint8_t>(out, source.view.height, source.view.width, 0,
                                    {source.array, sink.array, neighbours.array, reverse.array});
  int64_t flow = 0;
  without_gil([&] { flow = graph_cut(source, sink, neighbours.edges, reverse.edges, mask, certify); });
  return py::make_tuple(mask.array, flow);
}

int64_t cut_capacity_array(py::handle source_array, py::handle sink_array, py::handle neighbours_array,
                           py::handle mask_array, py::handle reverse_array) {
  const auto source = plane<int32_t>(source_array, "source");
  const auto sink = plane<int32_t>(sink_array, "sink");
  const auto neighbours = neighbours_of(neighbours_array);
  const auto reverse = reverse_of(reverse_array, neighbours);
  const auto mask = plane<uint8_t>(mask_array, "mask");
  return without_gil([&] { return cut_capacity(source, sink, neighbours.edges, reverse.edges, mask); });
}

using Smoothness = py::array_t<int32_t, py::array::c_style | py::array::forcecast>;

Stack costs_of(py::handle value) {
  return stack_of(value, "costs", "(n_labels, height, width), n_labels from 1 to 256",
                  [](py::ssize_t n) { return n >= 1 && n <= 256; });
}

py::tuple alpha_expansion_array(py::handle costs_array, py::handle neighbours_array, const Smoothness& smoothness,
                                py::handle start_array, int max_iter, bool certify, py::handle out) {
  const Stack costs = costs_of(costs_array);
  const auto neighbours = neighbours_of(neighbours_array);
  const auto start = plane<uint8_t>(start_array, "labels");
  const ImageView<const int32_t> first = costs.planes.front();
  if (start.view.height != first.height || start.view.width != first.width)
    throw py::value_error("labels must have the size of costs, got " + shape_text(start.array));
  const auto labels = output<uint8_t>(out, first.height, first.width, 0, {costs.array, neighbours.array, start.array});
  const std::vector<int32_t> metric(smoothness.data(), smoothness.data() + smoothness.size());
  AlphaExpansion result;
  without_gil([&] {
    for (int64_t y = 0; y < first.height; ++y) std::copy_n(start.view.row(y), first.width, labels.view.row(y));
    result = alpha_expansion(costs.planes, neighbours.edges, metric, max_iter, labels, certify);
  });
  return py::make_tuple(labels.array, result.energy, result.n_iter);
}

int64_t labelling_energy_array(py::handle costs_array, py::handle neighbours_array, const Smoothness& smoothness,
                               py::handle labels_array) {
  const Stack costs = costs_of(costs_array);
  const auto neighbours = neighbours_of(neighbours_array);
  const auto labels = plane<uint8_t>(labels_array, "labels");
  const std::vector<int32_t> metric(smoothness.data(), smoothness.data() + smoothness.size());
  return without_gil([&] { return labelling_energy(costs.planes, neighbours.edges, metric, labels); });
}

// Bytes in places of any strides: the last axis is that of an element's bytes.
struct Places {
  const std::byte* data;
  std::vector<int64_t> shape, strides;

  explicit Places(const py::array& array) : data(static_cast<const std::byte*>(array.data())) {
    shape.assign(array.shape(), array.shape() + array.ndim());
    strides.assign(array.strides(), array.strides() + array.ndim());
    shape.push_back(array.itemsize());
    strides.push_back(1);
  }
  // The last axes as one, from `axis` on, lie without gaps.
  bool packed_from(size_t axis) const {
    for (size_t i = shape.size() - 1; i > axis; --i)
      if (strides[i - 1] != strides[i] * shape[i]) return false;
    return true;
  }
};

// Whether n groups of `count` bytes are the same. All are read: a branch for each would cost more.
template <class Count>
bool same_groups(const std::byte* a, int64_t a_step, const std::byte* b, int64_t b_step, int64_t n, Count count) {
  std::byte differ{0};
  for (int64_t i = 0; i < n; ++i, a += a_step, b += b_step)
    for (int64_t c = 0; c < count; ++c) differ |= a[c] ^ b[c];
  return differ == std::byte{0};
}

bool same_places(const Places& a, const std::byte* at, const Places& b, const std::byte* bt, size_t axis) {
  const int64_t n = a.shape[axis];
  int64_t bytes = 1;
  for (size_t i = axis + 1; i < a.shape.size(); ++i) bytes *= a.shape[i];
  if (a.packed_from(axis) && b.packed_from(axis)) return std::memcmp(at, bt, static_cast<size_t>(n * bytes)) == 0;
  if (a.packed_from(axis + 1) && b.packed_from(axis + 1)) {
    const auto same = [&](auto count) { return same_groups(at, a.strides[axis], bt, b.strides[axis], n, count); };
    return bytes == 1   ? same(std::integral_constant<int64_t, 1>())
           : bytes == 3 ? same(std::integral_constant<int64_t, 3>())
                        : same(bytes);
  }
  for (int64_t i = 0; i < n; ++i)
    if (!same_places(a, at + i * a.strides[axis], b, bt + i * b.strides[axis], axis + 1)) return false;
  return true;
}

// Whether two arrays have one dtype, one shape and the same bytes. Compared where they lie, row by row.
bool same_bytes(py::handle a_value, py::handle b_value) {
  const py::array a = array_argument(a_value, "a"), b = array_argument(b_value, "b");
  if (!a.dtype().equal(b.dtype()) || a.ndim() != b.ndim() || !std::equal(a.shape(), a.shape() + a.ndim(), b.shape()))
    return false;
  const Places first(a), second(b);
  const int64_t rows = first.shape[0], row_bytes = rows == 0 ? 0 : a.nbytes() / rows;
  if (row_bytes == 0) return true;
  if (a.ndim() == 0) return std::memcmp(first.data, second.data, static_cast<size_t>(rows)) == 0;
  std::atomic<bool> same{true};
  without_gil([&] {
    parallel_for(rows, row_grain(row_bytes, 1 << 18), [&](int64_t begin, int64_t end) {
      for (int64_t y = begin; y < end && same; ++y)
        if (!same_places(first, first.data + y * first.strides[0], second, second.data + y * second.strides[0], 1))
          same = false;
    });
  });
  return same;
}

}  // namespace

void bind_graphcut(py::module_& m) {
  m.def("graph_cut", &graph_cut_array, py::arg("source"), py::arg("sink"), py::arg("neighbours"),
        py::arg("out") = py::none(), py::arg("certify") = false, py::arg("reverse") = py::none());
  m.def("cut_capacity", &cut_capacity_array, py::arg("source"), py::arg("sink"), py::arg("neighbours"), py::arg("mask"),
        py::arg("reverse") = py::none());
  m.def("alpha_expansion", &alpha_expansion_array, py::arg("costs"), py::arg("neighbours"), py::arg("smoothness"),
        py::arg("labels"), py::arg("max_iter"), py::arg("certify") = false, py::arg("out") = py::none());
  m.def("labelling_energy", &labelling_energy_array, py::arg("costs"), py::arg("neighbours"), py::arg("smoothness"),
        py::arg("labels"));
  m.def("same_bytes", &same_bytes, py::arg("a"), py::arg("b"));
}

}  // namespace alphacut
