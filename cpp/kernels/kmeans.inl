// Pixels go through small planes of fixed-point values that stay in the first-level cache.
constexpr size_t kmeans_chunk = 256;

struct KmeansPlanes {
  alignas(64) int16_t r[kmeans_chunk], g[kmeans_chunk], b[kmeans_chunk];
};

inline int16_t kmeans_fixed(uint8_t v) { return static_cast<int16_t>(64 * v); }
// Exact: the product has at most 32 bits, and adding 1/2 rounds only where that cannot reach the next whole number.
inline int16_t kmeans_fixed(float v) { return static_cast<int16_t>(static_cast<double>(v) * 16320 + 0.5); }

template <class T>
void kmeans_load(const T* __restrict pixels, size_t n, int channels, KmeansPlanes* __restrict planes) {
  if (channels == 1) {
    for (size_t i = 0; i < n; ++i) {
      planes->r[i] = kmeans_fixed(pixels[i]);
      planes->g[i] = planes->b[i] = 0;
    }
    return;
  }
  for (size_t i = 0; i < n; ++i) {
    planes->r[i] = kmeans_fixed(pixels[3 * i]);
    planes->g[i] = kmeans_fixed(pixels[3 * i + 1]);
    planes->b[i] = kmeans_fixed(pixels[3 * i + 2]);
  }
}

// labels[i] for i < n; may write up to the next multiple of 16.
#if defined(__AVX2__)
// Pairs of 16-bit products: the compiler would multiply 32-bit numbers, which is several times slower.
void kmeans_nearest(const KmeansPlanes& planes, size_t n, const KmeansCenter* centers, int k, uint8_t* labels) {
  alignas(64) int32_t center_rg[256], center_b[256];
  for (int j = 0; j < k; ++j) {
    center_rg[j] = 2 * centers[j].value[0] | 2 * centers[j].value[1] << 16;
    center_b[j] = 2 * centers[j].value[2];
  }
  const auto load = [](const int16_t* p) { return _mm256_load_si256(reinterpret_cast<const __m256i*>(p)); };
  for (size_t i = 0; i < n; i += 16) {
    const __m256i r = load(planes.r + i), g = load(planes.g + i), b = load(planes.b + i), zero = _mm256_setzero_si256();
    // Pixels 0-3 and 8-11, and 4-7 and 12-15; packing undoes this order.
    const __m256i rg[2] = {_mm256_unpacklo_epi16(r, g), _mm256_unpackhi_epi16(r, g)};
    const __m256i b0[2] = {_mm256_unpacklo_epi16(b, zero), _mm256_unpackhi_epi16(b, zero)};
    __m256i best[2] = {_mm256_set1_epi32(INT32_MIN), _mm256_set1_epi32(INT32_MIN)}, label[2] = {zero, zero};
    for (int j = 0; j < k; ++j) {
      const __m256i c_rg = _mm256_set1_epi32(center_rg[j]), c_b = _mm256_set1_epi32(center_b[j]),
                    norm = _mm256_set1_epi32(centers[j].norm), index = _mm256_set1_epi32(j);
      for (int half = 0; half < 2; ++half) {
        const __m256i dot = _mm256_add_epi32(_mm256_madd_epi16(rg[half], c_rg), _mm256_madd_epi16(b0[half], c_b));
        const __m256i score = _mm256_sub_epi32(dot, norm);  // negated: the greatest is nearest
        label[half] = _mm256_blendv_epi8(label[half], index, _mm256_cmpgt_epi32(score, best[half]));
        best[half] = _mm256_max_epi32(best[half], score);
      }
    }
    const __m256i words = _mm256_packs_epi32(label[0], label[1]);
    const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(labels + i), bytes);
  }
}
#else
void kmeans_nearest(const KmeansPlanes& planes, size_t n, const KmeansCenter* centers, int k,
                    uint8_t* __restrict labels) {
  alignas(64) int32_t best[kmeans_chunk], label[kmeans_chunk];
  for (size_t i = 0; i < n; ++i) {
    best[i] = INT32_MAX;
    label[i] = 0;
  }
  for (int j = 0; j < k; ++j) {
    const auto r = static_cast<int16_t>(2 * centers[j].value[0]), g = static_cast<int16_t>(2 * centers[j].value[1]),
               b = static_cast<int16_t>(2 * centers[j].value[2]);
    const int32_t norm = centers[j].norm;
    for (size_t i = 0; i < n; ++i) {
      const int32_t score = norm - (planes.r[i] * r + planes.g[i] * g + planes.b[i] * b);
      label[i] = score < best[i] ? j : label[i];
      best[i] = score < best[i] ? score : best[i];
    }
  }
  for (size_t i = 0; i < n; ++i) labels[i] = static_cast<uint8_t>(label[i]);
}
#endif

