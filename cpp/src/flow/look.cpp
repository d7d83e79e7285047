// What the network sees of a frame: around the subject, or in the whole of it where that was lost.
#include <algorithm>

#include "alphacut/components.hpp"
#include "alphacut/preprocess.hpp"
#include "cleaning.hpp"
#include "flow/memory.hpp"
#include "flow/memory_pieces.hpp"
#include "flow/pieces.hpp"
#include "network_input.hpp"

namespace alphacut {

Image<float> look(const Network& network, ImageView<const uint8_t> part, std::optional<Box> box,
                  ImageView<const float> before, int64_t side) {
  Image<uint8_t> rgb(side, side, 3);
  resize_area(part, rgb);
  Image<int16_t> planes(side / kInputCell, side / kInputCell, kInputPlanes);
  const Network::Features features = network.see(network_colours(rgb));
  network_input(rgb, {}, box, before, planes);
  Image<float> log_odds(side, side);
  network.ask(features, planes, log_odds);
  return log_odds;
}

void Memory::drop_specks() {
  const Image<uint8_t> mask = positive(log_odds_);
  Image<uint8_t> kept = positive(log_odds_);
  drop_small_parts(kept);
  for (int64_t i = 0; i < mask.pixels(); ++i)
    if (mask.data()[i] != kept.data()[i]) log_odds_.data()[i] = -1;
}

bool Memory::search(ImageView<const uint8_t> frame, const Network& network) {
  const int64_t height = log_odds_.height(), width = log_odds_.width();
  Image<float> odds = Image<float>::like(log_odds_.view());
  resize_bilinear(look(network, frame, std::nullopt, {}, 256).view(), odds);
  const ImageView<const uint8_t> small = before_.view();
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      odds.row(y)[x] = std::clamp(odds.row(y)[x], -kKept, kKept) + colors_.log_odds(small.row(y) + 3 * x);
  const Image<uint8_t> mask = positive(odds);
  Image<int32_t> parts = Image<int32_t>::like(mask.view());
  const auto count = static_cast<size_t>(label_components(mask, 8, parts));
  std::vector<double> likely(count + 1, 0), colored(count + 1, 0);
  std::vector<int64_t> area(count + 1, 0);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const auto of = static_cast<size_t>(parts.row(y)[x]);
      likely[of] += static_cast<double>(odds.row(y)[x]);
      colored[of] += static_cast<double>(colors_.log_odds(small.row(y) + 3 * x));
      ++area[of];
    }
  size_t best = 0;
  for (size_t k = 1; k <= count; ++k)
    if (area[k] >= 3 * kFewest && colored[k] > 0.5 * static_cast<double>(area[k]) &&
        (best == 0 || likely[k] > likely[best]))
      best = k;
  if (best == 0) return false;
  for (int64_t i = 0; i < parts.pixels(); ++i)
    log_odds_.data()[i] = static_cast<size_t>(parts.data()[i]) == best ? std::min(odds.data()[i], kKept) : -kKept;
  if (const auto found = extent()) edges_ = *found;
  subject_ = {};
  return true;
}

}  // namespace alphacut
