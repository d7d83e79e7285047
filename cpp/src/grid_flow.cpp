#include "grid_flow.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "alphacut/parallel.hpp"

namespace alphacut {
namespace {

constexpr uint8_t kRoot = 8;    // the parent is the terminal
constexpr uint8_t kOrphan = 9;  // no parent
constexpr int64_t kMaxPixels = std::numeric_limits<int32_t>::max();

// Directions come in pairs: k ^ 1 is the way back. Even ones are those of Neighbours.
constexpr int kDx[8] = {1, -1, 0, 0, 1, -1, -1, 1};
constexpr int kDy[8] = {0, 0, 1, -1, 1, -1, 1, -1};

int64_t checked_count(int64_t height, int64_t width) {
  if (height < 1 || width < 1) throw std::invalid_argument("graph cut: the picture has no pixels");
  if (width >= kMaxPixels || height + 2 > kMaxPixels / (width + 1))
    throw std::invalid_argument("graph cut: a picture of " + std::to_string(height) + " x " + std::to_string(width) +
                                " pixels is too large: (width + 1) * (height + 2) must stay below 2^31");
  return (height + 2) * (width + 1) + 1;
}

}  // namespace

GridFlow::GridFlow(int64_t height, int64_t width)
    : height_(height),
      width_(width),
      pitch_(width + 1),
      count_(checked_count(height, width)),
      arcs_store_(1, count_),
      excess_store_(1, count_),
      label_store_(1, count_),
      parent_store_(1, count_),
      arcs_(arcs_store_.data()),
      excess_(excess_store_.data()),
      label_(label_store_.data()),
      parent_(parent_store_.data()) {
  for (int k = 0; k < 8; ++k) offset_[k] = static_cast<int32_t>(kDy[k] * pitch_ + kDx[k]);
}

void GridFlow::load(ImageView<const int32_t> source, ImageView<const int32_t> sink, const Neighbours& neighbours) {
  const int64_t grain = row_grain(width_);
  std::vector<int64_t> direct(static_cast<size_t>((height_ - 1) / grain + 1), 0);
  const auto clear = [&](int64_t i) {
    arcs_[i] = {};
    excess_[i] = 0;
    label_[i] = 0;
    parent_[i] = kOrphan;
  };
  for (int64_t i = 0; i <= pitch_; ++i) clear(i);
  for (int64_t i = (height_ + 1) * pitch_; i < count_; ++i) clear(i);
  parallel_for(height_, grain, [&](int64_t begin, int64_t end) {
    int64_t sum = 0;
    for (int64_t y = begin; y < end; ++y) {
      if (y > 0) clear(index(y, -1));
      for (int64_t x = 0; x < width_; ++x) {
        const int64_t i = index(y, x);
        for (int k = 0; k < 8; ++k) {
          const int64_t nx = x + kDx[k], ny = y + kDy[k];
          const bool inside = nx >= 0 && nx < width_ && ny >= 0 && ny < height_;
          const auto& plane = neighbours[static_cast<size_t>(k / 2)];
          arcs_[i].to[k] = !inside ? 0 : k % 2 == 0 ? plane.row(y)[x] : plane.row(ny)[nx];
        }
        const int32_t from = source.row(y)[x], to = sink.row(y)[x];
        sum += std::min(from, to);
        excess_[i] = from - to;
        label_[i] = 0;
        parent_[i] = kOrphan;
      }
    }
    direct[static_cast<size_t>(begin / grain)] = sum;
  });
  flow_ = 0;
  for (const int64_t sum : direct) flow_ += sum;
}

// A pixel whose terminal outweighs all its edges lies on that terminal's side in every cut looked for (on the source's
// side only if it outweighs them strictly: of two equal cuts the one with fewer source pixels counts). Its edges then
// join the neighbours to the terminal.
template <int Side>
void GridFlow::settle(int32_t v) {
  int64_t edges = 0;
  for (int k = 0; k < 8; ++k) edges += residual<Side>(v, k);
  if (edges == 0 || Side * int64_t{excess_[v]} < edges + (Side > 0 ? 1 : 0)) return;
  for (int k = 0; k < 8; ++k) {
    const int32_t w = v + offset_[k], amount = residual<Side>(v, k);
    if (Side * int64_t{excess_[w]} + amount > std::numeric_limits<int32_t>::max()) continue;  // left to the search
    flow_ += std::clamp(-Side * excess_[w], 0, amount);
    excess_[w] += Side * amount;
    excess_[v] -= Side * amount;
    arcs_[v].to[k] = arcs_[w].to[k ^ 1] = 0;
  }
}

void GridFlow::reduce() {
  const auto visit = [&](int32_t v) {
    if (excess_[v] > 0) settle<1>(v);
    if (excess_[v] < 0) settle<-1>(v);
  };
  const auto last = static_cast<int32_t>(count_ - pitch_ - 1);
  for (auto v = static_cast<int32_t>(pitch_); v < last; ++v) visit(v);
  for (int32_t v = last; v-- > pitch_;) visit(v);
}

template <>
GridFlow::Tree<1>& GridFlow::tree<1>() {
  return source_;
}
template <>
GridFlow::Tree<-1>& GridFlow::tree<-1>() {
  return sink_;
}

void GridFlow::plant() {
  source_ = {};
  sink_ = {};
  for (int64_t v = 0; v < count_; ++v) {
    if (excess_[v] == 0) continue;
    label_[v] = excess_[v] > 0 ? 1 : -1;
    parent_[v] = kRoot;
    (excess_[v] > 0 ? source_.active : sink_.active).push_back(static_cast<int32_t>(v));
  }
}

int64_t GridFlow::solve() {
  reduce();
  plant();
  while (!source_.active.empty() && !sink_.active.empty()) {
    if (source_.active.size() <= sink_.active.size())
      grow<1>();
    else
      grow<-1>();
  }
  return flow_;
}

// Scans the tree's deepest level: free neighbours join one level below, neighbours in the other tree make a path.
template <int Side>
void GridFlow::grow() {
  auto& own = tree<Side>();
  own.limit = own.level + 1;
  for (size_t i = 0; i < own.active.size(); ++i) {  // orphans may be appended
    const int32_t v = own.active[i];
    for (int k = 0; k < 8 && label_[v] == Side * own.level;) {
      const int32_t w = v + offset_[k];
      if (residual<Side>(v, k) == 0 || Side * label_[w] > 0) {
        ++k;
      } else if (label_[w] == 0) {
        label_[w] = Side * own.limit;
        parent_[w] = static_cast<uint8_t>(k ^ 1);
        own.next.push_back(w);
        ++k;
      } else if (Side > 0) {
        augment(v, k);
      } else {
        augment(w, k ^ 1);
      }
    }
  }
  own.active.swap(own.next);
  own.next.clear();
  own.level = own.limit;
}

// The smallest residual on the way from v to its root, the terminal's arc included.
template <int Side>
int32_t GridFlow::narrowest(int32_t v, int32_t bottleneck) const {
  for (; parent_[v] != kRoot; v += offset_[parent_[v]])
    bottleneck = std::min(bottleneck, residual<-Side>(v, parent_[v]));
  return std::min(bottleneck, Side * excess_[v]);
}

// Takes the amount along the way from v to its root and notes the orphans, highest label first.
template <int Side>
void GridFlow::drain(int32_t v, int32_t amount) {
  auto& path = tree<Side>().path;
  while (parent_[v] != kRoot) {
    const int k = parent_[v];
    const int32_t up = v + offset_[k];
    if (Side > 0)
      push(up, k ^ 1, amount);
    else
      push(v, k, amount);
    if (residual<-Side>(v, k) == 0) {
      parent_[v] = kOrphan;
      path.push_back(v);
    }
    v = up;
  }
  excess_[v] -= Side * amount;
  if (excess_[v] == 0) {
    parent_[v] = kOrphan;
    path.push_back(v);
  }
}

// Pushes all that fits from the source over v, its neighbour k in the sink's tree, and on to the sink.
void GridFlow::augment(int32_t v, int k) {
  const int32_t w = v + offset_[k];
  const int32_t amount = narrowest<-1>(w, narrowest<1>(v, arcs_[v].to[k]));
  push(v, k, amount);
  drain<1>(v, amount);
  drain<-1>(w, amount);
  flow_ += amount;
  adopt<1>();
  adopt<-1>();
}

// Orphans in the order of their labels: then those one level above are settled when a vertex looks for a parent.
template <int Side>
void GridFlow::adopt() {
  auto& path = tree<Side>().path;
  int32_t label = 0;
  orphans_.clear();
  while (!path.empty() || !orphans_.empty()) {
    if (orphans_.empty()) label = Side * label_[path.back()];
    if (!path.empty() && Side * label_[path.back()] == label) {
      orphans_.push_back(path.back());
      path.pop_back();
    }
    for (const int32_t v : orphans_) find_parent<Side>(v, label);
    orphans_.swap(children_);
    children_.clear();
    ++label;
  }
}

template <int Side>
void GridFlow::find_parent(int32_t v, int32_t label) {
  auto& own = tree<Side>();
  int32_t best = own.limit;  // a parent must be above the limit
  for (int k = 0; k < 8; ++k) {
    const int32_t level = Side * label_[v + offset_[k]];
    if (level <= 0 || level >= best || residual<-Side>(v, k) == 0) continue;
    best = level;
    parent_[v] = static_cast<uint8_t>(k);
    if (best == label - 1) return;
  }
  // No parent one level above: v sinks or leaves, and its children lose it.
  for (int k = 0; k < 8; ++k) {
    const int32_t w = v + offset_[k];
    if (parent_[w] != (k ^ 1) || label_[w] != Side * (label + 1)) continue;
    parent_[w] = kOrphan;
    children_.push_back(w);
  }
  if (parent_[v] == kOrphan) {
    label_[v] = 0;
    return;
  }
  label_[v] = Side * (best + 1);
  if (best + 1 >= own.level) (best + 1 == own.level ? own.active : own.next).push_back(v);
}

void GridFlow::source_side(ImageView<uint8_t> mask) {
  BlockVector<int32_t>& queue = source_.active;  // the tree is part of the answer; it may stop short of all of it
  queue.clear();
  for (int64_t v = 0; v < count_; ++v)
    if (label_[v] > 0) queue.push_back(static_cast<int32_t>(v));
  while (!queue.empty()) {
    const int32_t v = queue.back();
    queue.pop_back();
    for (int k = 0; k < 8; ++k) {
      const int32_t w = v + offset_[k];
      if (label_[w] > 0 || arcs_[v].to[k] == 0) continue;
      label_[w] = 1;
      queue.push_back(w);
    }
  }
  parallel_for(height_, row_grain(width_), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y)
      for (int64_t x = 0; x < width_; ++x) mask.row(y)[x] = label_[index(y, x)] > 0 ? 255 : 0;
  });
}

}  // namespace alphacut
