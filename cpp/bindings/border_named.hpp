#pragma once

#include <string>

#include "alphacut/border.hpp"

namespace alphacut {

inline Border border_named(const std::string& word) {
  return word == "nearest"   ? Border::nearest
         : word == "reflect" ? Border::reflect
         : word == "mirror"  ? Border::mirror
         : word == "wrap"    ? Border::wrap
                             : Border::constant;
}

}  // namespace alphacut
