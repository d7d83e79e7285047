#include <algorithm>
#include <array>
#include <optional>

#include "alphacut/color.hpp"
#include "alphacut/matting.hpp"
#include "color_sampling.hpp"
#include "matting_laplacian.hpp"
#include "numpy_view.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

py::array guided(py::object guide, py::object src, int64_t radius, double eps, int64_t subsample, py::object out) {
  return with_image(guide, "guide", [&]<class G>(const Input<G>& g) {
    return with_plane(src, "src", [&]<class S>(const Input<S>& s) -> py::array {
      auto result = output<float>(out, g.view.height, g.view.width, 0, {g.array, s.array});
      without_gil([&] { guided_filter<G, S>(g, s, radius, eps, subsample, result); });
      return result.array;
    });
  });
}

py::tuple distances_of(py::object mask, const std::string& metric, std::array<double, 2> sampling, bool indices,
                       py::object out) {
  const auto m = plane<uint8_t>(mask, "mask");
  const int64_t height = m.view.height, width = m.view.width;
  auto distance = output<float>(out, height, width, 0, {m.array});
  py::object nearest = py::none();
  ImageView<int32_t> planes{};
  if (indices) {
    const Py_intptr_t shape[] = {2, height, width};
    py::array array = new_array<int32_t>(3, shape);
    planes = {static_cast<int32_t*>(array.mutable_data()), 2 * height, width, 1, array.strides(1)};
    nearest = std::move(array);
  }
  without_gil([&] {
    distance_transform(m, distance,
                       {metric == "taxicab"      ? DistanceMetric::taxicab
                        : metric == "chessboard" ? DistanceMetric::chessboard
                                                 : DistanceMetric::euclidean,
                        sampling},
                       planes);
  });
  return py::make_tuple(distance.array, nearest);
}

py::array trimap_of(py::object mask, std::optional<double> band, py::object out) {
  const auto m = plane<uint8_t>(mask, "mask");
  auto trimap = output<uint8_t>(out, m.view.height, m.view.width, 0, {m.array});
  without_gil([&] { make_trimap(m, band ? *band : default_band(m.view.height, m.view.width), trimap); });
  return trimap.array;
}

py::tuple kinds_of(py::object trimap) {
  const auto t = plane<uint8_t>(trimap, "trimap");
  const TrimapKinds kinds = trimap_kinds(t);
  return py::make_tuple(kinds.background, kinds.unknown, kinds.foreground);
}

// A plane of the picture's size.
template <class P, class T>
Input<P> plane_like(const Input<T>& image, py::handle value, const char* name) {
  auto result = plane<P>(value, name);
  if (result.view.height != image.view.height || result.view.width != image.view.width)
    throw py::value_error(std::string(name) + " must have the size of image, " + std::to_string(image.view.height) +
                          " by " + std::to_string(image.view.width) + ", got " + std::to_string(result.view.height) +
                          " by " + std::to_string(result.view.width));
  return result;
}

// `name` is what the caller knows the trimap by.
py::array refine(py::object image, py::object trimap, const std::string& name, MattingMethod method, py::object out) {
  return with_image(image, "image", [&]<class T>(const Input<T>& i) -> py::array {
    const auto t = plane_like<uint8_t>(i, trimap, name.c_str());
    auto alpha = output<T>(out, i.view.height, i.view.width, 0, {i.array, t.array});
    without_gil([&] { refine_alpha<T>(i, t, method, alpha); });
    return alpha.array;
  });
}

py::array adjusted(py::object matte, double shift, double feather, py::object out) {
  return with_plane(matte, "alpha", [&]<class T>(const Input<T>& a) -> py::array {
    if constexpr (std::is_same_v<T, float>) require_range(a.view, 0, 1, "alpha");
    auto result = output<T>(out, a.view.height, a.view.width, 0, {a.array});
    without_gil([&] { adjust_edge<T>(a, shift, feather, result); });
    return result.array;
  });
}

// The two halves of closed_form, for the tests' oracles.
py::tuple sampled(py::object image, py::object labels) {
  return with_image(image, "image", [&]<class T>(const Input<T>& i) -> py::tuple {
    const auto given = plane_like<uint8_t>(i, labels, "labels");
    auto expanded = output<uint8_t>(py::none(), i.view.height, i.view.width, 0, {});
    auto alpha = output<float>(py::none(), i.view.height, i.view.width, 0, {});
    auto confidence = output<float>(py::none(), i.view.height, i.view.width, 0, {});
    for (int64_t y = 0; y < i.view.height; ++y) std::copy_n(given.view.row(y), i.view.width, expanded.view.row(y));
    expand_known<T>(i, expanded);
    const SampledAlpha result = sample_colours<T>(i, ImageView<uint8_t>(expanded));
    std::copy_n(result.alpha.data(), result.alpha.pixels(), alpha.view.data);
    std::copy_n(result.confidence.data(), result.confidence.pixels(), confidence.view.data);
    return py::make_tuple(expanded.array, alpha.array, confidence.array);
  });
}

py::array solved(py::object image, py::object labels, py::object confidence, py::object alpha, float weight,
                 int iterations) {
  return with_image(image, "image", [&]<class T>(const Input<T>& i) -> py::array {
    const auto start = plane_like<float>(i, alpha, "alpha");
    auto result = output<float>(py::none(), i.view.height, i.view.width, 0, {});
    for (int64_t y = 0; y < i.view.height; ++y) std::copy_n(start.view.row(y), i.view.width, result.view.row(y));
    solve_laplacian<T>(i, plane_like<uint8_t>(i, labels, "labels"), plane_like<float>(i, confidence, "confidence"),
                       weight, iterations, result);
    return result.array;
  });
}

py::array multiplied(py::object image, py::object x) {
  return with_image(image, "image", [&]<class T>(const Input<T>& i) -> py::array {
    auto product = output<float>(py::none(), i.view.height, i.view.width, 0, {});
    multiply_laplacian<T>(i, plane_like<float>(i, x, "x"), product);
    return product.array;
  });
}

}  // namespace

void bind_matting(py::module_& m) {
  m.def("guided_filter", &guided, py::arg("guide"), py::arg("src"), py::arg("radius"), py::arg("eps"),
        py::arg("subsample"), py::arg("out") = py::none());
  m.def("distance_transform", &distances_of, py::arg("mask"), py::arg("metric"), py::arg("sampling"),
        py::arg("indices"), py::arg("out") = py::none());
  m.def("trimap_kinds", &kinds_of, py::arg("trimap"));
  m.def("make_trimap", &trimap_of, py::arg("mask"), py::arg("band"), py::arg("out") = py::none());
  m.def(
      "refine_alpha",
      [](py::object image, py::object hint, const std::string& name, const std::string& method, py::object out) {
        return refine(image, hint, name,
                      method == "guided"    ? MattingMethod::guided
                      : method == "sampled" ? MattingMethod::sampled
                                            : MattingMethod::closed_form,
                      out);
      },
      py::arg("image"), py::arg("hint"), py::arg("name"), py::arg("method"), py::arg("out") = py::none());
  m.def("adjust_edge", &adjusted, py::arg("alpha"), py::arg("shift"), py::arg("feather"), py::arg("out") = py::none());
  m.def("sample_colours", &sampled, py::arg("image"), py::arg("labels"));
  m.def("multiply_laplacian", &multiplied, py::arg("image"), py::arg("x"));
  m.def("solve_laplacian", &solved, py::arg("image"), py::arg("labels"), py::arg("confidence"), py::arg("alpha"),
        py::arg("weight"), py::arg("iterations"));
}

}  // namespace alphacut
