"""The pictures of open pages: cut again with every stroke, so kept with what the last cut found."""

from __future__ import annotations

import asyncio
import io
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from .. import Cutout, Shadow, cast_shadow, composite, resize
from .._arrays import Array, as_uint8
from ..compositing import blurred_background
from ..files import Picture, read_image, read_mask, write_image
from .bench import Bench
from .edits import Edit, Wish
from .errors import ApiError, cutting, reading
from .kept import Kept
from .layout import fitting
from .processes import Call, here

PREVIEW_PIXELS = 750_000
"""The size in which a page sees its cutout: a stroke then takes some tens of milliseconds, and 75 MB are kept."""


class Preview:
    """One picture in a small size, and its latest cut; and its file, of which the finished cutout is made.

    Parameters
    ----------
    data : bytes
        A picture file.
    max_pixels : int
        The largest that is taken.
    call : callable
        Does what decodes.

    Raises
    ------
    ApiError
        400 or 413, if it cannot be read.
    """

    def __init__(self, data: bytes, max_pixels: int, call: Call = here) -> None:
        self._data, self._max_pixels, self._call = data, max_pixels, call
        with reading("file"):
            picture = self._read(read_image, data)
        self.size: tuple[int, int] = picture.pixels.shape[:2]
        alpha = None if picture.alpha is None else small(picture.alpha)
        self._picture = Picture(small(picture.pixels), alpha, picture.icc_profile)
        self._bench = Bench(self._picture, self.size, keep=True)
        self._full: Bench | None = None
        self._mask: Array | None = None
        self._background: bytes | None = None
        self.turn, self.full_turn = asyncio.Lock(), asyncio.Lock()  # so that those who wait to cut it hold no worker
        self._lock = threading.Lock()  # so that a cut which its client has given up ends before the next begins
        self._full_lock = threading.Lock()  # the same in full size, for which no stroke waits

    def _read(self, read: Callable[..., Any], data: bytes) -> Any:
        return self._call(partial(read, max_pixels=self._max_pixels), data)

    @property
    def small_size(self) -> tuple[int, int]:
        """(height, width) of the preview."""
        return self._bench.size

    def shown(self) -> bytes:
        """The preview itself as a PNG, upright and with its own transparency."""
        picture = self._picture
        pixels = picture.pixels if picture.alpha is None else composite(picture.pixels, picture.alpha)
        return as_png(pixels, picture.icc_profile)

    def set_mask(self, data: bytes) -> None:
        """Keep what was found already, a file, bright on dark, in the picture's size."""
        with reading("mask"):
            plane = self._read(read_mask, data)
        if plane.shape != self.size:
            (height, width), (found_height, found_width) = self.size, plane.shape
            title = f"mask: must have the picture's size, {width} × {height}, but has {found_width} × {found_height}"
            raise ApiError(400, "invalid_field", title)
        with self._lock, self._full_lock:
            self._mask = plane > plane.max() // 2  # soft edges are no subject
            self._full, self._bench = None, Bench(self._picture, self.size, keep=True)

    def set_background(self, data: bytes) -> None:
        """Keep a picture file to put behind the subject."""
        with reading("background"):
            self._read(read_image, data)
        self._background = data

    def cut(self, edit: Edit, draft: bool) -> tuple[bytes, dict[str, Any]]:
        """A PNG of the alpha, for a draft, or of the finished cutout; and what was found.

        One at a time, see `turn`.
        """
        start = time.perf_counter()
        with self._lock, cutting():
            found = self._bench.draft(edit, self._mask) if draft else self._bench.finished(edit, self._mask)
            png = as_png(found.alpha) if draft else as_png(found.rgba, self._picture.icc_profile)
        return png, self._facts(found, time.perf_counter() - start)

    def blurred(self, edit: Edit) -> bytes:
        """The preview's own background, blurred, as a PNG."""
        with self._lock, cutting():
            found = self._bench.finished(edit, self._mask)
            return as_png(blurred_background(found.image, found.alpha), self._picture.icc_profile)

    def shadow(self, edit: Edit, wish: Wish) -> bytes:
        """The shadow of the preview's cutout alone, as a PNG with transparency, in sRGB."""
        with self._lock, cutting():
            found = self._bench.finished(edit, self._mask)
            shadow = (wish.shadow or Shadow()).scaled(self._bench.scale[0])
            plane = cast_shadow(found.alpha, shadow)
            colour = np.broadcast_to(np.asarray(shadow.color, np.uint8), (*plane.shape, 3))
            return as_png(composite(colour, plane))  # its colour is sRGB, whatever the picture's profile

    def file(self, edit: Edit, wish: Wish) -> bytes:
        """The finished file, in the full size. One at a time, see `full_turn`."""
        with self._full_lock, cutting():
            if wish.background == "picture" and self._background is None:
                raise ApiError(400, "missing_background", "background: no picture was sent to put behind")
            if self._full is None:
                picture = self._read(read_image, self._data)
                self._full = Bench(picture, self.size, keep=False)
            found = self._full.finished(edit, self._mask)
            if wish.region is not None:
                found = _part(found, wish.region)
            elif wish.crop:
                found = found.crop(wish.margin, aspect=wish.aspect)
            background = self._background if wish.background == "picture" else wish.background
            file = io.BytesIO()
            quality = wish.quality if wish.format in ("jpeg", "webp") else None
            level = 1 if wish.region is not None else None
            found.save(
                file,
                format=wish.format,
                what=wish.what,
                background=background,
                shadow=wish.shadow,
                quality=quality,
                png_level=level,
            )
            return file.getvalue()

    def rest(self) -> None:
        """Give back the memory of the full size, unless it is at work."""
        if self._full_lock.acquire(blocking=False):
            self._full = None
            self._full_lock.release()

    def _facts(self, found: Cutout, seconds: float) -> dict[str, Any]:
        """What a page shows; the box in pixels of the full picture."""
        box = None
        if found.box is not None:
            x, y, width, height = found.box
            across, down = self._bench.scale
            left, top = math.floor(x / across), math.floor(y / down)
            right = min(self.size[1], math.ceil((x + width) / across))
            bottom = min(self.size[0], math.ceil((y + height) / down))
            box = left, top, right - left, bottom - top
        return {
            "method": found.method,
            "subject": found.subject,
            "confidence": round(found.confidence, 4),
            "verdict": found.verdict,
            "box": box,
            "warnings": found.warnings,
            "milliseconds": round(seconds * 1e3, 1),
        }


