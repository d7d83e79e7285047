"""Alpha mattes: the guided filter, trimaps from masks, and alpha at the unknown pixels of a trimap."""

from __future__ import annotations

from typing import Literal, NamedTuple, overload

import numpy as np

from . import _core
from ._arrays import Array, as_mask, choice, flag, integer, native, real, require_apart, run, shown

METRICS = ("euclidean", "taxicab", "chessboard")
METHODS = ("guided", "sampled", "closed_form")


def guided_filter(
    guide: Array, src: Array, radius: int, eps: float, *, subsample: int = 1, out: Array | None = None
) -> Array:
    """Smooth a plane without blurring it across the edges of a guide picture.

    Parameters
    ----------
    guide : (H, W) or (H, W, 3) uint8, uint16 or float32
        Gray or RGB picture; float values from 0 to 1, integers are scaled to that.
    src : (H, W) float32, uint8 or bool
        What to filter: float values from -1e6 to 1e6; uint8 is taken as 0 to 1.
    radius : int
        Windows reach this many pixels to each side, at least 1.
    eps : float
        Contrast of the guide (variance of values from 0 to 1) below which it is smoothed away, above 0; less
        than 1e-12 counts as that.
    subsample : int
        Fit on a picture this many times smaller, from 1 to `radius`; the smaller radius is rounded down.
    out : (H, W) float32, optional
        Where to write the result.

    Returns
    -------
    (H, W) float32
        In each window the linear function of the guide that fits `src` best, averaged over the windows of a pixel. Not
        clipped to the range of `src`.

    Raises
    ------
    TypeError
        If an array has another dtype.
    ValueError
        If shapes differ or a value is out of range or NaN.

    Notes
    -----
    He, Sun and Tang, "Guided image filtering", 2013; with `subsample` He and Sun, "Fast guided filter", 2015. The time
    grows with the logarithm of the radius. At the border a window is the part that lies in the picture, as in the
    paper; OpenCV mirrors the picture there, so the two differ within ``2 * radius`` of the border.

    Against float64 the error is below 1e-4 of the range of `src` with `eps` from 1e-6 and a uint8 guide, and with a
    float guide from 1e-5 (from 1e-6 with a radius of at least 8). Works in tiles that stay in the cache: needs about
    1 MB a thread, growing with the square of the radius; beyond a radius of 256 instead 32 bytes a pixel of the
    (smaller) picture with a gray guide, 56 with a colour guide.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> step = np.repeat(np.array([[0, 0, 1, 1]], np.float32), 4, axis=0)
    >>> alphacut.guided_filter(step, step, 1, 1e-6).round(3)[0].tolist()
    [0.0, 0.0, 1.0, 1.0]
    """
    if isinstance(src, np.ndarray) and src.dtype == np.bool_:
        src = src.astype(np.float32)
    windows = integer(radius, "radius"), real(eps, "eps"), integer(subsample, "subsample")
    return _core.guided_filter(native(guide, out), src, *windows, out)


class Distances(NamedTuple):
    """What :func:`distance_transform` returns with `return_indices`.

    Attributes
    ----------
    distances : (H, W) float32
        In pixels, or the unit of `sampling`.
    indices : (2, H, W) int32
        Row and column of the nearest zero pixel, as SciPy's.
    """

    distances: Array
    indices: Array


Metric = Literal["euclidean", "taxicab", "chessboard"]


@overload
def distance_transform(
    mask: Array,
    metric: Metric = ...,
    *,
    sampling: tuple[float, float] | None = ...,
    return_indices: Literal[False] = ...,
    out: Array | None = ...,
) -> Array: ...
@overload
def distance_transform(
    mask: Array,
    metric: Metric = ...,
    *,
    sampling: tuple[float, float] | None = ...,
    return_indices: Literal[True],
    out: Array | None = ...,
) -> Distances: ...
def distance_transform(
    mask: Array,
    metric: Metric = "euclidean",
    *,
    sampling: tuple[float, float] | None = None,
    return_indices: bool = False,
    out: Array | None = None,
) -> Array | Distances:
    """Measure how far each foreground pixel is from the background.

    Parameters
    ----------
    mask : (H, W) uint8 or bool
        Nonzero is foreground.
    metric : {"euclidean", "taxicab", "chessboard"}
        The length of the straight line; the sum of the steps down and across (OpenCV's ``DIST_L1``); or the greater of
        the two (``DIST_C``).
    sampling : (float, float), optional
        Height and width of a pixel, from 1e-6 to 1e6, for "euclidean": distances are then in their unit.
    return_indices : bool
        Tell which background pixel is the nearest, too.
    out : (H, W) float32, optional
        Where to write the distances.

    Returns
    -------
    ndarray, (H, W) float32
        Exact distance, in pixels, between the centres of a nonzero pixel and the nearest zero one; 0 on background;
        infinity everywhere if there is no background.

    With `return_indices` a :class:`Distances`, ``(distances, indices)``. Of several zero pixels as near the one in the
    leftmost column counts, there the one of least difference in rows, of two the upper. A pixel of background is its
    own; the indices are -1 everywhere if there is none.

    Raises
    ------
    TypeError
        If an array has another dtype, or an argument another type.
    ValueError
        If a shape is wrong, `metric` is unknown, or `sampling` is out of range or given with another metric.

    Notes
    -----
    Linear time (Meijster, Roerdink and Hesselink 2000). Needs 4 bytes a pixel beyond the result. With `sampling` what
    lies equally far but for rounding counts as several.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> alphacut.distance_transform(np.array([[1, 1, 1, 0]], bool)).tolist()
    [[3.0, 2.0, 1.0, 0.0]]
    >>> mask = np.array([[0, 1, 1], [1, 1, 1]], np.uint8)
    >>> alphacut.distance_transform(mask, metric="taxicab").tolist()
    [[0.0, 1.0, 2.0], [1.0, 2.0, 3.0]]
    """
    choice(metric, "metric", METRICS)
    if sampling is None:
        sides = [1.0, 1.0]
    elif isinstance(sampling, (tuple, list)) and len(sampling) == 2:
        sides = [real(side, "each side of sampling") for side in sampling]
    else:
        raise TypeError(f"sampling must be a pair (height, width), got {shown(sampling)}")
    wanted = flag(return_indices, "return_indices")
    distances, indices = _core.distance_transform(mask, metric, sides, wanted, out)
    return distances if indices is None else Distances(distances, indices)


