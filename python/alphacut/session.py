"""One opened picture, and its cutouts."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any

import numpy as np

from . import _core, _device, files
from ._arrays import Array, flag, full_scale
from ._prompt import Prompt
from .clustering import kmeans
from .cutout import Cutout
from .graphcut import grabcut
from .matting import make_trimap
from .model import Instance
from .options import Options
from .subject import network

# Of the core's centres of clusters, the units of full scale.
_UNITS = 16320
# Sessions and trackers of a parent process: another thread may have been at work in one when the process was forked,
# so that it can neither be used nor ended.
ABANDONED: list[object] = []


class Clock:
    """Seconds of each stage, in the order they ran."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.add({stage: time.perf_counter() - start})

    def add(self, seconds: Mapping[str, float]) -> None:
        """What others measured."""
        for stage, more in seconds.items():
            self.seconds[stage] = self.seconds.get(stage, 0.0) + more


class Session:
    """One opened picture, see :meth:`Remover.open`: one prompt after another, each at a fraction of the first's cost.

    It keeps what prompts share: the smaller copies, what the network saw, the flow of the cut, the maps of a model. The
    same prompt gives the same bytes, whatever came before, unless a cut resumes. Calls from several threads find the
    subject one after the other, and refine at the same time.

    A session is a context manager: its end gives the memory back.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.full((60, 80, 3), 90, np.uint8)
    >>> image[20:40, 30:50] = (200, 30, 30)
    >>> with alphacut.Remover(refine=None).open(image) as session:
    ...     cutout = session.cut(box=(25, 15, 30, 30))
    >>> session.size, cutout.box
    ((60, 80), (30, 20, 20, 20))
    """

    def __init__(
        self,
        options: Options,
        picture: files.Picture,
        *,
        memory: AbstractContextManager[object],
        own: bool = False,
        clock: Clock | None = None,
    ) -> None:
        files.require_unit_planes(picture, "image")
        self._options, self._memory, self._read = options, memory, clock
        if own:
            alpha = None if picture.alpha is None else picture.alpha.copy("C")
            picture = replace(picture, pixels=picture.pixels.copy("C"), alpha=alpha)
        self._picture = picture
        self._maps: dict[int | None, Array] = {}
        self._lock = threading.Lock()
        self._core: _core.Session | None = None
        self._process, self._closed = os.getpid(), False

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the picture."""
        height, width = self._picture.pixels.shape[:2]
        return height, width

    def cut(self, *, resume: bool = False, **prompt: Any) -> Cutout:
        """Cut the subject out.

        Parameters
        ----------
        resume : bool
            For strokes while they are drawn: go on from the latest graph cut, of the same box, instead of starting
            anew. That takes a fraction of the time, but the answer depends on the order of the strokes. Such cuts are
            the CPU's, whatever the device.
        **prompt
            Any prompt of :func:`remove_background` but `model`, in place of the remover's.

        Returns
        -------
        Cutout

        Raises
        ------
        TypeError, ValueError, DeviceUnavailableError
            As :func:`remove_background`; ValueError of a closed session, too.
        """
        self._open()
        with self._lock:  # the first cut tells what reading took
            first, self._read = self._read, None
        clock = first or Clock()
        clock.add({"read": 0.0})
        with self._memory:
            return self.cut_timed(clock, self._picture, flag(resume, "resume"), prompt)

    def instances(self) -> list[Instance]:
        """What the remover's model finds, see :meth:`Model.instances`: the place in this list is an `instance`."""
        model = self._open().prompt.model
        if model is None:
            raise ValueError("instances are found by a model, but the remover has none")
        return model.instances(self._picture.pixels)

    def cancel(self) -> None:
        """End the cuts that other threads are making: they raise :class:`Cancelled`. Later ones are made as ever."""
        core = self._core
        if core is not None:
            core.cancel()

    def close(self) -> None:
        """Give the memory back; a second time does nothing."""
        self._core, self._maps, self._closed = None, {}, True

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def shows(self, picture: files.Picture) -> bool:
        """Whether it is of these pixels."""
        mine = self._picture
        planes = (mine.pixels, picture.pixels), (mine.alpha, picture.alpha)
        return all(a is b or (a is not None and b is not None and _core.same_bytes(a, b)) for a, b in planes)

    def cut_timed(self, clock: Clock, picture: files.Picture, resume: bool, prompt: dict[str, Any]) -> Cutout:
        """:meth:`cut` of the same pixels in the caller's array."""
        options = self._open()
        hints = hints_of(options, prompt, picture)
        with self._lock:
            if self._core is None:
                learned = options.subject != "barrier" and hints.model is None
                self._core = _core.Session(
                    self._picture.pixels, self._picture.alpha, options.of_core(network if learned else None)
                )
            core = self._core
        model_clock = Clock()
        with model_clock("subject"):
            prior = None if hints.model is None else self._model_map(core, hints)
        device = _Elsewhere(options, self._picture.pixels)
        found = core.cut(
            {**hints.of_core(), "prior": prior}, resume, device.grabcut_if_chosen(), device.kmeans_if_chosen()
        )
        clock.add(found["timings"])
        if prior is not None:
            clock.add(model_clock.seconds)
        return replace(
            cutout_of(picture, found, clock),
            device=device.used,
            warnings=(*found["warnings"], *device.warnings),
            steps=_steps(found, core.prepared()) if options.steps else {},
        )

    def _open(self) -> Options:
        """The options, of a session that is not closed; in a child process it begins anew."""
        if self._closed:
            raise ValueError("the session is closed")
        if self._process != os.getpid():
            ABANDONED.append(self._core)
            self._core, self._lock, self._process = None, threading.Lock(), os.getpid()
        return self._options

    def _model_map(self, core: _core.Session, hints: Prompt) -> Array:
        """The model's map: a stroke costs no second run."""
        known = self._maps.get(hints.instance)
        if known is None:
            assert hints.model is not None
            prepared = core.prepared()
            pixels = self._picture.pixels if prepared is None else prepared
            self._maps[hints.instance] = known = hints.model.small_map(pixels, hints.instance)
        return known


