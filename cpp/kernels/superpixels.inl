void superpixels_offer(const int16_t* const channels[3], size_t n, const int16_t center[3],
                       const int32_t* __restrict near, int32_t label, int32_t* __restrict best,
                       int32_t* __restrict labels) {
  const int16_t* __restrict x0 = channels[0];
  const int16_t* __restrict x1 = channels[1];
  const int16_t* __restrict x2 = channels[2];
  const int32_t c0 = center[0], c1 = center[1], c2 = center[2];
  for (size_t i = 0; i < n; ++i) {
    const int32_t d0 = x0[i] - c0, d1 = x1[i] - c1, d2 = x2[i] - c2;
    const int32_t distance = d0 * d0 + d1 * d1 + d2 * d2 + near[i];
    const int32_t before = best[i];
    best[i] = distance < before ? distance : before;
    labels[i] = distance < before ? label : labels[i];
  }
}

constexpr SuperpixelsKernels superpixels_kernels = {superpixels_offer};
