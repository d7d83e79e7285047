void gray_u8(const uint8_t* __restrict rgb, size_t n, uint8_t* __restrict gray) {
  for (size_t i = 0; i < n; ++i) {
    const uint32_t sum = 9798u * rgb[3 * i] + 19235u * rgb[3 * i + 1] + 3735u * rgb[3 * i + 2];
    gray[i] = static_cast<uint8_t>((sum + 16384u) >> 15);
  }
}

void gray_f32(const float* __restrict rgb, size_t n, float* __restrict gray) {
  for (size_t i = 0; i < n; ++i) gray[i] = 0.299f * rgb[3 * i] + 0.587f * rgb[3 * i + 1] + 0.114f * rgb[3 * i + 2];
}

int in_range_f32(const float* __restrict values, size_t n, float low, float high) {
  int outside = 0;
  for (size_t i = 0; i < n; ++i) outside |= !((values[i] >= low) & (values[i] <= high));
  return !outside;
}

// A cube root's first guess, from a third of the exponent. This and the steps below are cbrt_exact (src/math.hpp).
inline double lab_root_guess(double x) {
  union {
    double value;
    uint64_t bits;
  } guess = {x};
  guess.bits = guess.bits / 3 + 0x2a9f7893782da1ceULL;
  return guess.value;
}
inline double lab_root_step(double y, double x) {
  const double cube = y * y * y;
  return y * ((cube + 2 * x) / (2 * cube + x));
}

// f = the curve of CIE L*a*b* at n values x >= 0.
void lab_curve(const double* __restrict x, size_t n, double* __restrict f) {
  constexpr double dark = 216.0 / 24389;
  for (size_t i = 0; i < n; ++i) f[i] = lab_root_guess(x[i]);
  int any_dark = 0;
  for (size_t i = 0; i < n; ++i) {
    f[i] = lab_root_step(lab_root_step(lab_root_step(f[i], x[i]), x[i]), x[i]);
    any_dark |= !(x[i] > dark);
  }
  if (!any_dark) return;
  for (size_t i = 0; i < n; ++i) f[i] = x[i] > dark ? f[i] : (24389.0 / 27 * x[i] + 16) / 116;
}

void lab(const double* __restrict red, const double* __restrict green, const double* __restrict blue, size_t n,
         float* __restrict lab, size_t step, size_t plane) {
  constexpr size_t most = 64;
  double xyz[3 * most], f[3 * most];
  float values[3 * most];
  for (size_t begin = 0; begin < n; begin += most) {
    const size_t m = min_of(n - begin, most);
    double* __restrict x = xyz, * __restrict y = xyz + m, * __restrict z = xyz + 2 * m;
    for (size_t i = 0; i < m; ++i) {
      const double r = red[begin + i], g = green[begin + i], b = blue[begin + i];
      x[i] = (0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.950456;
      y[i] = 0.212671 * r + 0.715160 * g + 0.072169 * b;
      z[i] = (0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.088754;
    }
    lab_curve(xyz, 3 * m, f);
    for (size_t i = 0; i < m; ++i) {
      values[i] = static_cast<float>(116 * f[m + i] - 16);
      values[most + i] = static_cast<float>(500 * (f[i] - f[m + i]));
      values[2 * most + i] = static_cast<float>(200 * (f[m + i] - f[2 * m + i]));
    }
    for (size_t c = 0; c < 3; ++c)
      for (size_t i = 0; i < m; ++i) lab[c * plane + (begin + i) * step] = values[c * most + i];
  }
}

constexpr ColorKernels color_kernels = {gray_u8, gray_f32, in_range_f32, lab};
