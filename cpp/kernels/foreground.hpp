#pragma once

namespace alphacut {

struct ForegroundKernels {};

}  // namespace alphacut
