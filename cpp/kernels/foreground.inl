constexpr ForegroundKernels foreground_kernels = {};
