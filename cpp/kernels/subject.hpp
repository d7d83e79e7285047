#pragma once

namespace alphacut {

struct SubjectKernels {};

}  // namespace alphacut
