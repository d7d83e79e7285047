#include "numpy_view.hpp"

namespace alphacut {

void bind_chromakey(py::module_&) {}

}  // namespace alphacut
