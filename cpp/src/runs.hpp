// Components as runs: the stretches of equal pixels, joined to components by union-find.
#pragma once

#include <vector>

#include "alphacut/image.hpp"
#include "kernels/table.hpp"

namespace alphacut {

// The runs of a mask's foreground or background, in bands of two rows where pixels that meet at a corner belong
// together and of one row otherwise (see BitBand). Each run has a code, and each code a component.
class Runs {
 public:
  // Throws std::invalid_argument unless the mask has one channel and at most 2^31 - 1 pixels and `connectivity` is 4
  // or 8.
  Runs(ImageView<const uint8_t> mask, int connectivity, bool background = false);

  int32_t components() const { return components_; }
  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  int64_t bands() const { return bands_; }
  int64_t band_rows() const { return band_rows_; }
  size_t words() const { return words_; }  // of a row of bits

  BitBand band(int64_t i) const {
    const int64_t second = i * band_rows_ + 1;
    return {bits_.row(i * band_rows_), band_rows_ == 2 && second < height_ ? bits_.row(second) : bits_.row(height_)};
  }
  int32_t runs(int64_t i) const { return first_[static_cast<size_t>(i) + 1] - first_[static_cast<size_t>(i)]; }
  // Of the runs of a band, from left to right. Codes are below code_limit(); those that no strip uses have no
  // component.
  const int32_t* codes(int64_t i) const { return codes_.data() + first_[static_cast<size_t>(i)]; }
  int32_t code_limit() const { return first_.back(); }

  // The component of a code, 1..N in raster order of the first pixel.
  int32_t component(int32_t code) const { return parents_.data()[code]; }

  // Bands that are worked on together. They depend on the size alone, and the components not even on them.
  struct Strip {
    int64_t top, bottom;                    // bands
    int32_t first_code = 0, last_code = 0;  // the codes used, up to the last
  };
  const std::vector<Strip>& strips() const { return strips_; }

 private:
  struct Links;  // of the runs of two bands

  void pack(ImageView<const uint8_t> mask, const Strip& strip, bool background);
  void join(Strip& strip);
  void join_seam(int64_t lower, Links& links);
  void number();
  int32_t unite(int32_t a, int32_t b);

  int64_t height_, width_, band_rows_, bands_;
  size_t words_;
  std::vector<Strip> strips_;
  Image<uint64_t> bits_;        // the last row is 0
  std::vector<int32_t> first_;  // run of each band, and their number
  Image<int32_t> codes_;        // of all runs
  Image<int32_t> parents_;      // of a code: an earlier one of the same component or itself; then the component
  int32_t components_ = 0;
};

}  // namespace alphacut
