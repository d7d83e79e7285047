constexpr float kForegroundGradient = 0.1f;  // what a neighbour weighs more, the more its alpha differs
constexpr size_t kForegroundChunk = 64;

// Weights between cells and their neighbours; `exist` is 1, or 0 for none.
void foreground_weigh(const float* __restrict alpha, const float* __restrict other, size_t m, float exist, float base,
                      float* __restrict weight) {
  for (size_t i = 0; i < m; ++i) {
    const float d = alpha[i] - other[i];
    weight[i] = exist * (base + kForegroundGradient * (d < 0 ? -d : d));
  }
}

// What the four neighbours of a chunk of cells weigh, and the inverse of each cell's 2×2 system.
struct ForegroundSystem {
  float left[kForegroundChunk], right[kForegroundChunk], above[kForegroundChunk], below[kForegroundChunk];
  float ff[kForegroundChunk], fb[kForegroundChunk], bb[kForegroundChunk];
};

void foreground_invert(const float* __restrict alpha, size_t m, ForegroundSystem& s) {
  for (size_t i = 0; i < m; ++i) {
    const float a = alpha[i], b = 1 - a;
    const float sum = (s.left[i] + s.right[i]) + (s.above[i] + s.below[i]);
    // (a² + sum)(b² + sum) - a²b², without the cancellation
    const float scale = 1 / (sum * (a * a + b * b + sum));
    s.ff[i] = (b * b + sum) * scale;
    s.fb[i] = a * b * scale;
    s.bb[i] = (a * a + sum) * scale;
  }
}

void foreground_solve(const ForegroundSystem& s, const float* __restrict alpha, const float* __restrict colour,
                      const float* __restrict other_f, const float* __restrict other_b, ptrdiff_t row, int shift,
                      size_t m, float* __restrict f, float* __restrict b) {
  for (size_t i = 0; i < m; ++i) {
    const ptrdiff_t at = static_cast<ptrdiff_t>(i), right = at + shift, left = right - 1;
    const float a = alpha[i], c = colour[i];
    const float sum_f = (s.left[i] * other_f[left] + s.right[i] * other_f[right]) +
                        (s.above[i] * other_f[at - row] + s.below[i] * other_f[at + row]) + a * c;
    const float sum_b = (s.left[i] * other_b[left] + s.right[i] * other_b[right]) +
                        (s.above[i] * other_b[at - row] + s.below[i] * other_b[at + row]) + (1 - a) * c;
    f[i] = clamp_to(s.ff[i] * sum_f - s.fb[i] * sum_b, 0.0f, 1.0f);
    b[i] = clamp_to(s.bb[i] * sum_b - s.fb[i] * sum_f, 0.0f, 1.0f);
  }
}

#if defined(__AVX2__)
// The same arithmetic for 8 cells, with the system in registers.
inline __m256 foreground_weigh8(__m256 alpha, const float* other, __m256 exist, float base) {
  const __m256 d = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), _mm256_sub_ps(alpha, _mm256_loadu_ps(other)));
  const __m256 growth = _mm256_mul_ps(_mm256_set1_ps(kForegroundGradient), d);
  return _mm256_and_ps(exist, _mm256_add_ps(_mm256_set1_ps(base), growth));
}

inline __m256 foreground_clamp8(__m256 x) {
  return _mm256_min_ps(_mm256_set1_ps(1.0f), _mm256_max_ps(_mm256_setzero_ps(), x));
}

