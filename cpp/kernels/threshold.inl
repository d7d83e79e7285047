void above_u8(const uint8_t* values, size_t n, uint8_t limit, uint8_t* mask) {
  size_t i = 0;
  for (; i + 64 <= n; i += 64) {  // by way of a block, because `mask` may be `values`
    uint8_t block[64];
    for (size_t j = 0; j < 64; ++j) block[j] = values[i + j] > limit ? 255 : 0;
    for (size_t j = 0; j < 64; ++j) mask[i + j] = block[j];
  }
  for (; i < n; ++i) mask[i] = values[i] > limit ? 255 : 0;
}

template <class T>
void above(const T* __restrict values, size_t n, T limit, uint8_t* __restrict mask) {
  for (size_t i = 0; i < n; ++i) mask[i] = values[i] > limit ? 255 : 0;
}

void bins_f32(const float* __restrict values, size_t n, uint8_t* __restrict bins) {
  for (size_t i = 0; i < n; ++i) {
    const float scaled = 256.0f * values[i];  // exact: a power of two
    const int32_t below = static_cast<int32_t>(scaled);
    const int32_t bin = below - (static_cast<float>(below) == scaled);
    bins[i] = static_cast<uint8_t>(clamp_to(bin, 0, 255));
  }
}

void quantise_f32(const float* __restrict values, size_t n, uint16_t* __restrict result) {
  // The luma of a white pixel may exceed 1 by a rounding error.
  for (size_t i = 0; i < n; ++i)
    result[i] = static_cast<uint16_t>(static_cast<int32_t>(65535.0f * min_of(values[i], 1.0f) + 0.5f));
}

void widen_u8(const uint8_t* __restrict values, size_t n, float* __restrict result) {
  for (size_t i = 0; i < n; ++i) result[i] = values[i];
}

void fold_four(const uint32_t* __restrict rows, size_t n, uint32_t* __restrict columns, uint32_t* __restrict sums) {
  uint32_t a = 0, b = 0, c = 0, d = 0;
  for (size_t i = 0; i < n; ++i) {
    const uint32_t w = rows[i], x = rows[n + i], y = rows[2 * n + i], z = rows[3 * n + i];
    columns[i] += w + x + y + z;
    a += w;
    b += x;
    c += y;
    d += z;
  }
  sums[0] = a;
  sums[1] = b;
  sums[2] = c;
  sums[3] = d;
}

template <class T, class Sum>
void slide(const T* __restrict enter, const T* __restrict leave, size_t n, Sum* __restrict sums) {
  for (size_t i = 0; i < n; ++i) sums[i] = static_cast<Sum>(sums[i] + enter[i] - leave[i]);
}

template <class T, class Sum>
void slide_squares(const T* __restrict enter, const T* __restrict leave, size_t n, Sum* __restrict sums) {
  for (size_t i = 0; i < n; ++i) {
    const uint32_t in = enter[i], out = leave[i];
    sums[i] += static_cast<Sum>(in * in) - out * out;
  }
}

#if defined(__AVX512BW__)  // with masks, for without them GCC 12 warns of its own headers
inline __m512i threshold_sixteen(const uint16_t* p) {
  return _mm512_maskz_cvtepu16_epi32(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline __m512i threshold_sixteen(const uint32_t* p) { return _mm512_loadu_si512(p); }

template <class T>
size_t threshold_prefix_blocks(const T* values, size_t n, uint32_t& sum, uint32_t* result) {
  const __m512i last = _mm512_set1_epi32(15);
  __m512i carry = _mm512_set1_epi32(static_cast<int>(sum));
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m512i x = threshold_sixteen(values + i);
    x = _mm512_add_epi32(x, _mm512_maskz_alignr_epi32(0xfffe, x, x, 15));
    x = _mm512_add_epi32(x, _mm512_maskz_alignr_epi32(0xfffc, x, x, 14));
    x = _mm512_add_epi32(x, _mm512_maskz_alignr_epi32(0xfff0, x, x, 12));
    x = _mm512_add_epi32(x, _mm512_maskz_alignr_epi32(0xff00, x, x, 8));
    _mm512_storeu_si512(result + i, _mm512_add_epi32(x, carry));
    carry = _mm512_add_epi32(
        carry, _mm512_maskz_permutexvar_epi32(0xffff, last, x));  // the only step that waits for the one before
  }
  if (i != 0) sum = result[i - 1];
  return i;
}
#elif defined(__AVX2__)
inline __m256i threshold_eight(const uint16_t* p) {
  return _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline __m256i threshold_eight(const uint32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }

template <class T>
size_t threshold_prefix_blocks(const T* values, size_t n, uint32_t& sum, uint32_t* result) {
  const __m256i last = _mm256_set1_epi32(7);
  __m256i carry = _mm256_set1_epi32(static_cast<int>(sum));
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    __m256i x = threshold_eight(values + i);
    x = _mm256_add_epi32(x, _mm256_slli_si256(x, 4));
    x = _mm256_add_epi32(x, _mm256_slli_si256(x, 8));
    const __m256i low = _mm256_permute2x128_si256(x, x, 0x08);  // the low half, above zeros
    x = _mm256_add_epi32(x, _mm256_shuffle_epi32(low, 0xff));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(result + i), _mm256_add_epi32(x, carry));
    carry =
        _mm256_add_epi32(carry, _mm256_permutevar8x32_epi32(x, last));  // the only step that waits for the one before
  }
  if (i != 0) sum = result[i - 1];
  return i;
}
#else
template <class T>
size_t threshold_prefix_blocks(const T*, size_t, uint32_t&, uint32_t*) {
  return 0;
}
#endif
template <class T>
size_t threshold_prefix_blocks(const T*, size_t, uint64_t&, uint64_t*) {
  return 0;
}

