"""Where a C++ program finds alphacut: the headers, the static library and the CMake package that lie in the wheel."""

from __future__ import annotations

from pathlib import Path


def get_include() -> str:
    """Return the folder of the C and C++ headers, as of ``#include <alphacut/alphacut.hpp>``.

    Returns
    -------
    str

    Raises
    ------
    ImportError
        If the package was built in place, without them.

    Examples
    --------
    >>> import alphacut
    >>> alphacut.get_include()  # doctest: +SKIP
    '/.../site-packages/alphacut/include'
    """
    return _existing("include")


def get_cmake_dir() -> str:
    """Return the folder of the CMake package, for ``cmake -Dalphacut_DIR=...`` and ``find_package(alphacut)``.

    Returns
    -------
    str

    Raises
    ------
    ImportError
        If the package was built in place, without it.

    Examples
    --------
    >>> import alphacut
    >>> alphacut.get_cmake_dir()  # doctest: +SKIP
    '/.../site-packages/alphacut/lib/cmake/alphacut'
    """
    return _existing("lib", "cmake", "alphacut")


def _existing(*parts: str) -> str:
    folder = Path(__file__).parent.joinpath(*parts)
    if not folder.is_dir():
        raise ImportError(f"alphacut was built in place, without {folder}: install it as a wheel")
    return str(folder)
