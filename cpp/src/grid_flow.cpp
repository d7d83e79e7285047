#include "grid_flow.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <limits>
#include <new>
#include <span>
#include <stdexcept>
#include <string>

#include "alphacut/cancel.hpp"
#include "alphacut/parallel.hpp"
#include "large_pages.hpp"

namespace alphacut {
namespace {

// A vertex's state is 256 · label + its open arcs, those of a residual capacity above 0, a bit each.
constexpr uint32_t kLabel = 256, kMaxLabel = (1U << 24) - 1;
constexpr int32_t kMaxExcess = 1 << 30;    // that a push may leave at a pixel: see change()
constexpr int64_t kStripPixels = 1 << 12;  // of a strip, at least
constexpr uint32_t kStripLabel = 1 << 12;  // longer ways are left to the whole
constexpr int64_t kMaxPixels = std::numeric_limits<int32_t>::max();

// Directions come in pairs: k ^ 1 is the way back. Even ones are those of the weights.
constexpr int kDx[8] = {1, -1, 0, 0, 1, -1, -1, 1};
constexpr int kDy[8] = {0, 0, 1, -1, 1, -1, 1, -1};
constexpr uint32_t kAlong = 0x03, kDown = 0x54, kUp = 0xA8;  // their bits

int64_t checked_count(int64_t height, int64_t width) {
  if (height < 1 || width < 1) throw std::invalid_argument("graph cut: the picture has no pixels");
  if (width >= kMaxPixels || height + 2 > kMaxPixels / (width + 1))
    throw std::invalid_argument("graph cut: a picture of " + std::to_string(height) + " x " + std::to_string(width) +
                                " pixels is too large: (width + 1) * (height + 2) must stay below 2^31");
  return (height + 2) * (width + 1) + 1;
}

void prefetch([[maybe_unused]] const void* p) {
#if defined(__GNUC__)
  __builtin_prefetch(p);
#endif
}

}  // namespace

GridFlow::GridFlow(int64_t height, int64_t width, bool full)
    : height_(height), width_(width), pitch_(width + 1), count_(checked_count(height, width)) {
  for (int k = 0; k < 8; ++k) offset_[k] = static_cast<int32_t>(kDy[k] * pitch_ + kDx[k]);
  constexpr size_t line = 64;
  const auto pixels = static_cast<size_t>(count_);
  const size_t bytes = pixels * (sizeof(Arcs) + 8) + line;
  memory_.reset(static_cast<char*>(std::calloc(bytes, 1)));
  if (!memory_) throw std::bad_alloc();
  // Neighbours in other rows lie on other pages: with small ones every push would look up a page's address.
  if (full && bytes > size_t{8} << 20) ask_for_large_pages(memory_.get(), bytes);
  char* start = memory_.get() + (line - reinterpret_cast<uintptr_t>(memory_.get()) % line) % line;
  arcs_ = reinterpret_cast<Arcs*>(start);
  excess_ = reinterpret_cast<int32_t*>(arcs_ + pixels);
  state_ = reinterpret_cast<uint32_t*>(excess_ + pixels);
  rows_.resize(static_cast<size_t>(height));
}

template <class Body>
void GridFlow::for_rows(std::span<Row> rows, int64_t width, Body&& body) {
  parallel_for(static_cast<int64_t>(rows.size()), row_grain(width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) body(rows[static_cast<size_t>(y)]);
  });
}

void GridFlow::clear() {
  for_rows(rows_, width_, [&](Row& row) {
    for (const auto [begin, end] : row.segments) {
      std::fill(arcs_ + begin, arcs_ + end, Arcs{});
      std::fill(excess_ + begin, excess_ + end, 0);
      std::fill(state_ + begin, state_ + end, 0U);
    }
    row.segments.clear();
    row.supply = 0;
  });
}

// What flowed between two rows next to each other; only the first gets it back, for the other is taken out.
void GridFlow::take_back(size_t row, size_t other) {
  const uint32_t between = other > row ? kDown : kUp;
  for (const auto [begin, end] : rows_[row].segments)
    for (int32_t v = begin; v < end; ++v)
      for (uint32_t arcs = between; arcs != 0; arcs &= arcs - 1) {
        const int k = std::countr_zero(arcs);
        int32_t &ahead = arcs_[v].to[k], &back = arcs_[v + offset_[k]].to[k ^ 1];
        if (ahead == back) continue;
        const int32_t capacity = (ahead + back) / 2;
        excess_[v] += capacity - ahead;
        ahead = back = capacity;
      }
  rows_[row].fresh = true;
}

