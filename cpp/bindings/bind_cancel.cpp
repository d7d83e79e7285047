#include <memory>
#include <utility>
#include <vector>

#include "alphacut/cancel.hpp"
#include "numpy_view.hpp"

namespace alphacut {
namespace {

// The blocks that this thread is in.
std::vector<std::unique_ptr<CancelScope>>& blocks() {
  thread_local std::vector<std::unique_ptr<CancelScope>> open;
  return open;
}

}  // namespace

void bind_cancel(py::module_& m) {
  py::register_exception<Cancelled>(m, "Cancelled", PyExc_RuntimeError);
  py::class_<CancelToken>(m, "CancelToken", py::metaclass(reinterpret_cast<PyObject*>(&PyType_Type)))
      .def(py::init<>())
      .def("cancel", &CancelToken::cancel)
      .def_property_readonly("cancelled", &CancelToken::cancelled)
      .def("enter", [](const CancelToken& token) { blocks().push_back(std::make_unique<CancelScope>(token)); })
      .def("leave", [](const CancelToken&) {
        if (blocks().empty())
          throw std::runtime_error("a CancelToken's block must be left by the thread that entered it");
        blocks().pop_back();
      });
}

}  // namespace alphacut
