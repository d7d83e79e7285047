"""Superpixels: a picture in pieces of about one size, each of about one colour."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import _core
from ._arrays import Array, integer, native, real, require_host


class Superpixels(NamedTuple):
    """Result of :func:`slic`."""

    labels: Array
    """(H, W) int32: the superpixel of each pixel, from 0."""
    n_segments: int
    """How many there are."""


def slic(
    image: Any,
    n_segments: int = 100,
    *,
    compactness: float = 10.0,
    max_iter: int = 10,
    out: Any = None,
) -> Superpixels:
    """Divide a picture into superpixels by k-means of colour and place (SLIC).

    Parameters
    ----------
    image : ndarray, (H, W, 3) or (H, W), uint8, uint16 or float32
        The picture; float values in 0..1. At most 2**31 - 1 pixels.
    n_segments : int
        About how many superpixels, at least 1.
    compactness : float
        Weight of the shape against colour, above 0, at most 1,000: how many units of L*a*b* count as much as a
        superpixel's width. The higher, the squarer they are.
    max_iter : int
        Rounds at most, at least 1. They end earlier when no centre moves.
    out : (H, W) int32 array, optional
        Gets the labels. Must not overlap `image`.

    Returns
    -------
    Superpixels
        ``labels``, where every pixel has one and every label is one 4-connected piece, numbered in raster order of
        their first pixels; and ``n_segments``, how many there are.

    Raises
    ------
    TypeError
        If an argument has a wrong type or dtype, or lives on a GPU.
    ValueError
        If a shape or value is out of range.

    Notes
    -----
    SLIC [1]_ on a grid of centres, in CIE L*a*b*, in whole numbers: colours are rounded to 1/16 of a unit and centres
    to quarters of a pixel, so the labels are the same for every instruction set and thread count. Pieces below a
    quarter of the mean size join the one before them. Memory: 12 bytes a pixel beyond the labels.

    To move from ``skimage.segmentation.slic(image, n_segments)``: its labels start at 1.

    .. [1] R. Achanta, A. Shaji, K. Smith, A. Lucchi, P. Fua, S. Süsstrunk, "SLIC superpixels compared to
       state-of-the-art superpixel methods", PAMI 2012.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.zeros((4, 8, 3), np.uint8)
    >>> image[:, 3:] = 200, 60, 60
    >>> alphacut.slic(image, 2).labels[0]
    array([0, 0, 0, 1, 1, 1, 1, 1], dtype=int32)
    """
    require_host(image, "image")
    return Superpixels(
        *_core.slic(
            native(image, out),
            integer(n_segments, "n_segments"),
            real(compactness, "compactness"),
            integer(max_iter, "max_iter"),
            out,
        )
    )
