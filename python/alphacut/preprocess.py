"""What a picture may need before it is cut: less noise, neutral colours, another size."""

from __future__ import annotations

from typing import Literal

from . import _core
from ._arrays import Array, choice, integer, real, run, small_integer


def denoise(
    image: Array,
    method: Literal["median", "bilateral"] = "median",
    *,
    size: int = 3,
    sigma: float = 0.1,
    out: Array | None = None,
) -> Array:
    """Remove noise and keep edges.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8, uint16 or float32 array
        A float picture has values from 0 to 1.
    method : {"median", "bilateral"}
        The median of each channel's neighbours removes specks; the bilateral filter averages neighbours of like colour
        and removes fine grain.
    size : {3, 5}
        Side of the window in pixels; the bilateral filter takes the disc inside it.
    sigma : float
        Bilateral only: how different colours may be to be averaged, as the standard deviation of the summed absolute
        differences of the channels, in units of full scale (0.1 is 25.5 of 255); above 0, at most 4.
    out : array, optional
        Where to write: shape and dtype of `image`, sharing no memory with it.

    Returns
    -------
    array
        Shape and dtype of `image`.

    Raises
    ------
    TypeError
        If `image` or `out` is not an array of an accepted dtype.
    ValueError
        If a shape, a value of a float picture, `method`, `size` or `sigma` is out of range.

    Notes
    -----
    The border is replicated. The median equals OpenCV's ``medianBlur`` bit for bit; it is found by a fixed network of
    minima and maxima, so time does not depend on the picture. The bilateral filter (Tomasi and Manduchi, 1998) has a
    spatial deviation of ``size / 2`` pixels and, like OpenCV's, one weight for all channels; its exponential is a
    polynomial (error below 0.001). Memory beyond the result: a few rows a thread.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.full((3, 3), 7, np.uint8)
    >>> image[1, 1] = 255
    >>> int(alphacut.denoise(image)[1, 1])
    7
    """
    side, deviation = small_integer(size, "size"), real(sigma, "sigma")
    if choice(method, "method", ("median", "bilateral")) == "median":
        return run(lambda a, b: _core.median(a, side, b), image, out)
    return run(lambda a, b: _core.bilateral(a, side, deviation, b), image, out)


def white_balance(
    image: Array,
    method: Literal["gray_world", "percentile"] = "gray_world",
    *,
    percent: float = 1.0,
    out: Array | None = None,
) -> Array:
    """Remove a colour cast.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8, uint16 or float32 array
        A float picture has values from 0 to 1.
    method : {"gray_world", "percentile"}
        "gray_world" scales the channels so that their means agree. "percentile" stretches each channel linearly so that
        the darkest and the brightest `percent` of its values reach 0 and full scale.
    percent : float
        Percentile only: how many values saturate at each end, from 0 to below 50.
    out : array, optional
        Where to write: shape and dtype of `image`, sharing no memory with it.

    Returns
    -------
    array
        Shape and dtype of `image`.

    Raises
    ------
    TypeError
        If `image` or `out` is not an array of an accepted dtype.
    ValueError
        If a shape, a value of a float picture, `method` or `percent` is out of range.

    Notes
    -----
    Gray world (Buchsbaum, 1980): a one-colour picture becomes gray of the same mean, a channel that is 0 everywhere
    stays so, a gray picture is copied; values that exceed full scale saturate. Percentile ("simplest colour balance",
    Limare et al., 2011): a channel whose two percentiles are equal is copied. uint8 works in whole numbers through a
    table, rounded half up. Memory beyond the result: none, but 4 bytes a pixel for percentiles of float pictures.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.full((2, 2, 3), (90, 60, 30), np.uint8)
    >>> alphacut.white_balance(image)[0, 0].tolist()
    [60, 60, 60]
    """
    share = real(percent, "percent")
    if choice(method, "method", ("gray_world", "percentile")) == "gray_world":
        return run(_core.gray_world, image, out)
    return run(lambda a, b: _core.percentile_stretch(a, share, b), image, out)


def resize(
    image: Array,
    size: tuple[int, int],
    *,
    method: Literal["area", "bilinear"] = "area",
    out: Array | None = None,
) -> Array:
    """Give a picture, a mask or an alpha matte another size.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8, uint16 or float32 array
        A float picture has values from 0 to 1.
    size : (int, int)
        ``(height, width)`` of the result, in the order of ``image.shape``. OpenCV's ``dsize`` is the other way round.
    method : {"area", "bilinear"}
        "area" is the mean of the rectangle a result pixel covers, for shrinking; a side that grows is bilinear.
        "bilinear" weighs the nearest pixel centres, whatever the factor.
    out : array, optional
        Where to write: the new shape, dtype of `image`, sharing no memory with it.

    Returns
    -------
    array
        Shape `size` (and 3 channels if `image` has them), dtype of `image`.

    Raises
    ------
    TypeError
        If `image` or `out` is not an array of an accepted dtype, or `size` not a pair of integers.
    ValueError
        If a shape, a value of a float picture, `size` or `method` is out of range.

    Notes
    -----
    Pixel centres lie at half coordinates and the border is replicated, as with OpenCV's ``INTER_AREA`` and
    ``INTER_LINEAR``. uint8 is rounded half up, exactly so for whole shrinking factors; float32 is summed in double.
    Memory beyond the result: a row a thread.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.array([[0, 2, 10, 20], [4, 6, 30, 40]], np.uint8)
    >>> alphacut.resize(image, (1, 2)).tolist()
    [[3, 25]]
    """
    if not isinstance(size, (tuple, list)) or len(size) != 2:
        raise TypeError(f"size must be a pair (height, width), got {size!r}")
    height, width = (integer(side, "each side of size") for side in size)
    work = {"area": _core.resize_area, "bilinear": _core.resize_bilinear}[
        choice(method, "method", ("area", "bilinear"))
    ]
    return run(lambda a, b: work(a, height, width, b), image, out)
