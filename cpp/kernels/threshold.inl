void above_u8(const uint8_t* __restrict values, size_t n, uint8_t limit, uint8_t* __restrict mask) {
  for (size_t i = 0; i < n; ++i) mask[i] = values[i] > limit ? 255 : 0;
}

void above_f32(const float* __restrict values, size_t n, float limit, uint8_t* __restrict mask) {
  for (size_t i = 0; i < n; ++i) mask[i] = values[i] > limit ? 255 : 0;
}

constexpr ThresholdKernels threshold_kernels = {above_u8, above_f32};
