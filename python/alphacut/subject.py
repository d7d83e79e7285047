"""Where the subject of a picture lies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from . import _core
from ._arrays import Array, choice, clipped, integer, native, require_host
from ._prompt import checked_points


def barrier_map(image: Array, seed: Array, *, passes: int = 6, out: Array | None = None) -> Array:
    """Say how far, by colour, each pixel is from the nearest seed.

    The minimum barrier distance: the least range of values, highest minus lowest, that a path from any seed to the
    pixel must cross. It grows at edges, not with length, so it stays small all over the object that holds a seed.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8, uint16 or float32 array
        A float picture has values from 0 to 1.
    seed : (H, W) uint8 or bool array
        Nonzero where paths start; at least one pixel.
    passes : int
        Raster passes, alternately forward and backward, from 2 to 1000: more follow more winding paths.
    out : (H, W) float32 array, optional
        Where to write, sharing no memory with an input.

    Returns
    -------
    (H, W) float32 array
        The distances in L*, a* and b* after a 5×5 median, added up: 0 at seeds whose surroundings have their colour.

    Raises
    ------
    TypeError
        If an argument has a wrong type or dtype.
    ValueError
        If shapes differ, a value is out of range, or no pixel is a seed.

    Notes
    -----
    FastMBD: Zhang et al., "Minimum Barrier Salient Object Detection at 80 FPS", 2015. Passes approximate the distance
    from above. Memory: about 45 bytes a pixel beyond the result.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.full((20, 30), 20, np.uint8)
    >>> image[5:15, 10:20] = 220
    >>> seed = np.zeros((20, 30), bool)
    >>> seed[10, 15] = True
    >>> distance = alphacut.barrier_map(image, seed)
    >>> float(distance[6, 12]), bool(distance[0, 0] > 80)
    (0.0, True)
    """
    return _core.barrier_map(native(image, out), seed, integer(passes, "passes", 2, 1000), out)


def detect_subject(
    image: Array,
    method: Literal["auto", "learned", "barrier"] = "auto",
    *,
    box: Sequence[int] | None = None,
    points: Sequence[Sequence[float]] | None = None,
    labels: Array | None = None,
    out: Array | None = None,
) -> Array:
    """Say how likely each pixel belongs to the subject of a picture.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8, uint16 or float32 array
        A float picture has values from 0 to 1.
    method : {"auto", "learned", "barrier"}
        "learned" asks the network that comes with alphacut; "barrier" compares each pixel with the picture's frame,
        by colour and by what lies between, and was made without any training. "auto" is "learned".
    box : (x, y, width, height), optional
        The subject lies inside; clipped to the picture. Not for "barrier".
    points : sequence of (x, y) or (x, y, keep), optional
        Pixels of the subject, or with keep 0 of what is not: strokes of a dot each. Not for "barrier".
    labels : (H, W) uint8 array, optional
        Strokes: 0 background, 1 foreground; 2 and 3 say nothing. They guide the map, and need not hold in it. Where
        they leave but a rectangle open, that is the box. Not for "barrier".
    out : (H, W) float32 array, optional
        Where to write, sharing no memory with an input.

    Returns
    -------
    (H, W) float32 array
        From 0 (background) to 1 (subject). A picture without contrast has no subject: all zeros, unless there is a
        prompt. For "barrier", nor has one with a side below 3 or more than 120 times as long as wide.

    Raises
    ------
    TypeError
        If an argument has a wrong type or dtype.
    ValueError
        If a shape, a value of a float picture, `labels`, `box`, `points` or `method` is out of range, or "barrier" gets
        a prompt.

    Notes
    -----
    "learned": EfficientNet-Lite0 (M. Tan, Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural
    Networks", 2019), trained on ImageNet, and a decoder that sees the prompt, barrier distances and how common each
    colour is inside and outside: 3.4 million weights of 8 bits, for pictures of 256 × 256, trained further by us. With
    a box it looks at the box and 18 % around. Strokes correct what it answers without them; strokes of one kind alone
    change that one way only: to keep adds, to remove takes away; of both kinds, a part of the answer that one to remove
    touches and none to keep is given up. How it was trained, on what, and what it is weak at: training/README.md.
    Memory beyond the result: about 10 MB, and a copy in 8 bits of a picture of another depth.

    "barrier": the minimum barrier distance from the frame (three raster passes a channel of L*a*b*) plus the contrast
    to the frame's colours (Mahalanobis distance from bands of a tenth of the picture along the four sides, less the
    largest), weighted towards the centre, opened and closed by reconstruction, and sharpened by a sigmoid: Zhang et
    al., "Minimum Barrier Salient Object Detection at 80 FPS", 2015. It works at a long side of at most 300 pixels, and
    takes a subject that touches several sides for background. Memory beyond the result: less than 10 MB.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.full((60, 80), 30, np.uint8)
    >>> image[20:40, 30:50] = 200
    >>> found = alphacut.detect_subject(image)
    >>> bool(found[30, 40] > 0.9), bool(found[5, 5] < 0.1)
    (True, True)
    """
    if choice(method, "method", ("auto", "learned", "barrier")) == "barrier":
        if not (box is None and points is None and labels is None):
            raise ValueError("method='barrier' finds the subject by itself: it takes no box, points or labels")
        return _core.detect_subject(native(image, out), out)
    require_host(image, "image")
    if box is not None and isinstance(image, np.ndarray) and image.ndim >= 2:
        box = clipped(box, np.asarray(image).shape[:2])
    spots = [] if points is None else checked_points(points)
    return _core.learned_subject(network(), native(image, out), labels, box, spots, out)


_networks: list[_core.Network] = []


def network() -> _core.Network:
    """The network that comes with alphacut, read when it is first asked, and the same for all threads."""
    if not _networks:  # threads at once may read it twice, but all take the first; a lock could be held when one forks
        _networks.append(_core.Network(Path(__file__).with_name("subject.weights").read_bytes()))
    return _networks[0]
