template <int P>
struct NetworkTile {
  static constexpr int pixels = P;
};

// Two values as one of 32 bits: one load.
inline int32_t network_two(const int16_t* p) {
  return static_cast<int32_t>(static_cast<uint16_t>(p[0]) | static_cast<uint32_t>(static_cast<uint16_t>(p[1])) << 16);
}

// 16 sums of 32 bits, in as many vectors as the instruction set needs.
#if defined(__AVX512BW__)
using NetworkPairs = __m512i;
using NetworkInts = __m512i;
using NetworkFloats = __m512;
constexpr int kNetworkTile = 12, kNetworkVectors = 1;  // a tile: pixels whose sums fit the registers

inline NetworkInts network_zero() { return _mm512_setzero_si512(); }
inline NetworkPairs network_load(const int16_t* p) { return _mm512_loadu_si512(p); }
inline void network_store(NetworkInts v, int32_t* p) { _mm512_storeu_si512(p, v); }
inline NetworkPairs network_pair(const int16_t* p) { return _mm512_set1_epi32(network_two(p)); }
inline NetworkPairs network_four_pairs(const int16_t* p) {
  return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline NetworkInts network_multiply_add(NetworkPairs a, NetworkPairs b, NetworkInts sum) {
  return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
}
inline NetworkFloats network_floats(NetworkInts v) { return _mm512_cvtepi32_ps(v); }
inline NetworkFloats network_floats(const float* p) { return _mm512_loadu_ps(p); }
inline NetworkFloats network_floats(const int16_t* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
}
inline NetworkFloats network_all(float v) { return _mm512_set1_ps(v); }
inline NetworkFloats network_multiply(NetworkFloats a, NetworkFloats b) { return _mm512_mul_ps(a, b); }
inline NetworkFloats network_add(NetworkFloats a, NetworkFloats b) { return _mm512_add_ps(a, b); }
inline NetworkFloats network_clamp(NetworkFloats v, NetworkFloats low, NetworkFloats high) {
  return _mm512_min_ps(_mm512_max_ps(v, low), high);
}
inline void network_store_rounded(const NetworkFloats (&v)[1], int16_t* out) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(v[0])));
}
#elif defined(__AVX2__)
using NetworkPairs = __m256i;
using NetworkInts = __m256i;
using NetworkFloats = __m256;
constexpr int kNetworkTile = 6, kNetworkVectors = 2;

inline NetworkInts network_zero() { return _mm256_setzero_si256(); }
inline NetworkPairs network_load(const int16_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
inline void network_store(NetworkInts v, int32_t* p) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
inline NetworkPairs network_pair(const int16_t* p) { return _mm256_set1_epi32(network_two(p)); }
inline NetworkPairs network_four_pairs(const int16_t* p) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline NetworkInts network_multiply_add(NetworkPairs a, NetworkPairs b, NetworkInts sum) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
}
inline NetworkFloats network_floats(NetworkInts v) { return _mm256_cvtepi32_ps(v); }
inline NetworkFloats network_floats(const float* p) { return _mm256_loadu_ps(p); }
inline NetworkFloats network_floats(const int16_t* p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
inline NetworkFloats network_all(float v) { return _mm256_set1_ps(v); }
inline NetworkFloats network_multiply(NetworkFloats a, NetworkFloats b) { return _mm256_mul_ps(a, b); }
inline NetworkFloats network_add(NetworkFloats a, NetworkFloats b) { return _mm256_add_ps(a, b); }
inline NetworkFloats network_clamp(NetworkFloats v, NetworkFloats low, NetworkFloats high) {
  return _mm256_min_ps(_mm256_max_ps(v, low), high);
}
inline void network_store_rounded(const NetworkFloats (&v)[2], int16_t* out) {
  const __m256i halves = _mm256_packs_epi32(_mm256_cvtps_epi32(v[0]), _mm256_cvtps_epi32(v[1]));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_permute4x64_epi64(halves, 0xd8));
}
#elif defined(__x86_64__) || defined(_M_X64)
using NetworkPairs = __m128i;
using NetworkInts = __m128i;
using NetworkFloats = __m128;
constexpr int kNetworkTile = 2, kNetworkVectors = 4;

