#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "alphacut/cancel.hpp"
#include "alphacut/graphcut.hpp"
#include "alphacut/parallel.hpp"
#include "grid_edges.hpp"
#include "grid_flow.hpp"
#include "planes.hpp"

namespace alphacut {
namespace {

using Costs = std::vector<ImageView<const int32_t>>;

[[noreturn]] void refuse(const std::string& message) { throw std::invalid_argument("alpha_expansion: " + message); }

void require(bool holds, const std::string& message) {
  if (!holds) refuse(message);
}

template <class Body>
void for_rows(ImageView<const uint8_t> labels, Body body) {
  parallel_for(labels.height, row_grain(labels.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) body(y);
  });
}

// The sum of what body(y) returns; whole numbers, so in any order.
template <class Body>
int64_t sum_of_rows(ImageView<const uint8_t> labels, Body body) {
  std::vector<int64_t> sums(static_cast<size_t>(labels.height));
  for_rows(labels, [&](int64_t y) { sums[static_cast<size_t>(y)] = body(y); });
  return std::accumulate(sums.begin(), sums.end(), int64_t{0});
}

void require_metric(const std::vector<int32_t>& smoothness, size_t n) {
  require(smoothness.size() == n * n, "smoothness must have a row and a column for each of the " + std::to_string(n) +
                                          " labels, got " + std::to_string(smoothness.size()) + " numbers");
  const auto at = [&](size_t a, size_t b) { return smoothness[a * n + b]; };
  for (size_t a = 0; a < n; ++a)
    for (size_t b = 0; b < n; ++b) {
      if (at(a, b) < 0 || at(a, b) > kMaxSmoothness)
        refuse("smoothness must be from 0 to 2^26 - 1, got " + std::to_string(at(a, b)));
      if (at(a, b) != at(b, a) || at(a, a) != 0)
        refuse("smoothness must be 0 from a label to itself and the same both ways");
    }
  for (size_t a = 0; a < n; ++a) {
    throw_if_cancelled();
    for (size_t b = 0; b < n; ++b)
      for (size_t c = 0; c < n; ++c)
        if (at(a, c) > at(a, b) + at(b, c))
          refuse("smoothness must be a metric: from label " + std::to_string(a) + " to " + std::to_string(c) +
                 " it is shorter over " + std::to_string(b));
  }
}

class Expansion {
 public:
  Expansion(const Costs& costs, const Neighbours& neighbours, const std::vector<int32_t>& smoothness,
            ImageView<uint8_t> labels)
      : costs_(costs), neighbours_(neighbours), smoothness_(smoothness), labels_(labels), n_(costs.size()) {
    const int32_t most = smoothness.empty() ? 0 : *std::max_element(smoothness.begin(), smoothness.end());
    most_weight_ = kMaxSmoothness / std::max(most, 1);
  }

  void require_legal() const;
  int64_t energy() const;
  // The best set of pixels takes the label. Returns by how much the energy fell.
  int64_t move(size_t alpha, GridFlow& graph);

 private:
  // The caller's costs and weights were checked, but may change meanwhile: flows of any others might not end.
  static int32_t legal(int32_t cost) { return std::clamp(cost, -kMaxCost, kMaxCost); }
  int32_t legal_weight(int32_t weight) const { return std::clamp(weight, 0, most_weight_); }

  const int32_t* from(size_t label) const { return smoothness_.data() + label * n_; }
  // How much more a pixel costs with the label than with its own, its neighbours left as they are; and for each pair
  // what it costs more if the second takes the label and the first does not: Kolmogorov and Zabih, "What energy
  // functions can be minimized via graph cuts?", PAMI 2004, with 1 for a pixel that takes it.
  void terms(size_t alpha, int64_t y, int32_t* more, int32_t* const pairs[4]) const;

