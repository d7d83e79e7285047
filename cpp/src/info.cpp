#include "alphacut/info.hpp"

#include "alphacut/parallel.hpp"
#include "alphacut/version.h"
#include "dispatch.hpp"

namespace alphacut {

const char* version() { return ALPHACUT_VERSION; }

Info info() { return {version(), kernels().isa, available_isas(), num_threads()}; }

}  // namespace alphacut
