template <int C, class T>
void guided_split_planes(const T* __restrict pixels, size_t n, const float* __restrict centre, float* __restrict planes,
                         size_t pitch) {
  for (size_t x = 0; x < n; ++x)
    for (size_t c = 0; c < C; ++c) planes[c * pitch + x] = static_cast<float>(pixels[x * C + c]) - centre[c];
}

void guided_split_u8(const uint8_t* pixels, size_t n, int channels, const float* centre, float* planes, size_t pitch) {
  (channels == 3 ? guided_split_planes<3, uint8_t> : guided_split_planes<1, uint8_t>)(pixels, n, centre, planes, pitch);
}

void guided_split_f32(const float* pixels, size_t n, int channels, const float* centre, float* planes, size_t pitch) {
  (channels == 3 ? guided_split_planes<3, float> : guided_split_planes<1, float>)(pixels, n, centre, planes, pitch);
}

void guided_unit_u8(const uint8_t* __restrict pixels, size_t n, float centre, float* __restrict plane) {
  for (size_t x = 0; x < n; ++x) plane[x] = static_cast<float>(pixels[x]) / 255 - centre;
}

// Loops whose arrays do not overlap, though the compiler cannot see it.
#if defined(__clang__)
#define GUIDED_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define GUIDED_INDEPENDENT _Pragma("GCC ivdep")
#elif defined(_MSC_VER)
#define GUIDED_INDEPENDENT __pragma(loop(ivdep))
#else
#define GUIDED_INDEPENDENT
#endif

// Only products are rounded, and those of a row alike when it enters and when it leaves.
template <bool Exact>
inline void guided_move(float entering, float leaving, double* sum, float* column) {
  if (Exact) {
    *column += entering - leaving;
  } else {
    *sum += static_cast<double>(entering) - static_cast<double>(leaving);
    *column = static_cast<float>(*sum);
  }
}

template <bool Exact>
void guided_slide_gray(const float* __restrict entering, const float* __restrict leaving, size_t n, size_t pitch,
                       double* __restrict sums, float* __restrict columns) {
  GUIDED_INDEPENDENT
  for (size_t x = 0; x < n; ++x) {
    const float *e = entering + x, *l = leaving + x;
    const float i = e[0], p = e[pitch], old_i = l[0], old_p = l[pitch];
    double* s = sums + x;
    float* c = columns + x;
    guided_move<false>(p, old_p, s, c);
    guided_move<false>(i * p, old_i * old_p, s + pitch, c + pitch);
    guided_move<Exact>(i, old_i, s + 2 * pitch, c + 2 * pitch);
    guided_move<Exact>(i * i, old_i * old_i, s + 3 * pitch, c + 3 * pitch);
  }
}

template <bool Exact>
void guided_slide_colour(const float* __restrict entering, const float* __restrict leaving, size_t n, size_t pitch,
                         double* __restrict sums, float* __restrict columns) {
  GUIDED_INDEPENDENT
  for (size_t x = 0; x < n; ++x) {
    const float *e = entering + x, *l = leaving + x;
    const float i0 = e[0], i1 = e[pitch], i2 = e[2 * pitch], p = e[3 * pitch];
    const float o0 = l[0], o1 = l[pitch], o2 = l[2 * pitch], old_p = l[3 * pitch];
    double* s = sums + x;
    float* c = columns + x;
    guided_move<false>(p, old_p, s, c);
    guided_move<false>(i0 * p, o0 * old_p, s + pitch, c + pitch);
    guided_move<false>(i1 * p, o1 * old_p, s + 2 * pitch, c + 2 * pitch);
    guided_move<false>(i2 * p, o2 * old_p, s + 3 * pitch, c + 3 * pitch);
    guided_move<Exact>(i0, o0, s + 4 * pitch, c + 4 * pitch);
    guided_move<Exact>(i1, o1, s + 5 * pitch, c + 5 * pitch);
    guided_move<Exact>(i2, o2, s + 6 * pitch, c + 6 * pitch);
    guided_move<Exact>(i0 * i0, o0 * o0, s + 7 * pitch, c + 7 * pitch);
    guided_move<Exact>(i0 * i1, o0 * o1, s + 8 * pitch, c + 8 * pitch);
    guided_move<Exact>(i0 * i2, o0 * o2, s + 9 * pitch, c + 9 * pitch);
    guided_move<Exact>(i1 * i1, o1 * o1, s + 10 * pitch, c + 10 * pitch);
    guided_move<Exact>(i1 * i2, o1 * o2, s + 11 * pitch, c + 11 * pitch);
    guided_move<Exact>(i2 * i2, o2 * o2, s + 12 * pitch, c + 12 * pitch);
  }
}

