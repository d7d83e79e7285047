"""The pictures of open pages: cut again with every stroke, so kept with what the last cut found."""

from __future__ import annotations

import asyncio
import io
import math
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from .. import Cutout, Remover, composite, resize
from .._arrays import Array, as_uint8
from .._strokes import Stroke, draw_labels
from ..files import Picture, read_image, write_image
from .errors import ApiError, cutting, reading

PREVIEW_PIXELS = 750_000
"""The size in which a page sees its cutout: a stroke then takes some tens of milliseconds, and 75 MB are kept."""


class Preview:
    """One picture in a small size, and its latest cut.

    Parameters
    ----------
    data : bytes
        A picture file.
    max_pixels : int
        The largest that is taken.

    Raises
    ------
    ApiError
        400 or 413, if it cannot be read.
    """

    def __init__(self, data: bytes, max_pixels: int) -> None:
        with reading("file"):
            picture = read_image(data, max_pixels=max_pixels)
        height, width = self.size = picture.pixels.shape[:2]
        alpha = None if picture.alpha is None else _small(picture.alpha)
        self._picture = Picture(_small(picture.pixels), alpha, picture.icc_profile)
        small = self._picture.pixels.shape
        self._scale = small[1] / width, small[0] / height
        self._session = Remover(refine=None, foreground=False).open(self._picture)
        self._finish = Remover().open(self._picture)
        self.turn = asyncio.Lock()  # so that those who wait to cut it hold no worker
        self._lock = threading.Lock()  # so that a cut which its client has given up ends before the next begins

    @property
    def small_size(self) -> tuple[int, int]:
        """(height, width) of the preview."""
        height, width = self._picture.pixels.shape[:2]
        return height, width

    def shown(self) -> bytes:
        """The preview itself as a PNG, upright and with its own transparency."""
        picture = self._picture
        pixels = picture.pixels if picture.alpha is None else composite(picture.pixels, picture.alpha)
        return _png(pixels, picture.icc_profile)

    def cut(self, box: Sequence[int] | None, strokes: Sequence[Stroke], draft: bool) -> tuple[bytes, dict[str, Any]]:
        """A PNG of the mask, for a draft, or of the finished cutout; and what was found.

        `box` and `strokes` are in pixels of the full picture. One at a time, see `turn`.
        """
        start = time.perf_counter()
        with self._lock, cutting():
            prompts = self._prompts(box, strokes)
            found = self._session.cut(resume=draft, **prompts)
            if draft:
                png = _png(found.mask)
            elif found.method == "key":  # its ramp is finer than what its mask could be refined to
                found = self._finish.cut()
                png = _png(found.rgba, self._picture.icc_profile)
            else:
                png = _png(self._finish.cut(mask=found.mask).rgba, self._picture.icc_profile)
        return png, self._facts(found, time.perf_counter() - start)

    def _prompts(self, box: Sequence[int] | None, strokes: Sequence[Stroke]) -> dict[str, Any]:
        """The prompts in pixels of the preview."""
        across, down = self._scale
        prompts: dict[str, Any] = {}
        if box is not None:
            x, y, width, height = box
            left, top = math.floor(x * across), math.floor(y * down)
            right, bottom = math.ceil((x + width) * across), math.ceil((y + height) * down)
            prompts["box"] = left, top, right - left, bottom - top
        if strokes:
            scaled = [
                Stroke(
                    stroke.keep, [(x * across, y * down) for x, y in stroke.points], stroke.width * max(across, down)
                )
                for stroke in strokes
            ]
            prompts["labels"] = draw_labels(scaled, self.small_size, undecided=2 if box is None else 3)
        return prompts

    def _facts(self, found: Cutout, seconds: float) -> dict[str, Any]:
        """What a page shows; the box in pixels of the full picture."""
        box = None
        if found.box is not None:
            x, y, width, height = found.box
            across, down = self._scale
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


class Pictures:
    """The previews of pages that are open, few at a time: the one longest unused goes first.

    Parameters
    ----------
    count : int
        Previews kept.
    idle : float
        Seconds until an unused one is forgotten.
    """

    def __init__(self, count: int, idle: float) -> None:
        self._count, self._idle = count, idle
        self._kept: OrderedDict[str, tuple[Preview, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, preview: Preview) -> str:
        """Keep it; gives its name, which nobody can guess."""
        name = secrets.token_urlsafe(16)
        self._kept[name] = preview, time.monotonic()
        while len(self._kept) > self._count:
            self._kept.popitem(last=False)
        return name

    def get(self, name: str) -> Preview:
        """The preview of this name, now the latest used.

        Raises
        ------
        ApiError
            404, if there is none, or no longer.
        """
        self.forget_idle()
        if name not in self._kept:
            raise ApiError(404, "unknown_picture", "This picture is not kept here, or no longer: send it again.")
        preview, _ = self._kept.pop(name)
        self._kept[name] = preview, time.monotonic()
        return preview

    def drop(self, name: str) -> None:
        """Forget one, if it is there."""
        self._kept.pop(name, None)

    def forget_idle(self) -> None:
        """Forget those that were not used for long."""
        oldest = time.monotonic() - self._idle
        while self._kept and next(iter(self._kept.values()))[1] < oldest:
            self._kept.popitem(last=False)


def _small(plane: Array) -> Array:
    """In 8 bits and at most the preview's size."""
    height, width = plane.shape[:2]
    scale = math.sqrt(PREVIEW_PIXELS / (height * width))
    if scale >= 1:
        return as_uint8(plane)
    small_height = max(1, min(round(height * scale), PREVIEW_PIXELS))
    small_width = max(1, min(round(width * scale), PREVIEW_PIXELS // small_height))
    return as_uint8(resize(plane, (small_height, small_width), method="area"))


def _png(pixels: Array, icc_profile: bytes | None = None) -> bytes:
    """A PNG file, written in little time."""
    file = io.BytesIO()
    write_image(file, pixels, format="png", icc_profile=icc_profile, png_level=1)
    return file.getvalue()
