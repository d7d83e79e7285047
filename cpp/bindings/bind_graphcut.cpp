#include "numpy_view.hpp"

namespace alphacut {

void bind_graphcut(py::module_&) {}

}  // namespace alphacut
