"""Files of films: the codecs of each kind, segments, and how they are joined."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from . import _durable
from ._arrays import Array

# By suffix: the codec and its pixels with transparency and without, and the sound that the file may hold as it is.
_WITH_ALPHA = {
    ".webm": ("libvpx-vp9", "yuva420p"),
    ".mov": ("prores_ks", "yuva444p10le"),
    ".gif": ("gif", "pal8"),
    ".webp": ("libwebp_anim", "yuva420p"),
}
_OPAQUE = {
    ".webm": ("libvpx-vp9", "yuv420p"),
    ".mov": ("libx264", "yuv420p"),
    ".mp4": ("libx264", "yuv420p"),
    ".mkv": ("libx264", "yuv420p"),
    ".gif": ("gif", "pal8"),
    ".webp": ("libwebp_anim", "yuv420p"),
}
SUFFIXES = (*_WITH_ALPHA, ".mp4", ".mkv")
_ANIMATIONS = (".gif", ".webp")
_SOUND = {
    ".webm": (("opus", "vorbis"), "libopus"),
    ".mov": (("aac", "mp3", "alac", "ac3", "pcm_s16le"), "aac"),
    ".mp4": (("aac", "mp3", "alac", "ac3", "opus"), "aac"),
    ".mkv": (("aac", "mp3", "alac", "ac3", "opus", "vorbis", "flac", "pcm_s16le"), "aac"),
}
_SETTINGS = {
    "libvpx-vp9": {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"},
    # Without frames that look ahead, packets of one segment never come before those of the one before.
    "libx264": {"crf": "18", "preset": "veryfast", "bf": "0"},
    "prores_ks": {"profile": "4444"},
    "libwebp_anim": {"quality": "80", "loop": "0"},
}


@dataclass(frozen=True)
class Form:
    """How a film is written.

    Attributes
    ----------
    suffix, codec, pixels : str
        Of the film.
    transparent : bool
    """

    suffix: str
    codec: str
    pixels: str
    transparent: bool

    @property
    def animation(self) -> bool:
        """Whether it is encoded only when all frames are there."""
        return self.suffix in _ANIMATIONS

    @property
    def segment(self) -> str:
        """The suffix of a segment: of files that keep times exactly, as far as the film's do."""
        return ".mkv" if self.animation else {".mp4": ".mov"}.get(self.suffix, self.suffix)

    @property
    def within(self) -> tuple[str, str]:
        """The codec and the pixels of a segment: an animation's are without loss."""
        return ("ffv1", "bgra" if self.transparent else "bgr0") if self.animation else (self.codec, self.pixels)


def form_of(destination: str | PathLike[str], transparent: bool) -> Form:
    """By the suffix; ValueError for another, or one without transparency where that is needed."""
    suffix = os.path.splitext(os.fspath(destination))[1].lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"destination must end with one of {', '.join(SUFFIXES)}, got {suffix!r}")
    if transparent and suffix not in _WITH_ALPHA:
        raise ValueError(f"{suffix} has no transparency: it needs a background, or .webm, .mov, .gif or .webp")
    return Form(suffix, *(_WITH_ALPHA if transparent else _OPAQUE)[suffix], transparent)


class Segment:
    """A file of some frames, at their times in the whole film."""

    def __init__(self, path: Path, form: Form, rate: Fraction, time_base: Fraction) -> None:
        import av

        self._av, self._time_base = av, time_base
        self._file = av.open(os.fspath(path), "w")
        codec, self._pixels = form.within
        self._video: Any = self._file.add_stream(codec, rate=rate, options=_SETTINGS.get(codec, {}))

    def add(self, pixels: Array, pts: int | None) -> None:
        """Encode a frame."""
        height, width = pixels.shape[:2]
        if "420" in self._pixels and (height % 2 or width % 2):
            pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        kind = "rgba" if pixels.shape[2] == 4 else "rgb24"
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), kind)
        frame.pts, frame.time_base = pts, self._time_base
        context = self._video.codec_context
        if not context.is_open:
            context.width, context.height, context.pix_fmt = frame.width, frame.height, self._pixels
            context.time_base = self._time_base
        self._file.mux(self._video.encode(frame.reformat(format=self._pixels)))

    def close(self) -> None:
        """Write what the encoder holds, and the file's end."""
        try:
            if self._video.codec_context.is_open:
                self._file.mux(self._video.encode(None))
        finally:
            self._file.close()


