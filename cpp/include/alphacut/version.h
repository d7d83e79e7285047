/* The one place of the version, for C and C++, CMake and the Python package. */
#ifndef ALPHACUT_VERSION_H
#define ALPHACUT_VERSION_H

#define ALPHACUT_VERSION "0.1.0"

#endif
