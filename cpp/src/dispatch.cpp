#include "dispatch.hpp"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>

#if defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
#include <immintrin.h>
#include <intrin.h>
#define ALPHACUT_X86 1
#elif defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#define ALPHACUT_X86 1
#endif

namespace alphacut {

#define ALPHACUT_DECLARE(isa) \
  namespace isa {             \
  extern const Kernels table; \
  }
#if ALPHACUT_HAS_baseline
ALPHACUT_DECLARE(baseline)
#endif
#if ALPHACUT_HAS_avx2
ALPHACUT_DECLARE(avx2)
#endif
#if ALPHACUT_HAS_avx512
ALPHACUT_DECLARE(avx512)
#endif
#if ALPHACUT_HAS_neon
ALPHACUT_DECLARE(neon)
#endif
#undef ALPHACUT_DECLARE

namespace {

#if ALPHACUT_X86
struct Registers {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r;
#if defined(_MSC_VER)
  int out[4];
  __cpuid(out, static_cast<int>(leaf & 0x80000000u));
  if (static_cast<uint32_t>(out[0]) < leaf) return r;
  __cpuidex(out, static_cast<int>(leaf), static_cast<int>(subleaf));
  r = {static_cast<uint32_t>(out[0]), static_cast<uint32_t>(out[1]), static_cast<uint32_t>(out[2]),
       static_cast<uint32_t>(out[3])};
#else
  __get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d);
#endif
  return r;
}

// Which register states the operating system saves on a context switch.
uint64_t enabled_states() {
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
#endif
}

constexpr bool all(uint64_t value, uint64_t bits) { return (value & bits) == bits; }
constexpr uint32_t bit(int n) { return uint32_t{1} << n; }

// The levels x86-64-v3 (2: AVX2, BMI, FMA, ...) and x86-64-v4 (3: AVX-512 F, BW, CD, DQ, VL) of the psABI.
int x86_level() {
  const Registers one = cpuid(1, 0), seven = cpuid(7, 0), extended = cpuid(0x80000001u, 0);
  const uint32_t v3_one = bit(12) | bit(22) | bit(27) | bit(28) | bit(29);  // FMA, MOVBE, OSXSAVE, AVX, F16C
  const uint32_t v3_seven = bit(3) | bit(5) | bit(8);                       // BMI1, AVX2, BMI2
  if (!all(one.c, v3_one) || !all(seven.b, v3_seven) || !all(extended.c, bit(5))) return 1;
  const uint64_t states = enabled_states();
  if (!all(states, 0x6)) return 1;                                            // XMM, YMM
  const uint32_t v4_seven = bit(16) | bit(17) | bit(28) | bit(30) | bit(31);  // F, DQ, CD, BW, VL
  return all(seven.b, v4_seven) && all(states, 0xe6) ? 3 : 2;                 // opmask, ZMM
}
#endif

#if ALPHACUT_HAS_avx512
// Stages that AVX-512 made slower than AVX2 have no kernels of their own: see benchmarks/README.md.
const Kernels* avx512_table() {
  static const Kernels table = [] {
    Kernels mixed = avx512::table;
    mixed.components = avx2::table.components;
    mixed.foreground = avx2::table.foreground;
    return mixed;
  }();
  return &table;
}
#endif

// Slowest first.
std::vector<const Kernels*> usable_tables() {
  std::vector<const Kernels*> tables;
#if ALPHACUT_HAS_baseline
  tables.push_back(&baseline::table);
#endif
#if ALPHACUT_HAS_neon
  tables.push_back(&neon::table);
#endif
#if ALPHACUT_X86
  [[maybe_unused]] const int level = x86_level();
#endif
#if ALPHACUT_HAS_avx2
  if (level >= 2) tables.push_back(&avx2::table);
#endif
#if ALPHACUT_HAS_avx512
  if (level >= 3) tables.push_back(avx512_table());
#endif
  return tables;
}

const Kernels* find(std::string_view name, const char* what) {
  std::string names;
  for (const Kernels* table : usable_tables()) {
    if (name == table->isa) return table;
    names += (names.empty() ? "" : ", ") + std::string(table->isa);
  }
  throw std::invalid_argument(std::string(what) + " '" + std::string(name) +
                              "' is not an instruction set of this machine; available: " + names);
}

std::atomic<const Kernels*> chosen{nullptr};

}  // namespace

const Kernels& kernels() {
  const Kernels* table = chosen.load(std::memory_order_acquire);
  if (table == nullptr) {
    const char* forced = std::getenv("ALPHACUT_ISA");
    table = forced != nullptr && *forced != '\0' ? find(forced, "ALPHACUT_ISA") : usable_tables().back();
    chosen.store(table, std::memory_order_release);
  }
  return *table;
}

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (const Kernels* table : usable_tables()) names.emplace_back(table->isa);
  return names;
}

void set_isa(std::string_view name) { chosen.store(find(name, "isa"), std::memory_order_release); }

}  // namespace alphacut
