#include "network_input.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "alphacut/matting.hpp"
#include "alphacut/preprocess.hpp"
#include "alphacut/subject.hpp"
#include "color_counts.hpp"

namespace alphacut {
namespace {

constexpr int kPasses = 3;         // of the barrier distance
constexpr int64_t kBands = 24;     // without a prompt, colours at the frame are those of a band of 1 in so many
constexpr double kRare = 1e-4;     // a share of colours that says little
constexpr float kNearStroke = 6;   // of 96 cells a side
constexpr double kFarthest = 2.5;  // squared, from the middle
constexpr float kAnswerScale = 14;

// As shares of all.
std::vector<double> shares_of(const ColorCounts& counts) {
  const std::vector<int64_t> spread = counts.smooth();
  int64_t sum = 0;
  for (const int64_t n : spread) sum += n;
  std::vector<double> shares;
  for (const int64_t n : spread)
    shares.push_back(static_cast<double>(n) / static_cast<double>(std::max<int64_t>(sum, 1)));
  return shares;
}

// Which cells are known, and where the background starts from.
struct Known {
  Image<uint8_t> back, front, outside;  // strokes of either kind; what is background for sure, or else the frame
  bool any_back = false, any_front = false, told = false;

  Known(ImageView<const uint8_t> hints, std::optional<Box> box, int64_t n) : back(n, n), front(n, n), outside(n, n) {
    for (int64_t y = 0; y < n; ++y)
      for (int64_t x = 0; x < n; ++x) {
        bool zero = false, one = false;
        for (int64_t k = 0; hints.data != nullptr && k < kInputCell * kInputCell; ++k) {
          const uint8_t hint = hints.row(kInputCell * y + k / kInputCell)[kInputCell * x + k % kInputCell];
          zero |= hint == 0;
          one |= hint == 1;
        }
        const auto beyond = [](int64_t cell, int64_t begin, int64_t length) {  // no pixel of the cell within
          return kInputCell * (cell + 1) <= begin || kInputCell * cell >= begin + length;
        };
        const bool out = box && (beyond(y, box->y, box->height) || beyond(x, box->x, box->width));
        back.row(y)[x] = zero;
        outside.row(y)[x] = zero || out;
        front.row(y)[x] = one;
        any_back |= zero;
        told |= zero || out;
      }
    if (!told) frame(1);
    for (int64_t i = 0; i < n * n; ++i) {
      front.data()[i] &= back.data()[i] ^ 1;
      outside.data()[i] &= front.data()[i] ^ 1;
      any_front |= front.data()[i] != 0;
    }
    if (std::none_of(outside.data(), outside.data() + n * n, [](uint8_t v) { return v != 0; })) frame(1);
  }
  // Takes a frame of this width for what is outside.
  void frame(int64_t width) {
    const int64_t n = outside.width();
    for (int64_t y = 0; y < n; ++y)
      for (int64_t x = 0; x < n; ++x) outside.row(y)[x] = std::min(std::min(y, x), n - 1 - std::max(y, x)) < width;
  }
};

// The planes, set by plane: one value a cell, from value(y, x).
class Planes {
 public:
  explicit Planes(ImageView<int16_t> planes) : planes_(planes) {}
  template <class Value>
  void put(int64_t plane, Value value) {
    for (int64_t y = 0; y < planes_.height; ++y)
      for (int64_t x = 0; x < planes_.width; ++x)
        planes_.row(y)[kInputPlanes * x + plane] = static_cast<int16_t>(std::nearbyint(value(y, x)));
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

// Squared distance of cells from the middle of the box or picture, 1 at the middle of its sides.
class Middle {
 public:
  Middle(const Box& box, int64_t n) : u_(squares(box.x, box.width, n)), v_(squares(box.y, box.height, n)) {}
  double square(int64_t y, int64_t x) const { return v_[static_cast<size_t>(y)] + u_[static_cast<size_t>(x)]; }

 private:
  static std::vector<double> squares(int64_t begin, int64_t length, int64_t n) {
    std::vector<double> values;
    const double middle = static_cast<double>(2 * begin + length) / 2, half = static_cast<double>(length) / 2;
    for (int64_t i = 0; i < n; ++i) {
      const double d = (static_cast<double>(kInputCell) * (static_cast<double>(i) + 0.5) - middle) / half;
      values.push_back(d * d);
    }
    return values;
  }
  std::vector<double> u_, v_;
};

// For each colour, -127..127: how much commoner it is inside than outside.
std::vector<int16_t> colour_ratios(ImageView<const uint8_t> cells, Known& known, const Middle& middle) {
  const int64_t n = cells.width;
  if (!known.told) known.frame(std::max<int64_t>(2 * n / kBands, 1));
  ColorCounts inside, outside;
  for (int64_t y = 0; y < n; ++y)
    for (int64_t x = 0; x < n; ++x) {
      const uint8_t* const rgb = cells.row(y) + 3 * x;
      const bool out = known.outside.row(y)[x] != 0;
      if (out) outside.add(rgb);
      if (known.any_front) {
        if (known.front.row(y)[x] != 0) inside.add(rgb, 256);
      } else if (!out) {
        const double near = std::max(1 - middle.square(y, x), 0.0);
        inside.add(rgb, static_cast<int64_t>(std::nearbyint(256 * (near * near))));
      }
    }
  const std::vector<double> in = shares_of(inside), out = shares_of(outside);
  std::vector<int16_t> ratio;
  for (size_t i = 0; i < in.size(); ++i)
    ratio.push_back(static_cast<int16_t>(std::nearbyint(127 * (in[i] - out[i]) / (in[i] + out[i] + kRare))));
  return ratio;
}

}  // namespace

Image<int16_t> network_colours(const Image<uint8_t>& rgb) {
  Image<int16_t> colours(rgb.height(), rgb.width(), 4);
  for (int64_t i = 0; i < rgb.pixels(); ++i) {
    for (int64_t c = 0; c < 3; ++c) colours.data()[4 * i + c] = static_cast<int16_t>(rgb.data()[3 * i + c] - 128);
    colours.data()[4 * i + 3] = 0;
  }
  return colours;
}

Box in_square(const Box& box, const Box& seen, int64_t side) {
  const auto span = [side](int64_t begin, int64_t length, int64_t from, int64_t whole) {
    const int64_t low = (begin - from) * side / whole;
    return std::pair(low, ((begin + length - from) * side + whole - 1) / whole - low);
  };
  const auto [x, width] = span(box.x, box.width, seen.x, seen.width);
  const auto [y, height] = span(box.y, box.height, seen.y, seen.height);
  return {x, y, width, height};
}

float network_input(ImageView<const uint8_t> image, ImageView<const uint8_t> hints, std::optional<Box> box,
                    ImageView<const float> answer, ImageView<int16_t> planes) {
  const int64_t size = image.width, n = size / kInputCell;
  if (image.height != size || image.channels != 3 || size % kInputCell != 0 || size < 32)
    throw std::invalid_argument("network_input: image must be square and RGB, the side a multiple of 4, at least 32");
  const auto fits = [](auto view, int64_t side, int64_t channels) {
    return view.height == side && view.width == side && view.channels == channels;
  };
  if ((hints.data != nullptr && !fits(hints, size, 1)) || (answer.data != nullptr && !fits(answer, n, 1)) ||
      !fits(planes, n, kInputPlanes))
    throw std::invalid_argument("network_input: hints must have the size of image, answer and planes a quarter of it");
  if (box && (box->x < 0 || box->y < 0 || box->width < 1 || box->height < 1 || box->x > size - box->width ||
              box->y > size - box->height))
    throw std::invalid_argument("network_input: box must lie in the picture");

  Image<uint8_t> cells(n, n, 3);
  resize_area(image, cells);
  Known known(hints, box, n);
  const Middle middle(box.value_or(Box{0, 0, size, size}), n);
  Planes put(planes);
  const auto nothing = [](int64_t, int64_t) { return 0.0f; };
  Image<float> far(n, n);
  barrier_map(cells, known.outside, kPasses, far);
  put.put(0, [&](int64_t y, int64_t x) { return 255 * (far.row(y)[x] / (far.row(y)[x] + 50)) - 128; });
  if (known.any_front) {
    Image<float> near(n, n);
    barrier_map(cells, known.front, kPasses, near);
    put.put(1, [&](int64_t y, int64_t x) {
      const float f = far.row(y)[x], b = near.row(y)[x];
      return 127 * ((f - b) / (f + b + 5));
    });
    put.put_closeness(5, known.front);
  } else {
    for (const int64_t plane : {1, 5}) put.put(plane, nothing);
  }
  if (known.any_back)
    put.put_closeness(6, known.back);
  else
    put.put(6, nothing);
  const std::vector<int16_t> ratio = colour_ratios(cells, known, middle);
  put.put(2,
          [&](int64_t y, int64_t x) { return static_cast<float>(ratio[ColorCounts::cell_of(cells.row(y) + 3 * x)]); });
  const auto in = [](int64_t cell, int64_t begin, int64_t length) {  // its middle
    const int64_t at = kInputCell * cell + kInputCell / 2;
    return at >= begin && at < begin + length;
  };
  put.put(3, [&](int64_t y, int64_t x) {
    return !box ? 0.0f : in(y, box->y, box->height) && in(x, box->x, box->width) ? 100.0f : -100.0f;
  });
  put.put(4, [&](int64_t y, int64_t x) { return 80 * (1 - std::min(middle.square(y, x), kFarthest)); });
  if (answer.data == nullptr)
    put.put(7, nothing);
  else
    put.put(7, [&](int64_t y, int64_t x) {
      const float v = kAnswerScale * answer.row(y)[x];
      return v > -127 ? std::min(v, 127.0f) : -127.0f;  // which NaN becomes, too
    });
  return *std::max_element(far.data(), far.data() + far.pixels());
}

}  // namespace alphacut
