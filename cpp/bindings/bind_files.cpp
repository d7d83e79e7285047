#include "numpy_view.hpp"
#include "png_deflate.hpp"
#include "png_filter.hpp"

namespace alphacut {
namespace {

// Rows of a (H, bytes a row) array, filtered, see png_filter.hpp.
py::array paeth_rows(const py::array_t<uint8_t, py::array::c_style>& bytes, int64_t begin, int64_t end, int64_t pixel) {
  if (bytes.ndim() != 2 || pixel < 1 || bytes.shape(1) < pixel || begin < 0 || end < begin || end > bytes.shape(0))
    throw py::value_error("paeth_rows: rows of whole pixels, and such of them as there are");
  const int64_t width = bytes.shape(1);
  py::array_t<uint8_t> filtered(std::vector<py::ssize_t>{end - begin, width + 1});
  const ImageView<const uint8_t> from{bytes.data(), bytes.shape(0), width, 1, width};
  const ImageView<uint8_t> to{filtered.mutable_data(), end - begin, width + 1, 1, width + 1};
  without_gil([&] { paeth_filter(from, begin, pixel, to); });
  return filtered;
}

// The bytes of an array as a part of a stream of deflate, see png_deflate.hpp.
py::bytes deflate(const py::array_t<uint8_t, py::array::c_style>& bytes, bool last) {
  const std::span<const uint8_t> from(bytes.data(), static_cast<size_t>(bytes.size()));
  const std::vector<uint8_t> made = without_gil([&] { return deflate_runs(from, last); });
  return {reinterpret_cast<const char*>(made.data()), made.size()};
}

}  // namespace

void bind_files(py::module_& m) {
  m.def("paeth_rows", &paeth_rows, py::arg("bytes"), py::arg("begin"), py::arg("end"), py::arg("pixel"));
  m.def("deflate_runs", &deflate, py::arg("bytes"), py::arg("last"));
}

}  // namespace alphacut