// 32-bit sums in pairs: red and green << 32; blue and count << 32. Two sets take turns: neighbours mostly share a
// label, and an add would wait for the one before it.
struct KmeansSums {
  alignas(64) uint64_t pair[2][256][2];
};

void kmeans_add(const KmeansPlanes& planes, size_t n, const uint8_t* __restrict label, KmeansSums* __restrict sums) {
  alignas(64) uint64_t pairs[2 * kmeans_chunk];
  for (size_t i = 0; i < n; ++i) {
    pairs[2 * i] = static_cast<uint64_t>(planes.r[i]) | static_cast<uint64_t>(planes.g[i]) << 32;
    pairs[2 * i + 1] = static_cast<uint64_t>(planes.b[i]) | uint64_t{1} << 32;
  }
  for (size_t i = 0; i < n; ++i) {
    uint64_t* sum = sums->pair[i & 1][label[i]];
    sum[0] += pairs[2 * i];
    sum[1] += pairs[2 * i + 1];
  }
}

// Channel c, or the count if c is 3, of cluster j.
int64_t kmeans_sum(const KmeansSums& sums, int j, int c) {
  uint32_t parts[2];
  for (int turn = 0; turn < 2; ++turn) parts[turn] = static_cast<uint32_t>(sums.pair[turn][j][c / 2] >> (c % 2 * 32));
  return int64_t{parts[0]} + parts[1];
}

template <class T>
void kmeans_assign(const T* pixels, size_t n, int channels, const KmeansCenter* centers, int k, uint8_t* labels,
                   int64_t* __restrict sums) {
  KmeansPlanes planes = {};
  KmeansSums part;
  for (int turn = 0; turn < 2; ++turn)
    for (int j = 0; j < k; ++j) part.pair[turn][j][0] = part.pair[turn][j][1] = 0;
  alignas(64) uint8_t label[kmeans_chunk];
  for (size_t begin = 0; begin < n; begin += kmeans_chunk) {
    const size_t count = min_of(kmeans_chunk, n - begin);
    kmeans_load(pixels + begin * channels, count, channels, &planes);
    kmeans_nearest(planes, count, centers, k, label);
    for (size_t i = 0; i < count; ++i) labels[begin + i] = label[i];
    kmeans_add(planes, count, label, &part);
  }
  for (int j = 0; j < k; ++j)
    for (int c = 0; c < 4; ++c) sums[4 * j + c] += kmeans_sum(part, j, c);
}

template <class T>
void kmeans_relax(const T* pixels, size_t n, int channels, const KmeansCenter* centers, int k,
                  uint32_t* __restrict distances) {
  KmeansPlanes planes;
  for (size_t begin = 0; begin < n; begin += kmeans_chunk) {
    const size_t count = min_of(kmeans_chunk, n - begin);
    kmeans_load(pixels + begin * channels, count, channels, &planes);
    for (int j = 0; j < k; ++j) {
      const int32_t r = centers[j].value[0], g = centers[j].value[1], b = centers[j].value[2];
      for (size_t i = 0; i < count; ++i) {
        const int32_t x = planes.r[i] - r, y = planes.g[i] - g, z = planes.b[i] - b;
        distances[begin + i] = min_of(distances[begin + i], static_cast<uint32_t>(x * x + y * y + z * z));
      }
    }
  }
}

template <class T>
void kmeans_potentials(const T* pixels, size_t n, int channels, const KmeansCenter* centers, int k,
                       const uint32_t* __restrict distances, uint64_t* __restrict sums) {
  KmeansPlanes planes;
  for (size_t begin = 0; begin < n; begin += kmeans_chunk) {
    const size_t count = min_of(kmeans_chunk, n - begin);
    kmeans_load(pixels + begin * channels, count, channels, &planes);
    for (int j = 0; j < k; ++j) {
      const auto r = static_cast<int16_t>(centers[j].value[0]), g = static_cast<int16_t>(centers[j].value[1]),
                 b = static_cast<int16_t>(centers[j].value[2]);
      uint64_t sum = 0;
      for (size_t i = 0; i < count; ++i) {  // a difference fits 16 bits
        const auto x = static_cast<int16_t>(planes.r[i] - r), y = static_cast<int16_t>(planes.g[i] - g),
                   z = static_cast<int16_t>(planes.b[i] - b);
        sum += min_of(distances[begin + i], static_cast<uint32_t>(x * x + y * y + z * z));
      }
      sums[j] += sum;
    }
  }
}

