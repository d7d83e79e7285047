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

# foreground

# composite
def to_rgba(foreground: _Array, alpha: _Array, out: _Out = None) -> _Array: ...
def composite_color(
    foreground: _Array, alpha: _Array, color: tuple[int, int, int], linear: bool = False, out: _Out = None
) -> _Array: ...
def composite_image(
    foreground: _Array, alpha: _Array, background: _Array, linear: bool = False, out: _Out = None
) -> _Array: ...
def premultiply(rgba: _Array, out: _Out = None) -> _Array: ...
def unpremultiply(rgba: _Array, out: _Out = None) -> _Array: ...
def blurred_background(image: _Array, alpha: _Array, sigma: float, out: _Out = None) -> _Array: ...
def checkerboard(height: int, width: int, tile: int, out: _Out = None) -> _Array: ...
