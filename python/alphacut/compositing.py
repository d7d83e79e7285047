"""Compositing: the cut-out alone, or over a colour, another picture or its own blurred background."""

from __future__ import annotations

import numpy as np

from . import _core
from ._arrays import Array, flag, integer, matching, native, real, require_host, run
from ._color import Color, parse_color
from .shadow import Shadow, between

__all__ = [
    "blurred_background",
    "checkerboard",
    "composite",
    "decode_srgb",
    "encode_srgb",
    "premultiply",
    "unpremultiply",
]


def composite(
    foreground: Array,
    alpha: Array,
    background: Array | Color | None = None,
    *,
    shadow: Shadow | str | None = None,
    linear: bool = False,
    out: Array | None = None,
) -> Array:
    """Put a foreground over a background, or make it an RGBA picture.

    Parameters
    ----------
    foreground : (H, W, 3) or (H, W) array of uint8, uint16 or float32
        Encoded (sRGB) values: 0..255, 0..65535 or 0..1. Gray becomes RGB.
    alpha : (H, W) array of the foreground's dtype, or bool
        Straight: 0 is background, the dtype's whole range (255, 65535 or 1) foreground.
    background : array, str, (r, g, b) or None
        A picture of the foreground's size and dtype; or a colour: "#rrggbb", a CSS name or three integers from 0 to
        255. None makes an RGBA picture, not premultiplied.
    shadow : Shadow or str, optional
        Of the foreground on the background, or in the RGBA picture: "drop" or "contact", see :func:`cast_shadow`.
    linear : bool
        Blend in linear light instead of in encoded values: right for light that mixes at an edge. The default is what
        Pillow, OpenCV and browsers do, and fits an alpha that was estimated on encoded values better.
    out : array, optional
        Where to write: the result's shape and the foreground's dtype, sharing no memory with the inputs.

    Returns
    -------
    (H, W, 3) array, or (H, W, 4) without a background, of the foreground's dtype

    Raises
    ------
    TypeError
        If an argument has another type or dtype.
    ValueError
        If sizes do not agree, a float32 value is not finite or leaves 0..1, a colour is unknown, or `linear` comes
        without a background.

    Notes
    -----
    uint8 gives the integer nearest to ``(f * a + b * (255 - a)) / 255``, exactly; float32 gives
    ``f * a + b * (1 - a)``; uint16 goes through float32, 4 bytes a value of every picture for a while. In linear light
    uint8 is decoded to 16 bits and encoded from 13, at most one level from the exact answer, and float32 is within 1e-6
    of it; where alpha is 0 or whole, the result is the input, exactly. A shadow is put on the background first, by the
    same rule; without a background, alpha is what foreground and shadow cover together, and the colour what they mix
    to. (Porter and Duff, Compositing Digital Images, 1984.)

    A halo around the subject has one of three causes. *Colours of the old background*: a soft pixel of a picture holds
    its background's colour too; composing the picture itself instead of :func:`estimate_foreground`'s colours shows it,
    at an edge ten pixels wide as six to ten times the error. *Straight against premultiplied*: premultiplied colours
    taken as straight are weighted twice, which darkens the edge, straight ones added to ``(1 - a) * b`` are not
    weighted at all, which brightens it. A premultiplied picture goes through :func:`unpremultiply` first. *The light*:
    what was mixed in encoded values (by most software) wants `linear` False, what was mixed in linear light (by a lens,
    some renderers) True. The other choice leaves the edge too dark or too bright. Alpha and colours are best estimated
    in the light of the picture, too: :func:`decode_srgb`, estimate, compose with `linear` False, :func:`encode_srgb`.

    Examples
    --------
    >>> import numpy as np
    >>> from alphacut import composite
    >>> red = np.full((1, 2, 3), [255, 0, 0], np.uint8)
    >>> alpha = np.array([[255, 51]], np.uint8)
    >>> composite(red, alpha, "white").tolist()
    [[[255, 0, 0], [255, 204, 204]]]
    >>> composite(red, alpha).shape
    (1, 2, 4)
    """
    inputs = alpha, background
    weight = matching(alpha, "alpha", foreground)
    linear = flag(linear, "linear")
    cast = Shadow.of(shadow)
    if background is None and linear:
        raise ValueError("linear needs a background: without one nothing is blended")
    more = {} if cast is None else between(weight, cast)
    if background is None:
        return run(lambda a, b: _core.to_rgba(a, weight, b, **more), foreground, out, inputs)
    if isinstance(background, np.ndarray):
        back = matching(background, "background", foreground)
        return run(lambda a, b: _core.composite_image(a, weight, back, linear, b, **more), foreground, out, inputs)
    require_host(background, "background")
    color = parse_color(background, "background")
    return run(lambda a, b: _core.composite_color(a, weight, color, linear, b, **more), foreground, out, inputs)