  const Costs& costs_;
  const Neighbours& neighbours_;
  const std::vector<int32_t>& smoothness_;
  ImageView<uint8_t> labels_;
  size_t n_;
  int32_t most_weight_;
};

void Expansion::require_legal() const {
  require(n_ >= 1 && n_ <= 256, "costs must have from 1 to 256 labels, got " + std::to_string(n_));
  const auto same_size = [&](auto view) {
    return view.height == labels_.height && view.width == labels_.width && view.channels == 1;
  };
  require(!labels_.empty() && labels_.channels == 1, "the picture has no pixels");
  for (const auto& plane : costs_) require(same_size(plane), "costs must have the size of labels");
  for (const auto& plane : neighbours_)
    require(plane.data == nullptr || same_size(plane), "neighbours must have the size of costs");
  require_metric(smoothness_, n_);
  const int32_t most = *std::max_element(smoothness_.begin(), smoothness_.end());
  for_rows(labels_, [&](int64_t y) {
    for (const auto& plane : costs_)
      for (int64_t x = 0; x < plane.width; ++x)
        if (const int32_t cost = plane.row(y)[x]; cost < -kMaxCost || cost > kMaxCost)
          refuse("costs must be from -(2^28 - 1) to 2^28 - 1, got " + std::to_string(cost));
    for (size_t k = 0; k < 4; ++k) {
      if (neighbours_[k].data == nullptr) continue;
      const auto [begin, end] = columns_inside(k, y, labels_.height, labels_.width);
      for (int64_t x = begin; x < end; ++x) {
        const int64_t weight = neighbours_[k].row(y)[x];
        if (weight < 0 || weight * most > kMaxSmoothness)
          refuse("the weights of neighbours must be at least 0 and, times the smoothness, at most 2^26 - 1, got " +
                 std::to_string(weight) + " times " + std::to_string(most));
      }
    }
    for (int64_t x = 0; x < labels_.width; ++x)
      if (const uint8_t label = labels_.row(y)[x]; label >= n_)
        refuse("labels must be below the number of labels, " + std::to_string(n_) + ", got " + std::to_string(label));
  });
}

int64_t Expansion::energy() const {
  return sum_of_rows(labels_, [&](int64_t y) {
    const uint8_t* own = labels_.row(y);
    int64_t sum = 0;
    for (int64_t x = 0; x < labels_.width; ++x) sum += costs_[own[x]].row(y)[x];
    for (size_t k = 0; k < 4; ++k) {
      const auto [begin, end] = columns_inside(k, y, labels_.height, labels_.width);
      if (neighbours_[k].data == nullptr || begin >= end) continue;
      const uint8_t* other = labels_.row(y + kEdgeDy[k]) + kEdgeDx[k];
      const int32_t* weight = neighbours_[k].row(y);
      for (int64_t x = begin; x < end; ++x) sum += int64_t{weight[x]} * from(own[x])[other[x]];
    }
    return sum;
  });
}

void Expansion::terms(size_t alpha, int64_t y, int32_t* more, int32_t* const pairs[4]) const {
  const int32_t* to_alpha = from(alpha);
  const uint8_t* own = labels_.row(y);
  const int32_t* cost = costs_[alpha].row(y);
  for (int64_t x = 0; x < labels_.width; ++x) more[x] = legal(cost[x]) - legal(costs_[own[x]].row(y)[x]);
  for (size_t k = 0; k < 4; ++k) {
    if (neighbours_[k].data == nullptr) continue;
    const int dx = kEdgeDx[k], dy = kEdgeDy[k];
    const auto [begin, end] = columns_inside(k, y, labels_.height, labels_.width);
    std::fill_n(pairs[k], labels_.width, 0);
    if (begin < end) {  // as the first of a pair
      const int32_t* weight = neighbours_[k].row(y);
      const uint8_t* other = labels_.row(y + dy) + dx;
      for (int64_t x = begin; x < end; ++x) {
        const int32_t rise = to_alpha[other[x]] - from(own[x])[other[x]];
        const int32_t weighs = legal_weight(weight[x]);
        more[x] += weighs * rise;
        pairs[k][x] = weighs * (to_alpha[own[x]] + rise);
      }
    }
    if (y < dy) continue;
    const auto [first, last] = columns_inside(k, y - dy, labels_.height, labels_.width);  // as the second
    const int32_t* weight = neighbours_[k].row(y - dy);
    for (int64_t x = first; x < last; ++x) more[x + dx] -= legal_weight(weight[x]) * to_alpha[own[x + dx]];
  }
}

int64_t Expansion::move(size_t alpha, GridFlow& graph) {
  const int64_t width = labels_.width;
  graph.clear();
  const std::vector<int32_t> none(static_cast<size_t>(width));
  // The source's side takes the label. The edges of a pair lead from the second to the first.
  const int64_t given = sum_of_rows(labels_, [&](int64_t y) {
    std::vector<int32_t> values(static_cast<size_t>(5 * width));
    int32_t* const more = values.data();
    int32_t* const pairs[4] = {more + width, more + 2 * width, more + 3 * width, more + 4 * width};
    terms(alpha, y, more, pairs);
    int64_t sum = 0;
    for (int64_t x = 0; x < width; ++x) {
      more[x] = -more[x];
      sum += std::max(more[x], 0);
    }
    const int32_t* const ahead[4] = {none.data(), none.data(), none.data(), none.data()};
    const int32_t* const back[4] = {pairs[0], pairs[1], pairs[2], pairs[3]};
    graph.add(y, 0, width, more, ahead, back);
    return sum;
  });
  if (given == 0) return 0;  // no pixel gains
  const int64_t gain = given - graph.solve();
  if (gain == 0) return 0;
  for_rows(labels_, [&](int64_t y) {
    std::vector<uint8_t> taken(static_cast<size_t>(width));
    graph.source_side(y, 0, width, taken.data());
    for (int64_t x = 0; x < width; ++x)
      if (taken[static_cast<size_t>(x)] != 0) labels_.row(y)[x] = static_cast<uint8_t>(alpha);
  });
  return gain;
}

}  // namespace

