#include "cleaning.hpp"

#include <algorithm>

#include "alphacut/components.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

constexpr int64_t kTold = 100;  // one pixel of the mask in so many

// A share in percent with one decimal.
std::string percent(int64_t part, int64_t whole) {
  const int64_t tenths = (2000 * part + whole) / (2 * whole);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "%";
}

}  // namespace

void Cleaning::tell(std::vector<std::string>& warnings) const {
  std::string what;
  if (kTold * dropped > mask)
    what = " dropped " + std::to_string(parts) + (parts == 1 ? " part" : " parts") + " (" + percent(dropped, mask) +
           " of the mask)";
  if (kTold * filled > mask)
    what += (what.empty() ? " filled holes (" : " and filled holes (") + percent(filled, mask) + " of the mask)";
  if (!what.empty()) warnings.push_back("cleaning" + what + "; with clean off they stay");
}

Cleaning drop_small_parts(Image<uint8_t>& mask) {
  Cleaning done;
  int64_t largest = 0;
  const std::vector<ComponentStats> parts = component_stats(mask, 8);
  for (const ComponentStats& part : parts) {
    done.mask += part.area;
    largest = std::max(largest, part.area);
  }
  const int64_t least = (largest + 19) / 20;
  for (const ComponentStats& part : parts)
    if (part.area < least) {
      ++done.parts;
      done.dropped += part.area;
    }
  if (done.parts == 0) return done;
  Image<uint8_t> kept = Image<uint8_t>::like(mask.view());
  remove_small(mask, least, 8, kept);
  mask = std::move(kept);
  return done;
}

Cleaning fill_small_holes(Image<uint8_t>& mask) {
  Cleaning done;
  done.mask = count_nonzero(mask);
  Image<uint8_t> filled = Image<uint8_t>::like(mask.view());
  fill_holes(mask, done.mask / 100, 8, filled);
  mask = std::move(filled);
  done.filled = count_nonzero(mask) - done.mask;
  return done;
}

Cleaning clean_mask(Image<uint8_t>& mask) {
  Cleaning done = drop_small_parts(mask);
  done.filled = fill_small_holes(mask).filled;
  return done;
}

}  // namespace alphacut
