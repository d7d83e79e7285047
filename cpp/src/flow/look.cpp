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
namespace {

constexpr int64_t kWholeSide = 256;                  // of what the network sees of the whole frame
constexpr double kNearBox = 0.4, kNearSeen = 1;      // around the expected place: where it may be, and what is seen
constexpr double kFoundAlike = 0.6;                  // of the usual likeness, for another place
constexpr double kFoundLeast = 0.1, kFoundMost = 4;  // of the usual area

}  // namespace

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
  Image<uint8_t> kept = positive(log_odds_);
  if (drop_small_parts(kept).parts == 0) return;
  for (int64_t i = 0; i < kept.pixels(); ++i)
    if (kept.data()[i] == 0 && log_odds_.data()[i] > 0) log_odds_.data()[i] = -1;
}

bool Memory::search(ImageView<const uint8_t> frame, const Network& network) {
  const Box whole{0, 0, log_odds_.width(), log_odds_.height()};
  near_next_ = !near_next_;
  return near_next_ ? search_in(frame, network, whole, false) : search_in(frame, network, around(kNearSeen), true);
}

bool Memory::search_in(ImageView<const uint8_t> frame, const Network& network, const Box& seen, bool near) {
  const int64_t side = near ? kLookSide : kWholeSide;
  std::optional<Box> box;
  if (near) box = in_square(around(kNearBox), seen, side);
  Image<float> odds(seen.height, seen.width);
  resize_bilinear(
      look(network, part(frame, enlarged(seen, frame, log_odds_.height(), log_odds_.width())), box, {}, side).view(),
      odds);
  const ImageView<const uint8_t> small = part(before_.view(), seen);
  for (int64_t y = 0; y < seen.height; ++y)
    for (int64_t x = 0; x < seen.width; ++x)
      odds.row(y)[x] = std::clamp(odds.row(y)[x], -kKept, kKept) + colors_.log_odds(small.row(y) + 3 * x);
  const Image<uint8_t> mask = positive(odds);
  Image<int32_t> parts = Image<int32_t>::like(mask.view());
  const auto count = static_cast<size_t>(label_components(mask, 8, parts));
  std::vector<double> likely(count + 1, 0), area(count + 1, 0);
  for (int64_t i = 0; i < parts.pixels(); ++i) {
    likely[static_cast<size_t>(parts.data()[i])] += static_cast<double>(odds.data()[i]);
    ++area[static_cast<size_t>(parts.data()[i])];
  }
  size_t best = 0;
  for (size_t k = 1; k <= count; ++k) {
    if (area[k] < std::max(3.0 * kFewest, kFoundLeast * usual_area_) || area[k] > kFoundMost * usual_area_) continue;
    if (best != 0 && likely[k] <= likely[best]) continue;
    Image<uint8_t> own = Image<uint8_t>::like(mask.view());
    for (int64_t i = 0; i < own.pixels(); ++i) own.data()[i] = static_cast<size_t>(parts.data()[i]) == k;
    if (colors_.likeness(small, own) > kFoundAlike * likeness_) best = k;
  }
  if (best == 0) return false;
  std::fill_n(log_odds_.data(), log_odds_.pixels(), -kKept);
  for (int64_t y = 0; y < seen.height; ++y)
    for (int64_t x = 0; x < seen.width; ++x)
      if (static_cast<size_t>(parts.row(y)[x]) == best)
        log_odds_.row(seen.y + y)[seen.x + x] = std::min(odds.row(y)[x], kKept);
  area_ = area[best];
  if (const auto found = extent()) edges_ = *found;
  subject_ = {};
  unsettle();
  return true;
}

}  // namespace alphacut
