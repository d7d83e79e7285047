// The edge of a mask that was followed.
#pragma once

#include "alphacut/session.hpp"

namespace alphacut {

// A cutout by its mask: a session's of the mask's box and what is around it, refined in a narrow band, put back into
// the frame.
Cutout cut_by_mask(const AnyView& frame, const AnyView& own_alpha, ImageView<const uint8_t> mask,
                   const SessionOptions& options);

}  // namespace alphacut
