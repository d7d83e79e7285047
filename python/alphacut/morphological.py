"""What lies within reach of each pixel: masks and pictures eroded, dilated, opened, closed."""

from __future__ import annotations

from typing import Literal

import numpy as np

from . import _core
from ._arrays import Array, as_bytes, choice, integer, pair, whole_numbers

OPERATIONS = ("erode", "dilate", "open", "close", "gradient", "tophat", "blackhat")


def morphology(
    image: Array,
    operation: Literal["erode", "dilate", "open", "close", "gradient", "tophat", "blackhat"],
    *,
    radius: int | tuple[int, int] = 1,
    shape: Literal["disc", "box"] = "disc",
    footprint: Array | None = None,
    out: Array | None = None,
) -> Array:
    """Erode, dilate, open or close a mask or a picture.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) bool, uint8, uint16 or float32 array
        A mask, or a picture of any finite values, whose channels are worked on one by one.
    operation : {"erode", "dilate", "open", "close", "gradient", "tophat", "blackhat"}
        "erode" takes the least value in reach of each pixel, "dilate" the greatest. "open" erodes and then dilates:
        what holds nowhere the whole `shape` vanishes. "close" dilates and then erodes: gaps of less than it vanish.
        "gradient" is the dilated picture less the eroded one, "tophat" the picture less the opened one, "blackhat" the
        closed one less the picture.
    radius : int or (int, int)
        How far is in reach, in pixels from 0 to 32767; a box may have two, down and across.
    shape : {"disc", "box"}
        The pixels at most `radius` away, in a straight line, or those in at most so many rows and columns.
    footprint : (h, w) bool or integer array, optional
        Another shape, as of OpenCV's ``getStructuringElement`` or of scikit-image: what is not 0 is in reach of the
        pixel in its middle. Of odd sides, the same when mirrored either way, and without gaps in a row: ellipses,
        crosses, diamonds, octagons. `radius` and `shape` then count for nothing.
    out : array, optional
        Where to write: shape and dtype of `image`, sharing no memory with it.

    Returns
    -------
    array
        Shape and dtype of `image`.

    Raises
    ------
    TypeError
        If `image` or `out` is not an array of an accepted dtype, `radius` not of whole numbers, or `footprint` not an
        array of them.
    ValueError
        If a shape, a value that is not finite, `operation`, `radius` or `shape` is out of range; two radii of a disc;
        if `footprint` is of another kind.

    Notes
    -----
    Equal to OpenCV's ``morphologyEx`` and, of erosion, dilation, opening and closing, to scikit-image's functions, with
    the same footprint: ``skimage.morphology.disk(radius)``, ones of ``2 * radius + 1`` rows and columns, or
    `footprint`. (OpenCV's own ellipses are a little wider than discs.) What is outside the picture counts neither as
    least nor as greatest. A box that is applied n times is one of n times the radius.

    A box goes by rows in stretches that double, and by columns in three steps whatever its size (M. van Herk, 1992; J.
    Gil and M. Werman, 1993). A disc, or a footprint, goes by its rows, each stretch grown from the last: about three
    steps a pixel of its radius. A large disc on a mask of two values goes by distances within columns, in a time that
    does not depend on the radius. Memory beyond the result: a few rows a thread, of a box as many rows as it is high,
    twice; and a copy of the picture for what is more than "erode" or "dilate"; 5 bytes a pixel for large discs on
    masks.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> mask = np.array([[0, 0, 0, 0, 0], [0, 255, 255, 255, 255], [0, 255, 0, 255, 255]], np.uint8)
    >>> alphacut.morphology(mask, "close")[1:]
    array([[  0, 255, 255, 255, 255],
           [255, 255, 255, 255, 255]], dtype=uint8)
    >>> alphacut.morphology(mask, "erode", radius=(0, 1), shape="box")[1:]
    array([[  0,   0, 255, 255, 255],
           [  0,   0,   0,   0, 255]], dtype=uint8)
    """
    what, disc = OPERATIONS.index(choice(operation, "operation", OPERATIONS)), choice(shape, "shape", ("disc", "box"))
    down, across = pair(radius, "radius", integer)
    reach = (down, across, disc == "disc", [] if footprint is None else _half_widths(footprint))
    if not isinstance(image, np.ndarray) or image.dtype != np.bool_:
        return _core.morphology(image, what, *reach, out)
    return as_bytes(lambda a, b: _core.morphology(a, what, *reach, b), image, out)


def _half_widths(footprint: Array) -> list[int]:
    """Half the width of a footprint's rows, from the middle one on."""
    footprint = whole_numbers(footprint, "footprint")
    if footprint.ndim != 2 or not all(side % 2 for side in footprint.shape):
        raise ValueError(f"footprint must have shape (height, width), both odd, got {footprint.shape}")
    inside = np.not_equal(footprint, 0)
    lower = inside[inside.shape[0] // 2 :]
    widths = lower.sum(axis=1)
    widths = widths[: np.flatnonzero(widths)[-1] + 1] if widths.any() else widths[:1]
    columns = np.abs(np.arange(inside.shape[1]) - inside.shape[1] // 2)
    if (
        not widths.all()
        or not np.array_equal(inside, inside[::-1])
        or not np.array_equal(lower[: len(widths)], 2 * columns < widths[:, None])
    ):
        raise ValueError("footprint must be the same when mirrored either way, without gaps, and have its middle")
    return [int(width) // 2 for width in widths]
