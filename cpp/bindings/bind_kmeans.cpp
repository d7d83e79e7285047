#include "numpy_view.hpp"

namespace alphacut {

void bind_kmeans(py::module_&) {}

}  // namespace alphacut
