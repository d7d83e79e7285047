// Memory for pixels, and a store of freed blocks: from call to call the same memory, without asking the system for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace alphacut {

// Blocks from this size on are stored for reuse; below, the system's allocator does as well.
constexpr size_t kBigBlock = size_t{1} << 16;

// A block of at least this many bytes, 64-byte aligned, uninitialised. It is given back with the same number.
void* take_block(size_t bytes);
void give_block(void* block, size_t bytes) noexcept;

// While one lives, big blocks that are given back are kept, and serve whoever asks for at least half their size. Kept
// are only blocks that were taken in the last few calls. Without one, blocks come from the system and go back to it.
class BlockReserve {
 public:
  BlockReserve();
  ~BlockReserve();  // the last one gives back what is kept
  BlockReserve(const BlockReserve&) = delete;
  BlockReserve& operator=(const BlockReserve&) = delete;

  // Around work that will be done again. Threads may have calls at the same time.
  void begin_call();
  void end_call();
  void release();  // gives back what is kept, now
};

// Of the big blocks handed out while a reserve lived: how many came from the system, how many were used again; and the
// bytes that are now in use and kept.
struct BlockCounts {
  int64_t taken = 0, reused = 0, bytes_in_use = 0, bytes_kept = 0;
};
BlockCounts block_counts();
bool keeps_blocks();  // whether a reserve lives

// For vectors that grow with the picture.
template <class T>
struct BlockAllocator {
  using value_type = T;
  BlockAllocator() = default;
  template <class U>
  BlockAllocator(const BlockAllocator<U>&) {}
  T* allocate(size_t n) { return static_cast<T*>(take_block(n * sizeof(T))); }
  void deallocate(T* block, size_t n) noexcept { give_block(block, n * sizeof(T)); }
  bool operator==(const BlockAllocator&) const = default;
};
template <class T>
using BlockVector = std::vector<T, BlockAllocator<T>>;

}  // namespace alphacut
