"""Graph cuts: exact minimum cuts on the grid of a picture, and GrabCut, which finds the subject with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from . import _core, _device
from ._arrays import (
    Array,
    flag,
    four_integers,
    integer,
    labels_below,
    native,
    numbers,
    real,
    require_host,
    small_integer,
)


class GraphCut(NamedTuple):
    """Result of :func:`graph_cut`."""

    mask: Array
    """(H, W) uint8, 255 on the source's side."""
    flow: int
    """The maximum flow, equal to the capacity of the cut."""


class AlphaExpansion(NamedTuple):
    """Result of :func:`alpha_expansion`."""

    labels: Array
    """(H, W) uint8, the label of each pixel."""
    energy: int
    """What they cost, exactly."""
    n_iter: int
    """Rounds of all labels begun."""


class GrabCut(NamedTuple):
    """Result of :func:`grabcut`."""

    mask: Any
    """(H, W) uint8, 255 where foreground."""
    labels: Any
    """(H, W) uint8: the hints with 2 (probably background) and 3 (probably foreground) decided anew."""
    energy: float
    """What the last cut costs: the data term against each pixel's better side, and the border."""
    n_iter: int
    """Rounds run."""
    exact: bool
    """Whether the last cut had all undecided pixels, not only a band around the edge."""
    warnings: tuple[str, ...]
    """What made the answer doubtful."""
    models: tuple[Array, Array]
    """The colour models of background and foreground that the last cut went by, as `models` takes them."""


