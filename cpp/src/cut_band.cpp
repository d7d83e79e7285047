#include "cut_band.hpp"

#include <algorithm>
#include <vector>

#include "alphacut/parallel.hpp"
#include "cut_level.hpp"
#include "nearby.hpp"

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

// Adds to each pixel, bit s: it is undecided and on side s; bit 2: its hint is another.
void add_bits(const uint8_t* __restrict hints, const uint8_t* __restrict latest, size_t n, uint8_t* __restrict bits) {
  for (size_t x = 0; x < n; ++x) {
    const bool undecided = hints[x] > 1, was = latest[x] > 1;
    const bool other = undecided != was || (!undecided && hints[x] != latest[x]);
    bits[x] = static_cast<uint8_t>(bits[x] | (other ? 4 : 0) | (undecided ? 1 + (latest[x] & 1) : 0));
  }
}

void enlarge_row(const uint8_t* __restrict sides, const uint8_t* __restrict places, const uint8_t* __restrict latest,
                 size_t n, uint8_t* __restrict labels, uint8_t* __restrict domain) {
  for (size_t x = 0; x < n; ++x) {
    const bool undecided = labels[x] > 1, kept = places[x] == kKept;
    const auto side = static_cast<uint8_t>((kept ? latest[x] : sides[x]) & 1);
    domain[x] = undecided ? kept ? side : places[x] : labels[x];
    labels[x] = undecided ? static_cast<uint8_t>(2 + side) : labels[x];
  }
}

}  // namespace

Image<uint8_t> band_of(ImageView<const uint8_t> small) {
  const int64_t width = small.width;
  Image<uint8_t> band = nearby(small.height, width, kBand, [&](int64_t y, uint8_t* sides) {
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

void keep_unchanged(ImageView<const uint8_t> small, ImageView<const uint8_t> small_latest,
                    ImageView<const uint8_t> labels, ImageView<const uint8_t> latest, ImageView<uint8_t> band) {
  Image<uint8_t> changed = Image<uint8_t>::like(small);
  const std::vector<int64_t> first = starts(labels.width, small.width);
  for_row_groups(small.height, labels, [&](int64_t v, int64_t begin, int64_t end) {
    std::vector<uint8_t> bits(static_cast<size_t>(labels.width), 0);
    for (int64_t y = begin; y < end; ++y) add_bits(labels.row(y), latest.row(y), bits.size(), bits.data());
    for (int64_t u = 0; u < small.width; ++u) {
      uint8_t any = 0;
      for (int64_t x = first[static_cast<size_t>(u)]; x < first[static_cast<size_t>(u) + 1]; ++x)
        any |= bits[static_cast<size_t>(x)];
      const int side = small.row(v)[u] & 1;
      const bool stays = side == (small_latest.row(v)[u] & 1) && band.row(v)[u] == kNode;
      changed.row(v)[u] = (any & 4) != 0 || ((any & (side != 0 ? 1 : 2)) != 0 && !stays);
    }
  });
  const Image<uint8_t> near = nearby(small.height, small.width, kBand,
                                     [&](int64_t y, uint8_t* bits) { std::copy_n(changed.row(y), small.width, bits); });
  for (int64_t y = 0; y < small.height; ++y)
    for (int64_t x = 0; x < small.width; ++x)
      if (near.row(y)[x] == 0) band.row(y)[x] = kKept;
}

Image<uint8_t> enlarge(ImageView<const uint8_t> small, ImageView<const uint8_t> places, ImageView<const uint8_t> latest,
                       ImageView<uint8_t> labels) {
  Image<uint8_t> domain = Image<uint8_t>::like(labels);
  const std::vector<int64_t> first = starts(labels.width, small.width);
  for_row_groups(small.height, labels, [&](int64_t v, int64_t begin, int64_t end) {
    std::vector<uint8_t> sides(static_cast<size_t>(labels.width)), place(sides.size());
    for (int64_t u = 0; u < small.width; ++u) {
      const int64_t x = first[static_cast<size_t>(u)], n = first[static_cast<size_t>(u) + 1] - x;
      std::fill_n(sides.data() + x, n, small.row(v)[u]);
      std::fill_n(place.data() + x, n, places.row(v)[u]);
    }
    for (int64_t y = begin; y < end; ++y)
      enlarge_row(sides.data(), place.data(), latest.data != nullptr ? latest.row(y) : sides.data(), sides.size(),
                  labels.row(y), domain.row(y));
  });
  return domain;
}

}  // namespace alphacut
