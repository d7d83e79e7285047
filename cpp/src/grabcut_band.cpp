#include "grabcut_band.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "alphacut/parallel.hpp"
#include "dilate.hpp"
#include "grabcut_level.hpp"

namespace alphacut {
namespace {

constexpr int64_t kBand = 3;  // pixels of the smaller size to either side of an edge, and around a change

// Of `size` pixels, the first whose centre lies in each of `parts` parts, and the end.
std::vector<int64_t> starts(int64_t size, int64_t parts) {
  std::vector<int64_t> first{0};
  for (int64_t i = 1; i < parts; ++i) first.push_back(((2 * i * size - 1) / parts + 1) / 2);
  first.push_back(size);
  return first;
}

// Calls body(v, begin, end) for each row v of the smaller size and the rows whose centres lie in it.
template <class Body>
void for_row_groups(int64_t small_height, ImageView<const uint8_t> labels, Body body) {
  const std::vector<int64_t> first = starts(labels.height, small_height);
  parallel_for(small_height, row_grain(labels.width * (labels.height / small_height + 1)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t v = begin; v < end; ++v)
                   body(v, first[static_cast<size_t>(v)], first[static_cast<size_t>(v) + 1]);
               });
}

// Bit s of a pixel: it is undecided and on side s.
void add_sides(const uint8_t* __restrict labels, size_t n, uint8_t* __restrict bits) {
  for (size_t x = 0; x < n; ++x) {
    const uint8_t label = labels[x];
    bits[x] = static_cast<uint8_t>(bits[x] | (label > 1 ? 1 + (label & 1) : 0));
  }
}

// Bit 2: its hint is another than before.
void add_changes(const uint8_t* __restrict hints, const uint8_t* __restrict before, size_t n,
                 uint8_t* __restrict bits) {
  for (size_t x = 0; x < n; ++x) {
    const uint8_t hint = hints[x], was = before[x];
    const auto known = static_cast<uint8_t>(hint > 1 ? 2 : hint), knew = static_cast<uint8_t>(was > 1 ? 2 : was);
    bits[x] = static_cast<uint8_t>(bits[x] | (known != knew ? 4 : 0));
  }
}

// Masks, not conditions: what may not be read before it is chosen keeps a compiler to one pixel at a time.
void enlarge_row(const uint8_t* __restrict sides, const uint8_t* __restrict small_domain,
                 const uint8_t* __restrict latest, size_t n, uint8_t* __restrict labels, uint8_t* __restrict domain) {
  for (size_t x = 0; x < n; ++x) {
    const uint8_t hint = labels[x], place = small_domain[x];
    const uint8_t kept = place == kKept ? 255 : 0, known = hint > 1 ? 0 : 255;
    const auto side = static_cast<uint8_t>(((latest[x] & kept) | (sides[x] & ~kept)) & 1);
    const auto stands = static_cast<uint8_t>((side & kept) | (place & ~kept));
    domain[x] = static_cast<uint8_t>((hint & known) | (stands & ~known));
    labels[x] = static_cast<uint8_t>((hint & known) | ((2 | side) & ~known));
  }
}

// What the pixels of each cell have in common, all bits of `pixels`.
void join_cells(const std::vector<uint8_t>& pixels, const std::vector<int64_t>& first, uint8_t* cells) {
  for (size_t u = 0; u + 1 < first.size(); ++u) {
    uint8_t any = 0;
    for (int64_t x = first[u]; x < first[u + 1]; ++x) any |= pixels[static_cast<size_t>(x)];
    cells[u] = any;
  }
}

// Adds to each cell: undecided pixels in it were on the other side, and it is not in the band on the side it was.
void add_turned(const uint8_t* __restrict now, const uint8_t* __restrict before, const uint8_t* __restrict band,
                const uint8_t* __restrict cells, size_t n, uint8_t* __restrict turned) {
  for (size_t u = 0; u < n; ++u) {
    const auto side = static_cast<uint8_t>(now[u] & 1), was = static_cast<uint8_t>(before[u] & 1);
    const auto others = static_cast<uint8_t>(cells[u] & (2 - side));
    const uint8_t goes = band[u] == kNode ? static_cast<uint8_t>(side ^ was) : uint8_t{1};
    turned[u] = static_cast<uint8_t>(turned[u] | (others != 0 ? goes : 0));
  }
}

bool all_kept(const uint8_t* small_domain, int64_t n) {
  return std::all_of(small_domain, small_domain + n, [](uint8_t place) { return place == kKept; });
}

}  // namespace

Image<uint8_t> band_of(ImageView<const uint8_t> small) {
  const int64_t width = small.width;
  Image<uint8_t> band = dilate(small.height, width, kBand, [&](int64_t y, uint8_t* sides) {
    const uint8_t* label = small.row(y);
    for (int64_t x = 0; x < width; ++x) sides[x] = static_cast<uint8_t>(1 + (label[x] & 1));
  });
  for (int64_t y = 0; y < small.height; ++y) {
    const uint8_t* label = small.row(y);
    uint8_t* place = band.row(y);
    for (int64_t x = 0; x < width; ++x) place[x] = place[x] == 3 ? kNode : (label[x] & 1) != 0 ? kInside : kOutside;
  }
  return band;
}