// As many cells as whole vectors hold; returns how many.
size_t foreground_relax8(float* here, const float* other, ptrdiff_t row, ptrdiff_t plane, int channels, size_t n,
                         int shift, int has_above, int has_below, int has_left, int has_right, float base) {
  const __m256 none = _mm256_setzero_ps(), all = _mm256_castsi256_ps(_mm256_set1_epi32(-1)), one = _mm256_set1_ps(1.0f);
  const __m256 above_exists = has_above ? all : none, below_exists = has_below ? all : none;
  size_t x = 0;
  for (; x + 8 <= n; x += 8, here += 8, other += 8) {
    const __m256 a = _mm256_loadu_ps(here), b = _mm256_sub_ps(one, a);
    const __m256 left_exists = x == 0 && !has_left ? _mm256_blend_ps(all, none, 0x01) : all;
    const __m256 right_exists = x + 8 == n && !has_right ? _mm256_blend_ps(all, none, 0x80) : all;
    const __m256 left = foreground_weigh8(a, other + shift - 1, left_exists, base);
    const __m256 right = foreground_weigh8(a, other + shift, right_exists, base);
    const __m256 above = foreground_weigh8(a, other - row, above_exists, base);
    const __m256 below = foreground_weigh8(a, other + row, below_exists, base);
    const __m256 sum = _mm256_add_ps(_mm256_add_ps(left, right), _mm256_add_ps(above, below));
    const __m256 aa = _mm256_mul_ps(a, a), bb = _mm256_mul_ps(b, b);
    const __m256 scale = _mm256_div_ps(one, _mm256_mul_ps(sum, _mm256_add_ps(_mm256_add_ps(aa, bb), sum)));
    const __m256 of_f = _mm256_mul_ps(_mm256_add_ps(bb, sum), scale), mixed = _mm256_mul_ps(_mm256_mul_ps(a, b), scale);
    const __m256 of_b = _mm256_mul_ps(_mm256_add_ps(aa, sum), scale);
    const auto total = [&](const float* near, __m256 weight, __m256 colour) {
      const __m256 beside = _mm256_add_ps(_mm256_mul_ps(left, _mm256_loadu_ps(near + shift - 1)),
                                          _mm256_mul_ps(right, _mm256_loadu_ps(near + shift)));
      const __m256 upright = _mm256_add_ps(_mm256_mul_ps(above, _mm256_loadu_ps(near - row)),
                                           _mm256_mul_ps(below, _mm256_loadu_ps(near + row)));
      return _mm256_add_ps(_mm256_add_ps(beside, upright), _mm256_mul_ps(weight, colour));
    };
    for (int c = 0; c < channels; ++c) {
      const ptrdiff_t f = (1 + channels + c) * plane, g = f + channels * plane;
      const __m256 colour = _mm256_loadu_ps(here + (1 + c) * plane);
      const __m256 sum_f = total(other + f, a, colour), sum_b = total(other + g, b, colour);
      const __m256 new_f = _mm256_sub_ps(_mm256_mul_ps(of_f, sum_f), _mm256_mul_ps(mixed, sum_b));
      const __m256 new_b = _mm256_sub_ps(_mm256_mul_ps(of_b, sum_b), _mm256_mul_ps(mixed, sum_f));
      _mm256_storeu_ps(here + f, foreground_clamp8(new_f));
      _mm256_storeu_ps(here + g, foreground_clamp8(new_b));
    }
  }
  return x;
}
#else
size_t foreground_relax8(float*, const float*, ptrdiff_t, ptrdiff_t, int, size_t, int, int, int, int, int, float) {
  return 0;
}
#endif

void foreground_relax(float* here, const float* other, ptrdiff_t row, ptrdiff_t plane, int channels, size_t n,
                      int shift, int has_above, int has_below, int has_left, int has_right, float base) {
  ForegroundSystem s;
  for (size_t x = foreground_relax8(here, other, row, plane, channels, n, shift, has_above, has_below, has_left,
                                    has_right, base);
       x < n; x += kForegroundChunk) {
    const size_t m = min_of(kForegroundChunk, n - x);
    const float* alpha = here + x;
    const float* near = other + x;
    foreground_weigh(alpha, near + shift - 1, m, 1, base, s.left);
    foreground_weigh(alpha, near + shift, m, 1, base, s.right);
    foreground_weigh(alpha, near - row, m, has_above ? 1 : 0, base, s.above);
    foreground_weigh(alpha, near + row, m, has_below ? 1 : 0, base, s.below);
    if (x == 0 && !has_left) s.left[0] = 0;
    if (x + m == n && !has_right) s.right[m - 1] = 0;
    foreground_invert(alpha, m, s);
    for (int c = 0; c < channels; ++c) {
      const ptrdiff_t colour = (1 + c) * plane, f = (1 + channels + c) * plane, b = (1 + 2 * channels + c) * plane;
      foreground_solve(s, alpha, alpha + colour, near + f, near + b, row, shift, m, here + x + f, here + x + b);
    }
  }
}

