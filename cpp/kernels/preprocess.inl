template <class T>
inline void median_order(T& a, T& b) {
  const T low = min_of(a, b);
  b = max_of(a, b);
  a = low;
}

// Moves the least to a (the greatest to a); the others keep the rest.
template <class T>
inline void median_least(T& a, T& b, T& c) {
  median_order(a, b);
  median_order(a, c);
}
template <class T>
inline void median_greatest(T& a, T& b, T& c) {
  median_order(b, a);
  median_order(c, a);
}
template <class T>
inline T median_of3(T a, T b, T c) {
  return max_of(min_of(a, b), min_of(max_of(a, b), c));
}

template <class T>
void median3(const T* const* rows, size_t n, size_t step, T* __restrict scratch, T* __restrict out) {
  const T* __restrict r0 = rows[0], * __restrict r1 = rows[1], * __restrict r2 = rows[2];
  const size_t wide = n + 2 * step;
  T* __restrict low = scratch, * __restrict mid = low + wide, * __restrict high = mid + wide;
  for (size_t i = 0; i < wide; ++i) {  // each column sorted once, for the three results that see it
    T a = r0[i], b = r1[i], c = r2[i];
    median_order(a, b);
    median_order(b, c);
    median_order(a, b);
    low[i] = a;
    mid[i] = b;
    high[i] = c;
  }
  for (size_t i = 0; i < n; ++i) {
    const size_t j = i + step, k = j + step;
    const T a = max_of(max_of(low[i], low[j]), low[k]);
    const T b = median_of3(mid[i], mid[j], mid[k]);
    const T c = min_of(min_of(high[i], high[j]), high[k]);
    out[i] = median_of3(a, b, c);
  }
}

// With the columns sorted, and the five values of each rank thought sorted too, the value at (rank i, place j) has at
// least (i+1)(j+1) values not above it and (5-i)(5-j) not below: 6 places lie surely under the median of 25, 6 over it.
// The median of the 13 others is found by forgetting: of n/2 + 1 values the least and the greatest are not it.
template <class T>
inline T median_of_columns(const T* r0, const T* r1, const T* r2, const T* r3, const T* r4, size_t i, size_t step) {
  const size_t j = i + step, k = j + step, l = k + step, m = l + step;
  // Rank 0: the two greatest; rank 4: the two least.
  T a = r0[i], b = r0[j], c = r0[k], d = r0[l], e = r0[m];
  median_order(a, b);
  median_order(c, d);
  median_order(b, d);
  const T p0 = d, p1 = max_of(max_of(max_of(a, b), c), e);
  a = r4[i], b = r4[j], c = r4[k], d = r4[l], e = r4[m];
  median_order(b, a);
  median_order(d, c);
  median_order(d, b);
  const T t0 = d, t1 = min_of(min_of(min_of(a, b), c), e);
  // Rank 1: the three greatest; rank 3: the three least.
  a = r1[i], b = r1[j], c = r1[k], d = r1[l], e = r1[m];
  median_order(a, b);
  median_order(c, d);
  c = max_of(a, c);
  median_order(b, c);
  median_order(d, e);
  const T q0 = c, q1 = e, q2 = max_of(b, d);
  a = r3[i], b = r3[j], c = r3[k], d = r3[l], e = r3[m];
  median_order(b, a);
  median_order(d, c);
  c = min_of(a, c);
  median_order(c, b);
  median_order(e, d);
  const T s0 = c, s1 = e, s2 = min_of(b, d);
  // Rank 2: the middle three.
  a = r2[i], b = r2[j], c = r2[k], d = r2[l], e = r2[m];
  median_order(a, b);
  median_order(c, d);
  median_order(a, c);
  median_order(b, d);
  T f = min_of(max_of(a, e), d);

  T u = p0, v = p1, w = q0, x = q1, y = q2, z = t0, g = t1, h = s0;  // 8 of 13
  median_order(u, y);
  median_order(v, z);
  median_order(w, g);
  median_order(x, h);
  median_least(u, v, w);
  median_order(u, x);
  median_greatest(y, z, g);
  median_order(h, y);
  u = s1;  // 7: u v w x z g h
  median_order(v, z);
  median_order(w, g);
  median_order(x, h);
  median_least(v, w, x);
  median_order(v, u);
  median_greatest(z, g, h);
  median_order(u, z);
  v = s2;  // 6: u v w x g h
  median_order(u, x);
  median_order(v, g);
  median_order(w, h);
  median_least(u, v, w);
  median_greatest(x, g, h);
  u = b;  // 5: u v w g h
  median_order(u, g);
  median_order(v, h);
  median_least(u, v, w);
  median_greatest(g, h, w);
  u = c;  // 4: u v w h
  median_order(u, w);
  median_order(v, h);
  median_order(u, v);
  median_order(w, h);
  return median_of3(v, w, f);
}