def hints_of(
    options: Options, prompt: dict[str, Any], picture: files.Picture, names: frozenset[str] = Prompt.NAMES
) -> Prompt:
    """The prompts of a call, any of `names`, in place of those that are kept; checked for the picture."""
    if not prompt.keys() <= names:
        raise TypeError(f"{', '.join(sorted(prompt.keys() - names))}: prompts are {', '.join(sorted(names))}")
    hints = replace(options.prompt, **prompt).checked(picture.pixels.shape[:2])
    options.require_usable(hints)
    return hints


def cutout_of(picture: files.Picture, found: dict[str, Any], clock: Clock) -> Cutout:
    """What the core found in a picture."""
    return Cutout(
        image=picture.pixels,
        mask=found["mask"],
        alpha=found["alpha"],
        foreground=picture.pixels if found["foreground"] is None else found["foreground"],
        box=found["box"],
        confidence=found["confidence"],
        method=found["method"],
        subject=found["subject"],
        refine=found["refine"],
        timings=clock.seconds,
        warnings=tuple(found["warnings"]),
        icc_profile=picture.icc_profile,
        dpi=picture.dpi,
        exif=picture.exif,
    )


class _Elsewhere:
    """The stages that may run on a GPU, for one cut; the core does what they decline."""

    def __init__(self, options: Options, image: Array) -> None:
        self._options, self._image = options, image
        self.used = "cpu"
        self.warnings: list[str] = []

    def grabcut_if_chosen(self) -> Callable[..., Any] | None:
        """What cuts there, if the device is one."""
        return self._grabcut if self._chosen("grabcut") else None

    def kmeans_if_chosen(self) -> Callable[..., Any] | None:
        """What clusters there, if the device is one."""
        return self._kmeans if self._chosen("kmeans") else None

    def _chosen(self, stage: str) -> bool:
        return self._device(stage).kind == "cuda"

    def _device(self, stage: str) -> _device.Device:
        pixels = self._image.shape[0] * self._image.shape[1]
        return _device.resolve(self._options.device, stage=stage, pixels=pixels)

    def _run(self, stage: str, run: Callable[[str], Any]) -> Any:
        """What `run` gives on the device; None if "auto" finds that it fails."""
        device = str(self._device(stage))
        try:
            made = run(device)
        except _device.DeviceUnavailableError as error:
            if self._options.device != "auto":
                raise
            warning = f"{stage} ran on the CPU: {error}"
            self.warnings += [warning] * (warning not in self.warnings)
            return None
        self.used = device
        return made

    def _grabcut(self, labels: Array | None, box: Any, unary: Array | None, max_iter: int) -> Any:
        options: dict[str, Any] = {"seed": self._options.seed, "clean": bool(self._options.clean), "max_iter": max_iter}
        made = self._run(
            "grabcut",
            lambda device: grabcut(self._image, labels, box=box, unary=unary, device=device, **options),
        )
        return None if made is None else (made.mask, made.warnings)

    def _kmeans(self, small: Array | None, n_clusters: int, max_iter: int, init: list[int]) -> Any:
        picture = self._image if small is None else small
        full = full_scale(picture)
        start: Any = np.array(init).reshape(n_clusters, -1) * (full / _UNITS) if init else "k-means++"
        made = self._run(
            "kmeans",
            lambda device: kmeans(
                picture, n_clusters, seed=self._options.seed, max_iter=max_iter, init=start, device=device
            ),
        )
        if made is None:
            return None
        return made.labels, np.floor(made.centers * (_UNITS / full) + 0.5).astype(int).ravel().tolist()


def _steps(found: dict[str, Any], prepared: Array | None) -> dict[str, Array]:
    """What each step gave, in order."""
    trimap = found["method"] == "trimap"
    made = {
        "preprocess": prepared,
        "subject": found["saliency"],
        "mask": None if trimap else found["found"],
        "trimap": None,
        "alpha": found["alpha"],
        "foreground": found["foreground"],
    }
    if found["refine"] is not None:
        made["trimap"] = found["found"] if trimap else found["trimap"]
        if made["trimap"] is None:
            made["trimap"] = make_trimap(found["found"])
    return {name: array for name, array in made.items() if array is not None}
