// The network from C++: it takes no memory after its first run, gives what it took, and is safe from many threads.
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "alphacut/network.hpp"
#include "alphacut/parallel.hpp"
#include "check.hpp"
#include "network_trace.hpp"

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

enum Kind : uint32_t { kConv, kDepthwise, kAdd, kAverage, kConcat, kLogOdds };

// A small program with every operation.
class Writer {
 public:
  explicit Writer(unsigned seed) : random_(seed) {
    put(2, 2);
    begin({{4, 0, -128, 127}}, 8, 2);
    conv(kConv, {0}, 4, 16, 3, 2, 1);        // 1
    conv(kConv, {1}, 16, 96, 1, 1, 1);       // 2
    conv(kDepthwise, {2}, 96, 96, 5, 2, 1);  // 3
    conv(kConv, {3}, 96, 24, 1, 1, 1);       // 4
    conv(kConv, {4}, 24, 24, 3, 1, 2);       // 5
    conv(kConv, {5, 4}, 24, 24, 1, 1, 1);    // 6
    conv(kConv, {6}, 24, 32, 3, 2, 1);       // 7
    conv(kDepthwise, {7}, 32, 32, 3, 1, 1);  // 8
    put(1, 2), put(8, 2);                    // outputs
    begin({{16, 1, 0, 4095}, {32, 3, 0, 4095}, {8, 2, -128, 127}}, 7, 0);
    conv(kConv, {2}, 8, 16, 3, 1, 1);   // 3
    conv(kConv, {1}, 32, 16, 1, 1, 1);  // 4
    plain(kAdd, {3, 4}, 16);            // 5
    plain(kConcat, {5, 3}, 32);         // 6
    conv(kConv, {6}, 32, 16, 1, 1, 1);  // 7
    plain(kAdd, {0, 7}, 16);            // 8
    conv(kLogOdds, {8}, 16, 4, 3, 1, 1);
  }

  std::vector<std::byte> file() const {
    Writer whole;
    for (const char c : {'A', 'C', 'N', 'E', 'T', '\0', '\0', '\0'}) whole.put(static_cast<uint8_t>(c), 1);
    whole.put(2, 4);
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
  struct Given {
    uint32_t channels, shrink;
    int low, high;
  };

  Writer() = default;

  void put(uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) bytes_.push_back(static_cast<std::byte>(value >> (8 * i)));
  }
  void put(float value) { put(std::bit_cast<uint32_t>(value), 4); }

  void begin(const std::vector<Given>& inputs, uint32_t ops, uint32_t outputs) {
    put(static_cast<uint32_t>(inputs.size()), 2), put(ops, 2), put(outputs, 2);
    for (const Given& input : inputs) {
      put(input.channels, 2), put(input.shrink, 2);
      put(static_cast<uint32_t>(input.low), 2), put(static_cast<uint32_t>(input.high), 2);
    }
  }
  void head(Kind kind, const std::vector<uint32_t>& inputs, const std::vector<uint32_t>& shape, uint32_t high) {
    put(kind, 2);
    for (const uint32_t value : shape) put(value, 2);
    put(0, 2), put(high, 2), put(static_cast<uint32_t>(inputs.size()), 2);
    for (const uint32_t input : inputs) put(input, 2);
  }
  void conv(Kind kind, const std::vector<uint32_t>& inputs, uint32_t in, uint32_t out, uint32_t kernel, uint32_t stride,
            uint32_t dilation) {
    const uint32_t before = stride > 1 ? (kernel - stride) / 2 : kernel / 2 * dilation;
    head(kind, inputs, {out, kernel, stride, dilation, before}, kind == kLogOdds ? 0 : 4095);
    if (inputs.size() > 1) put(0.75f);
    const uint32_t taps = kernel * kernel * (kind == kDepthwise ? 1 : in);
    for (uint32_t i = 0; i < out; ++i) put(in == 4 ? 0.1f : 0.3f / static_cast<float>(taps));
    for (uint32_t i = 0; i < out; ++i) put(static_cast<float>(random_() % 400) - 100);
    for (uint32_t i = 0; i < out * taps; ++i) put(static_cast<uint8_t>(random_() % 255 - 127), 1);
  }
  void plain(Kind kind, const std::vector<uint32_t>& inputs, uint32_t out) {
    head(kind, inputs, {out, 0, 0, 0, 0}, 4095);
    put(0.7f), put(kind == kAdd ? 0.03f : 0.9f);
  }

  std::minstd_rand random_;
  std::vector<std::byte> bytes_;
};

struct Picture {
  Image<int16_t> colours, planes;
  Picture(int64_t height, int64_t width) : colours(height, width, 4), planes(height / 4, width / 4, 8) {
    std::minstd_rand random(static_cast<unsigned>(height + width));
    const auto fill = [&](Image<int16_t>& image, int64_t channels) {
      for (int64_t i = 0; i < image.pixels() * channels; ++i)
        image.data()[i] = static_cast<int16_t>(static_cast<int>(random() % 256) - 128);
    };
    fill(colours, 4), fill(planes, 8);
  }
};

void run(const Network& network, const Picture& picture, ImageView<float> log_odds) {
  network.ask(network.see(picture.colours), picture.planes, log_odds);
}

