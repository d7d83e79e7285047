"""The compiled core. Checked against the module by mypy's stubtest."""

from typing import Any

from numpy.typing import NDArray

_Array = NDArray[Any]
_Out = NDArray[Any] | None

def num_threads() -> int: ...
def set_num_threads(count: int) -> None: ...
def isa() -> str: ...
def available_isas() -> list[str]: ...
def set_isa(name: str) -> None: ...

# preprocess

# subject

# threshold
def threshold(gray: _Array, limit: float, out: _Out = None) -> _Array: ...
def find_limits(gray: _Array, method: str, classes: int = 2, mask: _Array | None = None) -> list[int]: ...
def adaptive_threshold(gray: _Array, window: int, method: str, offset: float, k: float, out: _Out = None) -> _Array: ...

# components

# kmeans

# graphcut

# chromakey

# matting

# foreground

# composite