void guided_slide(const float* entering, const float* leaving, size_t n, int channels, int exact, size_t pitch,
                  double* sums, float* columns) {
  (channels == 3 ? exact ? guided_slide_colour<true> : guided_slide_colour<false>
   : exact       ? guided_slide_gray<true>
                 : guided_slide_gray<false>)(entering, leaving, n, pitch, sums, columns);
}

// sums[x] = values[x] + ... + values[x + window - 1] by doubling, one bit of the window after the other, or two where
// the first is 0: few roundings, and no running sum that would have to go from pixel to pixel. `spare` and `sums` are
// as long as `values`.
void guided_box(const float* values, size_t n, size_t window, float* spare, float* sums) {
  int bit = 0, passes = 0;
  while (window >> (bit + 1) > 0) ++bit;
  for (int b = bit; b > 0; ++passes) b -= b > 1 && (window >> (b - 1) & 1) == 0 ? 2 : 1;
  const float* half = values;
  for (; passes > 0; --passes) {
    const size_t size = window >> bit, fused = bit > 1 && (window >> (bit - 1) & 1) == 0;
    bit -= fused ? 2 : 1;
    const size_t odd = window >> bit & 1, middle = (window >> bit) / 2, from = middle + odd;
    const size_t m = n + window - (window >> bit);
    float* __restrict to = passes % 2 == 1 ? sums : spare;
    const float* centre = values + middle;
    if (fused && odd)
      for (size_t x = 0; x < m; ++x)
        to[x] = ((half[x] + half[x + size]) + (half[x + from] + half[x + from + size])) + centre[x];
    else if (fused)
      for (size_t x = 0; x < m; ++x) to[x] = (half[x] + half[x + size]) + (half[x + from] + half[x + from + size]);
    else if (odd)
      for (size_t x = 0; x < m; ++x) to[x] = (half[x] + half[x + from]) + centre[x];
    else
      for (size_t x = 0; x < m; ++x) to[x] = half[x] + half[x + from];
    half = to;
  }
}

#if defined(__AVX512F__)
// The same for small windows, in registers: each doubling adds neighbouring vectors, a vector behind the one before.
template <int Window>
struct GuidedSmallBox {
  static constexpr int steps = Window < 4 ? 1 : Window < 8 ? 2 : Window < 16 ? 3 : 4;
  __m512 half[steps] = {}, value[steps + 1] = {};

  // The lanes from `first` on of two vectors.
  static __m512 from(int first, __m512 low, __m512 high) {
    const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm512_permutex2var_ps(low, _mm512_add_epi32(lanes, _mm512_set1_epi32(first)), high);
  }

  template <int Step>
  __m512 add(__m512 next) {
    if constexpr (Step == steps) {
      return next;
    } else {
      constexpr int size = Window >> (steps - Step), odd = Window >> (steps - Step - 1) & 1;
      __m512 sum = _mm512_add_ps(half[Step], from(size + odd, half[Step], next));
      if constexpr (odd != 0) sum = _mm512_add_ps(sum, from(size, value[steps - Step - 1], value[steps - Step]));
      half[Step] = next;
      return add<Step + 1>(sum);
    }
  }

  // Takes the next 16 values and returns the sums that begin 16 · steps before them.
  __m512 enter(__m512 values) {
    for (int k = 0; k < steps; ++k) value[k] = value[k + 1];
    return add<0>(value[steps] = values);
  }
};

