#include "numpy_view.hpp"

namespace alphacut {

void bind_matting(py::module_&) {}

}  // namespace alphacut
