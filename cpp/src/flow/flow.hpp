// The flow of one picture. Kernels know uint8 and float: a picture of 16 bits is a float one whose results are rounded
// to steps of 1/65535.
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alphacut/graphcut.hpp"
#include "alphacut/parallel.hpp"
#include "alphacut/session.hpp"
#include "alphacut/subject.hpp"
#include "depth.hpp"
#include "label_rows.hpp"

namespace alphacut {

// A picture of this long side at most is what the subject, the clusters and the confidence are found on.
constexpr int64_t kSmallSide = 320;

// A border this uniform is a studio background: its colour is keyed out.
constexpr double kUniformBorder = 0.9;

// Below it a cutout has a warning; Cutout.verdict has words for it.
constexpr double kUnsure = 0.5;

template <class Body>
void for_rows(int64_t height, int64_t values, Body body) {
  parallel_for(height, row_grain(values), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) body(y);
  });
}

// The share of a plane's border where it is at most `limit`.
template <class T>
double border_share(ImageView<const T> plane, T limit) {
  int64_t found = 0, border = 0;
  for (int64_t y = 0; y < plane.height; ++y) {
    const bool whole = y == 0 || y == plane.height - 1;
    for (int64_t x = 0; x < plane.width; x += whole || plane.width == 1 ? 1 : plane.width - 1) {
      ++border;
      found += plane.row(y)[x] <= limit;
    }
  }
  return static_cast<double>(found) / static_cast<double>(border);
}

// Seconds of each stage, in the order they ran.
class Clock {
 public:
  class Running {
   public:
    Running(Clock& clock, std::string stage)
        : clock_(clock), stage_(std::move(stage)), start_(std::chrono::steady_clock::now()) {
      clock.seconds.reserve(clock.seconds.size() + clock.running_ + 1);  // its end must not want memory
      ++clock.running_;
    }
    ~Running() {
      --clock_.running_;
      clock_.add(std::move(stage_), std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count());
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    Clock& clock_;
    std::string stage_;
    std::chrono::steady_clock::time_point start_;
  };
  Running operator()(std::string stage) { return Running(*this, std::move(stage)); }
  void add(std::string stage, double added);
  std::vector<std::pair<std::string, double>> seconds;

 private:
  size_t running_ = 0;
};

// What finding the subject gave, and how much it is to be trusted.
template <class T>
struct Found {
  std::string method, subject;
  Image<uint8_t> hint;  // a mask, or a trimap if the caller gave one
  Image<T> alpha;       // a key's own; no data: none
  std::optional<KeyColor> key;
  Image<float> saliency;
  double confidence = 1;
  bool resumed = false;  // it may depend on the cuts before
  std::vector<std::string> warnings;
};

class Session::Flow {
 public:
  virtual ~Flow() = default;
  virtual Cutout cut(const Prompt& prompt, bool resume, const Elsewhere& elsewhere) = 0;
  virtual std::optional<AnyImage> prepared() = 0;

  // What ends the cuts that begin now.
  CancelToken running() {
    std::lock_guard lock(running_mutex_);
    return running_;
  }
  void cancel() {
    std::lock_guard lock(running_mutex_);
    running_.cancel();
    running_ = CancelToken();
  }

 private:
  std::mutex running_mutex_;
  CancelToken running_;
};

// Some channels of a picture, as one of its own.
template <class T>
Image<T> channels_of(ImageView<const T> image, int64_t first, int64_t count) {
  Image<T> chosen = Image<T>::like(image, count);
  for_rows(image.height, image.width, [&](int64_t y) {
    const T* from = image.row(y) + first;
    T* to = chosen.row(y);
    for (int64_t x = 0; x < image.width; ++x, from += image.channels, to += count) std::copy_n(from, count, to);
  });
  return chosen;
}

// A row of a mask as alpha.
inline void from_mask(const uint8_t* __restrict mask, int64_t n, uint8_t* __restrict alpha) {
  std::copy_n(mask, n, alpha);
}
inline void from_mask(const uint8_t* __restrict mask, int64_t n, float* __restrict alpha) {
  for (int64_t i = 0; i < n; ++i) alpha[i] = static_cast<float>(mask[i]) / 255.0f;
}

// Throws std::invalid_argument for what is no picture, or no alpha of it.
void require_picture(const AnyView& image, const AnyView& own_alpha);

// The prompt of one picture, checked: points drawn, the box clipped.
struct CheckedPrompt {
  CheckedPrompt(const Prompt& prompt, int64_t height, int64_t width);
  bool tells() const { return box || labels.data != nullptr; }
  // Nothing but a box, or not even that.
  bool boxed_at_most() const { return !labels && !mask && !trimap && !key && !prior; }
  std::optional<Box> box;
  ImageView<const uint8_t> labels, mask, trimap;
  std::optional<KeyColor> key;
  ImageView<const float> prior;
  Image<uint8_t> drawn;  // what `labels` shows where there are points
};

template <class T>
class FlowOf final : public Session::Flow {
 public:
  // `pixels` lie in `owned`, if that has data. `wide`: of 16 bits.
  FlowOf(ImageView<const T> pixels, Image<T> owned, ImageView<const T> own_alpha, Image<T> owned_alpha, bool wide,
         SessionOptions options);
  Cutout cut(const Prompt& prompt, bool resume, const Elsewhere& elsewhere) override;
  std::optional<AnyImage> prepared() override;

