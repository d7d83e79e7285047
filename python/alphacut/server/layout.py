"""A cutout on its canvas: in a smaller size, or its subject in another size and place."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from .. import Cutout, premultiply, resize, threshold, unpremultiply
from .._arrays import Array, box_of, full_scale


def fitting(size: tuple[int, int], most: int) -> tuple[int, int]:
    """The (height, width) of a picture of this size, made smaller where it has more than so many pixels."""
    scale = math.sqrt(most / (size[0] * size[1]))
    if scale >= 1:
        return size
    height = max(1, min(round(size[0] * scale), most))
    return height, max(1, min(round(size[1] * scale), most // height))


def shrunk(cutout: Cutout, most: int) -> Cutout:
    """With at most so many pixels."""
    size = fitting(cutout.alpha.shape, most)
    if size == cutout.alpha.shape:
        return cutout
    foreground, alpha = _scaled(cutout, size)
    return with_alpha(replace(cutout, image=resize(cutout.image, size), foreground=foreground, steps={}), alpha)


def placed(cutout: Cutout, scale: float | None, position: tuple[float, float] | None) -> Cutout:
    """With the subject in another size or place, and its picture behind it gone.

    Parameters
    ----------
    cutout : Cutout
        Its box is what is scaled and placed.
    scale : float, optional
        The share of the picture's width or height, whichever is first, that the box then takes; its own by default.
    position : (float, float), optional
        How much of the free width lies left of it, and of the free height above it, 0 to 1. By default its middle stays
        where it is, as far as it then fits.
    """
    if cutout.box is None:
        return cutout
    height, width = cutout.alpha.shape
    x, y, box_width, box_height = cutout.box
    factor = 1.0 if scale is None else scale * min(width / box_width, height / box_height)
    across = _Axis(width, x, box_width, factor, None if position is None else position[0])
    down = _Axis(height, y, box_height, factor, None if position is None else position[1])
    part = replace(
        cutout,
        foreground=cutout.foreground[down.source, across.source],
        alpha=cutout.alpha[down.source, across.source],
    )
    planes = _scaled(part, (down.size, across.size))
    foreground, alpha = (np.zeros((height, width, *plane.shape[2:]), plane.dtype) for plane in planes)
    for canvas, plane in zip((foreground, alpha), planes, strict=True):
        canvas[down.target, across.target] = plane[down.seen, across.seen]
    return with_alpha(replace(cutout, foreground=foreground, steps={}), alpha)


class _Axis:
    """One side: which pixels of the picture, `size` of them when scaled, are `seen` where on the canvas."""

    def __init__(self, full: int, start: int, length: int, factor: float, position: float | None) -> None:
        new = min(full, max(1, round(length * factor)))
        middle = min(max(0, round(start + (length - new) / 2)), full - new)
        begin = middle if position is None else round((full - new) * position)
        factor = new / length
        # Soft edges reach beyond the box: what lies around it comes along, as far as the canvas reaches.
        reach = math.ceil if 8 * factor <= full else math.floor  # pixels so wide would outgrow the canvas
        before = min(start, reach(begin / factor))
        after = min(full - start - length, reach((full - begin - new) / factor))
        more = round(before * factor)
        self.source = slice(start - before, start + length + after)
        self.size = more + new + round(after * factor)
        begin -= more
        self.seen = slice(max(0, -begin), min(self.size, full - begin))
        self.target = slice(max(0, begin), max(0, begin) + self.seen.stop - self.seen.start)


def _scaled(cutout: Cutout, size: tuple[int, int]) -> tuple[Array, Array]:
    """Colours and alpha in another size: colours weighted by their alpha, so that no background comes in."""
    if cutout.alpha.shape == size:
        return cutout.foreground, cutout.alpha
    weighted = premultiply(cutout.rgba)
    colours = resize(np.ascontiguousarray(weighted[..., :3]), size)
    alpha = resize(np.ascontiguousarray(weighted[..., 3]), size)
    straight = unpremultiply(np.dstack([colours, alpha]))[..., :3]
    return np.ascontiguousarray(straight if cutout.foreground.ndim == 3 else straight[..., 0]), alpha


def with_alpha(cutout: Cutout, alpha: Array) -> Cutout:
    """The same with this alpha, and with the mask and box of it."""
    mask = threshold(alpha, full_scale(alpha) / 2)
    return replace(cutout, alpha=alpha, mask=mask, box=box_of(mask))
