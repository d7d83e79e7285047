// The network from C++: it takes no memory after its first run, gives what it took, and is safe from many threads.
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "alphacut/network.hpp"
#include "alphacut/parallel.hpp"
#include "check.hpp"

namespace {

std::atomic<int64_t> allocations{0};

void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  void* const memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment + alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

using namespace alphacut;

namespace {

class Writer {
 public:
  explicit Writer(unsigned seed) : random_(seed) {
    conv(10, 16, 3, 2, 1, 1), conv(16, 32, 3, 2, 1, 1), block(32, 1);
    conv(32, 64, 3, 2, 1, 1), block(64, 1), block(64, 2);
    conv(64, 96, 3, 2, 1, 1), block(96, 1), block(96, 2);
    block(96, 1), block(96, 1);
    addition(96), block(96, 1), conv(96, 64, 1, 1, 1, 0);
    addition(64), block(64, 1), conv(64, 32, 1, 1, 1, 0);
    addition(32), block(32, 1), block(32, 1), conv(32, 4, 3, 1, 1, 3);
  }

  std::vector<std::byte> file() const {
    Writer whole;
    for (const char c : {'A', 'C', 'N', 'E', 'T', '\0', '\0', '\0'}) whole.put(static_cast<uint8_t>(c), 1);
    whole.put(1, 4);
    whole.put(static_cast<uint32_t>(bytes_.size()), 4);
    uint32_t remainder = ~0u;
    for (const std::byte byte : bytes_) {
      remainder ^= static_cast<uint32_t>(byte);
      for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1) ^ (remainder % 2 == 1 ? 0xedb88320u : 0u);
    }
    whole.put(~remainder, 4);
    whole.bytes_.insert(whole.bytes_.end(), bytes_.begin(), bytes_.end());
    return whole.bytes_;
  }

 private:
  Writer() = default;

  void put(uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) bytes_.push_back(static_cast<std::byte>(value >> (8 * i)));
  }
  void put(float value) { put(std::bit_cast<uint32_t>(value), 4); }

  void conv(uint32_t in, uint32_t out, uint32_t kernel, uint32_t stride, uint32_t dilation, uint32_t kind) {
    for (const uint32_t value : {in, out, kernel, stride, dilation, kind}) put(value, 2);
    put(kind == 2 ? 0.75f : 0.0f);
    const uint32_t taps = kernel * kernel * in;
    for (uint32_t i = 0; i < out; ++i) put(in == 10 ? 0.01f : 0.04f / static_cast<float>(kernel * (in / 16 + 1)));
    for (uint32_t i = 0; i < out; ++i) put(static_cast<float>(random_() % 400) - 100);
    for (uint32_t i = 0; i < out * taps; ++i) put(static_cast<uint8_t>(random_() % 255 - 127), 1);
    put(0, static_cast<int>(-(out * taps) % 4));
  }
  void block(uint32_t channels, uint32_t dilation) {
    conv(channels, channels / 2, 1, 1, 1, 1);
    conv(channels / 2, channels / 2, 3, 1, dilation, 1);
    conv(channels / 2, channels, 1, 1, 1, 2);
  }
  void addition(uint32_t channels) {
    for (const uint32_t value : {0u, channels, 0u, 0u, 0u, 4u}) put(value, 2);
    put(0.7f), put(0.03f);
  }

  std::minstd_rand random_;
  std::vector<std::byte> bytes_;
};

Image<int16_t> random_planes(int64_t height, int64_t width) {
  Image<int16_t> planes(height, width, Network::kPlanes);
  std::minstd_rand random(static_cast<unsigned>(height + width));
  for (int64_t i = 0; i < planes.pixels() * Network::kPlanes; ++i)
    planes.data()[i] = static_cast<int16_t>(static_cast<int>(random() % 256) - 128);
  return planes;
}

std::vector<float> run(const Network& network, const Image<int16_t>& planes) {
  std::vector<float> logits(static_cast<size_t>(planes.pixels() / 4), -1e30f);
  const auto stride = static_cast<ptrdiff_t>(planes.width() / 2 * 4);
  network.run(planes, {logits.data(), planes.height() / 2, planes.width() / 2, 1, stride});
  return logits;
}

void no_memory_after_the_first_run(const Network& network) {
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    for (const int64_t size : {32, 96, 192}) {
      const auto planes = random_planes(size, size);
      Image<float> logits(size / 2, size / 2);
      network.run(planes, logits);
      const int64_t before = allocations;
      for (int i = 0; i < 5; ++i) network.run(planes, logits);
      // the pool of threads keeps its list of loops in a deque, which takes memory now and then
      if (threads == 1) CHECK(allocations == before);
      CHECK(allocations - before < 50);
    }
  }
}

void all_is_finite_and_alive(const Network& network) {
  const std::vector<float> logits = run(network, random_planes(96, 64));
  float low = logits[0], high = logits[0];
  for (const float value : logits) {
    low = value < low ? value : low;
    high = value > high ? value : high;
  }
  CHECK(low > -1e6f && high < 1e6f && high - low > 1);  // each is written: run() begins with -1e30
}

// More at once than the network keeps memory for.
void many_threads(const Network& network) {
  set_num_threads(2);
  std::vector<Image<int16_t>> planes;
  std::vector<std::vector<float>> expected;
  for (const int64_t width : {32, 64, 96}) {
    planes.push_back(random_planes(64, width));
    expected.push_back(run(network, planes.back()));
  }
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 12; ++t)
    threads.emplace_back([&, t] {
      for (size_t i = 0; i < 12; ++i) CHECK(run(network, planes[(t + i / 2) % 3]) == expected[(t + i / 2) % 3]);
    });
  for (std::thread& thread : threads) thread.join();
}

void the_trace_sees_each_layer(const Network& network) {
  int64_t seen = 0, values = 0;
  Image<float> logits(32, 16);
  network.run(random_planes(64, 32), logits, [&](ImageView<const int16_t> layer) {
    ++seen;
    values += layer.pixels() * layer.channels;
  });
  CHECK(seen == 43);
  CHECK(values > 64 * 32 * 4);
}

void damaged_files() {
  const std::vector<std::byte> file = Writer(1).file();
  for (size_t length = 0; length < file.size(); length += length < 100 ? 1 : 7919)
    CHECK_THROWS(std::invalid_argument, Network(std::span(file).first(length)));
  std::minstd_rand random(7);
  for (int i = 0; i < 300; ++i) {
    std::vector<std::byte> damaged = file;
    damaged[random() % (i < 100 ? 60 : file.size())] ^= static_cast<std::byte>(1 << random() % 8);
    CHECK_THROWS(std::invalid_argument, Network(std::span<const std::byte>(damaged)));
  }
}

void wrong_sizes(const Network& network) {
  Image<float> logits(16, 16), wide(16, 32);
  CHECK_THROWS(std::invalid_argument, network.run(Image<int16_t>(32, 32, 9), logits));
  CHECK_THROWS(std::invalid_argument, network.run(Image<int16_t>(32, 33, 10), logits));
  CHECK_THROWS(std::invalid_argument, network.run(Image<int16_t>(0, 32, 10), logits));
  CHECK_THROWS(std::invalid_argument, network.run(Image<int16_t>(32, 32, 10), wide));
}

}  // namespace

int main() {
  const Network network(Writer(1).file());
  no_memory_after_the_first_run(network);
  all_is_finite_and_alive(network);
  many_threads(network);
  the_trace_sees_each_layer(network);
  damaged_files();
  wrong_sizes(network);
  return check::result();
}
