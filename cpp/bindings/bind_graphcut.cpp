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

// Hints to work on: a copy of the labels given, or "probably foreground" everywhere.
py::array hints(py::handle labels, int64_t height, int64_t width) {
  if (labels.is_none()) {
    py::array_t<uint8_t> all({height, width});
    std::fill_n(all.mutable_data(), all.size(), uint8_t{3});
    return all;
  }
  return py::array(plane<uint8_t>(labels, "labels").array.attr("copy")("C"));
}

template <class T>
py::tuple grabcut_image(const Input<T>& image, py::handle labels_array, std::optional<std::array<int64_t, 4>> corners,
                        py::handle unary_array, const GrabCutOptions& options) {
  py::array labels = hints(labels_array, image.view.height, image.view.width);
  std::optional<Input<float>> unary;
  if (!unary_array.is_none()) unary = plane<float>(unary_array, "unary");
  std::optional<Box> box;
  if (corners) box = Box{(*corners)[0], (*corners)[1], (*corners)[2], (*corners)[3]};
  const ImageView<uint8_t> view{static_cast<uint8_t*>(labels.mutable_data()), labels.shape(0), labels.shape(1), 1,
                                labels.strides(0)};
  GrabCutResult result;
  {
    py::gil_scoped_release unlocked;
    result = grabcut(image.view, view, box, unary ? unary->view : ImageView<const float>{}, options);
  }
  return py::make_tuple(labels, result.energy, result.n_iter, result.warnings);
}

}  // namespace

void bind_graphcut(py::module_& m) {
  m.def("graph_cut", &graph_cut_array, py::arg("source"), py::arg("sink"), py::arg("neighbours"),
        py::arg("out") = py::none(), py::arg("certify") = false);
  m.def("cut_capacity", &cut_capacity_array, py::arg("source"), py::arg("sink"), py::arg("neighbours"),
        py::arg("mask"));
  m.def(
      "grabcut",
      [](py::object picture, py::object labels, std::optional<std::array<int64_t, 4>> box, py::object unary, int n_iter,
         double gamma, int n_components, int64_t seed) {
        const GrabCutOptions options{n_iter, gamma, n_components, seed};
        return with_image(picture, "image",
                          [&](const auto& input) { return grabcut_image(input, labels, box, unary, options); });
      },
      py::arg("image"), py::arg("labels"), py::arg("box"), py::arg("unary"), py::arg("n_iter"), py::arg("gamma"),
      py::arg("n_components"), py::arg("seed"));
}

}  // namespace alphacut