int64_t kmeans_square_sum(const uint8_t* pixels, size_t n, int channels) {
  int64_t total = 0;
  for (size_t begin = 0; begin < n * channels; begin += 1 << 16) {
    const size_t end = min_of(begin + (1 << 16), n * channels);
    uint32_t sum = 0;
    for (size_t i = begin; i < end; ++i) sum += static_cast<uint32_t>(pixels[i] * pixels[i]);
    total += sum;
  }
  return total * (64 * 64);
}

int64_t kmeans_square_sum(const float* pixels, size_t n, int channels) {
  int64_t sum = 0;
  for (size_t i = 0; i < n * channels; ++i) {
    const int32_t x = kmeans_fixed(pixels[i]);
    sum += x * x;
  }
  return sum;
}

inline uint32_t kmeans_key(uint32_t r, uint32_t g, uint32_t b) {
  return (b >> 3) << 19 | (g >> 3) << 14 | (r >> 3) << 9 | (b & 7) << 6 | (g & 7) << 3 | (r & 7);
}

void kmeans_keys(const uint8_t* __restrict pixels, size_t n, int channels, uint32_t* __restrict keys) {
  if (channels == 1) {
    for (size_t i = 0; i < n; ++i) keys[i] = kmeans_key(pixels[i], 0, 0);
    return;
  }
  size_t i = 0;
#if defined(__AVX2__)
  const __m256i spread =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1));
  const auto pack = [](__m256i bits, int bytes, int words) {
    return _mm256_madd_epi16(_mm256_maddubs_epi16(bits, _mm256_set1_epi32(bytes)), _mm256_set1_epi32(words));
  };
  for (; i + 10 <= n; i += 8) {  // reads 28 bytes
    const auto load = [&](size_t at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(pixels + at)); };
    const __m256i rgb = _mm256_shuffle_epi8(_mm256_set_m128i(load(3 * i + 12), load(3 * i)), spread);
    const __m256i low = _mm256_and_si256(rgb, _mm256_set1_epi32(0x070707));
    const __m256i high = _mm256_and_si256(_mm256_srli_epi32(rgb, 3), _mm256_set1_epi32(0x1f1f1f));
    const __m256i box = pack(high, 1 | 32 << 8 | 1 << 16, 1 | 1024 << 16);
    const __m256i place = pack(low, 1 | 8 << 8 | 64 << 16, 1 | 1 << 16);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(keys + i), _mm256_or_si256(_mm256_slli_epi32(box, 9), place));
  }
#endif
  for (; i < n; ++i) keys[i] = kmeans_key(pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]);
}

// The sums of the pixels whose colour at (blue, red and green) is `in`, as those of a box.
template <class In>
void kmeans_sum_box(const uint32_t* __restrict counts, const In& in, uint32_t* __restrict sum) {
  alignas(64) uint32_t column[64];
  uint32_t blue = 0;
  for (int i = 0; i < 64; ++i) {
    uint32_t above = 0;  // the count of the colours of more blue, summed up over blue
    for (int b = 7; b > 0; --b) {
      above += in(b, i) ? counts[64 * b + i] : 0;
      blue += above;
    }
    column[i] = above + (in(0, i) ? counts[i] : 0);
  }
  uint32_t red = 0, green = 0, count = 0;
  for (uint32_t i = 0; i < 64; ++i) {
    red += column[i] * (i & 7);
    green += column[i] * (i >> 3);
    count += column[i];
  }
  sum[0] = red;
  sum[1] = green;
  sum[2] = blue;
  sum[3] = count;
}

void kmeans_gather(const uint8_t* const* counts, int parts, uint32_t* __restrict total, KmeansBox* box) {
  for (int i = 0; i < 512; ++i) total[i] = counts[0][i];
  for (int part = 1; part < parts; ++part)
    for (int i = 0; i < 512; ++i) total[i] += counts[part][i];
  kmeans_sum_box(total, [](int, int) { return true; }, box->sum);
}

// The centres, in order, that may be nearest to a colour of the box; their scores at its corner. A difference of scores
// is linear: over the box it leaves that at the box's middle by at most 448 |C - C'| (sum of the channels).
struct KmeansCandidates {
  int n;
  uint8_t index[256];
  int32_t score[256];  // where there are several
};

