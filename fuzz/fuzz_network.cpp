// The content of a network's file, whose head with length and checksum is made here: what is taken runs, within its
// memory, with the same bytes for every instruction set and number of threads. Also the bytes as they are.
#include <zlib.h>

#include "fuzz.hpp"

using namespace alphacut;

namespace {

std::vector<std::byte> with_head(std::span<const uint8_t> content) {
  const auto length = static_cast<uint32_t>(content.size());
  const auto sum = static_cast<uint32_t>(crc32(0, content.data(), length));
  std::vector<std::byte> file;
  const auto put = [&](const void* from, size_t bytes) {
    const auto* begin = static_cast<const std::byte*>(from);
    file.insert(file.end(), begin, begin + bytes);
  };
  const uint32_t version = 2;
  put("ACNET\0\0\0", 8), put(&version, 4), put(&length, 4), put(&sum, 4), put(content.data(), content.size());
  return file;
}

Image<int16_t> noise(int64_t height, int64_t width, int64_t channels) {
  Image<int16_t> made(height, width, channels);
  std::minstd_rand random(7);
  for (int64_t i = 0; i < height * width * channels; ++i) made.data()[i] = static_cast<int16_t>(random() >> 8);
  return made;
}

void run(const Network& network) {
  static const std::vector<std::string> isas = available_isas();
  const int64_t height = network.multiple(), width = 2 * network.multiple();
  if (height * width * (network.colour_channels() + network.prompt_channels()) > 1 << 20) return;
  const Image<int16_t> colours = noise(height, width, network.colour_channels());
  const Image<int16_t> planes =
      noise(height / network.prompt_shrink(), width / network.prompt_shrink(), network.prompt_channels());
  std::vector<Image<float>> answers;
  for (const auto& isa : {isas.front(), isas.back()}) {
    set_isa(isa);
    set_num_threads(answers.empty() ? 1 : 2);
    answers.emplace_back(height, width);
    network.ask(network.see(colours), planes, answers.back());
  }
  REQUIRE(std::memcmp(answers[0].data(), answers[1].data(), static_cast<size_t>(height * width) * sizeof(float)) == 0);
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 1 << 16) return 0;
  for (const auto& file :
       {with_head({data, size}), std::vector<std::byte>(reinterpret_cast<const std::byte*>(data),
                                                        reinterpret_cast<const std::byte*>(data) + size)})
    try {
      run(Network(std::span(file)));
    } catch (const std::invalid_argument&) {
    }
  return 0;
}
