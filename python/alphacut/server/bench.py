"""A picture in one size, cut again and again as a page edits: each time only what its change makes new."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np

from .. import Cutout, Remover, Session, adjust_edge, distance_transform, estimate_foreground
from .._arrays import Array, full_scale
from .._strokes import Stroke, draw_labels
from ..files import Picture
from ..preprocess import resize
from .edits import Edit, Touch
from .layout import with_alpha

_POINT = 200
"""A point on a mask counts as a dab of the longer side through this, as :func:`alphacut.remove_background` has it."""


class Bench:
    """One picture in one size.

    Parameters
    ----------
    picture : Picture
        In this size.
    full_size : (height, width)
        Of the picture whose pixels edits are in.
    keep : bool
        Whether the sessions stay open: the next cut then takes a fraction of the time, and some 100 bytes a pixel.
    """

    def __init__(self, picture: Picture, full_size: tuple[int, int], keep: bool) -> None:
        self._picture, self._full_size, self._keep = picture, full_size, keep
        self.size: tuple[int, int] = picture.pixels.shape[:2]
        self.scale = self.size[1] / full_size[1], self.size[0] / full_size[0]
        self._sessions: dict[str, tuple[dict[str, Any], Session]] = {}
        self._matte: tuple[Edit, Cutout] | None = None  # and what it was made of

    def draft(self, edit: Edit, mask: Array | None) -> Cutout:
        """A cutout whose edge is not refined, unless it is known; its colours are the picture's."""
        found = self._known(edit) or self._found(edit, mask, resume=True)
        return self._painted(_moved(found, edit.edge), edit)

    def finished(self, edit: Edit, mask: Array | None) -> Cutout:
        """The bytes that :func:`alphacut.remove_background` gives, and what was painted on them."""
        return self._painted(self._finished(edit, mask), edit)

    def _finished(self, edit: Edit, mask: Array | None) -> Cutout:
        if known := self._known(edit):
            return self._coloured(known, edit)
        refine = "auto" if edit.refine else None
        keyed = edit.key is not None and not edit.mask
        found = None if keyed else self._found(edit, mask, resume=False)
        if found is None or found.method in ("key", "alpha"):  # a ramp finer than what a mask could be refined to
            options: dict[str, Any] = {**_keying(edit), "despill": edit.despill, "clean": edit.clean, "edge": edit.edge}
            return self._cut("finish", self._prompts(edit), refine=refine, foreground=edit.foreground, **options)
        if self._picture.alpha is not None or self._picture.pixels.dtype != np.uint8:
            # The one is multiplied in after the edge is moved, the other rounded where only the flow knows.
            finish: dict[str, Any] = {"refine": refine, "edge": edit.edge, "foreground": edit.foreground}
            made = self._cut("finish", {"mask": found.mask}, **finish)
            return _with_facts(made, found)
        matte = found if refine is None else self._cut("finish", {"mask": found.mask}, refine=refine, foreground=False)
        matte = _with_facts(matte, found)
        self._matte = edit.matte, matte
        return self._coloured(matte, edit)

    def _known(self, edit: Edit) -> Cutout | None:
        """The latest matte, if it is what this edit comes to before its edge is moved."""
        return self._matte[1] if self._matte is not None and self._matte[0] == edit.matte else None

    def _found(self, edit: Edit, mask: Array | None, resume: bool) -> Cutout:
        """The hard cutout."""
        options: dict[str, Any] = {"refine": None, "foreground": False, "clean": edit.clean, **_keying(edit)}
        prompts = self._masked(edit, mask) if edit.mask else self._prompts(edit)
        return self._cut("find", prompts, resume=resume, **options)

    def _cut(self, use: str, prompts: dict[str, Any], resume: bool = False, **options: Any) -> Cutout:
        """The cut of a session with these options; the latest of each use is kept, if any."""
        known = self._sessions.get(use)
        if known is None or known[0] != options:
            known = options, Remover(**options).open(self._picture)
        if self._keep:
            self._sessions[use] = known
            return known[1].cut(resume=resume, **prompts)
        with known[1]:
            return known[1].cut(**prompts)

    def _coloured(self, matte: Cutout, edit: Edit) -> Cutout:
        """The cutout of a matte: its edge moved, its colours estimated."""
        moved = _moved(matte, edit.edge)
        if not edit.foreground:
            return moved
        colours = estimate_foreground(moved.image, moved.alpha) if moved.alpha.any() else np.zeros_like(moved.image)
        return replace(moved, foreground=colours)

    def _painted(self, cutout: Cutout, edit: Edit) -> Cutout:
        """The cutout with what was painted into its alpha."""
        if not edit.paint:
            return cutout
        alpha = cutout.alpha.astype(np.float32) / full_scale(cutout.alpha)
        # Those of one brush, one after another, are drawn as one: less work, and no seams.
        for (keep, width, softness), touches in groupby(edit.paint, _brush):
            scaled = [stroke._replace(keep=True) for stroke in self._scaled(touch.stroke for touch in touches)]
            inside = draw_labels(scaled, self.size, undecided=0) * np.uint8(255)
            fade = max(softness * width * max(self.scale) / 2, 1)
            cover = np.minimum(distance_transform(inside) / np.float32(fade), 1)
            alpha = np.maximum(alpha, cover) if keep else np.minimum(alpha, 1 - cover)
        if cutout.alpha.dtype != np.float32:
            alpha = np.rint(alpha * full_scale(cutout.alpha)).astype(cutout.alpha.dtype)
        more = (alpha > cutout.alpha).reshape(*self.size, *(1,) * (cutout.image.ndim - 2))
        return with_alpha(replace(cutout, foreground=np.where(more, cutout.image, cutout.foreground)), alpha)

    # --- prompts in pixels of this size ------------------------------------------------------------------------------

    def _prompts(self, edit: Edit) -> dict[str, Any]:
        prompts: dict[str, Any] = {}
        if edit.key not in (None, "auto"):
            prompts["key"] = edit.key
        if edit.box is not None:
            prompts["box"] = scaled_box(edit.box, self.scale)
        if edit.points:
            prompts["points"] = self._points(edit)
        if edit.strokes:
            prompts["labels"] = draw_labels(
                self._scaled(edit.strokes), self.size, undecided=2 if edit.box is None else 3
            )
        return prompts

    def _points(self, edit: Edit) -> list[tuple[float, ...]]:
        (height, width), (full_height, full_width), (across, down) = self.size, self._full_size, self.scale
        for x, y, *_ in edit.points:
            if not (0 <= x < full_width and 0 <= y < full_height):
                raise ValueError(f"points: ({x:g}, {y:g}) lies outside the picture of {full_width} x {full_height}")
        inside = np.nextafter((width, height), 0)  # which rounding could leave
        return [(min(x * across, inside[0]), min(y * down, inside[1]), *keep) for x, y, *keep in edit.points]

    def _scaled(self, strokes: Iterable[Stroke]) -> list[Stroke]:
        across, down = self.scale
        return [
            Stroke(each.keep, [(x * across, y * down) for x, y in each.points], each.width * max(across, down))
            for each in strokes
        ]

    def _masked(self, edit: Edit, mask: Array | None) -> dict[str, Any]:
        """The mask as a prompt, with what else was said put into it."""
        if mask is None:
            raise ValueError("mask: none was sent")
        height, width = self.size
        if mask.shape != self.size:
            mask = resize(mask * np.uint8(255), self.size, method="area") > 127
        made = mask.copy()
        if edit.box is not None:
            x, y, wide, high = scaled_box(edit.box, self.scale)
            inside = np.zeros_like(made)
            inside[max(y, 0) : max(y + high, 0), max(x, 0) : max(x + wide, 0)] = True
            made &= inside
        dab = max(height, width) / _POINT
        points = [Stroke(keep[:1] != [0], [(x, y)], dab) for x, y, *keep in self._points(edit)]
        if strokes := self._scaled(edit.strokes) + points:
            drawn = draw_labels(strokes, self.size, undecided=2)
            made[drawn < 2] = drawn[drawn < 2] == 1
        return {"mask": made}


