"""The compiled core. Checked against the module by mypy's stubtest."""

from collections.abc import Sequence
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
def threshold_u8(gray: _Array, limit: int, out: _Out = None) -> _Array: ...
def threshold_f32(gray: _Array, limit: float, out: _Out = None) -> _Array: ...

# components

# kmeans
def kmeans(
    image: _Array, n_clusters: int, seed: int, max_iter: int, tol: int, init: Sequence[int], out: _Out = None
) -> tuple[_Array, _Array, int, int]: ...
def kmeans_samples(pixels: int, seed: int) -> _Array: ...
def kmeans_seed(samples: _Array, n_clusters: int, seed: int) -> _Array: ...

# graphcut

# chromakey

# matting

# foreground

# composite
