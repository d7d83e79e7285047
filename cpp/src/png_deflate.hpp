// A fast compressor for what a filter of PNG leaves of a photo.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace alphacut {

// A stream of deflate (RFC 1951, without the header and checksum of zlib) that finds repetitions of one byte alone, as
// zlib's Z_RLE does, each block of 32 KiB with a code of its own: the noise that is left of a photo has no others, and
// searching for them is what compressors take their time for. Ends at a whole byte, as the last part of a stream or so
// that another part may follow.
std::vector<uint8_t> deflate_runs(std::span<const uint8_t> bytes, bool last);

}  // namespace alphacut
