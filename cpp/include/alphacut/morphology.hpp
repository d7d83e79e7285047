// Morphology: what lies within reach of each pixel, of masks and of pictures of any depth.
#pragma once

#include <optional>
#include <vector>

#include "alphacut/border.hpp"
#include "alphacut/image.hpp"

ALPHACUT_API_BEGIN
namespace alphacut {

enum class MorphologyOperation { erode, dilate, open, close, gradient, tophat, blackhat };

// Pixels of one row that are in reach of a pixel: columns `first` to `last`, counted from it, `row` rows below it.
struct FootprintRun {
  int64_t row, first, last;  // each -32767 to 32767
};

// What is in reach of a pixel: the rectangle of 2·down + 1 rows and 2·across + 1 columns around it, or of it, if that
// is a square, the disc: x² + y² <= down². Or, if there are any, the pixels of these runs, and the other members count
// for nothing.
struct Neighbourhood {
  int64_t down = 1, across = 1;  // 0 to 32767
  bool disc = true;
  std::vector<FootprintRun> runs = {};
};

// What lies beyond the picture: a border, of values in the constant one's case.
struct Beyond {
  Border border;
  double value = 0;  // one that the depth has; of float any number
};

// erode, dilate: the least and the greatest value in reach, channel by channel. open, close: eroded then dilated, and
// the other way round, the second time by the neighbourhood in the mirror. gradient: dilated less eroded; tophat: in
// less opened; blackhat: closed less in; integers 0 where that is below. What is outside the picture counts as neither,
// if `beyond` does not say more; a pixel with nothing in reach gets what loses: the end of the depth, of float
// infinity. T is uint8_t, uint16_t or float (finite); out has the size of in, with which it must not overlap.
//
// What has few pixels, by looking at each. Rectangles by rows and then by columns: rows by stretches that double,
// log2(across) steps a value; columns by running extremes of blocks, three steps whatever their size (van Herk 1992;
// Gil & Werman 1993). Discs, and what looks the same from all four sides of its middle and has no gap in a row, by
// their rows, whose stretches grow from one another: about 3·down steps a value; other shapes in two steps a run. A
// disc on a picture of one channel and two values with a large radius by distances within columns, in a time that the
// radius does not change.
template <class T>
ALPHACUT_API void morphology(ImageView<const T> in, MorphologyOperation operation, const Neighbourhood& reach,
                             ImageView<T> out, const std::optional<Beyond>& beyond = {});

}  // namespace alphacut
ALPHACUT_API_END
