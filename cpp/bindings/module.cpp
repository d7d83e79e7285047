// Registers; every function lives in its stage's bind_<stage>.cpp.
#include "alphacut/info.hpp"
#include "alphacut/parallel.hpp"
#include "dispatch.hpp"
#include "numpy_view.hpp"

namespace alphacut {
void bind_buffer_pool(py::module_& m);
void bind_cancel(py::module_& m);
void bind_preprocess(py::module_& m);
void bind_subject(py::module_& m);
void bind_threshold(py::module_& m);
void bind_morphology(py::module_& m);
void bind_components(py::module_& m);
void bind_kmeans(py::module_& m);
void bind_kmeans_points(py::module_& m);
void bind_superpixels(py::module_& m);
void bind_graphcut(py::module_& m);
void bind_grabcut(py::module_& m);
void bind_chromakey(py::module_& m);
void bind_matting(py::module_& m);
void bind_foreground(py::module_& m);
void bind_composite(py::module_& m);
void bind_files(py::module_& m);
void bind_network(py::module_& m);
void bind_session(py::module_& m);
}  // namespace alphacut

PYBIND11_MODULE(_core, m) {
  using namespace alphacut;
  m.doc() = "alphacut's C++ core; use the functions of the package alphacut instead";
  m.def("version", &version);
  m.def("num_threads", &num_threads);
  m.def("set_num_threads", &set_num_threads, py::arg("count"));
  m.def("isa", [] { return kernels().isa; });
  m.def("available_isas", &available_isas);
  m.def("set_isa", &set_isa, py::arg("name"));
  bind_buffer_pool(m);
  bind_cancel(m);
  bind_preprocess(m);
  bind_subject(m);
  bind_threshold(m);
  bind_morphology(m);
  bind_components(m);
  bind_kmeans(m);
  bind_kmeans_points(m);
  bind_superpixels(m);
  bind_graphcut(m);
  bind_grabcut(m);
  bind_chromakey(m);
  bind_matting(m);
  bind_foreground(m);
  bind_composite(m);
  bind_files(m);
  bind_network(m);
  bind_session(m);
}
