// latency HEIGHT WIDTH X Y W H: reads a picture of raw RGB, then for each line of standard input, a number of calls,
// says how many seconds each call of remove_background took. See benchmarks/latency.py.
#include <alphacut/alphacut.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 7) return 2;
  const int64_t height = std::atoll(argv[1]), width = std::atoll(argv[2]);
  std::vector<uint8_t> pixels(static_cast<size_t>(3 * height * width));
  if (std::fread(pixels.data(), 1, pixels.size(), stdin) != pixels.size()) return 2;
  alphacut::Prompt prompt;
  prompt.box = {std::atoll(argv[3]), std::atoll(argv[4]), std::atoll(argv[5]), std::atoll(argv[6])};
  // Or the system takes big buffers back after each call, which Python's allocator keeps.
  const alphacut::BufferPool memory;
  for (int calls = 0; std::scanf("%d", &calls) == 1;) {
    for (int i = 0; i < calls; ++i) {
      const auto start = std::chrono::steady_clock::now();
      const alphacut::Cutout cutout =
          alphacut::remove_background(alphacut::packed(pixels.data(), height, width, 3), prompt);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      std::printf("%.9f ", took.count() + 0 * cutout.confidence);
    }
    std::printf("\n");
    std::fflush(stdout);
  }
}