void GridFlow::clear_rows(const std::vector<uint8_t>& rows) {
  const auto goes = [&](size_t y) { return y < rows.size() && rows[y] != 0; };
  for_rows(rows_, width_, [&](Row& row) {
    const auto y = static_cast<size_t>(&row - rows_.data());
    if (goes(y)) return;
    if (y > 0 && goes(y - 1)) take_back(y, y - 1);
    if (goes(y + 1)) take_back(y, y + 1);
  });
  for_rows(rows_, width_, [&](Row& row) {
    const auto y = static_cast<size_t>(&row - rows_.data());
    if (!goes(y)) return;
    const bool above = y > 0 && !goes(y - 1), below = y + 1 < rows_.size() && !goes(y + 1);  // rows that stay
    const uint32_t stay = (above ? kUp : 0) | (below ? kDown : 0);
    for (const auto [begin, end] : row.segments) {
      for (int32_t v = begin; v < end; ++v)
        for (int k = 0; k < 8; ++k) arcs_[v].to[k] = (stay >> k & 1) != 0 ? arcs_[v].to[k] : 0;
      std::fill(excess_ + begin, excess_ + end, 0);
      std::fill(state_ + begin, state_ + end, 0U);
    }
    row.segments.clear();
    row.supply = 0;
  });
}

void GridFlow::add(int64_t y, int64_t x0, int64_t x1, const int32_t* difference, const int32_t* const weights[4],
                   const int32_t* const reverse[4]) {
  Row& row = rows_[static_cast<size_t>(y)];
  const auto first = static_cast<int32_t>(index(y, x0)), count = static_cast<int32_t>(x1 - x0);
  row.segments.push_back({first, first + count});
  row.fresh = true;
  for (int32_t i = 0; i < count; ++i) {
    excess_[first + i] = -difference[i];
    row.supply += std::max(-difference[i], 0);
  }
  for (int k = 0; k < 4; ++k) {
    const int32_t *weight = weights[k], *back = reverse[k];
    Arcs *from = arcs_ + first, *to = from + offset_[2 * k];
    for (int32_t i = 0; i < count; ++i) {
      if ((weight[i] | back[i]) == 0) continue;  // the other end may lie in memory never touched
      from[i].to[2 * k] = back[i];
      to[i].to[2 * k + 1] = weight[i];
    }
  }
}

void GridFlow::change(int64_t y, int64_t x0, int64_t x1, const int32_t* before, const int32_t* after) {
  int32_t* excess = excess_ + index(y, x0);
  int64_t supply = 0;
  for (int64_t i = 0; i < x1 - x0; ++i) {
    excess[i] = static_cast<int32_t>(int64_t{excess[i]} + before[i] - after[i]);
    supply += std::max(-after[i], 0) - std::max(-before[i], 0);
  }
  rows_[static_cast<size_t>(y)].supply += supply;
}

class GridFlow::Search {
 public:
  Search(GridFlow& graph, std::span<Row> rows, uint32_t farthest)
      : rows_(rows),
        width_(graph.width_),
        farthest_(farthest),
        arcs_(graph.arcs_),
        excess_(graph.excess_),
        state_(graph.state_) {
    std::copy_n(graph.offset_, 8, offset_);
  }
  void run();

 private:
  uint32_t label(int32_t v) const { return state_[v] / kLabel; }
  bool labelled(int32_t v) const { return state_[v] >= kLabel; }
  void set_label(int32_t v, uint32_t label) { state_[v] = label * kLabel + state_[v] % kLabel; }
  void enlist(int32_t v) {
    const size_t l = label(v);
    if (l >= active_.size()) active_.resize(l + 1);
    active_[l].push_back(v);
    top_ = std::max(top_, l);
  }
  int64_t spread();
  void find_near_roots(int32_t begin, int32_t end, std::vector<uint32_t>& near, std::vector<int32_t>& found) const;
  void reach_from_roots();
  void reach(int32_t v, uint32_t level);
  void push(int32_t v, int k, int32_t amount);
  void discharge(int32_t v);
  void sweep(int64_t budget);

  std::span<Row> rows_;
  int64_t width_;
  uint32_t farthest_;  // label that is looked for
  Arcs* arcs_;
  int32_t* excess_;
  uint32_t* state_;
  int32_t offset_[8] = {};
  std::vector<int32_t> rim_, next_;
  std::vector<std::vector<int32_t>> active_;  // by label
  size_t top_ = 0;
  int64_t work_ = 0;
  uint32_t cap_ = 0;
};

void GridFlow::open_arcs(const Row& row) {
  for (const auto [begin, end] : row.segments)
    for (int32_t v = begin; v < end; ++v) {
      uint32_t open = 0;
      for (int k = 0; k < 8; ++k) open |= static_cast<uint32_t>(arcs_[v].to[k] != 0) << k;
      state_[v] = open;
    }
}

