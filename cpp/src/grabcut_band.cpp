#include "grabcut_band.hpp"

#include <algorithm>
#include <cstring>
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
void enlarge_row(const uint8_t* __restrict sides, const uint8_t* __restrict places, const uint8_t* __restrict hints,
                 size_t n, uint8_t* __restrict labels, uint8_t* __restrict domain) {
  for (size_t x = 0; x < n; ++x) {
    const uint8_t hint = hints[x], place = places[x];
    const uint8_t kept = place == kKept ? 255 : 0, known = hint > 1 ? 0 : 255;
    const auto side = static_cast<uint8_t>(((labels[x] & kept) | (sides[x] & ~kept)) & 1);
    const auto stands = static_cast<uint8_t>((side & kept) | (place & ~kept));
    domain[x] = static_cast<uint8_t>((hint & known) | (stands & ~known));
    labels[x] = static_cast<uint8_t>((hint & known) | ((2 | side) & ~known));
  }
}

// Which cells are to be written again: those that take part or are other than they were (bit 7). All bits that are set.
uint8_t find_changed(const uint8_t* __restrict side, const uint8_t* __restrict place,
                     const uint8_t* __restrict was_side, const uint8_t* __restrict was_place, size_t n,
                     uint8_t* __restrict changed) {
  uint8_t any = 0;
  for (size_t u = 0; u < n; ++u) {
    const bool other = side[u] != was_side[u] || place[u] != was_place[u];
    changed[u] = static_cast<uint8_t>((other ? 128 : 0) | (place[u] == kNode ? 1 : 0));
    any |= changed[u];
  }
  return any;
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

}  // namespace

Image<uint8_t> band_of(ImageView<const uint8_t> small) {
  const int64_t width = small.width;
  Image<uint8_t> band = dilate(small.height, width, kBand, [&](int64_t y, uint8_t* sides) {
    const uint8_t* label = small.row(y);
    for (int64_t x = 0; x < width; ++x) sides[x] = static_cast<uint8_t>(1 + (label[x] & 1));
  });
  const auto place_row = [width](const uint8_t* __restrict label, uint8_t* __restrict place) {
    for (int64_t x = 0; x < width; ++x) place[x] = place[x] == 3 ? uint8_t{kNode} : static_cast<uint8_t>(label[x] & 1);
  };
  parallel_for(small.height, row_grain(width, 1 << 16), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) place_row(small.row(y), band.row(y));
  });
  return band;
}

void EnlargedLabels::keep_unchanged(ImageView<const uint8_t> small, const HintRows& hints, ImageView<uint8_t> band) {
  Image<uint8_t> changed = Image<uint8_t>::like(small);
  const ImageView<const uint8_t> before = labels_;
  const std::vector<int64_t> first = starts(before.width, small.width);
  for_row_groups(small.height, before, [&](int64_t v, int64_t begin, int64_t end) {
    const auto n = static_cast<size_t>(before.width);
    std::vector<uint8_t> bits;
    uint8_t *cells = cells_.row(v), *turned = changed.row(v);
    if (!std::exchange(known_cells_[static_cast<size_t>(v)], uint8_t{1})) {
      bits.assign(n, 0);
      for (int64_t y = begin; y < end; ++y) add_sides(before.row(y), n, bits.data());
      join_cells(bits, first, cells);
    }
    std::fill_n(turned, small.width, uint8_t{0});
    if (hints.changed(begin, end)) {
      std::vector<uint8_t> row(n);
      bits.assign(n, 0);
      for (int64_t y = begin; y < end; ++y) {
        hints.row(y, 0, before.width, row.data());
        add_changes(row.data(), before.row(y), n, bits.data());
      }
      join_cells(bits, first, turned);
    }
    add_turned(small.row(v), sides_.row(v), band.row(v), cells, static_cast<size_t>(small.width), turned);
  });
  const Image<uint8_t> near = dilate(small.height, small.width, kBand,
                                     [&](int64_t y, uint8_t* bits) { std::copy_n(changed.row(y), small.width, bits); });
  const auto keep_row = [](const uint8_t* __restrict reached, int64_t n, uint8_t* __restrict place) {
    for (int64_t x = 0; x < n; ++x) {
      const auto kept = static_cast<uint8_t>(reached[x] == 0 ? 255 : 0);
      place[x] = static_cast<uint8_t>((place[x] & ~kept) | (kKept & kept));
    }
  };
  parallel_for(small.height, row_grain(small.width, 1 << 16), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) keep_row(near.row(y), small.width, band.row(y));
  });
}

void EnlargedLabels::update(ImageView<const uint8_t> small, ImageView<const uint8_t> places, const HintRows& hints,
                            int64_t height, int64_t width) {
  const bool known = std::exchange(known_, false);  // not if anything throws
  if (!known) {
    labels_ = Image<uint8_t>(height, width);
    domain_ = Image<uint8_t>(height, width);
    for (std::vector<uint8_t>* rows : {&rows_, &moved_}) rows->assign(static_cast<size_t>(height), 0);
    for (Image<uint8_t>* plane : {&sides_, &places_, &cells_}) *plane = Image<uint8_t>::like(small);
    known_cells_.assign(static_cast<size_t>(small.height), 0);
  }
  const auto cells = static_cast<size_t>(small.width);
  const std::vector<int64_t> first = starts(width, small.width);
  for_row_groups(small.height, labels_, [&](int64_t v, int64_t begin, int64_t end) {
    const uint8_t *const side = small.row(v), *const place = places.row(v);
    const bool anew = !known || hints.changed(begin, end);
    std::vector<uint8_t> changed(cells + 1, 1);
    changed[cells] = 0;
    uint8_t any = 255;
    if (!anew) any = find_changed(side, place, sides_.row(v), places_.row(v), cells, changed.data());
    std::fill(moved_.begin() + begin, moved_.begin() + end, any >> 7);
    if (any == 0) return;
    std::copy_n(side, cells, sides_.row(v));
    std::copy_n(place, cells, places_.row(v));
    known_cells_[static_cast<size_t>(v)] = 0;
    const bool nodes = std::memchr(place, kNode, cells) != nullptr;
    std::fill(rows_.begin() + begin, rows_.begin() + end, nodes);
    std::vector<uint8_t> sides(static_cast<size_t>(width)), spread(sides.size()), row(sides.size());
    for (size_t u = 0, stop = 0; u < cells; u = stop + 1) {  // a stretch of changed cells, and one that is not
      for (stop = u; changed[stop] != 0; ++stop) {
        const int64_t from = first[stop], n = first[stop + 1] - from;
        std::fill_n(sides.data() + from, n, side[stop]);
        std::fill_n(spread.data() + from, n, place[stop]);
      }
      const int64_t x0 = first[u], x1 = first[stop];
      for (int64_t y = begin; x0 < x1 && y < end; ++y) {
        hints.row(y, x0, x1, row.data());
        enlarge_row(sides.data() + x0, spread.data() + x0, row.data(), static_cast<size_t>(x1 - x0),
                    labels_.row(y) + x0, domain_.row(y) + x0);
      }
    }
  });
  known_ = true;
}

}  // namespace alphacut
