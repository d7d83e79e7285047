"""Masks, trimaps and labels from pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import Array, integer
from .picture import Picture, eight_bits
from .read import MAX_PIXELS, as_stored


def read_mask(source: Any, *, max_pixels: int = MAX_PIXELS) -> Array:
    """Read a picture as one plane of 8 bits: a mask, a trimap or labels, with the values as they are stored.

    Parameters
    ----------
    source, max_pixels
        As for :func:`read_image`.

    Returns
    -------
    ndarray, (H, W), uint8
        The alpha channel if the picture is transparent anywhere, else its gray values, else the luma of its colours
        (ITU-R BT.601). 16 bits are rounded to 8.

    Raises
    ------
    DecodeError, TypeError, ValueError, OSError
        As :func:`read_image`.

    Examples
    --------
    >>> import numpy as np
    >>> from alphacut.files import read_mask
    >>> read_mask(np.array([[0, 65535]], np.uint16))
    array([[  0, 255]], dtype=uint8)
    """
    return _plane(as_stored(source, "source", max_pixels), "source")


def read_labels(source: Any, *, undecided: int = 2, max_pixels: int = MAX_PIXELS) -> Array:
    """Read strokes that were painted into a picture as labels.

    Parameters
    ----------
    source, max_pixels
        As for :func:`read_image`. In colour: strokes of green (#00ff00, give or take 31 in each channel) are to keep,
        of red (#ff0000) to remove, on any background that is neither: transparency, one colour, or the photo itself if
        it has no such colours. In gray: labels as they are, 0 to 3.
    undecided : {2, 3}
        The label where there is no stroke in colour: 2, probably background, or 3, probably foreground, which is usual
        inside a box.

    Returns
    -------
    ndarray, (H, W), uint8
        OpenCV's four: 0 background, 1 foreground, 2 probably background, 3 probably foreground.

    Raises
    ------
    ValueError
        If there is neither a green nor a red stroke, or a gray value that is not 0, 1, 2 or 3.
    DecodeError, TypeError, OSError
        As :func:`read_image`.

    Examples
    --------
    >>> import numpy as np
    >>> from alphacut.files import read_labels
    >>> read_labels(np.array([[(0, 255, 0), (90, 80, 70), (255, 0, 0)]], np.uint8))
    array([[1, 2, 0]], dtype=uint8)
    """
    if integer(undecided, "undecided") not in (2, 3):
        raise ValueError(f"undecided must be 2 or 3, got {undecided}")
    return _labels(as_stored(source, "source", max_pixels), "source", undecided)


def prompt_array(source: Any, name: str, *, in_box: bool, max_pixels: int = MAX_PIXELS) -> Array:
    """Labels, a mask or a trimap (`name`) from what is no array: a path, bytes, a file, a Pillow picture or a Picture.

    A mask is cut at half of its brightest value, so that one of 0 and 1 serves, too. Inside a box, what has no stroke
    is probably the subject.
    """
    picture = as_stored(source, name, max_pixels)
    if name == "labels":
        return _labels(picture, name, 3 if in_box else 2)
    plane = _plane(picture, name)
    return plane > plane.max() // 2 if name == "mask" else plane


def _plane(picture: Picture, name: str) -> Array:
    """One plane of 8 bits, see :func:`read_mask`."""
    if picture.alpha is not None:
        alpha = eight_bits(picture.alpha, name)
        if alpha.min() < 255:
            return alpha
    pixels = eight_bits(picture.pixels, name)
    if pixels.ndim == 2:
        return pixels
    red, green, blue = (pixels[..., channel].astype(np.uint32) for channel in range(3))
    # Weights of 16 bits that add up to one.
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).astype(np.uint8)


def _labels(picture: Picture, name: str, undecided: int) -> Array:
    """Labels, see :func:`read_labels`."""
    pixels = picture.pixels
    gray = pixels if pixels.ndim == 2 else pixels[..., 0]
    coloured = pixels.ndim == 3 and not all(np.array_equal(gray, pixels[..., channel]) for channel in (1, 2))
    if not coloured and picture.alpha is None:
        floats = gray.dtype == np.float32  # where 1 is white, not a label
        if floats or gray.max() > 3:
            found = "float32" if floats else gray.max()
            raise ValueError(f"labels in gray must be 0, 1, 2 or 3, {name} has {found}; strokes are green and red")
        return gray.astype(np.uint8)
    pixels = eight_bits(pixels if coloured else np.dstack([gray] * 3), name)
    high, low = pixels >= 224, pixels < 32  # JPEG leaves the inside of a stroke there, and few things are so coloured
    keep = low[..., 0] & high[..., 1] & low[..., 2]
    remove = high[..., 0] & low[..., 1] & low[..., 2]
    if picture.alpha is not None:
        seen = eight_bits(picture.alpha, name) > 127
        keep &= seen
        remove &= seen
    if not (keep.any() or remove.any()):
        raise ValueError(f"{name} has no strokes: those to keep are green (#00ff00), those to remove red (#ff0000)")
    labels = np.full(keep.shape, undecided, np.uint8)
    labels[keep] = 1
    labels[remove] = 0
    return labels
