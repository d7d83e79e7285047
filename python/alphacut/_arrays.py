"""What the stages' thin modules share: depths without a native kernel, and checks of plain arguments."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ._device import lives_on_gpu

_N = TypeVar("_N", int, float)

BORDERS = ("nearest", "reflect", "mirror", "wrap", "constant")  # what lies beyond a picture

Array = NDArray[Any]
_UINT16 = np.dtype(np.uint16)  # compared with a dtype, it costs less than np.uint16
_FULL_SCALE = {np.dtype(np.uint8): 255, _UINT16: 65535}


def full_scale(plane: object) -> int:
    """The largest value of an array's depth; 1 of floats, and of what the core refuses."""
    return _FULL_SCALE.get(getattr(plane, "dtype", None), 1)


def is_uint16(image: object) -> bool:
    """Whether `image` is an array of the depth that has no kernels."""
    return isinstance(image, np.ndarray) and image.dtype == _UINT16


def native(image: Array, out: object = None) -> Array:
    """A uint16 picture as float32 in 0..1; anything else as it is, for the binding to check.

    `out` is what the binding will write: of a converted picture, it could not see that the two overlap.
    """
    if not is_uint16(image):
        return image
    require_apart(out, image)
    return np.divide(np.asarray(image), np.float32(65535), dtype=np.float32)


# Depths without a kernel, and one that holds them; those that may hold more than any kernel takes.
_UNLIKE = {np.dtype(np.bool_): np.uint8, np.dtype(np.int8): np.int16}
_WIDE = frozenset(map(np.dtype, (np.uint32, np.int64, np.uint64)))


def countable(gray: Array, name: str) -> Array:
    """An array of numbers in a depth that the core counts, without loss; anything else as it is, for the binding."""
    if not isinstance(gray, np.ndarray):
        return gray
    gray = np.asarray(gray)  # of a subclass no method is called
    dtype = gray.dtype
    if dtype in _UNLIKE:
        return gray.astype(_UNLIKE[dtype])
    if dtype in _WIDE:
        low, high = (int(gray.min()), int(gray.max())) if gray.size else (0, 0)
        if low < -(2**31) or high >= 2**31:
            raise ValueError(f"{name} of {dtype} must have values from {-(2**31)} to {2**31 - 1}, got {low} to {high}")
        return gray.astype(np.int32)
    return gray


def numbers(value: object, name: str, shape: tuple[int, ...] | None, kinds: str = "iuf") -> Array:
    """What the caller gave as an array of numbers of this shape (None: any), such as nested lists."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{name} must be a rectangular array: {error}") from None
    if array.dtype.kind not in kinds:
        what = "numbers" if "f" in kinds else "whole numbers"
        raise TypeError(f"{name} must be {what}, got an array of dtype {array.dtype}")
    if shape is not None and array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {array.shape}")
    return array


def labels_below(value: object, name: str, shape: tuple[int, ...], count: int) -> Array:
    """Labels of this shape, from 0 to count - 1."""
    labels = numbers(value, name, shape, "iu")
    if labels.size and (labels.min() < 0 or labels.max() >= count):
        raise ValueError(f"{name} must be from 0 to {count - 1}, got {labels.min()} to {labels.max()}")
    return labels


def pair(value: object, name: str, checked: Callable[[object, str], _N]) -> tuple[_N, _N]:
    """One number for both directions, or two, (down, across)."""
    if not isinstance(value, (tuple, list)):
        both = checked(value, name)
        return both, both
    if len(value) != 2:
        raise ValueError(f"{name} must be one number or two, (down, across), got {shown(value)}")
    return checked(value[0], f"each {name}"), checked(value[1], f"each {name}")


def plain(value: Any) -> Any:
    """An array as NumPy's own, so that no method of a subclass is called; anything else as it is."""
    return np.asarray(value) if isinstance(value, np.ndarray) else value


def whole_numbers(value: object, name: str) -> Array:
    """An array of bool or integers."""
    require_host(value, name)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biu":
        came = getattr(value, "dtype", type(value).__name__)
        raise TypeError(f"{name} must be an array of bool or integers, got {came}")
    return np.asarray(value)


