uint32_t graphcut_or_i32(const int32_t* __restrict values, size_t n) {
  uint32_t all = 0;
  for (size_t i = 0; i < n; ++i) all |= static_cast<uint32_t>(values[i]);
  return all;
}

void graphcut_split_rgb(const uint8_t* __restrict rgb, size_t n, uint8_t* __restrict r, uint8_t* __restrict g,
                        uint8_t* __restrict b) {
  for (size_t i = 0; i < n; ++i) {
    r[i] = rgb[3 * i];
    g[i] = rgb[3 * i + 1];
    b[i] = rgb[3 * i + 2];
  }
}

int32_t graphcut_distance(GraphcutRow a, GraphcutRow b, size_t i) {
  int32_t sum = 0;
  for (int c = 0; c < 3; ++c) {
    const int32_t d = static_cast<int32_t>(a.channel[c][i]) - b.channel[c][i];
    sum += d * d;
  }
  return sum;
}

uint64_t graphcut_sum_distance(GraphcutRow a, GraphcutRow b, size_t n) {
  uint64_t sum = 0;
  for (size_t begin = 0; begin < n; begin += 8192) {  // 8192 · 3 · 255^2 fits 32 bits
    const size_t end = min_of<size_t>(n, begin + 8192);
    uint32_t part = 0;
    for (size_t i = begin; i < end; ++i) part += static_cast<uint32_t>(graphcut_distance(a, b, i));
    sum += part;
  }
  return sum;
}

void graphcut_edge_weights(GraphcutRow a, GraphcutRow b, size_t n, const int32_t* __restrict table, int32_t last,
                           int32_t* __restrict weight) {
  for (size_t i = 0; i < n; ++i) weight[i] = table[min_of(graphcut_distance(a, b, i), last)];
}

void graphcut_mixture_score(GraphcutRow x, size_t n, const float* __restrict components, int count,
                            float* __restrict score, uint8_t* __restrict best) {
  constexpr size_t kBlock = 512;  // stays in the first-level cache for all components
  for (size_t begin = 0; begin < n; begin += kBlock) {
    const size_t size = min_of(kBlock, n - begin);
    const uint8_t* __restrict r = x.channel[0] + begin;
    const uint8_t* __restrict g = x.channel[1] + begin;
    const uint8_t* __restrict b = x.channel[2] + begin;
    float x0[kBlock], x1[kBlock], x2[kBlock], top[kBlock];
    int32_t who[kBlock];
    for (size_t i = 0; i < size; ++i) {
      x0[i] = static_cast<float>(r[i]), x1[i] = static_cast<float>(g[i]), x2[i] = static_cast<float>(b[i]);
      top[i] = -3.0e38f, who[i] = 0;
    }
    for (int k = 0; k < count; ++k) {
      const float* m = components + 10 * k;
      const float m0 = m[0], m1 = m[1], m2 = m[2], l00 = m[3], l10 = m[4], l11 = m[5], l20 = m[6], l21 = m[7],
                  l22 = m[8], constant = m[9];
      for (size_t i = 0; i < size; ++i) {
        const float d0 = x0[i] - m0, d1 = x1[i] - m1, d2 = x2[i] - m2;
        const float z0 = l00 * d0, z1 = l10 * d0 + l11 * d1, z2 = l20 * d0 + l21 * d1 + l22 * d2;
        const float value = constant - (z0 * z0 + z1 * z1 + z2 * z2);
        const bool better = value > top[i];
        top[i] = better ? value : top[i];
        who[i] = better ? k : who[i];
      }
    }
    for (size_t i = 0; i < size; ++i) {
      score[begin + i] = top[i];
      best[begin + i] = static_cast<uint8_t>(who[i]);
    }
  }
}

void graphcut_fold_edges(const uint8_t* __restrict domain, size_t n, int32_t* __restrict weights,
                         int32_t* __restrict fold) {
  for (size_t i = 0; i < n; ++i) {
    const int32_t where = domain[i], weight = weights[i];
    fold[i] += where == 1 ? weight : where == 0 ? -weight : 0;
    weights[i] = where == 2 ? weight : 0;
  }
}

void graphcut_terminals(const float* __restrict fg, const float* __restrict bg, const float* __restrict unary,
                        const uint8_t* __restrict labels, const int32_t* __restrict fold, size_t n, float limit,
                        float scale, int32_t hard, int32_t* __restrict difference) {
  constexpr int32_t most = (1 << 29) - 1;
  for (size_t i = 0; i < n; ++i) {
    const float data = scale * (clamp_to(fg[i] - bg[i], -limit, limit) + unary[i]);
    const int32_t rounded = static_cast<int32_t>(data + (data < 0.0f ? -0.5f : 0.5f));
    const int32_t label = labels[i];
    const int32_t value = label == 0 ? -hard : label == 1 ? hard : rounded;
    difference[i] = clamp_to(value + fold[i], -most, most);
  }
}

constexpr GraphcutKernels graphcut_kernels = {graphcut_or_i32,       graphcut_split_rgb,     graphcut_sum_distance,
                                              graphcut_edge_weights, graphcut_mixture_score, graphcut_fold_edges,
                                              graphcut_terminals};
