#include "grid_flow.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>

#include "alphacut/parallel.hpp"

namespace alphacut {
namespace {

// A vertex's state is 16 · label + parent. The label is its level, > 0 in the source's tree, < 0 in the sink's, 0 in
// none; the parent is none, 1 + its direction, or the terminal.
constexpr int kOrphan = 0, kRoot = 9;
constexpr int32_t kMaxLevel = (1 << 27) - 2;
constexpr int64_t kMaxPixels = std::numeric_limits<int32_t>::max();

// Directions come in pairs: k ^ 1 is the way back. Even ones are those of the weights.
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
    : height_(height), width_(width), pitch_(width + 1), count_(checked_count(height, width)) {
  for (int k = 0; k < 8; ++k) offset_[k] = static_cast<int32_t>(kDy[k] * pitch_ + kDx[k]);
  constexpr size_t line = 64;
  const auto pixels = static_cast<size_t>(count_);
  memory_.reset(static_cast<char*>(std::calloc(pixels * (sizeof(Arcs) + 8) + line, 1)));
  if (!memory_) throw std::bad_alloc();
  char* start = memory_.get() + (line - reinterpret_cast<uintptr_t>(memory_.get()) % line) % line;
  arcs_ = reinterpret_cast<Arcs*>(start);
  excess_ = reinterpret_cast<int32_t*>(arcs_ + pixels);
  state_ = excess_ + pixels;
  rows_.resize(static_cast<size_t>(height));
}

template <class Body>
void GridFlow::for_rows(Body&& body) {
  parallel_for(height_, row_grain(width_), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) body(rows_[static_cast<size_t>(y)]);
  });
}

void GridFlow::clear() {
  for_rows([&](Row& row) {
    for (const auto [begin, end] : row.segments) {
      std::fill(arcs_ + begin, arcs_ + end, Arcs{});
      std::fill(excess_ + begin, excess_ + end, 0);
      std::fill(state_ + begin, state_ + end, 0);
    }
    row.segments.clear();
    row.supply = 0;
  });
}

void GridFlow::add(int64_t y, int64_t x0, int64_t x1, const int32_t* difference, const int32_t* const weights[4]) {
  Row& row = rows_[static_cast<size_t>(y)];
  const auto first = static_cast<int32_t>(index(y, x0)), count = static_cast<int32_t>(x1 - x0);
  row.segments.push_back({first, first + count});
  for (int32_t i = 0; i < count; ++i) {
    excess_[first + i] = difference[i];
    row.supply += std::max(difference[i], 0);
  }
  for (int k = 0; k < 4; ++k) {
    const int32_t* weight = weights[k];
    Arcs *from = arcs_ + first, *to = from + offset_[2 * k];
    for (int32_t i = 0; i < count; ++i) {
      if (weight[i] == 0) continue;  // the other end may lie in memory never touched
      from[i].to[2 * k] = weight[i];
      to[i].to[2 * k + 1] = weight[i];
    }
  }
}

void GridFlow::change(int64_t y, int64_t x0, int64_t x1, const int32_t* before, const int32_t* after) {
  int32_t* excess = excess_ + index(y, x0);
  int64_t supply = 0;
  for (int64_t i = 0; i < x1 - x0; ++i) {
    excess[i] = static_cast<int32_t>(int64_t{excess[i]} + after[i] - before[i]);
    supply += std::max(after[i], 0) - std::max(before[i], 0);
  }
  rows_[static_cast<size_t>(y)].supply += supply;
}

class GridFlow::Search {
 public:
  explicit Search(GridFlow& graph) : graph_(graph), arcs_(graph.arcs_), excess_(graph.excess_), state_(graph.state_) {
    std::copy_n(graph.offset_, 8, offset_ + 1);
  }
  void run();

 private:
  // Side +1 is the source's tree, -1 the sink's.
  template <int Side>
  struct Tree {
    int64_t roots = 0;
    int32_t level = 1;  // labels below have been scanned, this one is next
    int32_t limit = 1;  // largest label a vertex may have: one more while its level is being scanned
    std::vector<int32_t> active, next, path;
    size_t due() const { return level == 1 ? static_cast<size_t>(roots) : active.size(); }
  };
  template <int Side>
  Tree<Side>& tree() {
    if constexpr (Side > 0)
      return source_;
    else
      return sink_;
  }

