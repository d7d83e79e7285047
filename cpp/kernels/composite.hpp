#pragma once

namespace alphacut {

struct CompositeKernels {};

}  // namespace alphacut
