"""Colours and opacity of a decoded Pillow picture, whatever its mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._arrays import Array
from .picture import DecodeError
from .profile import cmyk_to_srgb

if TYPE_CHECKING:
    from PIL import Image

_PHOTOMETRIC, _PLANAR, _BITS, _SAMPLE_FORMAT, _COLOR_MAP = 262, 284, 258, 339, 320  # tags of TIFF


def _tag(image: Image.Image, number: int) -> Any:
    """A tag of a TIFF; None of anything else, or where it is missing."""
    return getattr(image, "tag_v2", {}).get(number) if image.format == "TIFF" else None


def planes(image: Image.Image, key: Any, name: str) -> tuple[Array, Array | None]:
    """Colours and opacity of a decoded picture, not yet upright; `key` is the colour that is transparent."""
    if image.format == "TIFF":
        _require_plain_samples(image, name)
    mode = image.mode
    if mode.startswith("I;16") or mode in ("I", "F"):
        pixels = _sixteen_bits(np.asarray(image), name)
        if 12 in np.atleast_1d(_tag(image, _BITS) or 1):
            pixels = ((pixels.astype(np.uint32) * 65535 + 2047) // 4095).astype(np.uint16)
        if _tag(image, _PHOTOMETRIC) == 0:  # white is zero, which Pillow minds in pictures of 8 bits alone
            pixels = np.uint16(65535) - pixels
        return pixels, np.where(pixels == key, 0, 65535).astype(np.uint16) if isinstance(key, int) else None
    if mode in ("1", "L", "RGB"):
        return _keyed(np.asarray(image.convert("L") if mode == "1" else image), key, mode)
    if mode == "CMYK":
        return np.asarray(cmyk_to_srgb(image)), None
    if mode in ("LA", "La"):
        array = np.asarray(image.convert("LA"))
        return array[..., 0], array[..., 1]
    palette = image.palette if mode == "P" else None
    if mode in ("RGBA", "RGBa", "PA") or key is not None or (palette is not None and palette.mode == "RGBA"):
        array = np.asarray(image.convert("RGBA"))  # contiguous: else every stage that takes the colours would copy them
        unused = image.format == "BMP" and not array[..., 3].any()  # a fourth byte that nobody filled in
        return np.ascontiguousarray(array[..., :3]), None if unused else array[..., 3]
    colours = np.array(_tag(image, _COLOR_MAP) or (), np.int64)
    if mode == "P" and colours.size and 0 < colours.max() < 256:  # written with 8 bits where 16 are meant
        return colours.reshape(3, -1).T.astype(np.uint8)[np.asarray(image)], None
    if mode in ("P", "RGBX", "YCbCr", "HSV"):
        return np.asarray(image.convert("RGB")), None
    raise DecodeError(f"{name}: pictures of Pillow's mode {mode} are not supported")


def _require_plain_samples(image: Image.Image, name: str) -> None:
    """Those of a TIFF that Pillow reads as they are meant."""
    bits = np.atleast_1d(_tag(image, _BITS) or 1)
    if _tag(image, _PLANAR) == 2 and 16 in bits:
        raise DecodeError(
            f"{name}: planes of 16 bits one after the other are not supported: save it with interleaved channels "
            "(PlanarConfiguration 1), or give its pixels as an array"
        )
    if 2 in np.atleast_1d(_tag(image, _SAMPLE_FORMAT) or 1) and 8 in bits:
        raise DecodeError(f"{name}: samples of 8 bits with a sign are not supported")


def _keyed(pixels: Array, key: Any, mode: str) -> tuple[Array, Array | None]:
    """Colours of 8 bits and the opacity that one transparent colour leaves."""
    if isinstance(key, int) and mode != "RGB":
        hit = (pixels != 0) == (key != 0) if mode == "1" else pixels == key
    elif isinstance(key, tuple) and mode == "RGB" and len(key) == 3:
        hit = (pixels == np.array(key)).all(axis=-1)
    else:
        return pixels, None
    return pixels, np.where(hit, 0, 255).astype(np.uint8)


def _sixteen_bits(values: Array, name: str) -> Array:
    """Integers of 16 or 32 bits, or floats, as uint16."""
    if values.dtype.kind == "f":
        if not (values.min() >= 0 and values.max() <= 1):  # also false for NaN
            raise DecodeError(f"{name}: floating-point values must lie in 0..1, got {values.min()}..{values.max()}")
        values = np.rint(values * np.float32(65535))
    elif values.dtype.itemsize > 2 and (values.min() < 0 or values.max() > 65535):
        raise DecodeError(f"{name}: 32-bit values must lie in 0..65535, got {values.min()}..{values.max()}")
    return values.astype(np.uint16)
