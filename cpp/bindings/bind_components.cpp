#include <array>
#include <optional>

#include "alphacut/components.hpp"
#include "numpy_view.hpp"

namespace alphacut {
namespace {

Input<uint8_t> mask_of(py::handle mask) { return plane<uint8_t>(mask, "mask", Pixels::any); }

py::tuple label(py::object mask, int connectivity, py::object out) {
  const auto input = mask_of(mask);
  auto labels = output<int32_t>(out, input.view.height, input.view.width, 0, {input.array});
  int32_t count;
  without_gil([&] { count = label_components(input, connectivity, labels); });
  return py::make_tuple(labels.array, count);
}

py::tuple label_values(py::object mask, int connectivity, double delta, std::optional<double> background,
                       py::object out) {
  return with_numbers(mask, "mask", [&](auto input) {
    if (input.array.ndim() != 2)
      throw py::value_error("mask must have shape (height, width), got " + shape_text(input.array));
    auto labels = output<int32_t>(out, input.view.height, input.view.width, 0, {input.array});
    int32_t count;
    without_gil([&] { count = label_pieces(input.view, connectivity, delta, background, labels.view); });
    return py::make_tuple(labels.array, count);
  });
}

// A column, or some side by side, of a table with a row for each of `all`.
template <class T, size_t n, class Row>
py::array_t<T> columns(const std::vector<Row>& all, std::array<T, n> (*of)(const Row&)) {
  std::vector<py::ssize_t> shape = {static_cast<py::ssize_t>(all.size())};
  if (n > 1) shape.push_back(static_cast<py::ssize_t>(n));
  py::array_t<T> table(shape);
  T* value = table.mutable_data();
  for (const Row& row : all)
    for (const T& one : of(row)) *value++ = one;
  return table;
}

py::tuple stats(py::object mask, int connectivity, bool background) {
  const auto input = mask_of(mask);
  std::vector<ComponentStats> all;
  without_gil([&] { all = component_stats(input, connectivity, background); });
  using S = ComponentStats;
  return py::make_tuple(columns<int64_t, 1, S>(all, [](const S& s) { return std::array{s.area}; }),
                        columns<int64_t, 4, S>(all, [](const S& s) { return std::array{s.x, s.y, s.width, s.height}; }),
                        columns<double, 2, S>(all, [](const S& s) { return std::array{s.center_x, s.center_y}; }));
}

py::tuple shapes(py::object mask, int connectivity, py::object weights) {
  const auto input = mask_of(mask);
  std::optional<Input<double>> weighted;
  if (!weights.is_none()) weighted = plane<double>(weights, "weights", Pixels::any);
  std::vector<ComponentShape> all;
  without_gil(
      [&] { all = component_shapes(input, connectivity, weighted ? weighted->view : ImageView<const double>{}); });
  using S = ComponentShape;
  return py::make_tuple(columns<double, 1, S>(all, [](const S& s) { return std::array{s.perimeter}; }),
                        columns<double, 2, S>(all, [](const S& s) { return std::array{s.major_axis, s.minor_axis}; }),
                        columns<double, 1, S>(all, [](const S& s) { return std::array{s.eccentricity}; }),
                        columns<double, 1, S>(all, [](const S& s) { return std::array{s.orientation}; }),
                        columns<int64_t, 1, S>(all, [](const S& s) { return std::array{s.euler_number}; }),
                        columns<int64_t, 1, S>(all, [](const S& s) { return std::array{s.convex_area}; }),
                        columns<double, 2, S>(all, [](const S& s) { return std::array{s.weighted_x, s.weighted_y}; }));
}

// mask -> mask, by filter(mask, result).
template <class Filter>
py::array filtered(const Input<uint8_t>& input, py::handle out, std::initializer_list<py::handle> inputs,
                   Filter filter) {
  auto result = output<uint8_t>(out, input.view.height, input.view.width, 0, inputs);
  without_gil([&] { filter(input.view, result.view); });
  return result.array;
}

py::array largest(py::object mask, int64_t k, int connectivity, py::object out) {
  return filtered(mask_of(mask), out, {mask}, [&](auto from, auto to) { keep_largest(from, k, connectivity, to); });
}

py::array small_removed(py::object mask, int64_t min_area, int connectivity, int64_t max_area, bool invert,
                        py::object out) {
  return filtered(mask_of(mask), out, {mask},
                  [&](auto from, auto to) { remove_small(from, min_area, connectivity, to, max_area, invert); });
}

py::array holes_filled(py::object mask, int64_t max_area, int connectivity, py::object out) {
  return filtered(mask_of(mask), out, {mask},
                  [&](auto from, auto to) { fill_holes(from, max_area, connectivity, to); });
}

py::array touching(py::object mask, py::object seeds, int connectivity, py::object out) {
  const auto seeded = plane<uint8_t>(seeds, "seeds", Pixels::any);
  return filtered(mask_of(mask), out, {mask, seeds},
                  [&](auto from, auto to) { keep_touching(from, seeded.view, connectivity, to); });
}

py::array_t<int32_t> ring_array(const Ring& ring) {
  return py::array_t<int32_t>({static_cast<py::ssize_t>(ring.size()), py::ssize_t{2}}, ring.data()->data());
}

py::list polygons(py::object mask, int connectivity, double tolerance) {
  const auto input = mask_of(mask);
  std::vector<Polygon> all;
  without_gil([&] { all = mask_to_polygons(input, connectivity, tolerance); });
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
  m.def("label_pieces", &label_values, py::arg("mask"), py::arg("connectivity"), py::arg("delta"),
        py::arg("background"), py::arg("out") = py::none());
  m.def("component_stats", &stats, py::arg("mask"), py::arg("connectivity"), py::arg("background"));
  m.def("component_shapes", &shapes, py::arg("mask"), py::arg("connectivity"), py::arg("weights"));
  m.def("keep_largest", &largest, py::arg("mask"), py::arg("k"), py::arg("connectivity"), py::arg("out") = py::none());
  m.def("remove_small", &small_removed, py::arg("mask"), py::arg("min_area"), py::arg("connectivity"),
        py::arg("max_area"), py::arg("invert"), py::arg("out") = py::none());
  m.def("fill_holes", &holes_filled, py::arg("mask"), py::arg("max_area"), py::arg("connectivity"),
        py::arg("out") = py::none());
  m.def("keep_touching", &touching, py::arg("mask"), py::arg("seeds"), py::arg("connectivity"),
        py::arg("out") = py::none());
  m.def("mask_to_polygons", &polygons, py::arg("mask"), py::arg("connectivity"), py::arg("tolerance"));
}

}  // namespace alphacut
