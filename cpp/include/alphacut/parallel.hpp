// A deterministic parallel loop over rows, on one pool of threads for the process.
#pragma once

#include <cstdint>
#include <type_traits>

#include "alphacut/api.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

// Threads a loop may use, the caller included. Starts as ALPHACUT_NUM_THREADS, or the processors this process may use:
// its affinity and the CPU quota of its control groups. Throws std::invalid_argument if the variable is not a whole
// number from 1 to 1024.
int num_threads();

// Sets it, from 1 to 1024; throws std::invalid_argument otherwise.
void set_num_threads(int count);

namespace detail {
using LoopBody = void (*)(void* context, int64_t begin, int64_t end);
void parallel_for(int64_t count, int64_t grain, LoopBody body, void* context);
}  // namespace detail

// Calls body(begin, end) for the blocks [0, grain), [grain, 2·grain), ... of [0, count), in any order, on several
// threads. The blocks depend on `count` and `grain` alone, never on the threads: a reduction that keeps one partial
// result a block (block = begin / grain) and merges them in order gives the same bytes for any thread count. One block
// runs in the caller without touching the pool; a loop inside a loop runs serially. Safe from many threads and after
// fork. The first exception thrown by the body is rethrown here once all blocks have ended.
template <class Body>
void parallel_for(int64_t count, int64_t grain, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  detail::parallel_for(
      count, grain, [](void* context, int64_t begin, int64_t end) { (*static_cast<Plain*>(context))(begin, end); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

// Rows to a block so that a block holds about `pixels` values of work.
inline int64_t row_grain(int64_t width, int64_t pixels = 1 << 16) {
  return width >= pixels ? 1 : pixels / (width < 1 ? 1 : width);
}

}  // namespace alphacut
ALPHACUT_API_END
