// Terms of the normal equations a pixel: w, w·p, w·I, w·I·p, w·I·Iᵀ.
constexpr int matting_terms(int channels) { return 2 + 2 * channels + channels * (channels + 1) / 2; }

template <int C>
void matting_accumulate(const float* __restrict guide, const float* __restrict source, const float* __restrict weight,
                        size_t n, double sign, double* __restrict columns) {
  for (size_t x = 0; x < n; ++x, guide += C, columns += matting_terms(C)) {
    const double w = weight == nullptr ? sign : sign * static_cast<double>(weight[x]);
    const double p = static_cast<double>(source[x]);
    double* sum = columns;
    *sum++ += w;
    *sum++ += w * p;
    for (int a = 0; a < C; ++a) {
      const double value = w * static_cast<double>(guide[a]);
      sum[a] += value;
      sum[C + a] += value * p;
    }
    sum += 2 * C;
    for (int a = 0; a < C; ++a)
      for (int b = a; b < C; ++b) *sum++ += w * static_cast<double>(guide[a]) * static_cast<double>(guide[b]);
  }
}

void guided_accumulate(const float* guide, const float* source, const float* weight, size_t n, int channels,
                       double sign, double* columns) {
  (channels == 3 ? matting_accumulate<3> : matting_accumulate<1>)(guide, source, weight, n, sign, columns);
}

constexpr size_t kMattingChunk = 64;

// Window sums of the columns x0 .. x0 + m, planar, from the running sum that ends at column x0 + radius - 1.
template <int Terms>
void matting_window_sums(const double* columns, size_t n, size_t radius, size_t x0, size_t m, double* running,
                         double (*sums)[kMattingChunk]) {
  for (size_t j = 0; j < m; ++j) {
    const size_t x = x0 + j;
    if (x + radius < n)
      for (int t = 0; t < Terms; ++t) running[t] += columns[(x + radius) * Terms + t];
    if (x > radius)
      for (int t = 0; t < Terms; ++t) running[t] -= columns[(x - radius - 1) * Terms + t];
    for (int t = 0; t < Terms; ++t) sums[t][j] = running[t];
  }
}

template <int Terms>
void matting_first_sum(const double* columns, size_t n, size_t radius, double* running) {
  for (int t = 0; t < Terms; ++t) running[t] = 0;
  for (size_t x = 0; x < radius && x < n; ++x)
    for (int t = 0; t < Terms; ++t) running[t] += columns[x * Terms + t];
}

// A window with less weight than this holds nothing but rounding.
constexpr double kMattingLeastWeight = 1e-6;

void matting_solve_chunk(const double (*s)[kMattingChunk], size_t m, int channels, double eps,
                         float* __restrict coefficients) {
  if (channels == 1) {
    for (size_t j = 0; j < m; ++j) {
      const double valid = s[0][j] > kMattingLeastWeight ? 1 : 0;
      const double scale = valid / (valid > 0 ? s[0][j] : 1);
      const double p = s[1][j] * scale, i = s[2][j] * scale;
      const double a = (s[3][j] * scale - i * p) / (s[4][j] * scale - i * i + eps);
      coefficients[3 * j] = static_cast<float>(a);
      coefficients[3 * j + 1] = static_cast<float>(p - a * i);
      coefficients[3 * j + 2] = static_cast<float>(valid);
    }
    return;
  }
  for (size_t j = 0; j < m; ++j) {
    const double valid = s[0][j] > kMattingLeastWeight ? 1 : 0;
    const double scale = valid / (valid > 0 ? s[0][j] : 1);
    const double p = s[1][j] * scale, i0 = s[2][j] * scale, i1 = s[3][j] * scale, i2 = s[4][j] * scale;
    const double p0 = s[5][j] * scale - i0 * p, p1 = s[6][j] * scale - i1 * p, p2 = s[7][j] * scale - i2 * p;
    const double c00 = s[8][j] * scale - i0 * i0 + eps, c01 = s[9][j] * scale - i0 * i1;
    const double c02 = s[10][j] * scale - i0 * i2, c11 = s[11][j] * scale - i1 * i1 + eps;
    const double c12 = s[12][j] * scale - i1 * i2, c22 = s[13][j] * scale - i2 * i2 + eps;
    // L·D·Lᵀ of the covariance
    const double d0 = 1 / c00, l10 = c01 * d0, l20 = c02 * d0;
    const double d1 = 1 / (c11 - l10 * c01), e = c12 - l20 * c01, l21 = e * d1;
    const double d2 = 1 / (c22 - l20 * c02 - l21 * e);
    const double y1 = p1 - l10 * p0, y2 = p2 - l20 * p0 - l21 * y1;
    const double a2 = y2 * d2, a1 = y1 * d1 - l21 * a2, a0 = p0 * d0 - l10 * a1 - l20 * a2;
    coefficients[5 * j] = static_cast<float>(a0);
    coefficients[5 * j + 1] = static_cast<float>(a1);
    coefficients[5 * j + 2] = static_cast<float>(a2);
    coefficients[5 * j + 3] = static_cast<float>(p - a0 * i0 - a1 * i1 - a2 * i2);
    coefficients[5 * j + 4] = static_cast<float>(valid);
  }
}