  int32_t label(int32_t v) const { return state_[v] >> 4; }
  int parent(int32_t v) const { return state_[v] & 15; }
  int32_t towards(int32_t v, int k) const { return v + offset_[k + 1]; }
  void orphan(int32_t v) { state_[v] &= ~15; }

  // What can flow along the arc between v and its neighbour k: away from v (Side +1) or towards v (Side -1).
  template <int Side>
  int32_t residual(int32_t v, int k) const {
    return Side > 0 ? arcs_[v].to[k] : arcs_[towards(v, k)].to[k ^ 1];
  }
  void push(int32_t v, int k, int32_t amount) {
    arcs_[v].to[k] -= amount;
    arcs_[towards(v, k)].to[k ^ 1] += amount;
  }

  void pass_on(int32_t v);
  void plant();
  template <int Side>
  void scan(int32_t v);
  template <int Side>
  void grow();
  template <int Side>
  int32_t narrowest(int32_t v, int32_t bottleneck) const;
  template <int Side>
  void drain(int32_t v, int32_t amount);
  void augment(int32_t v, int k);
  template <int Side>
  void adopt();
  template <int Side>
  void find_parent(int32_t v, int32_t label);

  GridFlow& graph_;
  Arcs* arcs_;
  int32_t *excess_, *state_;
  int32_t offset_[9] = {};
  Tree<1> source_;
  Tree<-1> sink_;
  std::vector<int32_t> orphans_, children_;
};

int64_t GridFlow::solve() {
  Search(*this).run();
  mark_source_side();
  int64_t flow = 0;
  for (const Row& row : rows_) {
    flow += row.supply;
    for (const auto [begin, end] : row.segments)
      for (int32_t v = begin; v < end; ++v) flow -= std::max(excess_[v], 0);
  }
  return flow;
}

// Straight from source to sink over one edge.
void GridFlow::Search::pass_on(int32_t v) {
  for (int k = 0; k < 8 && excess_[v] > 0; ++k) {
    const int32_t w = towards(v, k), room = arcs_[v].to[k];
    if (room == 0 || excess_[w] >= 0) continue;
    const int32_t amount = std::min({excess_[v], room, -excess_[w]});
    push(v, k, amount);
    excess_[v] -= amount;
    excess_[w] += amount;
  }
}

void GridFlow::Search::plant() {
  const auto for_pixels = [&](auto body) {
    for (const Row& row : graph_.rows_)
      for (const auto [begin, end] : row.segments)
        for (int32_t v = begin; v < end; ++v) body(v);
  };
  for_pixels([&](int32_t v) {
    if (excess_[v] > 0) pass_on(v);
  });
  for_pixels([&](int32_t v) {
    const int32_t excess = excess_[v];
    state_[v] = excess > 0 ? 16 + kRoot : excess < 0 ? -16 + kRoot : kOrphan;
    source_.roots += excess > 0;
    sink_.roots += excess < 0;
  });
}

void GridFlow::Search::run() {
  plant();
  while (source_.due() > 0 && sink_.due() > 0) {
    if (source_.due() <= sink_.due())
      grow<1>();
    else
      grow<-1>();
  }
}

template <int Side>
void GridFlow::Search::scan(int32_t v) {
  auto& own = tree<Side>();
  for (int k = 0; k < 8 && label(v) == Side * own.level;) {
    const int32_t w = towards(v, k);
    if (residual<Side>(v, k) == 0 || Side * label(w) > 0) {
      ++k;
    } else if (label(w) == 0) {
      state_[w] = 16 * Side * own.limit + (k ^ 1) + 1;
      own.next.push_back(w);
      ++k;
    } else if (Side > 0) {
      augment(v, k);
    } else {
      augment(w, k ^ 1);
    }
  }
}

// Scans the tree's deepest level: free neighbours join one level below, neighbours in the other tree make a path.
template <int Side>
void GridFlow::Search::grow() {
  auto& own = tree<Side>();
  if (own.level == kMaxLevel) throw std::length_error("graph cut: a path of more than 2^27 pixels");
  own.limit = own.level + 1;
  if (own.level == 1) {  // the roots, not listed
    for (const Row& row : graph_.rows_)
      for (const auto [begin, end] : row.segments)
        for (int32_t v = begin; v < end; ++v)
          if (label(v) == Side) scan<Side>(v);
  }
  for (size_t i = 0; i < own.active.size(); ++i) scan<Side>(own.active[i]);  // orphans may be appended
  own.active.swap(own.next);
  own.next.clear();
  own.level = own.limit;
}

