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
// Tiles: pixels whose sums fit the registers, of convolutions and of those of each channel alone.
constexpr int kNetworkTile = 12, kNetworkDeepTile = 8, kNetworkVectors = 1;

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
inline void network_zip(const int16_t* a, const int16_t* b, NetworkPairs (&pairs)[1]) {
  const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a));
  const __m256i y = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b));
  pairs[0] = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_unpacklo_epi16(x, y)), _mm256_unpackhi_epi16(x, y), 1);
}
struct NetworkLimits {
  __m512 high;
  __m256i low;
};
inline NetworkLimits network_limits(NetworkRange range) {
  return {_mm512_set1_ps(range.high), _mm256_set1_epi16(static_cast<int16_t>(range.low))};
}
// What is below 32 bits becomes their least number, and is clipped with the rest.
inline __m256i network_rounded(NetworkFloats v, const NetworkLimits& limits) {
  const __m256i values = _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(_mm512_min_ps(v, limits.high)));
  return _mm256_max_epi16(values, limits.low);
}
inline void network_store_rounded(const NetworkFloats (&v)[1], const NetworkLimits& limits, int16_t* out) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), network_rounded(v[0], limits));
}
inline void network_store_zipped(const NetworkFloats (&v)[1], const NetworkLimits& limits, int16_t* out) {
  const __m256i values = _mm256_permute4x64_epi64(network_rounded(v[0], limits), 0xd8);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), values);
}
#elif defined(__AVX2__)
using NetworkPairs = __m256i;
using NetworkInts = __m256i;
using NetworkFloats = __m256;
constexpr int kNetworkTile = 6, kNetworkDeepTile = 4, kNetworkVectors = 2;

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
inline void network_zip(const int16_t* a, const int16_t* b, NetworkPairs (&pairs)[2]) {
  const __m256i x = network_load(a), y = network_load(b);
  pairs[0] = _mm256_unpacklo_epi16(x, y);
  pairs[1] = _mm256_unpackhi_epi16(x, y);
}
struct NetworkLimits {
  __m256 high;
  __m256i low;
};
inline NetworkLimits network_limits(NetworkRange range) {
  return {_mm256_set1_ps(range.high), _mm256_set1_epi16(static_cast<int16_t>(range.low))};
}
// In the order of network_zipped_lane(). What is below 32 bits becomes their least number, and is clipped with the
// rest.
inline __m256i network_rounded(NetworkFloats a, NetworkFloats b, const NetworkLimits& limits) {
  const __m256i x = _mm256_cvtps_epi32(_mm256_min_ps(a, limits.high));
  const __m256i y = _mm256_cvtps_epi32(_mm256_min_ps(b, limits.high));
  return _mm256_max_epi16(_mm256_packs_epi32(x, y), limits.low);
}
inline void network_store_rounded(const NetworkFloats (&v)[2], const NetworkLimits& limits, int16_t* out) {
  const __m256i values = _mm256_permute4x64_epi64(network_rounded(v[0], v[1], limits), 0xd8);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), values);
}
inline void network_store_rounded(const NetworkFloats (&v)[1], const NetworkLimits& limits, int16_t* out) {
  const __m256i values = _mm256_permute4x64_epi64(network_rounded(v[0], v[0], limits), 0xd8);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_castsi256_si128(values));
}
inline void network_store_zipped(const NetworkFloats (&v)[2], const NetworkLimits& limits, int16_t* out) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), network_rounded(v[0], v[1], limits));
}
#elif defined(__x86_64__) || defined(_M_X64)
using NetworkPairs = __m128i;
using NetworkInts = __m128i;
using NetworkFloats = __m128;
constexpr int kNetworkTile = 2, kNetworkDeepTile = 2, kNetworkVectors = 4;

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
inline void network_zip(const int16_t* a, const int16_t* b, NetworkPairs (&pairs)[4]) {
  for (int i = 0; i < 2; ++i) {
    const __m128i x = network_load(a + 8 * i), y = network_load(b + 8 * i);
    pairs[i] = _mm_unpacklo_epi16(x, y);
    pairs[i + 2] = _mm_unpackhi_epi16(x, y);
  }
}
struct NetworkLimits {
  __m128 high;
  __m128i low;
};
inline NetworkLimits network_limits(NetworkRange range) {
  return {_mm_set1_ps(range.high), _mm_set1_epi16(static_cast<int16_t>(range.low))};
}
// What is below 32 bits becomes their least number, and is clipped with the rest.
inline void network_store_eight(NetworkFloats a, NetworkFloats b, const NetworkLimits& limits, int16_t* out) {
  const __m128i x = _mm_cvtps_epi32(_mm_min_ps(a, limits.high)), y = _mm_cvtps_epi32(_mm_min_ps(b, limits.high));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_max_epi16(_mm_packs_epi32(x, y), limits.low));
}
template <int V>
inline void network_store_rounded(const NetworkFloats (&v)[V], const NetworkLimits& limits, int16_t* out) {
  for (int i = 0; i < V; i += 2) network_store_eight(v[i], v[i + 1], limits, out + 4 * i);
}
inline void network_store_zipped(const NetworkFloats (&v)[4], const NetworkLimits& limits, int16_t* out) {
  for (int i = 0; i < 2; ++i) network_store_eight(v[i], v[i + 2], limits, out + 8 * i);
}
#elif defined(__aarch64__) || defined(_M_ARM64)
using NetworkPairs = int16x8_t;
struct NetworkInts {
  int32x4_t low, high;  // the products of each lane's pair apart, until they are read
};
using NetworkFloats = float32x4_t;
constexpr int kNetworkTile = 3, kNetworkDeepTile = 2, kNetworkVectors = 4;

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
inline void network_zip(const int16_t* a, const int16_t* b, NetworkPairs (&pairs)[4]) {
  for (int i = 0; i < 2; ++i) {
    const int16x8_t x = vld1q_s16(a + 8 * i), y = vld1q_s16(b + 8 * i);
    pairs[i] = vzip1q_s16(x, y);
    pairs[i + 2] = vzip2q_s16(x, y);
  }
}
struct NetworkLimits {
  float32x4_t low, high;
};
inline NetworkLimits network_limits(NetworkRange range) { return {vdupq_n_f32(range.low), vdupq_n_f32(range.high)}; }
inline int16x4_t network_rounded(NetworkFloats v, const NetworkLimits& limits) {
  return vmovn_s32(vcvtnq_s32_f32(vminq_f32(vmaxq_f32(v, limits.low), limits.high)));
}
template <int V>
inline void network_store_rounded(const NetworkFloats (&v)[V], const NetworkLimits& limits, int16_t* out) {
  for (int i = 0; i < V; ++i) vst1_s16(out + 4 * i, network_rounded(v[i], limits));
}
inline void network_store_zipped(const NetworkFloats (&v)[4], const NetworkLimits& limits, int16_t* out) {
  for (int i = 0; i < 2; ++i) {
    vst1_s16(out + 8 * i, network_rounded(v[i], limits));
    vst1_s16(out + 8 * i + 4, network_rounded(v[i + 2], limits));
  }
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
constexpr int kNetworkTile = 2, kNetworkDeepTile = 1, kNetworkVectors = 1;

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
  for (size_t i = 0; i < kNetworkLanes; ++i) p[i] = v.of[i];
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
inline void network_zip(const int16_t* a, const int16_t* b, NetworkPairs (&pairs)[1]) {
  for (size_t i = 0; i < kNetworkLanes; ++i) {
    pairs[0].of[2 * network_zipped_lane(i)] = a[i];
    pairs[0].of[2 * network_zipped_lane(i) + 1] = b[i];
  }
}
using NetworkLimits = NetworkRange;
inline NetworkLimits network_limits(NetworkRange range) { return range; }
inline int16_t network_rounded(float v, const NetworkLimits& limits) {
  const float shift = 12582912.0f;  // 1.5 * 2^23: the sum has no room for a fraction
  return static_cast<int16_t>((clamp_to(v, limits.low, limits.high) + shift) - shift);
}
inline void network_store_rounded(const NetworkFloats (&v)[1], const NetworkLimits& limits, int16_t* out) {
  for (size_t i = 0; i < kNetworkLanes; ++i) out[i] = network_rounded(v[0].of[i], limits);
}
inline void network_store_zipped(const NetworkFloats (&v)[1], const NetworkLimits& limits, int16_t* out) {
  for (size_t i = 0; i < kNetworkLanes; ++i) out[i] = network_rounded(v[0].of[network_zipped_lane(i)], limits);
}
#endif
constexpr int kNetworkVector = static_cast<int>(kNetworkLanes) / kNetworkVectors;  // lanes

// V vectors, and the sums of P pixels: members, not arrays, which compilers would keep in memory.
template <int V>
struct NetworkWeights {
  NetworkWeights<V - 1> rest;
  NetworkPairs last;
  inline void load(const int16_t* p) {
    rest.load(p);
    last = network_load(p + 2 * kNetworkVector * (V - 1));
  }
};
template <>
struct NetworkWeights<0> {
  inline void load(const int16_t*) {}
};

template <int V>
struct NetworkLine {
  NetworkLine<V - 1> rest;
  NetworkInts last;
  inline void clear() {
    rest.clear();
    last = network_zero();
  }
  inline void add(const NetworkPairs& pairs, const NetworkWeights<V>& weights) {
    rest.add(pairs, weights.rest);
    last = network_multiply_add(pairs, weights.last, last);
  }
  inline void zip(const int16_t* a, const int16_t* b, const NetworkWeights<V>& weights) {
    NetworkPairs pairs[V];
    network_zip(a, b, pairs);
    add_each(pairs, weights);
  }
  inline void add_each(const NetworkPairs* pairs, const NetworkWeights<V>& weights) {
    rest.add_each(pairs, weights.rest);
    last = network_multiply_add(pairs[V - 1], weights.last, last);
  }
  inline void copy(NetworkInts* to) const {
    rest.copy(to);
    to[V - 1] = last;
  }
};
template <>
struct NetworkLine<0> {
  inline void clear() {}
  inline void add(const NetworkPairs&, const NetworkWeights<0>&) {}
  inline void add_each(const NetworkPairs*, const NetworkWeights<0>&) {}
  inline void copy(NetworkInts*) const {}
};

template <int P, int V>
struct NetworkSums {
  NetworkSums<P - 1, V> rest;
  NetworkLine<V> last;
  inline void clear() {
    rest.clear();
    last.clear();
  }
  // Wide: four pairs of values a step, for 4 channels, instead of one.
  template <bool Wide>
  inline void add(const int16_t* x, size_t step, const NetworkWeights<V>& weights) {
    rest.template add<Wide>(x, step, weights);
    const int16_t* const pixel = x + (P - 1) * step;
    last.add(Wide ? network_four_pairs(pixel) : network_pair(pixel), weights);
  }
  inline void zip(const int16_t* a, const int16_t* b, size_t step, const NetworkWeights<V>& weights) {
    rest.zip(a, b, step, weights);
    last.zip(a + (P - 1) * step, b + (P - 1) * step, weights);
  }
  inline void copy(NetworkInts (*to)[V]) const {
    rest.copy(to);
    last.copy(to[P - 1]);
  }
};
template <int V>
struct NetworkSums<0, V> {
  inline void clear() {}
  template <bool Wide>
  inline void add(const int16_t*, size_t, const NetworkWeights<V>&) {}
  inline void zip(const int16_t*, const int16_t*, size_t, const NetworkWeights<V>&) {}
  inline void copy(NetworkInts (*)[V]) const {}
};

// The sums of P pixels from `at` on, in V vectors.
template <int P, int V, bool Wide>
inline void network_sum(const NetworkRow& row, size_t at, NetworkInts (&to)[P][V]) {
  constexpr size_t values = Wide ? 8 : 2;
  const int16_t* weights = row.weights;
  const size_t step = row.step, length = 2 * row.pairs;
  NetworkSums<P, V> sums;
  sums.clear();
  for (size_t s = 0; s < row.segments; ++s) {
    const int16_t* x = row.segment[s] + at * step;
    for (const int16_t* const end = x + length; x != end; x += values, weights += 2 * kNetworkLanes) {
      NetworkWeights<V> w;
      w.load(weights);
      sums.template add<Wide>(x, step, w);
    }
  }
  sums.copy(to);
}

// Calls pixels(integer of P, first pixel) until n are done, for tiles as large as they fit.
template <int P, class Pixels>
inline size_t network_tiles(size_t at, size_t n, Pixels pixels) {
  for (; at + P <= n; at += P) pixels(NetworkTile<P>(), at);
  constexpr int smaller = P < 12 && P % 3 == 0 ? P / 3 : P / 2;  // 12, 6, 2, 1, and 3, 1
  if constexpr (P > 1) at = network_tiles<smaller>(at, n, pixels);
  return at;
}

// What the end of each sum needs. In memory: the registers are for the sums.
struct NetworkEnd {
  NetworkLimits limits;
  NetworkFloats skip_scale;
};

// Makes V vectors of channels. Half: of those, 8 channels alone are read of `skip` and written.
template <int V, bool Half, bool Skip>
void network_conv_row(const NetworkRow& row, const NetworkEnd& end, const int16_t* skip, int16_t* out) {
  constexpr size_t lanes = kNetworkLanes / 2;
  const float *scale = row.scale, *bias = row.bias;
  const size_t channels = row.channels;
  network_tiles<kNetworkTile * kNetworkVectors / V>(0, row.n, [&](auto tile, size_t at) {
    constexpr int pixels = decltype(tile)::pixels;
    NetworkInts sums[pixels][V];
    network_sum<pixels, V, false>(row, at, sums);
    size_t place = at * channels;
    for (int p = 0; p < pixels; ++p, place += channels) {
      int16_t few[kNetworkLanes] = {};
      if (Half && Skip)
        for (size_t i = 0; i < lanes; ++i) few[i] = skip[place + i];
      const int16_t* from = Half || !Skip ? few : skip + place;
      NetworkFloats y[V];
      for (int v = 0; v < V; ++v) {
        const int lane = kNetworkVector * v;
        y[v] = network_multiply(network_floats(sums[p][v]), network_floats(scale + lane));
        y[v] = network_add(y[v], network_floats(bias + lane));
        if (Skip) y[v] = network_add(y[v], network_multiply(network_floats(from + lane), end.skip_scale));
      }
      network_store_rounded(y, end.limits, Half ? few : out + place);
      if (Half)
        for (size_t i = 0; i < lanes; ++i) out[place + i] = few[i];
    }
  });
}

void network_conv(const NetworkRow* row, NetworkRange range, const int16_t* skip, float skip_scale, int16_t* out) {
  constexpr int few = kNetworkVectors > 1 ? kNetworkVectors / 2 : 1;  // vectors of 8 channels
  constexpr bool half = kNetworkVectors == 1;
  const NetworkEnd end = {network_limits(range), network_all(skip_scale)};
  if (row->lanes == kNetworkLanes)
    (skip == nullptr ? network_conv_row<kNetworkVectors, false, false>
                     : network_conv_row<kNetworkVectors, false, true>)(*row, end, skip, out);
  else
    (skip == nullptr ? network_conv_row<few, half, false> : network_conv_row<few, half, true>)(*row, end, skip, out);
}

// P pixels of 16 channels: taps by twos, of which one instruction makes a sum.
template <int P>
inline void network_deep_tile(const NetworkWindow& window, const NetworkLimits& limits, size_t at, size_t c,
                              int16_t* out) {
  NetworkSums<P, kNetworkVectors> all;
  all.clear();
  const size_t pairs = window.pairs, step = window.step, channels = window.channels;
  const int16_t* weights = window.weights + c * 2 * pairs;
  const float *scale = window.scale + c, *bias = window.bias + c;
  const size_t first = at * step + c;
  for (size_t k = 0; k < pairs; ++k, weights += 2 * kNetworkLanes) {
    NetworkWeights<kNetworkVectors> w;
    w.load(weights);
    all.zip(window.tap[2 * k] + first, window.tap[2 * k + 1] + first, step, w);
  }
  NetworkInts sums[P][kNetworkVectors];
  all.copy(sums);
  out += at * channels + c;
  for (int p = 0; p < P; ++p, out += channels) {
    NetworkFloats y[kNetworkVectors];
    for (int v = 0; v < kNetworkVectors; ++v) {
      const int lane = kNetworkVector * v;
      y[v] = network_multiply(network_floats(sums[p][v]), network_floats(scale + lane));
      y[v] = network_add(y[v], network_floats(bias + lane));
    }
    network_store_zipped(y, limits, out);
  }
}

// Channels by 32, a line of the cache: so much of the rows of a window stays near.
void network_depthwise(const NetworkWindow* window, NetworkRange range, int16_t* out) {
  const NetworkLimits limits = network_limits(range);
  for (size_t begin = 0; begin < window->channels; begin += 2 * kNetworkLanes) {
    const size_t end = min_of(begin + 2 * kNetworkLanes, window->channels);
    network_tiles<kNetworkDeepTile>(0, window->n, [&](auto tile, size_t at) {
      for (size_t c = begin; c < end; c += kNetworkLanes)
        network_deep_tile<decltype(tile)::pixels>(*window, limits, at, c, out);
    });
  }
}

void network_logits(const NetworkRow* row, float* upper, float* lower) {
  network_tiles<kNetworkTile>(0, row->n, [&](auto tile, size_t at) {
    constexpr int pixels = decltype(tile)::pixels;
    NetworkInts sums[pixels][kNetworkVectors];
    network_sum<pixels, kNetworkVectors, true>(*row, at, sums);
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

// Writes 16 values, made of value(first lane of a vector).
template <class Value>
inline void network_sixteen(const NetworkLimits& limits, Value value, int16_t* out) {
  NetworkFloats y[kNetworkVectors];
  for (int v = 0; v < kNetworkVectors; ++v) y[v] = value(static_cast<size_t>(kNetworkVector * v));
  network_store_rounded(y, limits, out);
}

void network_sum_of_two(const int16_t* x, const int16_t* y, size_t n, float a, float b, NetworkRange range,
                        int16_t* out) {
  const NetworkLimits limits = network_limits(range);
  const NetworkFloats first = network_all(a), second = network_all(b);
  for (size_t at = 0; at < n; at += kNetworkLanes)
    network_sixteen(
        limits,
        [=](size_t lane) {
          return network_add(network_multiply(network_floats(x + at + lane), first),
                             network_multiply(network_floats(y + at + lane), second));
        },
        out + at);
}

// The sums are whole numbers below 2^24, which floats hold exactly.
void network_up_add(const int16_t* near, const int16_t* far, const int16_t* fine, size_t channels, size_t n, float a,
                    float b, NetworkRange range, int16_t* out) {
  const NetworkLimits limits = network_limits(range);
  const NetworkFloats three = network_all(3), fine_factor = network_all(a), coarse_factor = network_all(b);
  const auto column = [=](size_t at) {
    return network_add(network_multiply(network_floats(near + at), three), network_floats(far + at));
  };
  for (size_t x = 0; x < 2 * n; ++x, fine += channels, out += channels) {
    const size_t here = x / 2 * channels;
    const size_t beside = x % 2 == 0 ? (x == 0 ? 0 : here - channels) : min_of(here + channels, (n - 1) * channels);
    for (size_t c = 0; c < channels; c += kNetworkLanes)
      network_sixteen(
          limits,
          [=](size_t lane) {
            const size_t at = c + lane;
            const NetworkFloats coarse = network_add(network_multiply(column(here + at), three), column(beside + at));
            return network_add(network_multiply(network_floats(fine + at), fine_factor),
                               network_multiply(coarse, coarse_factor));
          },
          out + c);
  }
}

void network_rescale(const int16_t* in, size_t channels, size_t n, float factor, NetworkRange range, size_t pitch,
                     int16_t* out) {
  const NetworkLimits limits = network_limits(range);
  const NetworkFloats all = network_all(factor);
  for (size_t x = 0; x < n; ++x, in += channels, out += pitch)
    for (size_t c = 0; c < channels; c += kNetworkLanes)
      network_sixteen(
          limits, [=](size_t lane) { return network_multiply(network_floats(in + c + lane), all); }, out + c);
}

constexpr NetworkKernels network_kernels = {network_conv,       network_depthwise, network_logits, network_pool,
                                            network_sum_of_two, network_up_add,    network_rescale};
