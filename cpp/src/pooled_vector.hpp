// Vectors whose memory comes from the pool, and what else only the library knows of it.
#pragma once

#include <vector>

#include "alphacut/buffer_pool.hpp"

namespace alphacut {

// Buffers from this size on are stored for reuse; below, the system's allocator does as well.
constexpr size_t kPooledSize = size_t{1} << 16;

bool keeps_buffers();  // whether a pool lives

// For vectors that grow with the picture.
template <class T>
struct PoolAllocator {
  using value_type = T;
  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>&) {}
  T* allocate(size_t n) { return static_cast<T*>(detail::take_buffer(n * sizeof(T))); }
  void deallocate(T* buffer, size_t n) noexcept { detail::give_buffer(buffer, n * sizeof(T)); }
  bool operator==(const PoolAllocator&) const = default;
};
template <class T>
using PooledVector = std::vector<T, PoolAllocator<T>>;

}  // namespace alphacut