def premultiply(rgba: Array, *, out: Array | None = None) -> Array:
    """Multiply the colours of an RGBA picture by its alpha.

    Parameters
    ----------
    rgba : (H, W, 4) array of uint8, uint16 or float32
        Straight: colours and alpha are independent.
    out : array, optional
        Where to write: of the shape and dtype of `rgba`, sharing no memory with it.

    Returns
    -------
    (H, W, 4) array of the dtype of `rgba`

    Raises
    ------
    TypeError
        If an argument has another type or dtype.
    ValueError
        If the shape is another, or a float32 value is not finite or leaves 0..1.

    Notes
    -----
    uint8 gives the nearest integer. On encoded values, as Pillow, OpenCV and browsers do.

    Examples
    --------
    >>> import numpy as np
    >>> from alphacut import premultiply
    >>> premultiply(np.array([[[200, 100, 0, 51]]], np.uint8)).tolist()
    [[[40, 20, 0, 51]]]
    """
    return run(_core.premultiply, rgba, out)


def unpremultiply(rgba: Array, *, out: Array | None = None) -> Array:
    """Divide the colours of a premultiplied RGBA picture by its alpha.

    Parameters
    ----------
    rgba : (H, W, 4) array of uint8, uint16 or float32
        Premultiplied: no colour is above its alpha; one that is becomes the whole range.
    out : array, optional
        Where to write: of the shape and dtype of `rgba`, sharing no memory with it.

    Returns
    -------
    (H, W, 4) array of the dtype of `rgba`
        Where alpha is 0, the colours are 0.

    Raises
    ------
    TypeError
        If an argument has another type or dtype.
    ValueError
        If the shape is another, or a float32 value is not finite or leaves 0..1.

    Notes
    -----
    uint8 gives the nearest integer, halves up. ``premultiply(unpremultiply(x))`` is `x` in uint8.

    Examples
    --------
    >>> import numpy as np
    >>> from alphacut import unpremultiply
    >>> unpremultiply(np.array([[[40, 20, 0, 51]]], np.uint8)).tolist()
    [[[200, 100, 0, 51]]]
    """
    return run(_core.unpremultiply, rgba, out)


def decode_srgb(image: Array, *, out: Array | None = None) -> Array:
    """Turn encoded (sRGB) values into linear light.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) array of uint8, uint16 or float32
        Encoded values: 0..255, 0..65535 or 0..1.
    out : float32 array of the shape of `image`, optional
        Where to write, sharing no memory with it.

    Returns
    -------
    float32 array of the shape of `image`
        Proportional to light, from 0 to 1: a picture like any other for the functions that estimate and compose.

    Raises
    ------
    TypeError
        If an argument has another type or dtype.
    ValueError
        If the shape is another, or a float32 value is not finite or leaves 0..1.

    Notes
    -----
    IEC 61966-2-1, within 1e-6. Alpha is not encoded: it stays as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from alphacut import decode_srgb
    >>> decode_srgb(np.array([[0, 188, 255]], np.uint8)).round(2).tolist()
    [[0.0, 0.5, 1.0]]
    """
    return _core.decode_srgb(native(image, out), out)


