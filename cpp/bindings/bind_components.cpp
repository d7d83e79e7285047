#include "alphacut/components.hpp"
#include "numpy_view.hpp"

namespace alphacut {
namespace {

py::tuple label(py::object mask, int connectivity, py::object out) {
  const auto input = plane<uint8_t>(mask, "mask");
  auto labels = output<int32_t>(out, input.view.height, input.view.width, 0, {input.array});
  int32_t count;
  without_gil([&] { count = label_components(input, connectivity, labels); });
  return py::make_tuple(labels.array, count);
}

py::tuple stats(py::object mask, int connectivity) {
  const auto input = plane<uint8_t>(mask, "mask");
  std::vector<ComponentStats> all;
  without_gil([&] { all = component_stats(input, connectivity); });
  const auto n = static_cast<py::ssize_t>(all.size());
  py::array_t<int64_t> area(n), box({n, py::ssize_t{4}});
  py::array_t<double> centroid({n, py::ssize_t{2}});
  auto areas = area.mutable_unchecked<1>();
  auto boxes = box.mutable_unchecked<2>();
  auto centroids = centroid.mutable_unchecked<2>();
  for (py::ssize_t i = 0; i < n; ++i) {
    const ComponentStats& one = all[static_cast<size_t>(i)];
    areas(i) = one.area;
    const int64_t sides[4] = {one.x, one.y, one.width, one.height};
    for (py::ssize_t j = 0; j < 4; ++j) boxes(i, j) = sides[j];
    centroids(i, 0) = one.center_x;
    centroids(i, 1) = one.center_y;
  }
  return py::make_tuple(area, box, centroid);
}

using Filter = void (*)(ImageView<const uint8_t>, int64_t, int, ImageView<uint8_t>);

// mask -> mask, with one whole number.
template <Filter filter>
py::array filtered(py::object mask, int64_t number, int connectivity, py::object out) {
  const auto input = plane<uint8_t>(mask, "mask");
  auto result = output<uint8_t>(out, input.view.height, input.view.width, 0, {input.array});
  without_gil([&] { filter(input, number, connectivity, result); });
  return result.array;
}

py::array_t<int32_t> ring_array(const Ring& ring) {
  return py::array_t<int32_t>({static_cast<py::ssize_t>(ring.size()), py::ssize_t{2}}, ring.data()->data());
}

py::list polygons(py::object mask) {
  const auto input = plane<uint8_t>(mask, "mask");
  std::vector<Polygon> all;
  without_gil([&] { all = mask_to_polygons(input); });
  py::list result;
  for (const Polygon& polygon : all) {
    py::list holes;
    for (const Ring& hole : polygon.holes) holes.append(ring_array(hole));
    result.append(py::make_tuple(ring_array(polygon.exterior), holes));
  }
  return result;
}

}  // namespace

void bind_components(py::module_& m) {
  m.def("label_components", &label, py::arg("mask"), py::arg("connectivity"), py::arg("out") = py::none());
  m.def("component_stats", &stats, py::arg("mask"), py::arg("connectivity"));
  m.def("keep_largest", &filtered<keep_largest>, py::arg("mask"), py::arg("k"), py::arg("connectivity"),
        py::arg("out") = py::none());
  m.def("remove_small", &filtered<remove_small>, py::arg("mask"), py::arg("min_area"), py::arg("connectivity"),
        py::arg("out") = py::none());
  m.def("fill_holes", &filtered<fill_holes>, py::arg("mask"), py::arg("max_area"), py::arg("connectivity"),
        py::arg("out") = py::none());
  m.def("mask_to_polygons", &polygons, py::arg("mask"));
}

}  // namespace alphacut
