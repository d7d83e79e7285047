#pragma once

namespace alphacut {

struct ChromakeyKernels {};

}  // namespace alphacut
