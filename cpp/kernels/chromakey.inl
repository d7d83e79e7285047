// Rounded correctly by every instruction set, so the bytes agree.
inline float chromakey_sqrt(float x) {
#if defined(_MSC_VER) && !defined(__clang__)
#if defined(_M_X64)
  return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x)));
#else
  return vget_lane_f32(vsqrt_f32(vdup_n_f32(x)), 0);
#endif
#else
  return __builtin_sqrtf(x);
#endif
}

inline void chromakey_store(float value, uint8_t* out) {
  *out = static_cast<uint8_t>(static_cast<int32_t>(value * 255.0f + 0.5f));
}
inline void chromakey_store(float value, float* out) { *out = value; }

template <size_t channels, class T>
void chromakey_row(const T* __restrict pixels, size_t n, const ChromakeyRow* key, T* __restrict alpha) {
  const ChromakeyRow k = *key;
  const size_t green = channels == 3 ? 1 : 0, blue = channels == 3 ? 2 : 0;
  for (size_t i = 0; i < n; ++i) {
    const float x = static_cast<float>(static_cast<int32_t>(i));
    const float r = static_cast<float>(pixels[channels * i]) - (k.start[0] + k.step[0] * x);
    const float g = static_cast<float>(pixels[channels * i + green]) - (k.start[1] + k.step[1] * x);
    const float b = static_cast<float>(pixels[channels * i + blue]) - (k.start[2] + k.step[2] * x);
    const float luma = 0.299f * r + 0.587f * g + 0.114f * b;
    const float cb = 0.564f * (b - luma), cr = 0.713f * (r - luma);
    const float distance = chromakey_sqrt(k.luma_weight * luma * luma + cb * cb + cr * cr);
    chromakey_store(clamp_to((distance - k.similarity) * k.inverse_blend, 0.0f, 1.0f), alpha + i);
  }
}

inline void despill_store(float value, uint8_t* out) {
  *out = static_cast<uint8_t>(static_cast<int32_t>(value + 0.5f));
}
inline void despill_store(float value, float* out) { *out = value; }

// `key_share` is 1 - alpha, or a large number where there is no alpha.
template <class T>
inline void despill_pixel(const T* pixel, float key_share, const DespillRow& s, T* out) {
  const float r = pixel[0], g = pixel[1], b = pixel[2], far = 1e6f;  // keeps a channel out of the other group's extreme
  const float strong =
      min_of(min_of(r + far * (1 - s.strong[0]), g + far * (1 - s.strong[1])), b + far * (1 - s.strong[2]));
  const float weak = max_of(max_of(r - far * s.strong[0], g - far * s.strong[1]), b - far * s.strong[2]);
  const float amount = s.strength * clamp_to(strong - weak, 0.0f, key_share * s.key_excess);
  despill_store(r - amount * s.strong[0], out);
  despill_store(g - amount * s.strong[1], out + 1);
  despill_store(b - amount * s.strong[2], out + 2);
}

template <class T>
void despill_row(const T* __restrict pixels, const T* __restrict alpha, size_t n, const DespillRow* spill,
                 T* __restrict out) {
  const DespillRow s = *spill;
  const float scale = sizeof(T) == 1 ? 1.0f / 255 : 1.0f;
  if (alpha)
    for (size_t i = 0; i < n; ++i) despill_pixel(pixels + 3 * i, 1 - scale * alpha[i], s, out + 3 * i);
  else
    for (size_t i = 0; i < n; ++i) despill_pixel(pixels + 3 * i, 1e6f, s, out + 3 * i);
}

constexpr ChromakeyKernels chromakey_kernels = {
    chromakey_row<1, uint8_t>, chromakey_row<3, uint8_t>, chromakey_row<1, float>,
    chromakey_row<3, float>,   despill_row<uint8_t>,      despill_row<float>,
};
