// A film's subject, frame after frame: found or told once, then followed.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "alphacut/api.hpp"
#include "alphacut/session.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

// Keeps of the frames before: where the subject was, its colours and those of the background around it, how both moved.
// The same frames and prompts give the same bytes. Memory kept: some 12 bytes a pixel of a copy of at most 480 pixels a
// side, and the latest frame and its alpha, of 8 bits. Not for several threads at once.
class Tracker {
 public:
  // As a Session's; refined by the guided filter unless `refinement` says otherwise. The network must live as long as
  // this; without one the subject is followed by motion and colours alone.
  explicit Tracker(SessionOptions options);
  Tracker(Tracker&&) noexcept;
  Tracker& operator=(Tracker&&) noexcept;
  ~Tracker();

  // The next frame. Without a prompt it is followed from the frames before; the first, one after a cut between scenes
  // and one of another size are cut out as a picture of their own. Points and labels correct what is followed; a box, a
  // mask, a trimap, a key or a prior starts anew. Warns where the subject was lost and where it was found again. Throws
  // as Session::cut, and is then as before.
  Cutout next(const AnyView& frame, const AnyView& own_alpha, const Prompt& prompt = {});

  // 0..1, of the latest frame; 1 before the first.
  double confidence() const;

  // All that is known of the frames before, for `load` of a tracker with the same options in this version on any
  // machine of the same order of bytes, which then goes on as this would. Some 6 bytes a pixel of the frame.
  std::vector<uint8_t> save() const;
  // Throws std::invalid_argument for other bytes, and is then as before.
  void load(std::span<const uint8_t> bytes);

  // Forgets all frames.
  void reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace alphacut
ALPHACUT_API_END