inline NetworkInts network_zero() { return _mm_setzero_si128(); }
inline NetworkPairs network_load(const int16_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
inline void network_store(NetworkInts v, int32_t* p) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v); }
inline NetworkPairs network_pair(const int16_t* p) { return _mm_set1_epi32(network_two(p)); }
inline NetworkPairs network_four_pairs(const int16_t* p) { return network_load(p); }
inline NetworkInts network_multiply_add(NetworkPairs a, NetworkPairs b, NetworkInts sum) {
  return _mm_add_epi32(sum, _mm_madd_epi16(a, b));
}
inline NetworkFloats network_floats(NetworkInts v) { return _mm_cvtepi32_ps(v); }
inline NetworkFloats network_floats(const float* p) { return _mm_loadu_ps(p); }
inline NetworkFloats network_floats(const int16_t* p) {
  const __m128i four = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return _mm_cvtepi32_ps(_mm_srai_epi32(_mm_unpacklo_epi16(four, four), 16));
}
inline NetworkFloats network_all(float v) { return _mm_set1_ps(v); }
inline NetworkFloats network_multiply(NetworkFloats a, NetworkFloats b) { return _mm_mul_ps(a, b); }
inline NetworkFloats network_add(NetworkFloats a, NetworkFloats b) { return _mm_add_ps(a, b); }
inline NetworkFloats network_clamp(NetworkFloats v, NetworkFloats low, NetworkFloats high) {
  return _mm_min_ps(_mm_max_ps(v, low), high);
}
inline void network_store_rounded(const NetworkFloats (&v)[4], int16_t* out) {
  for (int i = 0; i < 4; i += 2) {
    const __m128i eight = _mm_packs_epi32(_mm_cvtps_epi32(v[i]), _mm_cvtps_epi32(v[i + 1]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 4 * i), eight);
  }
}
#elif defined(__aarch64__) || defined(_M_ARM64)
using NetworkPairs = int16x8_t;
struct NetworkInts {
  int32x4_t low, high;  // the products of each lane's pair apart, until they are read
};
using NetworkFloats = float32x4_t;
constexpr int kNetworkTile = 3, kNetworkVectors = 4;

inline NetworkInts network_zero() { return {vdupq_n_s32(0), vdupq_n_s32(0)}; }
inline NetworkPairs network_load(const int16_t* p) { return vld1q_s16(p); }
inline void network_store(NetworkInts v, int32_t* p) { vst1q_s32(p, vpaddq_s32(v.low, v.high)); }
inline NetworkPairs network_pair(const int16_t* p) { return vreinterpretq_s16_s32(vdupq_n_s32(network_two(p))); }
inline NetworkPairs network_four_pairs(const int16_t* p) { return vld1q_s16(p); }
inline NetworkInts network_multiply_add(NetworkPairs a, NetworkPairs b, NetworkInts sum) {
  return {vmlal_s16(sum.low, vget_low_s16(a), vget_low_s16(b)), vmlal_high_s16(sum.high, a, b)};
}
inline NetworkFloats network_floats(NetworkInts v) { return vcvtq_f32_s32(vpaddq_s32(v.low, v.high)); }
inline NetworkFloats network_floats(const float* p) { return vld1q_f32(p); }
inline NetworkFloats network_floats(const int16_t* p) { return vcvtq_f32_s32(vmovl_s16(vld1_s16(p))); }
inline NetworkFloats network_all(float v) { return vdupq_n_f32(v); }
inline NetworkFloats network_multiply(NetworkFloats a, NetworkFloats b) { return vmulq_f32(a, b); }
inline NetworkFloats network_add(NetworkFloats a, NetworkFloats b) { return vaddq_f32(a, b); }
inline NetworkFloats network_clamp(NetworkFloats v, NetworkFloats low, NetworkFloats high) {
  return vminq_f32(vmaxq_f32(v, low), high);
}
inline void network_store_rounded(const NetworkFloats (&v)[4], int16_t* out) {
  for (int i = 0; i < 4; ++i) vst1_s16(out + 4 * i, vmovn_s32(vcvtnq_s32_f32(v[i])));
}
#else
struct NetworkPairs {
  int16_t of[2 * kNetworkLanes];
};
struct NetworkInts {
  int32_t of[kNetworkLanes];
};
struct NetworkFloats {
  float of[kNetworkLanes];
};
constexpr int kNetworkTile = 2, kNetworkVectors = 1;

