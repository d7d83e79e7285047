// The flow on a grid: terminals that change, pixels that take no part, a graph used again, strips solved first.
#include <algorithm>
#include <random>
#include <vector>

#include "alphacut/graphcut.hpp"
#include "alphacut/parallel.hpp"
#include "check.hpp"
#include "grid_flow.hpp"

using namespace alphacut;

namespace {

constexpr int kDx[4] = {1, 0, 1, -1}, kDy[4] = {0, 1, 1, 1};

struct Answer {
  int64_t flow = 0;
  std::vector<uint8_t> mask;
  bool operator==(const Answer&) const = default;
};

// A grid of which some pixels take part; edges of the others weigh nothing.
struct Problem {
  int64_t height, width;
  std::vector<uint8_t> part;
  std::vector<int32_t> difference;
  std::vector<int32_t> weights[4];

  size_t at(int64_t y, int64_t x) const { return static_cast<size_t>(y * width + x); }

  // Runs body(y, x0, x1) for the stretches of pixels that take part.
  template <class Body>
  void for_segments(Body body) const {
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0, end = 0; x < width; x = end + 1) {
        for (end = x; end < width && part[at(y, end)];) ++end;
        if (end > x) body(y, x, end);
      }
  }
  void load(GridFlow& graph) const {
    for_segments([&](int64_t y, int64_t x0, int64_t x1) {
      const int32_t* rows[4];
      for (size_t k = 0; k < 4; ++k) rows[k] = &weights[k][at(y, x0)];
      graph.add(y, x0, x1, &difference[at(y, x0)], rows);
    });
  }
  Answer solve(GridFlow& graph, int64_t strips = 0) const {
    Answer answer{graph.solve(strips), std::vector<uint8_t>(part.size(), 0)};
    for_segments([&](int64_t y, int64_t x0, int64_t x1) { graph.source_side(y, x0, x1, &answer.mask[at(y, x0)]); });
    return answer;
  }
  // What the public function says to the full grid.
  Answer full() const {
    std::vector<int32_t> source, sink;
    for (const int32_t d : difference) source.push_back(std::max(d, 0)), sink.push_back(std::max(-d, 0));
    const auto view = [&](const std::vector<int32_t>& plane) {
      return ImageView<const int32_t>{plane.data(), height, width, 1, static_cast<ptrdiff_t>(4 * width)};
    };
    Answer answer{0, std::vector<uint8_t>(part.size())};
    answer.flow =
        graph_cut(view(source), view(sink), {view(weights[0]), view(weights[1]), view(weights[2]), view(weights[3])},
                  {answer.mask.data(), height, width, 1, width}, true);
    return answer;
  }
};

class Maker {
 public:
  explicit Maker(uint32_t seed) : random_(seed) {}
  int64_t below(int64_t bound) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(bound)); }
  int32_t difference(int32_t largest) {
    return below(3) == 0 ? 0 : static_cast<int32_t>(below(2 * int64_t{largest} + 1) - largest);
  }
  Problem problem(int32_t largest, int64_t outside_of_10) {
    Problem p{1 + below(20), 1 + below(20), {}, {}, {}};
    const auto pixels = static_cast<size_t>(p.height * p.width);
    for (size_t i = 0; i < pixels; ++i) p.part.push_back(below(10) >= outside_of_10);
    for (size_t i = 0; i < pixels; ++i) p.difference.push_back(p.part[i] ? difference(largest) : 0);
    const int64_t kept = 1 + below(4);
    for (int k = 0; k < 4; ++k)
      for (int64_t y = 0; y < p.height; ++y)
        for (int64_t x = 0; x < p.width; ++x) {
          const int64_t u = x + kDx[k], v = y + kDy[k];
          const bool inside = u >= 0 && u < p.width && v < p.height && p.part[p.at(y, x)] && p.part[p.at(v, u)];
          const auto weight = static_cast<int32_t>(below(int64_t{largest} + 1));
          p.weights[k].push_back(inside && below(4) < kept ? weight : 0);
        }
    return p;
  }

 private:
  std::mt19937 random_;
};

constexpr int32_t kSizes[] = {1, 4, 1000, kMaxCapacity};

// Pixels that take no part are pixels without terminals and edges; a cleared graph is a new one.
void parts_equal_the_full_grid() {
  Maker maker(1);
  for (int round = 0; round < 400; ++round) {
    Problem p = maker.problem(kSizes[round % 4], round % 10);
    GridFlow graph(p.height, p.width);
    p.load(graph);
    const Answer expected = p.full();
    CHECK(p.solve(graph) == expected);
    for (int64_t strips = 1; strips < 6; ++strips) {
      graph.clear();
      p.load(graph);
      CHECK(p.solve(graph, strips) == expected);
      CHECK(p.solve(graph) == expected);
    }
  }
}

