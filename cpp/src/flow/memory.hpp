// What a tracker knows of its subject: where it was, its colours and those around it.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "alphacut/image.hpp"
#include "alphacut/network.hpp"
#include "color_counts.hpp"
#include "flow/motion.hpp"

namespace alphacut {

// How often each colour occurs on either side, learned slowly.
class ColorMemory {
 public:
  // Colours of `rgb` where `side` is 1 (subject) or 0 (background) join what is known with the weight `rate`, 0..1; the
  // first are taken as they are.
  void learn(ImageView<const uint8_t> rgb, ImageView<const uint8_t> side, float rate);
  // How much the colours of `rgb` where `mask` is nonzero are those of the subject: what both histograms have in
  // common, 0..1.
  double likeness(ImageView<const uint8_t> rgb, ImageView<const uint8_t> mask) const;
  // Log-odds of the subject by colour alone, held within -2 and 2.
  float log_odds(const uint8_t* rgb) const { return ratio_[ColorCounts::cell_of(rgb)]; }
  void archive(auto& a) { archive_all(a, shares_, first_, ratio_); }
  bool consistent() const;  // as an archive that was not written by this may not be

 private:
  double subject_share(size_t cell) const;

  std::array<std::vector<float>, 2> shares_;
  std::vector<float> first_;  // the subject's as it was told
  std::vector<float> ratio_ = std::vector<float>(ColorCounts::kCells, 0.0f);
};

struct Followed {
  double confidence = 0;
  bool cut = false;   // another scene: nothing is followed
  bool lost = false;  // nothing is left, or nothing of the subject's colours
};

class Memory {
 public:
  // From a frame and its mask. `anew`: nothing of before counts.
  void begin(ImageView<const uint8_t> frame, ImageView<const uint8_t> mask, bool anew);
  bool empty() const { return before_.empty(); }

  // The next frame, 3 channels, of the same size. Log-odds of the subject are in log_odds() then.
  Followed follow(ImageView<const uint8_t> frame, const Network* network);
  // Looks for a lost subject in that frame, around the expected place and in the whole by turns; whether it was found.
  bool search(ImageView<const uint8_t> frame, const Network& network);
  // At a smaller size; above 0 is the subject.
  ImageView<const float> log_odds() const { return log_odds_; }

  void archive(auto& a) {
    archive_all(a, before_, before_half_, log_odds_, motion_, colors_, edges_, subject_, background_, near_next_,
                ahead_x_, ahead_y_, unsettled_, lost_, area_, usual_area_, likeness_, histogram_);
  }
  // Whether all that was read from an archive is of one size, that of frames of `height` by `width`.
  bool consistent(int64_t height, int64_t width) const;

 private:
  struct Edges {  // of the expected box, in pixels of the small copy
    double left = 0, top = 0, right = 0, bottom = 0;
    void archive(auto& a) { archive_all(a, left, top, right, bottom); }
  };
  std::optional<Edges> extent() const;
  Box expected() const { return around(0.08); }
  Box around(double share) const;  // the expected box, wider by this share of its sides, at least 3 pixels
  void move(const Padded& now, const Padded& now_half, std::array<Shift, 2>& layers);
  double weigh(ImageView<const uint8_t> frame, const Padded& now, const Network* network, const Box& seen,
               ImageView<const float> carried, ImageView<const uint8_t> different);
  void drop_specks();
  bool hidden() const;
  void unsettle();
  bool search_in(ImageView<const uint8_t> frame, const Network& network, const Box& seen, bool near);

  Padded before_, before_half_;
  Image<float> log_odds_;
  BlockMotion motion_;
  ColorMemory colors_;
  Edges edges_;
  Shift subject_, background_;
  bool near_next_ = true;             // which of both comes next
  double ahead_x_ = 0, ahead_y_ = 0;  // of the subject before the background, a frame
  int32_t unsettled_ = 0;             // frames to come before that is known
  bool lost_ = false;
  double area_ = 0, usual_area_ = 0;  // of the mask in pixels, now and as a rule
  double likeness_ = 0;               // of its colours as a rule
  std::vector<float> histogram_;
};

// A box of the small copy, of `height` by `width`, in the frame.
Box enlarged(const Box& box, ImageView<const uint8_t> frame, int64_t height, int64_t width);

// The network's log-odds for a part of a frame, `side` pixels square; `box` is within the part, `before` (the part's
// log-odds by the frames before, a quarter of the side) may have no data.
Image<float> look(const Network& network, ImageView<const uint8_t> part, std::optional<Box> box,
                  ImageView<const float> before, int64_t side);

}  // namespace alphacut