template <class Lanes, class Value>
inline Lanes network_lanes(Value value) {
  Lanes lanes;
  for (int i = 0; i < static_cast<int>(sizeof lanes.of / sizeof lanes.of[0]); ++i) lanes.of[i] = value(i);
  return lanes;
}
inline NetworkInts network_zero() {
  return network_lanes<NetworkInts>([](int) { return 0; });
}
inline NetworkPairs network_load(const int16_t* p) {
  return network_lanes<NetworkPairs>([=](int i) { return p[i]; });
}
inline void network_store(const NetworkInts& v, int32_t* p) {
  for (int i = 0; i < kNetworkLanes; ++i) p[i] = v.of[i];
}
inline NetworkPairs network_pair(const int16_t* p) {
  return network_lanes<NetworkPairs>([=](int i) { return p[i % 2]; });
}
inline NetworkPairs network_four_pairs(const int16_t* p) {
  return network_lanes<NetworkPairs>([=](int i) { return p[i % 8]; });
}
inline NetworkInts network_multiply_add(const NetworkPairs& a, const NetworkPairs& b, const NetworkInts& sum) {
  return network_lanes<NetworkInts>(
      [&](int i) { return sum.of[i] + a.of[2 * i] * b.of[2 * i] + a.of[2 * i + 1] * b.of[2 * i + 1]; });
}
inline NetworkFloats network_floats(const NetworkInts& v) {
  return network_lanes<NetworkFloats>([&](int i) { return static_cast<float>(v.of[i]); });
}
template <class T>
inline NetworkFloats network_floats(const T* p) {
  return network_lanes<NetworkFloats>([=](int i) { return static_cast<float>(p[i]); });
}
inline NetworkFloats network_all(float v) {
  return network_lanes<NetworkFloats>([=](int) { return v; });
}
inline NetworkFloats network_multiply(const NetworkFloats& a, const NetworkFloats& b) {
  return network_lanes<NetworkFloats>([&](int i) { return a.of[i] * b.of[i]; });
}
inline NetworkFloats network_add(const NetworkFloats& a, const NetworkFloats& b) {
  return network_lanes<NetworkFloats>([&](int i) { return a.of[i] + b.of[i]; });
}
inline NetworkFloats network_clamp(const NetworkFloats& v, const NetworkFloats& low, const NetworkFloats& high) {
  return network_lanes<NetworkFloats>([&](int i) { return clamp_to(v.of[i], low.of[i], high.of[i]); });
}
inline void network_store_rounded(const NetworkFloats (&v)[1], int16_t* out) {
  const float shift = 12582912.0f;  // 1.5 * 2^23: the sum has no room for a fraction
  for (int i = 0; i < kNetworkLanes; ++i) out[i] = static_cast<int16_t>((v[0].of[i] + shift) - shift);
}
#endif
constexpr int kNetworkVector = kNetworkLanes / kNetworkVectors;  // lanes

// The sums of P pixels from `at` on. Wide: four pairs of values a step, for 4 channels, instead of one for 16.
template <int P, bool Wide>
inline void network_sum(const NetworkRow& row, size_t at, const int16_t* weights,
                        NetworkInts (&sums)[P][kNetworkVectors]) {
  constexpr size_t values = Wide ? 8 : 2;
  for (int p = 0; p < P; ++p)
    for (int v = 0; v < kNetworkVectors; ++v) sums[p][v] = network_zero();
  for (size_t s = 0; s < row.segments; ++s) {
    const int16_t* x = row.segment[s] + at * row.step;
    for (size_t k = 0; k < 2 * row.pairs; k += values, weights += 2 * kNetworkLanes) {
      NetworkPairs w[kNetworkVectors];
      for (int v = 0; v < kNetworkVectors; ++v) w[v] = network_load(weights + 2 * kNetworkVector * v);
      for (int p = 0; p < P; ++p) {
        const int16_t* pixel = x + static_cast<size_t>(p) * row.step + k;
        const NetworkPairs pairs = Wide ? network_four_pairs(pixel) : network_pair(pixel);
        for (int v = 0; v < kNetworkVectors; ++v) sums[p][v] = network_multiply_add(pairs, w[v], sums[p][v]);
      }
    }
  }
}

// Calls pixels(integer of P, first pixel) until n are done, for tiles as large as they fit.
template <int P, class Pixels>
inline size_t network_tiles(size_t at, size_t n, Pixels pixels) {
  for (; at + P <= n; at += P) pixels(NetworkTile<P>(), at);
  constexpr int smaller = P < 12 && P % 3 == 0 ? P / 3 : P / 2;  // 12, 6, 2, 1, and 3, 1
  if constexpr (P > 1) at = network_tiles<smaller>(at, n, pixels);
  return at;
}

