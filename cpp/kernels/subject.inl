void start_paths(const float* __restrict value, const uint8_t* __restrict seed, size_t n, float far,
                 float* __restrict high, float* __restrict low) {
  for (size_t i = 0; i < n; ++i) {
    high[i] = seed[i] != 0 ? value[i] : far;
    low[i] = seed[i] != 0 ? value[i] : -far;
  }
}

void offer_paths(const float* __restrict value, size_t n, const float* __restrict near_high,
                 const float* __restrict near_low, ptrdiff_t shift, float* __restrict high, float* __restrict low) {
  const float* __restrict across_high = near_high + shift;
  const float* __restrict across_low = near_low + shift;
  for (size_t i = 0; i < n; ++i) {
    const float v = value[i];
    float top = high[i], bottom = low[i];
    const float a_top = max_of(near_high[i], v), a_bottom = min_of(near_low[i], v);
    const float b_top = max_of(across_high[i], v), b_bottom = min_of(across_low[i], v);
    const bool first = a_top - a_bottom < top - bottom;
    top = first ? a_top : top;
    bottom = first ? a_bottom : bottom;
    const bool second = b_top - b_bottom < top - bottom;
    high[i] = second ? b_top : top;
    low[i] = second ? b_bottom : bottom;
  }
}

void path_ranges(const float* __restrict high, const float* __restrict low, size_t n, float* __restrict range) {
  for (size_t i = 0; i < n; ++i) range[i] = high[i] - low[i];
}

inline double power_of_two(int32_t exponent) {
  union {
    double value;
    int64_t bits;
  } power = {0};
  power.bits = static_cast<int64_t>(exponent + 1023) << 52;
  return power.value;
}
template <int K>
inline double exp_series(double r) {
  if constexpr (K > 13)
    return 1.0;
  else
    return 1.0 + exp_series<K + 1>(r) * r / K;
}

// The steps of exp_exact() (cpp/src/math.hpp), without what compilers cannot do side by side.
void logistic(const float* __restrict log_odds, size_t n, float least, float* __restrict probability) {
  for (size_t i = 0; i < n; ++i) {
    const double x = -static_cast<double>(log_odds[i]);
    const double whole = x * 1.4426950408889634 + 0.5;
    int32_t exponent = static_cast<int32_t>(whole);
    exponent -= static_cast<int32_t>(static_cast<double>(exponent) > whole);  // rounds down
    const auto power = static_cast<double>(exponent);
    const double r = (x - power * 0.693147180369123816490) - power * 1.90821492927058770002e-10;
    const auto likely = static_cast<float>(1 / (1 + exp_series<1>(r) * power_of_two(exponent)));
    probability[i] = likely * (log_odds[i] > least ? 1.0f : 0.0f);  // no branch: compilers would move all into it
  }
}

constexpr SubjectKernels subject_kernels = {start_paths, offer_paths, path_ranges, logistic};
