#pragma once

namespace alphacut {

struct GraphcutKernels {};

}  // namespace alphacut
