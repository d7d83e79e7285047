#include "wide_median.hpp"

#include <algorithm>
#include <vector>

#include "alphacut/parallel.hpp"

namespace alphacut {
namespace {

// How often each value occurs: by its upper four bits, and by all eight.
struct Counts {
  uint16_t coarse[16], fine[16][16];
};

void add(uint16_t* __restrict sum, const uint16_t* __restrict counts) {
  for (int i = 0; i < 16; ++i) sum[i] = static_cast<uint16_t>(sum[i] + counts[i]);
}
void subtract(uint16_t* __restrict sum, const uint16_t* __restrict counts) {
  for (int i = 0; i < 16; ++i) sum[i] = static_cast<uint16_t>(sum[i] - counts[i]);
}

// The counts of a window that slides along a row. The fine ones are brought up to date where they are asked for.
class SlidingCounts {
 public:
  SlidingCounts(const std::vector<Counts>& columns, int radius) : columns_(columns), radius_(radius) {
    for (int64_t x = -radius_ - 1; x < radius_; ++x) add(coarse_, at(x).coarse);  // the window of x = -1
    std::fill_n(place_, 16, -2 * int64_t{radius_} - 2);                           // beyond any overlap with x = 0
  }

  // Moves on to pixel x, the one after the last.
  void move_to(int64_t x) {
    add(coarse_, at(x + radius_).coarse);
    subtract(coarse_, at(x - radius_ - 1).coarse);
  }

  // The value at x, where the window is, that has `rank` others not above it.
  uint8_t ranked(int64_t x, int rank) {
    int k = 0;
    for (; rank >= coarse_[k]; ++k) rank -= coarse_[k];
    uint16_t* fine = fine_[k];
    if (x - place_[k] > radius_) {  // cheaper anew
      std::fill_n(fine, 16, uint16_t{0});
      for (int64_t u = x - radius_; u <= x + radius_; ++u) add(fine, at(u).fine[k]);
    } else {
      for (int64_t u = place_[k] + 1; u <= x; ++u) {
        add(fine, at(u + radius_).fine[k]);
        subtract(fine, at(u - radius_ - 1).fine[k]);
      }
    }
    place_[k] = x;
    int i = 0;
    for (; rank >= fine[i]; ++i) rank -= fine[i];
    return static_cast<uint8_t>(16 * k + i);
  }

 private:
  const Counts& at(int64_t x) const {
    return columns_[static_cast<size_t>(std::clamp<int64_t>(x, 0, static_cast<int64_t>(columns_.size()) - 1))];
  }

  const std::vector<Counts>& columns_;
  int radius_;
  uint16_t coarse_[16] = {}, fine_[16][16] = {};
  int64_t place_[16];  // of the window that fine_ counts
};

// Row y of the picture, clamped into it, comes into the columns' counts, or goes out.
void count_row(ImageView<const uint8_t> in, int64_t channel, int64_t y, int by, std::vector<Counts>& columns) {
  const uint8_t* value = in.row(std::clamp<int64_t>(y, 0, in.height - 1)) + channel;
  for (Counts& column : columns) {
    uint16_t &coarse = column.coarse[*value / 16], &fine = column.fine[*value / 16][*value % 16];
    coarse = static_cast<uint16_t>(coarse + by);
    fine = static_cast<uint16_t>(fine + by);
    value += in.channels;
  }
}

}  // namespace

void wide_median(ImageView<const uint8_t> in, int size, ImageView<uint8_t> out) {
  const int radius = size / 2;
  // A share begins with as many rows as the window has.
  parallel_for(in.height, std::max<int64_t>(4 * size, row_grain(in.width)), [&](int64_t begin, int64_t end) {
    std::vector<Counts> columns(static_cast<size_t>(in.width));
    for (int64_t c = 0; c < in.channels; ++c) {
      std::fill(columns.begin(), columns.end(), Counts{});
      for (int64_t y = begin - radius - 1; y < begin + radius; ++y) count_row(in, c, y, 1, columns);
      for (int64_t y = begin; y < end; ++y) {
        count_row(in, c, y - radius - 1, -1, columns);
        count_row(in, c, y + radius, 1, columns);
        SlidingCounts window(columns, radius);
        for (int64_t x = 0; x < in.width; ++x) {
          window.move_to(x);
          out.row(y)[x * in.channels + c] = window.ranked(x, size * size / 2);
        }
      }
    }
  });
}

void wide_median(ImageView<const float> in, int size, ImageView<float> out) {
  const int radius = size / 2;
  parallel_for(in.height, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> values(static_cast<size_t>(size * size));
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < in.width; ++x)
        for (int64_t c = 0; c < in.channels; ++c) {
          float* next = values.data();
          for (int64_t v = y - radius; v <= y + radius; ++v)
            for (int64_t u = x - radius; u <= x + radius; ++u)
              *next++ = in.row(
                  std::clamp<int64_t>(v, 0, in.height - 1))[std::clamp<int64_t>(u, 0, in.width - 1) * in.channels + c];
          const auto middle = values.begin() + size * size / 2;
          std::nth_element(values.begin(), middle, values.end());
          out.row(y)[x * in.channels + c] = *middle;
        }
  });
}

}  // namespace alphacut