def make_trimap(mask: Array, *, band: float | None = None, out: Array | None = None) -> Array:
    """Mark the pixels near the edge of a mask as unknown.

    Parameters
    ----------
    mask : (H, W) uint8 or bool
        Nonzero is foreground.
    band : float, optional
        Distance in pixels, from 0 to 4096: a pixel is unknown if one of the other kind is as near, centre to centre.
        Default: 10 at 0.45 megapixels, growing with the square root of the number of pixels, rounded, from 2 to 64. For
        a mask drawn to the pixel, 5 to 7 are better; for one that a graph cut made, 14 (see Notes).
    out : (H, W) uint8, optional
        Where to write the result.

    Returns
    -------
    (H, W) uint8
        0 background, 128 unknown, 255 foreground. Nothing is unknown in an empty or a full mask: it has no edge. The
        border of the picture is not an edge.

    Raises
    ------
    TypeError
        If `mask` or `out` has another dtype.
    ValueError
        If a shape is wrong or `band` is out of range.

    Notes
    -----
    Exact Euclidean distances in linear time (Meijster, Roerdink and Hesselink 2000). No thing is lost for being thin:
    what of the foreground lies beyond all discs of radius `band` that fit into it, and reaches farther than 5 bands
    from what is that far from the edge, keeps its middle half (all of a line of 2 pixels, 4 of a strap of 6). Parts of
    background keep what is farthest from the edge only where no background at all is known, so that the small holes in
    hair are left to the matte. Needs 10 bytes a pixel.

    The default lies between two optima, which were the same at 0.1, 0.4 and 1.6 megapixels (14 photographs with known
    alpha, :func:`refine_alpha` from the mask, mean squared error near the edge, in thousandths at 0.4): with the exact
    mask 5.5 at half the default, 5.9 at 0.7, 6.9 at the default, 10.7 at 1.4; with that of :func:`grabcut` 24.6, 23.3,
    22.2, 20.9, and 22.5 at twice the default.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> alphacut.make_trimap(np.array([[0, 0, 0, 1, 1, 1]], bool), band=1).tolist()
    [[0, 0, 128, 128, 255, 255]]
    """
    return _core.make_trimap(mask, None if band is None else real(band, "band"), out)


