// Pages of two megabytes instead of four kilobytes, where the system has them to give.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace alphacut {

// For memory that will be touched as a whole: of a part that is never touched, large pages would take more.
inline void ask_for_large_pages([[maybe_unused]] void* memory, [[maybe_unused]] size_t bytes) {
#if defined(__linux__)
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE)),
               skip = page - 1 - (reinterpret_cast<uintptr_t>(memory) - 1) % page;
  if (bytes > skip) madvise(static_cast<char*>(memory) + skip, (bytes - skip) / page * page, MADV_HUGEPAGE);
#endif
}

}  // namespace alphacut
