// The edge of a matte moved and softened.
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "alphacut/matting.hpp"
#include "alphacut/morphology.hpp"
#include "alphacut/parallel.hpp"
#include "math.hpp"

namespace alphacut {
namespace {

constexpr double kReach = 100;        // of shift and feather, pixels
constexpr double kWeights = 1 << 20;  // weights are whole parts of it: sums of them are exact in float

template <class T>
void store(float value, T& out) {
  if constexpr (std::is_same_v<T, uint8_t>)
    out = static_cast<uint8_t>(value + 0.5f);
  else
    out = value;
}

template <class T>
void shifted(ImageView<const T> alpha, double shift, ImageView<T> out) {
  const auto by = [&](int64_t radius, ImageView<T> to) {
    morphology(alpha, shift > 0 ? MorphologyOperation::dilate : MorphologyOperation::erode, {radius, radius}, to);
  };
  const auto whole = static_cast<int64_t>(std::fabs(shift));
  const auto part = static_cast<float>(std::fabs(shift) - static_cast<double>(whole));
  by(whole, out);
  if (part == 0) return;
  Image<T> next = Image<T>::like(alpha);
  by(whole + 1, next);
  parallel_for(alpha.height, row_grain(alpha.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < alpha.width; ++x) {
        const auto a = static_cast<float>(out.row(y)[x]), b = static_cast<float>(next.row(y)[x]);
        store(a == b ? a : a + part * (b - a), out.row(y)[x]);
      }
  });
}

// Half of a Gaussian, from its middle on, that adds up to exactly 1.
std::vector<float> gaussian(double sigma) {
  const auto radius = static_cast<int64_t>(std::ceil(3 * sigma));
  std::vector<double> values;
  double sum = 0;
  for (int64_t i = 0; i <= radius; ++i) {
    const double at = static_cast<double>(i) / sigma;
    values.push_back(exp_exact(-0.5 * at * at));
    sum += i == 0 ? values.back() : 2 * values.back();
  }
  double left = kWeights;
  std::vector<float> weights(values.size());
  for (size_t i = 1; i < values.size(); ++i) {
    const double part = std::floor(values[i] / sum * kWeights + 0.5);
    weights[i] = static_cast<float>(part / kWeights);
    left -= 2 * part;
  }
  weights[0] = static_cast<float>(left / kWeights);
  return weights;
}

template <class T>
void blurred(ImageView<const T> from, double sigma, ImageView<T> to) {
  const std::vector<float> weights = gaussian(sigma);
  const auto radius = static_cast<int64_t>(weights.size()) - 1;
  parallel_for(from.height, row_grain(from.width * (2 * radius + 1)), [&](int64_t begin, int64_t end) {
    std::vector<float> down(static_cast<size_t>(from.width + 2 * radius)), across(static_cast<size_t>(from.width));
    for (int64_t y = begin; y < end; ++y) {
      float* const middle = down.data() + radius;
      std::fill(down.begin(), down.end(), 0.0f);
      for (int64_t dy = -radius; dy <= radius; ++dy) {
        const T* row = from.row(std::clamp<int64_t>(y + dy, 0, from.height - 1));
        const float weight = weights[static_cast<size_t>(std::abs(dy))];
        for (int64_t x = 0; x < from.width; ++x) middle[x] += weight * static_cast<float>(row[x]);
      }
      std::fill_n(down.data(), radius, middle[0]);
      std::fill_n(middle + from.width, radius, middle[from.width - 1]);
      std::fill(across.begin(), across.end(), 0.0f);
      for (int64_t dx = -radius; dx <= radius; ++dx) {
        const float weight = weights[static_cast<size_t>(std::abs(dx))];
        for (int64_t x = 0; x < from.width; ++x) across[static_cast<size_t>(x)] += weight * middle[x + dx];
      }
      for (int64_t x = 0; x < from.width; ++x) store(across[static_cast<size_t>(x)], to.row(y)[x]);
    }
  });
}

}  // namespace

template <class T>
void adjust_edge(ImageView<const T> alpha, double shift, double feather, ImageView<T> out) {
  if (!(std::fabs(shift) <= kReach) || !(feather >= 0 && feather <= kReach))
    throw std::invalid_argument("edge: shift must be from -100 to 100 pixels and feather from 0 to 100");
  if (alpha.channels != 1 || out.channels != 1 || out.height != alpha.height || out.width != alpha.width)
    throw std::invalid_argument("adjust_edge: alpha and out must have one channel and one size");
  if (feather == 0) return shifted(alpha, shift, out);
  if (shift == 0) return blurred(alpha, feather, out);
  Image<T> moved = Image<T>::like(alpha);
  shifted(alpha, shift, moved.view());
  blurred<T>(moved.view(), feather, out);
}

template void adjust_edge(ImageView<const uint8_t>, double, double, ImageView<uint8_t>);
template void adjust_edge(ImageView<const float>, double, double, ImageView<float>);

}  // namespace alphacut