def graph_cut(
    source: Any,
    sink: Any,
    neighbours: Any,
    *,
    reverse: Any = None,
    device: str = "auto",
    certify: bool = False,
    out: Any = None,
) -> GraphCut:
    """Exact minimum cut on a grid whose pixels are joined to their 8 or 4 neighbours, a source and a sink.

    Parameters
    ----------
    source, sink : ndarray, (H, W) int32
        Capacity from the source to each pixel, and from it to the sink; from 0 to 2**30 - 1.
    neighbours : ndarray, (4, H, W) or (2, H, W) int32
        Capacity from each pixel to its neighbour to the right, below, below right and below left, or to the first two;
        from 0 to 2**30 - 1. Entries that point outside the picture are ignored.
    reverse : ndarray of the shape of `neighbours`, int32, optional
        Capacity back, from the neighbour to the pixel, in the same places. By default both ways are the same.
    device : str
        "auto", "cpu", "cuda" or "cuda:N". The answer is the same. Arrays that live on a GPU
        (``__cuda_array_interface__`` or DLPack, contiguous; CuPy's and PyTorch's do) are used in place; it must be the
        one that does the work, with "auto" the current one.
    certify : bool
        Prove the answer: sum the capacity of the cut anew, in 64 bits, and compare it with the flow. No flow exceeds
        any cut, so when both are equal both are optimal.
    out : (H, W) uint8 array, optional
        Gets the mask. Must not overlap an input. On a GPU only if the cut is made there.

    Returns
    -------
    GraphCut
        ``mask``, 255 for the pixels that the source still reaches in the residual graph: of all minimum cuts the one
        with the fewest source pixels, so the same whatever the solver. ``flow``, its capacity as an int. The mask is on
        the GPU if `source` is and there is no `out`: an array of Numba's, with ``__cuda_array_interface__`` and DLPack.
        It is complete when the function returns, whatever stream reads it.

    Raises
    ------
    TypeError
        If an array has another dtype.
    ValueError
        If shapes disagree, a capacity is out of range, ``(W + 1) * (H + 2)`` reaches 2**31, or the shortest way from
        a pixel to a terminal takes 2**24 pixels (2**23 on a GPU).
    RuntimeError
        If `certify` finds that the flow is not the capacity of the cut, which would be a bug.
    DeviceUnavailableError
        If a GPU is asked for that cannot be used, or has too little memory.

    Notes
    -----
    Push-relabel [1]_ on 32-bit residual capacities, from the sink to the source: excess moves down the distances to the
    source, from all pixels at once; the distances are raised where it gets stuck and found anew by breadth-first search
    [2]_ when the raises have cost as much. Strips of rows are solved by several threads, then the whole [3]_. Ends for
    any capacities. Memory: 40 bytes a pixel, the mask, and lists of the search's rim and of the pixels whose excess
    moves, some 2 bytes more on photographs. On a GPU the same in tiles; 45 bytes a pixel, and 24 for inputs that do not
    live there.

    .. [1] A. Goldberg, R. Tarjan, "A new approach to the maximum-flow problem", JACM 1988.
    .. [2] B. Cherkassky, A. Goldberg, "On implementing the push-relabel method for the maximum flow problem",
       Algorithmica 1997.
    .. [3] J. Liu, J. Sun, "Parallel graph-cuts by adaptive bottom-up merging", CVPR 2010.

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
    certify = flag(certify, "certify")
    on_gpu = any(map(_device.lives_on_gpu, (source, sink, neighbours, reverse)))
    pixels = source.size if isinstance(source, np.ndarray) else 0
    where = _device.resolve(device, stage="graphcut", pixels=pixels, on_gpu=on_gpu)
    if where.kind == "cuda":
        from .cuda.graphcut import graph_cut as run

        with where.active():
            return GraphCut(*run(source, sink, neighbours, out, certify, reverse))
    return GraphCut(*_core.graph_cut(source, sink, neighbours, out, certify, reverse))


def alpha_expansion(
    costs: Any,
    smoothness: Any,
    *,
    neighbours: Any = None,
    labels: Any = None,
    max_iter: int = 100,
    certify: bool = False,
    out: Any = None,
) -> AlphaExpansion:
    """Label each pixel of a grid so that its cost and those of the borders between labels are low together.

    Parameters
    ----------
    costs : ndarray, (L, H, W) int32
        What each label costs each pixel, from -(2**28 - 1) to 2**28 - 1; L from 1 to 256.
    smoothness : int or (L, L) array of whole numbers
        What neighbours cost whose labels differ: one number for any two labels (Potts), or a metric, such as
        ``np.minimum(abs(i - j), 3)`` (truncated linear): at least 0, 0 on the diagonal, symmetric, and nowhere shorter
        over a third label.
    neighbours : ndarray, (4, H, W) or (2, H, W) int32, optional
        Weight of the border between each pixel and its neighbour to the right, below, below right and below left, or
        the first two, at least 0; multiplies `smoothness`, to at most 2**26 - 1. Entries that point outside the picture
        are ignored. By default 1 to the right and below.
    labels : ndarray, (H, W) of whole numbers, optional
        Where to start, from 0 to L - 1. By default the label of least cost at each pixel, the lowest of equals.
    max_iter : int
        Rounds of all labels at most, at least 1. They end earlier when no label gains; rarely more than 5 are needed.
    certify : bool
        Compare the energy that each cut promises with that of its labels, summed anew.
    out : (H, W) uint8 array, optional
        Gets the labels. Must not overlap an input.

    Returns
    -------
    AlphaExpansion
        ``labels``, ``energy`` and ``n_iter``.

    Raises
    ------
    TypeError
        If an argument has a wrong type or dtype, or lives on a GPU.
    ValueError
        If a shape or value is out of range, or `smoothness` no metric.
    RuntimeError
        If `certify` finds a cut that is not worth what its flow says, which would be a bug.

    Notes
    -----
    Expansion moves [1]_: in turn each label is offered to all pixels, and the set that gains most by taking it is found
    by an exact minimum cut, with directed edges for any metric [2]_. Of equal sets the smallest is taken, so the answer
    is the same for every thread count and run. The energy falls with every move that changes anything. At the end no
    move of any label helps: with two labels that is the least energy there is; with more, and no negative costs, at
    most twice the least for Potts, and 2 max / min of the metric's numbers between different labels times it for
    others. Memory: 42 bytes a pixel, 8 more without `neighbours`.

    .. [1] Y. Boykov, O. Veksler, R. Zabih, "Fast approximate energy minimization via graph cuts", PAMI 2001.
    .. [2] V. Kolmogorov, R. Zabih, "What energy functions can be minimized via graph cuts?", PAMI 2004.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> gray = np.array([[10, 12, 90, 11, 200, 190]])
    >>> costs = np.stack([abs(gray - level) for level in (10, 100, 200)]).astype(np.int32)
    >>> alphacut.alpha_expansion(costs, 50)
    AlphaExpansion(labels=array([[0, 0, 0, 0, 2, 2]], dtype=uint8), energy=143, n_iter=1)
    """
    for name, value in (
        ("costs", costs),
        ("smoothness", smoothness),
        ("neighbours", neighbours),
        ("labels", labels),
    ):
        require_host(value, name)
    if not isinstance(costs, np.ndarray):
        raise TypeError(f"costs must be a numpy.ndarray, got {type(costs).__name__}")
    costs = np.asarray(costs)  # of a subclass no method is called
    if costs.dtype != np.int32:
        raise TypeError(f"costs must have dtype int32, got {costs.dtype}")
    if costs.ndim != 3 or costs.size == 0 or costs.shape[0] > 256:
        raise ValueError(
            "costs must have shape (n_labels, height, width), n_labels from 1 to 256, neither side 0, "
            f"got {costs.shape}"
        )
    if neighbours is None:
        neighbours = np.ones((2, *costs.shape[1:]), np.int32)
    if labels is not None and not isinstance(labels, np.ndarray):
        raise TypeError(f"labels must be a numpy.ndarray, got {type(labels).__name__}")
    if labels is None:
        start = _cheapest(costs)
    else:
        start = labels_below(labels, "labels", costs.shape[1:], len(costs)).astype(np.uint8, copy=False)
    return AlphaExpansion(
        *_core.alpha_expansion(
            costs,
            neighbours,
            _metric(smoothness, costs.shape[0]),
            start,
            small_integer(max_iter, "max_iter"),
            flag(certify, "certify"),
            out,
        )
    )


def _cheapest(costs: Array) -> Array:
    """The label that costs least at each pixel; ``argmin`` would copy them all."""
    least, labels = costs[0].copy(), np.zeros(costs.shape[1:], np.uint8)
    for label in range(1, len(costs)):
        labels[costs[label] < least] = label
        np.minimum(least, costs[label], out=least)
    return labels


def _metric(smoothness: Any, n_labels: int) -> Array:
    """`smoothness` as a matrix; whether it is a metric the core says."""
    if isinstance(smoothness, (int, np.integer)) and not isinstance(smoothness, bool):
        potts = np.full((n_labels, n_labels), integer(smoothness, "smoothness", 0, 2**26 - 1), np.int32)
        np.fill_diagonal(potts, 0)
        return potts
    if not isinstance(smoothness, (np.ndarray, list, tuple)):
        raise TypeError(f"smoothness must be a whole number or an array, got {type(smoothness).__name__}")
    matrix = numbers(smoothness, "smoothness", (n_labels, n_labels), "iu")
    if matrix.min() < 0 or matrix.max() > 2**26 - 1:
        raise ValueError(f"smoothness must be from 0 to 2**26 - 1, got {matrix.min()} to {matrix.max()}")
    return matrix.astype(np.int32)


def grabcut(
    image: Any,
    labels: Any = None,
    *,
    box: Sequence[int] | None = None,
    max_iter: int = 5,
    gamma: float = 15.0,
    n_components: int = 5,
    unary: Any = None,
    models: Any = None,
    freeze_models: bool = False,
    clean: bool = False,
    exact: bool = False,
    certify: bool = False,
    seed: int = 0,
    device: str = "auto",
    out: Any = None,
) -> GrabCut:
    """Cut the subject out by its colours and border, from a box, labels, log-odds, or several of these.

    Parameters
    ----------
    image : ndarray, (H, W) or (H, W, 3), uint8, uint16 or float32
        The picture, RGB or gray. Deeper than 8 bits is rounded to 8.
    labels : ndarray, (H, W) uint8, optional
        OpenCV's hints: 0 background, 1 foreground, 2 probably background, 3 probably foreground. Left as it is.
    box : (x, y, width, height), optional
        Everything outside is background, whatever `labels` says there. Clipped to the picture, with a warning.
    max_iter : int
        Rounds at most, at least 1. They end earlier when no more than one pixel in 10,000 changes side.
    gamma : float
        Weight of the border's length, from 0 to 50,000.
    n_components : int
        Gaussians in the colour model of each side, from 1 to 16.
    unary : ndarray, (h, w) float32, optional
        Log-odds of foreground, from -10,000 to 10,000, added to those of the colours. Of the picture's size, or any
        other: it is resized.
    models : (background, foreground), optional
        Colour models to start from, as the `models` of a result or OpenCV's ``bgdModel`` and ``fgdModel``: an array of
        13 n numbers for n Gaussians, from 1 to 16, in any shape: their weights, then their means, then their
        covariances row by row, in 8-bit levels and the channel order of the image (a gray one has three alike). Those
        of weight 0 are left out. They take the place of the first clustering: `n_components` and `seed` are not used.
    freeze_models : bool
        Leave `models` as they are and cut once, as ``cv2.GC_EVAL_FREEZE_MODEL``.
    clean : bool
        Of the mask that the rounds find, drop parts below 5 % of the largest, but for those that foreground labels
        touch, and fill holes below 1 %. With such labels and no `unary`, all other parts are dropped. A warning says
        what went, where it is more than 1 % of the mask.
    exact : bool
        Cut the whole picture at full size instead of a band around the edge found at a smaller size. Slow.
    certify : bool
        Check that the flow of every last cut equals its capacity, and make `energy` that of the whole picture.
    seed : int
        Of the first clustering of the colours, from 0 to 2**63 - 1.
    device : str
        "auto", "cpu", "cuda" or "cuda:N". The answer is the same. Arrays that live on a GPU
        (``__cuda_array_interface__`` or DLPack, contiguous; the picture of uint8) are used in place.
    out : (H, W) uint8, optional
        Where to write the mask. On a GPU only if the cut is made there.

    Returns
    -------
    GrabCut
        ``mask`` (255 foreground), ``labels`` (0 and 1 as given, 2 and 3 decided anew), ``energy``, ``n_iter``,
        ``exact``, ``warnings`` and ``models``. Labels, and the mask without `out`, are on the GPU if `image` is.

    Raises
    ------
    TypeError
        If an argument has a wrong type or dtype.
    ValueError
        If there is neither a box nor labels nor `unary`, the box misses the picture, shapes disagree, or a value is
        out of range.
    RuntimeError
        If `certify` finds a cut that costs more than its flow.
    DeviceUnavailableError
        If a GPU is asked for that cannot be used, or has too little memory.

    Notes
    -----
    GrabCut [1]_: mixtures of full-covariance Gaussians in RGB for both sides, from k-means of at most 2,048 samples a
    side, then in turn refitted with each pixel in its best component, and an exact :func:`graph_cut`. The data term is
    the difference of the best components' log-likelihoods; an edge between neighbours weighs
    ``gamma / distance * exp(-beta * |difference|**2)``, beta from the mean squared difference. Energies are cut as
    integers, 1,024 to the unit; of all best masks the one with the fewest foreground pixels counts.

    Coarse to fine [2]_: the rounds run on a copy with a long side of at most 320 pixels, each cut starting from the
    flow of the one before [3]_. At each larger size, up to the picture's (at most four times the one before), the
    models are fitted anew and the edge is cut again in a band of 3 of the smaller pixels to either side, with 4/3 of
    `gamma`. Pictures of at most 320 pixels are cut exactly.

    On a GPU all of this is done there but for the rounds: 320 pixels keep no GPU busy, so they are the CPU's, and only
    their copy of the picture comes to the host. Memory there: 50 bytes a pixel of the picture, 8 more with `certify`.

    Where the hints do not tell probable foreground (3) from probable background (2), labels of both kinds add log-odds
    to `unary`, by which one is nearer, by barrier distance [4]_ and by pixels; the undecided pixels start by the sign
    of the two. With background alone (a box) and no `unary`, what lies behind a barrier is foreground.

    Hints that leave a side empty are legal. If no pixel may be background, all is foreground, and the other way round,
    with a warning; with `unary` the first cut goes by that alone. The rounds also end, with a warning, when a side
    loses its last pixel. In a picture of one colour only the border and `unary` count, with a warning: undecided
    pixels become background unless labels or `unary` hold them.

    To move from ``cv2.grabCut(image, labels, ...)``: ``labels = alphacut.grabcut(image, labels).labels``.

    .. [1] C. Rother, V. Kolmogorov, A. Blake, "GrabCut: interactive foreground extraction using iterated graph cuts",
       SIGGRAPH 2004.
    .. [2] H. Lombaert, Y. Sun, L. Grady, C. Xu, "A multilevel banded graph cuts method for fast image segmentation",
       ICCV 2005.
    .. [3] P. Kohli, P. Torr, "Efficiently solving dynamic Markov random fields using graph cuts", ICCV 2005.
    .. [4] J. Zhang, S. Sclaroff, Z. Lin, X. Shen, B. Price, R. Mech, "Minimum barrier salient object detection at
       80 FPS", ICCV 2015.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> image = np.full((20, 30, 3), 40, np.uint8)
    >>> image[5:15, 10:20] = 200, 60, 60
    >>> cut = alphacut.grabcut(image, box=(8, 3, 14, 14))
    >>> int((cut.mask > 0).sum()), cut.warnings
    (100, ())
    """
    if labels is None and box is None and unary is None:
        raise ValueError("grabcut needs labels, a box or unary")
    on_gpu = any(map(_device.lives_on_gpu, (image, labels, unary)))
    pixels = int(np.prod(image.shape[:2])) if isinstance(image, np.ndarray) else 0
    where = _device.resolve(device, stage="grabcut", pixels=pixels, on_gpu=on_gpu)
    if where.kind == "cuda":
        from .cuda.grabcut import grabcut as run

        with where.active():
            return GrabCut(
                *run(
                    image,
                    labels,
                    None if box is None else four_integers(box),
                    unary,
                    gamma=real(gamma, "gamma"),
                    max_iter=small_integer(max_iter, "max_iter"),
                    n_components=small_integer(n_components, "n_components"),
                    seed=integer(seed, "seed", 0),
                    clean=flag(clean, "clean"),
                    exact=flag(exact, "exact"),
                    certify=flag(certify, "certify"),
                    models=_models(models),
                    freeze_models=flag(freeze_models, "freeze_models"),
                    out=out,
                )
            )
    return Cutter(native(image, out), gamma).cut(
        labels,
        box,
        unary,
        max_iter=max_iter,
        n_components=n_components,
        seed=seed,
        clean=clean,
        exact=exact,
        certify=certify,
        models=models,
        freeze_models=freeze_models,
        out=out,
    )


def _models(models: Any) -> list[list[float]]:
    """Both as the core takes them; empty: none."""
    if models is None:
        return [[], []]
    if not isinstance(models, (tuple, list)):
        raise TypeError(f"models must be a pair of arrays, background and foreground, got {type(models).__name__}")
    if len(models) != 2:
        raise ValueError(f"models must be a pair of arrays, background and foreground, got {len(models)}")
    sides = []
    for model in models:
        require_host(model, "models")
        values = numbers(model, "each of models", None).ravel()
        if not 0 < values.size <= 13 * 16 or values.size % 13:
            raise ValueError(f"models must have 13 numbers for each of 1 to 16 Gaussians, got {values.size}")
        sides.append(values.astype(np.float64).tolist())
    return sides


class Cutter:
    """:func:`grabcut` of one picture, again and again.

    It keeps what the cuts share: the smaller copies, their edge weights, and the flow of the rounds' graph, from which
    the next cut starts. The answers are those of :func:`grabcut`, unless a cut resumes the one before. The picture must
    not change.

    Memory: the smaller copies, maps and the flow of the smallest (some 60 bytes for each of at most 320 x 320 pixels),
    the graph of the last band, and the latest labels, 1 byte a pixel of every size.
    """

    def __init__(self, image: Array, gamma: float = 15.0) -> None:
        self._core = _core.GrabCutter(native(image), real(gamma, "gamma"))

    def cut(
        self,
        labels: Array | None,
        box: Sequence[int] | None,
        unary: Array | None,
        *,
        max_iter: int = 5,
        n_components: int = 5,
        seed: int = 0,
        clean: bool = False,
        exact: bool = False,
        certify: bool = False,
        resume: bool = False,
        models: Any = None,
        freeze_models: bool = False,
        out: Array | None = None,
    ) -> GrabCut:
        """Cut once more.

        Parameters
        ----------
        labels, box, unary, max_iter, n_components, seed, clean, exact, certify, models, freeze_models, out
            As for :func:`grabcut`. `labels` has all strokes, not only the new ones; a stroke may also be gone.
        resume : bool
            Go on from the latest cut of this picture: it takes a fraction of the time when `labels` changed in a small
            part only. A new cut is made instead if there is none to go on from (the first cut, or one that ended
            without a round, or failed), if `box` or `n_components` differ from its, or if its sides and the labels
            leave one side without pixels.

        Returns
        -------
        GrabCut
            With `resume`, `n_iter` counts this call's rounds, at most 1; `energy` is that of what was cut again (of the
            whole picture with `certify`), not to be compared with that of other cuts;
            `exact` is False where a part of the picture stayed as it was, so for pictures above 320 pixels unless
            `exact` is asked for.

        Notes
        -----
        A new cut depends on its arguments only. A resumed one depends on the order of the strokes, too: the colour
        models, the sides that the undecided pixels start from, and the edges far from what changed come from the cut
        before. The same calls in the same order always give the same bytes. Labels 0 and 1 and the box hold as ever; 2
        and 3 mean the same, undecided. Where log-odds (`unary` and strokes of both kinds) tell another side now than
        they told before, pixels start there instead. Then the models are fitted again, for one cut of the smallest
        size, and at each larger size the edge is cut again within 3 of the smaller pixels from those whose hint
        changed or whose side contradicts the labels before; with `exact`, everything at full size.

        Resuming follows corrections. After strokes that change much of the picture, a new cut is better; end with one,
        ``resume=False``, if the mask must be that of the strokes alone, in whatever order they came.
        """
        mask, decided, energy, rounds, whole, warnings, found = self._core.cut(
            labels,
            None if box is None else four_integers(box),
            unary,
            small_integer(max_iter, "max_iter"),
            small_integer(n_components, "n_components"),
            integer(seed, "seed", 0),
            flag(clean, "clean"),
            flag(exact, "exact"),
            flag(certify, "certify"),
            flag(resume, "resume"),
            out,
            _models(models),
            flag(freeze_models, "freeze_models"),
        )
        return GrabCut(mask, decided, energy, rounds, whole, tuple(warnings), (found[0], found[1]))
