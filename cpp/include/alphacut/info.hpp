// What runs here, and which instruction set is used.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alphacut/api.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

// Of the library that is linked, as "0.1.0"; ALPHACUT_VERSION of alphacut/version.h is the headers'.
const char* version();

// Names of the instruction sets that run here, slowest first: "baseline", "avx2", "avx512" or "neon".
std::vector<std::string> available_isas();

// Forces one of them for the whole process, in place of the best or of the one that ALPHACUT_ISA names; every one gives
// the same bytes. Throws std::invalid_argument for any other name. Not to be called while other threads compute.
void set_isa(std::string_view name);

struct Info {
  std::string version;
  std::string isa;                // the instruction set in use
  std::vector<std::string> isas;  // those available, slowest first
  int threads = 1;                // a loop may use, the caller included: see set_num_threads of parallel.hpp
};

// Throws std::invalid_argument if ALPHACUT_ISA or ALPHACUT_NUM_THREADS holds something else than is accepted.
Info info();

}  // namespace alphacut
ALPHACUT_API_END