template <int C>
void matting_solve(const double* columns, size_t n, size_t radius, double eps, float* coefficients) {
  constexpr int terms = matting_terms(C);
  double running[terms], sums[terms][kMattingChunk];
  matting_first_sum<terms>(columns, n, radius, running);
  for (size_t x = 0; x < n; x += kMattingChunk) {
    const size_t m = min_of(kMattingChunk, n - x);
    matting_window_sums<terms>(columns, n, radius, x, m, running, sums);
    matting_solve_chunk(sums, m, C, eps, coefficients + x * (C + 2));
  }
}

void guided_solve(const double* columns, size_t n, size_t radius, int channels, double eps, float* coefficients) {
  (channels == 3 ? matting_solve<3> : matting_solve<1>)(columns, n, radius, eps, coefficients);
}

void guided_add(const float* __restrict values, size_t n, double sign, double* __restrict columns) {
  for (size_t i = 0; i < n; ++i) columns[i] += sign * static_cast<double>(values[i]);
}

template <int C>
void matting_mean(const double* columns, size_t n, size_t radius, float* coefficients) {
  constexpr int terms = C + 2;
  double running[terms], sums[terms][kMattingChunk];
  matting_first_sum<terms>(columns, n, radius, running);
  for (size_t x = 0; x < n; x += kMattingChunk) {
    const size_t m = min_of(kMattingChunk, n - x);
    matting_window_sums<terms>(columns, n, radius, x, m, running, sums);
    for (size_t j = 0; j < m; ++j) {
      const double valid = sums[C + 1][j] > 0 ? 1 : 0;  // whole numbers: exact
      const double scale = valid / (valid > 0 ? sums[C + 1][j] : 1);
      float* out = coefficients + (x + j) * terms;
      for (int t = 0; t <= C; ++t) out[t] = static_cast<float>(sums[t][j] * scale);
      out[C + 1] = static_cast<float>(valid);
    }
  }
}

void guided_mean(const double* columns, size_t n, size_t radius, int channels, float* coefficients) {
  (channels == 3 ? matting_mean<3> : matting_mean<1>)(columns, n, radius, coefficients);
}

void guided_apply(const float* __restrict guide, const float* __restrict coefficients, size_t n, int channels,
                  float* __restrict result) {
  if (channels == 1) {
    for (size_t x = 0; x < n; ++x) result[x] = coefficients[3 * x] * guide[x] + coefficients[3 * x + 1];
    return;
  }
  for (size_t x = 0; x < n; ++x) {
    const float* k = coefficients + 5 * x;
    result[x] = k[0] * guide[3 * x] + k[1] * guide[3 * x + 1] + k[2] * guide[3 * x + 2] + k[3];
  }
}

void distance_down(const uint8_t* __restrict mask, const int32_t* __restrict above, size_t n, int32_t cap,
                   int32_t* __restrict distance) {
  for (size_t x = 0; x < n; ++x) {
    const int32_t sign = mask[x] != 0 ? 1 : -1;
    distance[x] = sign * min_of(max_of(sign * above[x], 0) + 1, cap);
  }
}

void distance_up(const int32_t* __restrict below, size_t n, int32_t* __restrict distance) {
  for (size_t x = 0; x < n; ++x) {
    const int32_t sign = distance[x] > 0 ? 1 : -1;
    distance[x] = sign * min_of(sign * distance[x], max_of(sign * below[x], 0) + 1);
  }
}