def box_of(mask: Array) -> tuple[int, int, int, int] | None:
    """The box (x, y, width, height) of what is not 0; None for nothing."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top


def as_mask(mask: Array, out: object = None) -> Array:
    """A mask of any whole numbers as bool; anything else as it is, for the binding to check."""
    if not isinstance(mask, np.ndarray) or mask.dtype.kind not in "iu" or mask.dtype == np.uint8:
        return mask
    require_apart(out, mask)
    return np.asarray(np.not_equal(np.asarray(mask), 0))


def require_host(array: object, name: str) -> None:
    """`array` is not a GPU's, for a function that runs on the CPU; the binding says the same."""
    if lives_on_gpu(array):
        raise TypeError(
            f"{name} lives on a GPU, but this runs on the CPU: copy it to host memory first, by its copy_to_host() "
            "(Numba), .get() (CuPy) or .cpu().numpy() (PyTorch)"
        )


def require_apart(out: object, *inputs: object) -> None:
    """`out` shares no memory with an input."""
    arrays = [other for other in inputs if isinstance(other, np.ndarray)]
    if isinstance(out, np.ndarray) and any(np.shares_memory(out, array) for array in arrays):
        raise ValueError("out overlaps an input")


def require_out(out: object, dtype: Any, shape: tuple[int, ...] | None = None) -> Array:
    """Where to write: an array in host memory of this dtype, and shape."""
    require_host(out, "out")
    if not isinstance(out, np.ndarray) or out.dtype != dtype:
        came = getattr(out, "dtype", type(out).__name__)
        raise TypeError(f"out must be a numpy.ndarray of {np.dtype(dtype)}, got {came}")
    array = np.asarray(out)
    if shape is not None and array.shape != shape:
        raise ValueError(f"out must have shape {shape}, got {array.shape}")
    if not array.flags.writeable:
        raise ValueError("out is read-only")
    return array


def as_bytes(work: Callable[[Array, Array | None], Array], image: Array, out: Array | None) -> Array:
    """``work(image, out)`` of bool arrays by what takes uint8."""
    bits = None if out is None else require_out(out, np.bool_).view(np.uint8)
    result = work(np.asarray(image).view(np.uint8), bits)
    return result.view(np.bool_) if out is None else out


def run(
    work: Callable[[Array, Array | None], Array], image: Array, out: Array | None, inputs: Sequence[object] = ()
) -> Array:
    """``work(image, out)``, whose result has the depth of `image`; a uint16 picture goes by way of float32.

    `inputs` are the call's other arrays, which `out` must not overlap either.
    """
    if not is_uint16(image):
        return work(image, out)
    result = np.multiply(work(native(image), None), np.float32(65535))
    np.rint(result, out=result)
    if out is None:
        return result.astype(np.uint16)
    require_out(out, np.uint16, result.shape)
    require_apart(out, image, *inputs)
    out[...] = result
    return out


def matching(value: Array, name: str, like: Array) -> Array:
    """An array that goes with the picture `like`, for the core; a bool one means 0 and the whole range."""
    if not isinstance(value, np.ndarray) or not isinstance(like, np.ndarray):
        return value
    value = np.asarray(value)  # of a subclass no method is called
    if value.dtype == np.bool_ and name == "alpha":
        return value.astype(np.uint8) * np.uint8(255) if like.dtype == np.uint8 else value.astype(np.float32)
    if value.dtype != like.dtype and np.uint16 in (value.dtype, like.dtype):
        raise TypeError(f"{name} must have dtype {like.dtype}, got {value.dtype}")
    return native(value)


def shown(value: object) -> str:
    """A caller's value as a message tells it: short, and whatever its own words do."""
    if isinstance(value, np.ndarray):
        plain = np.asarray(value)
        return f"an array of shape {plain.shape} and dtype {plain.dtype}"
    try:
        text = repr(value)
    except Exception:  # of a hostile class, or a number of too many digits: the message is about more than that
        return f"one of type {type(value).__name__}"
    return text if len(text) <= 200 else f"{text[:197]}..."


