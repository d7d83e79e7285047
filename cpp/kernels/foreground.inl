constexpr float kForegroundBase = 1e-5f;     // neighbour weight of equal alphas
constexpr float kForegroundGradient = 0.1f;  // and its growth with their difference
constexpr size_t kForegroundChunk = 64;

// Weights between cells and their neighbours; `exist` is 1, or 0 for none.
void foreground_weigh(const float* __restrict alpha, const float* __restrict other, size_t m, float exist,
                      float* __restrict weight) {
  for (size_t i = 0; i < m; ++i) {
    const float d = alpha[i] - other[i];
    weight[i] = exist * (kForegroundBase + kForegroundGradient * (d < 0 ? -d : d));
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

void foreground_relax(float* here, const float* other, ptrdiff_t row, ptrdiff_t plane, int channels, size_t n,
                      int shift, int has_above, int has_below, int has_left, int has_right) {
  ForegroundSystem s;
  for (size_t x = 0; x < n; x += kForegroundChunk) {
    const size_t m = min_of(kForegroundChunk, n - x);
    const float* alpha = here + x;
    const float* near = other + x;
    foreground_weigh(alpha, near + shift - 1, m, 1, s.left);
    foreground_weigh(alpha, near + shift, m, 1, s.right);
    foreground_weigh(alpha, near - row, m, has_above ? 1 : 0, s.above);
    foreground_weigh(alpha, near + row, m, has_below ? 1 : 0, s.below);
    if (x == 0 && !has_left) s.left[0] = 0;
    if (x + m == n && !has_right) s.right[m - 1] = 0;
    foreground_invert(alpha, m, s);
    for (int c = 0; c < channels; ++c) {
      const ptrdiff_t colour = (1 + c) * plane, f = (1 + channels + c) * plane, b = (1 + 2 * channels + c) * plane;
      foreground_solve(s, alpha, alpha + colour, near + f, near + b, row, shift, m, here + x + f, here + x + b);
    }
  }
}

template <int C>
void foreground_sums(const uint8_t* __restrict alpha, const uint8_t* __restrict pixels, size_t n,
                     uint64_t* __restrict sums) {
  constexpr size_t chunk = 1 << 15;  // whose sums 32 bits hold
  for (size_t from = 0; from < n; from += chunk, alpha += chunk, pixels += C * chunk) {
    const size_t m = min_of(chunk, n - from);
    uint32_t total = 0, product[C] = {}, plain[C] = {};
    for (size_t x = 0; x < m; ++x) {
      total += alpha[x];
      for (size_t c = 0; c < C; ++c) {
        product[c] += static_cast<uint32_t>(alpha[x] * pixels[C * x + c]);
        plain[c] += pixels[C * x + c];
      }
    }
    sums[0] += total;
    for (size_t c = 0; c < C; ++c) {
      sums[1 + 2 * c] += product[c];
      sums[2 + 2 * c] += plain[c];
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

template <class T>
void foreground_split(const T* pixels, size_t n, int channels, ptrdiff_t step, float* const* halves) {
  if (step == channels) {
    (channels == 3 ? foreground_split_near<3, T> : foreground_split_near<1, T>)(pixels, n, halves);
    return;
  }
  for (size_t i = 0; i < n; ++i, pixels += step)
    for (int c = 0; c < channels; ++c) halves[2 * c + static_cast<int>(i % 2)][i / 2] = foreground_unit(pixels[c]);
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
  for (size_t x = 0; x < n; ++x)
    for (size_t c = 0; c < C; ++c) result[C * x + c] = alpha[x] == 255 ? pixels[C * x + c] : others[C * x + c];
}

void foreground_select_u8(const uint8_t* alpha, const uint8_t* pixels, const uint8_t* others, size_t n, int channels,
                          uint8_t* result) {
  (channels == 3 ? foreground_select<3> : foreground_select<1>)(alpha, pixels, others, n, result);
}

constexpr ForegroundKernels foreground_kernels = {
    foreground_relax,        foreground_sums_u8, foreground_partial_u8, foreground_split<uint8_t>,
    foreground_split<float>, foreground_enlarge, foreground_select_u8};