def encode_srgb(light: Array, *, out: Array | None = None) -> Array:
    """Turn linear light into encoded (sRGB) values.

    Parameters
    ----------
    light : (H, W, 3) or (H, W) array of float32
        Proportional to light, from 0 to 1.
    out : float32 array of the shape of `light`, optional
        Where to write, sharing no memory with it.

    Returns
    -------
    float32 array of the shape of `light`
        From 0 to 1. For bytes: ``np.rint(255 * encoded).astype(np.uint8)``.

    Raises
    ------
    TypeError
        If an argument has another type or dtype.
    ValueError
        If the shape is another, or a value is not finite or leaves 0..1.

    Notes
    -----
    IEC 61966-2-1, within 1e-6.

    Examples
    --------
    >>> import numpy as np
    >>> from alphacut import decode_srgb, encode_srgb
    >>> image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> bool((np.rint(255 * encode_srgb(decode_srgb(image))) == image).all())
    True
    """
    return _core.encode_srgb(light, out)


def blurred_background(image: Array, alpha: Array, sigma: float | None = None, *, out: Array | None = None) -> Array:
    """Blur a picture's own background, without the subject bleeding into it.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) array of uint8, uint16 or float32
        The whole picture, subject and background.
    alpha : (H, W) array of the dtype of `image`, or bool
        What is subject, as for :func:`composite`.
    sigma : float, optional
        Standard deviation of the blur in pixels, above 0. If None, 2 % of the longer side, at least 1.
    out : array, optional
        Where to write: of the shape and dtype of `image`, sharing no memory with the inputs.

    Returns
    -------
    array of the shape and dtype of `image`
        A background for :func:`composite`.

    Raises
    ------
    TypeError
        If an argument has another type or dtype.
    ValueError
        If sizes do not agree, a float32 value is not finite or leaves 0..1, or `sigma` is not finite and above 0.

    Notes
    -----
    Three boxes in each direction, about a Gaussian, in a time that does not depend on `sigma` (Kovesi, Fast
    Almost-Gaussian Filtering, 2010). Each pixel counts by 1 - alpha (normalised convolution, Knutsson and Westin,
    1993); where no background is near, the result tends to the background's mean colour, and is mid-gray if there is
    none at all. Takes 16 bytes a pixel for a while (8 for a gray picture), and twice as much for the 32 columns each
    thread is at.

    Examples
    --------
    >>> import numpy as np
    >>> from alphacut.compositing import blurred_background
    >>> image = np.full((5, 5), 100, np.uint8)
    >>> image[2, 2] = 255
    >>> int(blurred_background(image, image == 255, 1.0).max())
    100
    """
    if sigma is None:
        sigma = max(1.0, 0.02 * max(image.shape[:2])) if isinstance(image, np.ndarray) and image.ndim >= 2 else 1.0
    weight, deviation = matching(alpha, "alpha", image), real(sigma, "sigma")
    return run(lambda a, b: _core.blurred_background(a, weight, deviation, b), image, out, [alpha])


def checkerboard(height: int, width: int, *, tile: int = 8, out: Array | None = None) -> Array:
    """Squares of white and light gray, as editors show transparency.

    Parameters
    ----------
    height, width : int
        Size in pixels, at least 1.
    tile : int
        Side of a square in pixels, at least 1.
    out : (height, width, 3) uint8 array, optional
        Where to write.

    Returns
    -------
    (height, width, 3) uint8 array of 255 and 204
        White in the top left corner.

    Raises
    ------
    ValueError
        If a size is below 1.

    Examples
    --------
    >>> from alphacut.compositing import checkerboard
    >>> checkerboard(2, 4, tile=2)[..., 0].tolist()
    [[255, 255, 204, 204], [255, 255, 204, 204]]
    """
    return _core.checkerboard(integer(height, "height"), integer(width, "width"), integer(tile, "tile"), out)
