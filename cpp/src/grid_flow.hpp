// Maximum flow on an implicit 8-connected grid, or on some pixels of it, by push-relabel (Goldberg and Tarjan, "A new
// approach to the maximum-flow problem", JACM 1988) with exact distances renewed now and then (Cherkassky and Goldberg,
// "On implementing the push-relabel method for the maximum flow problem", Algorithmica 1997).
//
// Flow runs backwards, from the sink to the source, against the edges: the distances to the source that end the search
// then are the source's side of the cut.
//
// A pixel's label is a lower bound on the number of pixels on its way to the source. Excess moves down the labels, from
// all pixels that have some, highest first; a pixel that finds no way down is raised above its lowest neighbour. When
// the raises have cost about as much as finding distances anew by breadth-first search, that is done. The search stops
// at twice the distance of the nearest excess, so that what can be settled nearby is settled first. Labels never fall,
// so the work is bounded by a polynomial of the number of pixels, whatever the capacities.
//
// The terminals' arcs are one number a pixel, its excess: positive what may still come from the sink, negative what may
// still go to the source. Any flow between pixels, with the excess adjusted, leaves a problem of the same cuts, so
// nothing need be sent back, and a solved graph can go on with other terminals: Kohli and Torr, "Efficiently solving
// dynamic Markov random fields using graph cuts", ICCV 2005. For the same reason strips of rows can be solved by
// several threads before the whole is: Liu and Sun, "Parallel graph-cuts by adaptive bottom-up merging", CVPR 2010.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

namespace alphacut {

// 40 bytes a pixel of the grid, of which only the pages of pixels that take part are ever touched, and lists of the
// search's rim and of the pixels whose excess moves.
class GridFlow {
 public:
  // Empty. `full`: most pixels will take part, so memory may come in large pages. Throws std::invalid_argument if the
  // pixels do not fit 32-bit indices.
  GridFlow(int64_t height, int64_t width, bool full = false);

  // Takes all pixels out.
  void clear();
  // After solve(), takes out those of rows where `rows` has a 1: the flow between others stays. The pixels beside a row
  // that stays must be added again, with the same weights to it, and all weights the same both ways; differences must
  // stay within 2^28 - 1.
  void clear_rows(const std::vector<uint8_t>& rows);

  // Pixels [x0, x1) of row y take part: difference[x - x0] is the capacity from the source less that to the sink,
  // weights[k][x - x0] the capacity both ways to the neighbour right, below, below right, below left; with `reverse`
  // that way, and reverse[k][x - x0] back. A weight to a pixel that takes no part must be 0. |difference| <= 2^30 - 1,
  // weights from 0 to 2^30 - 1. The segments of a row come from left to right; different rows may come from several
  // threads at once.
  void add(int64_t y, int64_t x0, int64_t x1, const int32_t* difference, const int32_t* const weights[4]) {
    add(y, x0, x1, difference, weights, weights);
  }
  void add(int64_t y, int64_t x0, int64_t x1, const int32_t* difference, const int32_t* const weights[4],
           const int32_t* const reverse[4]);

  // The differences of pixels that take part change; the flow stays. Differences that change must stay within 2^29 - 1:
  // what flows into a pixel never raises its excess beyond 2^30, so after a change it stays below 2^31.
  void change(int64_t y, int64_t x0, int64_t x1, const int32_t* before, const int32_t* after);

  // Pushes the maximum flow and returns it, terminals taken as max(difference, 0) and max(-difference, 0).
  // Looks within so many strips of rows first, 0: as many as threads, if they pay. They change nothing but the time.
  // Once this has thrown, the graph can only be cleared.
  int64_t solve(int64_t strips = 0);

  // After solve(), before change(): 255 where the residual graph leads to from the source, 0 elsewhere, for pixels [x0,
  // x1) of row y.
  void source_side(int64_t y, int64_t x0, int64_t x1, uint8_t* mask) const;

 private:
  class Search;
  struct Arcs {
    int32_t to[8];  // residual capacity from each neighbour: flow runs backwards
  };
  struct Segment {
    int32_t begin, end;  // indices
  };
  struct Row {
    std::vector<Segment> segments;
    bool fresh = false;  // added since the last solve
    int64_t supply = 0;  // capacities of its pixels to the sink, of those where they exceed the source's
    int64_t pixels() const {
      int64_t sum = 0;
      for (const auto [begin, end] : segments) sum += end - begin;
      return sum;
    }
  };
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };

  int64_t index(int64_t y, int64_t x) const { return (y + 1) * pitch_ + x + 1; }
  template <class Body>
  static void for_rows(std::span<Row> rows, int64_t width, Body&& body);
  void take_back(size_t row, size_t other);
  void open_arcs(const Row& row);
  void close_arcs(const Row& row, uint32_t arcs);
  std::vector<size_t> dividing_rows(int64_t strips) const;
  void solve_strips(int64_t strips);

  // Row-major with a border of one pixel that no arc reaches: one column serves as the right border of a row and the
  // left border of the next. All zero: no arcs, no excess, in no tree.
  int64_t height_, width_, pitch_, count_;
  int32_t offset_[8];
  std::unique_ptr<char, Free> memory_;
  Arcs* arcs_;
  int32_t* excess_;
  uint32_t* state_;  // label and open arcs, see grid_flow.cpp
  std::vector<Row> rows_;
};

}  // namespace alphacut
