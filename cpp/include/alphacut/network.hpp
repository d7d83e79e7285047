// A small promptable U-Net in integers: activations of 12 bits, weights of 8 bits, sums of 32 bits, and IEEE single
// precision between the layers. The same bytes for every instruction set and thread count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "alphacut/image.hpp"

namespace alphacut {

class Network {
 public:
  static constexpr int64_t kPlanes = 10;    // channels of the input
  static constexpr int64_t kMultiple = 32;  // of both sides of the input

  // Is shown the output of each layer in turn, the average's too, but not the logits; valid during the call.
  using Trace = std::function<void(ImageView<const int16_t>)>;

  // From the bytes of a weights file (training/weights.py writes it). Throws std::invalid_argument for any other bytes:
  // wrong marker, version, length, checksum or layer, a number that is not below 1e20.
  explicit Network(std::span<const std::byte> file);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // From `planes` of 10 channels, both sides multiples of 32, to `logits` of one channel and half that size. Planes are
  // meant to hold -128..127; other values fit too. May be called from many threads at once. Keeps its memory (14 bytes
  // a pixel a call at a time, 8 calls at most) for further calls of the same size.
  void run(ImageView<const int16_t> planes, ImageView<float> logits, const Trace& trace = {}) const;

 private:
  struct Model;
  std::unique_ptr<const Model> model_;
};

}  // namespace alphacut
