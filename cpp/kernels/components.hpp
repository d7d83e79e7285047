#pragma once

namespace alphacut {

struct ComponentsKernels {};

}  // namespace alphacut
