"""What the stages' thin modules share: depths without a native kernel, and checks of plain arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_UINT16 = np.dtype(np.uint16)


def native(image: Array) -> Array:
    """A uint16 picture as float32 in 0..1; anything else as it is, for the binding to check."""
    if isinstance(image, np.ndarray) and image.dtype == _UINT16:
        return image.astype(np.float32) / np.float32(65535)
    return image


def restore(result: Array, like: Array, out: Array | None = None) -> Array:
    """`result` of a kernel in the depth of the picture `like`: undoes :func:`native`."""
    if isinstance(like, np.ndarray) and like.dtype == _UINT16:
        scaled = np.multiply(result, np.float32(65535))
        np.rint(scaled, out=scaled)
        if out is None:
            return scaled.astype(np.uint16)
        if not isinstance(out, np.ndarray) or out.dtype != np.uint16:
            raise TypeError(f"out must be a numpy.ndarray of uint16, got {getattr(out, 'dtype', type(out).__name__)}")
        if out.shape != scaled.shape:
            raise ValueError(f"out must have shape {scaled.shape}, got {out.shape}")
        out[...] = scaled
        return out
    return result


def choice(value: object, name: str, accepted: tuple[str, ...]) -> str:
    """`value` if it is one of the accepted words."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, got {type(value).__name__}")
    if value not in accepted:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, accepted))}, got {value!r}")
    return value


def as_uint8(image: Array) -> Array:
    """A picture of any accepted depth in 8 bits, rounded to nearest."""
    if image.dtype == np.uint16:
        return ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if image.dtype == np.float32:
        return np.rint(np.clip(image, 0, 1) * np.float32(255)).astype(np.uint8)
    return image