class Pictures(Kept[Preview]):
    """The previews of pages that are open."""

    def __init__(self, count: int, idle: float) -> None:
        super().__init__(count, idle, "picture")

    def at_full_size(self, preview: Preview) -> None:
        """From now on this one alone may keep what its full size needs."""
        for other, _ in self._kept.values():
            if other is not preview:
                other.rest()


def small(plane: Array) -> Array:
    """In 8 bits and at most the preview's size."""
    size = fitting(plane.shape[:2], PREVIEW_PIXELS)
    return as_uint8(plane if size == plane.shape[:2] else resize(plane, size, method="area"))


def _part(cutout: Cutout, region: Sequence[int]) -> Cutout:
    """The cutout of a part of the picture."""
    x, y, width, height = region
    rows, columns = slice(y, y + height), slice(x, x + width)
    if cutout.alpha[rows, columns].size == 0:
        raise ValueError(f"region {tuple(region)} lies outside the picture")
    planes = {name: getattr(cutout, name)[rows, columns] for name in ("image", "mask", "alpha", "foreground")}
    return replace(cutout, **planes)


def as_png(pixels: Array, icc_profile: bytes | None = None) -> bytes:
    """A PNG file, written in little time."""
    file = io.BytesIO()
    write_image(file, pixels, format="png", icc_profile=icc_profile, png_level=1)
    return file.getvalue()
