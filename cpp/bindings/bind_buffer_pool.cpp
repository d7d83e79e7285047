#include <memory>

#include "alphacut/buffer_pool.hpp"
#include "numpy_view.hpp"

namespace alphacut {

void bind_buffer_pool(py::module_& m) {
  py::class_<BufferPool>(m, "BufferPool", py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)))
      .def(py::init<>())
      .def("__enter__", [](BufferPool& pool) { without_gil([&] { pool.begin_call(); }); })
      .def("__exit__", [](BufferPool& pool, const py::args&) { without_gil([&] { pool.end_call(); }); })
      .def("release", [](BufferPool& pool) { without_gil([&] { pool.release(); }); })
      .def(py::pickle([](const BufferPool&) { return py::tuple(); },
                      [](const py::tuple&) { return std::make_unique<BufferPool>(); }));
  m.def("buffer_pool_counts", [] {
    const BufferPoolCounts counts = buffer_pool_counts();
    py::dict named;
    named["taken"] = counts.taken;
    named["reused"] = counts.reused;
    named["bytes_in_use"] = counts.bytes_in_use;
    named["bytes_kept"] = counts.bytes_kept;
    return named;
  });
}

}  // namespace alphacut
