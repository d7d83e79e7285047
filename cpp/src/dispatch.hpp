// The kernels of the best instruction set this processor (and its system) can run, or of the one that is forced.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernels/table.hpp"

namespace alphacut {

// The table in use. The first call picks it: ALPHACUT_ISA if set, else the best available one.
// Throws std::invalid_argument if ALPHACUT_ISA names an unknown or unsupported instruction set.
const Kernels& kernels();

// Names of the tables that run here, slowest first: "baseline", "avx2", "avx512" or "neon".
std::vector<std::string> available_isas();

// Forces a table for the whole process; meant for tests. Throws std::invalid_argument as above.
void set_isa(std::string_view name);

}  // namespace alphacut
