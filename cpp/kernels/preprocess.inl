constexpr PreprocessKernels preprocess_kernels = {};
