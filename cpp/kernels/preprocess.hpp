#pragma once

namespace alphacut {

struct PreprocessKernels {};

}  // namespace alphacut
