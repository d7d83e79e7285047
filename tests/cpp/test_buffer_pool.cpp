// The pool of buffers: off without one, fits within a factor, bounded, from many threads.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "alphacut/buffer_pool.hpp"
#include "alphacut/image.hpp"
#include "check.hpp"
#include "pooled_vector.hpp"

using namespace alphacut;

namespace {

constexpr size_t kSize = 5 * kPooledSize;

struct Taken {
  explicit Taken(size_t size) : bytes(size), data(detail::take_buffer(size)) {}
  ~Taken() { detail::give_buffer(data, bytes); }
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;
  size_t bytes;
  void* data;
};

void* use_once(size_t bytes) {
  const Taken buffer(bytes);
  CHECK(reinterpret_cast<uintptr_t>(buffer.data) % 64 == 0);
  std::memset(buffer.data, 7, bytes);
  return buffer.data;
}

void nothing_is_kept_without_a_pool() {
  use_once(kSize);
  use_once(0);
  const BufferPoolCounts counts = buffer_pool_counts();
  CHECK(counts.taken == 0 && counts.reused == 0 && counts.bytes_kept == 0);
  CHECK(!keeps_buffers());
}

void a_buffer_serves_whoever_it_fits() {
  const int64_t before = buffer_pool_counts().taken;
  BufferPool pool;
  CHECK(keeps_buffers());
  void* const first = use_once(kSize);
  CHECK(use_once(kSize) == first);
  CHECK(use_once(kSize - kSize / 3) == first);
  CHECK(use_once(kSize + kSize / 16) == first);
  CHECK(buffer_pool_counts().taken == before + 1);
  use_once(kSize / 3);  // too small for it
  use_once(2 * kSize);  // too large
  use_once(kPooledSize - 1);
  CHECK(buffer_pool_counts().taken == before + 3);
  CHECK(buffer_pool_counts().bytes_kept >= static_cast<int64_t>(3 * kSize + kSize / 3));
  {
    const Taken a(kSize), b(kSize);
    CHECK(a.data != b.data);
    CHECK(buffer_pool_counts().bytes_in_use >= static_cast<int64_t>(2 * kSize));
  }
  pool.release();
  CHECK(buffer_pool_counts().bytes_kept == 0 && buffer_pool_counts().bytes_in_use == 0);
}

void the_last_pool_gives_all_back() {
  Taken outlives(kSize);  // of no pool
  std::vector<Image<uint8_t>> images;
  {
    BufferPool one;
    {
      BufferPool two;
      images.emplace_back(1000, 1000);
      use_once(kSize);
    }
    CHECK(buffer_pool_counts().bytes_kept > 0);
  }
  CHECK(buffer_pool_counts().bytes_kept == 0);
  CHECK(buffer_pool_counts().bytes_in_use >= 1000000);
  std::fill_n(images[0].data(), images[0].pixels(), uint8_t{1});
  images.clear();
  CHECK(buffer_pool_counts().bytes_in_use == 0 && buffer_pool_counts().bytes_kept == 0);
}

void buffers_without_use_are_given_back() {
  BufferPool pool;
  const auto call = [&](size_t bytes) {
    pool.begin_call();
    use_once(bytes);
    pool.end_call();
  };
  call(10 * kSize);
  CHECK(buffer_pool_counts().bytes_kept >= static_cast<int64_t>(10 * kSize));
  for (int i = 0; i < 4; ++i) call(kSize);
  CHECK(buffer_pool_counts().bytes_kept < static_cast<int64_t>(2 * kSize));
}

void vectors_grow_in_buffers() {
  BufferPool pool;
  int64_t taken = 0;
  for (int round = 0; round < 3; ++round) {
    PooledVector<int32_t> values;
    for (int32_t i = 0; i < 1 << 18; ++i) values.push_back(i);
    PooledVector<int32_t> moved = std::move(values), copy = moved;
    for (int32_t i = 0; i < 1 << 18; ++i) CHECK(copy[static_cast<size_t>(i)] == i);
    if (round == 0) taken = buffer_pool_counts().taken;
  }
  CHECK(buffer_pool_counts().taken == taken);
}

void many_threads_share_the_pool() {
  const auto work = [](unsigned seed) {
    BufferPool pool;
    for (int call = 0; call < 50; ++call) {
      pool.begin_call();
      std::vector<Image<uint32_t>> images;
      for (int i = 0; i < 20; ++i) {
        seed = seed * 1664525 + 1013904223;
        images.emplace_back(100 + seed % 200, 300);
        std::fill_n(images.back().data(), images.back().pixels(), seed);
        if (seed % 3 == 0) images.erase(images.begin());
      }
      for (const auto& image : images)
        CHECK(std::count(image.data(), image.data() + image.pixels(), image.data()[0]) == image.pixels());
      if (seed % 16 == 0) pool.release();
      pool.end_call();
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) threads.emplace_back(work, i);
  for (auto& thread : threads) thread.join();
  CHECK(buffer_pool_counts().bytes_in_use == 0 && buffer_pool_counts().bytes_kept == 0);
}

}  // namespace

int main() {
  nothing_is_kept_without_a_pool();
  a_buffer_serves_whoever_it_fits();
  the_last_pool_gives_all_back();
  buffers_without_use_are_given_back();
  vectors_grow_in_buffers();
  many_threads_share_the_pool();
  return check::result();
}