template <class T>
void median5(const T* const* rows, size_t n, size_t step, T* __restrict scratch, T* __restrict out) {
  const T* __restrict r0 = rows[0], * __restrict r1 = rows[1], * __restrict r2 = rows[2], * __restrict r3 = rows[3], * __restrict r4 = rows[4];
  const size_t wide = n + 4 * step;
  T* __restrict s0 = scratch, * __restrict s1 = s0 + wide, * __restrict s2 = s1 + wide, * __restrict s3 = s2 + wide, * __restrict s4 = s3 + wide;
  for (size_t i = 0; i < wide; ++i) {
    T a = r0[i], b = r1[i], c = r2[i], d = r3[i], e = r4[i];
    median_order(a, b);
    median_order(d, e);
    median_order(c, e);
    median_order(c, d);
    median_order(b, e);
    median_order(a, d);
    median_order(a, c);
    median_order(b, d);
    median_order(b, c);
    s0[i] = a;
    s1[i] = b;
    s2[i] = c;
    s3[i] = d;
    s4[i] = e;
  }
  for (size_t i = 0; i < n; ++i) out[i] = median_of_columns(s0, s1, s2, s3, s4, i, step);
}

// exp(-x) as (1 - x/32 + (x/32)^2/2)^32: only products and sums, so every instruction set gives the same bytes. Within
// 1e-3 of the exponential; x is held at 32, where it is 2e-10.
inline float bilateral_weight(float x) {
  x = min_of(x, 32.0f) * (1.0f / 32);
  float t = 1.0f - x + 0.5f * x * x;
  t *= t;
  t *= t;
  t *= t;
  t *= t;
  return t * t;
}

void bilateral_tap1(const float* __restrict center, const float* __restrict near, size_t, size_t n, float spatial,
                    float scale, float* __restrict weights, float* __restrict sums) {
  for (size_t i = 0; i < n; ++i) {
    const float d = near[i] - center[i];
    const float w = spatial * bilateral_weight(d * d * scale);
    weights[i] += w;
    sums[i] += w * near[i];
  }
}

void bilateral_tap3(const float* __restrict center, const float* __restrict near, size_t plane, size_t n, float spatial,
                    float scale, float* __restrict weights, float* __restrict sums) {
  for (size_t i = 0; i < n; ++i) {
    const float r = near[i], g = near[i + plane], b = near[i + 2 * plane];
    const float dr = r - center[i], dg = g - center[i + plane], db = b - center[i + 2 * plane];
    const float d = max_of(dr, -dr) + max_of(dg, -dg) + max_of(db, -db);
    const float w = spatial * bilateral_weight(d * d * scale);
    weights[i] += w;
    sums[i] += w * r;
    sums[i + plane] += w * g;
    sums[i + 2 * plane] += w * b;
  }
}

template <class T, class Sum>
void resize_weigh(const T* __restrict row, size_t n, Sum weight, int more, Sum* __restrict sum) {
  if (more)
    for (size_t i = 0; i < n; ++i) sum[i] += weight * static_cast<Sum>(row[i]);
  else
    for (size_t i = 0; i < n; ++i) sum[i] = weight * static_cast<Sum>(row[i]);
}

inline void resize_store(float value, uint8_t* out) {
  *out = static_cast<uint8_t>(static_cast<int32_t>(clamp_to(value + 0.5f, 0.0f, 255.0f)));
}
inline void resize_store(double value, float* out) { *out = static_cast<float>(value); }

// `fixed` is the number of taps where it is known when compiling, else 0: two taps are bilinear, their divisor is 1.
template <size_t channels, size_t fixed, class Sum, class T>
void resize_across(const Sum* __restrict row, const int64_t* __restrict first, const Sum* __restrict weights,
                   size_t any, size_t n, Sum divisor, T* __restrict out) {
  const size_t taps = fixed ? fixed : any;
  for (size_t x = 0; x < n; ++x) {
    const Sum* in = row + static_cast<size_t>(first[x]) * channels;
    const Sum* weight = weights + x * taps;
    Sum sum[channels];
    for (size_t c = 0; c < channels; ++c) sum[c] = weight[0] * in[c];
    for (size_t k = 1; k < taps; ++k)
      for (size_t c = 0; c < channels; ++c) sum[c] += weight[k] * in[k * channels + c];
    for (size_t c = 0; c < channels; ++c) resize_store(fixed ? sum[c] : sum[c] / divisor, out + x * channels + c);
  }
}

