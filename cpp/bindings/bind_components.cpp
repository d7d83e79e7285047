#include "numpy_view.hpp"

namespace alphacut {

void bind_components(py::module_&) {}

}  // namespace alphacut
