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

// Functions of their own: see ALPHACUT_APART.
template <bool greatest, class T>
inline T best_of(T a, T b) {
  return greatest ? max_of(a, b) : min_of(a, b);
}
template <bool greatest, class T>
ALPHACUT_APART void best_of_three(const T* const* rows, size_t x, size_t n, T* __restrict best) {
  const T* __restrict a = rows[0] + x, * __restrict b = rows[1] + x, * __restrict c = rows[2] + x;
  for (size_t i = 0; i < n; ++i) best[i] = best_of<greatest>(best_of<greatest>(a[i], b[i]), c[i]);
}
template <bool greatest, class T>
ALPHACUT_APART void best_with_two(const T* const* rows, size_t x, size_t n, T* __restrict best) {
  const T* __restrict a = rows[0] + x, * __restrict b = rows[1] + x;
  for (size_t i = 0; i < n; ++i) best[i] = best_of<greatest>(best[i], best_of<greatest>(a[i], b[i]));
}

// Three rows and then two at a time, in stretches whose results stay in the cache. A row may come twice.
template <bool greatest, class T>
void best_of_rows(const T* const* rows, size_t count, size_t n, T* __restrict out) {
  constexpr size_t most = 2048;
  const T* few[3];
  for (size_t i = 0; i < 3; ++i) few[i] = rows[i < count ? i : 0];
  for (size_t x = 0; x < n; x += most) {
    const size_t wide = min_of(most, n - x);
    best_of_three<greatest>(few, x, wide, out + x);
    for (size_t i = 3; i < count; i += 2) {
      const T* two[2] = {rows[i], rows[i + 1 < count ? i + 1 : i]};
      best_with_two<greatest>(two, x, wide, out + x);
    }
  }
}

constexpr MorphologyKernels morphology_kernels = {
    {row_lower<uint8_t>, row_higher<uint8_t>, row_sink<uint8_t>, row_raise<uint8_t>, best_of_rows<false, uint8_t>,
     best_of_rows<true, uint8_t>},
    {row_lower<uint16_t>, row_higher<uint16_t>, row_sink<uint16_t>, row_raise<uint16_t>, best_of_rows<false, uint16_t>,
     best_of_rows<true, uint16_t>},
    {row_lower<float>, row_higher<float>, row_sink<float>, row_raise<float>, best_of_rows<false, float>,
     best_of_rows<true, float>},
};
