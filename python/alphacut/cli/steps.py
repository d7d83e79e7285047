"""The steps of a cutout as pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .._arrays import Array, as_uint8, clipped
from .._prompt import Prompt
from .._strokes import Stroke, draw_labels
from ..files import write_image
from ..preprocess import resize

if TYPE_CHECKING:
    from .. import Cutout

KEEP, REMOVE = (0, 255, 0), (220, 0, 0)


def pictures(cutout: Cutout, prompt: Prompt) -> dict[str, Array]:
    """The input with its prompt drawn, each step in the picture's size, and the cutout over a checkerboard.

    `cutout` has its steps.
    """
    size = cutout.alpha.shape
    steps = {
        name: step if step.shape[:2] == size else resize(step, size, method="bilinear")
        for name, step in cutout.steps.items()
    }
    return {"input": _with_prompt(cutout.image, prompt), **steps, "checkerboard": cutout.on("checkerboard")}


def write(steps: Mapping[str, Array], folder: str | os.PathLike[str], prefix: str = "") -> None:
    """Each step as a numbered picture. With a prefix, those of that prefix that an earlier run left are taken away."""
    os.makedirs(folder, exist_ok=True)
    if prefix:
        for path in Path(folder).glob(f"{escape(prefix)}[0-9][0-9]-*.png"):
            path.unlink()
    for number, (name, pixels) in enumerate(steps.items(), 1):
        write_image(os.path.join(folder, f"{prefix}{number:02}-{name}.png"), pixels)


def _with_prompt(image: Array, prompt: Prompt) -> Array:
    """A copy in 8 bits and colour with the prompt drawn: green to keep, red to remove."""
    drawn = as_uint8(image)
    drawn = drawn.copy() if drawn.ndim == 3 else np.repeat(drawn[..., None], 3, axis=2)
    if prompt.labels is not None:
        drawn[prompt.labels == 0] = REMOVE
        drawn[prompt.labels == 1] = KEEP
    if prompt.points is not None:
        width = max(3, max(drawn.shape) / 100)
        dabs = [Stroke(len(p) < 3 or bool(p[2]), [(p[0], p[1])], width) for p in prompt.points]
        dab = draw_labels(dabs, drawn.shape[:2], undecided=2)
        drawn[dab == 0] = REMOVE
        drawn[dab == 1] = KEEP
    hint = prompt.trimap if prompt.mask is None else (prompt.mask > prompt.mask.max() // 2) * np.uint8(255)
    if hint is not None:
        for value, colour in ((0, REMOVE), (255, KEEP)):
            drawn[hint == value] = drawn[hint == value] // 2 + np.array(colour, np.uint8) // 2
    if prompt.box is not None:
        x, y, width, height = clipped(prompt.box, image.shape)
        inside = drawn[y : y + height, x : x + width]
        for edge in (inside[:3], inside[-3:], inside[:, :3], inside[:, -3:]):
            edge[...] = KEEP
    return drawn
