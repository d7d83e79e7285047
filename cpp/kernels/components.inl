// The bits of 64 values.
inline uint64_t components_word(const uint8_t* values) {
#if defined(__AVX2__)
  const __m256i zero = _mm256_setzero_si256();
  const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values));
  const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values + 32));
  const uint32_t a = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, zero)));
  const uint32_t b = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, zero)));
  return ~(static_cast<uint64_t>(b) << 32 | a);
#elif defined(__SSE2__) || defined(_M_X64)
  uint64_t empty = 0;
  for (int part = 0; part < 4; ++part) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(values + 16 * part));
    const int bits = _mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128()));
    empty |= static_cast<uint64_t>(static_cast<uint32_t>(bits)) << (16 * part);
  }
  return ~empty;
#else
  uint64_t word = 0;
  for (int i = 0; i < 64; ++i) word |= static_cast<uint64_t>(values[i] != 0) << i;
  return word;
#endif
}

void pack_bits(const uint8_t* __restrict values, size_t n, uint64_t* __restrict words) {
  const size_t whole = n / 64;
  for (size_t i = 0; i < whole; ++i) words[i] = components_word(values + 64 * i);
  uint64_t rest = 0;
  if (whole > 0 && n % 64 != 0) {
    rest = components_word(values + n - 64) >> (64 - n % 64);
  } else {
    for (size_t i = 64 * whole; i < n; ++i) rest |= static_cast<uint64_t>(values[i] != 0) << (i % 64);
  }
  words[whole] = rest;
}

inline int components_count(uint64_t bits) {
#if defined(__POPCNT__) || defined(__ARM_NEON)
  return __builtin_popcountll(bits);
#else
  bits -= bits >> 1 & 0x5555555555555555u;
  bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
  bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fu;
  return static_cast<int>(bits * 0x0101010101010101u >> 56);
#endif
}

// The bits up to and including the lowest one.
inline uint64_t components_up_to_lowest(uint64_t bits) { return bits ^ (bits - 1); }

// The columns of a band, word by word.
struct ComponentsRow {
  BitBand band;
  uint64_t before = 0;  // 1 if the pixel to the left of the word is set

  uint64_t bits = 0, starts = 0, ends = 0;  // the runs, their first pixels, and the pixels after their last
  void load(size_t i) {
    bits = band.first[i] | band.second[i];
    const uint64_t left = bits << 1 | before;
    starts = bits & ~left;
    ends = left & ~bits;
    before = bits >> 63;
  }
};

size_t count_runs(BitBand band, size_t words) {
  ComponentsRow row{band};
  size_t count = 0;
  for (size_t i = 0; i < words; ++i) {
    row.load(i);
    count += static_cast<size_t>(components_count(row.starts));
  }
  return count;
}

// Adds bits to the runs: the bit after a run becomes 1 if any of its bits was added, and the carry goes to the next
// word.
inline uint64_t components_add(uint64_t runs, uint64_t bits, uint64_t& carry) {
  const uint64_t sum = runs + bits, all = sum + carry;
  carry = (sum < runs) | (all < sum);
  return all;
}

LinkCounts link_runs(BitBand upper, BitBand lower, size_t words, int reach, RunLink* __restrict links,
                     int32_t* __restrict first, int32_t* __restrict second) {
  const uint64_t* upper_row = reach != 0 ? upper.second : upper.first;  // the rows that meet
  const uint64_t* lower_row = lower.first;
  ComponentsRow above{upper}, below{lower};
  LinkCounts counts = {0, 0, 0};
  int32_t above_index = -1, below_index = -1, ended = -1;  // of the last run that has begun or ended before the word
  uint64_t upper_before = 0, lower_before = 0, touch_before = 0, touch_carry = 0, first_carry = 0;
  for (size_t i = 0; i < words; ++i) {
    above.load(i);
    below.load(i);
    // A touch is noted at the right one of its two columns: the runs are then those that began last.
    const uint64_t u = upper_row[i], v = lower_row[i];
    uint64_t touch = u & v;
    if (reach != 0) touch |= (u & (v << 1 | lower_before)) | ((u << 1 | upper_before) & v);
    upper_before = u >> 63;
    lower_before = v >> 63;
    // Next to another touch it is the same pair, unless a run starts between them.
    const uint64_t again = (touch << 1 | touch_before) & ~(above.starts | below.starts);
    touch_before = touch >> 63;
    uint64_t rest = touch & ~again;
    if ((rest | above.starts | below.starts | below.ends) == 0) {  // as in most words of a natural mask
      touch_carry |= touch != 0;
      first_carry |= v != 0;
      continue;
    }
    for (; rest != 0; rest &= rest - 1) {
      const uint64_t low = components_up_to_lowest(rest);
      links[counts.links++] = {above_index + components_count(above.starts & low),
                               below_index + components_count(below.starts & low)};
    }
    above_index += components_count(above.starts);
    below_index += components_count(below.starts);

    const uint64_t touched = components_add(below.bits, touch & below.bits, touch_carry) | touch;
    const uint64_t high = components_add(below.bits, v, first_carry);
    for (rest = below.ends & ~touched; rest != 0; rest &= rest - 1) {
      const uint64_t low = components_up_to_lowest(rest);
      const bool is_first = (high & rest & (0 - rest)) != 0;
      const int32_t run = ended + components_count(below.ends & low);
      first[counts.first] = run;
      second[counts.second] = run;
      counts.first += is_first;
      counts.second += !is_first;
    }
    ended += components_count(below.ends);
  }
  return counts;
}