template <int Window>
void guided_small_box(const float* values, size_t n, float* sums) {
  const auto mask = [](size_t x, size_t end) {
    return static_cast<__mmask16>(x >= end ? 0 : end - x >= 16 ? 0xffff : (1u << (end - x)) - 1);
  };
  GuidedSmallBox<Window> box;
  constexpr size_t behind = 16 * box.steps;
  const size_t columns = n + Window - 1;
  size_t x = 0;
  for (; x < behind; x += 16) box.enter(_mm512_maskz_loadu_ps(mask(x, columns), values + x));
  for (; x + 16 <= columns && x + 16 <= n + behind; x += 16)
    _mm512_storeu_ps(sums + x - behind, box.enter(_mm512_loadu_ps(values + x)));
  for (; x < n + behind; x += 16)
    _mm512_mask_storeu_ps(sums + x - behind, mask(x, n + behind),
                          box.enter(_mm512_maskz_loadu_ps(mask(x, columns), values + x)));
}

using GuidedBox = void (*)(const float* values, size_t n, float* sums);
constexpr GuidedBox guided_small_boxes[] = {
    // windows of 3, 5, ... 31
    guided_small_box<3>,  guided_small_box<5>,  guided_small_box<7>,  guided_small_box<9>,  guided_small_box<11>,
    guided_small_box<13>, guided_small_box<15>, guided_small_box<17>, guided_small_box<19>, guided_small_box<21>,
    guided_small_box<23>, guided_small_box<25>, guided_small_box<27>, guided_small_box<29>, guided_small_box<31>};
#endif

// Window sums of `planes` planes of columns.
void guided_boxes(const float* columns, size_t planes, size_t n, size_t window, size_t pitch, float* scratch,
                  float* sums) {
#if defined(__AVX512F__)
  if (window <= 31) {
    for (size_t k = 0; k < planes; ++k) guided_small_boxes[(window - 3) / 2](columns + k * pitch, n, sums + k * pitch);
    return;
  }
#endif
  for (size_t k = 0; k < planes; ++k) guided_box(columns + k * pitch, n, window, scratch, sums + k * pitch);
}

// `s` holds planes of window sums: p, I·p, I, I².
void guided_solve_gray(const float* __restrict s, size_t n, size_t pitch, const double* __restrict inverse_width,
                       double inverse_height, double eps, float* __restrict fit) {
  for (size_t x = 0; x < n; ++x) {
    const double scale = inverse_width[x] * inverse_height;
    const double p = static_cast<double>(s[x]) * scale, i = static_cast<double>(s[2 * pitch + x]) * scale;
    const double covariance = static_cast<double>(s[pitch + x]) * scale - i * p;
    const double variance = static_cast<double>(s[3 * pitch + x]) * scale - i * i + eps;
    const float a = static_cast<float>(covariance) / static_cast<float>(variance);
    fit[x] = a;
    fit[pitch + x] = static_cast<float>(p - static_cast<double>(a) * i);
  }
}

// p, I·p, I, upper triangle of I·Iᵀ
void guided_solve_colour(const float* __restrict s, size_t n, size_t pitch, const double* __restrict inverse_width,
                         double inverse_height, double eps, float* __restrict fit) {
  for (size_t x = 0; x < n; ++x) {
    const double scale = inverse_width[x] * inverse_height;
    const float* at = s + x;
    const auto mean = [&](size_t k) { return static_cast<double>(at[k * pitch]) * scale; };
    const double p = mean(0), i0 = mean(4), i1 = mean(5), i2 = mean(6);
    const double p0 = mean(1) - i0 * p, p1 = mean(2) - i1 * p, p2 = mean(3) - i2 * p;
    const double c00 = mean(7) - i0 * i0 + eps, c01 = mean(8) - i0 * i1, c02 = mean(9) - i0 * i2;
    const double c11 = mean(10) - i1 * i1 + eps, c12 = mean(11) - i1 * i2, c22 = mean(12) - i2 * i2 + eps;
    // Elimination without fractions: one division, and as stable as L·D·Lᵀ.
    const double d11 = c00 * c11 - c01 * c01, d12 = c00 * c12 - c01 * c02, d22 = c00 * c22 - c02 * c02;
    const double q1 = c00 * p1 - c01 * p0, q2 = c00 * p2 - c02 * p0;
    const double first = c00 * d11, last = d11 * d22 - d12 * d12, inverse = 1 / (first * last);
    const double a2 = (d11 * q2 - d12 * q1) * (first * inverse), rest = last * inverse;
    const double a1 = (q1 - d12 * a2) * (c00 * rest), a0 = (p0 - c01 * a1 - c02 * a2) * (d11 * rest);
    fit[x] = static_cast<float>(a0);
    fit[pitch + x] = static_cast<float>(a1);
    fit[2 * pitch + x] = static_cast<float>(a2);
    fit[3 * pitch + x] = static_cast<float>(p - a0 * i0 - a1 * i1 - a2 * i2);
  }
}