// The alpha of each value of n pixels.
template <int C>
inline void foreground_spread(const uint8_t* __restrict alpha, size_t n, uint8_t* __restrict weights) {
  if (C == 3)
    spread_u8(alpha, n, weights);
  else
    for (size_t i = 0; i < n; ++i) weights[i] = alpha[i];
}

template <int C>
void foreground_sums(const uint8_t* __restrict alpha, const uint8_t* __restrict pixels, size_t n,
                     uint64_t* __restrict sums) {
  constexpr size_t group = 16, values = C * group;
  while (n >= group) {
    const size_t groups = min_of(n / group, size_t{256});
    uint32_t total = 0;
    for (size_t i = 0; i < groups * group; ++i) total += alpha[i];
    // 16 bits hold the sums of 256 groups: of values, and of the low and the high bytes of their products with alpha.
    uint16_t plain[values] = {}, low[values] = {}, high[values] = {};
    uint8_t weights[8 * values];  // of 8 groups at a time: to read at once what was just written would be slow
    for (size_t g = 0; g < groups; ++g, pixels += values) {
      if (g % 8 == 0) foreground_spread<C>(alpha + group * g, group * min_of(groups - g, size_t{8}), weights);
      const uint8_t* weight = weights + g % 8 * values;
      for (size_t i = 0; i < values; ++i) {
        const uint16_t product = static_cast<uint16_t>(weight[i] * pixels[i]);
        plain[i] = static_cast<uint16_t>(plain[i] + pixels[i]);
        low[i] = static_cast<uint16_t>(low[i] + (product & 255));
        high[i] = static_cast<uint16_t>(high[i] + (product >> 8));
      }
    }
    sums[0] += total;
    for (size_t i = 0; i < values; ++i) {
      sums[1 + 2 * (i % C)] += low[i] + (uint64_t{high[i]} << 8);
      sums[2 + 2 * (i % C)] += plain[i];
    }
    alpha += groups * group;
    n -= groups * group;
  }
  for (size_t x = 0; x < n; ++x) {
    sums[0] += alpha[x];
    for (size_t c = 0; c < C; ++c) {
      sums[1 + 2 * c] += static_cast<uint64_t>(alpha[x]) * pixels[C * x + c];
      sums[2 + 2 * c] += pixels[C * x + c];
    }
  }
}

void foreground_sums_u8(const uint8_t* alpha, const uint8_t* pixels, size_t n, int channels, uint64_t* sums) {
  (channels == 3 ? foreground_sums<3> : foreground_sums<1>)(alpha, pixels, n, sums);
}

inline bool foreground_partial(uint8_t alpha) { return static_cast<uint8_t>(alpha + 1) > 1; }

void foreground_partial_u8(const uint8_t* alpha, size_t n, size_t* first, size_t* end) {
  uint8_t any = 0;
  for (size_t x = 0; x < n; ++x) any |= static_cast<uint8_t>(foreground_partial(alpha[x]) ? 1 : 0);
  *first = n;
  *end = 0;
  if (any == 0) return;
  for (*first = 0; !foreground_partial(alpha[*first]);) ++*first;
  for (*end = n; !foreground_partial(alpha[*end - 1]);) --*end;
}

inline float foreground_unit(uint8_t value) { return static_cast<float>(value) / 255; }
inline float foreground_unit(float value) { return value; }

// Pixels that lie side by side are first made planar: both steps are then interleavings that vectorise.
template <int C, class T>
void foreground_split_near(const T* __restrict pixels, size_t n, float* const* halves) {
  float planes[C][2 * kForegroundChunk];
  for (size_t x = 0; x < n; x += 2 * kForegroundChunk, pixels += 2 * C * kForegroundChunk) {
    const size_t m = min_of(2 * kForegroundChunk, n - x);
    for (size_t i = 0; i < m; ++i)
      for (int c = 0; c < C; ++c) planes[c][i] = foreground_unit(pixels[C * i + static_cast<size_t>(c)]);
    for (int c = 0; c < C; ++c) {
      float* __restrict even = halves[2 * c] + x / 2, * __restrict odd = halves[2 * c + 1] + x / 2;
      for (size_t i = 0; i < m / 2; ++i) {
        even[i] = planes[c][2 * i];
        odd[i] = planes[c][2 * i + 1];
      }
      if (m % 2 == 1) even[m / 2] = planes[c][m - 1];
    }
  }
}

