#include "png_deflate.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <utility>

namespace alphacut {
namespace {

constexpr size_t kBlock = size_t{1} << 15;  // bytes that share a code
constexpr size_t kShortest = 3, kLongest = 258;
constexpr int kLimit = 15, kLengthLimit = 7;  // bits of a code, and of one for the lengths of codes
constexpr size_t kEnd = 256, kSymbols = 286;  // literals, the end of a block, kinds of lengths of runs
constexpr size_t kTokens = 512;               // below 256 a literal, from there on a run
constexpr std::array<uint8_t, 19> kLengthOrder = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
enum : uint32_t { stored = 0, fixed = 1, dynamic = 2 };  // kinds of blocks

// Eight bytes, the first in the lowest place.
uint64_t in_order(uint64_t value) {
  if constexpr (std::endian::native == std::endian::little) return value;
  uint64_t swapped = 0;
  for (int k = 0; k < 8; ++k) swapped |= (value >> 8 * k & 255) << 8 * (7 - k);
  return swapped;
}
uint64_t load(const uint8_t* p) {
  uint64_t value;
  std::memcpy(&value, p, sizeof value);
  return in_order(value);
}
void store(uint8_t* p, uint64_t value) {
  value = in_order(value);
  std::memcpy(p, &value, sizeof value);
}

// 0x80 in each byte that is zero.
uint64_t zeros(uint64_t bytes) {
  constexpr uint64_t low = 0x7f7f7f7f7f7f7f7f;
  return ~(((bytes & low) + low) | bytes | low);
}

// Bits, the first in the lowest place.
struct Bits {
  uint32_t value = 0;
  int count = 0;
};

class Writer {
 public:
  explicit Writer(std::vector<uint8_t>& out) : out_(out) {}

  void put(Bits bits) {  // at most 32
    held_ |= static_cast<uint64_t>(bits.value) << count_;
    count_ += bits.count;
    for (; count_ >= 8; count_ -= 8, held_ >>= 8) out_.push_back(static_cast<uint8_t>(held_));
  }
  void to_whole_byte() { put({0, -count_ & 7}); }
  void copy(std::span<const uint8_t> bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }

  // The codes of many tokens, which take so many bits, none more than 28.
  void put_all(std::span<const uint16_t> tokens, const std::array<Bits, kTokens>& codes, size_t bits) {
    const size_t begin = out_.size();
    out_.resize(begin + bits / 8 + 2 * sizeof(uint64_t));
    uint8_t* to = out_.data() + begin;
    uint64_t held = held_;
    int count = count_;
    const auto add = [&](uint16_t token) {
      held |= static_cast<uint64_t>(codes[token].value) << count;
      count += codes[token].count;
    };
    const auto flush = [&] {
      store(to, held);
      to += count >> 3;
      held >>= count & ~7;
      count &= 7;
    };
    size_t i = 0;
    for (; i + 1 < tokens.size(); i += 2) {
      add(tokens[i]);
      add(tokens[i + 1]);
      flush();
    }
    if (i < tokens.size()) {
      add(tokens[i]);
      flush();
    }
    out_.resize(static_cast<size_t>(to - out_.data()));
    held_ = held;
    count_ = count;
  }

