// The bits of 64 values.
inline uint64_t components_word(const uint8_t* values) {
#if defined(__AVX512BW__)
  const __m512i v = _mm512_loadu_si512(values);
  return _mm512_test_epi8_mask(v, v);
#elif defined(__AVX2__)
  const __m256i zero = _mm256_setzero_si256();
  const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values));
  const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values + 32));
  const uint32_t a = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, zero)));
  const uint32_t b = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, zero)));
  return ~(static_cast<uint64_t>(b) << 32 | a);
#elif defined(__SSE2__) || defined(_M_X64)
  uint64_t empty = 0;
  for (int part = 0; part < 4; ++part) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(values + 16 * part));
    const int bits = _mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128()));
    empty |= static_cast<uint64_t>(static_cast<uint32_t>(bits)) << (16 * part);
  }
  return ~empty;
#else
  uint64_t word = 0;
  for (int i = 0; i < 64; ++i) word |= static_cast<uint64_t>(values[i] != 0) << i;
  return word;
#endif
}

void pack_bits(const uint8_t* __restrict values, size_t n, uint64_t* __restrict words) {
  const size_t whole = n / 64;
  for (size_t i = 0; i < whole; ++i) words[i] = components_word(values + 64 * i);
  uint64_t rest = 0;
  for (size_t i = 64 * whole; i < n; ++i) rest |= static_cast<uint64_t>(values[i] != 0) << (i % 64);
  if (n % 64 != 0) words[whole] = rest;
}

constexpr ComponentsKernels components_kernels = {pack_bits};
