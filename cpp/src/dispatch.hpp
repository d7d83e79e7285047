// The kernels of the best instruction set this processor (and its system) can run, or of the one that is forced.
#pragma once

#include "alphacut/info.hpp"
#include "kernels/table.hpp"

namespace alphacut {

// The table in use. The first call picks it: ALPHACUT_ISA if set, else the best available one.
// Throws std::invalid_argument if ALPHACUT_ISA names an unknown or unsupported instruction set.
const Kernels& kernels();

}  // namespace alphacut
