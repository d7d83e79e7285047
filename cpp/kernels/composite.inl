constexpr CompositeKernels composite_kernels = {};
