constexpr ComponentsKernels components_kernels = {};
