"""What is done to each picture, in whatever process."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .._frame import aspect_of
from ..session import Clock
from . import storage
from .jobs import Job

if TYPE_CHECKING:
    import hashlib

    from ..cutout import Cutout
    from ..remover import Remover


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is done to each picture; it can be sent to other processes.

    Attributes
    ----------
    options : mapping
        Keywords of :class:`alphacut.Remover`.
    crop : bool
        Whether to crop to the subject.
    margin : int or str
        What is then kept around it, see :meth:`alphacut.Cutout.crop`.
    aspect : str or number, optional
        Of what is kept, the same.
    save : mapping
        Keywords of :meth:`alphacut.Cutout.save`. The format is that of a stream: files have that of their ending.
    digest : bool
        Whether to tell the size and SHA-256 of each picture's file.
    watched : bool
        Whether files may change meanwhile: then their outputs are taken away again.
    alone : bool
        Whether this is the only picture: no memory is kept for a next one.
    also : callable, optional
        ``also(cutout, job, remover)``, called before the output is written.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    crop: bool = False
    margin: int | str = 0
    aspect: Any = None
    save: Mapping[str, Any] = field(default_factory=dict)
    digest: bool = False
    watched: bool = False
    alone: bool = False
    also: Callable[[Cutout, Job, Remover], None] | None = None

    @cached_property
    def remover(self) -> Remover:
        """Made once in each process."""
        from ..remover import Remover

        return Remover(**self.options)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "remover"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def check(self) -> None:
        """Raise what would be wrong with every picture: one pixel is cropped and written."""
        from ..cutout import Cutout

        self.remover  # noqa: B018
        colour, gray = np.zeros((1, 1, 3), np.uint8), np.full((1, 1), 255, np.uint8)
        pixel = Cutout(colour, gray, gray, colour, box=(0, 0, 1, 1), confidence=1.0, method="")
        self._cropped(pixel).save(io.BytesIO(), **{"format": "png", **self.save})

    def __call__(self, job: Job) -> dict[str, Any]:
        """Do a job; the facts of it."""
        start = time.perf_counter()
        before = storage.stamp(job.source) if self.watched else None
        source = storage.fetch(job.source)
        told = _size_and_digest(source) if self.digest else {}
        told |= self.made(source, job, storage.save)
        if self.watched and storage.stamp(job.source) != before:
            os.unlink(job.destination)  # made of what is no longer there, but newer than what is
            raise ValueError("changed while it was cut: once more when it is at rest")
        return {**told, "milliseconds": (time.perf_counter() - start) * 1e3}

    def made(self, source: Any, job: Job, save: Callable[..., None]) -> dict[str, Any]:
        """Cut a picture and have it written, ``save(cutout, job.destination, **self.save)``; the facts of it."""
        cutout = self.remover.once(source) if self.alone and not job.prompt else self.remover(source, **job.prompt)
        clock = Clock()
        clock.add(cutout.timings)
        if self.also is not None:
            self.also(cutout, job, self.remover)
        with clock("write"):
            save(self._cropped(cutout), job.destination, **self.save)
        return {**_facts(cutout), "timings": clock.seconds}

    def described(self) -> str:
        """The options that tell outputs apart, as JSON: those that are not as they are by default."""
        told: dict[str, Any] = self.remover.settings()
        if self.options.get("model") is not None:
            told["model"] = self.options["model"]
        told |= {name: value for name, value in self.save.items() if value not in (None, False)}
        told |= {"crop": self.margin} if self.crop else {}
        return described(told | ({"aspect": aspect_of(self.aspect)} if self.crop and self.aspect is not None else {}))

    def _cropped(self, cutout: Cutout) -> Cutout:
        return cutout.crop(self.margin, aspect=self.aspect) if self.crop else cutout


def described(values: Mapping[str, Any]) -> str:
    """Values as JSON, always the same for the same; arrays and bytes by their digests."""

    def other(value: Any) -> str:
        value = getattr(value, "pixels", value)  # of a background
        if isinstance(value, np.ndarray):
            value = value.tobytes()
        if isinstance(value, bytes):
            return _sha256(value).hexdigest()
        return os.fspath(value) if isinstance(value, os.PathLike) else repr(value)

    return json.dumps(dict(values), sort_keys=True, default=other)


def _facts(cutout: Cutout) -> dict[str, Any]:
    """What is told of a picture, in its own coordinates."""
    height, width = cutout.alpha.shape
    return {
        "width": width,
        "height": height,
        "box": cutout.box,
        "method": cutout.method,
        "subject": cutout.subject,
        "refine": cutout.refine,
        "confidence": cutout.confidence,
        "verdict": cutout.verdict,
        "device": cutout.device,
        "warnings": list(cutout.warnings),
    }


def _size_and_digest(source: Any) -> dict[str, Any]:
    """Of the bytes of a file."""
    if not isinstance(source, str):
        data = source.getvalue()
        return {"size": len(data), "digest": _sha256(data).hexdigest()}
    digest, size = _sha256(), 0
    with open(source, "rb") as stream:
        while data := stream.read(1 << 20):
            digest.update(data)
            size += len(data)
    return {"size": size, "digest": digest.hexdigest()}


def _sha256(data: bytes = b"") -> hashlib._Hash:
    """Imported when it is needed: one picture needs none."""
    import hashlib

    return hashlib.sha256(data)
