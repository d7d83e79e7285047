# alphacut_embed(FILE SOURCE): writes a C++ source that holds the bytes of a network's file, for builtin_network(). Whole
# words, because a compiler reads an array of words some eight times faster than one of bytes.
function(alphacut_embed file source)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  if(EXISTS "${source}" AND "${source}" IS_NEWER_THAN "${file}" AND "${source}" IS_NEWER_THAN "${CMAKE_CURRENT_FUNCTION_LIST_FILE}")
    return()
  endif()
  file(SIZE "${file}" size)
  file(READ "${file}" bytes HEX)
  math(EXPR missing "(8 - ${size} % 8) % 8")
  string(REPEAT "00" ${missing} zeros)
  set(order "\\8\\7\\6\\5\\4\\3\\2\\1")
  if(CMAKE_CXX_BYTE_ORDER STREQUAL "BIG_ENDIAN")
    set(order "\\1\\2\\3\\4\\5\\6\\7\\8")
  endif()
  string(REGEX REPLACE "(..)(..)(..)(..)(..)(..)(..)(..)" "0x${order},\n" words "${bytes}${zeros}")
  file(WRITE "${source}" "#include <cstddef>
#include <cstdint>
#include <span>

namespace alphacut::detail {

alignas(64) static constexpr uint64_t words[] = {
${words}};

std::span<const std::byte> network_data() { return std::as_bytes(std::span(words)).first(${size}); }

}  // namespace alphacut::detail
")
endfunction()
