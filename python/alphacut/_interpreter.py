"""Subinterpreters are refused before the compiled module is loaded, which would wait there for ever."""

try:
    import _interpreters as _kinds  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    try:
        import _xxsubinterpreters as _kinds  # type: ignore[import-not-found, unused-ignore, no-redef]
    except ImportError:  # a Python without them
        _kinds = None

if _kinds is not None and _kinds.get_current() != _kinds.get_main():
    raise ImportError("alphacut cannot be used in a subinterpreter")