// Closes some of the arcs of a row's pixels; no label stays.
void GridFlow::close_arcs(const Row& row, uint32_t arcs) {
  for (const auto [begin, end] : row.segments)
    for (int32_t v = begin; v < end; ++v) state_[v] &= (kLabel - 1) & ~arcs;
}

// Rows that divide the others into strips of about as many pixels.
std::vector<size_t> GridFlow::dividing_rows(int64_t strips) const {
  int64_t pixels = 0, above = 0;
  for (const Row& row : rows_) pixels += row.pixels();
  if (strips == 0) strips = std::min<int64_t>(num_threads(), pixels / kStripPixels);
  std::vector<size_t> rows;
  for (size_t y = 0; y + 1 < rows_.size(); ++y) {
    const auto ended = static_cast<int64_t>(rows.size()) + 1;  // strips, were this row to divide
    if (ended < strips && above >= pixels * ended / strips && above > 0) rows.push_back(y);
    above += rows_[y].pixels();
  }
  return rows;
}

// Flow within strips, each on a thread. The rows between take no part, so that no thread touches what another one does.
void GridFlow::solve_strips(int64_t strips) {
  const std::vector<size_t> between = dividing_rows(strips);
  if (between.empty()) return;
  for (const size_t y : between) {
    close_arcs(rows_[y - 1], kDown);
    close_arcs(rows_[y], kDown | kUp | kAlong);
    close_arcs(rows_[y + 1], kUp);
  }
  parallel_for(static_cast<int64_t>(between.size()) + 1, 1, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      const size_t top = i == 0 ? 0 : between[i - 1] + 1, bottom = i == between.size() ? rows_.size() : between[i];
      Search(*this, {rows_.data() + top, bottom - top}, kStripLabel).run();
    }
  });
  for (const size_t y : between)
    for (size_t row = y - 1; row <= y + 1; ++row) open_arcs(rows_[row]);
}

int64_t GridFlow::solve(int64_t strips) {
  for_rows(rows_, width_, [&](Row& row) {
    if (row.fresh) open_arcs(row);
    row.fresh = false;
  });
  solve_strips(strips);
  Search(*this, rows_, kMaxLabel).run();
  std::atomic<int64_t> flow{0};
  for_rows(rows_, width_, [&](Row& row) {
    int64_t sum = row.supply;
    for (const auto [begin, end] : row.segments)
      for (int32_t v = begin; v < end; ++v) sum -= std::max(excess_[v], 0);
    if (sum != 0) flow += sum;
  });
  return flow;
}

void GridFlow::Search::reach(int32_t v, uint32_t level) {
  set_label(v, level);
  next_.push_back(v);
  if (excess_[v] > 0) enlist(v);
}

// Finds the pixels next to the roots, which have label 1; label 2 does not look like that.
void GridFlow::Search::find_near_roots(int32_t begin, int32_t end, std::vector<uint32_t>& near,
                                       std::vector<int32_t>& found) const {
  const uint32_t *own = state_ + begin, *other[8];
  for (int k = 0; k < 8; ++k) other[k] = own + offset_[k];
  const auto n = static_cast<size_t>(end - begin);
  near.resize(std::max(near.size(), n));
  uint32_t* __restrict open_to = near.data();
  uint32_t any = 0;
  for (size_t i = 0; i < n; ++i) {
    uint32_t open = 0;
    const auto look = [&](int k) { open |= (other[k][i] / kLabel) & (own[i] >> k); };
    look(0), look(1), look(2), look(3), look(4), look(5), look(6), look(7);  // no loop, so that it becomes vectors
    open_to[i] = open & ~(own[i] / kLabel) & 1;
    any |= open_to[i];
  }
  for (size_t i = 0; any != 0 && i < n; ++i)
    if (open_to[i] != 0) found.push_back(begin + static_cast<int32_t>(i));
}

void GridFlow::Search::reach_from_roots() {
  const auto rows = static_cast<int64_t>(rows_.size()), grain = row_grain(width_);
  std::vector<std::vector<int32_t>> found(static_cast<size_t>((rows - 1) / grain + 1));
  parallel_for(rows, grain, [&](int64_t begin, int64_t end) {
    std::vector<uint32_t> near;
    for (int64_t y = begin; y < end; ++y)
      for (const auto [from, to] : rows_[static_cast<size_t>(y)].segments)
        find_near_roots(from, to, near, found[static_cast<size_t>(begin / grain)]);
  });
  for (const std::vector<int32_t>& block : found)
    for (const int32_t v : block) reach(v, 2);
}

