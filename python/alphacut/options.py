"""What a remover does, checked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _device
from ._arrays import choice, flag, integer, real
from ._prompt import Prompt
from .chromakey import chroma_key
from .matting import adjust_edge

METHODS = ("auto", "graphcut", "kmeans", "threshold", "key")
SUBJECTS = ("auto", "learned", "barrier")
REFINEMENTS = ("auto", "guided", "sampled", "closed_form")
PREPARATIONS = ("denoise", "white_balance")
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


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of :func:`remove_background`, and the prompts that a remover keeps.

    Raises TypeError or ValueError as that does, and DeviceUnavailableError.
    """

    prompt: Prompt
    similarity: float | None = None
    blend: float | None = None
    despill: bool = False
    method: str = "auto"
    subject: str = "auto"
    refine: str | None = "auto"
    edge: Sequence[float] | None = None
    clean: bool = True
    foreground: bool = True
    preprocess: str | Sequence[str] | None = None
    device: str = "auto"
    seed: int = 0
    steps: bool = False
    preparations: tuple[str, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        choice(self.method, "method", METHODS)
        self.require_usable(self.prompt)
        for name in ("similarity", "blend"):
            value = getattr(self, name)
            if value is not None:
                ramp: dict[str, Any] = {name: real(value, name)}
                chroma_key(np.zeros((1, 1), np.uint8), "black", **ramp)
        for name in ("despill", "clean", "foreground", "steps"):
            flag(getattr(self, name), name)
        self._require_keying()
        choice(self.subject, "subject", SUBJECTS)
        if self.prompt.model is not None and self.subject != "auto":
            raise ValueError(f"subject={self.subject!r} and model contradict: each says where the subject is")
        if self.refine is not None:
            choice(self.refine, "refine", REFINEMENTS)
        object.__setattr__(self, "edge", _edge(self.edge))
        names = () if self.preprocess is None else self.preprocess
        names = (names,) if isinstance(names, str) else names
        if not isinstance(names, Sequence):
            raise TypeError(f"preprocess must be a str or a sequence of str, got {type(names).__name__}")
        object.__setattr__(self, "preparations", tuple(choice(name, "preprocess", PREPARATIONS) for name in names))
        _device.resolve(self.device, stage="kmeans", pixels=0)
        integer(self.seed, "seed", 0)

    def require_usable(self, prompt: Prompt) -> None:
        """The method can use the prompts."""
        for name, methods in _METHODS_FOR.items():
            if getattr(prompt, name) is not None and self.method not in methods:
                raise ValueError(f"method={self.method!r} cannot use {name}: it goes with {', '.join(methods)}")

    def _require_keying(self) -> None:
        """Nothing rules out that a ground is keyed, if there are options for it."""
        given = [name for name in ("similarity", "blend") if getattr(self, name) is not None]
        given += ["despill"] * self.despill
        others = [name for name in _METHODS_FOR if name != "key" and getattr(self.prompt, name) is not None]
        if given and (others or self.method not in _METHODS_FOR["key"]):
            ruled_out = " and ".join(others) if others else f"method={self.method!r}"
            raise ValueError(f"{' and '.join(given)}: for a ground that is keyed out, which {ruled_out} rules out")

    def of_core(self, network: object) -> dict[str, Any]:
        """As the core takes them."""
        return {
            "network": network,
            "method": self.method,
            "similarity": self.similarity,
            "blend": self.blend,
            "despill": bool(self.despill),
            "refine": self.refine,
            "edge": self.edge or (0.0, 0.0),
            "clean": bool(self.clean),
            "foreground": bool(self.foreground),
            "preprocess": self.preparations,
            "seed": integer(self.seed, "seed"),
        }


def _edge(given: Sequence[float] | None) -> tuple[float, float] | None:
    """Shift and feather in their ranges."""
    if given is None:
        return None
    if not isinstance(given, (Sequence, np.ndarray)) or isinstance(given, str):
        raise TypeError(f"edge must be (shift, feather) in pixels, got {type(given).__name__}")
    if len(given) != 2:
        raise ValueError(f"edge must be (shift, feather) in pixels, got {len(given)} values")
    shift, feather = (real(value, f"{name} of edge") for name, value in zip(("shift", "feather"), given, strict=True))
    adjust_edge(np.zeros((1, 1), np.uint8), shift=shift, feather=feather)
    return shift, feather
