// Compiled once for each instruction set, with ALPHACUT_ISA naming the namespace.
// Only <stdint.h>, <stddef.h> and intrinsics may be included here and in the .inl files: an inline function of any
// other header becomes a weak symbol, and the linker may then give this object's copy to code that runs on older
// processors. ctest checks the objects (tests/cpp/check_symbols.cmake).
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#elif defined(__ARM_NEON) || defined(_M_ARM64)
#include <arm_neon.h>
#endif

#include "table.hpp"

#define ALPHACUT_STRING_(x) #x
#define ALPHACUT_STRING(x) ALPHACUT_STRING_(x)

// Of a loop that another loop calls: inlined, GCC 12 would take several turns of the outer one together, and make no
// vectors of the inner one.
#if defined(__GNUC__)
#define ALPHACUT_APART __attribute__((noinline))
#else
#define ALPHACUT_APART
#endif

namespace alphacut::ALPHACUT_ISA {
namespace {

template <class T>
inline T min_of(T a, T b) {
  return b < a ? b : a;
}
template <class T>
inline T max_of(T a, T b) {
  return a < b ? b : a;
}
template <class T>
inline T clamp_to(T x, T low, T high) {
  return min_of(max_of(x, low), high);
}

#include "chromakey.inl"
#include "color.inl"
#include "composite.inl"
#include "graphcut.inl"
#include "guided.inl"
#include "kmeans.inl"
#include "matting.inl"
#include "morphology.inl"
#include "network.inl"
#include "preprocess.inl"
#include "subject.inl"
#include "superpixels.inl"
#include "threshold.inl"

#if defined(__AVX512BW__)  // where AVX2's are faster: dispatch.cpp puts these here
constexpr ComponentsKernels components_kernels{};
constexpr ForegroundKernels foreground_kernels{};
#else
#include "components.inl"
#include "foreground.inl"
#endif

}  // namespace

extern const Kernels table;
const Kernels table = {ALPHACUT_STRING(ALPHACUT_ISA),
                       color_kernels,
                       preprocess_kernels,
                       subject_kernels,
                       threshold_kernels,
                       morphology_kernels,
                       components_kernels,
                       kmeans_kernels,
                       superpixels_kernels,
                       graphcut_kernels,
                       chromakey_kernels,
                       matting_kernels,
                       guided_kernels,
                       foreground_kernels,
                       composite_kernels,
                       network_kernels};

}  // namespace alphacut::ALPHACUT_ISA