// The smallest residual on the way from v to its root, the terminal's arc included.
template <int Side>
int32_t GridFlow::Search::narrowest(int32_t v, int32_t bottleneck) const {
  for (int p; (p = parent(v)) != kRoot; v += offset_[p]) bottleneck = std::min(bottleneck, residual<-Side>(v, p - 1));
  return std::min(bottleneck, Side * excess_[v]);
}

// Takes the amount along the way from v to its root and notes the orphans, highest label first.
template <int Side>
void GridFlow::Search::drain(int32_t v, int32_t amount) {
  auto& path = tree<Side>().path;
  for (int p; (p = parent(v)) != kRoot;) {
    const int k = p - 1;
    const int32_t up = towards(v, k);
    if (Side > 0)
      push(up, k ^ 1, amount);
    else
      push(v, k, amount);
    if (residual<-Side>(v, k) == 0) {
      orphan(v);
      path.push_back(v);
    }
    v = up;
  }
  excess_[v] -= Side * amount;
  if (excess_[v] == 0) {
    orphan(v);
    path.push_back(v);
  }
}

// Pushes all that fits from the source over v, its neighbour k in the sink's tree, and on to the sink.
void GridFlow::Search::augment(int32_t v, int k) {
  const int32_t w = towards(v, k);
  const int32_t amount = narrowest<-1>(w, narrowest<1>(v, arcs_[v].to[k]));
  push(v, k, amount);
  drain<1>(v, amount);
  drain<-1>(w, amount);
  adopt<1>();
  adopt<-1>();
}

// Orphans in the order of their labels: then those one level above are settled when a vertex looks for a parent.
template <int Side>
void GridFlow::Search::adopt() {
  auto& path = tree<Side>().path;
  int32_t level = 0;
  orphans_.clear();
  while (!path.empty() || !orphans_.empty()) {
    if (orphans_.empty()) level = Side * label(path.back());
    if (!path.empty() && Side * label(path.back()) == level) {
      orphans_.push_back(path.back());
      path.pop_back();
    }
    for (const int32_t v : orphans_) find_parent<Side>(v, level);
    orphans_.swap(children_);
    children_.clear();
    ++level;
  }
}

template <int Side>
void GridFlow::Search::find_parent(int32_t v, int32_t own_label) {
  auto& own = tree<Side>();
  int32_t best = own.limit;  // a parent must be above the limit
  int chosen = kOrphan;
  for (int k = 0; k < 8; ++k) {
    const int32_t level = Side * label(towards(v, k));
    if (level <= 0 || level >= best || residual<-Side>(v, k) == 0) continue;
    best = level;
    chosen = k + 1;
    if (best == own_label - 1) {
      state_[v] += chosen;
      return;
    }
  }
  // No parent one level above: v sinks or leaves, and its children lose it.
  for (int k = 0; k < 8; ++k) {
    const int32_t w = towards(v, k);
    if (state_[w] != 16 * Side * (own_label + 1) + (k ^ 1) + 1) continue;
    orphan(w);
    children_.push_back(w);
  }
  state_[v] = chosen == kOrphan ? 0 : 16 * Side * (best + 1) + chosen;
  if (chosen != kOrphan && best + 1 >= own.level) (best + 1 == own.level ? own.active : own.next).push_back(v);
}

// The source's tree is part of the answer; it may stop short of all of it.
void GridFlow::mark_source_side() {
  std::vector<int32_t> queue;
  for (const Row& row : rows_)
    for (const auto [begin, end] : row.segments)
      for (int32_t v = begin; v < end; ++v)
        if (state_[v] >= 16) queue.push_back(v);
  while (!queue.empty()) {
    const int32_t v = queue.back();
    queue.pop_back();
    for (int k = 0; k < 8; ++k) {
      const int32_t w = v + offset_[k];
      if (state_[w] >= 16 || arcs_[v].to[k] == 0) continue;
      state_[w] = 16;
      queue.push_back(w);
    }
  }
}

void GridFlow::source_side(int64_t y, int64_t x0, int64_t x1, uint8_t* mask) const {
  const int32_t* state = state_ + index(y, x0);
  for (int64_t i = 0; i < x1 - x0; ++i) mask[i] = state[i] >= 16 ? 255 : 0;
}

}  // namespace alphacut
