"""Removing a picture's background, with options that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np

from . import _core, _device, files
from ._arrays import flag, integer, shown
from ._prompt import Prompt
from .cuda import compile_kernels
from .cutout import Cutout
from .model import Model
from .options import OPTIONS, PROMPTS, Method, Options, Preparation, Refinement, Subject
from .session import Clock, Session


def remove_background(
    image: Any,
    *,
    box: Sequence[int | str] | None = None,
    points: Sequence[Sequence[float]] | None = None,
    labels: Any = None,
    mask: Any = None,
    trimap: Any = None,
    key: Any = None,
    model: Model | str | PathLike[str] | bytes | None = None,
    instance: int | None = None,
    similarity: float | None = None,
    blend: float | None = None,
    despill: bool = False,
    method: Method = "auto",
    subject: Subject = "auto",
    refine: Refinement | None = "auto",
    edge: Sequence[float] | None = None,
    clean: bool = True,
    foreground: bool = True,
    preprocess: Preparation | Sequence[Preparation] | None = None,
    device: str = "auto",
    seed: int = 0,
    steps: bool = False,
) -> Cutout:
    """Cut the subject out of a picture.

    Parameters
    ----------
    image : (H, W), (H, W, 3) or (H, W, 4) ndarray, or path, bytes, binary file object, Pillow image, Picture
        Arrays are uint8, uint16, float32 or float64 (0..1, taken as float32), in the order red, green, blue. OpenCV's
        are BGR, which an array cannot tell: give it ``image[..., ::-1]``, or red and blue are exchanged. A fourth
        channel is the picture's own alpha: the result's alpha is the product. Where that hides nearly all of the
        border, or most of the picture, and nothing else is told, the picture is taken for cut out already: its alpha
        and colours stay.
    box : (x, y, width, height), optional
        The subject lies inside; what is outside is background. Each in pixels, or as "12.5%" of the picture's width or
        height.
    points : sequence of (x, y) or (x, y, keep), optional
        Pixels of the subject, or with keep = 0 of what is not. Each counts as a dab of a two-hundredth of the longer
        side. May join `box` and `labels`, on top of which they lie.
    labels : (H, W) uint8 ndarray, path, bytes, file or Pillow picture, optional
        OpenCV's four: 0 background, 1 foreground, 2 probably background, 3 probably foreground; or, of a picture,
        strokes, see :func:`read_labels`. May join `box`.
    mask : (H, W) uint8 or bool ndarray, path, bytes, file or Pillow picture, optional
        The subject, found already: only its edge is refined. A soft mask is cut at half: the subject is what lies above
        127, or is 1 in a mask of 0 and 1; of a picture, see :func:`read_mask`, what is above half of its brightest.
    trimap : (H, W) uint8 ndarray, path, bytes, file or Pillow picture, optional
        0 background, 255 foreground, anything between unknown: only the unknown is computed. Where something is
        unknown, there must be known pixels of both kinds.
    key : colour, optional
        "#rrggbb", CSS name or (r, g, b) in 0..255: the colour of the background to take out.
    model : Model, or path or bytes of an ONNX file, optional
        A segmentation network of your own, which says where the subject is; the cut follows it where the colours and
        the border leave it open. May join `box` and `labels`, which go before it. See :class:`Model`.
    instance : int, optional
        For a `model` that finds several objects: only this one, by its place in :meth:`Model.instances`. By default all
        that it is sure of.
    similarity, blend : float, optional
        Of :func:`chroma_key`, where the background is keyed out, by a `key` or by its uniform border; its defaults.
    despill : bool
        Where the background is keyed out, take the tint that its colour has cast off all of `foreground`:
        :func:`despill`; without it off the edge alone, where `foreground` is estimated.
    method : {"auto", "graphcut", "kmeans", "threshold", "key"}
        How the mask is found. "auto" follows the prompt; without one, a uniform border means "key", unless it is but
        the frame of a picture, and anything else "graphcut" around the detected subject.
    subject : {"auto", "learned", "barrier"}
        What says where the subject is, beside the prompt: a small network that comes with alphacut, or, without a
        prompt only, barrier distances, see :func:`detect_subject`. "auto" is "learned". A `model` takes its place.
    refine : {"auto", "guided", "sampled", "closed_form"} or None
        How the edge becomes a matte, see :func:`refine_alpha`; None keeps the hard mask, or the key's own ramp. "auto"
        is "closed_form": of the three it leaves the least error, from a mask a third of that of "guided" and nine
        tenths of that of "sampled", which takes two thirds of its time. Where a background is keyed out, "auto" finds
        out only what the key is not sure of: its ramp and the pixels next to its edge.
    edge : (shift, feather), optional
        Pixels by which the edge moves, outwards where `shift` is positive, and the standard deviation that softens it,
        see :func:`adjust_edge`; before the colours are estimated.
    clean : bool
        Drop parts below 5 % of the largest and fill holes below 1 % of the found mask. A warning says what went, where
        it is more than 1 % of the mask.
    foreground : bool
        Estimate the subject's own colours at soft edges, so that the old background does not shine through.
    preprocess : {"denoise", "white_balance"} or sequence of these, optional
        Done, in this order, to the copy in which the subject is looked for; the result keeps the picture's colours.
    device : {"auto", "cpu", "cuda", "cuda:N"}
        Where the stages that have a GPU twin run.
    seed : int
        Of every random choice, 0 or more: the same seed gives the same bytes.
    steps : bool
        Keep what each step gave in :attr:`Cutout.steps`.

    Returns
    -------
    Cutout
        A cutout without any pixel, or with nearly all, has a warning and a low `confidence`, and one whose alpha is 0
        everywhere has no colours. Else its `confidence` is 1 for a mask or trimap, and the share of the border that the
        key explains for a key. For a graph cut with the learned subject it is the chance that the mask is good
        (intersection over union with the truth of at least 0.8), calibrated without any prompt, with a warning below
        0.5; with a model it is how well the cut agrees with that. For anything else, and a prompt with "barrier", it is
        how far the colours inside and outside differ (1 − Bhattacharyya coefficient).

    Raises
    ------
    TypeError
        Wrong type or dtype.
    ValueError
        Wrong shape or range, an unknown word, prompts that contradict, options of a key where the prompt or the method
        rules one out, or a `model` that cannot be used.
    ImportError
        A `model` needs onnxruntime, which is missing.
    DecodeError
        `image` is not a picture that can be read, or above the pixel limit.
    DeviceUnavailableError
        A GPU was asked for and there is none to use.

    Notes
    -----
    A picture without any prompt and with a cluttered background is hard: look at `confidence` and `warnings`, and give
    a box, or a `model`.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.full((60, 80, 3), 255, np.uint8)
    >>> image[20:40, 30:50] = (200, 30, 30)
    >>> cutout = alphacut.remove_background(image)
    >>> cutout.method, cutout.box
    ('key', (30, 20, 20, 20))
    """
    return _cut_once(Options.of(locals()), image)  # all arguments by name


def _cut_once(options: Options, image: Any) -> Cutout:
    """The cutout; no memory is kept for a next call."""
    clock = Clock()
    with clock("read"):
        session = Session(options, files.as_picture(image, "image"), memory=nullcontext(), clock=clock)
    return session.cut()


class Remover:
    """:func:`remove_background` with its options kept and checked once, for many pictures.

    Parameters
    ----------
    box, points, labels, mask, trimap, key, model, instance, similarity, blend, despill
    method, subject, refine, edge, clean, foreground, preprocess, device, seed, steps
        As for :func:`remove_background`. Arrays are kept as they are, not copied; files and Pillow pictures are read
        once, and strokes in them as for the `box` that is kept beside them, or none.

    Raises
    ------
    TypeError, ValueError, ImportError, OSError, DeviceUnavailableError
        As :func:`remove_background`.

    Notes
    -----
    Calls from several threads at once are safe and give the same bytes, unless they resume. Of the latest picture it
    keeps what the next cut can use (a copy, the smaller ones, the flow, the labels, a model's map): called again with
    the same pixels and one more stroke, it gives the same bytes sooner, and with `resume` another answer much sooner.

    From the first call to the end of the last remover, memory of 64 KiB and more that stages and freed results leave
    serves the next calls, which then take none from the system for pictures of like size. What the last few calls did
    not use goes back. Kept between calls are, for photos with a box, some 30 bytes a pixel at 12 megapixels, 35 to 70
    at 1.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> remove = alphacut.Remover(refine=None)
    >>> remove.warmup((48, 64))
    >>> remove(np.zeros((48, 64, 3), np.uint8), box=(8, 8, 20, 20)).alpha.shape
    (48, 64)
    """

    def __init__(
        self,
        *,
        box: Sequence[int | str] | None = None,
        points: Sequence[Sequence[float]] | None = None,
        labels: Any = None,
        mask: Any = None,
        trimap: Any = None,
        key: Any = None,
        model: Model | str | PathLike[str] | bytes | None = None,
        instance: int | None = None,
        similarity: float | None = None,
        blend: float | None = None,
        despill: bool = False,
        method: Method = "auto",
        subject: Subject = "auto",
        refine: Refinement | None = "auto",
        edge: Sequence[float] | None = None,
        clean: bool = True,
        foreground: bool = True,
        preprocess: Preparation | Sequence[Preparation] | None = None,
        device: str = "auto",
        seed: int = 0,
        steps: bool = False,
    ) -> None:
        self._options = Options.of(locals())  # all arguments by name
        self._latest: Session | None = None

    @cached_property
    def _memory(self) -> _core.BufferPool:
        """Lets buffers be used again, from the first call on."""
        return _core.BufferPool()

    def __call__(self, image: Any, *, resume: bool = False, **prompt: Any) -> Cutout:
        """Cut the subject out of one picture.

        Parameters
        ----------
        image
            As for :func:`remove_background`.
        resume : bool
            For strokes while they are drawn. If the latest graph cut, of whatever thread, was of this picture with this
            box: apply the changed `labels` to its mask instead of starting anew. That takes a fraction of the time, but
            the answer depends on the order of the strokes; a last call without `resume` gives the bytes of all strokes
            at once. Where there is no such cut, or another method does the work, it changes nothing. Such cuts are
            the CPU's, whatever the device.
        **prompt
            Any prompt of :func:`remove_background` but `model`, for this picture in place of the kept one.

        Returns
        -------
        Cutout

        Raises
        ------
        TypeError, ValueError, DecodeError, DeviceUnavailableError
            As :func:`remove_background`.
        """
        with self._memory:
            clock = Clock()
            with clock("read"):
                picture = files.as_picture(image, "image")
                session = self._latest
                if session is None or not session.shows(picture):
                    # A copy of an array of the caller's, who may write into it before the next call.
                    self._latest = session = Session(
                        self._options, picture, memory=self._memory, own=isinstance(image, np.ndarray)
                    )
            return session.cut_timed(clock, picture, flag(resume, "resume"), prompt)

    def once(self, image: Any) -> Cutout:
        """Cut a picture after which none is expected: less memory, as none is kept. Internal."""
        return _cut_once(self._options, image)

    def open(self, image: Any) -> Session:
        """Open a picture, to cut it prompt after prompt.

        Parameters
        ----------
        image
            As for :func:`remove_background`. An array is looked at in place, and must not change while the session is
            used.

        Returns
        -------
        Session

        Raises
        ------
        TypeError, ValueError, DecodeError
            As :func:`remove_background`.

        Examples
        --------
        >>> import numpy as np, alphacut
        >>> image = np.full((60, 80, 3), 90, np.uint8)
        >>> image[20:40, 10:30] = image[20:40, 50:70] = (200, 30, 30)
        >>> session = alphacut.Remover().open(image)
        >>> [session.cut(box=box).box for box in ((5, 15, 30, 30), (45, 15, 30, 30))]
        [(10, 20, 20, 20), (50, 20, 20, 20)]
        """
        clock = Clock()
        with clock("read"):
            picture = files.as_picture(image, "image")
            return Session(self._options, picture, memory=self._memory, clock=clock)

    @property
    def prompt(self) -> Prompt:
        """What it tells of every picture's subject."""
        return self._options.prompt

    def settings(self) -> dict[str, Any]:
        """The options and prompts that are not as they are by default and change the answer, by name."""
        told = {row.name: getattr(self.prompt, row.name) for row in PROMPTS if row.name != "model"}
        told = {name: value for name, value in told.items() if value is not None}
        for row in OPTIONS:
            value = getattr(self._options, row.name)
            if row.name not in ("device", "steps") and value != row.check(row.default, row.name):
                told[row.name] = value
        return told

    def warmup(self, shape: tuple[int, ...]) -> None:
        """Cut a made-up picture of this (height, width): starts the threads, fills the tables, sizes the buffers.

        If the GPU is to be used, it also compiles all that runs there, see :func:`alphacut.cuda.compile_kernels`.

        Raises
        ------
        TypeError, ValueError
            If `shape` does not begin with two whole numbers of at least 1.
        """
        if not isinstance(shape, (tuple, list)) or len(shape) < 2:
            raise TypeError(f"shape must be (height, width), got {shown(shape)}")
        height, width = (integer(side, "each side of shape", 1) for side in shape[:2])
        image = np.zeros((height, width, 3), np.uint8)
        image[height // 4 : -(-3 * height // 4), width // 4 : -(-3 * width // 4)] = 255
        prompt: dict[str, Any] = dict.fromkeys(Prompt.NAMES)
        if self._options.prompt.key is not None or self._options.method == "key":
            prompt["key"] = self._options.prompt.key
        else:
            prompt["box"] = (width // 8, height // 8, -(-3 * width // 4), -(-3 * height // 4))
        chosen = (
            _device.resolve(self._options.device, stage=stage, pixels=height * width) for stage in _device.CROSSOVER
        )
        where = next((device for device in chosen if device.kind == "cuda"), None)
        if where is not None:
            with where.active():
                compile_kernels()
        self(image, **prompt)

    def reset(self) -> None:
        """Give back the memory that all removers keep for pictures to come; the options stay."""
        self._latest = None
        self._memory.release()

    def __getstate__(self) -> dict[str, Any]:
        """The options; what is kept of the latest picture stays behind."""
        return {**self.__dict__, "_latest": None}
