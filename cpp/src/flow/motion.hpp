// How two frames of a film move: the subject as one, the background as one, and each block.
#pragma once

#include <array>
#include <vector>

#include "alphacut/image.hpp"
#include "flow/archive.hpp"

namespace alphacut {

inline constexpr int64_t kBlock = 8;

struct Shift {
  int32_t x = 0, y = 0;
  bool operator==(const Shift&) const = default;
  void archive(auto& a) { archive_all(a, x, y); }
};

// A small RGB picture with a border of `kPad` replicated pixels.
class Padded {
 public:
  static constexpr int64_t kPad = 48;
  Padded() = default;
  explicit Padded(ImageView<const uint8_t> rgb);
  int64_t height() const { return pixels_.height() - 2 * kPad; }
  int64_t width() const { return pixels_.width() - 2 * kPad; }
  bool empty() const { return pixels_.data() == nullptr; }
  void archive(auto& a) { archive_all(a, pixels_); }
  bool consistent() const { return pixels_.view().channels == 3 && height() > 0 && width() > 0; }
  const uint8_t* at(int64_t y, int64_t x) const { return pixels_.row(y + kPad) + 3 * (x + kPad); }
  ImageView<const uint8_t> view() const;  // without the border

 private:
  Image<uint8_t> pixels_;
};

// The whole-pixel shift of the pixels of `mask` (nonzero, of the size of `before`) from `before` to `now`, as one: that
// of the least mean difference of colours, at most `reach` from `around`. Differences count up to a limit, so that
// what is hidden meanwhile does not decide.
// Looked at are `samples` pixels.
Shift shift_of(const Padded& before, const Padded& now, ImageView<const uint8_t> mask, Shift around, int32_t reach,
               int64_t samples);

// Where each block of 8 × 8 pixels of `now` came from.
struct BlockMotion {
  int64_t rows = 0, columns = 0;
  std::vector<Shift> from;  // a pixel p of the block was at p + from
  // Mean difference a value, 0..255, as the block moved, and if it had come by the first two of `layers`.
  std::vector<float> difference;
  std::array<std::vector<float>, 2> as_layer;
  void archive(auto& a) { archive_all(a, rows, columns, from, difference, as_layer); }
};

// Starts from `layers` (the shifts back of subject and background), no motion and the motion before (of the same size
// or empty), and takes its neighbours' where that fits better. Only of the blocks that `within` touches; the others are
// left without motion and difference.
BlockMotion block_motion(const Padded& before, const Padded& now, const std::array<Shift, 2>& layers,
                         const BlockMotion& last, const Box& within);

// Brings `log_odds`, of the frame before, to the part `within` of the present one (`carried`, of its size), and gives
// how far the colours that came along differ, 0..255.
void carry(const Padded& before, const Padded& now, const BlockMotion& motion, ImageView<const float> log_odds,
           const Box& within, ImageView<float> carried, ImageView<uint8_t> difference);

// Means of 5 by 5 pixels, in place; the border is replicated.
void smooth(ImageView<uint8_t> values);

}  // namespace alphacut
