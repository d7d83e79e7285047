// Where the subject of a picture lies.
#pragma once

#include <memory>
#include <optional>

#include "alphacut/image.hpp"
#include "alphacut/network.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {
namespace detail {
class LabelRows;
}

// Minimum barrier distance (Zhang et al. 2015, FastMBD): the least range of values, highest minus lowest, that a path
// of 4-neighbours from any seed (nonzero) to the pixel must cross, approximated by raster passes, the odd ones forward,
// the even ones backward. Paths are improved in place, so it never falls below the exact distance. Two passes reach
// every pixel, three are usual; a pixel not reached yet is infinite. One channel; all three of one size. Values must be
// finite. Throws std::invalid_argument if the sizes disagree, passes < 1 or no pixel is a seed.
// Memory: about 15 bytes a pixel beyond the result; none for seeds outside the box of the other pixels.
void barrier_distance(ImageView<const float> channel, ImageView<const uint8_t> seed, int passes, ImageView<float> out);

// The barrier distance of each pixel from the seeds by colour: summed over L*, a* and b* of the picture after a 5×5
// median. 1 or 3 channels; otherwise as barrier_distance. Memory: about 45 bytes a pixel of the box that holds all but
// seeds (55 for float pictures), more where a side of it is below 100.
void barrier_map(ImageView<const uint8_t> image, ImageView<const uint8_t> seed, int passes, ImageView<float> out);
void barrier_map(ImageView<const float> image, ImageView<const uint8_t> seed, int passes, ImageView<float> out);

// How likely each pixel belongs to the subject, 0..1: barrier distance from the frame and contrast to it, on a copy
// with a long side of at most 300 pixels. 1 or 3 channels; `out` has one and the picture's size. A picture without
// contrast, or with a side below 3, has no subject: all zeros.
void detect_subject(ImageView<const uint8_t> image, ImageView<float> out);
void detect_subject(ImageView<const float> image, ImageView<float> out);

// Where the network sees the subject of one picture, for one prompt after another. Keeps what strokes do not change:
// the part of the picture that is looked at (the whole, or the latest box and what is around it), what the network saw
// there and what it answers without strokes. Strokes of one kind alone change that answer one way only: to keep adds,
// to remove takes away. With both kinds, a part of the answer that one to remove touches and none to keep is given up.
class SubjectFinder {
 public:
  // All must live as long as this. 1 or 3 channels; `small`, if there is one, is the picture at a smaller size, looked
  // at where the whole is.
  SubjectFinder(const Network& network, ImageView<const uint8_t> image, ImageView<const uint8_t> small = {});
  SubjectFinder(SubjectFinder&&) noexcept;
  ~SubjectFinder();

  // As detect_subject by the network, below.
  void find(ImageView<const uint8_t> labels, std::optional<Box> box, ImageView<float> probability,
            ImageView<float> log_odds = {});
  // By labels that the caller keeps from call to call.
  void find_rows(const detail::LabelRows* labels, std::optional<Box> box, ImageView<float> probability,
                 ImageView<float> log_odds = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The same by the network: `labels`, of the picture's size or no data, are strokes, 0 background and 1 foreground, 2
// and 3 nothing. The subject lies in `box`, if there is one; else, if the labels leave but a rectangle open, in that.
// Strokes guide the map and need not hold in it. `probability` may be of any size, and so may `log_odds` (-9..9, far
// outside a box 0; not written if it is no data). A picture without contrast, and no prompt, has no subject: all zeros.
// Throws std::invalid_argument if a size, the number of channels, a label or the box is wrong. Memory: 3 MB, a byte for
// each label, and what the network keeps.
void detect_subject(const Network& network, ImageView<const uint8_t> image, ImageView<const uint8_t> labels,
                    std::optional<Box> box, ImageView<float> probability, ImageView<float> log_odds = {});

}  // namespace alphacut
ALPHACUT_API_END
