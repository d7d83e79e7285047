// camera WIDTH HEIGHT: follows the subject of raw RGB frames from standard input; RGBA to standard output. With ffmpeg:
//
//   ffmpeg -v error -i in.mp4 -f rawvideo -pix_fmt rgb24 - |
//     camera 640 480 | ffplay -f rawvideo -pix_fmt rgba -s 640x480 -
#include <alphacut/alphacut.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <variant>
#include <vector>

int main(int argc, char** argv) try {
  const int64_t width = argc == 3 ? std::atoll(argv[1]) : 0, height = argc == 3 ? std::atoll(argv[2]) : 0;
  if (width < 1 || height < 1 || width > 16384 || height > 16384)
    return std::fprintf(stderr, "usage: camera WIDTH HEIGHT\n"), 2;
  std::vector<uint8_t> frame(static_cast<size_t>(3 * width * height));
  alphacut::BufferPool memory;  // each frame works in the memory of the one before
  alphacut::Tracker track{{}};

  int64_t frames = 0;
  double seconds = 0;
  while (std::fread(frame.data(), 1, frame.size(), stdin) == frame.size()) {
    const auto start = std::chrono::steady_clock::now();
    memory.begin_call();
    const alphacut::AnyView view = alphacut::packed(frame.data(), height, width, 3);
    const alphacut::Cutout cutout = track.next(view, {});
    const auto rgba = std::get<alphacut::Image<uint8_t>>(alphacut::to_rgba(view, cutout));
    memory.end_call();
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    ++frames;
    const auto bytes = static_cast<size_t>(4 * rgba.pixels());
    if (std::fwrite(rgba.data(), 1, bytes, stdout) != bytes) return 1;  // whoever read has left
  }
  if (frames > 0) std::fprintf(stderr, "%.1f ms a frame\n", 1e3 * seconds / static_cast<double>(frames));
} catch (const std::exception& error) {
  std::fprintf(stderr, "camera: %s\n", error.what());
  return 1;
}