def choice(value: object, name: str, accepted: tuple[str, ...]) -> str:
    """`value` if it is one of the accepted words."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, got {type(value).__name__}")
    if value not in accepted:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, accepted))}, got {shown(value)}")
    return value


def integer(value: object, name: str, low: int = -(2**63), high: int = 2**63 - 1) -> int:
    """`value` if it is a whole number that the core's integer can hold; what it may be is checked there."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, got {type(value).__name__}")
    if not low <= number <= high:
        raise ValueError(f"{name} must be from {low} to {high}, got {shown(number)}")
    return number


def small_integer(value: object, name: str) -> int:
    """:func:`integer` for a parameter that is an ``int`` in C++."""
    return integer(value, name, -(2**31), 2**31 - 1)


def real(value: object, name: str) -> float:
    """`value` if it is a real number; what it may be is checked in the core."""
    if not isinstance(value, (int, float, Real)) or isinstance(value, bool):  # Real alone is slow to answer
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} must be a finite number, got one beyond the range of float") from None


def of_dtype(value: object, name: str, dtype: np.dtype[Any]) -> float:
    """`value` if it is a number that an image of this dtype can have."""
    number = float(value) if isinstance(value, (bool, np.bool_)) else real(value, name)
    if dtype.kind == "f":
        return number
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    if not (low <= number <= high and number.is_integer()):
        raise ValueError(f"{name} must be a value of the image's dtype, {dtype}, got {shown(value)}")
    return int(number)


def flag(value: object, name: str) -> bool:
    """`value` if it is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {shown(value)}")
    return bool(value)


def four_integers(box: object, name: str = "box", sides: str = "x, y, width, height") -> tuple[int, int, int, int]:
    """A box as four whole numbers; where it lies is checked by who knows the picture."""
    if not isinstance(box, (Sequence, np.ndarray)) or isinstance(box, (str, bytes)):
        raise TypeError(f"{name} must be four whole numbers ({sides}), got {type(box).__name__}")
    if len(box) != 4:
        raise ValueError(f"{name} must be four whole numbers ({sides}), got {shown(box)}")
    x, y, width, height = (integer(value, f"each value of {name}") for value in box)
    return x, y, width, height


def percent(value: object) -> float | None:
    """The number of a text such as "12.5%"; None of anything else."""
    found = re.fullmatch(r"\s*(-?[0-9]{1,4}(?:\.[0-9]{1,9})?)\s*%\s*", value) if isinstance(value, str) else None
    return float(found[1]) if found else None


def in_pixels(length: Any, whole: int) -> Any:
    """The share of `whole` that a text such as "12.5%" tells; anything else as it is."""
    share = percent(length)
    return length if share is None else round(share * whole / 100)


def box_in_pixels(box: Any, size: tuple[int, ...]) -> tuple[int, int, int, int]:
    """A box of whole numbers, or percentages ("12.5%") of the picture's width and height, as whole numbers."""
    if isinstance(box, (tuple, list)) and len(box) == 4:
        box = list(map(in_pixels, box, (size[1], size[0]) * 2))
    return four_integers(box)


def clipped(box: Any, size: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The part of the box that lies in the picture."""
    x, y, width, height = box_in_pixels(box, size)
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + width, size[1]), min(y + height, size[0])
    if width < 1 or height < 1 or right <= left or bottom <= top:
        raise ValueError(f"box {shown(box)} must have sides of at least 1 and overlap the {size[1]}×{size[0]} picture")
    return left, top, right - left, bottom - top


def as_uint8(image: Array) -> Array:
    """A picture of any accepted depth in 8 bits, rounded to nearest."""
    if image.dtype == np.uint16:
        wide = np.add(image, 128, dtype=np.uint32)
        wide //= 257
        return wide.astype(np.uint8)
    if image.dtype == np.float32:
        scaled = np.clip(image, 0, 1)
        scaled *= np.float32(255)
        return np.rint(scaled, out=scaled).astype(np.uint8)
    return image
