// What lies beyond the border of a picture.
#pragma once

namespace alphacut {

// By SciPy's names: nearest a|abc|c, reflect a|abc|c and on, mirror b|abc|b, wrap c|abc|a.
enum class Border { nearest, reflect, mirror, wrap, constant };

}  // namespace alphacut
