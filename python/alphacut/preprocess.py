"""What a picture may need before it is cut: less noise, neutral colours, another size."""

from __future__ import annotations

from typing import Literal

import numpy as np

from . import _core
from ._arrays import (
    BORDERS,
    Array,
    as_bytes,
    choice,
    integer,
    native,
    pair,
    real,
    require_apart,
    run,
    shown,
    small_integer,
)

RESIZE_METHODS = ("area", "nearest", "bilinear", "bicubic", "lanczos", "gaussian")


def denoise(
    image: Array,
    method: Literal["median", "bilateral"] = "median",
    *,
    size: int = 3,
    sigma: float = 0.1,
    sigma_space: float | None = None,
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
    size : int
        Side of the window in pixels, odd, from 3 to 31; the bilateral filter takes the disc inside it.
    sigma : float
        Bilateral only: how different colours may be to be averaged, as the standard deviation of the summed absolute
        differences of the channels, in units of full scale (0.1 is 25.5 of 255); above 0, at most 4.
    sigma_space : float, optional
        Bilateral only: how far away, as a standard deviation in pixels from 0.01 to 1000. Default: ``size / 2``.
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
        If a shape, a value of a float picture, `method`, `size`, `sigma` or `sigma_space` is out of range.

    Notes
    -----
    The border is replicated. The median equals OpenCV's ``medianBlur`` bit for bit. Up to 5 by 5 it is found by a fixed
    network of minima and maxima, so time does not depend on the picture; beyond, of uint8 by histograms of the columns
    (Perreault and Hébert, 2007), so time hardly depends on the window (544 bytes a pixel of a row and thread), of other
    depths by selection, whose time grows with the window's area. The bilateral filter (Tomasi and Manduchi, 1998) has,
    like OpenCV's, one weight for all channels; its exponential is a polynomial (error below 0.001). Memory beyond the
    result: a few rows a thread.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.full((3, 3), 7, np.uint8)
    >>> image[1, 1] = 255
    >>> int(alphacut.denoise(image)[1, 1])
    7
    """
    side, deviation = small_integer(size, "size"), real(sigma, "sigma")
    reach = None if sigma_space is None else real(sigma_space, "sigma_space")
    if choice(method, "method", ("median", "bilateral")) == "median":
        return run(lambda a, b: _core.median(a, side, b), image, out)
    return run(lambda a, b: _core.bilateral(a, side, deviation, reach, b), image, out)


def gaussian_blur(
    image: Array,
    sigma: float | tuple[float, float],
    *,
    truncate: float = 4.0,
    mode: Literal["nearest", "reflect", "mirror", "wrap"] = "nearest",
    out: Array | None = None,
) -> Array:
    """Blur with a Gaussian.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8, uint16 or float32 array
        A picture or a plane; floats of any finite value. The channels are blurred one by one.
    sigma : float or (float, float)
        Standard deviation in pixels, or those down and across; at least 0, which leaves an axis as it is.
    truncate : float
        Where the window ends, in standard deviations, above 0: ``round(truncate * sigma)`` pixels from its middle, at
        most 16383.
    mode : {"nearest", "reflect", "mirror", "wrap"}
        What lies beyond the border: its pixel, the picture mirrored with it or without it, or the other side.
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
        If a shape, a value that is not finite, `sigma`, `truncate` or `mode` is out of range.

    Notes
    -----
    The windows and weights of scikit-image's ``gaussian`` and SciPy's ``gaussian_filter``, so the same numbers but for
    rounding; OpenCV's ``GaussianBlur`` with ``ksize = 2 * round(truncate * sigma) + 1``, whose own default is
    ``mode="mirror"`` with a `truncate` of 3 (uint8) or 4. One axis after the other. uint8 is rounded once, half up,
    from sums in whole 1/128 (floats where the window is larger than 125 pixels): within 0.7 of the exact number, where
    OpenCV's is within 1. float32 is summed in float32, and uint16 by way of it. Memory beyond the result: a few rows a
    thread; 4 bytes a value for uint8 with a larger window.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> dot = np.zeros((3, 5), np.uint8)
    >>> dot[1, 2] = 255
    >>> alphacut.gaussian_blur(dot, 0.5)[1]
    array([  0,  21, 158,  21,   0], dtype=uint8)
    """
    down, across = pair(sigma, "sigma", real)
    reach, border = real(truncate, "truncate"), choice(mode, "mode", BORDERS[:-1])
    return run(lambda a, b: _core.gaussian_blur(a, down, across, reach, border, b), image, out)


def unsharp_mask(
    image: Array,
    *,
    sigma: float | tuple[float, float] = 1.0,
    amount: float = 1.0,
    truncate: float = 4.0,
    mode: Literal["nearest", "reflect", "mirror", "wrap"] = "nearest",
    out: Array | None = None,
) -> Array:
    """Sharpen: add to a picture what a Gaussian takes away.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8, uint16 or float32 array
        A float picture has values from 0 to 1.
    sigma : float or (float, float)
        Standard deviation of the Gaussian in pixels, or those down and across, at least 0: how wide edges are.
    amount : float
        How much is added, from 0 to 1000.
    truncate : float
        Where the window ends, in standard deviations; as :func:`gaussian_blur`.
    mode : {"nearest", "reflect", "mirror", "wrap"}
        What lies beyond the border; as :func:`gaussian_blur`.
    out : array, optional
        Where to write: shape and dtype of `image`, sharing no memory with it.

    Returns
    -------
    array
        ``image + amount * (image - blurred)``, held within the range; shape and dtype of `image`.

    Raises
    ------
    TypeError
        If `image` or `out` is not an array of an accepted dtype.
    ValueError
        If a shape, a value of a float picture, `sigma`, `amount`, `truncate` or `mode` is out of range.

    Notes
    -----
    scikit-image's ``unsharp_mask``, whose `radius` is `sigma` here and whose border is "reflect".
    uint8 is rounded once, half up. Time and memory: :func:`gaussian_blur`.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> edge = np.array([[80, 80, 80, 160, 160, 160]], np.uint8)
    >>> alphacut.unsharp_mask(edge, amount=0.5)
    array([[ 80,  78,  68, 172, 162, 160]], dtype=uint8)
    """
    down, across = pair(sigma, "sigma", real)
    by, reach = real(amount, "amount"), real(truncate, "truncate")
    border = choice(mode, "mode", BORDERS[:-1])
    return run(lambda a, b: _core.unsharp_mask(a, down, across, by, reach, border, b), image, out)


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


def rgb_to_lab(image: Array, *, out: Array | None = None) -> Array:
    """Express colours as CIE L*a*b*, in which equal distances look about equally different.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8, uint16 or float32 array
        A gray or sRGB picture; float values from 0 to 1.
    out : (H, W, 3) float32 array, optional
        Where to write, sharing no memory with `image`.

    Returns
    -------
    (H, W, 3) float32 array
        Lightness from 0 to 100, then a and b (green to red, blue to yellow), from about -110 to 110.

    Raises
    ------
    TypeError
        If `image` or `out` is not an array of an accepted dtype.
    ValueError
        If a shape or a value of a float picture is out of range.

    Notes
    -----
    CIE 1976 with the white D65 of the 2° observer and the transfer of sRGB (IEC 61966-2-1): scikit-image's ``rgb2lab``
    within 0.01, and OpenCV's ``COLOR_RGB2LAB``, which goes by tables, within 0.5. The same bytes for every instruction
    set.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> alphacut.rgb_to_lab(np.array([[[255, 0, 0]]], np.uint8)).astype(int)[0, 0].tolist()
    [53, 80, 67]
    """
    return _core.rgb_to_lab(native(image, out), out)


def resize(
    image: Array,
    size: tuple[int, int],
    method: Literal["area", "nearest", "bilinear", "bicubic", "lanczos", "gaussian"] = "area",
    *,
    out: Array | None = None,
) -> Array:
    """Give a picture, a mask, labels or an alpha matte another size.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8, uint16 or float32 array
        A float picture has values from 0 to 1. With "nearest" int32 and bool, too, and any float.
    size : (int, int)
        ``(height, width)`` of the result, in the order of ``image.shape``. OpenCV's ``dsize`` is the other way round.
    method : {"area", "nearest", "bilinear", "bicubic", "lanczos", "gaussian"}
        "area" is the mean of the rectangle a result pixel covers, for shrinking; a side that grows is bilinear.
        "nearest" is the pixel in which the centre of the result lies: for masks and labels, nothing is mixed.
        "bilinear" weighs the nearest pixel centres, whatever the factor. "bicubic" and "lanczos" are sharper; a side
        that shrinks widens them, so that nothing aliases. "gaussian" blurs what shrinks by a factor f with a sigma of
        (f - 1) / 2, and is bilinear then.
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
    ``INTER_LINEAR``; "nearest" is its ``INTER_NEAREST_EXACT``. "bicubic" (Keys, 1981, a = -1/2) and "lanczos"
    (Lanczos, 1979, three lobes) are Pillow's: at the border they take the pixels inside alone, and what overshoots 0 or
    full scale ends there. "gaussian" is as scikit-image's ``resize`` with its anti-aliasing. uint8 is rounded half up,
    exactly so for whole shrinking factors; float32 is summed in double. Memory beyond the result: a row a thread, and a
    copy of the picture for "gaussian".

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.array([[0, 2, 10, 20], [4, 6, 30, 40]], np.uint8)
    >>> alphacut.resize(image, (1, 2)).tolist()
    [[3, 25]]
    """
    if not isinstance(size, (tuple, list)) or len(size) != 2:
        raise TypeError(f"size must be a pair (height, width), got {shown(size)}")
    height, width = (integer(side, "each side of size") for side in size)
    if choice(method, "method", RESIZE_METHODS) == "gaussian":
        return _blurred_first(image, height, width, out)
    work = getattr(_core, f"resize_{method}")
    if method != "nearest":
        return run(lambda a, b: work(a, height, width, b), image, out)
    if not isinstance(image, np.ndarray) or image.dtype != np.bool_:
        return work(image, height, width, out)
    return as_bytes(lambda a, b: work(a, height, width, b), image, out)


def _blurred_first(image: Array, height: int, width: int, out: Array | None) -> Array:
    if not isinstance(image, np.ndarray) or image.ndim < 2 or 0 in image.shape or min(height, width) < 1:
        return resize(image, (height, width), "bilinear", out=out)  # which says what is wrong
    sigma = tuple(max(0.0, (old / new - 1) / 2) for old, new in zip(image.shape, (height, width), strict=False))
    require_apart(out, image)
    return resize(gaussian_blur(image, sigma, mode="mirror"), (height, width), "bilinear", out=out)
