#include <algorithm>

#include "alphacut/graphcut.hpp"
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

py::tuple graph_cut_array(py::handle source_array, py::handle sink_array, py::handle neighbours_array, py::handle out) {
  const auto source = plane<int32_t>(source_array, "source");
  const auto sink = plane<int32_t>(sink_array, "sink");
  const auto neighbours = neighbours_of(neighbours_array);
  const auto mask =
      output<uint8_t>(out, source.view.height, source.view.width, 0, {source.array, sink.array, neighbours.array});
  int64_t flow = 0;
  {
    py::gil_scoped_release unlocked;
    flow = graph_cut(source, sink, neighbours.planes, mask);
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

// Hints to work on: a copy of the labels given, or "probably foreground" everywhere.
Output<uint8_t> hints(py::handle labels, int64_t height, int64_t width) {
  if (labels.is_none()) {
    auto all = output<uint8_t>(py::none(), height, width, 0, {});
    std::fill_n(all.view.data, all.view.pixels(), uint8_t{3});
    return all;
  }
  const auto given = plane<uint8_t>(labels, "labels");
  auto copy = output<uint8_t>(py::none(), given.view.height, given.view.width, 0, {});
  for (int64_t y = 0; y < given.view.height; ++y) std::copy_n(given.view.row(y), given.view.width, copy.view.row(y));
  return copy;
}

void paint_foreground(ImageView<const uint8_t> labels, ImageView<uint8_t> mask) {
  for (int64_t y = 0; y < labels.height; ++y)
    for (int64_t x = 0; x < labels.width; ++x) mask.row(y)[x] = (labels.row(y)[x] & 1) != 0 ? 255 : 0;
}

template <class T>
py::tuple grabcut_image(const Input<T>& image, py::handle labels_array, std::optional<std::array<int64_t, 4>> corners,
                        py::handle unary_array, const GrabCutOptions& options, py::handle out) {
  const auto labels = hints(labels_array, image.view.height, image.view.width);
  const auto mask =
      output<uint8_t>(out, image.view.height, image.view.width, 0, {image.array, labels_array, unary_array});
  std::optional<Input<float>> unary;
  if (!unary_array.is_none()) unary = plane<float>(unary_array, "unary");
  std::optional<Box> box;
  if (corners) box = Box{(*corners)[0], (*corners)[1], (*corners)[2], (*corners)[3]};
  GrabCutResult result;
  {
    py::gil_scoped_release unlocked;
    result = grabcut(image.view, labels.view, box, unary ? unary->view : ImageView<const float>{}, options);
    paint_foreground(labels.view, mask);
  }
  return py::make_tuple(mask.array, labels.array, result.energy, result.n_iter, result.warnings);
}

}  // namespace

void bind_graphcut(py::module_& m) {
  m.def("graph_cut", &graph_cut_array, py::arg("source"), py::arg("sink"), py::arg("neighbours"),
        py::arg("out") = py::none());
  m.def("cut_capacity", &cut_capacity_array, py::arg("source"), py::arg("sink"), py::arg("neighbours"),
        py::arg("mask"));
  m.def(
      "grabcut",
      [](py::object picture, py::object labels, std::optional<std::array<int64_t, 4>> box, py::object unary, int n_iter,
         double gamma, int n_components, int64_t seed, py::object out) {
        const GrabCutOptions options{n_iter, gamma, n_components, seed};
        return with_image(picture, "image",
                          [&](const auto& input) { return grabcut_image(input, labels, box, unary, options, out); });
      },
      py::arg("image"), py::arg("labels"), py::arg("box"), py::arg("unary"), py::arg("n_iter"), py::arg("gamma"),
      py::arg("n_components"), py::arg("seed"), py::arg("out") = py::none());
}

}  // namespace alphacut
