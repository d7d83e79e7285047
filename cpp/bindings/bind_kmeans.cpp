#include <algorithm>

#include "alphacut/kmeans.hpp"
#include "numpy_view.hpp"
#include "twins.hpp"

namespace alphacut {
namespace {

py::array_t<int32_t> centers_array(const std::vector<int32_t>& centers, int64_t channels) {
  py::array_t<int32_t> array({static_cast<int64_t>(centers.size()) / channels, channels});
  std::copy(centers.begin(), centers.end(), array.mutable_data());
  return array;
}

template <class T>
py::tuple cluster(const Input<T>& input, const KmeansOptions& options, py::handle out) {
  auto labels = output<uint8_t>(out, input.view.height, input.view.width, 0, {input.array});
  Kmeans result;
  without_gil([&] { result = kmeans(input, options, labels); });
  return py::make_tuple(labels.array, centers_array(result.centers, input.view.channels), result.inertia,
                        result.n_iter);
}

}  // namespace

void bind_kmeans(py::module_& m) {
  m.def(
      "kmeans",
      [](py::object picture, int64_t n_clusters, uint64_t seed, int64_t max_iter, int64_t tol,
         std::vector<int32_t> init, int64_t attempts, py::object out) {
        const KmeansOptions options{n_clusters, seed, max_iter, tol, std::move(init), attempts};
        return with_image(picture, "image", [&](const auto& input) { return cluster(input, options, out); });
      },
      py::arg("image"), py::arg("n_clusters"), py::arg("seed"), py::arg("max_iter"), py::arg("tol"), py::arg("init"),
      py::arg("attempts") = 1, py::arg("out") = py::none());
  m.def("kmeans_attempt_seed", &kmeans_attempt_seed, py::arg("seed"), py::arg("attempt"));
  m.def(
      "kmeans_samples",
      [](int64_t pixels, uint64_t seed) {
        const auto indices = kmeans_samples(pixels, seed);
        return py::array_t<int64_t>(static_cast<py::ssize_t>(indices.size()), indices.data());
      },
      py::arg("pixels"), py::arg("seed"));
  m.def(
      "kmeans_seed",
      [](py::object samples, int64_t n_clusters, uint64_t seed) {
        return with_image(samples, "samples", [&](const auto& input) {
          return centers_array(without_gil([&] { return kmeans_seed(input, n_clusters, seed); }), input.view.channels);
        });
      },
      py::arg("samples"), py::arg("n_clusters"), py::arg("seed"));
}

}  // namespace alphacut