void count_pixels(BitBand band, size_t words, int32_t* __restrict counts) {
  int32_t count = 0;
  uint64_t open = 0;  // 1 if the run goes on into this word
  for (size_t i = 0; i < words; ++i) {
    const uint64_t a = band.first[i], b = band.second[i];
    uint64_t rest = a | b;
    counts += open & ~rest;
    open &= rest;
    count = open != 0 ? count : 0;
    while (rest != 0) {
      const uint64_t bits = rest & ~(rest + (rest & (0 - rest)));  // the first run of the word
      rest ^= bits;
      count += components_count(a & bits) + components_count(b & bits);
      *counts = count;
      open = bits >> 63;
      counts += open ^ 1;
      count = open != 0 ? count : 0;
    }
  }
}

// The sum of the places of the bits, in both halves from 0 to 31.
inline int64_t components_places(uint64_t bits) {
  return components_count(bits & 0xaaaaaaaaaaaaaaaau) + 2 * components_count(bits & 0xccccccccccccccccu) +
         4 * components_count(bits & 0xf0f0f0f0f0f0f0f0u) + 8 * components_count(bits & 0xff00ff00ff00ff00u) +
         16 * components_count(bits & 0xffff0000ffff0000u);
}

void sum_runs(BitBand band, size_t words, RunSums* __restrict sums) {
  RunSums run = {0, 0, 0, 0, 0};
  uint64_t open = 0;  // 1 if the run goes on into this word
  for (size_t i = 0; i < words; ++i) {
    const uint64_t a = band.first[i], b = band.second[i];
    uint64_t rest = a | b;
    if ((open != 0) & ((a & b) == ~uint64_t{0})) {  // as in many words of a natural mask
      const auto word = static_cast<int64_t>(i);
      run.x += 64 * (128 * word + 63);
      run.first += 64;
      run.second += 64;
      run.end = static_cast<int32_t>(64 * word + 64);
      continue;
    }
    if (open != 0 && (rest & 1) == 0) *sums++ = run;
    open &= rest;
    while (rest != 0) {
      const uint64_t low = rest & (0 - rest), bits = rest & ~(rest + low);  // the first run of the word
      const int begin = components_count(low - 1), length = components_count(bits);
      const int64_t x = static_cast<int64_t>(64 * i) + begin;
      rest &= ~bits;
      if (open == 0) run = {0, static_cast<int32_t>(x), 0, 0, 0};
      const uint64_t in_first = (a & bits) >> begin, in_second = (b & bits) >> begin;
      const int first = components_count(in_first), second = components_count(in_second);
      run.x += x * (first + second);
      if (length <= 32) {
        run.x += components_places(in_first | in_second << 32);
      } else if (first == length && second == length) {
        run.x += length * (length - 1);
      } else {
        run.x += components_places(in_first) + components_places(in_second);
        run.x += 32 * (components_count(in_first >> 32) + components_count(in_second >> 32));
      }
      run.first += first;
      run.second += second;
      run.end = static_cast<int32_t>(x + length);
      open = bits >> 63;
      if (open == 0) *sums++ = run;
    }
  }
}

// Byte i of entry b: how many of the bits 0 .. i of b are set.
struct ComponentsPrefixes {
  uint64_t counts[256];
  constexpr ComponentsPrefixes() : counts() {
    for (uint64_t bits = 0; bits < 256; ++bits)
      for (int i = 0; i < 8; ++i) counts[bits] += (bits >> i & 1) * (0x0101010101010101u << (8 * i));
  }
};
constexpr ComponentsPrefixes components_prefixes;

