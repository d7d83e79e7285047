// Runs a small promptable network in integers: activations of 16 bits or fewer, weights of 8 bits, sums of 32 bits, and
// IEEE single precision between the operations. What it computes is a program in the file of its weights; here are the
// operations alone. The same bytes for every instruction set and thread count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "alphacut/image.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

struct NetworkModel;
struct NetworkArena;

class Network {
 public:
  static constexpr int64_t kLongest = 1024;  // sides of a picture

  // From the bytes of a weights file (training/weights.py writes it). Throws std::invalid_argument for any other bytes,
  // and for a program that could leave the range of a number or take memory without reason.
  explicit Network(std::span<const std::byte> file);
  // From a weights file. Also throws std::runtime_error if it cannot be read.
  explicit Network(const std::filesystem::path& file);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // What a network saw of a picture. Outlives the network if need be.
  class Features {
   public:
    Features(Features&&) noexcept;
    Features& operator=(Features&&) noexcept;
    ~Features();
    int64_t height() const;  // of the picture
    int64_t width() const;

   private:
    friend class Network;
    friend struct NetworkTrace;
    Features(std::shared_ptr<const NetworkModel> model, std::unique_ptr<NetworkArena> arena);
    std::shared_ptr<const NetworkModel> model_;
    std::unique_ptr<NetworkArena> arena_;
  };

  // Once a picture. `colours`: as many channels as colour_channels() says, both sides multiples of multiple() and at
  // most kLongest. Values are clipped to the range that the file declares.
  // May be called from many threads at once, and so may ask(). Memory is kept for further calls of the same size.
  Features see(ImageView<const int16_t> colours) const;

  // Once a prompt. `planes`: prompt_channels() of them, the picture's sides divided by prompt_shrink(); `log_odds`: one
  // channel, the picture's size.
  void ask(const Features& features, ImageView<const int16_t> planes, ImageView<float> log_odds) const;

  int64_t multiple() const;
  int64_t colour_channels() const;
  int64_t prompt_channels() const;
  int64_t prompt_shrink() const;

 private:
  friend struct NetworkTrace;  // for tests: cpp/src/network_trace.hpp
  std::shared_ptr<const NetworkModel> model_;
};

// The network that comes with alphacut, made when it is first asked for, by whatever thread. Throws std::runtime_error
// in a program that was built without it.
const Network& builtin_network();

}  // namespace alphacut
ALPHACUT_API_END
