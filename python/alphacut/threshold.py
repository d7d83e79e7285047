"""Thresholds: pixels above a limit are foreground."""

from __future__ import annotations

import math
from typing import Literal, overload

import numpy as np

from . import _core
from ._arrays import Array, choice, full_scale, integer, native, real, small_integer

_METHODS = ("otsu", "triangle", "li")


@overload
def find_threshold(
    gray: Array,
    method: Literal["otsu", "triangle", "li"] = "otsu",
    *,
    classes: Literal[2] = 2,
    mask: Array | None = None,
) -> float: ...
@overload
def find_threshold(
    gray: Array, method: Literal["otsu", "multiotsu"] = "otsu", *, classes: int, mask: Array | None = None
) -> float | tuple[float, ...]: ...
@overload
def find_threshold(gray: Array, method: Literal["multiotsu"], *, mask: Array | None = None) -> tuple[float, ...]: ...
def find_threshold(
    gray: Array,
    method: Literal["otsu", "triangle", "li", "multiotsu"] = "otsu",
    *,
    classes: int = 2,
    mask: Array | None = None,
) -> float | tuple[float, ...]:
    """Find the limit between background and foreground from the picture's histogram.

    Parameters
    ----------
    gray : (H, W) or (H, W, 3) uint8, uint16 or float32
        The picture, 0..255, 0..65535 or 0..1; of a colour picture the luma is taken.
    method : {"otsu", "triangle", "li", "multiotsu"}
        "otsu" maximises the variance between the classes, "triangle" suits one dominant peak, "li" minimises the cross
        entropy. "multiotsu" is "otsu" for any number of classes.
    classes : int
        Classes to tell apart, 2 to 256. More than 2 need "otsu" or "multiotsu".
    mask : (H, W) uint8 or bool, optional
        Only pixels that are not 0 here are counted.

    Returns
    -------
    int or float
        The limit in the picture's units: ``gray > limit`` is foreground. A whole number for uint8.
    tuple
        The ``classes - 1`` rising limits, for "multiotsu" or more than 2 classes.

    Raises
    ------
    TypeError, ValueError
        For an argument of a wrong type; a wrong shape, word or number of classes, or a float picture outside 0..1.

    Notes
    -----
    One pass fills a histogram of 256 bins; uint16 and float32 pictures count in bins of 1/256 of full scale, so their
    limit is a multiple of it. For uint8, "otsu" and "triangle" give OpenCV's numbers (triangle may give -1 or 256:
    everything is foreground, or nothing). OpenCV's builds with Intel's IPP may break an exact tie in "otsu" in another
    way. A mask without pixels gives the limit of bin 0. In a picture of one colour that colour is background for "li";
    the others follow their formulas.

    N. Otsu, 1979; G. Zack, W. Rogers, S. Latt, 1977; C. Li, P. Tam, 1998; P. Liao, T. Chen, P. Chung, 2001, by
    dynamic programming. Memory: 266 KB a thread; uint16 pictures 4 bytes a value more.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> gray = np.array([[10, 12, 120], [11, 125, 210]], np.uint8)
    >>> alphacut.find_threshold(gray)
    12
    >>> alphacut.find_threshold(gray, classes=3)
    (12, 125)
    """
    choice(method, "method", (*_METHODS, "multiotsu"))
    classes = small_integer(classes, "classes")
    several = method == "multiotsu" or classes != 2
    if several and method not in ("otsu", "multiotsu"):
        raise ValueError(f"classes must be 2 for method {method!r}, got {classes}")
    bins = _core.find_limits(native(gray), "multiotsu" if several else method, classes, mask)
    full = full_scale(gray)
    limits = bins if full == 255 else [min(b + 1 if b >= 0 else b, 256) / 256 * full for b in bins]
    return tuple(limits) if several else limits[0]