template <int C, class T>
void foreground_split_far(const T* __restrict pixels, size_t n, ptrdiff_t step, float* const* halves) {
  T near[C * 2 * kForegroundChunk];
  float* to[2 * C];
  for (int i = 0; i < 2 * C; ++i) to[i] = halves[i];
  while (n > 0) {
    const size_t m = min_of(2 * kForegroundChunk, n);
    for (size_t i = 0; i < m; ++i, pixels += step)
      for (int c = 0; c < C; ++c) near[C * i + static_cast<size_t>(c)] = pixels[c];
    foreground_split_near<C, T>(near, m, to);
    for (int i = 0; i < 2 * C; ++i) to[i] += kForegroundChunk;
    n -= m;
  }
}

template <class T>
void foreground_split(const T* pixels, size_t n, int channels, ptrdiff_t step, float* const* halves) {
  if (step == channels)
    (channels == 3 ? foreground_split_near<3, T> : foreground_split_near<1, T>)(pixels, n, halves);
  else
    (channels == 3 ? foreground_split_far<3, T> : foreground_split_far<1, T>)(pixels, n, step, halves);
}

inline void foreground_store(float value, uint8_t* out) {
  *out = static_cast<uint8_t>(static_cast<int32_t>(value * 255 + 0.5f));
}
inline void foreground_store(float value, float* out) { *out = value; }

template <int C, class T>
void foreground_join_pixels(const float* const* halves, size_t n, T* __restrict pixels) {
  T planes[C][2 * kForegroundChunk];
  for (size_t x = 0; x < n; x += 2 * kForegroundChunk, pixels += 2 * C * kForegroundChunk) {
    const size_t m = min_of(2 * kForegroundChunk, n - x);
    for (int c = 0; c < C; ++c) {
      const float* __restrict even = halves[2 * c] + x / 2, * __restrict odd = halves[2 * c + 1] + x / 2;
      for (size_t i = 0; i < m / 2; ++i) {
        foreground_store(even[i], planes[c] + 2 * i);
        foreground_store(odd[i], planes[c] + 2 * i + 1);
      }
      if (m % 2 == 1) foreground_store(even[m / 2], planes[c] + m - 1);
    }
    for (size_t i = 0; i < m; ++i)
      for (int c = 0; c < C; ++c) pixels[C * i + static_cast<size_t>(c)] = planes[c][i];
  }
}

template <class T>
void foreground_join(const float* const* halves, size_t n, int channels, T* pixels) {
  (channels == 3 ? foreground_join_pixels<3, T> : foreground_join_pixels<1, T>)(halves, n, pixels);
}

void foreground_enlarge(const float* __restrict even, const float* __restrict odd, size_t n, float* __restrict row) {
  for (size_t i = 0; i < n / 2; ++i) {
    row[2 * i] = even[i];
    row[2 * i + 1] = odd[i];
  }
  if (n % 2 == 1) row[n - 1] = even[n / 2];
}

template <int C>
void foreground_select(const uint8_t* __restrict alpha, const uint8_t* __restrict pixels,
                       const uint8_t* __restrict others, size_t n, uint8_t* __restrict result) {
  uint8_t weights[C * 2 * kForegroundChunk];
  while (n > 0) {
    const size_t m = min_of(2 * kForegroundChunk, n);
    foreground_spread<C>(alpha, m, weights);
    for (size_t i = 0; i < C * m; ++i) {
      const uint8_t pixel = pixels[i], other = others[i];  // both read: else the loop would not vectorise
      result[i] = weights[i] == 255 ? pixel : other;
    }
    alpha += m;
    pixels += C * m;
    others += C * m;
    result += C * m;
    n -= m;
  }
}

void foreground_select_u8(const uint8_t* alpha, const uint8_t* pixels, const uint8_t* others, size_t n, int channels,
                          uint8_t* result) {
  (channels == 3 ? foreground_select<3> : foreground_select<1>)(alpha, pixels, others, n, result);
}

constexpr ForegroundKernels foreground_kernels = {
    foreground_relax,          foreground_sums_u8,      foreground_partial_u8,
    foreground_split<uint8_t>, foreground_split<float>, foreground_join<uint8_t>,
    foreground_join<float>,    foreground_enlarge,      foreground_select_u8};
