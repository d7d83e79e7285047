// Components as runs: the stretches of equal pixels in each row, joined to components by union-find.
#pragma once

#include <span>
#include <vector>

#include "alphacut/image.hpp"

namespace alphacut {

// Pixels begin .. end - 1 of a row.
struct Run {
  int32_t begin, end;
};

// The runs of a mask's foreground or background and, once labelled, the component of each.
class Runs {
 public:
  // Throws std::invalid_argument unless the mask has one channel and at most 2^31 - 1 pixels and `connectivity` is 4
  // or 8.
  Runs(ImageView<const uint8_t> mask, int connectivity, bool background = false);

  int32_t components() const { return components_; }
  int64_t height() const { return height_; }
  int64_t width() const { return width_; }

  // Runs of row y from left to right, and their components, 1..N in raster order of the first pixel.
  std::span<const Run> row(int64_t y) const { return slice(strip_of(y).runs, strip_of(y), y, 0); }
  std::span<const int32_t> labels(int64_t y) const { return slice(labels_, strip_of(y), y, strip_of(y).first); }

 private:
  // Rows that are worked on together. Strips depend on the size alone, and the labels not even on them.
  struct Strip {
    int64_t top = 0, bottom = 0;
    std::vector<Run> runs;
    std::vector<int32_t> starts;  // of each row in `runs`, and their end
    int32_t first = 0;            // number of the first run among all
  };

  template <class T>
  static std::span<const T> slice(const std::vector<T>& values, const Strip& strip, int64_t y, int32_t offset) {
    const auto row = static_cast<size_t>(y - strip.top);
    return {values.data() + offset + strip.starts[row], values.data() + offset + strip.starts[row + 1]};
  }
  const Strip& strip_of(int64_t y) const { return strips_[static_cast<size_t>(y / strip_rows_)]; }
  int32_t first_run(int64_t y) const {
    const Strip& strip = strip_of(y);
    return strip.first + strip.starts[static_cast<size_t>(y - strip.top)];
  }

  void extract(ImageView<const uint8_t> mask, Strip& strip, bool background) const;
  void join_rows(int64_t upper, int64_t lower, int reach);

  int64_t height_, width_, strip_rows_;
  std::vector<Strip> strips_;
  std::vector<int32_t> labels_;  // of all runs; while joining, an earlier run of the same component or the run itself
  int32_t components_ = 0;
};

}  // namespace alphacut
