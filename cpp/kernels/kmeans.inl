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

template <class T>
void kmeans_assign(const T* pixels, size_t n, int channels, const KmeansCenter* centers, int k, uint8_t* labels,
                   int64_t* __restrict sums) {
  KmeansPlanes planes;
  for (size_t begin = 0; begin < n; begin += kmeans_chunk) {
    const size_t count = min_of(kmeans_chunk, n - begin);
    kmeans_load(pixels + begin * channels, count, channels, &planes);
    kmeans_nearest(planes, count, centers, k, labels + begin);
    for (size_t i = 0; i < count; ++i) {
      int64_t* sum = sums + 4 * labels[begin + i];
      sum[0] += planes.r[i];
      sum[1] += planes.g[i];
      sum[2] += planes.b[i];
      sum[3] += 1;
    }
  }
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
int64_t kmeans_square_sum(const T* pixels, size_t n, int channels) {
  int64_t sum = 0;
  for (size_t i = 0; i < n * channels; ++i) {
    const int32_t x = kmeans_fixed(pixels[i]);
    sum += x * x;
  }
  return sum;
}

constexpr KmeansKernels kmeans_kernels = {{kmeans_assign<uint8_t>, kmeans_relax<uint8_t>, kmeans_square_sum<uint8_t>},
                                          {kmeans_assign<float>, kmeans_relax<float>, kmeans_square_sum<float>}};
