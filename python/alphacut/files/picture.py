"""What a picture file holds, and what a picture may be made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._arrays import Array, as_uint8, real


class DecodeError(ValueError):
    """The bytes are not a picture that can be read, or one that would cost more than allowed."""


class TooManyPixelsError(DecodeError):
    """The picture has more pixels than allowed."""


@dataclass(frozen=True, eq=False)
class Picture:
    """What a picture file holds, or a caller's array as the same.

    Attributes
    ----------
    pixels : ndarray, (H, W) or (H, W, 3), uint8 or uint16
        The colours, upright, in the order red, green, blue. May be read-only. float32 only where the source was an
        array of floats.
    alpha : ndarray, (H, W), same dtype, or None
        The opacity, None where the source has none.
    icc_profile : bytes or None
        The colour profile that `pixels` are in; None means sRGB.
    dpi : (float, float) or None
        Pixels an inch, horizontally and vertically.
    exif : bytes or None
        Of the file's EXIF data, what is true of the upright pixels and of any part of them: camera, lens, exposure,
        times, place, author, description. Not the orientation, the sizes, the preview and the maker's notes.
    """

    pixels: Array
    alpha: Array | None = None
    icc_profile: bytes | None = None
    dpi: tuple[float, float] | None = None
    exif: bytes | None = None


def from_array(array: Array, name: str) -> Picture:
    """An array of the caller's as a picture; float64 becomes float32, all else is a view."""
    array = single(array)
    require_picture(array, name)
    if array.ndim == 3 and array.shape[2] == 4:
        return Picture(array[..., :3], array[..., 3])
    return Picture(array)


def checked(picture: Picture, name: str) -> Picture:
    """A picture that may be of the caller's making."""

    def plain(plane: object) -> Array:
        if not isinstance(plane, np.ndarray):
            raise TypeError(f"{name} must be made of numpy arrays, got {type(plane).__name__}")
        return np.asarray(plane)  # of a subclass no method is called

    pixels, alpha = plain(picture.pixels), None if picture.alpha is None else plain(picture.alpha)
    require_picture(pixels, name)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        raise ValueError(f"{name} must have its alpha beside its pixels, which are of shape {pixels.shape}")
    if alpha is not None and (alpha.shape != pixels.shape[:2] or alpha.dtype != pixels.dtype):
        raise ValueError(
            f"{name} must have an alpha of {pixels.shape[:2]} {pixels.dtype}, got {alpha.shape} {alpha.dtype}"
        )
    if pixels is picture.pixels and alpha is picture.alpha:
        return picture
    return replace(picture, pixels=pixels, alpha=alpha)


def single(array: Array) -> Array:
    """float64, of which nothing here needs the precision, as float32; all else as a plain array."""
    array = np.asarray(array)  # of a subclass no method is called
    if array.dtype != np.float64:
        return array
    with np.errstate(over="ignore", invalid="ignore"):  # what is beyond the range of float32 is beyond 0..1 as well
        return array.astype(np.float32)


def require_picture(array: Array, name: str) -> None:
    if array.dtype not in (np.uint8, np.uint16, np.float32):
        raise TypeError(f"{name} must be of dtype uint8, uint16, float32 or float64, got {array.dtype}")
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise ValueError(f"{name} must be of shape (H, W), (H, W, 3) or (H, W, 4), got {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} must have at least one pixel, got shape {array.shape}")


def require_unit(values: Array, name: str) -> None:
    """Floats in 0..1; integers have no other values."""
    if values.dtype == np.float32 and not (values.min() >= 0 and values.max() <= 1):  # also false for NaN
        raise ValueError(f"{name} of float32 must lie in 0..1, got {values.min()}..{values.max()}")


def require_unit_planes(picture: Picture, name: str) -> None:
    """The same of its colours and its alpha."""
    for plane in (picture.pixels, picture.alpha):
        if plane is not None:
            require_unit(plane, name)


def eight_bits(values: Any, name: str) -> Array:
    """uint8, rounded."""
    require_unit(values, name)
    return as_uint8(values)


def two_numbers(value: Any) -> tuple[float, float] | None:
    """A resolution that every format can hold; None for all else a file may claim (a TIFF without any says 1)."""
    try:
        x, y = (real(part, "each of dpi") for part in value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if 1 < x <= 65535 and 1 < y <= 65535 else None  # false for NaN, too