 private:
  struct Call {  // what one call works with
    Clock clock;
    bool resume;
    const Elsewhere& elsewhere;
  };

  // find.cpp: the mask, trimap or alpha that the prompt and the method lead to; by this cutter, or the one that is
  // kept.
  Found<T> find(const CheckedPrompt& prompt, Call& call, GrabCutter* cutter = nullptr);
  void require_usable(const CheckedPrompt& prompt) const;

  // own_alpha.cpp
  void judge_own_alpha();
  bool shows_photo(const Image<uint8_t>& shown);

  // find_by_key.cpp: nothing where it need not be and the border is not uniform.
  std::optional<Found<T>> by_key(const CheckedPrompt& prompt, Call& call, bool must);
  void judge_ramp(const KeyColor& key, double similarity, Found<T>& found);
  bool framed(const Found<T>& keyed) const;

  // find_by_cut.cpp
  Found<T> by_graphcut(const CheckedPrompt& prompt, Call& call, GrabCutter* cutter = nullptr);
  std::optional<Image<float>> prior(const CheckedPrompt& prompt, Found<T>& found);
  const detail::LabelRows* label_rows(const CheckedPrompt& prompt) const { return prompt.labels ? &labels_ : nullptr; }
  std::optional<int> only_kind(const CheckedPrompt& prompt) const;
  void bound_one_way(const CheckedPrompt& prompt, Call& call, Found<T>& found);
  void keep_unprompted(const std::optional<Box>& box, const Image<uint8_t>& mask);

  // find_by_color.cpp
  Found<T> by_kmeans(const CheckedPrompt& prompt, Call& call);
  Found<T> by_threshold(const CheckedPrompt& prompt, Call& call);
  void finish_by_color(const CheckedPrompt& prompt, Call& call, Found<T>& found);

  // flow.cpp
  Found<T> found_alone(const CheckedPrompt& prompt, Call& call);
  ImageView<const T> shown() const { return filled_ ? ImageView<const T>(*filled_) : pixels_; }
  void prepare();
  bool is_hard(const Found<T>& found) const;
  Image<T> refined(const Found<T>& found, std::string& refined_by, Image<uint8_t>& trimap) const;

  // depth.cpp
  Image<T> of_mask(ImageView<const uint8_t> mask) const;  // in the picture's depth
  void multiply_by_own(Image<T>& alpha) const;
  void quantize(Image<T>& values) const;  // what a picture of 16 bits can hold
  AnyImage stored(Image<T> values) const;
  ImageView<const uint8_t> bytes();
  ImageView<const T> small();
  ImageView<const uint8_t> small_bytes();
  GrabCutter& kept_cutter();
  SubjectFinder& finder();

  const SessionOptions options_;
  const bool wide_;
  const Image<T> owned_, owned_alpha_;
  const ImageView<const T> pixels_;
  ImageView<const T> own_alpha_;  // no data: none, or one that hides nothing
  std::mutex mutex_;              // of all below; `prepared_` and `working_` stay once they are made
  // Made when they are first asked for.
  bool cut_out_ = false;            // the picture's own alpha is its cutout
  std::optional<Image<T>> filled_;  // the picture, other colours where its own alpha hides it
  std::optional<Image<T>> prepared_;
  ImageView<const T> working_;  // no data: not prepared yet
  std::optional<Image<uint8_t>> bytes_, small_bytes_;
  std::optional<Image<T>> small_;
  std::optional<GrabCutter> cutter_;
  std::optional<SubjectFinder> finder_;
  detail::LabelRows labels_;                                                 // of the latest prompt that has some
  std::optional<std::pair<std::optional<Box>, Image<uint8_t>>> unprompted_;  // the mask without strokes, after its box
};

}  // namespace alphacut
