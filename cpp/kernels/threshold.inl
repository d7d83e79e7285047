void above_u8(const uint8_t* values, size_t n, uint8_t limit, uint8_t* mask) {
  size_t i = 0;
  for (; i + 64 <= n; i += 64) {  // by way of a block, because `mask` may be `values`
    uint8_t block[64];
    for (size_t j = 0; j < 64; ++j) block[j] = values[i + j] > limit ? 255 : 0;
    for (size_t j = 0; j < 64; ++j) mask[i + j] = block[j];
  }
  for (; i < n; ++i) mask[i] = values[i] > limit ? 255 : 0;
}

void above_f32(const float* __restrict values, size_t n, float limit, uint8_t* __restrict mask) {
  for (size_t i = 0; i < n; ++i) mask[i] = values[i] > limit ? 255 : 0;
}

void bins_f32(const float* __restrict values, size_t n, uint8_t* __restrict bins) {
  for (size_t i = 0; i < n; ++i) {
    const float scaled = 256.0f * values[i];  // exact: a power of two
    const int32_t below = static_cast<int32_t>(scaled);
    const int32_t bin = below - (static_cast<float>(below) == scaled);
    bins[i] = static_cast<uint8_t>(clamp_to(bin, 0, 255));
  }
}

void quantise_f32(const float* __restrict values, size_t n, uint16_t* __restrict result) {
  // The luma of a white pixel may exceed 1 by a rounding error.
  for (size_t i = 0; i < n; ++i)
    result[i] = static_cast<uint16_t>(static_cast<int32_t>(65535.0f * min_of(values[i], 1.0f) + 0.5f));
}

void widen_u8(const uint8_t* __restrict values, size_t n, float* __restrict result) {
  for (size_t i = 0; i < n; ++i) result[i] = values[i];
}

template <class T, class Sum>
void slide(const T* __restrict enter, const T* __restrict leave, size_t n, Sum* __restrict sums) {
  for (size_t i = 0; i < n; ++i) sums[i] += static_cast<Sum>(enter[i]) - leave[i];  // modulo 2^k: the total is right
}

template <class T>
void slide_squares(const T* __restrict enter, const T* __restrict leave, size_t n, uint64_t* __restrict sums) {
  for (size_t i = 0; i < n; ++i) {
    const uint32_t in = enter[i], out = leave[i];
    sums[i] += static_cast<uint64_t>(in * in) - out * out;
  }
}

template <class T, class Sum, class Signed>
void mean_row(const T* __restrict values, size_t n, const Sum* __restrict prefix, size_t span, Sum area, Signed bias,
              uint8_t* __restrict mask) {
  for (size_t i = 0; i < n; ++i) {
    const Sum difference = prefix[i + span] - prefix[i] - area * values[i];
    mask[i] = static_cast<Signed>(difference) < bias ? 255 : 0;
  }
}

template <class T>
void sauvola_row(const T* __restrict values, size_t n, const uint64_t* __restrict prefix,
                 const uint64_t* __restrict squares, size_t span, SauvolaRow row, uint8_t* __restrict mask) {
  for (size_t i = 0; i < n; ++i) {
    const double sum = static_cast<double>(static_cast<int64_t>(prefix[i + span] - prefix[i]) + row.extra);
    const double sum_squares =
        static_cast<double>(static_cast<int64_t>(squares[i + span] - squares[i]) + row.extra_squares);
    const double variance = max_of(sum_squares - sum * (sum / row.area), 0.0);  // times area; 0 in a flat window
    const double left = row.area * (values[i] + row.offset) - row.rest * sum;
    const double right = row.slope * sum;
    mask[i] = (left > 0) & (left * left * row.area > right * right * variance) ? 255 : 0;
  }
}

void add_pair(const float* __restrict a, const float* __restrict b, size_t n, float weight, float* __restrict sums) {
  for (size_t i = 0; i < n; ++i) sums[i] += weight * (a[i] + b[i]);
}

void round_f32(float* __restrict values, size_t n) {
  const float shift = 12582912.0f;  // 1.5 * 2^23: the sum has no room for a fraction
  for (size_t i = 0; i < n; ++i) values[i] = (values[i] + shift) - shift;
}

void above_mean(const float* __restrict values, const float* __restrict means, size_t n, float offset,
                uint8_t* __restrict mask) {
  for (size_t i = 0; i < n; ++i) mask[i] = values[i] > means[i] - offset ? 255 : 0;
}

constexpr ThresholdKernels threshold_kernels = {above_u8,
                                                above_f32,
                                                bins_f32,
                                                quantise_f32,
                                                widen_u8,
                                                slide<uint8_t, uint32_t>,
                                                slide<uint8_t, uint64_t>,
                                                slide<uint16_t, uint64_t>,
                                                slide_squares<uint8_t>,
                                                slide_squares<uint16_t>,
                                                mean_row<uint8_t, uint32_t, int32_t>,
                                                mean_row<uint8_t, uint64_t, int64_t>,
                                                mean_row<uint16_t, uint64_t, int64_t>,
                                                sauvola_row<uint8_t>,
                                                sauvola_row<uint16_t>,
                                                add_pair,
                                                round_f32,
                                                above_mean};