 private:
  std::vector<uint8_t>& out_;
  uint64_t held_ = 0;
  int count_ = 0;
};

// The bits of a Huffman code for each symbol, none more than `limit`; 0 of what does not occur. At least two occur.
void code_lengths(std::span<const uint32_t> counts, int limit, std::span<uint8_t> lengths) {
  std::array<uint16_t, kSymbols> symbols;
  size_t n = 0;
  for (size_t s = 0; s < counts.size(); ++s) {
    lengths[s] = 0;
    if (counts[s] != 0) symbols[n++] = static_cast<uint16_t>(s);
  }
  std::sort(symbols.begin(), symbols.begin() + static_cast<ptrdiff_t>(n),
            [&](uint16_t a, uint16_t b) { return counts[a] != counts[b] ? counts[a] < counts[b] : a < b; });
  // The rarest two of the leaves and of the nodes made so far become a node; both are in ascending order.
  std::array<uint64_t, 2 * kSymbols> weight;
  std::array<uint16_t, 2 * kSymbols> parent, depth;
  for (size_t i = 0; i < n; ++i) weight[i] = counts[symbols[i]];
  size_t leaf = 0, node = n;
  for (size_t made = n; made < 2 * n - 1; ++made) {
    weight[made] = 0;
    for (int part = 0; part < 2; ++part) {
      const size_t rarest = node == made || (leaf < n && weight[leaf] <= weight[node]) ? leaf++ : node++;
      weight[made] += weight[rarest];
      parent[rarest] = static_cast<uint16_t>(made);
    }
  }
  std::array<uint32_t, 64> of_length = {};
  depth[2 * n - 2] = 0;
  for (size_t i = 2 * n - 2; i-- > 0;) {
    depth[i] = static_cast<uint16_t>(depth[parent[i]] + 1);
    if (i < n) ++of_length[static_cast<size_t>(std::min<int>(depth[i], limit))];
  }
  // Codes that were cut to the limit take more room than there is: others become longer until all fit.
  uint32_t room = 0;
  for (int bits = 1; bits <= limit; ++bits) room += of_length[static_cast<size_t>(bits)] << (limit - bits);
  for (; room > 1U << limit; --room) {
    size_t bits = static_cast<size_t>(limit) - 1;
    while (of_length[bits] == 0) --bits;
    --of_length[bits];
    of_length[bits + 1] += 2;
    --of_length[static_cast<size_t>(limit)];
  }
  size_t i = 0;
  for (int bits = limit; bits > 0; --bits)
    for (uint32_t k = 0; k < of_length[static_cast<size_t>(bits)]; ++k)
      lengths[symbols[i++]] = static_cast<uint8_t>(bits);
}

// The codes of those lengths: in the order of lengths, then of symbols.
void make_codes(std::span<const uint8_t> lengths, std::span<Bits> codes) {
  uint32_t next = 0;
  for (int bits = 1; bits <= kLimit; ++bits, next <<= 1)
    for (size_t s = 0; s < lengths.size(); ++s)
      if (lengths[s] == bits) {
        uint32_t reversed = 0;
        for (int k = 0; k < bits; ++k) reversed |= (next >> k & 1) << (bits - 1 - k);
        codes[s] = {reversed, bits};
        ++next;
      }
}

// Of a run of that length: its kind, and the bits that tell it from others of that kind.
struct RunKind {
  size_t symbol;
  Bits extra;
};
RunKind kind_of(size_t length) {
  if (length == kLongest) return {kSymbols - 1, {}};
  const auto rest = static_cast<uint32_t>(length - kShortest);
  const int extra = rest < 8 ? 0 : std::bit_width(rest) - 3;  // four kinds for each number of extra bits
  return {kEnd + 1 + 4 * static_cast<size_t>(extra) + (rest >> extra), {rest & ((1U << extra) - 1), extra}};
}

// A block's bytes as literals and runs, and how often there is each.
class Tokens {
 public:
  // Those of bytes[begin, end); a run repeats the byte before it.
  void take(std::span<const uint8_t> bytes, size_t begin, size_t end) {
    n_ = 0;
    for (auto& table : tables_) table.fill(0);
    const uint8_t* p = bytes.data();
    size_t i = begin;
    if (i == 0) literal(p[i++]);
    while (i < end) {
      if (i + 8 <= end && i + 16 <= bytes.size()) {  // where three in a row are as the one before each, a run begins
        const uint64_t same = zeros(load(p + i) ^ load(p + i - 1)), next = zeros(load(p + i + 8) ^ load(p + i + 7));
        const uint64_t begins = same & (same >> 8 | next << 56) & (same >> 16 | next << 48);
        const size_t before = static_cast<size_t>(std::countr_zero(begins)) / 8;
        if (before == 8) {
          for (size_t k = 0; k < 8; ++k) {
            tokens_[n_ + k] = p[i + k];
            ++tables_[k % 4][p[i + k]];
          }
          n_ += 8;
          i += 8;
          continue;
        }
        for (size_t k = 0; k < before; ++k) literal(p[i++]);
      }
      size_t length = 0;
      while (i + length + 8 <= end && load(p + i + length) == load(p + i + length - 1)) length += 8;
      while (i + length < end && p[i + length] == p[i + length - 1]) ++length;
      i += length;
      while (length >= kShortest) {
        const size_t run = std::min(length, kLongest);
        ++tables_[0][256 + run - kShortest];
        tokens_[n_++] = static_cast<uint16_t>(256 + run - kShortest);
        length -= run;
      }
      for (size_t k = i - length; k < i; ++k) literal(p[k]);
      if (i < end) literal(p[i++]);
    }
    for (size_t t = 0; t < kTokens; ++t) tables_[0][t] += tables_[1][t] + tables_[2][t] + tables_[3][t];
  }

  std::span<const uint16_t> all() const { return {tokens_.data(), n_}; }
  uint32_t count(size_t token) const { return tables_[0][token]; }

 private:
  void literal(uint8_t byte) {
    ++tables_[0][byte];
    tokens_[n_++] = byte;
  }
  std::array<uint16_t, kBlock> tokens_;
  std::array<std::array<uint32_t, kTokens>, 4> tables_;  // four: the same byte again need not wait for its last count
  size_t n_ = 0;
};

// What a block begins with: the lengths of its codes, runs of the same length shortened, in a code of their own.
class Head {
 public:
  // Of `symbols` literals and runs, then of two distances.
  Head(std::span<const uint8_t> lengths, size_t symbols) : symbols_(symbols) {
    for (size_t i = 0, end; i < lengths.size(); i = end) {
      end = i + 1;
      while (end < lengths.size() && lengths[end] == lengths[i]) ++end;
      size_t left = end - i;
      if (lengths[i] == 0) {
        for (; left >= 11; left -= std::min<size_t>(left, 138)) add(18, std::min<size_t>(left, 138) - 11, 7);
        for (; left >= 3; left = 0) add(17, left - 3, 3);
      } else {
        add(lengths[i], 0, 0);
        for (--left; left >= 3; left -= std::min<size_t>(left, 6)) add(16, std::min<size_t>(left, 6) - 3, 2);
      }
      for (; left > 0; --left) add(lengths[i], 0, 0);
    }
    code_lengths(counts_, kLengthLimit, sizes_);
    make_codes(sizes_, codes_);
    while (sizes_[kLengthOrder[kinds_ - 1]] == 0) --kinds_;
  }