AlphaExpansion alpha_expansion(const Costs& costs, const Neighbours& neighbours, const std::vector<int32_t>& smoothness,
                               int max_iter, ImageView<uint8_t> labels, bool certify) {
  require(max_iter >= 1, "max_iter must be at least 1, got " + std::to_string(max_iter));
  Image<uint8_t> own = copied<uint8_t>(labels);  // the caller's may change meanwhile, and these are indices
  Expansion expansion(costs, neighbours, smoothness, own.view());
  expansion.require_legal();
  GridFlow graph(labels.height, labels.width, true);
  AlphaExpansion result{expansion.energy(), 0};
  for (size_t idle = 0; idle < costs.size() && result.n_iter < max_iter; ++result.n_iter)
    for (size_t alpha = 0; alpha < costs.size() && idle < costs.size(); ++alpha) {
      const int64_t gain = expansion.move(alpha, graph);
      result.energy -= gain;
      idle = gain > 0 ? 1 : idle + 1;  // the label that was just expanded gains nothing more
      if (certify && gain > 0 && expansion.energy() != result.energy)
        throw std::runtime_error(
            "alpha_expansion: the cut is not worth what its flow says; please report this with the "
            "input");
    }
  for (int64_t y = 0; y < labels.height; ++y) std::copy_n(own.row(y), labels.width, labels.row(y));
  return result;
}

int64_t labelling_energy(const Costs& costs, const Neighbours& neighbours, const std::vector<int32_t>& smoothness,
                         ImageView<const uint8_t> labels) {
  Image<uint8_t> own = copied<uint8_t>(labels);
  const Expansion expansion(costs, neighbours, smoothness, own.view());
  expansion.require_legal();
  return expansion.energy();
}

}  // namespace alphacut
