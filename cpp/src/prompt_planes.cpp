#include "prompt_planes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "alphacut/matting.hpp"
#include "alphacut/parallel.hpp"
#include "alphacut/preprocess.hpp"
#include "alphacut/subject.hpp"

namespace alphacut {
namespace {

constexpr int kPasses = 3;         // of the barrier distance
constexpr int64_t kBins = 16;      // of the histograms, a channel
constexpr int64_t kBands = 24;     // without a prompt, colours at the frame are those of a band of 1 in so many
constexpr double kRare = 1e-4;     // a share of colours that says little
constexpr float kNearStroke = 6;   // of 96 pixels a side
constexpr double kFarthest = 2.5;  // squared, from the middle

size_t bin_of(const uint8_t* rgb) {
  return (static_cast<size_t>(rgb[0]) >> 4) << 8 | (static_cast<size_t>(rgb[1]) >> 4) << 4 | rgb[2] >> 4;
}

// Colours counted, each spread over its neighbours, as shares of all.
class Shares {
 public:
  Shares() : count_(kCells, 0) {}
  void add(size_t bin, int64_t weight) { count_[bin] += weight; }
  std::vector<double> smooth() const {
    std::vector<int64_t> from = count_, to(kCells);
    for (const size_t step : {size_t{kBins * kBins}, size_t{kBins}, size_t{1}}) {
      for (size_t i = 0; i < kCells; ++i) {
        const size_t place = i / step % kBins;
        to[i] = 2 * from[i] + (place > 0 ? from[i - step] : 0) + (place + 1 < kBins ? from[i + step] : 0);
      }
      from.swap(to);
    }
    int64_t sum = 0;
    for (const int64_t n : from) sum += n;
    std::vector<double> share(kCells);
    for (size_t i = 0; i < kCells; ++i)
      share[i] = static_cast<double>(from[i]) / static_cast<double>(std::max<int64_t>(sum, 1));
    return share;
  }

 private:
  static constexpr size_t kCells = kBins * kBins * kBins;
  std::vector<int64_t> count_;
};

// Which cells of half the size are known, and where the background starts from.
struct Known {
  Image<uint8_t> back, front, outside;  // strokes of either kind; what is background for sure, or else the frame
  bool any_back = false, any_front = false, told = false;

  Known(ImageView<const uint8_t> hints, std::optional<Box> box, int64_t n) : back(n, n), front(n, n), outside(n, n) {
    for (int64_t y = 0; y < n; ++y)
      for (int64_t x = 0; x < n; ++x) {
        bool zero = false, one = false;
        for (int64_t k = 0; hints.data != nullptr && k < 4; ++k) {
          const uint8_t hint = hints.row(2 * y + k / 2)[2 * x + k % 2];
          zero |= hint == 0;
          one |= hint == 1;
        }
        const bool out = box && (2 * y < box->y || 2 * y + 2 > box->y + box->height || 2 * x < box->x ||
                                 2 * x + 2 > box->x + box->width);
        back.row(y)[x] = zero;
        outside.row(y)[x] = zero || out;
        front.row(y)[x] = one;
        any_back |= zero;
        told |= zero || out;
      }
    if (!told) frame(1);
    for (int64_t i = 0; i < n * n; ++i) {
      front.data()[i] &= outside.data()[i] ^ 1;
      any_front |= front.data()[i] != 0;
    }
  }
  // Takes a frame of this width for what is outside.
  void frame(int64_t width) {
    const int64_t n = outside.width();
    for (int64_t y = 0; y < n; ++y)
      for (int64_t x = 0; x < n; ++x) outside.row(y)[x] = std::min(std::min(y, x), n - 1 - std::max(y, x)) < width;
  }
};

// Rows of the ten planes, set by plane.
class Planes {
 public:
  explicit Planes(ImageView<int16_t> planes) : planes_(planes) {}
  int16_t& at(int64_t y, int64_t x, int64_t plane) { return planes_.row(y)[kPromptPlanes * x + plane]; }
  // One value a cell of half the size, from value(y, x).
  template <class Value>
  void put(int64_t plane, Value value) {
    for (int64_t y = 0; y < planes_.height; y += 2)
      for (int64_t x = 0; x < planes_.width; x += 2) {
        const auto v = static_cast<int16_t>(std::nearbyint(value(y / 2, x / 2)));
        at(y, x, plane) = at(y, x + 1, plane) = at(y + 1, x, plane) = at(y + 1, x + 1, plane) = v;
      }
  }
  void put_closeness(int64_t plane, const Image<uint8_t>& seed) {
    const int64_t n = seed.width();
    Image<uint8_t> rest(n, n);
    Image<float> distance(n, n);
    for (int64_t i = 0; i < rest.pixels(); ++i) rest.data()[i] = seed.data()[i] ^ 1;
    distance_transform(rest, distance);
    const float scale = 96 / static_cast<float>(n);
    put(plane, [&](int64_t y, int64_t x) { return 127 * (kNearStroke / (kNearStroke + distance.row(y)[x] * scale)); });
  }