def join(
    segments: list[Path],
    source: Any,
    destination: str | PathLike[str],
    form: Form,
    folder: Path,
    until: float | None,
) -> None:
    """Write the film out of its segments and the sound of `source`, up to a time if it has an end.

    It is made in `folder`, and takes the place of what was there when it is whole.
    """
    import av

    made = folder / f"film{form.suffix}"
    with av.open(os.fspath(made), "w", format=form.suffix[1:] if form.animation else None) as file:
        if form.animation:
            _animate(av, file, segments, form)
        else:
            _mux(av, file, segments, source, form, until)
    _durable.put(made, destination)


def _mux(av: Any, file: Any, segments: list[Path], source: Any, form: Form, until: float | None) -> None:
    with av.open(os.fspath(segments[0])) as first:
        like = first.streams.video[0]
        video = file.add_stream_from_template(like)
        video.time_base = like.time_base
        if form.codec == "libvpx-vp9" and form.transparent:
            video.metadata["alpha_mode"] = "1"  # which browsers look for
    copied = _Sound(file, source, form)
    both = heapq.merge(_packets(av, segments), copied.packets(until), key=lambda each: each[0])
    for _, packet, kind in both:
        if kind == "video":
            packet.stream = video
            file.mux(packet)
        else:
            copied.put(packet)
    copied.end()


def _packets(av: Any, segments: Iterable[Path]) -> Iterator[tuple[float, Any, str]]:
    for path in segments:
        with av.open(os.fspath(path)) as part:
            for packet in part.demux(part.streams.video[0]):
                if packet.dts is not None:
                    yield float(packet.dts * packet.time_base), packet, "video"


class _Sound:
    """The first sound stream of a film, into another."""

    def __init__(self, file: Any, source: Any, form: Form) -> None:
        self._file, self._source = file, source
        self._stream = self._encoder = None
        self._from = next(iter(source.streams.audio), None)
        if self._from is None:
            return
        held, other = _SOUND[form.suffix]
        if self._from.codec_context.name in held:
            self._stream = file.add_stream_from_template(self._from)
        else:
            self._stream = self._encoder = file.add_stream(other, rate=48000)

    def packets(self, until: float | None) -> Iterator[tuple[float, Any, str]]:
        """In order of time."""
        if self._from is None:
            return
        self._source.seek(0)
        for packet in self._source.demux(self._from):
            if packet.dts is None:
                continue
            at = float(packet.dts * packet.time_base)
            if until is not None and at > until:
                return
            yield at, packet, "sound"

    def put(self, packet: Any) -> None:
        """Copy a packet, or encode it anew."""
        if self._encoder is None:
            packet.stream = self._stream
            self._file.mux(packet)
            return
        for frame in packet.decode():
            self._file.mux(self._encoder.encode(frame))

    def end(self) -> None:
        """Write what the decoder and the encoder hold."""
        if self._from is not None and self._encoder is not None and self._encoder.codec_context.is_open:
            for frame in [*self._from.codec_context.decode(None), None]:
                self._file.mux(self._encoder.encode(frame))


def _animate(av: Any, file: Any, segments: list[Path], form: Form) -> None:
    """Encode all frames as one animation."""
    stream = palette = None
    for path in segments:
        with av.open(os.fspath(path)) as part:
            incoming = part.streams.video[0]
            if stream is None:
                stream = file.add_stream(
                    form.codec, rate=incoming.average_rate or 25, options=_SETTINGS.get(form.codec, {})
                )
                context = stream.codec_context
                context.width, context.height, context.pix_fmt = incoming.width, incoming.height, form.pixels
                context.time_base = Fraction(1, 100) if form.pixels == "pal8" else incoming.time_base
                if form.pixels == "pal8":
                    palette = _Palette(av, incoming)
            for frame in part.decode(incoming):
                made = frame.reformat(format=form.pixels) if palette is None else palette.of(frame)
                file.mux(stream.encode(made))
    if stream is not None:
        file.mux(stream.encode(None))


class _Palette:
    """Frames in 256 colours of their own, one of them transparent."""

    def __init__(self, av: Any, like: Any) -> None:
        self._graph = graph = av.filter.Graph()
        start = graph.add_buffer(
            width=like.width, height=like.height, format=like.codec_context.format, time_base=like.time_base
        )
        split = graph.add("split")
        palette = graph.add("palettegen", "stats_mode=single:reserve_transparent=1")
        use, end = graph.add("paletteuse", "new=1:alpha_threshold=128"), graph.add("buffersink")
        start.link_to(split)
        split.link_to(use, 0, 0)
        split.link_to(palette, 1, 0)
        palette.link_to(use, 0, 1)
        use.link_to(end)
        graph.configure()

    def of(self, frame: Any) -> Any:
        """One of them."""
        self._graph.push(frame)
        return self._graph.pull()
