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
  without_gil([&] { flow = graph_cut(source, sink, neighbours.planes, mask, certify); });
  return py::make_tuple(mask.array, flow);
}

int64_t cut_capacity_array(py::handle source_array, py::handle sink_array, py::handle neighbours_array,
                           py::handle mask_array) {
  const auto source = plane<int32_t>(source_array, "source");
  const auto sink = plane<int32_t>(sink_array, "sink");
  const auto neighbours = neighbours_of(neighbours_array);
  const auto mask = plane<uint8_t>(mask_array, "mask");
  return without_gil([&] { return cut_capacity(source, sink, neighbours.planes, mask); });
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
        py::arg("out") = py::none(), py::arg("certify") = false);
  m.def("cut_capacity", &cut_capacity_array, py::arg("source"), py::arg("sink"), py::arg("neighbours"),
        py::arg("mask"));
  m.def("same_bytes", &same_bytes, py::arg("a"), py::arg("b"));
}

}  // namespace alphacut
