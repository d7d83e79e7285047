// The file of the network that comes with alphacut.
#pragma once

#include <cstddef>
#include <span>

namespace alphacut::detail {

// Its bytes, from a source that CMake makes (cmake/alphacut-embed.cmake); none in a program that brings no network. An
// object of its own, so that only who asks for the network carries it.
std::span<const std::byte> network_data();

}  // namespace alphacut::detail
