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

template <class Sum>
void guided_slide_plane(const float* __restrict entering, const float* __restrict leaving, size_t n,
                        Sum* __restrict sums) {
  for (size_t x = 0; x < n; ++x) sums[x] += static_cast<Sum>(entering[x]) - static_cast<Sum>(leaving[x]);
}

template <class Sum>
void guided_slide_products(const float* __restrict entering_a, const float* __restrict entering_b,
                           const float* __restrict leaving_a, const float* __restrict leaving_b, size_t n,
                           Sum* __restrict sums) {
  for (size_t x = 0; x < n; ++x)
    sums[x] += static_cast<Sum>(entering_a[x] * entering_b[x]) - static_cast<Sum>(leaving_a[x] * leaving_b[x]);
}

template <class Sum>
void guided_slide_moments(const float* entering, const float* leaving, size_t n, size_t channels, size_t pitch,
                          Sum* sums) {
  for (size_t a = 0; a < channels; ++a, sums += pitch)
    guided_slide_plane(entering + a * pitch, leaving + a * pitch, n, sums);
  for (size_t a = 0; a < channels; ++a)
    for (size_t b = a; b < channels; ++b, sums += pitch)
      guided_slide_products(entering + a * pitch, entering + b * pitch, leaving + a * pitch, leaving + b * pitch, n,
                            sums);
}

void guided_slide(const float* entering, const float* leaving, size_t n, int channels, size_t pitch, double* sums,
                  float* exact, double* moments) {
  const auto planes = static_cast<size_t>(channels);
  const float *p = entering + planes * pitch, *old_p = leaving + planes * pitch;
  guided_slide_plane(p, old_p, n, sums);
  for (size_t c = 0; c < planes; ++c)
    guided_slide_products(entering + c * pitch, p, leaving + c * pitch, old_p, n, sums + (c + 1) * pitch);
  if (exact != nullptr)
    guided_slide_moments(entering, leaving, n, planes, pitch, exact);
  else
    guided_slide_moments(entering, leaving, n, planes, pitch, moments);
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

void guided_narrow(const double* __restrict from, size_t n, float* __restrict to) {
  for (size_t x = 0; x < n; ++x) to[x] = static_cast<float>(from[x]);
}

// Window sums of `planes` planes of columns.
void guided_boxes(const double* columns, size_t planes, size_t n, size_t window, size_t pitch, float* scratch,
                  float* sums) {
  for (size_t k = 0; k < planes; ++k) {
    guided_narrow(columns + k * pitch, n + window - 1, scratch);
    guided_box(scratch, n, window, scratch + pitch, sums + k * pitch);
  }
}

void guided_boxes(const float* columns, size_t planes, size_t n, size_t window, size_t pitch, float* scratch,
                  float* sums) {
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
    // L·D·Lᵀ of the covariance
    const double d0 = 1 / c00, l10 = c01 * d0, l20 = c02 * d0;
    const double d1 = 1 / (c11 - l10 * c01), e = c12 - l20 * c01, l21 = e * d1;
    const double d2 = 1 / (c22 - l20 * c02 - l21 * e);
    const double y1 = p1 - l10 * p0, y2 = p2 - l20 * p0 - l21 * y1;
    const double a2 = y2 * d2, a1 = y1 * d1 - l21 * a2, a0 = p0 * d0 - l10 * a1 - l20 * a2;
    fit[x] = static_cast<float>(a0);
    fit[pitch + x] = static_cast<float>(a1);
    fit[2 * pitch + x] = static_cast<float>(a2);
    fit[3 * pitch + x] = static_cast<float>(p - a0 * i0 - a1 * i1 - a2 * i2);
  }
}

void guided_fit(const double* sums, const float* exact, const double* moments, size_t n, size_t radius, int channels,
                size_t pitch, const double* inverse_width, double inverse_height, double eps, float* scratch,
                float* fit) {
  const auto planes = static_cast<size_t>(channels);
  const size_t window = 2 * radius + 1, count = planes + planes * (planes + 1) / 2;
  float *boxes = scratch + 2 * pitch, *moment_boxes = boxes + (planes + 1) * pitch;
  guided_boxes(sums, planes + 1, n, window, pitch, scratch, boxes);
  if (exact != nullptr)
    guided_boxes(exact, count, n, window, pitch, scratch, moment_boxes);
  else
    guided_boxes(moments, count, n, window, pitch, scratch, moment_boxes);
  (channels == 3 ? guided_solve_colour : guided_solve_gray)(boxes, n, pitch, inverse_width, inverse_height, eps, fit);
}

void guided_slide_fit(const float* entering, const float* leaving, size_t n, int planes, size_t pitch,
                      double* columns) {
  for (size_t k = 0; k < static_cast<size_t>(planes); ++k)
    guided_slide_plane(entering + k * pitch, leaving + k * pitch, n, columns + k * pitch);
}

void guided_scale(const double* __restrict inverse_width, double inverse_height, size_t n, float* __restrict values) {
  for (size_t x = 0; x < n; ++x) values[x] *= static_cast<float>(inverse_width[x] * inverse_height);
}

void guided_mean_fit(const double* columns, size_t n, size_t radius, int planes, size_t pitch,
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
