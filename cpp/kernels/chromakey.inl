constexpr ChromakeyKernels chromakey_kernels = {};
