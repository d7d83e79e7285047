#pragma once

namespace alphacut {

struct KmeansKernels {};

}  // namespace alphacut
