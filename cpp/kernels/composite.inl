// Pixels are taken in tiles small enough for the first cache: alphas are first repeated for every channel, so that the
// arithmetic is one plain loop over values, whatever the number of channels.
constexpr size_t composite_tile = 128;

void spread_u8(const uint8_t* __restrict gray, size_t n, uint8_t* __restrict rgb) {
  size_t i = 0;
#if defined(__AVX2__)
  const __m128i low = _mm_setr_epi8(0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5);
  const __m128i middle = _mm_setr_epi8(5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10);
  const __m128i high = _mm_setr_epi8(10, 11, 11, 11, 12, 12, 12, 13, 13, 13, 14, 14, 14, 15, 15, 15);
  for (; i + 16 <= n; i += 16) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(gray + i));
    __m128i* to = reinterpret_cast<__m128i*>(rgb + 3 * i);
    _mm_storeu_si128(to, _mm_shuffle_epi8(v, low));
    _mm_storeu_si128(to + 1, _mm_shuffle_epi8(v, middle));
    _mm_storeu_si128(to + 2, _mm_shuffle_epi8(v, high));
  }
#endif
  for (; i < n; ++i) rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = gray[i];
}

void spread_f32(const float* __restrict gray, size_t n, float* __restrict rgb) {
  for (size_t i = 0; i < n; ++i) rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = gray[i];
}

// x / 255 for x = value · weight sums up to 255², to the nearest integer, in 16 bits.
inline uint8_t over_255(uint32_t x) {
  const uint16_t t = static_cast<uint16_t>(x + 128);
  return static_cast<uint8_t>(static_cast<uint16_t>(t + (t >> 8)) >> 8);
}

#if defined(__AVX2__)
// 32 values: with weights w = 255 - a, (f - 128)·a + (b - 128)·w is what f·a + b·w is, less 128·255, and fits 16 bits
// signed. x·257 / 2^16 is (x + x / 256) / 256, as in over_255.
inline void composite_mix(const uint8_t* foreground, __m256i a, const uint8_t* background, uint8_t* out) {
  const __m256i sign = _mm256_set1_epi8(-128), offset = _mm256_set1_epi16(static_cast<int16_t>(128 * 255 + 128));
  const __m256i f = _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(foreground)), sign);
  const __m256i b = _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(background)), sign);
  const __m256i w = _mm256_xor_si256(a, _mm256_set1_epi8(-1));
  const __m256i low = _mm256_maddubs_epi16(_mm256_unpacklo_epi8(a, w), _mm256_unpacklo_epi8(f, b));
  const __m256i high = _mm256_maddubs_epi16(_mm256_unpackhi_epi8(a, w), _mm256_unpackhi_epi8(f, b));
  const __m256i scale = _mm256_set1_epi16(257);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out),
                      _mm256_packus_epi16(_mm256_mulhi_epu16(_mm256_add_epi16(low, offset), scale),
                                          _mm256_mulhi_epu16(_mm256_add_epi16(high, offset), scale)));
}

// 32 pixels a turn; returns how many are done.
size_t composite_blocks(const uint8_t* foreground, const uint8_t* alpha, const uint8_t* background, size_t n,
                        uint8_t* out) {
  const __m256i first = _mm256_setr_epi8(0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 7, 8, 8,
                                         8, 9, 9, 9, 10, 10);
  const __m256i middle = _mm256_setr_epi8(10, 11, 11, 11, 12, 12, 12, 13, 13, 13, 14, 14, 14, 15, 15, 15, 0, 0, 0, 1, 1,
                                          1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5);
  const __m256i last = _mm256_setr_epi8(5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10, 10, 11, 11, 11, 12, 12, 12,
                                        13, 13, 13, 14, 14, 14, 15, 15, 15);
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(alpha + i));
    const __m256i low = _mm256_permute2x128_si256(a, a, 0x00), high = _mm256_permute2x128_si256(a, a, 0x11);
    const uint8_t *f = foreground + 3 * i, *b = background + 3 * i;
    composite_mix(f, _mm256_shuffle_epi8(low, first), b, out + 3 * i);
    composite_mix(f + 32, _mm256_shuffle_epi8(a, middle), b + 32, out + 3 * i + 32);
    composite_mix(f + 64, _mm256_shuffle_epi8(high, last), b + 64, out + 3 * i + 64);
  }
  return i;
}
#else
size_t composite_blocks(const uint8_t*, const uint8_t*, const uint8_t*, size_t, uint8_t*) { return 0; }
#endif

void blend_u8(const uint8_t* __restrict foreground, const uint8_t* __restrict alpha,
              const uint8_t* __restrict background, size_t n, uint8_t* __restrict out) {
  uint8_t a[3 * composite_tile];
  for (size_t begin = composite_blocks(foreground, alpha, background, n, out); begin < n; begin += composite_tile) {
    const size_t pixels = min_of(composite_tile, n - begin);
    spread_u8(alpha + begin, pixels, a);
    const uint8_t* f = foreground + 3 * begin;
    const uint8_t* b = background + 3 * begin;
    uint8_t* to = out + 3 * begin;
    for (size_t i = 0; i < 3 * pixels; ++i)
      to[i] = over_255(static_cast<uint16_t>(f[i] * a[i]) + static_cast<uint16_t>(b[i] * (255 - a[i])));
  }
}

