// The file of a network: a program of two parts. training/weights.py writes it and says what each operation does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <vector>

namespace alphacut {

// Values of 16 bits at the beginning of a line of the cache. Not buffers of the pool (buffer_pool.hpp): they live as
// long as the network.
struct FreeValues {
  void operator()(int16_t* values) const { ::operator delete(values, std::align_val_t{64}); }
};
using NetworkValues = std::unique_ptr<int16_t[], FreeValues>;
NetworkValues make_network_values(int64_t n);  // all 0

// Of a tensor: it has 1 / 2^shrink of the picture's height and width, and values from low to high.
struct NetworkShape {
  int64_t channels = 0, shrink = 0, low = 0, high = 0;
};

struct NetworkOp {
  enum Kind : uint16_t { conv, depthwise, add, average, concat, log_odds };
  Kind kind = conv;
  int64_t kernel = 0, stride = 0, dilation = 0, before = 0;
  std::vector<size_t> inputs;  // tensors
  std::vector<float> factors, scale, bias;
  NetworkValues weights;  // as the kernels read them
  int64_t products = 0;   // of a pixel
};

// Tensors are numbered: the inputs, then the output of each operation in turn.
struct NetworkPart {
  size_t inputs = 0;
  std::vector<NetworkShape> tensors;
  std::vector<NetworkOp> ops;
  std::vector<size_t> outputs;
};

struct NetworkProgram {
  NetworkPart picture;  // one input, of the picture's size; outputs: the features
  NetworkPart prompt;   // inputs: the features, then the planes of the prompt; the last operation is log_odds
  int64_t multiple = 1;
};

constexpr int64_t kNetworkMargin = 2;  // pixels that a window may reach beyond a picture

// Throws std::invalid_argument for anything that is not safe to run.
NetworkProgram read_network(std::span<const std::byte> file);

}  // namespace alphacut
