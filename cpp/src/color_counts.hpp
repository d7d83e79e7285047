// Colours counted in 16 bins a channel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace alphacut {

class ColorCounts {
 public:
  static constexpr size_t kBins = 16, kCells = kBins * kBins * kBins;
  static size_t cell_of(const uint8_t* rgb) {
    return (static_cast<size_t>(rgb[0]) >> 4) << 8 | (static_cast<size_t>(rgb[1]) >> 4) << 4 | rgb[2] >> 4;
  }
  void add(const uint8_t* rgb, int64_t weight = 1) { count_[cell_of(rgb)] += weight; }
  // Each also counts for its neighbours, 1 : 2 : 1 along each channel: 64 for each one that was added, less at the
  // ends.
  std::vector<int64_t> smooth() const {
    std::vector<int64_t> from = count_, to(kCells);
    for (const size_t step : {kBins * kBins, kBins, size_t{1}}) {
      for (size_t begin = 0; begin < kCells; begin += step * kBins)
        for (size_t place = 0; place < kBins; ++place)
          for (size_t i = begin + place * step; i < begin + (place + 1) * step; ++i)
            to[i] = 2 * from[i] + (place > 0 ? from[i - step] : 0) + (place + 1 < kBins ? from[i + step] : 0);
      from.swap(to);
    }
    return from;
  }

 private:
  std::vector<int64_t> count_ = std::vector<int64_t>(kCells, 0);
};

}  // namespace alphacut