template <class T, class Sum>
void prefix_sums(const T* __restrict values, size_t n, Sum first, Sum* __restrict result) {
  for (size_t i = threshold_prefix_blocks(values, n, first, result); i < n; ++i) result[i] = first += values[i];
}

template <class T, class Sum, class Signed>
void mean_row(const T* __restrict values, size_t n, const Sum* __restrict prefix, size_t span, Sum area, Signed bias,
              uint8_t* __restrict mask) {
  for (size_t i = 0; i < n; ++i) {
    const Sum difference = prefix[i + span] - prefix[i] - area * values[i];
    mask[i] = static_cast<Signed>(difference) < bias ? 255 : 0;
  }
}

// Exact, and by way of signed numbers, which every instruction set can convert.
inline double as_double(uint32_t x) {
  return static_cast<double>(static_cast<int32_t>(x ^ 0x80000000u)) + 2147483648.0;
}
inline double as_double(uint64_t x) { return static_cast<double>(static_cast<int64_t>(x)); }

template <class T, class Sum>
void sauvola_row(const T* __restrict values, size_t n, const Sum* __restrict prefix, const Sum* __restrict squares,
                 size_t span, SauvolaRow row, uint8_t* __restrict mask) {
  const Sum extra = static_cast<Sum>(row.extra), extra_squares = static_cast<Sum>(row.extra_squares);
  for (size_t i = 0; i < n; ++i) {
    const double sum = as_double(prefix[i + span] - prefix[i] + extra);
    const double sum_squares = as_double(squares[i + span] - squares[i] + extra_squares);
    const double variance = max_of(sum_squares - sum * (sum / row.area), 0.0);  // times area; 0 in a flat window
    const double left = row.area * (values[i] + row.offset) - row.rest * sum;
    const double right = row.slope * sum;
    const bool above = (left > 0) & (left * left * row.area > right * right * variance);
    mask[i] = above ? 255 : 0;
  }
}

void threshold_between(const int32_t* __restrict below, const int32_t* __restrict sums, size_t n, int32_t count,
                       int32_t sum, double* __restrict variance) {
  const double all = count, total = sum;
  for (size_t i = 0; i < n; ++i) {
    const double part = below[i], distance = total * part - all * sums[i], area = part * (all - part);
    variance[i] = distance * distance / max_of(area, 1.0);  // 0 where a class is empty
  }
}

void add_pair(const float* __restrict a, const float* __restrict b, size_t n, float weight, float* __restrict sums) {
  for (size_t i = 0; i < n; ++i) sums[i] += weight * (a[i] + b[i]);
}

void round_f32(float* __restrict values, size_t n) {
  const float shift = 12582912.0f;  // 1.5 * 2^23: the sum has no room for a fraction
  for (size_t i = 0; i < n; ++i) values[i] = (values[i] + shift) - shift;
}

void above_mean(const float* __restrict values, const float* __restrict means, size_t n, float offset,
                uint8_t* __restrict mask) {
  for (size_t i = 0; i < n; ++i) mask[i] = values[i] > means[i] - offset ? 255 : 0;
}

constexpr ThresholdKernels threshold_kernels = {above_u8,
                                                above<uint16_t>,
                                                above<int16_t>,
                                                above<int32_t>,
                                                above<float>,
                                                above<double>,
                                                bins_f32,
                                                quantise_f32,
                                                widen_u8,
                                                fold_four,
                                                slide<uint8_t, uint16_t>,
                                                slide<uint8_t, uint64_t>,
                                                slide<uint16_t, uint64_t>,
                                                slide_squares<uint8_t, uint32_t>,
                                                slide_squares<uint8_t, uint64_t>,
                                                slide_squares<uint16_t, uint64_t>,
                                                prefix_sums<uint16_t, uint32_t>,
                                                prefix_sums<uint32_t, uint32_t>,
                                                prefix_sums<uint64_t, uint64_t>,
                                                mean_row<uint8_t, uint32_t, int32_t>,
                                                mean_row<uint8_t, uint64_t, int64_t>,
                                                mean_row<uint16_t, uint64_t, int64_t>,
                                                sauvola_row<uint8_t, uint32_t>,
                                                sauvola_row<uint8_t, uint64_t>,
                                                sauvola_row<uint16_t, uint64_t>,
                                                threshold_between,
                                                add_pair,
                                                round_f32,
                                                above_mean};