// What mixtures of B and F = B + D need: the share of F nearest to colour - B = d, and the squared distance then.
inline float matting_share(float d0, float d1, float d2, float a0, float a1, float a2, float scale) {
  return clamp_to(((d0 * a0 + d1 * a1) + d2 * a2) * scale, 0.0f, 1.0f);
}

void walk_rays(const float* pixels, ptrdiff_t plane, const int64_t* steps, size_t count, MattingKernels::Rays* rays) {
  constexpr int n = MattingKernels::kRays;
  constexpr size_t kStride = 4;  // steps to a look at whether any ray goes on
  float color[3][n], total[n], cost[2][n];
  int32_t want[n], limit[n], found[2][n];
  for (int i = 0; i < n; ++i) {
    for (int c = 0; c < 3; ++c) color[c][i] = rays->color[c][i];
    for (int k = 0; k < 2; ++k) cost[k][i] = 0, found[k][i] = 0;
    want[i] = rays->want[i], limit[i] = rays->limit[i];
    total[i] = 0;
  }
  int32_t any = 1;
  for (size_t s = 0; s < count && any != 0;) {
    for (const size_t stop = min_of(s + kStride, count); s < stop; ++s) {
      const float* at = pixels + steps[s];
      const auto step = static_cast<int32_t>(s + 1);
      for (int i = 0; i < n; ++i) {
        const auto label = static_cast<int32_t>(at[3 * plane + i]);
        const float d0 = at[i] - color[0][i], d1 = at[plane + i] - color[1][i], d2 = at[2 * plane + i] - color[2][i];
        color[0][i] = at[i], color[1][i] = at[plane + i], color[2][i] = at[2 * plane + i];
        total[i] += (d0 * d0 + d1 * d1) + d2 * d2;
        const int32_t goes = -static_cast<int32_t>(step <= limit[i]) & -static_cast<int32_t>(label != 4);
        const int32_t hit = want[i] & goes & label, back = -(hit & 1), front = -(hit >> 1);
        found[0][i] = (found[0][i] & ~back) | (step & back);
        found[1][i] = (found[1][i] & ~front) | (step & front);
        cost[0][i] = back != 0 ? total[i] : cost[0][i];
        cost[1][i] = front != 0 ? total[i] : cost[1][i];
        want[i] &= goes & ~hit;
      }
    }
    any = 0;
    for (int i = 0; i < n; ++i) any |= want[i];
  }
  for (int i = 0; i < n; ++i)
    for (int k = 0; k < 2; ++k) rays->step[k][i] = found[k][i], rays->cost[k][i] = cost[k][i];
}

void pair_misfits(const float* __restrict pairs, const float* __restrict colours, size_t count,
                  const float* __restrict here, float* __restrict misfit, float* __restrict alpha) {
  const float* b = pairs + 48;
  float a[3][16], scale[16], sum[16] = {};
  for (int k = 0; k < 16; ++k) {
    for (int c = 0; c < 3; ++c) a[c][k] = pairs[16 * c + k] - b[16 * c + k];
    scale[k] = 1 / (((a[0][k] * a[0][k] + a[1][k] * a[1][k]) + a[2][k] * a[2][k]) + 1e-3f);
    alpha[k] =
        matting_share(here[0] - b[k], here[1] - b[16 + k], here[2] - b[32 + k], a[0][k], a[1][k], a[2][k], scale[k]);
  }
  for (size_t i = 0; i < count; ++i, colours += 3)
    for (int k = 0; k < 16; ++k) {
      const float share = matting_share(colours[0] - b[k], colours[1] - b[16 + k], colours[2] - b[32 + k], a[0][k],
                                        a[1][k], a[2][k], scale[k]);
      const float d0 = colours[0] - (b[k] + share * a[0][k]), d1 = colours[1] - (b[16 + k] + share * a[1][k]);
      const float d2 = colours[2] - (b[32 + k] + share * a[2][k]);
      sum[k] += (d0 * d0 + d1 * d1) + d2 * d2;
    }
  for (int k = 0; k < 16; ++k) misfit[k] = sum[k];
}

constexpr size_t kMattingRun = MattingKernels::kRun;

