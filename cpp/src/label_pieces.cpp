// Pieces of equal or near values of a picture, by union-find over pixels, in strips whose seams are joined afterwards.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

#include "alphacut/components.hpp"
#include "alphacut/parallel.hpp"
#include "gray_rows.hpp"
#include "pooled_vector.hpp"

namespace alphacut {
namespace {

template <class T>
class Pieces {
 public:
  Pieces(ImageView<const T> values, int connectivity, double delta, std::optional<double> background,
         ImageView<int32_t> labels)
      : values_(values),
        labels_(labels),
        corners_(connectivity == 8),
        delta_(delta),
        background_(background),
        parents_(static_cast<size_t>(values.pixels()) + 1) {}

  int32_t label() {
    const int64_t rows = std::max<int64_t>(row_grain(values_.width, 1 << 18), 16);
    const int64_t strips = (values_.height + rows - 1) / rows;
    std::vector<int64_t> last(static_cast<size_t>(strips));  // code of each strip, and one more
    parallel_for(strips, 1, [&](int64_t i, int64_t) {
      const int64_t top = i * rows, bottom = std::min(values_.height, top + rows);
      int64_t next = first_code(top);
      for (int64_t y = top; y < bottom; ++y) next = take_row(y, y > top, next);
      last[static_cast<size_t>(i)] = next;
    });
    for (int64_t i = 1; i < strips; ++i) join_seam(i * rows);
    // The root of a piece, its smallest code, began at its first pixel.
    int32_t count = 0;
    parents_[0] = 0;
    for (int64_t i = 0; i < strips; ++i)
      for (int64_t code = first_code(i * rows); code < last[static_cast<size_t>(i)]; ++code) {
        int32_t& parent = parents_[static_cast<size_t>(code)];
        parent = parent == code ? ++count : parents_[static_cast<size_t>(parent)];
      }
    parallel_for(values_.height, row_grain(values_.width), [&](int64_t begin, int64_t end) {
      for (int64_t y = begin; y < end; ++y)
        for (int64_t x = 0; x < values_.width; ++x) {
          int32_t& label = labels_.row(y)[x];
          label = parents_[static_cast<size_t>(label)];
        }
    });
    return count;
  }

 private:
  int64_t first_code(int64_t y) const { return y * values_.width + 1; }
  bool near(T a, T b) const {
    return a == b || (delta_ > 0 && std::fabs(static_cast<double>(a) - static_cast<double>(b)) <= delta_);
  }
  int32_t root(int32_t code) {
    int32_t* const parents = parents_.data();
    while (parents[code] != code) code = parents[code] = parents[parents[code]];
    return code;
  }
  int32_t unite(int32_t a, int32_t b) {
    a = root(a);
    b = root(b);
    if (a > b) std::swap(a, b);
    return parents_[static_cast<size_t>(b)] = a;
  }

  // Codes for the pixels of a row, from those to the left and, if there is one, of the row above. Returns the next
  // code.
  int64_t take_row(int64_t y, bool above, int64_t next) {
    const T* row = values_.row(y);
    const T* upper = above ? values_.row(y - 1) : nullptr;
    int32_t* codes = labels_.row(y);
    const int32_t* upper_codes = above ? labels_.row(y - 1) : nullptr;
    for (int64_t x = 0; x < values_.width; ++x) {
      const T value = row[x];
      if constexpr (!std::is_integral_v<T>)
        if (value != value) throw std::invalid_argument("mask must have no NaN");
      if (background_ && static_cast<double>(value) == *background_) {
        codes[x] = 0;
        continue;
      }
      int32_t code = x > 0 && codes[x - 1] != 0 && near(value, row[x - 1]) ? codes[x - 1] : 0;
      if (above) {
        const auto touch = [&](int64_t u) {
          const int32_t other = upper_codes[u];
          if (other == 0 || other == code || !near(value, upper[u])) return false;
          code = code == 0 ? other : unite(code, other);
          return true;
        };
        const bool met = upper_codes[x] != 0 && near(value, upper[x]);
        if (met) touch(x);
        // With equal values, the corners beside a pixel that was met are joined to it already.
        if (corners_ && !(met && delta_ == 0)) {
          if (x > 0) touch(x - 1);
          if (x + 1 < values_.width) touch(x + 1);
        }
      }
      if (code == 0) {
        code = static_cast<int32_t>(next++);
        parents_[static_cast<size_t>(code)] = code;
      }
      codes[x] = code;
    }
    return next;
  }

  void join_seam(int64_t y) {
    const T *row = values_.row(y), *upper = values_.row(y - 1);
    const int32_t *codes = labels_.row(y), *upper_codes = labels_.row(y - 1);
    for (int64_t x = 0; x < values_.width; ++x) {
      if (codes[x] == 0) continue;
      for (int64_t u = std::max<int64_t>(x - corners_, 0); u <= std::min(x + corners_, values_.width - 1); ++u)
        if (upper_codes[u] != 0 && near(row[x], upper[u])) unite(codes[x], upper_codes[u]);
    }
  }

  ImageView<const T> values_;
  ImageView<int32_t> labels_;
  int64_t corners_;
  double delta_;
  std::optional<double> background_;
  PooledVector<int32_t> parents_;  // of a code: an earlier one of the same piece or itself
};

}  // namespace

template <class T>
int32_t label_pieces(ImageView<const T> values, int connectivity, double delta, std::optional<double> background,
                     ImageView<int32_t> labels) {
  if (values.channels != 1) throw std::invalid_argument("values must have one channel");
  if (labels.channels != 1 || labels.height != values.height || labels.width != values.width)
    throw std::invalid_argument("the result must have one channel and the size of values");
  if (values.width != 0 && values.height > std::numeric_limits<int32_t>::max() / values.width)
    throw std::invalid_argument("mask must have at most 2147483647 pixels, got " + std::to_string(values.height) +
                                " x " + std::to_string(values.width));
  if (connectivity != 4 && connectivity != 8)
    throw std::invalid_argument("connectivity must be 4 or 8, got " + std::to_string(connectivity));
  if (!(delta >= 0) || !std::isfinite(delta))
    throw std::invalid_argument("delta must be at least 0 and finite, got " + std::to_string(delta));
  if (background && *background != *background) throw std::invalid_argument("background must not be NaN");
  return Pieces<T>(values, connectivity, delta, background, labels).label();
}

#define ALPHACUT_FOR(T) \
  template int32_t label_pieces<T>(ImageView<const T>, int, double, std::optional<double>, ImageView<int32_t>);
ALPHACUT_FOR_EACH_DEPTH(ALPHACUT_FOR)
#undef ALPHACUT_FOR

}  // namespace alphacut
