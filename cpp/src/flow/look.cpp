// What the network sees of a part of a frame.
#include <algorithm>

#include "alphacut/preprocess.hpp"
#include "flow/memory.hpp"
#include "network_input.hpp"

namespace alphacut {

Image<float> look(const Network& network, ImageView<const uint8_t> part, std::optional<Box> box,
                  ImageView<const float> before, int64_t side) {
  Image<uint8_t> rgb(side, side, 3);
  resize_area(part, rgb);
  Image<int16_t> colors(side, side, 4), planes(side / kInputCell, side / kInputCell, kInputPlanes);
  for (int64_t i = 0; i < rgb.pixels(); ++i) {
    for (int64_t c = 0; c < 3; ++c) colors.data()[4 * i + c] = static_cast<int16_t>(rgb.data()[3 * i + c] - 128);
    colors.data()[4 * i + 3] = 0;
  }
  const Network::Features features = network.see(colors);
  network_input(rgb, {}, box, before, planes);
  Image<float> log_odds(side, side);
  network.ask(features, planes, log_odds);
  return log_odds;
}

}  // namespace alphacut