  size_t bits() const {
    size_t sum = 3 + 5 + 5 + 4 + 3 * kinds_;
    for (const auto& [symbol, extra] : parts_) sum += static_cast<size_t>(codes_[symbol].count + extra.count);
    return sum;
  }

  void put(Writer& writer) const {
    writer.put({0, 1});
    writer.put({dynamic, 2});
    writer.put({static_cast<uint32_t>(symbols_ - 257), 5});
    writer.put({2 - 1, 5});
    writer.put({static_cast<uint32_t>(kinds_ - 4), 4});
    for (size_t k = 0; k < kinds_; ++k) writer.put({sizes_[kLengthOrder[k]], 3});
    for (const auto& [symbol, extra] : parts_) {
      writer.put(codes_[symbol]);
      writer.put(extra);
    }
  }

 private:
  void add(uint8_t symbol, size_t extra, int bits) {
    ++counts_[symbol];
    parts_.push_back({symbol, {static_cast<uint32_t>(extra), bits}});
  }

  size_t symbols_, kinds_ = kLengthOrder.size();
  std::vector<std::pair<uint8_t, Bits>> parts_;
  std::array<uint32_t, 19> counts_ = {};
  std::array<uint8_t, 19> sizes_;
  std::array<Bits, 19> codes_ = {};
};

class Blocks {
 public:
  explicit Blocks(std::vector<uint8_t>& out) : writer_(out) {}

  void add(std::span<const uint8_t> bytes, size_t begin, size_t end) {
    tokens_.take(bytes, begin, end);
    std::array<uint32_t, kSymbols> counts = {};
    counts[kEnd] = 1;
    for (size_t t = 0; t < 256; ++t) counts[t] = tokens_.count(t);
    for (size_t t = 256; t < kTokens; ++t) counts[kind_of(t - 256 + kShortest).symbol] += tokens_.count(t);
    std::array<uint8_t, kSymbols + 2> lengths;
    code_lengths(counts, kLimit, std::span(lengths).first(kSymbols));
    std::array<Bits, kSymbols> codes = {};
    make_codes(std::span(lengths).first(kSymbols), codes);
    std::array<Bits, kTokens> of_token;
    size_t bits = 0;
    for (size_t t = 0; t < kTokens; ++t) {
      of_token[t] = t < 256 ? codes[t] : of_run(codes, t - 256 + kShortest);
      bits += static_cast<size_t>(of_token[t].count) * tokens_.count(t);
    }
    size_t used = kSymbols;
    while (lengths[used - 1] == 0) --used;
    lengths[used] = lengths[used + 1] = 1;  // of distances: one and, for a whole code, two
    const Head head{std::span(lengths).first(used + 2), used};
    if ((head.bits() + bits) / 8 >= end - begin) {
      add_stored(bytes.subspan(begin, end - begin));
      return;
    }
    head.put(writer_);
    writer_.put_all(tokens_.all(), of_token, bits);
    writer_.put(codes[kEnd]);
  }

  void end(bool last) {
    if (last) {
      writer_.put({1, 1});
      writer_.put({fixed, 2});
      writer_.put({0, 7});  // its end
      writer_.to_whole_byte();
    } else {
      add_stored({});
    }
  }

 private:
  // The code of a run with its distance, 1, whose code is a 0.
  static Bits of_run(const std::array<Bits, kSymbols>& codes, size_t length) {
    const RunKind kind = kind_of(length);
    const Bits code = codes[kind.symbol];
    return {code.value | kind.extra.value << code.count, code.count + kind.extra.count + 1};
  }

  void add_stored(std::span<const uint8_t> bytes) {
    const auto size = static_cast<uint32_t>(bytes.size());
    writer_.put({0, 1});
    writer_.put({stored, 2});
    writer_.to_whole_byte();
    writer_.put({size | ~size << 16, 32});
    writer_.copy(bytes);
  }

  Writer writer_;
  Tokens tokens_;
};

}  // namespace

std::vector<uint8_t> deflate_runs(std::span<const uint8_t> bytes, bool last) {
  std::vector<uint8_t> out;
  out.reserve(bytes.size() / 2 + 1024);
  const auto blocks = std::make_unique<Blocks>(out);
  for (size_t begin = 0; begin < bytes.size(); begin += kBlock)
    blocks->add(bytes, begin, std::min(begin + kBlock, bytes.size()));
  blocks->end(last);
  return out;
}

}  // namespace alphacut