// Keeps the three least, the earlier one of equals.
void matting_keep_best(const float* __restrict m, ptrdiff_t plane, const float* __restrict colours, size_t n, int32_t k,
                       float (&__restrict least)[3][kMattingRun], int32_t* __restrict best) {
  for (size_t x = 0; x < n; ++x) {
    const float *at = m + x, c0 = colours[x], c1 = colours[kMattingRun + x], c2 = colours[2 * kMattingRun + x];
    const float b0 = at[0], b1 = at[plane], b2 = at[2 * plane];
    const float a0 = at[3 * plane], a1 = at[4 * plane], a2 = at[5 * plane];
    const float share = matting_share(c0 - b0, c1 - b1, c2 - b2, a0, a1, a2, at[6 * plane]);
    const float d0 = c0 - (b0 + share * a0), d1 = c1 - (b1 + share * a1), d2 = c2 - (b2 + share * a2);
    const float misfit = (d0 * d0 + d1 * d1) + d2 * d2;
    const float l0 = least[0][x], l1 = least[1][x], l2 = least[2][x];
    const int32_t i0 = best[x], i1 = best[kMattingRun + x], i2 = best[2 * kMattingRun + x];
    const bool first = misfit < l0, second = misfit < l1, third = misfit < l2;
    least[2][x] = second ? l1 : third ? misfit : l2;
    best[2 * kMattingRun + x] = second ? i1 : third ? k : i2;
    least[1][x] = first ? l0 : second ? misfit : l1;
    best[kMattingRun + x] = first ? i0 : second ? k : i1;
    least[0][x] = first ? misfit : l0;
    best[x] = first ? k : i0;
  }
}

void best_mixtures(const float* mixtures, ptrdiff_t plane, const int64_t* steps, size_t count, const float* colours,
                   size_t n, int32_t* best) {
  float least[3][kMattingRun];
  for (size_t k = 0; k < 3; ++k)
    for (size_t x = 0; x < n; ++x) {
      least[k][x] = 3e38f;
      best[k * kMattingRun + x] = -1;
    }
  for (size_t k = 0; k < count; ++k)
    matting_keep_best(mixtures + steps[k], plane, colours, n, static_cast<int32_t>(k), least, best);
}

// Mean and inverse of covariance + (eps / 9)·identity of the 3×3 windows centred on the 12 columns of one row:
// stats[0..2] mean, [3..8] the inverse's upper triangle, times `valid`. In double: the inverse loses most of a float's
// digits where the colours of a window lie on a line.
void matting_window_stats(const float* colours, const double* valid, double eps, double (*stats)[12]) {
  for (int i = 0; i < 12; ++i) {
    double mean[3], c[6] = {eps / 9, 0, 0, eps / 9, 0, eps / 9};
    for (int a = 0; a < 3; ++a) {
      double sum = 0;
      for (int k = 0; k < 9; ++k) sum += static_cast<double>(colours[a * 80 + k / 3 * 16 + i + k % 3]);
      mean[a] = sum * (1.0 / 9);
    }
    for (int k = 0; k < 9; ++k) {
      const float* at = colours + k / 3 * 16 + i + k % 3;
      const double d0 = static_cast<double>(at[0]) - mean[0], d1 = static_cast<double>(at[80]) - mean[1];
      const double d2 = static_cast<double>(at[160]) - mean[2];
      c[0] += d0 * d0 * (1.0 / 9);
      c[1] += d0 * d1 * (1.0 / 9);
      c[2] += d0 * d2 * (1.0 / 9);
      c[3] += d1 * d1 * (1.0 / 9);
      c[4] += d1 * d2 * (1.0 / 9);
      c[5] += d2 * d2 * (1.0 / 9);
    }
    const double m0 = c[3] * c[5] - c[4] * c[4], m1 = c[2] * c[4] - c[1] * c[5], m2 = c[1] * c[4] - c[2] * c[3];
    const double scale = valid[i] / (c[0] * m0 + c[1] * m1 + c[2] * m2);
    for (int a = 0; a < 3; ++a) stats[a][i] = mean[a];
    stats[3][i] = m0 * scale;
    stats[4][i] = m1 * scale;
    stats[5][i] = m2 * scale;
    stats[6][i] = (c[0] * c[5] - c[2] * c[2]) * scale;
    stats[7][i] = (c[1] * c[2] - c[0] * c[4]) * scale;
    stats[8][i] = (c[0] * c[3] - c[1] * c[1]) * scale;
  }
}

