"""Films: frames out of a file, cutouts into another, by PyAV (the extra ``video``)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from os import PathLike
from typing import Any

import numpy as np

from ._arrays import Array
from .cutout import Cutout, cover, is_colour
from .files import DecodeError
from .tracker import Tracker

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
_SOUND = {
    ".webm": (("opus", "vorbis"), "libopus"),
    ".mov": (("aac", "mp3", "alac", "ac3", "pcm_s16le"), "aac"),
    ".mp4": (("aac", "mp3", "alac", "ac3", "opus"), "aac"),
    ".mkv": (("aac", "mp3", "alac", "ac3", "opus", "vorbis", "flac", "pcm_s16le"), "aac"),
}
_SETTINGS = {
    "libvpx-vp9": {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"},
    "libx264": {"crf": "18", "preset": "veryfast"},
    "prores_ks": {"profile": "4444"},
    "libwebp_anim": {"quality": "80", "loop": "0"},
}


@dataclass(frozen=True)
class Film:
    """What became of a film.

    Attributes
    ----------
    frames : int
        How many were written.
    seconds : float
        The time of the last one in the film.
    interrupted : bool
        Whether an interrupt (Ctrl-C) ended it early; what was written can be played.
    """

    frames: int
    seconds: float
    interrupted: bool


def cut_film(
    source: str | PathLike[str],
    destination: str | PathLike[str],
    tracker: Tracker,
    *,
    prompt: Mapping[str, Any] | None = None,
    background: Any = None,
    each: Callable[[int, int | None, Cutout], None] | None = None,
) -> Film:
    """Cut the subject out of each frame of a film.

    Parameters
    ----------
    source : path
        A film that FFmpeg reads; its first video stream is cut, its first sound stream comes along, copied where the
        file can hold it, else encoded anew (Opus or AAC). Times of frames are kept, whatever the rate.
    destination : path
        By its suffix: ``.webm`` (VP9), ``.mov`` (ProRes 4444), ``.gif`` or ``.webp``, each with transparency; with a
        background also ``.mp4`` and ``.mkv`` (H.264, as ``.mov`` then).
    tracker : Tracker
        What follows the subject.
    prompt : mapping, optional
        Of the first frame, see :meth:`Tracker.__call__`.
    background : optional
        As of :meth:`Cutout.on`.
    each : callable, optional
        Called after each frame with its number, the count of all if the file tells it, and its cutout.

    Returns
    -------
    Film

    Raises
    ------
    ImportError
        Without PyAV.
    DecodeError
        If the source is no film, or has no frame.
    ValueError, TypeError, OSError
        If the suffix is another, needs a background, or a prompt cannot work; if a file cannot be read or written.
    """
    try:
        import av
    except ImportError as error:
        raise ImportError("films need PyAV: pip install 'alphacut[video]'") from error
    suffix = os.path.splitext(os.fspath(destination))[1].lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"destination must end with one of {', '.join(SUFFIXES)}, got {suffix!r}")
    if background is None and suffix not in _WITH_ALPHA:
        raise ValueError(f"{suffix} has no transparency: it needs a background, or .webm, .mov, .gif or .webp")
    if os.path.realpath(source) == os.path.realpath(destination):
        raise ValueError("destination is the source")
    try:
        incoming = av.open(os.fspath(source))
    except av.error.FFmpegError as error:
        if isinstance(error, OSError) and not isinstance(error, av.error.InvalidDataError):
            raise
        raise DecodeError(f"{os.fspath(source)} is no film: {error}") from error
    with incoming:
        if not incoming.streams.video:
            raise DecodeError(f"{os.fspath(source)} has no picture")
        writer: _Writer | None = None
        waiting: list[Any] = []  # sound before the first frame, with which the file begins
        video, sound = incoming.streams.video[0], next(iter(incoming.streams.audio), None)
        video.thread_type = "AUTO"
        count, seconds, interrupted = 0, 0.0, False
        try:
            for packet in incoming.demux([video] + [sound] * (sound is not None and suffix in _SOUND)):
                if packet.stream is not video:
                    if writer is None:
                        waiting.append(packet)
                    else:
                        writer.sound(packet)
                    continue
                frame: Any
                for frame in packet.decode():
                    assert isinstance(frame, av.VideoFrame)  # which the stream's packets hold
                    pixels = _pixels(frame)
                    cutout = tracker(pixels, **(prompt or {})) if count == 0 else tracker(pixels)
                    if count == 0 and not (background is None or is_colour(background)):
                        background = cover(background, *pixels.shape[:2])  # once, not for each frame
                    shown = cutout.rgba if background is None else cutout.on(background)
                    if writer is None:
                        writer = _Writer(av, destination, suffix, video, sound, background is None)
                    writer.picture(shown, frame)
                    for early in waiting:
                        writer.sound(early)
                    waiting.clear()
                    if each is not None:
                        each(count, video.frames or None, cutout)
                    count, seconds = count + 1, float(frame.time or 0)
        except KeyboardInterrupt:
            interrupted = True
        except av.error.InvalidDataError as error:
            raise DecodeError(f"{os.fspath(source)}: {error}") from error
        finally:
            if writer is not None:
                writer.close()
    if count == 0 and not interrupted:
        raise DecodeError(f"{os.fspath(source)} has no frame")
    return Film(count, seconds, interrupted)


def _pixels(frame: Any) -> Array:
    """RGB, upright."""
    pixels = frame.to_ndarray(format="rgb24")
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


class _Writer:
    """One film that is written; its video stream begins with the first frame."""

    def __init__(self, av: Any, path: Any, suffix: str, like: Any, sound: Any, transparent: bool) -> None:
        self._av, self._like = av, like
        self._file = av.open(os.fspath(path), "w", format=suffix[1:] if suffix in (".gif", ".webp") else None)
        codec, self._format = (_WITH_ALPHA if transparent else _OPAQUE)[suffix]
        self._video = self._file.add_stream(codec, rate=like.average_rate or 25, options=_SETTINGS.get(codec, {}))
        self._graph: Any = None
        self._sound = self._encoder = None
        if sound is not None and suffix in _SOUND:
            held, other = _SOUND[suffix]
            if sound.codec_context.name in held:
                self._sound = self._file.add_stream_from_template(sound)
            else:
                self._sound = self._encoder = self._file.add_stream(other, rate=48000)

    def picture(self, pixels: Array, frame: Any) -> None:
        """Encode a frame, at the time of `frame`."""
        height, width = pixels.shape[:2]
        even = "420" in self._format
        if even and (height % 2 or width % 2):
            pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        made = self._av.VideoFrame.from_ndarray(
            np.ascontiguousarray(pixels), "rgba" if pixels.shape[2] == 4 else "rgb24"
        )
        made.pts, made.time_base = frame.pts, frame.time_base
        context = self._video.codec_context
        if not context.is_open:
            context.width, context.height = made.width, made.height
            context.pix_fmt = self._format
            context.time_base = frame.time_base if self._format != "pal8" else Fraction(1, 100)
        if self._format == "pal8":
            made = self._with_palette(made)
        elif made.format.name != self._format:
            made = made.reformat(format=self._format)
        self._file.mux(self._video.encode(made))

    def _with_palette(self, frame: Any) -> Any:
        """The frame in 256 colours of its own, one of them transparent."""
        if self._graph is None:
            graph = self._av.filter.Graph()
            start = graph.add_buffer(
                width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
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
            self._graph = graph
        self._graph.push(frame)
        return self._graph.pull()

    def sound(self, packet: Any) -> None:
        """Copy a packet, or encode it anew."""
        if self._sound is None:
            return
        if self._encoder is None:
            if packet.dts is not None:
                packet.stream = self._sound
                self._file.mux(packet)
            return
        for frame in packet.decode():
            self._file.mux(self._encoder.encode(frame))

    def close(self) -> None:
        """Write what the encoders hold, and the file's end."""
        try:
            for stream in (self._video, self._encoder):
                if stream is not None and stream.codec_context.is_open:
                    self._file.mux(stream.encode(None))
        finally:
            self._file.close()
