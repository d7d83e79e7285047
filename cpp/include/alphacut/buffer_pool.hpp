// Memory for pixels, and a pool of freed buffers: from call to call the same memory, without asking the system for it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alphacut/api.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

namespace detail {
// A buffer of at least this many bytes, 64-byte aligned, uninitialised. It is given back with the same number.
void* take_buffer(size_t bytes);
void give_buffer(void* buffer, size_t bytes) noexcept;
}  // namespace detail

// While one lives, big buffers that are given back are kept, and serve whoever asks for at least half their size. Kept
// are only buffers that were taken in the last few calls. Without one, buffers come from the system and go back to it.
class BufferPool {
 public:
  BufferPool();
  ~BufferPool();  // the last one gives back what is kept
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // Around work that will be done again. Threads may have calls at the same time.
  void begin_call();
  void end_call();
  void release();  // gives back what is kept, now
};

// Of the big buffers handed out while a pool lived: how many came from the system, how many were used again; and the
// bytes that are now in use and kept.
struct BufferPoolCounts {
  int64_t taken = 0, reused = 0, bytes_in_use = 0, bytes_kept = 0;
};
BufferPoolCounts buffer_pool_counts();

}  // namespace alphacut
ALPHACUT_API_END
