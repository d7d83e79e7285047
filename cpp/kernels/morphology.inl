template <class T>
void row_lower(const T* __restrict a, const T* __restrict b, size_t n, T* __restrict out) {
  for (size_t i = 0; i < n; ++i) out[i] = min_of(a[i], b[i]);
}
template <class T>
void row_higher(const T* __restrict a, const T* __restrict b, size_t n, T* __restrict out) {
  for (size_t i = 0; i < n; ++i) out[i] = max_of(a[i], b[i]);
}
template <class T>
void row_sink(const T* __restrict values, size_t n, T* __restrict best) {
  for (size_t i = 0; i < n; ++i) best[i] = min_of(best[i], values[i]);
}
template <class T>
void row_raise(const T* __restrict values, size_t n, T* __restrict best) {
  for (size_t i = 0; i < n; ++i) best[i] = max_of(best[i], values[i]);
}

constexpr MorphologyKernels morphology_kernels = {
    {row_lower<uint8_t>, row_higher<uint8_t>, row_sink<uint8_t>, row_raise<uint8_t>},
    {row_lower<uint16_t>, row_higher<uint16_t>, row_sink<uint16_t>, row_raise<uint16_t>},
    {row_lower<float>, row_higher<float>, row_sink<float>, row_raise<float>},
};
