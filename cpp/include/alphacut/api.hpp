// What a shared library shows: the names between these two. (On Windows CMake exports every name.)
#pragma once

#if defined(ALPHACUT_SHARED) && defined(__GNUC__)
#define ALPHACUT_API __attribute__((visibility("default")))  // for templates, too, which GCC leaves out otherwise
#define ALPHACUT_API_BEGIN _Pragma("GCC visibility push(default)")
#define ALPHACUT_API_END _Pragma("GCC visibility pop")
#else
#define ALPHACUT_API
#define ALPHACUT_API_BEGIN
#define ALPHACUT_API_END
#endif
