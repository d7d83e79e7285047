void start_paths(const float* __restrict value, const uint8_t* __restrict seed, size_t n, float far,
                 float* __restrict high, float* __restrict low) {
  for (size_t i = 0; i < n; ++i) {
    high[i] = seed[i] != 0 ? value[i] : far;
    low[i] = seed[i] != 0 ? value[i] : -far;
  }
}

void offer_paths(const float* __restrict value, size_t n, const float* __restrict near_high,
                 const float* __restrict near_low, ptrdiff_t shift, float* __restrict high, float* __restrict low) {
  const float* __restrict across_high = near_high + shift;
  const float* __restrict across_low = near_low + shift;
  for (size_t i = 0; i < n; ++i) {
    const float v = value[i];
    float top = high[i], bottom = low[i];
    const float a_top = max_of(near_high[i], v), a_bottom = min_of(near_low[i], v);
    const float b_top = max_of(across_high[i], v), b_bottom = min_of(across_low[i], v);
    const bool first = a_top - a_bottom < top - bottom;
    top = first ? a_top : top;
    bottom = first ? a_bottom : bottom;
    const bool second = b_top - b_bottom < top - bottom;
    high[i] = second ? b_top : top;
    low[i] = second ? b_bottom : bottom;
  }
}

void path_ranges(const float* __restrict high, const float* __restrict low, size_t n, float* __restrict range) {
  for (size_t i = 0; i < n; ++i) range[i] = high[i] - low[i];
}

constexpr SubjectKernels subject_kernels = {start_paths, offer_paths, path_ranges};
