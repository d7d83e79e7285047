constexpr MattingKernels matting_kernels = {};
