#include "alphacut/threshold.hpp"

#include "alphacut/parallel.hpp"
#include "dispatch.hpp"

namespace alphacut {
namespace {

template <class T>
void threshold_rows(ImageView<const T> gray, T limit, ImageView<uint8_t> mask,
                    void (*kernel)(const T*, size_t, T, uint8_t*)) {
  if (gray.channels != 1 || mask.channels != 1 || gray.height != mask.height || gray.width != mask.width)
    throw std::invalid_argument("threshold: gray and mask must be single-channel and of one size");
  parallel_for(gray.height, row_grain(gray.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) kernel(gray.row(y), static_cast<size_t>(gray.width), limit, mask.row(y));
  });
}

}  // namespace

void threshold(ImageView<const uint8_t> gray, uint8_t limit, ImageView<uint8_t> mask) {
  threshold_rows(gray, limit, mask, kernels().threshold.above_u8);
}
void threshold(ImageView<const float> gray, float limit, ImageView<uint8_t> mask) {
  threshold_rows(gray, limit, mask, kernels().threshold.above_f32);
}

}  // namespace alphacut
