constexpr KmeansKernels kmeans_kernels = {};
