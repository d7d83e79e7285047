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

# chromakey

# matting
def guided_filter(guide: _Array, src: _Array, radius: int, eps: float, subsample: int, out: _Out = None) -> _Array: ...
def make_trimap(mask: _Array, band: float | None, out: _Out = None) -> _Array: ...
def refine_alpha(image: _Array, mask_or_trimap: _Array, method: str, out: _Out = None) -> _Array: ...
def sample_colours(image: _Array, labels: _Array) -> tuple[_Array, _Array, _Array]: ...
def solve_laplacian(
    image: _Array, labels: _Array, confidence: _Array, alpha: _Array, weight: float, iterations: int
) -> _Array: ...

# foreground
def estimate_foreground(image: _Array, alpha: _Array, out: _Out = None) -> _Array: ...

# composite
