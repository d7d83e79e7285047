// Vectors whose memory comes from the store of freed blocks, and what else only the library knows of that store.
#pragma once

#include <vector>

#include "alphacut/blocks.hpp"

namespace alphacut {

// Blocks from this size on are stored for reuse; below, the system's allocator does as well.
constexpr size_t kBigBlock = size_t{1} << 16;

bool keeps_blocks();  // whether a reserve lives

// For vectors that grow with the picture.
template <class T>
struct BlockAllocator {
  using value_type = T;
  BlockAllocator() = default;
  template <class U>
  BlockAllocator(const BlockAllocator<U>&) {}
  T* allocate(size_t n) { return static_cast<T*>(detail::take_block(n * sizeof(T))); }
  void deallocate(T* block, size_t n) noexcept { detail::give_block(block, n * sizeof(T)); }
  bool operator==(const BlockAllocator&) const = default;
};
template <class T>
using BlockVector = std::vector<T, BlockAllocator<T>>;

}  // namespace alphacut
