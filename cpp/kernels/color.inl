void gray_u8(const uint8_t* __restrict rgb, size_t n, uint8_t* __restrict gray) {
  for (size_t i = 0; i < n; ++i) {
    const uint32_t sum = 9798u * rgb[3 * i] + 19235u * rgb[3 * i + 1] + 3735u * rgb[3 * i + 2];
    gray[i] = static_cast<uint8_t>((sum + 16384u) >> 15);
  }
}

void gray_f32(const float* __restrict rgb, size_t n, float* __restrict gray) {
  for (size_t i = 0; i < n; ++i) gray[i] = 0.299f * rgb[3 * i] + 0.587f * rgb[3 * i + 1] + 0.114f * rgb[3 * i + 2];
}

int in_range_f32(const float* __restrict values, size_t n, float low, float high) {
  int outside = 0;
  for (size_t i = 0; i < n; ++i) outside |= !((values[i] >= low) & (values[i] <= high));
  return !outside;
}

constexpr ColorKernels color_kernels = {gray_u8, gray_f32, in_range_f32};
