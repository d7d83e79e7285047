"""From a picture to its cutout: the one place that knows the order of the stages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from os import PathLike
from typing import Any, TypeVar

import numpy as np

from . import _core, _device, io
from ._arrays import Array, as_uint8, choice, flag, integer, real
from ._prompt import Box, Prompt, nearest
from .chromakey import KeyColor, chroma_key, despill, find_key, key_color
from .components import component_stats, fill_holes, remove_small
from .cuda import compile_kernels
from .cutout import UNSURE, Cutout
from .foreground import estimate_foreground
from .graphcut import Cutter, GrabCut, grabcut
from .kmeans import kmeans
from .matting import make_trimap, refine_alpha
from .model import Model, as_model
from .preprocess import denoise, resize, white_balance
from .subject import detect_subject, subject_finder
from .threshold import threshold

_T = TypeVar("_T")

_METHODS = ("auto", "graphcut", "kmeans", "threshold", "key")
# Which methods can use a prompt.
_METHODS_FOR = {
    "box": ("auto", "graphcut", "kmeans", "threshold"),
    "points": ("auto", "graphcut"),
    "labels": ("auto", "graphcut"),
    "model": ("auto", "graphcut"),
    "mask": ("auto",),
    "trimap": ("auto",),
    "key": ("auto", "key"),
}
_SUBJECTS = ("auto", "learned", "barrier")
_REFINEMENTS = ("auto", "guided", "sampled", "closed_form")
_PREPROCESS: dict[str, Callable[[Array], Array]] = {"denoise": denoise, "white_balance": white_balance}

# The subject, the clusters and the confidence are found on a picture of at most this long side.
_SMALL_SIDE = 320
# A border this uniform is a studio ground: its colour is keyed out.
_UNIFORM_BORDER = 0.9
# Of method "kmeans".
_CLUSTERS = 8
# By what found the subject: the weight of its log-odds in the cut, and what is added to them before.
_TRUST_LEARNED, _TRUST_BARRIER, _TRUST_MODEL = (2.0, 0.0), (0.5, 0.6), (1.5, 0.0)
# The same, by the kind of the only strokes there are, 0 or 1: what they turn must be likelier than not.
_TRUST_STROKES = ((2.0, 0.85), (2.0, -1.2))
_DEFAULT_REFINEMENT = "closed_form"


def remove_background(
    image: Any,
    *,
    box: Sequence[int] | None = None,
    points: Sequence[Sequence[float]] | None = None,
    labels: Array | None = None,
    mask: Array | None = None,
    trimap: Array | None = None,
    key: Any = None,
    model: Model | str | PathLike[str] | bytes | None = None,
    instance: int | None = None,
    similarity: float | None = None,
    blend: float | None = None,
    despill: bool = False,
    method: str = "auto",
    subject: str = "auto",
    refine: str | None = "auto",
    clean: bool = True,
    foreground: bool = True,
    preprocess: str | Sequence[str] | None = None,
    device: str = "auto",
    seed: int = 0,
    steps: bool = False,
) -> Cutout:
    """Cut the subject out of a picture.

    Parameters
    ----------
    image : (H, W), (H, W, 3) or (H, W, 4) ndarray, or path, bytes, binary file object, Pillow image, Picture
        Arrays are RGB, uint8, uint16 or float32 (0..1). A fourth channel is the picture's own alpha: the result's alpha
        is the product.
    box : (x, y, width, height), optional
        The subject lies inside; what is outside is background.
    points : sequence of (x, y) or (x, y, keep), optional
        Pixels of the subject, or with keep = 0 of what is not. Each counts as a dab of a two-hundredth of the longer
        side. May join `box` and `labels`, on top of which they lie.
    labels : (H, W) uint8 ndarray, optional
        OpenCV's four: 0 background, 1 foreground, 2 probably background, 3 probably foreground. May join `box`.
    mask : (H, W) uint8 or bool ndarray, optional
        The subject, found already (nonzero): only its edge is refined.
    trimap : (H, W) uint8 ndarray, optional
        0 background, 255 foreground, anything between unknown: only the unknown is computed. Where something is
        unknown, there must be known pixels of both kinds.
    key : colour, optional
        "#rrggbb", CSS name or (r, g, b) in 0..255: the colour of the ground to take out.
    model : Model, or path or bytes of an ONNX file, optional
        A segmentation network of your own, which says where the subject is; the cut follows it where the colours and
        the border leave it open. May join `box` and `labels`, which go before it. See :class:`Model`.
    instance : int, optional
        For a `model` that finds several objects: only this one, by its place in :meth:`Model.instances`. By default all
        that it is sure of.
    similarity, blend : float, optional
        Of :func:`chroma_key`, where the ground is keyed out, by a `key` or by its uniform border; its defaults.
    despill : bool
        Where the ground is keyed out, take the tint that its colour has cast off `foreground`, see :func:`despill`.
    method : {"auto", "graphcut", "kmeans", "threshold", "key"}
        How the mask is found. "auto" follows the prompt; without one, a uniform border means "key", unless it is but
        the frame of a picture, and anything else "graphcut" around the detected subject.
    subject : {"auto", "learned", "barrier"}
        What says where the subject is, beside the prompt: a small network that comes with alphacut, or, without a
        prompt only, barrier distances, see :func:`detect_subject`. "auto" is "learned". A `model` takes its place.
    refine : {"auto", "guided", "sampled", "closed_form"} or None
        How the edge becomes a matte, see :func:`refine_alpha`; None keeps the hard mask (or the key's own ramp). "auto"
        is the key's own ramp for a key, else "closed_form": of the three it leaves the least error, from a mask a third
        of that of "guided" and nine tenths of that of "sampled", which takes two thirds of its time.
    clean : bool
        Drop parts below 5 % of the largest and fill holes below 1 % of the found mask.
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
        Its `confidence` is 1 for a mask or trimap, and the share of the border that the key explains for a key. For a
        graph cut with the learned subject it is the chance that the mask is good (intersection over union with the
        truth of at least 0.8), calibrated without any prompt, with a warning below 0.5; with a model it is how well the
        cut agrees with that. For anything else, and a prompt with "barrier", it is how far the colours inside and
        outside differ (1 − Bhattacharyya coefficient).

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
    A picture without any prompt and with a cluttered ground is hard: look at `confidence` and `warnings`, and give a
    box, or a `model`.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.full((60, 80, 3), 255, np.uint8)
    >>> image[20:40, 30:50] = (200, 30, 30)
    >>> cutout = alphacut.remove_background(image)
    >>> cutout.method, cutout.box
    ('key', (30, 20, 20, 20))
    """
    remover = Remover(
        box=box,
        points=points,
        labels=labels,
        mask=mask,
        trimap=trimap,
        key=key,
        model=model,
        instance=instance,
        similarity=similarity,
        blend=blend,
        despill=despill,
        method=method,
        subject=subject,
        refine=refine,
        clean=clean,
        foreground=foreground,
        preprocess=preprocess,
        device=device,
        seed=seed,
        steps=steps,
    )
    return remover._cutout(image, {})  # without memory kept for a next call


class Remover:
    """:func:`remove_background` with its options kept and checked once, for many pictures.

    Parameters
    ----------
    box, points, labels, mask, trimap, key, model, instance, similarity, blend, despill
    method, subject, refine, clean, foreground, preprocess, device, seed, steps
        As for :func:`remove_background`. Arrays are kept as they are, not copied; a model's file is loaded once.

    Raises
    ------
    TypeError, ValueError, ImportError, OSError, DeviceUnavailableError
        As :func:`remove_background`.

    Notes
    -----
    Calls from several threads at once are safe and give the same bytes, unless they resume. Of the latest picture that
    was cut by its colours it keeps what the next cut can use (a copy, the smaller ones, the flow, the labels, a model's
    map): called again with the same pixels and one more stroke, it gives the same bytes sooner, and with `resume`
    another answer much sooner.

    From the first call to the end of the last remover, memory of 64 KiB and more that stages and freed results leave
    serves the next calls, which then take none from the system for pictures of like size. What the last few calls did
    not use goes back. Kept between calls are, for a box, about 25 bytes a pixel at 12 megapixels and 100 at 1.

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
        box: Sequence[int] | None = None,
        points: Sequence[Sequence[float]] | None = None,
        labels: Array | None = None,
        mask: Array | None = None,
        trimap: Array | None = None,
        key: Any = None,
        model: Model | str | PathLike[str] | bytes | None = None,
        instance: int | None = None,
        similarity: float | None = None,
        blend: float | None = None,
        despill: bool = False,
        method: str = "auto",
        subject: str = "auto",
        refine: str | None = "auto",
        clean: bool = True,
        foreground: bool = True,
        preprocess: str | Sequence[str] | None = None,
        device: str = "auto",
        seed: int = 0,
        steps: bool = False,
    ) -> None:
        self._prompt = Prompt(box, points, labels, mask, trimap, key, instance, as_model(model))
        self._method = choice(method, "method", _METHODS)
        _require_usable(self._prompt, method)
        self._ramp = _key_ramp(similarity, blend)
        self._despill = flag(despill, "despill")
        _require_keying([*self._ramp, *["despill"] * self._despill], self._prompt, method)
        self._subject = choice(subject, "subject", _SUBJECTS)
        if model is not None and subject != "auto":
            raise ValueError(f"subject={subject!r} and model contradict: each says where the subject is")
        self._refine = None if refine is None else choice(refine, "refine", _REFINEMENTS)
        self._clean = flag(clean, "clean")
        self._foreground = flag(foreground, "foreground")
        names = () if preprocess is None else (preprocess,) if isinstance(preprocess, str) else preprocess
        if not isinstance(names, Sequence):
            raise TypeError(f"preprocess must be a str or a sequence of str, got {type(preprocess).__name__}")
        self._preprocess = [_PREPROCESS[choice(name, "preprocess", tuple(_PREPROCESS))] for name in names]
        _device.resolve(device, stage="kmeans", pixels=0)
        self._device = device
        self._seed = integer(seed, "seed", 0)
        self._steps = flag(steps, "steps")
        self._latest: _Latest | None = None

    @cached_property
    def _memory(self) -> _core.BlockReserve:
        """Lets blocks of memory be used again, from the first call on."""
        return _core.BlockReserve()

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
            `box`, `points`, `labels`, `mask`, `trimap`, `key` or `instance` for this picture, in place of the kept one.

        Returns
        -------
        Cutout

        Raises
        ------
        TypeError, ValueError, DecodeError, DeviceUnavailableError
            As :func:`remove_background`.
        """
        with self._memory:
            return self._cutout(image, prompt, flag(resume, "resume"))

    def _cutout(self, image: Any, prompt: dict[str, Any], resume: bool = False) -> Cutout:
        """What a call gives."""
        clock = _Clock()
        with clock("read"):
            picture = io.as_picture(image, "image")
            pixels = picture.pixels
            for plane in (pixels, picture.alpha):
                if plane is not None:
                    io.require_unit(plane, "image")
        if not prompt.keys() <= Prompt.NAMES:
            raise TypeError(f"{', '.join(prompt.keys() - Prompt.NAMES)}: prompts are {', '.join(sorted(Prompt.NAMES))}")
        hints = replace(self._prompt, **prompt).checked(pixels.shape[:2])

        with clock("preprocess"):
            working = pixels
            for step in self._preprocess:
                working = step(working)
        found = self._find(working, hints, clock, resume)
        if found.key is None and (self._ramp or self._despill):
            found.warnings.append("the ground was not keyed out: similarity, blend and despill changed nothing")

        with clock("refine"):
            alpha, refined_by = self._refined(working, found)
            if picture.alpha is not None:
                alpha = _product(alpha, picture.alpha)
        with clock("foreground"):
            colours = estimate_foreground(pixels, alpha) if self._foreground else pixels
            if self._despill and found.key is not None:
                # The preparation may have changed the colour of the ground that it was found by.
                colours = despill(colours, find_key(pixels) if self._preprocess and hints.key is None else found.key)
        mask = threshold(alpha, _half(alpha.dtype))
        return Cutout(
            image=pixels,
            mask=mask,
            alpha=alpha,
            foreground=colours,
            box=_bounding_box(mask),
            confidence=found.confidence,
            method=found.method,
            subject=found.subject,
            refine=refined_by,
            device=found.device,
            timings=clock.seconds,
            warnings=tuple(found.warnings),
            steps=_collected(pixels, working, found, refined_by, alpha, colours) if self._steps else {},
            icc_profile=picture.icc_profile,
            dpi=picture.dpi,
        )

    def warmup(self, shape: tuple[int, ...]) -> None:
        """Cut a made-up picture of this (height, width): starts the threads, fills the tables, sizes the buffers.

        If the GPU is to be used, it also compiles all that runs there, see :func:`alphacut.cuda.compile_kernels`.

        Raises
        ------
        TypeError, ValueError
            If `shape` does not begin with two whole numbers of at least 1.
        """
        if not isinstance(shape, (tuple, list)) or len(shape) < 2:
            raise TypeError(f"shape must be (height, width), got {shape!r}")
        height, width = (integer(side, "each side of shape", 1) for side in shape[:2])
        image = np.zeros((height, width, 3), np.uint8)
        image[height // 4 : -(-3 * height // 4), width // 4 : -(-3 * width // 4)] = 255
        prompt: dict[str, Any] = dict.fromkeys(Prompt.NAMES)
        if self._prompt.key is not None or self._method == "key":
            prompt["key"] = self._prompt.key
        else:
            prompt["box"] = (width // 8, height // 8, -(-3 * width // 4), -(-3 * height // 4))
        chosen = (_device.resolve(self._device, stage=stage, pixels=height * width) for stage in _device.CROSSOVER)
        where = next((device for device in chosen if device.kind == "cuda"), None)
        if where is not None:
            with where.active():
                compile_kernels()
        self(image, **prompt)

    def reset(self) -> None:
        """Give back the memory that all removers keep for pictures to come; the options stay."""
        self._latest = None
        self._memory.release()

    def _find(self, image: Array, hints: Prompt, clock: _Clock, resume: bool, cutter: Cutter | None = None) -> _Found:
        """The mask, trimap or alpha that the prompt and the method lead to; by this cutter, or the one that is kept."""
        method = self._method
        _require_usable(hints, method)
        if hints.trimap is not None:
            return _Found("trimap", hints.trimap)
        if hints.mask is not None:
            return _Found("mask", hints.mask)
        if method == "auto" and any(hint is not None for hint in (hints.box, hints.labels, hints.model)):
            method = "graphcut"
        if method in ("auto", "key"):
            must = method == "key" or hints.key is not None
            found = self._by_key(image, hints, clock, must)
            if found is not None:
                return found if must else self._unless_framed(found, image, hints, clock)
            method = "graphcut"
        if method == "graphcut":
            return self._by_graphcut(image, hints, clock, resume, cutter)
        by_colour = self._by_kmeans if method == "kmeans" else self._by_threshold
        return by_colour(image, hints, clock)

    def _by_key(self, image: Array, hints: Prompt, clock: _Clock, must: bool) -> _Found | None:
        """The ground's colour taken out; None where it need not be and the border is not uniform."""
        with clock("key"):
            key = find_key(image) if hints.key is None else key_color(hints.key)
            if hints.key is None and key.uniformity < _UNIFORM_BORDER and not must:
                return None
            alpha = chroma_key(image, key, contiguous=hints.key is None, **self._ramp)
            uniformity = key.uniformity if hints.key is None else _keyed_border(alpha)
        with clock("clean"):
            mask = threshold(alpha, _half(alpha.dtype))
            if self._clean:
                mask = _cleaned(mask)
                np.copyto(alpha, 0, where=make_trimap(mask, band=3) == 0)
        found = _Found("key", mask, alpha=alpha, key=key, confidence=uniformity)
        if uniformity < _UNIFORM_BORDER:
            found.warnings.append(f"only {uniformity:.0%} of the border has the colour that was keyed out")
        return found

    def _unless_framed(self, keyed: _Found, image: Array, hints: Prompt, clock: _Clock) -> _Found:
        """What was keyed out by a uniform border; or, where that is but the frame of a picture, its subject."""
        box = _bounding_box(keyed.hint)
        if self._subject == "barrier" or box is None or 4 * box[2] * box[3] < 3 * keyed.hint.size:
            return keyed
        if np.count_nonzero(keyed.hint) < 0.95 * box[2] * box[3]:
            return keyed
        with clock("subject"):
            latest = self._kept(image)
            small = latest.small
            saliency, _ = latest.finder.find(None, None, *small.shape[:2])
        if not saliency.any() or _agreement(saliency, nearest(keyed.hint, small.shape[:2])) >= 0.5:
            return keyed
        found = self._by_graphcut(image, hints, clock, resume=False)
        found.warnings.append("the uniform border was taken for a frame; method='key' keys it out")
        return found

    def _by_graphcut(
        self, image: Array, hints: Prompt, clock: _Clock, resume: bool, cutter: Cutter | None = None
    ) -> _Found:
        """GrabCut from the prompt and from what finds the subject."""
        prompted = hints.box is not None or hints.labels is not None
        found = _Found("graphcut", np.zeros(image.shape[:2], np.uint8))
        with clock("subject"):
            latest = self._kept(image)
            small = latest.small
            saliency, prior = self._prior(image, latest, hints, found)
            found.saliency = saliency
        if prompted or prior is not None:

            def cut(device: str) -> GrabCut:
                labels, box, seed, clean = hints.labels, hints.box, self._seed, self._clean
                if device == "cpu":
                    by = cutter or latest.cutter
                    return by.cut(labels, box, prior, seed=seed, clean=clean, resume=resume)
                return grabcut(image, labels, box=box, unary=prior, seed=seed, clean=clean, device=device)

            with clock("segment"):
                made = cut("cpu") if resume else self._on_device("grabcut", image, cut, found)
                learned = found.subject == "learned" and prior is not None
                found.hint = self._one_way(image, hints, latest, made.mask) if learned else made.mask
            found.warnings += made.warnings
        if saliency is None or (prompted and not saliency.any()):
            found.confidence = _colour_separation(small, nearest(found.hint, small.shape[:2]))
        elif found.subject == "learned":
            found.confidence = _core.confidence_of(saliency, nearest(found.hint, saliency.shape))
            if found.hint.any() and found.confidence < UNSURE:
                found.warnings.append(f"unsure of the subject ({found.confidence:.2f}): a box or more strokes help")
        else:
            found.confidence = _agreement(saliency, nearest(found.hint, saliency.shape))
        if not found.hint.any():
            found.warnings.append("no subject was found: the mask is empty")
            found.confidence = 0.0
        return found

    def _one_way(self, image: Array, hints: Prompt, latest: _Latest, mask: Array) -> Array:
        """The cut, where strokes of one kind alone do not the reverse of what they say.

        To keep takes nothing away from what is found without strokes, to remove adds nothing to it.
        """
        kind = _only_kind(hints)
        if kind is None:
            return mask
        box, unprompted = latest.unprompted or (None, None)
        if unprompted is None or box != hints.box:
            plain = replace(hints, labels=None, points=None)
            # With a cutter of its own, so that what the next stroke goes on from stays.
            unprompted = self._find(image, plain, _Clock(), False, Cutter(latest.image)).hint
            latest.unprompted = plain.box, unprompted
        if kind == 1:
            mask = np.maximum(mask, unprompted)
            return fill_holes(mask, int(np.count_nonzero(mask)) // 100) if self._clean else mask
        mask = np.minimum(mask, unprompted)
        return _without_small(mask) if self._clean else mask

    def _prior(self, image: Array, latest: _Latest, hints: Prompt, found: _Found) -> tuple[Array | None, Array | None]:
        """How likely each pixel belongs to the subject, and that as log-odds for the cut, at any size.

        No log-odds if there is no subject; neither if the prompt alone decides.
        """
        prompted = hints.box is not None or hints.labels is not None
        log_odds: Array | None = None
        if hints.model is not None:
            found.subject, trust = "model", _TRUST_MODEL
            saliency, nothing = self._model_map(latest, hints), "the model finds no subject"
        elif self._subject != "barrier":
            kind = _only_kind(hints)
            found.subject, trust = "learned", _TRUST_LEARNED if kind is None else _TRUST_STROKES[kind]
            saliency, log_odds = latest.finder.find(hints.labels, hints.box, *latest.small.shape[:2])
            nothing = "nothing stands out in the picture"
        elif not prompted:
            found.subject, trust = "barrier", _TRUST_BARRIER
            saliency = detect_subject(latest.small, method="barrier")
            nothing = "nothing stands out from the border of the picture"
        else:
            return None, None
        if not saliency.any():  # a small box may lie between the pixels of the learned map
            if found.subject == "model" or not prompted:
                found.warnings.append(nothing)
            return saliency, None
        return saliency, _weighed(_log_odds(saliency) if log_odds is None else log_odds, *trust)

    def _model_map(self, latest: _Latest, hints: Prompt) -> Array:
        """The model's map, that of the latest call if its picture was the same: a stroke costs no second run."""
        seen = latest.map
        if seen is None or seen[0] != hints.instance:
            assert hints.model is not None
            latest.map = seen = hints.instance, hints.model.small_map(latest.image, hints.instance)
        return seen[1]

    def __getstate__(self) -> dict[str, Any]:
        """The options; what is kept of the latest picture stays behind."""
        return {**self.__dict__, "_latest": None}

    def _kept(self, image: Array) -> _Latest:
        """What is kept of this picture: from the latest call if that was of the same, so that a stroke costs less."""
        latest = self._latest
        if latest is None or not _core.same_bytes(latest.image, image):
            self._latest = latest = _Latest(image.copy())
        return latest

    def _by_kmeans(self, image: Array, hints: Prompt, clock: _Clock) -> _Found:
        """The subject is the colour clusters twice as common inside as at the border (or outside the box)."""
        found = _Found("kmeans", np.zeros((0, 0), np.uint8))
        with clock("segment"):
            found.hint = self._on_device("kmeans", image, partial(self._clustered, image, hints), found)
        return self._finished(found, image, hints, clock)

    def _on_device(self, stage: str, image: Array, run: Callable[[str], _T], found: _Found) -> _T:
        """What `run` gives on the device that is best for this stage; if "auto" finds that it fails, on the CPU."""
        found.device = str(_device.resolve(self._device, stage=stage, pixels=image.shape[0] * image.shape[1]))
        try:
            return run(found.device)
        except _device.DeviceUnavailableError as error:
            if self._device != "auto":
                raise
            found.device = "cpu"
            found.warnings.append(f"{stage} ran on the CPU: {error}")
            return run("cpu")

    def _clustered(self, image: Array, hints: Prompt, device: str) -> Array:
        small = _shrunk(image, _SMALL_SIDE)
        clusters = kmeans(small, _CLUSTERS, seed=self._seed, device=device)
        outside = hints.surely_outside(small.shape[:2])
        counts = [np.bincount(clusters.labels[where], minlength=_CLUSTERS) for where in (outside, ~outside)]
        subject = counts[1] * counts[0].sum() > 2 * counts[0] * counts[1].sum()
        full = kmeans(image, _CLUSTERS, init=clusters.centers, max_iter=1, seed=self._seed, device=device)
        mask: Array = (subject * np.uint8(255))[full.labels]
        return mask

    def _by_threshold(self, image: Array, hints: Prompt, clock: _Clock) -> _Found:
        """Otsu's threshold; the side that is commoner at the border (or outside the box) is background."""
        with clock("segment"):
            mask = threshold(image, "otsu")
            if np.mean(mask[hints.surely_outside(mask.shape)] == 255) > 0.5:
                mask = 255 - mask
        return self._finished(_Found("threshold", mask), image, hints, clock)

    def _finished(self, found: _Found, image: Array, hints: Prompt, clock: _Clock) -> _Found:
        """What the two colour methods end with: nothing outside the box, clean, and judged."""
        if hints.box is not None:
            found.hint[hints.outside(found.hint.shape)] = 0
        with clock("clean"):
            if self._clean:
                found.hint = _cleaned(found.hint)
        small = _shrunk(image, _SMALL_SIDE)
        found.confidence = _colour_separation(small, nearest(found.hint, small.shape[:2]))
        if not found.hint.any():
            found.warnings.append("no subject was found: the mask is empty")
        return found

    def _refined(self, image: Array, found: _Found) -> tuple[Array, str | None]:
        """The alpha, in the picture's depth, and what refined it."""
        if found.alpha is not None and self._refine in (None, "auto"):
            return found.alpha, None
        if self._refine is None or (found.method == "trimap" and not _core.trimap_kinds(found.hint)[1]):
            return _in_depth(found.hint, image.dtype), None
        method = _DEFAULT_REFINEMENT if self._refine == "auto" else self._refine
        return refine_alpha(image, found.hint, method=method), method


@dataclass
class _Latest:
    """What a remover keeps of a picture for the next call."""

    image: Array
    map: tuple[int | None, Array] | None = None  # the model's, after the instance it is of
    unprompted: tuple[Any, Array] | None = None  # the mask without strokes, after the box it is of

    @cached_property
    def small(self) -> Array:
        """What the subject, the clusters and the confidence are found on."""
        return _shrunk(self.image, _SMALL_SIDE)

    @cached_property
    def cutter(self) -> Cutter:
        return Cutter(self.image)

    @cached_property
    def finder(self) -> _core.SubjectFinder:
        return subject_finder(self.image, self.small)


@dataclass
class _Found:
    """What finding the subject gave, and how much it is to be trusted."""

    method: str
    hint: Array  # a mask, or a trimap if the caller gave one
    alpha: Array | None = None  # a key's own
    key: KeyColor | None = None
    saliency: Array | None = None
    subject: str | None = None
    device: str = "cpu"
    confidence: float = 1.0
    warnings: list[str] = field(default_factory=list)


def _collected(
    image: Array, working: Array, found: _Found, refined_by: str | None, alpha: Array, colours: Array
) -> dict[str, Array]:
    """What each step gave, in order."""
    steps = {} if working is image else {"preprocess": working}
    if found.saliency is not None:
        steps["subject"] = found.saliency.copy()  # a model's is kept for the next call
    if found.method != "trimap":
        steps["mask"] = found.hint
    if refined_by is not None:
        steps["trimap"] = found.hint if found.method == "trimap" else make_trimap(found.hint)
    steps["alpha"] = alpha
    return steps if colours is image else {**steps, "foreground": colours}


class _Clock:
    """Seconds of each stage, in the order they ran."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


def _shrunk(image: Array, side: int) -> Array:
    """The picture with a long side of at most `side`."""
    height, width = image.shape[:2]
    longest = max(height, width)
    if longest <= side:
        return image
    return resize(image, (max(1, round(height * side / longest)), max(1, round(width * side / longest))), method="area")


def _keyed_border(alpha: Array) -> float:
    """The share of the border's pixels that went with the ground."""
    border = np.concatenate([alpha[0], alpha[-1], alpha[1:-1, 0], alpha[1:-1, -1]])
    return float(np.mean(border <= _half(alpha.dtype)))


def _require_usable(hints: Prompt, method: str) -> None:
    """The method can use the prompts."""
    for prompt, methods in _METHODS_FOR.items():
        if getattr(hints, prompt) is not None and method not in methods:
            raise ValueError(f"method={method!r} cannot use {prompt}: it goes with {', '.join(methods)}")


def _key_ramp(similarity: float | None, blend: float | None) -> dict[str, Any]:
    """What is given of the two, in their ranges."""
    given = {"similarity": similarity, "blend": blend}
    ramp: dict[str, Any] = {name: real(value, name) for name, value in given.items() if value is not None}
    chroma_key(np.zeros((1, 1), np.uint8), "black", **ramp)
    return ramp


def _require_keying(options: Sequence[str], hints: Prompt, method: str) -> None:
    """Nothing rules out that a ground is keyed, if there are options for it."""
    others = [name for name in _METHODS_FOR if name != "key" and getattr(hints, name) is not None]
    if options and (others or method not in _METHODS_FOR["key"]):
        ruled_out = " and ".join(others) if others else f"method={method!r}"
        raise ValueError(f"{' and '.join(options)}: for a ground that is keyed out, which {ruled_out} rules out")


def _only_kind(hints: Prompt) -> int | None:
    """1 or 0 if the labels are strokes of foreground or background alone; None if they tell anything else."""
    labels = hints.labels
    if labels is None:
        return None
    kinds = [bool((labels == kind).any()) for kind in range(4)]
    if kinds[0] == kinds[1] or (kinds[2] and kinds[3]):
        return None
    # Background along a whole side makes a box of what is left.
    sides = (labels[0], labels[-1], labels[:, 0], labels[:, -1])
    return None if hints.box is None and not all(side.any() for side in sides) else int(kinds[1])


def _without_small(mask: Array) -> Array:
    """Without parts below 5 % of the largest."""
    areas = component_stats(mask).area
    return remove_small(mask, -(-int(areas.max()) // 20)) if len(areas) else mask


def _cleaned(mask: Array) -> Array:
    """Without parts below 5 % of the largest and holes below 1 %."""
    mask = _without_small(mask)
    return fill_holes(mask, int(np.count_nonzero(mask)) // 100)


def _log_ratio(a: Array, b: Array) -> Array:
    """log(a / b) of positive numbers from arithmetic that is exact to the bit everywhere, which np.log is not."""
    t = (a.astype(np.float64) - b) / (a.astype(np.float64) + b)  # log(a / b) = 2 artanh t
    for _ in range(5):
        t = t / (1 + np.sqrt(1 - t * t))  # halves artanh t
    square = t * t
    series = 1 + square * (1 / 3 + square * (1 / 5 + square * (1 / 7 + square / 9)))
    return (64 * t * series).astype(np.float32)


def _log_odds(saliency: Array) -> Array:
    """A detected subject as log-odds."""
    probability = np.clip(saliency, 0.02, 0.98)
    return _log_ratio(probability, 1 - probability)


def _weighed(log_odds: Array, weight: float, bias: float) -> Array:
    """Log-odds as the cut takes them."""
    return np.float32(weight) * (log_odds + np.float32(bias))


def _agreement(probability: Array, mask: Array) -> float:
    """Soft intersection over union of what was detected and what was cut."""
    inside = mask > 0
    union = np.count_nonzero(inside) + float(probability[~inside].sum(dtype=np.float64))
    return float(probability[inside].sum(dtype=np.float64)) / union if union > 0 else 0.0


def _colour_separation(image: Array, mask: Array) -> float:
    """1 − Bhattacharyya coefficient of the colours (8 levels a channel) inside and outside the mask."""
    levels = as_uint8(image) >> 5
    bins = levels if levels.ndim == 2 else levels.astype(np.int16) @ np.array((64, 8, 1), np.int16)
    inside = mask > 0
    if inside.all() or not inside.any():
        return 0.0
    shares = [np.bincount(bins[where], minlength=512) / np.count_nonzero(where) for where in (inside, ~inside)]
    return float(np.clip(1 - np.sqrt(shares[0] * shares[1]).sum(), 0, 1))


def _half(dtype: np.dtype[Any]) -> float:
    """Alpha above this is above one half."""
    return {"uint8": 127, "uint16": 32767}.get(dtype.name, 0.5)


def _in_depth(alpha: Array, dtype: np.dtype[Any]) -> Array:
    """A uint8 alpha in the picture's depth."""
    if dtype == np.uint16:
        return alpha.astype(np.uint16) * np.uint16(257)
    return alpha.copy() if dtype == np.uint8 else alpha.astype(np.float32) / np.float32(255)


def _product(alpha: Array, own: Array) -> Array:
    """Two alphas of one depth multiplied, rounded to nearest."""
    if alpha.dtype == np.float32:
        return alpha * own
    full = np.iinfo(alpha.dtype).max
    product = np.multiply(alpha, own, dtype=np.uint16 if full == 255 else np.uint32)
    product += full // 2
    product //= full
    return product.astype(alpha.dtype)


def _bounding_box(mask: Array) -> Box | None:
    """(x, y, width, height) of the nonzero pixels."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y
