#include "numpy_view.hpp"

namespace alphacut {

void bind_subject(py::module_&) {}

}  // namespace alphacut
