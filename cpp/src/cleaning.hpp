// Small parts and holes of a mask that was found: dropped, filled, and told of.
#pragma once

#include <string>
#include <vector>

#include "alphacut/image.hpp"

namespace alphacut {

// What cleaning did to a mask, in pixels.
struct Cleaning {
  int64_t mask = 0;                // that the mask had
  int64_t parts = 0, dropped = 0;  // parts that were dropped, and their pixels
  int64_t filled = 0;              // pixels of the holes that were filled

  // A warning, where more than a hundredth of the mask was dropped or filled.
  void tell(std::vector<std::string>& warnings) const;
};

// Drops parts below a twentieth of the largest; fills holes below a hundredth of the mask; does both.
Cleaning drop_small_parts(Image<uint8_t>& mask);
Cleaning fill_small_holes(Image<uint8_t>& mask);
Cleaning clean_mask(Image<uint8_t>& mask);

}  // namespace alphacut
