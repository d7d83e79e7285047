// Maximum flow on an implicit 8-connected grid by incremental breadth-first search: Goldberg, Hed, Kaplan, Tarjan and
// Werneck, "Maximum flows by incremental breadth-first search", ESA 2011.
//
// Two trees of residual arcs grow from the source and towards the sink, a level at a time. Where they meet, flow is
// pushed along the path; vertices cut off by a saturated arc ("orphans") look for another parent one level above, else
// move down to the lowest level that has one, else leave the tree. A vertex's label is its level, so labels only rise
// and the work is bounded by a polynomial of the number of pixels, whatever the capacities.
#pragma once

#include <cstdint>

#include "alphacut/graphcut.hpp"

namespace alphacut {

class GridFlow {
 public:
  // Throws std::invalid_argument if the pixels do not fit 32-bit indices.
  GridFlow(int64_t height, int64_t width);

  // Loads new capacities; sizes and ranges are the caller's business.
  void load(ImageView<const int32_t> source, ImageView<const int32_t> sink, const Neighbours& neighbours);

  // Pushes the maximum flow and returns it.
  int64_t solve();

  // 255 where the residual graph leads to from the source, 0 elsewhere. After solve().
  void source_side(ImageView<uint8_t> mask);

 private:
  struct Arcs {
    int32_t to[8];  // residual capacity to each neighbour
  };
  // Side +1 is the source's tree, -1 the sink's.
  template <int Side>
  struct Tree {
    int32_t level = 1;  // labels below have been scanned, this one is next
    int32_t limit = 1;  // largest label a vertex may have: one more while its level is being scanned
    BlockVector<int32_t> active, next, path;
  };

  int64_t index(int64_t y, int64_t x) const { return (y + 1) * pitch_ + x + 1; }
  template <int Side>
  Tree<Side>& tree();
  // What can flow along the arc between v and its neighbour k: away from v (Side +1) or towards v (Side -1).
  template <int Side>
  int32_t residual(int32_t v, int k) const {
    return Side > 0 ? arcs_[v].to[k] : arcs_[v + offset_[k]].to[k ^ 1];
  }
  void push(int32_t v, int k, int32_t amount) {
    arcs_[v].to[k] -= amount;
    arcs_[v + offset_[k]].to[k ^ 1] += amount;
  }

  template <int Side>
  void settle(int32_t v);
  void reduce();
  void plant();
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

  // Row-major with a border of one pixel that no arc reaches: one column serves as the right border of a row and the
  // left border of the next.
  int64_t height_, width_, pitch_, count_;
  int32_t offset_[8];
  int64_t flow_ = 0;
  Image<Arcs> arcs_store_;
  Image<int32_t> excess_store_, label_store_;
  Image<uint8_t> parent_store_;
  Arcs* arcs_;
  int32_t* excess_;  // residual capacity of the terminal arc: > 0 from the source, < 0 to the sink
  int32_t* label_;   // > 0 level in the source's tree, < 0 level in the sink's tree, 0 in none
  uint8_t* parent_;  // direction of the parent
  Tree<1> source_;
  Tree<-1> sink_;
  BlockVector<int32_t> orphans_, children_;
};

}  // namespace alphacut
