#include "numpy_view.hpp"

namespace alphacut {

void bind_preprocess(py::module_&) {}

}  // namespace alphacut