void guided_fit(const float* columns, size_t n, size_t radius, int channels, size_t pitch, const double* inverse_width,
                double inverse_height, double eps, float* scratch, float* fit) {
  float* boxes = scratch + pitch;
  guided_boxes(columns, channels == 3 ? 13 : 4, n, 2 * radius + 1, pitch, scratch, boxes);
  (channels == 3 ? guided_solve_colour : guided_solve_gray)(boxes, n, pitch, inverse_width, inverse_height, eps, fit);
}

void guided_slide_fit(const float* entering, const float* leaving, size_t n, int planes, size_t pitch, double* sums,
                      float* columns) {
  for (size_t k = 0; k < static_cast<size_t>(planes) * pitch; k += pitch) {
    GUIDED_INDEPENDENT
    for (size_t x = k; x < k + n; ++x) guided_move<false>(entering[x], leaving[x], sums + x, columns + x);
  }
}

void guided_scale(const double* __restrict inverse_width, double inverse_height, size_t n, float* __restrict values) {
  for (size_t x = 0; x < n; ++x) values[x] *= static_cast<float>(inverse_width[x] * inverse_height);
}

void guided_mean_fit(const float* columns, size_t n, size_t radius, int planes, size_t pitch,
                     const double* inverse_width, double inverse_height, float* scratch, float* mean) {
  guided_boxes(columns, static_cast<size_t>(planes), n, 2 * radius + 1, pitch, scratch, mean);
  for (size_t k = 0; k < static_cast<size_t>(planes); ++k)
    guided_scale(inverse_width, inverse_height, n, mean + k * pitch);
}

void guided_apply_fit(const float* __restrict mean, const float* __restrict guide, size_t n, int channels, size_t pitch,
                      float centre, float* __restrict result) {
  if (channels == 1) {
    for (size_t x = 0; x < n; ++x) result[x] = mean[x] * guide[x] + mean[pitch + x] + centre;
    return;
  }
  for (size_t x = 0; x < n; ++x)
    result[x] = mean[x] * guide[x] + mean[pitch + x] * guide[pitch + x] + mean[2 * pitch + x] * guide[2 * pitch + x] +
                mean[3 * pitch + x] + centre;
}

template <class T>
constexpr float guided_full = sizeof(T) == 1 ? 255.0f : 1.0f;  // what 1 is stored as

inline int guided_wide(uint8_t value) { return value; }
inline float guided_wide(float value) { return value; }

// Sums down the columns, four rows at a time. Those of bytes are whole numbers.
template <class T>
void guided_add_rows(const T* pixels, ptrdiff_t stride, size_t rows, size_t n, float* __restrict sums) {
  const auto row = [&](size_t y) {
    return reinterpret_cast<const T*>(reinterpret_cast<const char*>(pixels) + static_cast<ptrdiff_t>(y) * stride);
  };
  for (size_t i = 0; i < n; ++i) sums[i] = 0;
  size_t y = 0;
  for (; y + 4 <= rows; y += 4) {
    const T *a = row(y), *b = row(y + 1), *c = row(y + 2), *d = row(y + 3);
    for (size_t i = 0; i < n; ++i)
      sums[i] += static_cast<float>((guided_wide(a[i]) + guided_wide(b[i])) + (guided_wide(c[i]) + guided_wide(d[i])));
  }
  for (; y < rows; ++y) {
    const T* a = row(y);
    for (size_t i = 0; i < n; ++i) sums[i] += static_cast<float>(a[i]);
  }
}

