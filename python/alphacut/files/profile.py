"""Colour profiles."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .._arrays import Array
from .picture import Picture

if TYPE_CHECKING:
    from PIL import Image

_SAMPLES = np.stack(np.meshgrid(*[np.arange(0, 256, 51, dtype=np.uint8)] * 3), axis=-1).reshape(6, 36, 3)
_EXACT = 0x0100  # cmsFLAGS_NOOPTIMIZE
_GRAYS = np.arange(256, dtype=np.uint8).reshape(1, 256)


def kind_of(icc_profile: bytes) -> bytes:
    """The kind of colour that its header names: b"GRAY", b"RGB ", b"CMYK", b"Lab " and others."""
    if not isinstance(icc_profile, bytes):
        raise TypeError(f"icc_profile must be bytes, got {type(icc_profile).__name__}")
    return icc_profile[16:20]


def fits(icc_profile: bytes, *, gray: bool) -> bool:
    """Whether the profile can be for such pixels."""
    return kind_of(icc_profile) not in {b"GRAY", b"RGB ", b"CMYK", b"Lab "} - {b"GRAY" if gray else b"RGB "}


def in_profile(pixels: Array, old: bytes | None, new: bytes | None) -> Array:
    """RGB pixels of 8 bits brought from one colour profile into another; None is sRGB.

    Unchanged where that is not to be done: other pixels, the same profile, or one that nobody can read.
    """
    if old == new or pixels.dtype != np.uint8 or pixels.ndim != 3:
        return pixels

    def convert(colours: Array) -> Array | None:
        return _converted(colours, "RGB", old, new)

    samples = convert(_SAMPLES)
    if samples is None or np.abs(samples.astype(np.int16) - _SAMPLES).max() <= 1:  # one profile under two names
        return pixels
    converted = convert(pixels)
    return pixels if converted is None else converted


def gray_to_srgb(picture: Picture) -> Picture:
    """A gray picture in a profile of its own in the tones of sRGB, which colours and other pictures have.

    As it is where that says the same, or nobody can read the profile.
    """
    profile, pixels = picture.icc_profile, picture.pixels
    if profile is None or pixels.ndim != 2 or kind_of(profile) != b"GRAY":
        return picture
    tones = _converted(_GRAYS, "L", profile, None)
    if tones is None:
        return picture
    table = tones[0, :, 1].astype(np.float64)
    if np.abs(table - _GRAYS[0]).max() > 1:
        if pixels.dtype == np.uint16:  # what lies between the 256 tones by straight lines
            pixels = np.rint(np.interp(np.arange(65536) / 257, _GRAYS[0], table) * 257).astype(np.uint16)[pixels]
        else:
            pixels = table.astype(np.uint8)[pixels]
    return replace(picture, pixels=pixels, icc_profile=None)


def cmyk_to_srgb(image: Image.Image) -> Image.Image:
    """Inks as RGB: as their profile says, or else by Pillow's plain rule."""
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and kind_of(profile) == b"CMYK":
        converted = _converted(np.asarray(image), "CMYK", profile, None)
        if converted is not None:
            from PIL import Image

            return Image.fromarray(converted)
    return image.convert("RGB")


def _converted(pixels: Array, mode: str, old: bytes | None, new: bytes | None) -> Array | None:
    """Pixels of a Pillow mode as RGB, from one profile into another; None where a profile cannot be read."""
    from PIL import Image, ImageCms

    try:
        srgb = ImageCms.createProfile("sRGB")
        source, target = (srgb if icc is None else ImageCms.ImageCmsProfile(io.BytesIO(icc)) for icc in (old, new))
        # A table of a few nodes, which is quick for pixels, is too coarse for dark tones; those of gray are but 256.
        flags: Any = _EXACT if mode == "L" else 0
        transform: Any = ImageCms.buildTransform(source, target, mode, "RGB", flags=flags)
        height, width = pixels.shape[:2]
        image = Image.frombuffer(mode, (width, height), np.ascontiguousarray(pixels), "raw", mode, 0, 1)
        return np.asarray(ImageCms.applyTransform(image, transform))
    except (ImageCms.PyCMSError, OSError):
        return None
