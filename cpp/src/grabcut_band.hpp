// From a cut of a smaller size to the pixels of a larger one that are cut again: the edge, in a band.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "alphacut/image.hpp"

namespace alphacut {

// Besides those of Domain: a pixel that stays on the side where the latest cut left it.
constexpr uint8_t kKept = 3;

// The hints of one size, part by part of a row, and which rows may have changed since the latest cut.
struct HintRows {
  std::function<void(int64_t y, int64_t x0, int64_t x1, uint8_t* to)> row;
  std::function<bool(int64_t begin, int64_t end)> changed;
};

// Where the sides of `small` meet within a few pixels: kNode; elsewhere the pixel's side.
Image<uint8_t> band_of(ImageView<const uint8_t> small);

// The labels of a larger size, from one cut to the next. A pixel of the smaller size is a cell of this one.
class EnlargedLabels {
 public:
  // What the latest cut left; then, with update(), what the next one starts from.
  ImageView<uint8_t> labels() { return labels_; }
  ImageView<const uint8_t> domain() const { return domain_; }   // which pixels take part in the next cut
  const std::vector<uint8_t>& rows() const { return rows_; }    // where some do
  const std::vector<uint8_t>& moved() const { return moved_; }  // where the latest update() may have changed that

  // Where the band is far from all that changed since the latest cut: kKept. What changed is a hint, or a side of
  // `small` other than that of undecided pixels there, unless that pixel is in the band and was on that side before.
  void keep_unchanged(ImageView<const uint8_t> small, const HintRows& hints, ImageView<uint8_t> band);

  // The labels become the hints, undecided ones on the side of the smaller size, or as they are where `places`, of the
  // smaller size, says kKept. Only cells where that may be other than it is are written.
  void update(ImageView<const uint8_t> small, ImageView<const uint8_t> places, const HintRows& hints, int64_t height,
              int64_t width);

 private:
  Image<uint8_t> labels_, domain_;
  std::vector<uint8_t> rows_, moved_;
  bool known_ = false;                // of the latest update: all of the following
  Image<uint8_t> sides_, places_;     // what it was made from
  Image<uint8_t> cells_;              // bit s: some pixel of the cell is undecided and on side s
  std::vector<uint8_t> known_cells_;  // of each row of cells
};

}  // namespace alphacut
