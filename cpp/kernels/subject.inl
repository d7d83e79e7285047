constexpr SubjectKernels subject_kernels = {};
