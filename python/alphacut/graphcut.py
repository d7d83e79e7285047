"""Graph cuts: exact minimum cuts on the grid of a picture, and GrabCut, which finds the subject with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from . import _core
from ._arrays import Array, four_integers, integer, native, real, small_integer


class GraphCut(NamedTuple):
    """Result of :func:`graph_cut`."""

    mask: Array
    """(H, W) uint8, 255 on the source's side."""
    flow: int
    """The maximum flow, equal to the capacity of the cut."""


class GrabCut(NamedTuple):
    """Result of :func:`grabcut`."""

    mask: Array
    """(H, W) uint8, 255 where foreground."""
    labels: Array
    """(H, W) uint8: the hints with 2 (probably background) and 3 (probably foreground) decided anew."""
    energy: float
    """What the last cut costs: the data term against each pixel's better side, and the border."""
    n_iter: int
    """Rounds run."""
    warnings: list[str]
    """What made the answer doubtful."""


def graph_cut(source: Array, sink: Array, neighbours: Array, *, out: Array | None = None) -> GraphCut:
    """Exact minimum cut on a grid whose pixels are joined to their 8 neighbours, a source and a sink.

    Parameters
    ----------
    source, sink : ndarray, (H, W) int32
        Capacity from the source to each pixel, and from it to the sink; from 0 to 2**30 - 1.
    neighbours : ndarray, (4, H, W) int32
        Capacity, the same both ways, between each pixel and its neighbour to the right, below, below right and below
        left; from 0 to 2**30 - 1. Entries that point outside the picture are ignored.
    out : ndarray, (H, W) uint8, optional
        Gets the mask. Must not overlap an input.

    Returns
    -------
    GraphCut
        ``mask``, 255 for the pixels that the source still reaches in the residual graph: of all minimum cuts the one
        with the fewest source pixels, so the same whatever the solver. ``flow``, its capacity as an int.

    Raises
    ------
    TypeError
        If an array has another dtype.
    ValueError
        If shapes disagree, a capacity is out of range, or ``(W + 1) * (H + 2)`` reaches 2**31.

    Notes
    -----
    Incremental breadth-first search [1]_ after exact reductions, on 32-bit residual capacities; one thread. Ends for
    any capacities. Memory: about 55 bytes a pixel, and the mask.

    .. [1] A. Goldberg, S. Hed, H. Kaplan, R. Tarjan, R. Werneck, "Maximum flows by incremental breadth-first search",
       ESA 2011.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> source = np.array([[9, 0, 0]], np.int32)
    >>> sink = np.array([[0, 0, 9]], np.int32)
    >>> neighbours = np.zeros((4, 1, 3), np.int32)
    >>> neighbours[0] = [5, 2, 0]
    >>> cut = alphacut.graph_cut(source, sink, neighbours)
    >>> cut.mask, cut.flow
    (array([[255, 255,   0]], dtype=uint8), 2)
    """
    return GraphCut(*_core.graph_cut(source, sink, neighbours, out))


def grabcut(
    image: Array,
    labels: Array | None = None,
    *,
    box: Sequence[int] | None = None,
    n_iter: int = 5,
    gamma: float = 50.0,
    n_components: int = 5,
    unary: Array | None = None,
    seed: int = 0,
    out: Array | None = None,
) -> GrabCut:
    """Cut the subject out by its colours and border, from a box, labels or both.

    Parameters
    ----------
    image : ndarray, (H, W) or (H, W, 3), uint8, uint16 or float32
        The picture, RGB or gray. Deeper than 8 bits is rounded to 8.
    labels : ndarray, (H, W) uint8, optional
        OpenCV's hints: 0 background, 1 foreground, 2 probably background, 3 probably foreground. Left as it is.
    box : (x, y, width, height), optional
        Everything outside is background, whatever `labels` says there. Without `labels` everything inside is probably
        foreground. Clipped to the picture, with a warning.
    n_iter : int
        Rounds at most, at least 1. They end earlier when no more than one pixel in 10,000 changes side.
    gamma : float
        Weight of the border's length, from 0 to 100,000.
    n_components : int
        Gaussians in the colour model of each side, from 1 to 16.
    unary : ndarray, (H, W) float32, optional
        Log-odds of foreground, from -10,000 to 10,000, added to those of the colours.
    seed : int
        Of the first clustering of the colours, from 0 to 2**63 - 1.
    out : (H, W) uint8, optional
        Where to write the mask.

    Returns
    -------
    GrabCut
        ``mask`` (255 foreground), ``labels`` (0 and 1 as given, 2 and 3 decided anew), ``energy``, ``n_iter`` and
        ``warnings``.

    Raises
    ------
    TypeError
        If an argument has a wrong type or dtype.
    ValueError
        If there is neither a box nor labels, the box misses the picture, shapes disagree, or a value is out of range.

    Notes
    -----
    GrabCut [1]_: mixtures of full-covariance Gaussians in RGB for both sides, from k-means of at most 2,048 samples a
    side, then in turn refitted with each pixel in its best component, and an exact :func:`graph_cut`. The data term is
    the difference of the best components' log-likelihoods; an edge between neighbours weighs
    ``gamma / distance * exp(-beta * |difference|**2)``, beta from the mean squared difference. Energies are cut as
    integers, 1,024 to the unit; of all best masks the one with the fewest foreground pixels counts.

    Hints that leave a side empty are legal. If no pixel may be background, all is foreground, and the other way round,
    with a warning; with `unary` the first cut goes by that alone. The rounds also end, with a warning, when a side
    loses its last pixel. In a picture of one colour only the border and `unary` count, with a warning: undecided
    pixels become background unless labels or `unary` hold them.

    Memory: about 90 bytes a pixel.

    .. [1] C. Rother, V. Kolmogorov, A. Blake, "GrabCut: interactive foreground extraction using iterated graph cuts",
       SIGGRAPH 2004.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.full((20, 30, 3), 40, np.uint8)
    >>> image[5:15, 10:20] = 200, 60, 60
    >>> cut = alphacut.grabcut(image, box=(8, 3, 14, 14))
    >>> int((cut.mask > 0).sum()), cut.warnings
    (100, [])
    """
    if labels is None and box is None:
        raise ValueError("grabcut needs labels, a box or both")
    found = _core.grabcut(
        native(image, out),
        labels,
        None if box is None else four_integers(box),
        unary,
        small_integer(n_iter, "n_iter"),
        real(gamma, "gamma"),
        small_integer(n_components, "n_components"),
        integer(seed, "seed", 0),
        out,
    )
    return GrabCut(*found)
