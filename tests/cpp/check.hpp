// The smallest test frame: CHECK what must hold, CHECK_THROWS what must throw, and `return check::result();` from main.
#pragma once

#include <cstdio>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ALPHACUT_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ALPHACUT_SANITIZED
#endif
#if defined(ALPHACUT_SANITIZED)
inline constexpr bool kSanitized = true;  // takes its time
#else
inline constexpr bool kSanitized = false;
#endif

namespace check {

inline int failures = 0;

inline void that(bool holds, const char* text, const char* file, int line) {
  if (holds) return;
  ++failures;
  std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, text);
}

inline int result() {
  if (failures != 0) std::fprintf(stderr, "%d failed\n", failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace check

#define CHECK(...) check::that(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

#define CHECK_THROWS(exception, ...)                                                   \
  do {                                                                                 \
    bool thrown = false;                                                               \
    try {                                                                              \
      __VA_ARGS__;                                                                     \
    } catch (const exception&) {                                                       \
      thrown = true;                                                                   \
    }                                                                                  \
    check::that(thrown, #__VA_ARGS__ " should throw " #exception, __FILE__, __LINE__); \
  } while (false)
