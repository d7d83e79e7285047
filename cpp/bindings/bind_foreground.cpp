#include "numpy_view.hpp"

namespace alphacut {

void bind_foreground(py::module_&) {}

}  // namespace alphacut
