constexpr GraphcutKernels graphcut_kernels = {};