std::vector<float> run(const Network& network, const Picture& picture) {
  const int64_t height = picture.colours.height(), width = picture.colours.width();
  std::vector<float> log_odds(static_cast<size_t>(height * width), -1e30f);
  run(network, picture, {log_odds.data(), height, width, 1, static_cast<ptrdiff_t>(width * 4)});
  return log_odds;
}

void no_memory_after_the_first_run(const Network& network) {
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    for (const int64_t size : {32, 96, 320}) {
      const Picture picture(size, size);
      Image<float> log_odds(size, size);
      run(network, picture, log_odds);
      const int64_t before = allocations;
      for (int i = 0; i < 5; ++i) run(network, picture, log_odds);
      // the pool of threads keeps its list of loops in a deque, which takes memory now and then
      if (threads == 1) CHECK(allocations == before);
      CHECK(allocations - before < 50);
    }
  }
}

void all_is_finite_and_alive(const Network& network) {
  const std::vector<float> log_odds = run(network, Picture(96, 64));
  float low = log_odds[0], high = log_odds[0];
  for (const float value : log_odds) {
    low = value < low ? value : low;
    high = value > high ? value : high;
  }
  CHECK(low > -1e6f && high < 1e6f && high - low > 1);  // each is written: run() begins with -1e30
}

// More at once than the network keeps memory for.
void many_threads(const Network& network) {
  set_num_threads(2);
  std::vector<Picture> pictures;
  std::vector<std::vector<float>> expected;
  for (const int64_t width : {32, 64, 96}) {
    pictures.emplace_back(64, width);
    expected.push_back(run(network, pictures.back()));
  }
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 12; ++t)
    threads.emplace_back([&, t] {
      for (size_t i = 0; i < 12; ++i) CHECK(run(network, pictures[(t + i / 2) % 3]) == expected[(t + i / 2) % 3]);
    });
  for (std::thread& thread : threads) thread.join();
}

void the_trace_sees_each_operation(const Network& network) {
  int64_t seen = 0, values = 0;
  const Picture picture(64, 32);
  Image<float> log_odds(64, 32);
  const NetworkTrace::Show show = [&](ImageView<const int16_t> layer) {
    ++seen;
    values += layer.pixels() * layer.channels;
  };
  NetworkTrace::ask(network, NetworkTrace::see(network, picture.colours, show), picture.planes, log_odds, show);
  CHECK(seen == 14);
  CHECK(values > 64 * 32 * 4);
}

// At this size the wide tensor is made row by row; with a trace it is whole.
void fused_is_the_same(const Network& network) {
  const Picture picture(320, 288);
  Image<float> log_odds(320, 288);
  const NetworkTrace::Show show = [](ImageView<const int16_t>) {};
  NetworkTrace::ask(network, NetworkTrace::see(network, picture.colours, show), picture.planes, log_odds, show);
  const std::vector<float> whole(log_odds.data(), log_odds.data() + log_odds.pixels());
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    CHECK(run(network, picture) == whole);
  }
}

void features_are_kept() {
  auto network = std::make_unique<Network>(Writer(1).file());
  const Network other(Writer(1).file());
  const Picture picture(64, 64), second(64, 64);
  Image<float> log_odds(64, 64);
  Network::Features features = network->see(picture.colours), moved = network->see(second.colours);
  moved = std::move(features);
  CHECK(moved.height() == 64 && moved.width() == 64);
  network->ask(moved, picture.planes, log_odds);
  CHECK(run(*network, picture) == std::vector<float>(log_odds.data(), log_odds.data() + log_odds.pixels()));
  CHECK_THROWS(std::invalid_argument, other.ask(moved, picture.planes, log_odds));
  Network::Features last = std::move(moved);
  CHECK_THROWS(std::invalid_argument, network->ask(moved, picture.planes, log_odds));
  network.reset();
  CHECK(last.height() == 64);
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
  Image<float> log_odds(32, 32), wide(32, 64);
  CHECK(network.multiple() == 8 && network.colour_channels() == 4);
  CHECK(network.prompt_channels() == 8 && network.prompt_shrink() == 4);
  CHECK_THROWS(std::invalid_argument, network.see(Image<int16_t>(32, 32, 3)));
  CHECK_THROWS(std::invalid_argument, network.see(Image<int16_t>(32, 36, 4)));
  CHECK_THROWS(std::invalid_argument, network.see(Image<int16_t>(0, 32, 4)));
  const Picture picture(32, 32);
  const Network::Features features = network.see(picture.colours);
  CHECK_THROWS(std::invalid_argument, network.ask(features, Image<int16_t>(8, 9, 8), log_odds));
  CHECK_THROWS(std::invalid_argument, network.ask(features, Image<int16_t>(8, 8, 7), log_odds));
  CHECK_THROWS(std::invalid_argument, network.ask(features, picture.planes, wide));
}

}  // namespace

int main() {
  const Network network(Writer(1).file());
  no_memory_after_the_first_run(network);
  all_is_finite_and_alive(network);
  many_threads(network);
  the_trace_sees_each_operation(network);
  fused_is_the_same(network);
  features_are_kept();
  damaged_files();
  wrong_sizes(network);
  return check::result();
}
