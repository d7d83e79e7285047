#pragma once

#include <stddef.h>
#include <stdint.h>

namespace alphacut {

// The bits of two rows, n / 64 + 1 words each for n pixels, the bits beyond n 0. Its runs are the stretches of columns
// with a pixel in either row: the components of the two rows if pixels that meet at a corner belong together. One row
// alone is a band whose second row is 0. Runs are counted from 0, from the left.
struct BitBand {
  const uint64_t *first, *second;
};

struct RunLink {
  int32_t upper, lower;
};

struct LinkCounts {
  size_t links, first, second;
};

struct RunSums {
  int64_t x;              // sum of the columns of its pixels
  int32_t begin, end;     // columns
  int32_t first, second;  // pixels in either row
};

struct ComponentsKernels {
  // Bit i of the words is set if values[i] is not 0; n / 64 + 1 words, the bits beyond n are 0.
  void (*pack_bits)(const uint8_t* values, size_t n, uint64_t* words);

  size_t (*count_runs)(BitBand band, size_t words);

  // Writes the pairs of runs that touch, each once or a few times, by rising `lower`; and the runs of `lower` that
  // touch none above them: those with a pixel in the first row to `first`, the others to `second`. `reach` is 1 if
  // corners touch, otherwise 0, and the bands are single rows. There are at most 64 · words links.
  LinkCounts (*link_runs)(BitBand upper, BitBand lower, size_t words, int reach, RunLink* links, int32_t* first,
                          int32_t* second);

  // Pixels of each run.
  void (*count_pixels)(BitBand band, size_t words, int32_t* counts);
  void (*sum_runs)(BitBand band, size_t words, RunSums* sums);

  // labels[i] for the pixels of run i, 0 for the others; `second` may be null. labels[-1] and 16 labels beyond the last
  // are read too.
  void (*paint_labels)(BitBand band, const int32_t* labels, size_t n, int32_t* first, int32_t* second);

  // `inside` for the pixels of the runs whose bit is set in `chosen`, its complement for the others; `second` may be
  // null. For r runs r / 64 + 2 words of `chosen` are read.
  void (*paint_mask)(BitBand band, const uint64_t* chosen, size_t n, uint8_t inside, uint8_t* first, uint8_t* second);
};

}  // namespace alphacut