// Labels what leads to the source with the number of pixels on the shortest way. Once that has met excess, it goes on
// to twice the distance only. Returns how many were reached.
int64_t GridFlow::Search::spread() {
  for_rows(rows_, width_, [&](Row& row) {
    for (const auto [begin, end] : row.segments)
      for (int32_t v = begin; v < end; ++v) state_[v] = state_[v] % kLabel + (excess_[v] < 0 ? kLabel : 0);
  });
  next_.clear();
  reach_from_roots();
  int64_t reached = 0;
  uint32_t last = farthest_;
  bool met = false;
  for (uint32_t level = 3; !next_.empty(); ++level) {
    if (!met && top_ > 0) met = true, last = std::min(2 * level, farthest_);
    if (level > last) break;
    if (level % 64 == 0) throw_if_cancelled();
    if (level == kMaxLabel)
      throw std::length_error("graph cut: the way from a pixel to its terminal takes 2^24 pixels");
    rim_.clear();
    rim_.swap(next_);
    reached += static_cast<int64_t>(rim_.size());
    for (const int32_t v : rim_)
      for (int k = 0; k < 8; ++k) {
        const int32_t w = v + offset_[k];
        const uint32_t back = 1U << (k ^ 1);
        if ((state_[w] & (~(kLabel - 1) | back)) == back) reach(w, level);  // no label, and the arc to v is open
      }
  }
  return reached;
}

void GridFlow::Search::push(int32_t v, int k, int32_t amount) {
  const int32_t w = v + offset_[k];
  if ((arcs_[v].to[k] -= amount) == 0) state_[v] &= ~(1U << k);
  arcs_[w].to[k ^ 1] += amount;
  state_[w] |= 1U << (k ^ 1);
  excess_[v] -= amount;
  const int32_t before = excess_[w];
  excess_[w] += amount;
  if (before <= 0 && excess_[w] > 0) enlist(w);
}

// Pushes the excess of v to pixels one label below; when no open arc leads there, v moves to one above the lowest that
// one leads to, and so on.
void GridFlow::Search::discharge(int32_t v) {
  while (label(v) <= cap_) {
    const uint32_t below = label(v) - 1;
    uint32_t lowest = kMaxLabel;
    ++work_;
    for (uint32_t open = state_[v] % kLabel; open != 0; open &= open - 1) {
      const int k = std::countr_zero(open);
      const int32_t w = v + offset_[k];
      const uint32_t level = label(w);
      if (level == 0) continue;
      if (level != below) {
        lowest = std::min(lowest, level);
        continue;
      }
      const int32_t room = kMaxExcess - std::max(excess_[w], 0);
      const int32_t amount = std::min({excess_[v], arcs_[v].to[k], room});
      if (amount > 0) push(v, k, amount);
      if (excess_[v] == 0) return;
      if (arcs_[v].to[k] > 0) return enlist(v);  // w is full: later
    }
    if (lowest == kMaxLabel) return set_label(v, 0);
    set_label(v, std::min(lowest + 1, kMaxLabel - 1));
  }
}

// From the highest label down, again and again; pixels that get excess at the current label or above wait for the next
// time.
void GridFlow::Search::sweep(int64_t budget) {
  int64_t checked = 0;
  for (work_ = 0; top_ > 0 && work_ <= budget;) {
    size_t level = top_;
    work_ += static_cast<int64_t>(level / 8);
    for (top_ = 0; level > 0; --level) {
      if (work_ >= checked) {
        throw_if_cancelled();
        checked = work_ + 4096;
      }
      rim_.swap(active_[level]);
      for (size_t i = 0; i < rim_.size(); ++i) {
        const int32_t v = rim_[i], soon = rim_[std::min(i + 3, rim_.size() - 1)];
        for (int k = 4; k < 8; ++k) prefetch(arcs_ + soon + offset_[k]);  // where it may push to
        if (excess_[v] > 0 && label(v) == level) discharge(v);
      }
      rim_.clear();
    }
    while (top_ > 0 && active_[top_].empty()) --top_;
  }
  for (; top_ > 0; --top_) active_[top_].clear();
}

void GridFlow::Search::run() {
  int64_t pixels = 0;
  for (const Row& row : rows_) pixels += row.pixels();
  for (int64_t reached = spread(); top_ > 0; reached = spread()) {
    // Pixels out of reach lie farther than any reached: labels up to two more are still lower bounds.
    cap_ = static_cast<uint32_t>(std::min<size_t>(top_ + 2, kMaxLabel - 2));
    sweep(reached + pixels / 8);
  }
}

void GridFlow::source_side(int64_t y, int64_t x0, int64_t x1, uint8_t* mask) const {
  const uint32_t* state = state_ + index(y, x0);
  for (int64_t i = 0; i < x1 - x0; ++i) mask[i] = state[i] >= kLabel ? 255 : 0;
}

}  // namespace alphacut