def scaled_box(box: tuple[int, ...], scale: tuple[float, float]) -> tuple[int, int, int, int]:
    """The pixels that a box covers, if only in part, in a picture scaled by so much (across, down)."""
    (x, y, width, height), (across, down) = box, scale
    left, top = math.floor(x * across), math.floor(y * down)
    right, bottom = math.ceil((x + width) * across), math.ceil((y + height) * down)
    return left, top, right - left, bottom - top


def _brush(touch: Touch) -> tuple[bool, float, float]:
    """What strokes of one brush have in common."""
    return touch.stroke.keep, touch.stroke.width, touch.softness


def _keying(edit: Edit) -> dict[str, Any]:
    """What the options of a remover are for a plain background."""
    return {
        "method": "key" if edit.key == "auto" else "auto",
        "similarity": edit.similarity,
        "blend": edit.blend,
    }


def _with_facts(made: Cutout, found: Cutout) -> Cutout:
    """A cutout with what is known of how it was found."""
    facts = {name: getattr(found, name) for name in ("confidence", "method", "subject", "warnings")}
    return replace(made, **facts)


def _moved(cutout: Cutout, edge: tuple[float, float]) -> Cutout:
    """The cutout with its edge moved and softened."""
    if edge == (0, 0):
        return cutout
    shift, feather = edge
    alpha = adjust_edge(cutout.alpha, shift=shift, feather=feather)
    return with_alpha(cutout, alpha)
