"""Alpha by the colour of the background."""

from __future__ import annotations

from typing import NamedTuple

from . import _core
from ._arrays import Array, flag, matching, native, real, run, shown
from ._color import Color, parse_color


class KeyColor(NamedTuple):
    """The colour of a background, which may change linearly over the picture; see :func:`find_key`.

    Attributes
    ----------
    color : (float, float, float)
        r, g, b at the middle of the picture, 0 to 255 whatever the picture's depth.
    across, down : (float, float, float)
        The change of r, g, b from the left to the right edge, and from the top to the bottom.
    uniformity : float
        The share of the border that has this colour, 0 to 1. Above 0.9 the picture has a plain background.
    """

    color: tuple[float, float, float]
    across: tuple[float, float, float] = (0.0, 0.0, 0.0)
    down: tuple[float, float, float] = (0.0, 0.0, 0.0)
    uniformity: float = 1.0


Triple = tuple[float, float, float]


def _scaled(values: Triple, factor: float) -> Triple:
    return values[0] * factor, values[1] * factor, values[2] * factor


def key_color(key: Color | KeyColor) -> KeyColor:
    """A key in any of its forms, checked."""
    if not isinstance(key, KeyColor):
        return KeyColor(parse_color(key, "key"))
    for name, value in zip(("color", "across", "down"), key[:3], strict=True):
        if not isinstance(value, (tuple, list)) or len(value) != 3:
            raise ValueError(f"key.{name} must be three numbers, got {shown(value)}")
    color, across, down = (tuple(real(each, "key") for each in value) for value in key[:3])
    return KeyColor(color, across, down, key.uniformity)  # type: ignore[arg-type]


def find_key(image: Array) -> KeyColor:
    """Find the colour of a plain background from the border of the picture.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8, uint16 or float32 array
        A float picture has values from 0 to 1.

    Returns
    -------
    KeyColor
        The colour, how it changes over the picture, and the share of the border that has it.

    Raises
    ------
    TypeError
        If `image` is not an array of an accepted dtype.
    ValueError
        If its shape or a value of a float picture is out of range.

    Notes
    -----
    The commonest colour of a frame of one to three pixels, then four rounds of a linear least-squares fit to the
    frame's pixels within a distance of 0.15, later 0.05 (as in :func:`chroma_key`). A subject may cover part of the
    border. Of a strip whose frame has more than 262,144 pixels, that many at most are looked at, evenly spread. Memory:
    80 bytes for each.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.full((40, 40, 3), (10, 200, 30), np.uint8)
    >>> image[10:30, 10:30] = 255
    >>> key = alphacut.find_key(image)
    >>> [round(value) for value in key.color], key.uniformity
    ([10, 200, 30], 1.0)
    """
    color, across, down, uniformity = _core.find_key(native(image))
    return KeyColor(_scaled(color, 255), _scaled(across, 255), _scaled(down, 255), uniformity)


def chroma_key(
    image: Array,
    key: Color | KeyColor | None = None,
    *,
    similarity: float = 0.03,
    blend: float | None = None,
    contiguous: bool = False,
    out: Array | None = None,
) -> Array:
    """Make a background of one colour transparent.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8, uint16 or float32 array
        A float picture has values from 0 to 1.
    key : color, optional
        The background's colour: ``"#rrggbb"``, a CSS name, (r, g, b) from 0 to 255 whatever the depth, or what
        :func:`find_key` returns. Without it the colour is found by :func:`find_key`: ask that for `uniformity` where it
        is not known that the background is plain.
    similarity : float
        Up to this distance from the key a pixel is wholly transparent; 0 to 2, where black and white are 1 apart.
    blend : float, optional
        From `similarity` to `similarity` + `blend` alpha rises to full; 0 to 2. Without it 0.05 for a neutral key,
        rising to 0.2 for a saturated one.
    contiguous : bool
        Whether only background that is connected to the border (4-neighbours) becomes transparent, so that the same
        colour inside the subject stays.
    out : (H, W) array, optional
        Where to write: dtype of `image`, sharing no memory with it.

    Returns
    -------
    (H, W) array
        Alpha, dtype of `image`: 0 is background, full scale is subject.

    Raises
    ------
    TypeError
        If `image`, `key` or `out` has a wrong type.
    ValueError
        If a shape, a value of a float picture, `key`, `similarity` or `blend` is out of range.

    Notes
    -----
    The distance is the length of the difference in (wY, Cb, Cr), BT.601, where w falls from 1 for a neutral key to 1/2
    for a saturated one. It is a norm on encoded values, so a pixel that mixes subject and key by alpha lies at alpha
    times the subject's distance: the ramp is true where ``similarity + blend`` is that distance. All arithmetic is a
    fixed order of float32 operations. Memory beyond the result: none, with `contiguous` 1 byte a pixel and the spans
    in wait.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.full((40, 40, 3), (0, 200, 0), np.uint8)
    >>> image[10:30, 10:30] = (200, 30, 30)
    >>> alpha = alphacut.chroma_key(image, "#00c800")
    >>> int(alpha[0, 0]), int(alpha[20, 20])
    (0, 255)
    """
    found = find_key(image) if key is None else key_color(key)
    color, across, down = (_scaled(value, 1 / 255) for value in found[:3])
    ramp = 0.05 + 0.15 * _core.key_saturation(color) if blend is None else real(blend, "blend")
    settings = color, across, down, real(similarity, "similarity"), ramp, flag(contiguous, "contiguous")
    return run(lambda a, b: _core.chroma_key(a, *settings, b), image, out)


def despill(
    image: Array,
    key: Color | KeyColor,
    *,
    alpha: Array | None = None,
    strength: float = 1.0,
    out: Array | None = None,
) -> Array:
    """Remove the key's colour that the background has cast on the subject.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8, uint16 or float32 array
        A float picture has values from 0 to 1.
    key : color
        The background's colour, as for :func:`chroma_key`.
    alpha : (H, W) array, optional
        In the dtype of `image`, or bool. With it no pixel loses more than a share of 1 - alpha of the background can
        have added, so opaque pixels keep their colour; without it reflections on the subject are removed too.
    strength : float
        How much of the excess to remove, from 0 to 1.
    out : array, optional
        Where to write: shape and dtype of `image`, sharing no memory with it.

    Returns
    -------
    array
        Shape and dtype of `image`.

    Raises
    ------
    TypeError
        If `image`, `key`, `alpha` or `out` has a wrong type.
    ValueError
        If a shape, a value of a float picture, `key` or `strength` is out of range.

    Notes
    -----
    The key's strong channels are those above the middle of its least and greatest value: green for a green key, red and
    blue for magenta. Where they all exceed the pixel's other channels, they are lowered by `strength` times the excess
    of the least of them over the greatest other. A key whose channels differ by less than 25.5 is gray and changes
    nothing, nor does any key change a gray picture. Memory beyond the result: none.

    Lowering a channel takes the tint away, but not the rest of the background from a soft edge, which stays too dark or
    too bright: there, pass the result of :func:`estimate_foreground` without an alpha. On synthetic edges that halves
    the error of the picture's colours, and no tint is left.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.full((1, 1, 3), (120, 160, 100), np.uint8)
    >>> alphacut.despill(image, "green")[0, 0].tolist()
    [120, 120, 100]
    """
    color = _scaled(key_color(key).color, 1 / 255)
    matte = None if alpha is None else matching(alpha, "alpha", image)
    return run(lambda a, b: _core.despill(a, color, matte, real(strength, "strength"), b), image, out, [alpha])
