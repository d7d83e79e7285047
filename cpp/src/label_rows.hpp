// Labels that change from call to call in a few rows: looked at once, for all who ask something of them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "alphacut/image.hpp"

namespace alphacut::detail {

class LabelRows {
 public:
  struct Row {
    uint8_t kinds = 0;             // bit k: some label is k
    int64_t first = 0, last = -1;  // that is not 0
    uint64_t since = 0;            // the version that it is of
  };

  // Takes these labels in place of those before; what of them is kept is a copy. Throws std::invalid_argument, and
  // changes nothing, if one is above 3.
  void take(ImageView<const uint8_t> labels);

  ImageView<const uint8_t> labels() const { return labels_; }
  const Row& row(int64_t y) const { return rows_[static_cast<size_t>(y)]; }
  uint64_t version() const { return version_; }  // goes up with each take() that changes something
  // Of each row whether it is newer than a version; of none: all.
  std::vector<uint8_t> changed_since(std::optional<uint64_t> version) const;

 private:
  Image<uint8_t> labels_;
  std::vector<Row> rows_;
  uint64_t version_ = 0;
};

// The box around what is not 0.
std::optional<Box> bounding_box(const LabelRows& labels);

// 1 or 0 if the labels are strokes of foreground or background alone; none if they tell anything else. `boxed`: there
// is a box beside them; else background along a whole side makes one.
std::optional<int> only_kind(const LabelRows& labels, bool boxed);

}  // namespace alphacut::detail