// Sums of 4 columns: made planar first, which vectorises as the sum then does.
template <int C>
void guided_add_four_columns(const float* __restrict sums, size_t cells, float scale, const float* __restrict centre,
                             float* __restrict planes, size_t pitch) {
  constexpr size_t chunk = 64;
  float plane[C][4 * chunk];
  for (size_t x = 0; x < cells; x += chunk, sums += 4 * C * chunk) {
    const size_t m = min_of(chunk, cells - x);
    for (size_t i = 0; i < 4 * m; ++i)
      for (int c = 0; c < C; ++c) plane[c][i] = sums[C * i + static_cast<size_t>(c)];
    for (int c = 0; c < C; ++c) {
      float* __restrict means = planes + static_cast<size_t>(c) * pitch + x;
      for (size_t i = 0; i < m; ++i)
        means[i] =
            ((plane[c][4 * i] + plane[c][4 * i + 1]) + (plane[c][4 * i + 2] + plane[c][4 * i + 3])) / scale - centre[c];
    }
  }
}

template <int C, class T>
void guided_shrink_cells(const T* pixels, ptrdiff_t stride, size_t rows, size_t cells, size_t factor,
                         const float* centre, float* sums, float* planes, size_t pitch) {
  const float scale = static_cast<float>(factor * rows) * guided_full<T>;
  guided_add_rows(pixels, stride, rows, cells * factor * C, sums);
  if (factor == 4) {
    guided_add_four_columns<C>(sums, cells, scale, centre, planes, pitch);
    return;
  }
  for (size_t x = 0; x < cells; ++x, sums += C * factor)
    for (size_t c = 0; c < C; ++c) {
      float sum = 0;
      for (size_t k = 0; k < factor; ++k) sum += sums[C * k + c];
      planes[c * pitch + x] = sum / scale - centre[c];
    }
}

template <class T>
void guided_shrink(const T* pixels, ptrdiff_t stride, size_t rows, size_t cells, int channels, size_t factor,
                   const float* centre, float* sums, float* planes, size_t pitch) {
  (channels == 3 ? guided_shrink_cells<3, T> : guided_shrink_cells<1, T>)(pixels, stride, rows, cells, factor, centre,
                                                                          sums, planes, pitch);
}

// `Factor` is 0, or `factor` where the compiler shall know it.
template <size_t Factor>
void guided_enlarge_cells(const float* __restrict cells, size_t n, size_t factor, float* __restrict pixels) {
  const size_t size = Factor == 0 ? factor : Factor;
  for (size_t x = 0; x < n; ++x) {
    const float here = cells[x], left = here - cells[static_cast<ptrdiff_t>(x) - 1], right = cells[x + 1] - here;
    for (size_t k = 0; k < size; ++k) {
      const float at = (static_cast<float>(k) + 0.5f) / static_cast<float>(size) - 0.5f;
      pixels[x * size + k] = here + at * (at < 0 ? left : right);
    }
  }
}

void guided_enlarge(const float* cells, size_t n, size_t factor, float* pixels) {
  (factor == 2   ? guided_enlarge_cells<2>
   : factor == 4 ? guided_enlarge_cells<4>
                 : guided_enlarge_cells<0>)(cells, n, factor, pixels);
}

template <int C, class T>
void guided_blend_pixels(const float* __restrict above, const float* __restrict below, float share,
                         const T* __restrict pixels, size_t n, const float* __restrict centre, size_t pitch,
                         float* __restrict result) {
  const auto between = [&](size_t i) { return above[i] + share * (below[i] - above[i]); };
  for (size_t x = 0; x < n; ++x) {
    float sum = between(C * pitch + x) + centre[C];
    for (size_t c = 0; c < C; ++c)
      sum += between(c * pitch + x) * (static_cast<float>(pixels[C * x + c]) * (1 / guided_full<T>)-centre[c]);
    result[x] = sum;
  }
}

template <class T>
void guided_blend(const float* above, const float* below, float share, const T* pixels, size_t n, int channels,
                  const float* centre, size_t pitch, float* result) {
  (channels == 3 ? guided_blend_pixels<3, T> : guided_blend_pixels<1, T>)(above, below, share, pixels, n, centre, pitch,
                                                                          result);
}

constexpr GuidedKernels guided_kernels = {
    guided_split_u8,  guided_split_f32,      guided_unit_u8,     guided_slide,           guided_fit,
    guided_slide_fit, guided_mean_fit,       guided_apply_fit,   guided_shrink<uint8_t>, guided_shrink<float>,
    guided_enlarge,   guided_blend<uint8_t>, guided_blend<float>};
