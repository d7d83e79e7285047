"""The colours of the foreground alone, without what shines through from behind."""

from __future__ import annotations

from typing import Literal, NamedTuple, overload

import numpy as np

from . import _core
from ._arrays import Array, choice, flag, native, real, run


class Layers(NamedTuple):
    """What :func:`estimate_foreground` returns with `return_background`.

    Attributes
    ----------
    foreground, background : same shape and dtype as the picture
        The colours of the two that it is mixed of.
    """

    foreground: Array
    background: Array


@overload
def estimate_foreground(
    image: Array,
    alpha: Array,
    method: Literal["multilevel"] = ...,
    *,
    regularization: float = ...,
    return_background: Literal[False] = ...,
    out: Array | None = ...,
) -> Array: ...
@overload
def estimate_foreground(
    image: Array,
    alpha: Array,
    method: Literal["multilevel"] = ...,
    *,
    regularization: float = ...,
    return_background: Literal[True],
    out: Array | None = ...,
) -> Layers: ...
def estimate_foreground(
    image: Array,
    alpha: Array,
    method: Literal["multilevel"] = "multilevel",
    *,
    regularization: float = 1e-5,
    return_background: bool = False,
    out: Array | None = None,
) -> Array | Layers:
    """Estimate the foreground's colours, for composing it over another background without a fringe of the old one.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8, uint16 or float32
        Gray or RGB picture; float values from 0 to 1.
    alpha : (H, W) uint8, uint16, float32 or bool
        How much of each pixel is foreground: 0 to 255, 65535 or 1. Its dtype need not be that of `image`.
    method : {"multilevel"}
        How.
    regularization : float
        From 1e-8 to 1, what a neighbour weighs whose alpha is the same: more makes both layers smoother.
    return_background : bool
        Return the background's colours, too; takes twice the time.
    out : same shape and dtype as image, optional
        Where to write the foreground.

    Returns
    -------
    ndarray, same shape and dtype as `image`
        The foreground: the picture's colour, exactly, where alpha is full; an estimate where it is partial; where alpha
        is 0 a continuation of the foreground nearby, away from partial pixels in squares of 8 pixels. A picture of one
        pixel, or with alpha 0 everywhere, comes back unchanged.

    With `return_background` a :class:`Layers`, ``(foreground, background)``; the background is the same of
    ``1 - alpha``.

    Raises
    ------
    TypeError
        If an array has another dtype, `method` is not a str, `regularization` no number or `return_background` no bool.
    ValueError
        If shapes differ, a value is out of range or NaN, or `method` is unknown.

    Notes
    -----
    Solves image = alpha · F + (1 - alpha) · B for F and B that vary little where alpha varies, on a pyramid of pictures
    halved down to a longer side of 2: Germer, Uelwer, Conrad and Harmeling, "Fast multi-level foreground estimation",
    2020. Here pixels are updated like the two colours of a chessboard in turn, so that the result does not depend on
    the number of threads, and the weight of a neighbour is ``regularization + 0.1 * abs(alpha difference)``. The three
    finest levels are solved only around partial pixels (which does not change these): the time goes with their number.
    Needs about 1 byte a pixel and 2 MB a thread.

    The colours are straight: not weighted by alpha, as :func:`composite` and RGBA files want them. They are right in
    the light in which the picture's edge was mixed. Encoded values are taken to be mixed as such; for an edge mixed in
    linear light, with alpha known, estimating on the values of :func:`decode_srgb` left less than a third of the error.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.array([[[200, 0, 0], [100, 0, 50], [0, 0, 100]]], np.uint8)
    >>> alpha = np.array([[255, 128, 0]], np.uint8)
    >>> alphacut.estimate_foreground(image, alpha)[0, 0].tolist()
    [200, 0, 0]
    """
    choice(method, "method", ("multilevel",))
    flag(return_background, "return_background")
    smooth = real(regularization, "regularization")
    if isinstance(alpha, np.ndarray) and alpha.dtype == np.bool_:
        alpha = alpha.view(np.uint8) * np.uint8(255)
    weight = native(alpha)
    foreground = run(lambda a, b: _core.estimate_foreground(a, weight, smooth, b), image, out, [alpha])
    if not return_background:
        return foreground
    rest = weight.dtype.type(255 if weight.dtype == np.uint8 else 1) - weight  # the equations know no other difference
    return Layers(foreground, run(lambda a, b: _core.estimate_foreground(a, rest, smooth, b), image, None))
