"""Films: frames out of a file, cutouts into another, by PyAV (the extra ``video``)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from os import PathLike
from typing import Any

import numpy as np

from . import _core, _film_file, _segments
from ._arrays import Array
from .cutout import Cutout, cover, is_colour
from .files import DecodeError
from .shadow import Shadow
from .tracker import Tracker

SUFFIXES = _film_file.SUFFIXES

_BEFORE = 2  # seconds: from so far before the place to go on at a film is decoded


@dataclass(frozen=True)
class Film:
    """What became of a film.

    Attributes
    ----------
    frames : int
        How many it has.
    seconds : float
        The time of the last one in the film.
    interrupted : bool
        Whether an interrupt (Ctrl-C) ended it early; what was written can be played.
    resumed : int
        How many frames were there already, by a call that was interrupted.
    """

    frames: int
    seconds: float
    interrupted: bool
    resumed: int = 0


def cut_film(
    source: str | PathLike[str],
    destination: str | PathLike[str],
    tracker: Tracker,
    *,
    prompt: Mapping[str, Any] | None = None,
    background: Any = None,
    shadow: Shadow | str | None = None,
    resume: bool = True,
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
        background also ``.mp4`` and ``.mkv`` (H.264, as ``.mov`` then). What is there is replaced at the end.
    tracker : Tracker
        What follows the subject.
    prompt : mapping, optional
        Of the first frame, see :meth:`Tracker.__call__`.
    background, shadow : optional
        As of :meth:`Cutout.on`.
    resume : bool
        Go on with what an interrupted call left; False starts over.
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
        If the suffix is another, needs a background, or a prompt cannot work; if what was left is of another film or
        other options; if a file cannot be read or written, or the folder of the segments holds something else.

    Notes
    -----
    The film is made in segments of 240 frames in the folder ``destination`` + ``.parts``, each with what the tracker
    knew at its end, and they are joined without being encoded again (animations, whose frames depend on all before,
    are encoded from segments without loss). After an interrupt, a crash or a full disk the same call goes on after the
    last whole segment, and the film has the same bytes as if nothing had happened. The folder goes when the film is
    done. An interrupt or an error writes what there is.
    """
    try:
        import av
    except ImportError as error:
        raise ImportError("films need PyAV: pip install 'alphacut[video]'") from error
    form = _film_file.form_of(destination, background is None)
    shadow = Shadow.of(shadow)
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
        job = _segments.digest(
            _core.version(),
            os.fspath(source),
            form.suffix,
            prompt or {},
            background,
            repr(tracker),
            tracker.save(),
            repr(shadow),
        )
        segments = _segments.Segments(destination, form.segment, job, resume)
        course = _Course(incoming, tracker, prompt or {}, background, shadow, segments, form, each)
        done = interrupted = False
        try:
            course.run()
            done = True
        except KeyboardInterrupt:
            interrupted = True
        except av.error.InvalidDataError as error:
            raise DecodeError(f"{os.fspath(source)}: {error}") from error
        finally:
            course.close()
            if course.count:
                until = None if done else course.seconds
                _film_file.join(segments.files(), incoming, destination, form, segments.folder, until)
    if course.count == 0 and not interrupted:
        raise DecodeError(f"{os.fspath(source)} has no frame")
    if not interrupted:
        segments.delete()
    return Film(course.count, course.seconds, interrupted, course.resumed)


class _Course:
    """From frame to frame and segment to segment."""

    def __init__(
        self,
        incoming: Any,
        tracker: Tracker,
        prompt: Mapping[str, Any],
        background: Any,
        shadow: Shadow | None,
        segments: _segments.Segments,
        form: _film_file.Form,
        each: Callable[[int, int | None, Cutout], None] | None,
    ) -> None:
        self._incoming, self._tracker, self._prompt = incoming, tracker, prompt
        self._background, self._shadow = background, shadow
        self._segments, self._form, self._each = segments, form, each
        self._writer: _film_file.Segment | None = None
        self._in_segment = 0
        self.count, self.seconds = 0, 0.0
        self._last: int | None = None  # the time of the last frame that was there already, in the stream's unit
        if end := segments.end:
            tracker.load(segments.state)
            self.count, self.seconds, self._last = end["frames"], end["seconds"], end["pts"]
        self.resumed = self.count

    def run(self) -> None:
        """All frames that are left."""
        video = self._incoming.streams.video[0]
        for frame in self._frames():
            pixels = _pixels(frame)
            cutout = self._tracker(pixels, **(self._prompt if self.count == 0 else {}))
            if self._writer is None:
                if not (self._background is None or is_colour(self._background)):
                    self._background = cover(self._background, *pixels.shape[:2])  # once, not for each frame
                rate = video.average_rate or Fraction(25)
                self._writer = _film_file.Segment(self._segments.begin(), self._form, rate, frame.time_base)
            self._writer.add(cutout.on(self._background, shadow=self._shadow), frame.pts)
            self.count, self.seconds = self.count + 1, float(frame.time or 0)
            self._in_segment += 1
            if self._in_segment == _segments.LENGTH:
                self.close()
                note = {"frames": self.count, "seconds": self.seconds, "pts": frame.pts}
                self._segments.finish(note, self._tracker.save())
            if self._each is not None:
                self._each(self.count - 1, video.frames or None, cutout)

    def close(self) -> None:
        """End the file of the segment that was begun."""
        if self._writer is not None:
            writer, self._writer, self._in_segment = self._writer, None, 0
            writer.close()

    def _frames(self) -> Iterator[Any]:
        """Those that were not cut out yet."""
        video = self._incoming.streams.video[0]
        video.thread_type = "AUTO"
        if not self.resumed:
            yield from self._incoming.decode(video)
            return
        if self._last is not None and video.time_base:
            rest = self._after(self._last, video)
            if rest is not None:
                yield from rest
                return
        self._incoming.seek(0)
        for number, frame in enumerate(self._incoming.decode(video)):
            if number >= self.resumed:
                yield frame

    def _after(self, last: int, video: Any) -> Iterator[Any] | None:
        """What comes after a frame; None in a file that cannot be sought in: it is read from its start."""
        with suppress(OSError, ValueError):
            self._incoming.seek(last - round(_BEFORE / video.time_base), stream=video)
            frames: Iterator[Any] = self._incoming.decode(video)
            for frame in frames:
                if frame.pts == last:
                    return frames
                if frame.pts is None or frame.pts > last:
                    break
        return None


def _pixels(frame: Any) -> Array:
    """RGB, upright."""
    pixels = frame.to_ndarray(format="rgb24")
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels
