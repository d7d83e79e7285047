// For tests: what a network computes on its way.
#pragma once

#include <functional>

#include "alphacut/network.hpp"

namespace alphacut {

struct NetworkTrace {
  // Is shown the output of each operation in turn, but not the log-odds; valid during the call.
  using Show = std::function<void(ImageView<const int16_t>)>;

  static Network::Features see(const Network& network, ImageView<const int16_t> colours, const Show& show);
  static void ask(const Network& network, const Network::Features& features, ImageView<const int16_t> planes,
                  ImageView<float> log_odds, const Show& show);
};

}  // namespace alphacut
