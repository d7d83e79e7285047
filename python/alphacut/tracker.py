"""A film's subject, followed from frame to frame."""

from __future__ import annotations

import os
from typing import Any

from . import _core, files
from ._prompt import Prompt
from .cutout import Cutout
from .options import Options, Refinement
from .session import ABANDONED, Clock, cutout_of, hints_of
from .subject import network


class Tracker:
    """Cuts the subject out of each frame of a film: told once, then followed.

    Parameters
    ----------
    refine : {"guided", "sampled", "closed_form"} or None
        As for :func:`remove_background`, but the fast guided filter by default.
    subject : {"auto", "barrier"}
        "barrier" never asks the network: the subject is followed by its motion and colours alone.
    **options
        `method`, `similarity`, `blend`, `despill`, `edge`, `clean`, `foreground`, `preprocess`, `seed` as for
        :func:`remove_background`. All runs on the CPU.

    Raises
    ------
    TypeError, ValueError
        As :func:`remove_background`; if a prompt, `model`, `device` or `steps` is given, which go with a frame or
        have no use here.

    Notes
    -----
    Of the frames before it keeps where the subject was, as log-odds on a copy of at most 480 pixels a side; the colours
    of subject and background, which learn slowly and only from pixels that are sure; and how subject, background and
    each block of 8 × 8 pixels moved. What was known is carried along where the colours agree, and joined by what the
    network sees around the expected place, the colours, and which of the two motions explains a block. A subject that
    is hidden is expected where its pace takes it; one that is lost is looked for by its colours. Alpha is steady where
    nothing moves. A frame whose colours and motion have nothing in common with the last one's begins anew, and so
    does one of another size; `warnings` of the cutout say so. A keyed background is keyed in each
    frame, by the key that was told for the first if one was, and keeps the key's own soft edge in place of the guided
    filter. The same
    frames and prompts give the same bytes.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> def frame(x):
    ...     image = np.full((60, 80, 3), 90, np.uint8)
    ...     image[20:40, x : x + 20] = (200, 30, 30)
    ...     return image
    >>> track = alphacut.Tracker(refine=None)
    >>> track(frame(20), box=(15, 15, 30, 30)).box
    (20, 20, 20, 20)
    >>> [abs(track(frame(x)).box[0] - x) <= 2 for x in (22, 24, 26)]
    [True, True, True]
    """

    def __init__(self, *, refine: Refinement | None = "guided", **options: Any) -> None:
        for name in ("model", "steps", "device", *Prompt.NAMES):
            if name in options:
                raise TypeError(f"{name} is no option of a Tracker")
        self._options = Options(prompt=Prompt(), refine=refine, **options)
        self._memory = _core.BufferPool()
        self._begin()

    def _begin(self) -> None:
        learned = self._options.subject != "barrier"
        self._core, self._process = _core.Tracker(self._options.of_core(network if learned else None)), os.getpid()

    def __repr__(self) -> str:
        return f"Tracker({self._options!r})"

    def __call__(self, frame: Any, **prompt: Any) -> Cutout:
        """Cut the subject out of the next frame.

        Parameters
        ----------
        frame
            As for :func:`remove_background`.
        **prompt
            `box`, `points`, `labels`, `mask`, `trimap` or `key`. On the first frame they tell the subject; without any
            it is found. On a later one points and labels correct what is followed; the others begin anew.

        Returns
        -------
        Cutout
            Its `method` is "track" where the subject was followed.

        Raises
        ------
        TypeError, ValueError, DecodeError
            As :func:`remove_background`; the tracker is then as before.
        """
        if self._process != os.getpid():
            ABANDONED.append(self._core)
            self._begin()
        clock = Clock()
        with self._memory:
            with clock("read"):
                picture = files.as_picture(frame, "frame")
                files.require_unit_planes(picture, "frame")
            hints = hints_of(self._options, prompt, picture, Prompt.NAMES - {"instance"})
            found = self._core.next(picture.pixels, picture.alpha, {**hints.of_core(), "prior": None})
        clock.add(found["timings"])
        return cutout_of(picture, found, clock)

    @property
    def confidence(self) -> float:
        """How far the latest frame's mask is to be trusted, 0..1; 1 before the first."""
        return self._core.confidence

    def save(self) -> bytes:
        """What is known of the frames so far, some 6 bytes a pixel of a frame.

        Returns
        -------
        bytes
            For :meth:`load`. They hold numbers alone, and nothing in them is run.

        Examples
        --------
        >>> import alphacut
        >>> track, other = alphacut.Tracker(), alphacut.Tracker()
        >>> other.load(track.save())
        """
        return self._core.save()

    def load(self, state: bytes) -> None:
        """Go on where the tracker that saved this was: the same frames then give the same bytes.

        Parameters
        ----------
        state : bytes
            Of :meth:`save` of a tracker with the same options, in this version of alphacut.

        Raises
        ------
        TypeError, ValueError
            If they are not bytes, of another version, or damaged; the tracker is then as before.
        """
        if not isinstance(state, bytes):
            raise TypeError(f"state must be bytes, got {type(state).__name__}")
        self._core.load(state)

    def reset(self) -> None:
        """Forget all frames: the next is the first of another film."""
        self._core.reset()