void warm_equals_cold() {
  Maker maker(2);
  for (int round = 0; round < 200; ++round) {
    const int32_t largest = std::min(kSizes[round % 4], (1 << 29) - 1);
    Problem p = maker.problem(largest, maker.below(4));
    if (round % 8 == 3)
      for (auto& plane : p.weights)
        for (int32_t& weight : plane) weight = weight == 0 ? 0 : kMaxCapacity;
    GridFlow graph(p.height, p.width);
    p.load(graph);
    p.solve(graph);
    for (int step = 0; step < 25; ++step) {
      const std::vector<int32_t> before = p.difference;
      const int64_t few = 1 + maker.below(10);  // few pixels change, or many, or all to the other extreme
      for (size_t i = 0; i < before.size(); ++i)
        if (p.part[i] && maker.below(10) < few)
          p.difference[i] = step % 5 == 4 ? (before[i] > 0 ? -largest : largest) : maker.difference(largest);
      p.for_segments([&](int64_t y, int64_t x0, int64_t x1) {
        graph.change(y, x0, x1, &before[p.at(y, x0)], &p.difference[p.at(y, x0)]);
      });
      CHECK(p.solve(graph, step % 5) == p.full());
    }
  }
}

// Rows whose pixels come and go, and those next to them, are made anew; the flow between all others stays.
void rows_made_anew_equal_a_new_graph() {
  Maker maker(4);
  for (int round = 0; round < 200; ++round) {
    const int32_t largest = std::min(kSizes[round % 4], (1 << 28) - 1);
    Problem p = maker.problem(largest, maker.below(6));
    GridFlow graph(p.height, p.width);
    p.load(graph);
    p.solve(graph);
    for (int step = 0; step < 12; ++step) {
      const auto height = static_cast<size_t>(p.height);
      std::vector<uint8_t> moved(height), anew(height, 0);
      for (size_t y = 0; y < height; ++y) {
        moved[y] = maker.below(6) == 0;
        for (size_t v = y == 0 ? 0 : y - 1; moved[y] && v < std::min(y + 2, height); ++v) anew[v] = 1;
      }
      const std::vector<int32_t> before = p.difference;
      for (int64_t y = 0; y < p.height; ++y)
        for (int64_t x = 0; x < p.width; ++x) {
          const size_t i = p.at(y, x);
          if (moved[static_cast<size_t>(y)]) p.part[i] = maker.below(10) > 3;
          p.difference[i] = p.part[i] ? maker.below(2) == 0 ? maker.difference(largest) : before[i] : 0;
        }
      for (size_t k = 0; k < 4; ++k)
        for (int64_t y = 0; y < p.height; ++y)
          for (int64_t x = 0; x < p.width; ++x) {
            const int64_t u = x + kDx[k], v = y + kDy[k];
            if (u < 0 || u >= p.width || v >= p.height) continue;
            if (!moved[static_cast<size_t>(y)] && !moved[static_cast<size_t>(v)]) continue;
            const bool inside = p.part[p.at(y, x)] && p.part[p.at(v, u)];
            p.weights[k][p.at(y, x)] = inside ? static_cast<int32_t>(maker.below(int64_t{largest} + 1)) : 0;
          }
      graph.clear_rows(anew);
      p.for_segments([&](int64_t y, int64_t x0, int64_t x1) {
        if (!anew[static_cast<size_t>(y)])
          return graph.change(y, x0, x1, &before[p.at(y, x0)], &p.difference[p.at(y, x0)]);
        const int32_t* rows[4];
        for (size_t k = 0; k < 4; ++k) rows[k] = &p.weights[k][p.at(y, x0)];
        graph.add(y, x0, x1, &p.difference[p.at(y, x0)], rows);
      });
      CHECK(p.solve(graph, step % 4) == p.full());
    }
  }
}

// Long ways through weak terminals and strong edges, on a grid of several blocks.
void large_grids() {
  Maker maker(3);
  for (int threads : {1, 2, 5}) {
    set_num_threads(threads);
    Problem p{400, 500, {}, {}, {}};
    p.part.assign(200000, 1);
    for (int64_t y = 0; y < p.height; ++y)
      for (int64_t x = 0; x < p.width; ++x) {
        const bool inside = y > 80 && y < 320 && x > 100 && x < 400,
                   disc = (y - 200) * (y - 200) + (x - 250) * (x - 250) < 9000;
        p.difference.push_back(!inside ? -100000 : static_cast<int32_t>(maker.below(500)) - (disc ? 150 : 280));
        for (int k = 0; k < 4; ++k) {
          const int64_t u = x + kDx[k], v = y + kDy[k];
          p.weights[k].push_back(u >= 0 && u < p.width && v < p.height ? static_cast<int32_t>(maker.below(1000)) : 0);
        }
      }
    GridFlow graph(p.height, p.width);
    p.load(graph);
    CHECK(p.solve(graph) == p.full());
    const std::vector<int32_t> before = p.difference;
    for (int32_t& d : p.difference) d += static_cast<int32_t>(maker.below(21)) - 10;
    p.for_segments([&](int64_t y, int64_t x0, int64_t x1) {
      graph.change(y, x0, x1, &before[p.at(y, x0)], &p.difference[p.at(y, x0)]);
    });
    CHECK(p.solve(graph) == p.full());
  }
}

}  // namespace

int main() {
  parts_equal_the_full_grid();
  warm_equals_cold();
  rows_made_anew_equal_a_new_graph();
  large_grids();
  return check::result();
}
