#include <algorithm>
#include <cstring>
#include <mutex>

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

// A GrabCutter and the picture it looks at.
class Cutter {
 public:
  Cutter(py::handle picture, double gamma)
      : given_(array_argument(picture, "image")),
        image_(with_image(picture, "image", [](const auto& input) { return in_bytes(input); })),
        cutter_(made(image_.view, gamma)) {}

  py::tuple cut(py::handle labels, std::optional<std::array<int64_t, 4>> corners, py::handle unary_array,
                const GrabCutOptions& options, py::handle out) {
    const int64_t height = image_.view.height, width = image_.view.width;
    std::optional<Input<uint8_t>> hints;
    if (!labels.is_none()) hints = plane<uint8_t>(labels, "labels");
    std::optional<Input<float>> unary;
    if (!unary_array.is_none()) unary = plane<float>(unary_array, "unary");
    std::optional<Box> box;
    if (corners) box = Box{(*corners)[0], (*corners)[1], (*corners)[2], (*corners)[3]};
    const auto mask = output<uint8_t>(out, height, width, 0, {given_, labels, unary_array});
    const auto found = output<uint8_t>(py::none(), height, width, 0, {});
    GrabCutResult result;
    {
      py::gil_scoped_release unlocked;
      std::lock_guard lock(mutex_);
      result = cutter_.cut(hints ? hints->view : ImageView<const uint8_t>{}, box,
                           unary ? unary->view : ImageView<const float>{}, options, found);
      parallel_for(height, row_grain(width), [&](int64_t begin, int64_t end) {
        for (int64_t y = begin; y < end; ++y) {
          const uint8_t* __restrict side = found.view.row(y);
          uint8_t* __restrict row = mask.view.row(y);
          for (int64_t x = 0; x < width; ++x) row[x] = (side[x] & 1) != 0 ? 255 : 0;
        }
      });
    }
    return py::make_tuple(mask.array, found.array, result.energy, result.n_iter, result.exact, result.warnings);
  }

 private:
  static GrabCutter made(ImageView<const uint8_t> image, double gamma) {
    py::gil_scoped_release unlocked;
    return GrabCutter(image, gamma);
  }
  static Input<uint8_t> in_bytes(const Input<uint8_t>& image) { return image; }
  // Float pictures are rounded to 8 bits.
  static Input<uint8_t> in_bytes(const Input<float>& image) {
    const ImageView<const float> from = image.view;
    const auto rounded =
        output<uint8_t>(py::none(), from.height, from.width, image.array.ndim() == 3 ? from.channels : 0, {});
    {
      py::gil_scoped_release unlocked;
      require_range(from, 0, 1, "grabcut: image");
      const int64_t values = from.width * from.channels;
      parallel_for(from.height, row_grain(values), [&](int64_t begin, int64_t end) {
        for (int64_t y = begin; y < end; ++y)
          for (int64_t i = 0; i < values; ++i)
            rounded.view.row(y)[i] = static_cast<uint8_t>(from.row(y)[i] * 255.0f + 0.5f);
      });
    }
    return {rounded.array, rounded.array, rounded.view};
  }

  py::array given_;
  Input<uint8_t> image_;  // the same in 8 bits
  GrabCutter cutter_;
  std::mutex mutex_;
};

}  // namespace

void bind_graphcut(py::module_& m) {
  m.def("graph_cut", &graph_cut_array, py::arg("source"), py::arg("sink"), py::arg("neighbours"),
        py::arg("out") = py::none(), py::arg("certify") = false);
  m.def("cut_capacity", &cut_capacity_array, py::arg("source"), py::arg("sink"), py::arg("neighbours"),
        py::arg("mask"));
  m.def("same_bytes", &same_bytes, py::arg("a"), py::arg("b"));
  py::class_<Cutter>(m, "GrabCutter", py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)))
      .def(py::init<py::object, double>(), py::arg("image"), py::arg("gamma"))
      .def(
          "cut",
          [](Cutter& cutter, py::object labels, std::optional<std::array<int64_t, 4>> box, py::object unary, int n_iter,
             int n_components, int64_t seed, bool clean, bool exact, bool certify, bool resume, py::object out) {
            return cutter.cut(labels, box, unary, {n_iter, n_components, seed, clean, exact, certify, resume}, out);
          },
          py::arg("labels"), py::arg("box"), py::arg("unary"), py::arg("n_iter"), py::arg("n_components"),
          py::arg("seed"), py::arg("clean"), py::arg("exact"), py::arg("certify"), py::arg("resume"),
          py::arg("out") = py::none());
}

}  // namespace alphacut
