#include <algorithm>
#include <optional>

#include "alphacut/kmeans_points.hpp"
#include "numpy_view.hpp"

namespace alphacut {
namespace {

template <class T>
py::tuple cluster(py::handle points_array, const PointsKmeansOptions& options, py::handle weights_array,
                  py::handle out) {
  const auto points = plane<T>(points_array, "points");
  std::optional<Input<double>> weights;
  if (!weights_array.is_none()) weights = plane<double>(weights_array, "weights");
  const auto labels = output<int32_t>(out, 1, points.view.height, 0, {points.array, weights_array});
  PointsKmeans result;
  without_gil([&] {
    result = kmeans_points(points.view, options, weights ? weights->view : ImageView<const double>{}, labels);
  });
  py::array_t<double> centers({options.n_clusters, points.view.width});
  std::copy(result.centers.begin(), result.centers.end(), centers.mutable_data());
  return py::make_tuple(labels.array, centers, result.inertia, result.n_iter);
}

}  // namespace

void bind_kmeans_points(py::module_& m) {
  m.def(
      "kmeans_points",
      [](py::object points, int64_t n_clusters, uint64_t seed, int64_t max_iter, double tol, std::vector<double> init,
         int64_t attempts, py::object weights, py::object out) {
        const PointsKmeansOptions options{n_clusters, seed, max_iter, tol, std::move(init), attempts};
        const bool bytes =
            py::isinstance<py::array>(points) && has_dtype<uint8_t>(py::reinterpret_borrow<py::array>(points));
        return bytes ? cluster<uint8_t>(points, options, weights, out) : cluster<float>(points, options, weights, out);
      },
      py::arg("points"), py::arg("n_clusters"), py::arg("seed"), py::arg("max_iter"), py::arg("tol"), py::arg("init"),
      py::arg("attempts"), py::arg("weights") = py::none(), py::arg("out") = py::none());
}

}  // namespace alphacut
