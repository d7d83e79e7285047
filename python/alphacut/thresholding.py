"""Thresholds: pixels above a limit are foreground."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np

from . import _core
from ._arrays import (
    BORDERS,
    Array,
    choice,
    countable,
    full_scale,
    integer,
    native,
    pair,
    plain,
    real,
    require_apart,
    require_host,
    small_integer,
)

_WHOLE = ("otsu", "triangle", "isodata", "yen", "minimum", "entropy")  # their limit is a value of the picture
_METHODS = (*_WHOLE, "li", "mean")
_MODES = ("binary", "binary_inv", "trunc", "tozero", "tozero_inv")
_LOCAL = ("mean", "gaussian", "sauvola", "niblack", "median")
_FAST = frozenset(map(np.dtype, (np.uint8, np.uint16, np.float32)))

Method = Literal["otsu", "triangle", "isodata", "yen", "minimum", "entropy", "li", "mean"]
LocalMethod = Literal["mean", "gaussian", "sauvola", "niblack", "median"]
Border = Literal["nearest", "reflect", "mirror", "wrap", "constant"]
Histogram = Array | tuple[Array, Array]


@overload
def find_threshold(
    gray: Array | None = None,
    method: Method = "otsu",
    *,
    classes: Literal[2] = 2,
    mask: Array | None = None,
    nbins: int | None = None,
    hist: Histogram | None = None,
) -> float: ...
@overload
def find_threshold(
    gray: Array | None = None,
    method: Literal["otsu", "multiotsu"] = "otsu",
    *,
    classes: int,
    mask: Array | None = None,
    nbins: int | None = None,
    hist: Histogram | None = None,
) -> float | tuple[float, ...]: ...
@overload
def find_threshold(
    gray: Array | None,
    method: Literal["multiotsu"],
    *,
    mask: Array | None = None,
    nbins: int | None = None,
    hist: Histogram | None = None,
) -> tuple[float, ...]: ...
def find_threshold(
    gray: Array | None = None,
    method: Method | Literal["multiotsu"] = "otsu",
    *,
    classes: int = 2,
    mask: Array | None = None,
    nbins: int | None = None,
    hist: Histogram | None = None,
) -> float | tuple[float, ...]:
    """Find the limit between background and foreground from the picture's histogram.

    Parameters
    ----------
    gray : (H, W) or (H, W, 3) bool, integer, float32 or float64
        The picture, of any finite values; of a colour picture the luma is taken. Large integers must fit
        int32.
    method : {"otsu", "triangle", "isodata", "yen", "minimum", "entropy", "li", "mean", "multiotsu"}
        "otsu" maximises the variance between the classes; "triangle" suits one dominant peak; "isodata" is the lowest
        limit midway between the means of its classes; "yen" maximises their correlation; "minimum" is the lowest
        point between the two peaks of the smoothed histogram; "entropy" maximises the sum of the classes' entropies;
        "li" minimises the cross entropy; "mean" is the mean. "multiotsu" is "otsu" for any number of classes.
    classes : int
        Classes to tell apart, 2 to 256. More than 2 need "otsu" or "multiotsu".
    mask : (H, W) uint8 or bool, optional
        Only pixels that are not 0 here are counted.
    nbins : int, optional
        Count in so many equal bins, 2 to 2²⁰, from the smallest to the largest value.
    hist : (N,) array of integers, or two (N,) arrays, optional
        In the picture's place: its histogram, and, if there are two, the evenly spaced values of the bins; otherwise
        these are 0 to N - 1.

    Returns
    -------
    int or float
        The limit in the picture's units: ``gray > limit`` is foreground. A whole number for integer pictures, but for
        "li", "mean" and with `nbins`.
    tuple
        The ``classes - 1`` rising limits, for "multiotsu" or more than 2 classes.

    Raises
    ------
    TypeError, ValueError
        For an argument of a wrong type; a wrong shape, word or number of classes; fewer different values than classes
        in "multiotsu"; a picture without pixels, or with NaN or infinity; no two peaks in "minimum"; an integer
        picture with more than 2²⁰ steps from its smallest to its largest value, without `nbins`.

    Notes
    -----
    Whole numbers are counted one value a bin, bins of 16 bits as well; where all differences have a common divisor, as
    those of 8 bits stored in 16, in steps of it. (uint8 keeps its gaps, as OpenCV; "triangle" and "minimum" see them.)
    Floats within 0..1 are counted in bins of 1/256, floats of another range in 256 equal bins from the smallest to the
    largest value; their limit is the upper end of a bin, so that exactly the bins above are foreground (scikit-image's
    limits are the middles of bins).

    For uint8, "otsu" and "triangle" give OpenCV's numbers (triangle may give -1 or 256: everything is foreground, or
    nothing). OpenCV's builds with Intel's IPP may break an exact tie in "otsu" in another way. A mask without pixels
    gives the limit of bin 0. In a picture of one colour that colour is background; "otsu" and "triangle" follow their
    formulas.

    N. Otsu, 1979; G. Zack, W. Rogers, S. Latt, 1977; T. Ridler, S. Calvard, 1978; J. Yen, F. Chang, S. Chang, 1995;
    J. Prewitt, M. Mendelsohn, 1966; J. Kapur, P. Sahoo, A. Wong, 1985; C. Li, P. Tam, 1998; P. Liao, T. Chen, P. Chung,
    2001, by dynamic programming that halves. Memory: 266 KB a thread; 12 bytes a bin of other depths than uint8.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> gray = np.array([[10, 12, 120], [11, 125, 210]], np.uint8)
    >>> alphacut.find_threshold(gray)
    12
    >>> alphacut.find_threshold(gray, classes=3)
    (12, 125)
    >>> alphacut.find_threshold(hist=np.bincount(gray.ravel()), method="isodata")
    81
    """
    choice(method, "method", (*_METHODS, "multiotsu"))
    classes = small_integer(classes, "classes")
    several = method == "multiotsu" or classes != 2
    if several and method not in ("otsu", "multiotsu"):
        raise ValueError(f"classes must be 2 for method {method!r}, got {classes}")
    name = "multiotsu" if several else method
    if hist is None:
        bins = 0 if nbins is None else integer(nbins, "nbins") or -1
        limits = _core.find_limits(countable(gray, "gray"), name, classes, mask, bins)  # type: ignore[arg-type]
        whole = nbins is None and gray.dtype.kind != "f"  # type: ignore[union-attr]
    else:
        for other, argument in ((gray, "gray"), (mask, "mask"), (nbins, "nbins")):
            if other is not None:
                raise ValueError(f"hist takes the place of {argument}: give one of them")
        counts, first, step = _histogram(hist)
        limits = [first + limit * step for limit in _core.find_limits_of(counts, name, classes)]
        whole = isinstance(first, int) and isinstance(step, int)
    if whole and (several or method in _WHOLE):
        limits = [int(limit) for limit in limits]
    return tuple(limits) if several else limits[0]


def _histogram(hist: Histogram) -> tuple[list[int], float, float]:
    """Counts, the value of the first bin, and from each to the next."""
    counts, values = hist if isinstance(hist, (tuple, list)) and len(hist) == 2 else (hist, None)
    counts, values = plain(counts), plain(values)
    for part, name in ((counts, "hist"), (counts if values is None else values, "hist's values")):
        require_host(part, name)
        if not isinstance(part, np.ndarray) or part.dtype.kind not in "iuf":
            came = getattr(part, "dtype", type(part).__name__)
            raise TypeError(f"{name} must be a numpy.ndarray of numbers, got {came}")
        if part.ndim != 1 or not 1 <= len(part) <= 2**20 or not np.isfinite(part).all():
            raise ValueError(f"{name} must be finite, with shape (N,), N from 1 to 2^20, got shape {part.shape}")
    if (counts < 0).any() or (counts >= 2**40).any() or (counts % 1 != 0).any():
        raise ValueError("hist must have whole numbers from 0 to 2^40")
    whole = [int(count) for count in counts]
    if values is None:
        return whole, 0, 1
    if len(values) != len(counts):
        raise ValueError(f"hist's values must be as many as its counts, {len(counts)}, got {len(values)}")
    first, last = values[0].item(), values[-1].item()
    step = (last - first) / max(len(values) - 1, 1)
    rises = len(values) == 1 or step > 0
    if not rises or not np.allclose(values, first + step * np.arange(len(values)), rtol=0, atol=1e-3 * step):
        raise ValueError("hist's values must rise and be evenly spaced")
    return whole, first, int(step) if values.dtype.kind in "iu" else step


def threshold(
    gray: Array,
    value: float | Method = "otsu",
    *,
    mode: Literal["binary", "binary_inv", "trunc", "tozero", "tozero_inv"] = "binary",
    maxval: int = 255,
    out: Array | None = None,
) -> Array:
    """Mask of the pixels above a limit, or the picture cut off there.

    Parameters
    ----------
    gray : (H, W) or (H, W, 3) bool, integer, float32 or float64
        The picture, of any values but NaN; of a colour picture the luma is taken. Large integers must fit
        int32.
    value : float or {"otsu", "triangle", "isodata", "yen", "minimum", "entropy", "li", "mean"}
        The limit in the picture's units, or the method of :func:`find_threshold` that finds it.
    mode : {"binary", "binary_inv", "trunc", "tozero", "tozero_inv"}
        "binary" is `maxval` above the limit and 0 elsewhere, "binary_inv" the other way round; "trunc" is
        ``min(gray, value)``; "tozero" is 0 up to the limit, and "tozero_inv" above it, and the picture elsewhere.
    maxval : int
        Of the foreground in "binary" and "binary_inv", 1 to 255.
    out : (H, W), optional
        Where to write the result.

    Returns
    -------
    (H, W) uint8
        For "binary" and "binary_inv": `maxval` or 0. A float32 picture is compared with the float32 nearest to `value`.
    (H, W) of the picture's depth
        For the others (bool as uint8, int8 as int16, larger integers as int32).

    Raises
    ------
    TypeError, ValueError
        For an argument of a wrong type; a wrong shape or word, NaN; what :func:`find_threshold` refuses.

    Notes
    -----
    Equal to OpenCV's ``threshold``. A picture of size 0 gives one. Memory: the result.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> alphacut.threshold(np.array([[10, 200, 30]], np.uint8), 30)
    array([[  0, 255,   0]], dtype=uint8)
    >>> alphacut.threshold(np.array([[10, 200, 30]], np.int16), 30, mode="trunc")
    array([[10, 30, 30]], dtype=int16)
    """
    choice(mode, "mode", _MODES)
    top = small_integer(maxval, "maxval")
    if not 1 <= top <= 255:
        raise ValueError(f"maxval must be from 1 to 255, got {top}")
    plane = countable(gray, "gray")
    if plane is not gray:
        require_apart(out, gray)
    if isinstance(value, str):
        choice(value, "value", _METHODS)
        some = bool(getattr(plane, "size", 1))  # the core says what is wrong with something that is no array
        if full_scale(plane) == 255 and mode == "binary" and top == 255 and some:
            return _core.threshold_found(plane, value, out)
        limit: float = find_threshold(plane, value) if some else 0
    else:
        limit = real(value, "value")
        if not np.isfinite(limit):
            raise ValueError(f"value must be finite, got {value}")
    if mode in ("binary", "binary_inv"):
        return _core.threshold(plane, limit, *((top, 0) if mode == "binary" else (0, top)), out)
    return _core.threshold_kept(plane, limit, mode, out)


def hysteresis_threshold(
    gray: Array, low: float, high: float, connectivity: Literal[8, 4] = 8, *, out: Array | None = None
) -> Array:
    """Mask of the pixels above `low` that are connected to one above `high`.

    Parameters
    ----------
    gray : (H, W) or (H, W, 3) bool, integer, float32 or float64
        As for :func:`threshold`.
    low, high : float
        The limits in the picture's units. If `low` is above `high`, both are `high`.
    connectivity : {8, 4}
        Whether pixels that meet at a corner belong together.
    out : (H, W) uint8, optional
        Where to write the mask.

    Returns
    -------
    (H, W) uint8
        255 for the components of ``gray > low`` with a pixel of ``gray > high``, else 0.

    Raises
    ------
    TypeError, ValueError
        As :func:`threshold`; a wrong connectivity, or more than 2³¹ - 1 pixels.

    Notes
    -----
    Equal to scikit-image's ``apply_hysteresis_threshold``, whose connectivity is 4. J. Canny, 1986. Memory: two masks,
    and as :func:`keep_touching`.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> alphacut.hysteresis_threshold(np.array([[5, 9, 5, 0, 5]], np.uint8), 4, 8)
    array([[255, 255, 255,   0,   0]], dtype=uint8)
    """
    low, high = real(low, "low"), real(high, "high")
    for limit, name in ((low, "low"), (high, "high")):
        if not np.isfinite(limit):
            raise ValueError(f"{name} must be finite, got {limit}")
    connectivity = small_integer(connectivity, "connectivity")  # type: ignore[assignment]
    plane = countable(gray, "gray")
    require_apart(out, gray)
    return _core.keep_touching(
        _core.threshold(plane, min(low, high), 255, 0), _core.threshold(plane, high, 255, 0), connectivity, out
    )


def adaptive_threshold(
    gray: Array,
    window: int | tuple[int, int],
    method: LocalMethod = "mean",
    *,
    offset: float = 0,
    k: float = 0.2,
    r: float | None = None,
    sigma: float | None = None,
    mode: Border = "nearest",
    cval: float = 0,
    out: Array | None = None,
) -> Array:
    """Mask of the pixels that are brighter than their surroundings.

    Parameters
    ----------
    gray : (H, W) or (H, W, 3) bool, integer, float32 or float64
        The picture, of any finite values; of a colour picture the luma is taken. Large integers must fit
        int32.
    window : int or (int, int)
        Side of the square around each pixel, or height and width of the window: odd, 3 to 32767 (a side of two may be
        1), and it may exceed the picture.
    method : {"mean", "gaussian", "sauvola", "niblack", "median"}
        The limit T of a pixel: the mean of its window; a Gaussian mean; m·(1 + k·(s/r - 1)) or m - k·s from mean m
        and standard deviation s, for text on stained paper; or the median.
    offset : float
        Subtracted from T, in the picture's units; for uint8, uint16, and float32 within 0..1 no farther from 0 than
        full scale.
    k : float
        Weight of the deviation in "sauvola" and "niblack".
    r : float, optional
        The deviation at which "sauvola" is the mean, in the picture's units, above 0. Without it 128 for uint8 and the
        same share, 128/255, of uint16 and of floats; other depths need it.
    sigma : float, optional
        Of "gaussian", in pixels, above 0. Without it 0.3·((window - 1)/2 - 1) + 0.8, as in OpenCV.
    mode : {"nearest", "reflect", "mirror", "wrap", "constant"}
        What lies beyond the border, by SciPy's names: a|abc|c, a|abc|c and on, b|abc|b, c|abc|a, or `cval`.
    cval : float
        The value beyond the border in "constant".
    out : (H, W) uint8, optional
        Where to write the mask.

    Returns
    -------
    (H, W) uint8
        255 where ``gray > T - offset``, else 0.

    Raises
    ------
    TypeError, ValueError
        For an argument of a wrong type; a wrong shape, word or range, or a picture with NaN or infinity.

    Notes
    -----
    For uint8, uint16 and float32 within 0..1, "mean" and "sauvola" with k from 0 to 1 and the border "nearest" cost the
    same for every window: running column sums and a prefix sum along the row, in whole numbers; float32 pictures are
    read in steps of 1/65535 for it. "gaussian" costs one multiplication for each pixel of the window's side. For uint8,
    "mean" and "gaussian" round the mean to a whole number and `offset` up, as OpenCV's ``adaptiveThreshold``: "mean" is
    equal to it, "gaussian" wherever the mean is not within 0.001 of a half.

    All else is :func:`adaptive_limit` in double arithmetic; "median" then costs the window's area.

    J. Sauvola, M. Pietikäinen, 2000; W. Niblack, 1986. Memory, bytes a pixel beside the mask: for uint8 0 ("gaussian"
    4, colour 1 more), for float32 2 ("gaussian" 4), for uint16 6 (8; colour 8 more); all else 32 ("sauvola" and
    "niblack" 48).

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> gray = np.tile(np.array([10, 60, 30, 90], np.uint8), (3, 1))
    >>> alphacut.adaptive_threshold(gray, 3)[0]
    array([  0, 255,   0, 255], dtype=uint8)
    """
    options = _local_options(gray, window, method, offset, k, r, sigma, mode, cval)
    plane = countable(gray, "gray")
    if _is_fast(gray, window, method, k, sigma, mode):
        full = full_scale(plane)
        scale = full if full == 65535 else 1
        reach = (0 if r is None else r) / scale
        weight = k if method == "sauvola" else 0
        return _core.adaptive_threshold(
            native(plane, out), integer(window, "window"), method, offset / scale, weight, reach, out
        )
    require_apart(out, gray)
    return _core.local_threshold(plane, options, out)


def adaptive_limit(
    gray: Array,
    window: int | tuple[int, int],
    method: LocalMethod = "mean",
    *,
    offset: float = 0,
    k: float = 0.2,
    r: float | None = None,
    sigma: float | None = None,
    mode: Border = "nearest",
    cval: float = 0,
    out: Array | None = None,
) -> Array:
    """The limit of each pixel from its surroundings.

    Parameters
    ----------
    gray : (H, W) or (H, W, 3) bool, integer, float32 or float64
        The picture, as for :func:`adaptive_threshold`, where all parameters are described.
    window : int or (int, int)
        Side of the window, or its height and width: odd.
    method : {"mean", "gaussian", "sauvola", "niblack", "median"}
        What the limit is.
    offset : float
        Subtracted from it.
    k : float
        Weight of the deviation in "sauvola" and "niblack".
    r : float, optional
        The deviation at which "sauvola" is the mean.
    sigma : float, optional
        Of "gaussian", in pixels.
    mode : {"nearest", "reflect", "mirror", "wrap", "constant"}
        What lies beyond the border.
    cval : float
        The value beyond it in "constant".
    out : (H, W) float64, optional
        Where to write the limits.

    Returns
    -------
    (H, W) float64
        T - offset, in the picture's units: ``gray > limit`` is brighter than its surroundings.

    Raises
    ------
    TypeError, ValueError
        As :func:`adaptive_threshold`.

    Notes
    -----
    As scikit-image's ``threshold_local`` (whose Gaussian has another σ), ``threshold_niblack`` and
    ``threshold_sauvola`` (border "mirror"). In double arithmetic and without any rounding of means: of a uint8 picture,
    "mean" and "gaussian" of :func:`adaptive_threshold` round them. Window sums are added up without subtraction (after
    M. van Herk, 1992) and cost the same for every window. Memory, bytes a pixel beside the limits: 32 ("sauvola" and
    "niblack" 48).

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> alphacut.adaptive_limit(np.array([[1, 2, 6]], np.int16), (1, 3)).round(2)
    array([[1.33, 3.  , 4.67]])
    """
    options = _local_options(gray, window, method, offset, k, r, sigma, mode, cval)
    require_apart(out, gray)
    return _core.local_limit(countable(gray, "gray"), options, out)


def _is_fast(gray: Array, window: object, method: str, k: float, sigma: float | None, mode: str) -> bool:
    """Whether the core has whole-number sums for this."""
    if getattr(gray, "dtype", None) not in _FAST or method in ("niblack", "median") or sigma is not None:
        return False
    if isinstance(window, (tuple, list)) or mode != "nearest" or not (0 <= k <= 1 or method != "sauvola"):
        return False
    values = np.asarray(gray)
    return values.size > 0 and (values.dtype != np.float32 or bool(values.min() >= 0 and values.max() <= 1))


def _local_options(
    gray: Array,
    window: object,
    method: str,
    offset: object,
    k: object,
    r: object,
    sigma: object,
    mode: str,
    cval: object,
) -> _core.LocalLimit:
    """The options of a local limit, checked but for what the core checks."""
    choice(method, "method", _LOCAL)
    choice(mode, "mode", BORDERS)
    sides = list(pair(window, "window", integer))
    if not isinstance(window, (tuple, list)) and sides[0] < 3:  # of two, one may be 1
        raise ValueError(f"window must be odd, from 3 to 32767, got {sides[0]}")
    if r is None:
        full = {"u1": 128, "u2": 128 * 257, "f4": 128 / 255, "f8": 128 / 255, "b1": 128 / 255}
        kind = getattr(getattr(gray, "dtype", None), "str", "|u1")[1:]
        if method == "sauvola" and kind not in full and kind[:1] in "iu":
            raise ValueError(f"r must be given for sauvola of {getattr(gray, 'dtype', None)}")
        reach = full.get(kind, 1)
    else:
        reach = real(r, "r")
    spread = 0.0 if sigma is None else real(sigma, "sigma") or -1.0
    numbers = (real(offset, "offset"), real(k, "k"), reach, spread)
    for number, name in zip(numbers, ("offset", "k", "r", "sigma"), strict=True):
        if not np.isfinite(number):
            raise ValueError(f"{name} must be finite, got {number}")
    if reach <= 0:
        raise ValueError(f"r must be above 0, got {reach}")
    return _core.LocalLimit(sides, method, *numbers, mode, real(cval, "cval"))
