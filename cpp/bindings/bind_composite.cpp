#include "numpy_view.hpp"

namespace alphacut {

void bind_composite(py::module_&) {}

}  // namespace alphacut