#if defined(__AVX2__)
// The labels of 8 pixels, where their bits are set.
inline __m256i components_where(uint64_t bits, __m256i labels) {
  const __m256i places = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const __m256i set = _mm256_and_si256(_mm256_set1_epi32(static_cast<int>(bits & 255)), places);
  return _mm256_and_si256(_mm256_cmpeq_epi32(set, places), labels);
}
#endif

void paint_labels(BitBand band, const int32_t* __restrict labels, size_t n, int32_t* __restrict first,
                  int32_t* __restrict second) {
  ComponentsRow row{band};
  --labels;  // of the run that began last, or -1
  for (size_t i = 0; i < n; i += 64) {
    row.load(i / 64);
    uint64_t a = band.first[i / 64], b = band.second[i / 64], starts = row.starts;
    const size_t end = min_of<size_t>(n, i + 64);
    size_t x = i;
#if defined(__AVX2__)
    for (; x + 8 <= end; x += 8, a >>= 8, b >>= 8, starts >>= 8) {
      const uint64_t prefix = components_prefixes.counts[starts & 255];
      const __m256i begun = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<int64_t>(prefix)));
      const __m256i near = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(labels));
      const __m256i values = _mm256_permutevar8x32_epi32(near, begun);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(first + x), components_where(a, values));
      if (second) _mm256_storeu_si256(reinterpret_cast<__m256i*>(second + x), components_where(b, values));
      labels += prefix >> 56;
    }
#endif
    for (; x < end; ++x, a >>= 1, b >>= 1, starts >>= 1) {
      labels += starts & 1;
      first[x] = *labels & -static_cast<int32_t>(a & 1);
      if (second) second[x] = *labels & -static_cast<int32_t>(b & 1);
    }
  }
}

// The lowest bits of `bits`, moved to the places of the set bits of `places`.
inline uint64_t components_deposit(uint64_t bits, uint64_t places) {
#if defined(__AVX2__)
  return _pdep_u64(bits, places);
#else
  uint64_t result = 0;
  for (; places != 0; places &= places - 1, bits >>= 1) result |= (places & (0 - places)) & (0 - (bits & 1));
  return result;
#endif
}

// 255 or 0 for each bit.
inline void components_bytes(uint64_t bits, size_t n, uint8_t* values) {
  size_t x = 0;
#if defined(__AVX2__)
  const __m256i places = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201u));
  const __m256i spread = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
  for (; x + 32 <= n; x += 32, bits >>= 32) {
    const __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(bits)), spread);
    const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, places), places);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(values + x), set);
  }
#endif
  for (; x + 8 <= n; x += 8, bits >>= 8) {
    const uint64_t apart = (bits & 255) * 0x0101010101010101u & 0x8040201008040201u;  // bit i in byte i
    const uint64_t bytes = ((apart + 0x7f7f7f7f7f7f7f7fu) >> 7 & 0x0101010101010101u) * 255;
    for (int i = 0; i < 8; ++i) values[x + i] = static_cast<uint8_t>(bytes >> (8 * i));
  }
  for (; x < n; ++x, bits >>= 1) values[x] = static_cast<uint8_t>(0 - (bits & 1));
}

void paint_mask(BitBand band, const uint64_t* __restrict chosen, size_t n, uint8_t inside, uint8_t* __restrict first,
                uint8_t* __restrict second) {
  ComponentsRow row{band};
  const uint64_t flip = inside != 0 ? 0 : ~uint64_t{0};
  uint64_t carry = 0;
  size_t begun = 0;
  for (size_t i = 0; i < n; i += 64) {
    row.load(i / 64);
    const uint64_t next = chosen[begun / 64] >> (begun % 64) | chosen[begun / 64 + 1] << 1 << (63 - begun % 64);
    begun += static_cast<size_t>(components_count(row.starts));
    const uint64_t runs = row.bits & ~components_add(row.bits, components_deposit(next, row.starts), carry);
    const size_t count = min_of<size_t>(64, n - i);
    components_bytes((band.first[i / 64] & runs) ^ flip, count, first + i);
    if (second) components_bytes((band.second[i / 64] & runs) ^ flip, count, second + i);
  }
}

constexpr ComponentsKernels components_kernels = {pack_bits, count_runs,   link_runs, count_pixels,
                                                  sum_runs,  paint_labels, paint_mask};
