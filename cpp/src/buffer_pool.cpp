#include "alphacut/buffer_pool.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <new>

#include "large_pages.hpp"
#include "pooled_vector.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace alphacut {
namespace {

constexpr size_t kSlack = 2;  // a buffer may be that many times larger than what is asked for
constexpr size_t kLarge = size_t{4} << 20;
constexpr int64_t kRoundsKept = 3;  // for which a buffer stays that nobody takes

struct Free {
  void operator()(void* memory) const { ::operator delete(memory, std::align_val_t{64}); }
};
using Memory = std::unique_ptr<void, Free>;

Memory allocate(size_t bytes) {
  Memory memory(::operator new(bytes, std::align_val_t{64}));
  // Most of what fresh memory costs is the page faults: a seventh of a cut of 24 megapixels was spent in them.
  if (bytes >= kLarge) ask_for_large_pages(memory.get(), bytes);
  return memory;
}

struct Buffer {
  Memory memory;
  size_t size;
  int64_t round;  // in which it was taken last
};
using Buffers = std::map<void*, Buffer>;  // its nodes move from one to another without an allocation

constexpr auto everything = [](const Buffer&) { return true; };

class Store {
 public:
  std::atomic<int64_t> pools{0};
  std::atomic<int64_t> in_use{0};  // buffers

  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

  void* take(size_t bytes) {
    {
      std::lock_guard guard(mutex_);
      if (const auto best = best_fit(bytes); best != kept_.end()) {
        ++counts_.reused;
        counts_.bytes_kept -= signed_size(best->second);
        return hand_out(kept_.extract(best));
      }
    }
    const size_t size = bytes + bytes / 8;  // for pictures a little larger; untouched memory costs nothing
    Memory memory = allocate_or_make_room(size);
    void* const key = memory.get();
    Buffers fresh;
    fresh.emplace(key, Buffer{std::move(memory), size, 0});
    std::lock_guard guard(mutex_);
    ++counts_.taken;
    return hand_out(fresh.extract(key));
  }

  // Returns false if the buffer did not come from here.
  bool give(void* memory) noexcept {
    Buffers::node_type node;  // freed, if it is, after the lock
    std::lock_guard guard(mutex_);
    node = used_.extract(memory);
    if (!node) return false;
    --in_use;
    counts_.bytes_in_use -= signed_size(node.mapped());
    if (pools == 0 || stale(node.mapped())) return true;
    counts_.bytes_kept += signed_size(node.mapped());
    kept_.insert(std::move(node));
    return true;
  }

  void begin_call() {
    std::lock_guard guard(mutex_);
    most_calls_ = std::max(most_calls_, ++calls_);
  }

  // A round is over when as many calls have ended as there were at once: one of each thread, more or less.
  void end_call() {
    {
      std::lock_guard guard(mutex_);
      --calls_;
      if (++ended_calls_ < most_calls_) return;
      most_calls_ = calls_;
      ended_calls_ = 0;
      ++round_;
    }
    drop([this](const Buffer& buffer) { return stale(buffer); });
  }

  template <class Condition>
  void drop(Condition condition) {
    Buffers dropped;
    std::lock_guard guard(mutex_);
    for (auto next = kept_.begin(); next != kept_.end();) {
      const auto it = next++;
      if (!condition(it->second)) continue;
      counts_.bytes_kept -= signed_size(it->second);
      dropped.insert(kept_.extract(it));
    }
  }

  BufferPoolCounts counts() {
    std::lock_guard guard(mutex_);
    return counts_;
  }

 private:
  static int64_t signed_size(const Buffer& buffer) { return static_cast<int64_t>(buffer.size); }
  bool stale(const Buffer& buffer) const { return buffer.round + kRoundsKept < round_; }

  Memory allocate_or_make_room(size_t size) {
    try {
      return allocate(size);
    } catch (const std::bad_alloc&) {
      drop(everything);
      return allocate(size);
    }
  }

  Buffers::iterator best_fit(size_t bytes) {
    auto best = kept_.end();
    for (auto it = kept_.begin(); it != kept_.end(); ++it) {
      const size_t size = it->second.size;
      if (size >= bytes && size / kSlack <= bytes && (best == kept_.end() || size < best->second.size)) best = it;
    }
    return best;
  }

  void* hand_out(Buffers::node_type node) {
    node.mapped().round = round_;
    counts_.bytes_in_use += signed_size(node.mapped());
    ++in_use;
    return used_.insert(std::move(node)).position->first;
  }

  std::mutex mutex_;
  Buffers used_, kept_;
  int64_t round_ = 0;
  int64_t calls_ = 0, most_calls_ = 0, ended_calls_ = 0;  // at this time, and in this round
  BufferPoolCounts counts_;
};

// Never destroyed: arrays may outlive the end of main. In a child of fork the lock must be free.
Store& store() {
  static Store* const the_store = [] {
    auto* const made = new Store;
#if defined(__unix__) || defined(__APPLE__)
    pthread_atfork([] { store().lock(); }, [] { store().unlock(); }, [] { store().unlock(); });
#endif
    return made;
  }();
  return *the_store;
}

}  // namespace

void* detail::take_buffer(size_t bytes) {
  return bytes >= kPooledSize && keeps_buffers() ? store().take(bytes) : allocate(bytes).release();
}

void detail::give_buffer(void* buffer, size_t bytes) noexcept {
  if (bytes < kPooledSize || store().in_use == 0 || !store().give(buffer)) Free()(buffer);
}

BufferPool::BufferPool() { ++store().pools; }

BufferPool::~BufferPool() {
  if (--store().pools == 0) store().drop(everything);
}

void BufferPool::begin_call() { store().begin_call(); }
void BufferPool::end_call() { store().end_call(); }
void BufferPool::release() { store().drop(everything); }

BufferPoolCounts buffer_pool_counts() { return store().counts(); }
bool keeps_buffers() { return store().pools != 0; }

}  // namespace alphacut