void LatestCut::keep(ImageView<const uint8_t> now, const std::vector<uint8_t>& groups) {
  if (labels.data() == nullptr) labels = Image<uint8_t>::like(now);
  if (known_cells.size() != groups.size()) known_cells.assign(groups.size(), 0);
  for_row_groups(static_cast<int64_t>(groups.size()), now, [&](int64_t v, int64_t begin, int64_t end) {
    if (!groups[static_cast<size_t>(v)]) return;
    for (int64_t y = begin; y < end; ++y) std::copy_n(now.row(y), now.width, labels.row(y));
    known_cells[static_cast<size_t>(v)] = 0;
  });
}

void keep_unchanged(ImageView<const uint8_t> small, ImageView<const uint8_t> small_latest, const HintRows& hints,
                    LatestCut& latest, ImageView<uint8_t> band) {
  if (latest.cells.data() == nullptr) latest.cells = Image<uint8_t>::like(small);
  const ImageView<const uint8_t> before = latest.labels;
  Image<uint8_t> changed = Image<uint8_t>::like(small);
  const std::vector<int64_t> first = starts(before.width, small.width);
  for_row_groups(small.height, before, [&](int64_t v, int64_t begin, int64_t end) {
    const auto n = static_cast<size_t>(before.width);
    std::vector<uint8_t> bits;
    uint8_t *cells = latest.cells.row(v), *turned = changed.row(v);
    if (!std::exchange(latest.known_cells[static_cast<size_t>(v)], uint8_t{1})) {
      bits.assign(n, 0);
      for (int64_t y = begin; y < end; ++y) add_sides(before.row(y), n, bits.data());
      join_cells(bits, first, cells);
    }
    std::fill_n(turned, small.width, uint8_t{0});
    if (hints.changed(begin, end)) {
      std::vector<uint8_t> row(n);
      bits.assign(n, 0);
      for (int64_t y = begin; y < end; ++y) {
        hints.row(y, row.data());
        add_changes(row.data(), before.row(y), n, bits.data());
      }
      join_cells(bits, first, turned);
    }
    add_turned(small.row(v), small_latest.row(v), band.row(v), cells, static_cast<size_t>(small.width), turned);
  });
  const Image<uint8_t> near = dilate(small.height, small.width, kBand,
                                     [&](int64_t y, uint8_t* bits) { std::copy_n(changed.row(y), small.width, bits); });
  for (int64_t y = 0; y < small.height; ++y) {
    const uint8_t* __restrict reached = near.row(y);
    uint8_t* __restrict place = band.row(y);
    for (int64_t x = 0; x < small.width; ++x) place[x] = reached[x] == 0 ? kKept : place[x];
  }
}

Enlarged enlarge(ImageView<const uint8_t> small, ImageView<const uint8_t> small_domain, const HintRows& hints,
                 ImageView<const uint8_t> latest, ImageView<uint8_t> labels) {
  Enlarged made{Image<uint8_t>::like(labels), std::vector<uint8_t>(static_cast<size_t>(small.height)),
                std::vector<uint8_t>(static_cast<size_t>(labels.height), 0)};
  for (int64_t v = 0; v < small.height; ++v)
    made.groups[static_cast<size_t>(v)] = latest.data == nullptr || !all_kept(small_domain.row(v), small.width);
  const std::vector<int64_t> first = starts(labels.width, small.width);
  for_row_groups(small.height, labels, [&](int64_t v, int64_t begin, int64_t end) {
    const auto n = static_cast<size_t>(labels.width);
    if (!made.groups[static_cast<size_t>(v)]) {
      for (int64_t y = begin; y < end; ++y) std::copy_n(latest.row(y), n, labels.row(y));
      return;
    }
    std::vector<uint8_t> sides(n), place(n);
    for (int64_t u = 0; u < small.width; ++u) {
      const int64_t x = first[static_cast<size_t>(u)], cell = first[static_cast<size_t>(u) + 1] - x;
      std::fill_n(sides.data() + x, cell, small.row(v)[u]);
      std::fill_n(place.data() + x, cell, small_domain.row(v)[u]);
    }
    for (int64_t y = begin; y < end; ++y) {
      hints.row(y, labels.row(y));
      enlarge_row(sides.data(), place.data(), latest.data != nullptr ? latest.row(y) : sides.data(), n, labels.row(y),
                  made.domain.row(y));
      made.rows[static_cast<size_t>(y)] = 1;
    }
  });
  for (int64_t y = 0; y < labels.height; ++y) {  // rows of others that a graph meets
    const auto taken = [&](int64_t v) { return v >= 0 && v < labels.height && made.rows[static_cast<size_t>(v)] != 0; };
    if (taken(y) || !(taken(y - 1) || taken(y + 1))) continue;
    for (int64_t x = 0; x < labels.width; ++x) made.domain.row(y)[x] = labels.row(y)[x] & 1;
  }
  return made;
}

}  // namespace alphacut