def threshold(
    gray: Array, value: float | Literal["otsu", "triangle", "li"] = "otsu", *, out: Array | None = None
) -> Array:
    """Mask of the pixels above a limit.

    Parameters
    ----------
    gray : (H, W) or (H, W, 3) uint8, uint16 or float32
        The picture, 0..255, 0..65535 or 0..1; of a colour picture the luma is taken.
    value : float or {"otsu", "triangle", "li"}
        The limit in the picture's units, no farther from 0 than full scale (a negative one makes everything
        foreground), or the method of :func:`find_threshold` that finds it.
    out : (H, W) uint8, optional
        Where to write the mask.

    Returns
    -------
    (H, W) uint8
        255 where ``gray > value``, else 0. A float32 picture is compared with the float32 nearest to `value`.

    Raises
    ------
    TypeError, ValueError
        For an argument of a wrong type; a wrong shape, word or range, or a float picture outside 0..1.

    Notes
    -----
    Equal to OpenCV's ``THRESH_BINARY``. Memory: the mask; uint16 pictures 4 bytes a value more.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> alphacut.threshold(np.array([[10, 200, 30]], np.uint8), 30)
    array([[  0, 255,   0]], dtype=uint8)
    """
    if isinstance(value, str):
        return _core.threshold_found(native(gray, out), choice(value, "value", _METHODS), out)
    limit, full = real(value, "value"), full_scale(gray)
    if not abs(limit) <= full:
        raise ValueError(f"value must be from {-full} to {full}, got {value}")
    if full == 255:
        return _core.threshold(gray, limit, out)
    if full == 65535:  # the same steps as the picture's
        limit = float(np.float32(math.floor(limit)) / np.float32(65535))
    return _core.threshold(native(gray, out), limit, out)


def adaptive_threshold(
    gray: Array,
    window: int,
    *,
    method: Literal["mean", "gaussian", "sauvola"] = "mean",
    offset: float = 0,
    k: float = 0.2,
    out: Array | None = None,
) -> Array:
    """Mask of the pixels that are brighter than their surroundings.

    Parameters
    ----------
    gray : (H, W) or (H, W, 3) uint8, uint16 or float32
        The picture, 0..255, 0..65535 or 0..1; of a colour picture the luma is taken.
    window : int
        Side of the square around each pixel: odd, 3 to 32767, and it may exceed the picture. The border is replicated.
    method : {"mean", "gaussian", "sauvola"}
        The limit T of a pixel: the mean of its window; a Gaussian mean, σ = 0.3·((window − 1)/2 − 1) + 0.8; or
        m·(1 + k·(s/R − 1)) from mean m and standard deviation s, for text on stained paper.
    offset : float
        Subtracted from T, in the picture's units, no farther from 0 than full scale.
    k : float
        Weight of the deviation in "sauvola", 0 to 1. R is 128 for uint8 and the same share, 128/255, of other depths.
    out : (H, W) uint8, optional
        Where to write the mask.

    Returns
    -------
    (H, W) uint8
        255 where ``gray > T - offset``, else 0.

    Raises
    ------
    TypeError, ValueError
        For an argument of a wrong type; a wrong shape, word or range, or a float picture outside 0..1.

    Notes
    -----
    "mean" and "sauvola" cost the same for every window: running column sums and a prefix sum along the row, in whole
    numbers; float32 pictures are read in steps of 1/65535 for it. "gaussian" costs one multiplication for each pixel
    of the window's side. For uint8, "mean" and "gaussian" round the mean to a whole number and `offset` up, as OpenCV's
    ``adaptiveThreshold``: "mean" is equal to it, "gaussian" wherever the mean is not within 0.001 of a half.

    J. Sauvola, M. Pietikäinen, 2000. Memory, bytes a pixel beside the mask: for uint8 0 ("gaussian" 4, colour 1 more),
    for float32 2 ("gaussian" 4), for uint16 6 (8; colour 8 more).

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> gray = np.tile(np.array([10, 60, 30, 90], np.uint8), (3, 1))
    >>> alphacut.adaptive_threshold(gray, 3)[0]
    array([  0, 255,   0, 255], dtype=uint8)
    """
    choice(method, "method", ("mean", "gaussian", "sauvola"))
    full = full_scale(gray)
    shift = real(offset, "offset") / (full if full == 65535 else 1)
    return _core.adaptive_threshold(native(gray, out), integer(window, "window"), method, shift, real(k, "k"), out)
