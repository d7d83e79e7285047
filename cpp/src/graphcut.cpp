#include "alphacut/graphcut.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "alphacut/parallel.hpp"
#include "dispatch.hpp"
#include "grid_edges.hpp"
#include "grid_flow.hpp"

namespace alphacut {
namespace {

template <class T>
void require_size(ImageView<T> view, ImageView<const int32_t> source, const char* name) {
  if (view.height == source.height && view.width == source.width && view.channels == 1) return;
  throw std::invalid_argument("graph cut: " + std::string(name) + " must have the size of source, " +
                              std::to_string(source.height) + " x " + std::to_string(source.width) + ", got " +
                              std::to_string(view.height) + " x " + std::to_string(view.width));
}

void require_capacities(const std::vector<int32_t>& row, const char* name) {
  if (kernels().graphcut.or_i32(row.data(), row.size()) > static_cast<uint32_t>(kMaxCapacity))
    throw std::invalid_argument("graph cut: the capacities of " + std::string(name) + " must be from 0 to 2^30 - 1");
}

void require_sizes(ImageView<const int32_t> source, ImageView<const int32_t> sink, const Neighbours& neighbours,
                   const Neighbours& reverse) {
  require_size(source, source, "source");
  require_size(sink, source, "sink");
  for (size_t k = 0; k < 4; ++k) {
    if (neighbours[k].data != nullptr) require_size(neighbours[k], source, "neighbours");
    if (reverse[k].data != nullptr) require_size(reverse[k], source, "reverse");
  }
}

bool same_plane(ImageView<const int32_t> a, ImageView<const int32_t> b) {
  return a.data == b.data && a.stride == b.stride;
}

// Copies the capacities of these columns of row y, 0 elsewhere, and checks the copy: the caller's may change.
void take(ImageView<const int32_t> plane, Columns columns, int64_t y, const char* name, std::vector<int32_t>& row) {
  std::fill(row.begin(), row.end(), 0);
  if (columns.begin < columns.end)
    std::copy(plane.row(y) + columns.begin, plane.row(y) + columns.end, row.begin() + columns.begin);
  require_capacities(row, name);
}

// Puts all pixels into the empty graph; entries that point outside count as 0. Returns what flows straight from the
// source to the sink over single pixels.
int64_t load(ImageView<const int32_t> source, ImageView<const int32_t> sink, const Neighbours& neighbours,
             const Neighbours& reverse, GridFlow& graph) {
  const int64_t height = source.height, width = source.width, grain = row_grain(width);
  std::vector<int64_t> direct(static_cast<size_t>((height - 1) / grain + 1), 0);
  parallel_for(height, grain, [&](int64_t begin, int64_t end) {
    std::vector<int32_t> from(static_cast<size_t>(width)), to(from.size()), weights[4], back[4];
    const int32_t *rows[4], *back_rows[4];
    for (size_t k = 0; k < 4; ++k) {
      weights[k].resize(from.size());
      if (!same_plane(neighbours[k], reverse[k])) back[k].resize(from.size());
      rows[k] = weights[k].data();
      back_rows[k] = back[k].empty() ? rows[k] : back[k].data();
    }
    int64_t sum = 0;
    for (int64_t y = begin; y < end; ++y) {
      take(source, {0, width}, y, "source", from);
      take(sink, {0, width}, y, "sink", to);
      for (size_t x = 0; x < from.size(); ++x) {
        sum += std::min(from[x], to[x]);
        from[x] -= to[x];
      }
      for (size_t k = 0; k < 4; ++k) {
        const Columns inside = columns_inside(k, y, height, width);
        if (neighbours[k].data != nullptr) take(neighbours[k], inside, y, "neighbours", weights[k]);
        if (reverse[k].data != nullptr && !back[k].empty()) take(reverse[k], inside, y, "reverse", back[k]);
      }
      graph.add(y, 0, width, from.data(), rows, back_rows);
    }
    direct[static_cast<size_t>(begin / grain)] = sum;
  });
  int64_t flow = 0;
  for (const int64_t sum : direct) flow += sum;
  return flow;
}

}  // namespace

int64_t graph_cut(ImageView<const int32_t> source, ImageView<const int32_t> sink, const Neighbours& neighbours,
                  ImageView<uint8_t> mask, bool certify) {
  return graph_cut(source, sink, neighbours, neighbours, mask, certify);
}

int64_t graph_cut(ImageView<const int32_t> source, ImageView<const int32_t> sink, const Neighbours& neighbours,
                  const Neighbours& reverse, ImageView<uint8_t> mask, bool certify) {
  require_sizes(source, sink, neighbours, reverse);
  require_size(mask, source, "mask");
  GridFlow graph(source.height, source.width, true);
  const int64_t flow = load(source, sink, neighbours, reverse, graph) + graph.solve();
  parallel_for(source.height, row_grain(source.width), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) graph.source_side(y, 0, source.width, mask.row(y));
  });
  if (certify && cut_capacity(source, sink, neighbours, reverse, mask) != flow)
    throw std::runtime_error("graph cut: the flow is not the capacity of the cut; please report this with the input");
  return flow;
}

int64_t cut_capacity(ImageView<const int32_t> source, ImageView<const int32_t> sink, const Neighbours& neighbours,
                     ImageView<const uint8_t> mask) {
  return cut_capacity(source, sink, neighbours, neighbours, mask);
}

int64_t cut_capacity(ImageView<const int32_t> source, ImageView<const int32_t> sink, const Neighbours& neighbours,
                     const Neighbours& reverse, ImageView<const uint8_t> mask) {
  require_sizes(source, sink, neighbours, reverse);
  require_size(mask, source, "mask");
  int64_t sum = 0;
  for (int64_t y = 0; y < source.height; ++y) {
    for (int64_t x = 0; x < source.width; ++x) sum += mask.row(y)[x] ? sink.row(y)[x] : source.row(y)[x];
    for (size_t k = 0; k < 4; ++k) {
      const auto [begin, end] = columns_inside(k, y, source.height, source.width);
      for (int64_t x = begin; x < end; ++x) {
        const bool here = mask.row(y)[x] != 0, there = mask.row(y + kEdgeDy[k])[x + kEdgeDx[k]] != 0;
        if (here == there) continue;
        const ImageView<const int32_t> cut = here ? neighbours[k] : reverse[k];
        if (cut.data != nullptr) sum += cut.row(y)[x];
      }
    }
  }
  return sum;
}

}  // namespace alphacut