void kmeans_candidates(const KmeansBox& box, const KmeansForms& forms, KmeansCandidates* __restrict out) {
  const int k = forms.k;
  const int32_t x = box.corner[0], y = box.corner[1], z = box.corner[2];
  const int32_t *r = forms.value[0], *g = forms.value[1], *b = forms.value[2];
  alignas(64) int32_t score[256], slack[256];
  int32_t least = INT32_MAX;
  for (int j = 0; j < k; ++j) {
    score[j] = forms.norm[j] - 2 * (r[j] * (x + 224) + g[j] * (y + 224) + b[j] * (z + 224));
    least = min_of(least, score[j]);
  }
  int a = 0;
  for (int j = 0; j < k; ++j) a = score[j] == least ? j : a;
  const auto distance = [](int32_t u, int32_t v) { return u < v ? v - u : u - v; };
  int n = 0;
  for (int j = 0; j < k; ++j) {
    slack[j] = 448 * (distance(r[j], r[a]) + distance(g[j], g[a]) + distance(b[j], b[a])) - (score[j] - least);
    n += slack[j] >= 0;
  }
  out->n = n;
  out->index[0] = static_cast<uint8_t>(a);
  if (n == 1) return;
  n = 0;
  for (int j = 0; j < k; ++j) {
    out->index[n] = static_cast<uint8_t>(j);
    out->score[n] = score[j] + 448 * (r[j] + g[j] + b[j]);
    n += slack[j] >= 0;
  }
}

// The nearest candidate of each colour.
void kmeans_split(const KmeansForms& forms, const KmeansCandidates& near, int32_t* __restrict chosen) {
  alignas(64) int32_t best[512];
  for (int c = 0; c < near.n; ++c) {
    const int32_t* plane = forms.plane[near.index[c]];
    for (int b = 0; b < 8; ++b) {
      const int32_t base = near.score[c] - 128 * forms.value[2][near.index[c]] * b;
      for (int i = 0; i < 64; ++i) {
        const int32_t score = base + plane[i], at = 64 * b + i;
        const bool closer = c == 0 || score < best[at];
        chosen[at] = closer ? c : chosen[at];
        best[at] = closer ? score : best[at];
      }
    }
  }
}

void kmeans_add_box(const KmeansBox& box, const uint32_t* sum, int64_t* sums) {
  for (int c = 0; c < 3; ++c) sums[c] += int64_t{box.corner[c]} * sum[3] + int64_t{64} * sum[c];
  sums[3] += sum[3];
}

// The usual case of kmeans_split and its sums in one: those of the second of two candidates.
void kmeans_sum_second(const uint32_t* counts, const KmeansForms& forms, const KmeansCandidates& near, uint32_t* sum) {
  const int a = near.index[0], b = near.index[1];
  alignas(64) int32_t plane[64];
  int32_t step[8];
  for (int i = 0; i < 64; ++i) plane[i] = forms.plane[b][i] - forms.plane[a][i];
  for (int i = 0; i < 8; ++i)
    step[i] = near.score[1] - near.score[0] - 128 * (forms.value[2][b] - forms.value[2][a]) * i;
  kmeans_sum_box(counts, [&](int blue, int i) { return plane[i] + step[blue] < 0; }, sum);
}

void kmeans_assign_boxes(const KmeansBox* boxes, const uint32_t* counts, size_t n, const KmeansForms* forms,
                         int64_t* sums) {
  KmeansCandidates near;
  alignas(64) int32_t chosen[512];
  for (size_t i = 0; i < n; ++i) {
    kmeans_candidates(boxes[i], *forms, &near);
    uint32_t rest[4] = {boxes[i].sum[0], boxes[i].sum[1], boxes[i].sum[2], boxes[i].sum[3]};
    if (near.n > 2) kmeans_split(*forms, near, chosen);
    for (int c = 1; c < near.n; ++c) {
      uint32_t part[4];
      if (near.n == 2)
        kmeans_sum_second(counts + 512 * i, *forms, near, part);
      else
        kmeans_sum_box(counts + 512 * i, [&](int b, int at) { return chosen[64 * b + at] == c; }, part);
      kmeans_add_box(boxes[i], part, sums + 4 * near.index[c]);
      for (int s = 0; s < 4; ++s) rest[s] -= part[s];
    }
    kmeans_add_box(boxes[i], rest, sums + 4 * near.index[0]);
  }
}

int kmeans_label_box(const KmeansBox* box, const KmeansForms* forms, uint8_t* labels) {
  KmeansCandidates near;
  alignas(64) int32_t chosen[512];
  kmeans_candidates(*box, *forms, &near);
  if (near.n == 1) return near.index[0];
  kmeans_split(*forms, near, chosen);
  for (int i = 0; i < 512; ++i) labels[i] = near.index[chosen[i]];
  return -1;
}

constexpr KmeansKernels kmeans_kernels = {
    {kmeans_assign<uint8_t>, kmeans_relax<uint8_t>, kmeans_potentials<uint8_t>, kmeans_square_sum},
    {kmeans_assign<float>, kmeans_relax<float>, kmeans_potentials<float>, kmeans_square_sum},
    {kmeans_keys, kmeans_gather, kmeans_assign_boxes, kmeans_label_box}};
