#pragma once

namespace alphacut {

struct MattingKernels {};

}  // namespace alphacut