// Adds what the window (row r, column w, 0..2, around each of the 8 pixels) gives to their coefficients.
void matting_add_window(const float* colours, const double* valid, const double (*stats)[12], int r, int w,
                        double (*sums)[8]) {
  double v[3][8], mean[3][8];
  for (int l = 0; l < 8; ++l) {
    double d[3];
    for (int a = 0; a < 3; ++a) {
      mean[a][l] = stats[a][w + l];
      d[a] = static_cast<double>(colours[a * 80 + 2 * 16 + 2 + l]) - mean[a][l];
    }
    v[0][l] = stats[3][w + l] * d[0] + stats[4][w + l] * d[1] + stats[5][w + l] * d[2];
    v[1][l] = stats[4][w + l] * d[0] + stats[6][w + l] * d[1] + stats[7][w + l] * d[2];
    v[2][l] = stats[5][w + l] * d[0] + stats[7][w + l] * d[1] + stats[8][w + l] * d[2];
  }
  for (int k = 0; k < 9; ++k) {
    const int row = r + k / 3, column = w + k % 3;
    const float* at = colours + row * 16 + column;
    double* sum = sums[row * 5 + column];
    for (int l = 0; l < 8; ++l) {
      const double d0 = static_cast<double>(at[l]) - mean[0][l], d1 = static_cast<double>(at[80 + l]) - mean[1][l];
      const double d2 = static_cast<double>(at[160 + l]) - mean[2][l];
      sum[l] -= (valid[w + l] + v[0][l] * d0 + v[1][l] * d1 + v[2][l] * d2) * (1.0 / 9);
    }
  }
}

void laplacian_block(const float* __restrict colours, const double* __restrict valid, const float* __restrict keep,
                     double eps, float* __restrict coefficients) {
  double sums[25][8] = {};
  for (int r = 0; r < 3; ++r) {
    double stats[9][12];
    matting_window_stats(colours + r * 16, valid + r * 16, eps, stats);
    for (int w = 0; w < 3; ++w) matting_add_window(colours, valid + r * 16, stats, r, w, sums);
  }
  for (int l = 0; l < 8; ++l) {
    double others = 0;  // the rows of a Laplacian sum to zero
    for (int k = 0; k < 25; ++k) others += k == 12 ? 0 : sums[k][l];
    sums[12][l] = -others;
  }
  for (int k = 0; k < 25; ++k)
    for (int l = 0; l < 8; ++l) coefficients[k * 8 + l] = static_cast<float>(sums[k][l]) * keep[l];
}

void laplacian_apply(const float* __restrict coefficients, const int64_t* __restrict at, size_t blocks, ptrdiff_t pitch,
                     const float* __restrict p, float* __restrict q, double* __restrict dot) {
  for (size_t b = 0; b < blocks; ++b, coefficients += 200, q += 8) {
    const float* center = p + at[b];
    float sum[8] = {};
    for (int r = 0; r < 5; ++r) {
      const float* from = center + (r - 2) * pitch - 2;
      for (int c = 0; c < 5; ++c)
        for (int l = 0; l < 8; ++l) sum[l] += coefficients[(r * 5 + c) * 8 + l] * from[c + l];
    }
    for (int l = 0; l < 8; ++l) {
      q[l] = sum[l];
      dot[l] += static_cast<double>(center[l]) * static_cast<double>(sum[l]);
    }
  }
}

void gradient_step(const float* __restrict p, const int64_t* __restrict at, size_t blocks, float step,
                   const float* __restrict q, const float* __restrict inverse, float* __restrict x, float* __restrict r,
                   double* __restrict dot) {
  for (size_t b = 0; b < blocks; ++b, q += 8, inverse += 8, x += 8, r += 8)
    for (int l = 0; l < 8; ++l) {
      x[l] += step * p[at[b] + l];
      r[l] -= step * q[l];
      dot[l] += static_cast<double>(r[l]) * static_cast<double>(inverse[l] * r[l]);
    }
}

void gradient_turn(const float* __restrict r, const float* __restrict inverse, const int64_t* __restrict at,
                   size_t blocks, float factor, float* __restrict p) {
  for (size_t b = 0; b < blocks; ++b, r += 8, inverse += 8)
    for (int l = 0; l < 8; ++l) p[at[b] + l] = inverse[l] * r[l] + factor * p[at[b] + l];
}

constexpr MattingKernels matting_kernels = {
    guided_accumulate, guided_solve, guided_add,    guided_mean,     guided_apply,    distance_down, distance_up,
    walk_rays,         pair_misfits, best_mixtures, laplacian_block, laplacian_apply, gradient_step, gradient_turn};