 private:
  ImageView<int16_t> planes_;
};

// Squared distance from the middle of the box or picture, 1 at the middle of its sides.
class Middle {
 public:
  Middle(const Box& box, int64_t size) : u_(squares(box.x, box.width, size)), v_(squares(box.y, box.height, size)) {}
  double square(int64_t y, int64_t x) const { return v_[static_cast<size_t>(y)] + u_[static_cast<size_t>(x)]; }

 private:
  static std::vector<double> squares(int64_t begin, int64_t length, int64_t size) {
    std::vector<double> values;
    const double middle = static_cast<double>(2 * begin + length) / 2, half = static_cast<double>(length) / 2;
    for (int64_t i = 0; i < size; ++i) {
      const double d = (static_cast<double>(i) + 0.5 - middle) / half;
      values.push_back(d * d);
    }
    return values;
  }
  std::vector<double> u_, v_;
};

// For each colour, -127..127: how much commoner it is inside than outside.
std::vector<int16_t> colour_ratios(ImageView<const uint8_t> half, Known& known, const Middle& middle) {
  const int64_t n = half.width;
  if (!known.told) known.frame(2 * n / kBands);
  Shares inside, outside;
  for (int64_t y = 0; y < n; ++y)
    for (int64_t x = 0; x < n; ++x) {
      const size_t bin = bin_of(half.row(y) + 3 * x);
      const bool out = known.outside.row(y)[x] != 0;
      if (out) outside.add(bin, 1);
      if (known.any_front) {
        if (known.front.row(y)[x] != 0) inside.add(bin, 256);
      } else if (!out) {
        const double near = std::max(1 - middle.square(2 * y, 2 * x), 0.0);
        inside.add(bin, static_cast<int64_t>(std::nearbyint(256 * (near * near))));
      }
    }
  const std::vector<double> in = inside.smooth(), out = outside.smooth();
  std::vector<int16_t> ratio;
  for (size_t i = 0; i < in.size(); ++i)
    ratio.push_back(static_cast<int16_t>(std::nearbyint(127 * (in[i] - out[i]) / (in[i] + out[i] + kRare))));
  return ratio;
}

}  // namespace

float prompt_planes(ImageView<const uint8_t> image, ImageView<const uint8_t> hints, std::optional<Box> box,
                    ImageView<int16_t> planes) {
  const int64_t size = image.width, n = size / 2;
  if (image.height != size || image.channels != 3 || size % 4 != 0 || size < 32)
    throw std::invalid_argument("prompt_planes: image must be square and RGB, the side a multiple of 4, at least 32");
  const auto fits = [&](auto view, int64_t channels) {
    return view.height == size && view.width == size && view.channels == channels;
  };
  if ((hints.data != nullptr && !fits(hints, 1)) || !fits(planes, kPromptPlanes))
    throw std::invalid_argument("prompt_planes: hints and planes must have the size of image");
  if (box && (box->x < 0 || box->y < 0 || box->width < 1 || box->height < 1 || box->x > size - box->width ||
              box->y > size - box->height))
    throw std::invalid_argument("prompt_planes: box must lie in the picture");

  Image<uint8_t> half(n, n, 3);
  resize_area(image, half);
  Known known(hints, box, n);
  const Middle middle(box.value_or(Box{0, 0, size, size}), size);
  Planes put(planes);
  Image<float> far(n, n);
  barrier_map(half, known.outside, kPasses, far);
  put.put(3, [&](int64_t y, int64_t x) { return 255 * (far.row(y)[x] / (far.row(y)[x] + 50)) - 128; });
  if (known.any_front) {
    Image<float> near(n, n);
    barrier_map(half, known.front, kPasses, near);
    put.put(4, [&](int64_t y, int64_t x) {
      const float f = far.row(y)[x], b = near.row(y)[x];
      return 127 * ((f - b) / (f + b + 5));
    });
    put.put_closeness(8, known.front);
  } else {
    for (const int64_t plane : {4, 8}) put.put(plane, [](int64_t, int64_t) { return 0.0f; });
  }
  if (known.any_back)
    put.put_closeness(9, known.back);
  else
    put.put(9, [](int64_t, int64_t) { return 0.0f; });
  const std::vector<int16_t> ratio = colour_ratios(half, known, middle);
  parallel_for(size, row_grain(size, 1 << 13), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < size; ++x) {
        const uint8_t* rgb = image.row(y) + 3 * x;
        for (int64_t c = 0; c < 3; ++c) put.at(y, x, c) = static_cast<int16_t>(rgb[c] - 128);
        put.at(y, x, 5) = ratio[bin_of(rgb)];
        const bool in = box && y >= box->y && y < box->y + box->height && x >= box->x && x < box->x + box->width;
        put.at(y, x, 6) = static_cast<int16_t>(!box ? 0 : in ? 100 : -100);
        const double square = std::min(middle.square(y, x), kFarthest);
        put.at(y, x, 7) = static_cast<int16_t>(std::nearbyint(80 * (1 - square)));
      }
  });
  return *std::max_element(far.data(), far.data() + far.pixels());
}

}  // namespace alphacut