void blend_f32(const float* __restrict foreground, const float* __restrict alpha, const float* __restrict background,
               size_t n, float* __restrict out) {
  float a[3 * composite_tile];
  for (size_t begin = 0; begin < n; begin += composite_tile) {
    const size_t pixels = min_of(composite_tile, n - begin);
    spread_f32(alpha + begin, pixels, a);
    const float* f = foreground + 3 * begin;
    const float* b = background + 3 * begin;
    float* to = out + 3 * begin;
    // This form, not b + a·(f − b): alpha 1 gives f exactly, and nothing leaves 0..1.
    for (size_t i = 0; i < 3 * pixels; ++i) to[i] = f[i] * a[i] + b[i] * (1.0f - a[i]);
  }
}

void rgba_u8(const uint8_t* __restrict rgb, const uint8_t* __restrict alpha, size_t n, uint8_t* __restrict rgba) {
  size_t i = 0;
#if defined(__AVX2__)
  const __m128i colours = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
  const __m128i alphas = _mm_setr_epi8(-1, -1, -1, 0, -1, -1, -1, 1, -1, -1, -1, 2, -1, -1, -1, 3);
  for (; i + 6 <= n; i += 4) {  // four pixels a turn; the load of 16 bytes reads a little past their 12
    const __m128i c = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rgb + 3 * i));
    const uint8_t* p = alpha + i;
    const uint32_t four = p[0] | (uint32_t{p[1]} << 8) | (uint32_t{p[2]} << 16) | (uint32_t{p[3]} << 24);  // one load
    const __m128i a = _mm_cvtsi32_si128(static_cast<int>(four));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(rgba + 4 * i),
                     _mm_or_si128(_mm_shuffle_epi8(c, colours), _mm_shuffle_epi8(a, alphas)));
  }
#endif
  for (; i < n; ++i) {
    for (int c = 0; c < 3; ++c) rgba[4 * i + c] = rgb[3 * i + c];
    rgba[4 * i + 3] = alpha[i];
  }
}

void rgba_f32(const float* __restrict rgb, const float* __restrict alpha, size_t n, float* __restrict rgba) {
  for (size_t i = 0; i < n; ++i) {
    for (int c = 0; c < 3; ++c) rgba[4 * i + c] = rgb[3 * i + c];
    rgba[4 * i + 3] = alpha[i];
  }
}

// (a, a, a, 255) for each of n RGBA pixels.
inline void composite_weights(const uint8_t* __restrict rgba, size_t n, uint8_t* __restrict weights) {
  size_t i = 0;
#if defined(__AVX2__)
  const __m128i alphas = _mm_setr_epi8(3, 3, 3, -1, 7, 7, 7, -1, 11, 11, 11, -1, 15, 15, 15, -1);
  const __m128i whole = _mm_set1_epi32(static_cast<int>(0xff000000u));
  for (; i + 4 <= n; i += 4) {
    const __m128i pixels = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rgba + 4 * i));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(weights + 4 * i),
                     _mm_or_si128(_mm_shuffle_epi8(pixels, alphas), whole));
  }
#endif
  for (; i < n; ++i) {
    weights[4 * i] = weights[4 * i + 1] = weights[4 * i + 2] = rgba[4 * i + 3];
    weights[4 * i + 3] = 255;
  }
}

void premultiply_u8(const uint8_t* __restrict rgba, size_t n, uint8_t* __restrict out) {
  uint8_t weights[4 * composite_tile];
  for (size_t begin = 0; begin < n; begin += composite_tile, rgba += 4 * composite_tile, out += 4 * composite_tile) {
    const size_t pixels = min_of(composite_tile, n - begin);
    composite_weights(rgba, pixels, weights);
    for (size_t i = 0; i < 4 * pixels; ++i) out[i] = over_255(static_cast<uint16_t>(rgba[i] * weights[i]));
  }
}

void premultiply_f32(const float* __restrict rgba, size_t n, float* __restrict out) {
  for (size_t i = 0; i < n; ++i) {
    for (int c = 0; c < 3; ++c) out[4 * i + c] = rgba[4 * i + c] * rgba[4 * i + 3];
    out[4 * i + 3] = rgba[4 * i + 3];
  }
}

void unpremultiply_u8(const uint8_t* __restrict rgba, size_t n, uint8_t* __restrict out) {
  uint8_t weights[4 * composite_tile];
  for (size_t begin = 0; begin < n; begin += composite_tile, rgba += 4 * composite_tile, out += 4 * composite_tile) {
    const size_t pixels = min_of(composite_tile, n - begin);
    composite_weights(rgba, pixels, weights);
    for (size_t i = 0; i < 4 * pixels; ++i) {
      // 255·v/a + 1/2 = (510·v + a) / (2·a). Both are small integers, so the quotient in float cannot reach the next
      // integer by rounding: its half unit in the last place is below 1 / (2·a).
      const int32_t a = weights[i], divisor = 2 * max_of(a, int32_t{1});
      const float quotient = static_cast<float>(510 * rgba[i] + a) / static_cast<float>(divisor);
      const int32_t value = min_of(static_cast<int32_t>(quotient), int32_t{255});
      out[i] = static_cast<uint8_t>(a == 0 ? 0 : value);
    }
  }
}

void unpremultiply_f32(const float* __restrict rgba, size_t n, float* __restrict out) {
  for (size_t i = 0; i < n; ++i) {
    const float a = rgba[4 * i + 3];
    for (int c = 0; c < 3; ++c) out[4 * i + c] = a > 0 ? min_of(rgba[4 * i + c] / a, 1.0f) : 0.0f;
    out[4 * i + 3] = a;
  }
}

constexpr CompositeKernels composite_kernels = {blend_u8,         blend_f32,        spread_u8,      spread_f32,
                                                rgba_u8,          rgba_f32,         premultiply_u8, premultiply_f32,
                                                unpremultiply_u8, unpremultiply_f32};
