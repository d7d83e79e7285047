// Where networks come from: the one that comes with alphacut, or a file.
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "alphacut/network.hpp"
#include "network_data.hpp"

namespace alphacut {
namespace {

std::vector<std::byte> bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const auto size = file ? static_cast<std::streamoff>(file.seekg(0, std::ios::end).tellg()) : -1;
  std::vector<std::byte> bytes(static_cast<size_t>(size < 0 ? 0 : size));
  if (size >= 0) file.seekg(0).read(reinterpret_cast<char*>(bytes.data()), size);
  if (size < 0 || !file) throw std::runtime_error("cannot read the network's file " + path.string());
  return bytes;
}

}  // namespace

Network::Network(const std::filesystem::path& file) : Network(bytes_of(file)) {}

const Network& builtin_network() {
  static const Network network = [] {
    const auto bytes = detail::network_data();
    if (bytes.empty()) throw std::runtime_error("this program was built without alphacut's network");
    return Network(bytes);
  }();
  return network;
}

}  // namespace alphacut
