#include <memory>

#include "alphacut/blocks.hpp"
#include "numpy_view.hpp"

namespace alphacut {

void bind_blocks(py::module_& m) {
  const py::call_guard<py::gil_scoped_release> unlocked;
  py::class_<BlockReserve>(m, "BlockReserve", py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)))
      .def(py::init<>())
      .def("__enter__", &BlockReserve::begin_call, unlocked)
      .def("__exit__",
           [](BlockReserve& reserve, const py::args&) {
             py::gil_scoped_release released;
             reserve.end_call();
           })
      .def("release", &BlockReserve::release, unlocked)
      .def(py::pickle([](const BlockReserve&) { return py::tuple(); },
                      [](const py::tuple&) { return std::make_unique<BlockReserve>(); }));
  m.def("block_counts", [] {
    const BlockCounts counts = block_counts();
    py::dict named;
    named["taken"] = counts.taken;
    named["reused"] = counts.reused;
    named["bytes_in_use"] = counts.bytes_in_use;
    named["bytes_kept"] = counts.bytes_kept;
    return named;
  });
}

}  // namespace alphacut