template <size_t channels, class Sum, class T>
void resize_across_taps(const Sum* row, const int64_t* first, const Sum* weights, size_t taps, size_t n, Sum divisor,
                        T* out) {
  if (taps == 2 && divisor == 1)
    resize_across<channels, 2>(row, first, weights, taps, n, divisor, out);
  else
    resize_across<channels, 0>(row, first, weights, taps, n, divisor, out);
}

template <class Sum, class T>
void resize_across_any(const Sum* row, const int64_t* first, const Sum* weights, size_t taps, size_t n, size_t channels,
                       Sum divisor, T* out) {
  if (channels == 1) return resize_across_taps<1>(row, first, weights, taps, n, divisor, out);
  if (channels == 2) return resize_across_taps<2>(row, first, weights, taps, n, divisor, out);
  if (channels == 3) return resize_across_taps<3>(row, first, weights, taps, n, divisor, out);
  resize_across_taps<4>(row, first, weights, taps, n, divisor, out);
}

inline uint16_t blur_term(uint8_t a, uint8_t b, uint16_t weight) {
  const auto sum = static_cast<uint16_t>((a + b) << 7);
  return static_cast<uint16_t>(static_cast<uint32_t>(sum) * weight >> 16);
}
inline uint16_t blur_term(uint16_t a, uint16_t b, uint16_t weight) {
  const auto sum = static_cast<uint16_t>(a + b);
  return static_cast<uint16_t>(static_cast<uint32_t>(sum) * weight >> 16);
}
inline float blur_term(float a, float b, float weight) { return (a + b) * weight; }

// What the products lose by rounding down, on average.
inline uint16_t blur_start(uint16_t, size_t radius) { return static_cast<uint16_t>((radius + 1) / 2); }
inline float blur_start(float, size_t) { return 0; }

template <class T, class Sum>
ALPHACUT_APART void blur_begin(const T* __restrict a, Sum weight, Sum start, size_t count, Sum* __restrict sum) {
  for (size_t i = 0; i < count; ++i) sum[i] = static_cast<Sum>(start + blur_term(a[i], a[i], weight));
}
template <class T, class Sum>
ALPHACUT_APART void blur_one(const T* __restrict a, const T* __restrict b, Sum weight, size_t count,
                             Sum* __restrict sum) {
  for (size_t i = 0; i < count; ++i) sum[i] = static_cast<Sum>(sum[i] + blur_term(a[i], b[i], weight));
}
template <class T, class Sum>
ALPHACUT_APART void blur_two(const T* const* above, const T* const* below, size_t x, const Sum* weights, size_t count,
                             Sum* __restrict sum) {
  const T* __restrict a = above[0] + x, * __restrict b = below[0] + x;
  const T* __restrict c = above[-1] + x, * __restrict d = below[1] + x;
  const Sum first = weights[0], second = weights[1];
  for (size_t i = 0; i < count; ++i)
    sum[i] = static_cast<Sum>(sum[i] + blur_term(a[i], b[i], first) + blur_term(c[i], d[i], second));
}

template <class T, class Sum>
void blur(const T* const* rows, const Sum* weights, size_t radius, size_t n, Sum* __restrict out) {
  constexpr size_t most = 1024;  // sums that stay in the cache
  const T* const* const middle = rows + radius;
  for (size_t x = 0; x < n; x += most) {
    const size_t count = min_of(most, n - x);
    blur_begin(middle[0] + x, weights[0], blur_start(Sum{}, radius), count, out + x);
    size_t k = 1;
    for (; k + 1 <= radius; k += 2) blur_two(middle - k, middle + k, x, weights + k, count, out + x);
    if (k == radius) blur_one(*(middle - k) + x, middle[k] + x, weights[k], count, out + x);
  }
}

constexpr PreprocessKernels preprocess_kernels = {
    median3<uint8_t>,
    median3<float>,
    median5<uint8_t>,
    median5<float>,
    bilateral_tap1,
    bilateral_tap3,
    resize_weigh<uint8_t, float>,
    resize_weigh<float, double>,
    resize_across_any<float, uint8_t>,
    resize_across_any<double, float>,
    blur<uint8_t, uint16_t>,
    blur<uint16_t, uint16_t>,
    blur<float, float>,
};
