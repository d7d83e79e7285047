// From a cut of a smaller size to the pixels of a larger one that are cut again: the edge, in a band.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "alphacut/image.hpp"

namespace alphacut {

// Besides those of Domain: a pixel that stays on the side where the latest cut left it.
constexpr uint8_t kKept = 3;

// The hints of one size, row by row, and which rows may have changed since the latest cut.
struct HintRows {
  std::function<void(int64_t y, uint8_t* to)> row;
  std::function<bool(int64_t begin, int64_t end)> changed;
};

// The latest cut of a size, and what each cell of the smaller size sees of it: bit s, that some pixel is undecided and
// on side s. A group are the rows of a row of cells.
struct LatestCut {
  Image<uint8_t> labels, cells;
  std::vector<uint8_t> known_cells;  // of each group, whether its cells are up to date

  void keep(ImageView<const uint8_t> now, const std::vector<uint8_t>& groups);  // those groups that may have changed
};

// Where the sides of `small` meet within a few pixels: kNode; elsewhere the pixel's side.
Image<uint8_t> band_of(ImageView<const uint8_t> small);

// Where the band is far from all that changed since the latest cut: kKept. What changed is a hint of the larger size,
// or a side of `small` other than that of undecided pixels there, unless that pixel is in the band and was on that side
// before. `small_latest`: the latest labels of the smaller size.
void keep_unchanged(ImageView<const uint8_t> small, ImageView<const uint8_t> small_latest, const HintRows& hints,
                    LatestCut& latest, ImageView<uint8_t> band);

struct Enlarged {
  Image<uint8_t> domain;              // which pixels take part in the next cut; no values in rows far from those
  std::vector<uint8_t> groups, rows;  // that may be other than they were
};

// Writes the labels of the larger size: the hints, undecided ones on the side of the smaller size, or the latest one
// where `small_domain` says kKept. No `latest` where nothing is kept.
Enlarged enlarge(ImageView<const uint8_t> small, ImageView<const uint8_t> small_domain, const HintRows& hints,
                 ImageView<const uint8_t> latest, ImageView<uint8_t> labels);

}  // namespace alphacut