template <bool Skip>
void network_conv_row(const NetworkRow& row, NetworkRange range, const int16_t* skip, float skip_scale, int16_t* out) {
  const NetworkFloats low = network_all(range.low), high = network_all(range.high), share = network_all(skip_scale);
  const size_t block = row.segments * row.pairs * 2 * kNetworkLanes;
  for (size_t c = 0; c < row.channels; c += kNetworkLanes) {
    const int16_t* weights = row.weights + c / kNetworkLanes * block;
    network_tiles<kNetworkTile>(0, row.n, [&](auto tile, size_t at) {
      constexpr int pixels = decltype(tile)::pixels;
      NetworkInts sums[pixels][kNetworkVectors];
      network_sum<pixels, false>(row, at, weights, sums);
      for (int p = 0; p < pixels; ++p) {
        const size_t place = (at + static_cast<size_t>(p)) * row.channels + c;
        NetworkFloats y[kNetworkVectors];
        for (int v = 0; v < kNetworkVectors; ++v) {
          const size_t lane = static_cast<size_t>(kNetworkVector * v);
          y[v] = network_multiply(network_floats(sums[p][v]), network_floats(row.scale + c + lane));
          y[v] = network_add(y[v], network_floats(row.bias + c + lane));
          if (Skip) y[v] = network_add(y[v], network_multiply(network_floats(skip + place + lane), share));
          y[v] = network_clamp(y[v], low, high);
        }
        network_store_rounded(y, out + place);
      }
    });
  }
}

void network_conv(const NetworkRow* row, NetworkRange range, const int16_t* skip, float skip_scale, int16_t* out) {
  (skip == nullptr ? network_conv_row<false> : network_conv_row<true>)(*row, range, skip, skip_scale, out);
}

void network_logits(const NetworkRow* row, float* upper, float* lower) {
  network_tiles<kNetworkTile>(0, row->n, [&](auto tile, size_t at) {
    constexpr int pixels = decltype(tile)::pixels;
    NetworkInts sums[pixels][kNetworkVectors];
    network_sum<pixels, true>(*row, at, row->weights, sums);
    for (size_t p = 0; p < pixels; ++p) {
      int32_t lanes[kNetworkLanes];
      for (int v = 0; v < kNetworkVectors; ++v) network_store(sums[p][v], lanes + kNetworkVector * v);
      float y[4];
      for (size_t c = 0; c < 4; ++c) {
        const int32_t sum = lanes[4 * c] + lanes[4 * c + 1] + lanes[4 * c + 2] + lanes[4 * c + 3];
        y[c] = static_cast<float>(sum) * row->scale[c] + row->bias[c];
      }
      const size_t place = 2 * (at + p);
      upper[place] = y[0], upper[place + 1] = y[1];
      lower[place] = y[2], lower[place + 1] = y[3];
    }
  });
}

void network_pool(const int16_t* __restrict upper, const int16_t* __restrict lower, size_t channels, size_t n,
                  int16_t* __restrict out) {
  for (size_t x = 0; x < n; ++x, upper += 2 * channels, lower += 2 * channels, out += channels)
    for (size_t c = 0; c < channels; ++c)
      out[c] = static_cast<int16_t>((upper[c] + upper[channels + c] + lower[c] + lower[channels + c] + 2) >> 2);
}

// The sums are whole numbers below 2^24, which floats hold exactly.
void network_up_add(const int16_t* near, const int16_t* far, size_t channels, size_t n, float a, float b,
                    int16_t* fine) {
  const NetworkFloats three = network_all(3), low = network_all(0), high = network_all(4095);
  const NetworkFloats fine_factor = network_all(a), coarse_factor = network_all(b);
  const auto column = [=](size_t at) {
    return network_add(network_multiply(network_floats(near + at), three), network_floats(far + at));
  };
  for (size_t x = 0; x < 2 * n; ++x, fine += channels) {
    const size_t here = x / 2 * channels;
    const size_t beside = x % 2 == 0 ? (x == 0 ? 0 : here - channels) : min_of(here + channels, (n - 1) * channels);
    for (size_t c = 0; c < channels; c += kNetworkLanes) {
      NetworkFloats y[kNetworkVectors];
      for (int v = 0; v < kNetworkVectors; ++v) {
        const size_t at = c + static_cast<size_t>(kNetworkVector * v);
        const NetworkFloats coarse = network_add(network_multiply(column(here + at), three), column(beside + at));
        y[v] = network_add(network_multiply(network_floats(fine + at), fine_factor),
                           network_multiply(coarse, coarse_factor));
        y[v] = network_clamp(y[v], low, high);
      }
      network_store_rounded(y, fine + c);
    }
  }
}

constexpr NetworkKernels network_kernels = {network_conv, network_logits, network_pool, network_up_add};