def refine_alpha(
    image: Array,
    trimap: Array | None = None,
    method: Literal["guided", "sampled", "closed_form"] = "closed_form",
    *,
    mask: Array | None = None,
    out: Array | None = None,
) -> Array:
    """Find how much of each unknown pixel is foreground.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8, uint16 or float32
        Gray or RGB picture; float values from 0 to 1.
    trimap : (H, W) uint8 or bool, optional
        0 background, 255 foreground, anything between unknown. Where nothing is unknown it is taken as `mask`.
    method : {"guided", "sampled", "closed_form"}
        From fast to exact. "guided" fits alpha to the picture in windows of 84 pixels, known pixels only; "sampled"
        explains each unknown pixel by a pair of known colours and smooths that; "closed_form" solves the matting
        Laplacian from there. Notes say what each costs.
    mask : (H, W) of bool or integers, optional
        Instead of `trimap`: nonzero is foreground, and what is near the edge is unknown, see :func:`make_trimap`.
    out : (H, W) in the dtype of image, optional
        Where to write the result.

    Returns
    -------
    (H, W) in the dtype of `image`
        Alpha, not premultiplied: from 0 to 255, 65535 or 1. Known pixels keep exactly 0 or all of it. An empty mask
        gives 0 everywhere, a full one the other.

    Raises
    ------
    TypeError
        If an array has another dtype, `method` is not a str, or there are both a trimap and a mask or neither.
    ValueError
        If shapes differ, a value is out of range, `method` is unknown, or there are unknown pixels but no known
        foreground or no known background.

    Notes
    -----
    "guided" is the guided filter (He, Sun and Tang 2013) at a quarter of the size, weighted by what is known; where no
    window of 84 pixels reaches a known one, windows 4, 16, ... times as large are used. "sampled" follows Gastal and
    Oliveira, "Shared sampling for real-time alpha matting", 2010, at half size, then a guided filter weighted by how
    well the pairs fit. "closed_form" is Levin, Lischinski and Weiss, "A closed-form solution to natural image matting",
    2008, started from and drawn to the filtered samples, by 15 steps of conjugate gradients, and stretched from
    0.05..0.95 to 0..1. Where less than 30 % is known, samples come from far and are worse: they draw by as much less,
    and there are as many more steps, ten times at most. A picture less than 3 pixels wide or high has no Laplacian:
    there "closed_form" is the filtered samples, stretched.

    What a mask holds is not lost for being thin: where it is narrower than 3 bands, and reaches that far, its middle
    half is taken as known where the first estimate has lost it (alpha below 0.35; 0.75 where no pair fits, 0.5 for
    "guided"), the estimate is made anew from there, and all of it keeps more than half. On the pictures of the table,
    from the exact mask, that takes 11 % off the squared error near the edge.

    A transposed picture gets the transposed alpha, but for rounding and ties.

    Error over the unknown pixels, and time on one thread, of photographs of 0.5 megapixels, 15 % of them unknown,
    relative to pymatting's closed form of the whole picture (mean squared error 0.020):

    ============= ============= ======================
    method        squared error time
    ============= ============= ======================
    "guided"      1.9           1/110
    "sampled"     0.71          1/16
    "closed_form" 0.61          1/9
    ============= ============= ======================

    Only the rectangle around the unknown pixels, 88 pixels wider on each side, is looked at. Where it has more than 1.4
    megapixels the estimate is made on a smaller copy (means of 2, 3, ... pixels square) and carried up by what it is of
    the colours, a linear function in each window of 3 by 3: 12 megapixels take some 6 times as long as half a one.
    Five of the pictures, enlarged five times, came out better so (squared error 0.83 of that at full size); where 8
    megapixels hold detail of single pixels, some worse (1.05). "guided" needs 20 bytes a pixel of that copy, "sampled"
    30, "closed_form" 30 and another 180 for each unknown pixel; beyond it 6 bytes a pixel of the rectangle.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.tile(np.linspace(0, 1, 8, dtype=np.float32), (4, 1))
    >>> trimap = np.tile(np.array([0, 0, 128, 128, 128, 128, 255, 255], np.uint8), (4, 1))
    >>> alpha = alphacut.refine_alpha(image, trimap)
    >>> bool((np.diff(alpha[0]) >= 0).all())
    True
    """
    choice(method, "method", METHODS)
    if (trimap is None) == (mask is None):
        raise TypeError("refine_alpha needs a trimap or a mask, " + ("got both" if mask is not None else "got neither"))
    hint, name = (trimap, "trimap") if mask is None else (as_mask(mask, out), "mask")
    if isinstance(hint, np.ndarray) and hint.dtype in ((np.bool_,) if mask is None else (np.bool_, np.uint8)):
        require_apart(out, hint)
        hint = np.where(np.asarray(hint), np.uint8(255), np.uint8(0))
    return run(lambda a, b: _core.refine_alpha(a, hint, name, method, b), image, out, [hint])


def adjust_edge(alpha: Array, *, shift: float = 0.0, feather: float = 0.0, out: Array | None = None) -> Array:
    """Move the edge of a matte outwards or inwards, and soften it.

    Parameters
    ----------
    alpha : (H, W) uint8, uint16, float32 or bool
        How much of each pixel is foreground; float values from 0 to 1.
    shift : float
        Pixels, from -100 to 100: outwards where positive, inwards where negative.
    feather : float
        The standard deviation, in pixels, of the Gaussian that softens it afterwards, from 0 to 100.
    out : (H, W), optional
        Where to write the result, in the dtype of `alpha` (uint8 for bool).

    Returns
    -------
    (H, W) in the dtype of `alpha`
        What has one alpha as far as both reach (three deviations) keeps it exactly.

    Raises
    ------
    TypeError
        If an array has another dtype.
    ValueError
        If a shape is wrong or a value is out of range.

    Notes
    -----
    Grayscale dilation (or erosion) by a disc: each pixel takes the greatest (or least) alpha within that distance;
    between whole distances the mean of the two, weighed. Memory beyond the result: a plane where both are given or
    `shift` is no whole number.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> alphacut.adjust_edge(np.array([[0, 0, 0, 255, 255]], np.uint8), shift=1.5).tolist()
    [[0, 128, 255, 255, 255]]
    """
    numbers = real(shift, "shift"), real(feather, "feather")
    if isinstance(alpha, np.ndarray) and alpha.dtype == np.bool_:
        alpha = alpha.view(np.uint8) * np.uint8(255)
    return run(lambda a, b: _core.adjust_edge(a, *numbers, b), alpha, out)
