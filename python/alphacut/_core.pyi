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
def threshold_u8(gray: _Array, limit: int, out: _Out = None) -> _Array: ...
def threshold_f32(gray: _Array, limit: float, out: _Out = None) -> _Array: ...

# components

# kmeans

# graphcut
def graph_cut(source: _Array, sink: _Array, neighbours: _Array, out: _Out = None) -> tuple[_Array, int]: ...
def cut_capacity(source: _Array, sink: _Array, neighbours: _Array, mask: _Array) -> int: ...
def grabcut(
    image: _Array,
    labels: _Array | None,
    box: list[int] | None,
    unary: _Array | None,
    n_iter: int,
    gamma: float,
    n_components: int,
    seed: int,
) -> tuple[_Array, float, int, list[str]]: ...

# chromakey

# matting

# foreground

# composite
