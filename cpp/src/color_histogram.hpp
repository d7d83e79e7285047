// The colours of an 8-bit picture, counted, for k-means: iterations that need not look at the pixels.
#pragma once

#include <optional>
#include <vector>

#include "alphacut/image.hpp"
#include "kernels/kmeans.hpp"

namespace alphacut {

// Each colour is counted exactly. Colours are kept in boxes of 8×8×8: most boxes lie wholly nearest to one centre and
// move as one; only in the others is each colour compared with the few centres that may be nearest.
class ColorHistogram {
 public:
  // None where the picture is too small or too colourful for this to pay in so many iterations, or too large for the
  // sums.
  static std::optional<ColorHistogram> of(ImageView<const uint8_t> image, int64_t max_iter);

  // The sum of |X|² of all pixels.
  int64_t square_sum() const { return square_sum_; }
  // For each cluster the sums of the three channels and the count.
  std::vector<int64_t> assign(const std::vector<KmeansCenter>& centers) const;
  // Labels the pixels of the same picture.
  void paint(ImageView<const uint8_t> image, const std::vector<KmeansCenter>& centers, ImageView<uint8_t> labels) const;

 private:
  std::vector<KmeansBox> boxes_;
  Image<uint32_t> counts_;  // 512 a box
  int64_t square_sum_ = 0;
};

}  // namespace alphacut
