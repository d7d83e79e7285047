"""k-means clustering of a picture's colours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from . import _core, _device
from ._arrays import (
    Array,
    full_scale,
    integer,
    labels_below,
    native,
    numbers,
    plain,
    real,
    require_apart,
    require_host,
    shown,
)

_UNITS = 16320  # the core's units in the full scale of a picture: 64 to an 8-bit level


class KMeans(NamedTuple):
    """The result of :func:`kmeans`, and of :func:`kmeans_points`.

    Attributes
    ----------
    labels : (H, W) uint8 array
        The cluster of each pixel: the index of the nearest of `centers`, the lowest on ties. Of points (N,) int32.
    centers : (n_clusters, C) float32 array
        The clusters' colours in the units of the image, C = 3, or 1 for a gray image. Of points
        (n_clusters, D) float64.
    inertia : float
        Sum of the squared distances of all pixels to their centres, in squared units of the image. Exact before it is
        rounded to a float. Of points each counts by its weight.
    n_iter : int
        Updates of the centres that were done.
    """

    labels: Array
    centers: Array
    inertia: float
    n_iter: int


def kmeans(
    image: Any,
    n_clusters: int,
    *,
    seed: int = 0,
    max_iter: int = 10,
    tol: float = 1e-3,
    init: Literal["k-means++"] | ArrayLike = "k-means++",
    labels: ArrayLike | None = None,
    attempts: int = 1,
    device: str = "auto",
    out: Any = None,
) -> KMeans:
    """Cluster the colours of a picture.

    Parameters
    ----------
    image : (H, W, 3) or (H, W) array of uint8, uint16 or float32
        The picture; float values in 0..1. At most 2**32 pixels. An array that lives on a GPU
        (``__cuda_array_interface__`` or DLPack; CuPy's and PyTorch's do) must be uint8 or float32 and contiguous.
    n_clusters : int
        From 1 to 256. More clusters than the picture has colours is legal: some then stay empty.
    seed : int, optional
        From 0 to 2**64 - 1. Picks the starting centres; not used where `init` or `labels` gives them.
    max_iter : int, optional
        The most updates of the centres, at least 1.
    tol : float, optional
        From 0 to 1. Ends once no centre moves further than this part of the value range.
    init : "k-means++" or (n_clusters, C) array, optional
        Where to start: centres drawn from the pixels by their squared distance, or given in the units of the image.
    labels : (H, W) array of whole numbers, optional
        Instead of `init`: start from the means of the pixels of each label, as OpenCV's ``KMEANS_USE_INITIAL_LABELS``.
        A cluster without pixels takes the farthest one as usual. Only where the picture is in host memory.
    attempts : int, optional
        From 1 to 1000: so many times from other starting centres, each with all its iterations, and the result is the
        one of least inertia. Where `init` or `labels` gives the centres there is one.
    device : str, optional
        "auto", "cpu", "cuda" or "cuda:N". The answer is the same. Where the picture lives on a GPU, "auto" is the
        current one, and it must live on the one that is chosen.
    out : (H, W) uint8 array, optional
        Receives the labels. Must share no memory with `image`. On a GPU, and then contiguous, only if that does the
        work.

    Returns
    -------
    KMeans
        ``(labels, centers, inertia, n_iter)``; all four belong to the same centres. The labels are on the GPU if
        `image` is and there is no `out`: an array of Numba's, with ``__cuda_array_interface__`` and DLPack. They are
        complete when the function returns, whatever stream reads them. The centres are a NumPy array on every device.

    Raises
    ------
    TypeError
        If an argument has a wrong type or dtype.
    ValueError
        If a shape or value is out of range.
    DeviceUnavailableError
        If `device` asks for a GPU that cannot be used.

    Notes
    -----
    Lloyd's algorithm (1982) from greedy k-means++ seeds (Arthur and Vassilvitskii, 2007: of several pixels drawn the
    one that lowers the sum of distances most, here as many as `n_clusters` has binary digits; drawn from at most 65,536
    pixels, one at random of each stretch of the picture). A cluster that is empty moves to the pixel farthest from all
    centres.

    All arithmetic is in whole numbers: colours and centres are rounded to 1/64 of an 8-bit level (1/16320 of the value
    range), for float32 and uint16 too. So the result is the same to the byte for every instruction set, thread count
    and GPU. The inertia never rises from one iteration to the next.

    The colours of a uint8 picture of more than 65,536 pixels are counted once, in boxes of 8×8×8 colours. A box that
    lies wholly in one cluster moves as one; elsewhere each colour is compared with the centres that may be nearest. So
    iterations cost next to nothing, however large the picture. (The idea of Kanungo et al., 2002, on a grid.)

    Memory: 1 byte a pixel for the labels, 4 more while a cluster is empty; for the counts at most 64 MB and 16 MB a
    thread, usually a tenth; uint16 adds a float32 copy; `labels` takes 56 at the beginning. On a GPU 5 bytes a pixel
    for uint8 and 9 for others, 4 more while a cluster is empty; at the beginning also a copy of a picture that does not
    live there.

    Examples
    --------
    >>> import alphacut
    >>> import numpy as np
    >>> image = np.array([[10, 12, 200], [11, 11, 202]], np.uint8)
    >>> result = alphacut.kmeans(image, 2, init=[[0], [255]])
    >>> result.labels
    array([[0, 0, 1],
           [0, 0, 1]], dtype=uint8)
    >>> result.centers
    array([[ 11.],
           [201.]], dtype=float32)
    >>> result.inertia
    4.0
    """
    seed = integer(seed, "seed", 0, 2**64 - 1)
    n_clusters, max_iter = integer(n_clusters, "n_clusters"), integer(max_iter, "max_iter")
    attempts, tol = integer(attempts, "attempts"), real(tol, "tol")
    if not 0 <= tol <= 1:
        raise ValueError(f"tol must be from 0 to 1, got {tol}")
    on_gpu = _device.lives_on_gpu(image)
    pixels = int(np.prod(np.asarray(image).shape[:2])) if isinstance(image, np.ndarray) else 0
    where = _device.resolve(device, stage="kmeans", pixels=pixels, on_gpu=on_gpu)
    run: Callable[..., tuple[Any, Array, int, int]] = _core.kmeans
    with where.active():
        if where.kind == "cuda":
            from .cuda.kmeans import kmeans as run
            from .cuda.kmeans import picture

            image = picture(image)  # has NumPy's dtype and shape, wherever it comes from
        else:
            require_host(image, "image")
        full = full_scale(image)
        if labels is None:
            start = _starting_centers(init, n_clusters, image, full)
        elif isinstance(init, str) and init == "k-means++":
            start = _means_of(labels, n_clusters, image, full)
        else:
            raise ValueError("init and labels exclude each other")
        found, centers, inertia, n_iter = run(
            native(image, out), n_clusters, seed, max_iter, int(tol * _UNITS + 0.5), start, attempts, out
        )
    scale = _UNITS / full
    return KMeans(found, (centers / scale).astype(np.float32), inertia / scale**2, n_iter)


def kmeans_points(
    points: Any,
    n_clusters: int,
    *,
    weights: ArrayLike | None = None,
    seed: int = 0,
    max_iter: int = 10,
    tol: float = 0.0,
    init: Literal["k-means++"] | ArrayLike = "k-means++",
    labels: ArrayLike | None = None,
    attempts: int = 1,
    out: Any = None,
) -> KMeans:
    """Cluster points of up to 16 dimensions, with weights.

    Parameters
    ----------
    points : (N, D) array of uint8 or float32
        A point a row, D from 1 to 16, finite; at most 2**31 - 1 points.
    n_clusters : int
        From 1 to 65,536. More clusters than there are different points is legal: some then stay empty.
    weights : (N,) array of numbers, optional
        How much each point counts: from 0 to 1e200, not all 0. By default all count 1. A point of weight 0 only gets
        a label.
    seed : int, optional
        From 0 to 2**64 - 1. Picks the starting centres; not used where `init` or `labels` gives them.
    max_iter : int, optional
        The most updates of the centres, at least 1.
    tol : float, optional
        In units of the points, at least 0. Ends once no centre moves further.
    init : "k-means++" or (n_clusters, D) array, optional
        Where to start: centres drawn from the points by their squared distance, or given.
    labels : (N,) array of whole numbers, optional
        Instead of `init`: start from the means of the points of each label, from 0 to n_clusters - 1. A cluster without
        points takes the farthest one.
    attempts : int, optional
        From 1 to 1000: so many times from other starting centres, and the result is the one of least inertia. Where
        `init` or `labels` gives the centres there is one.
    out : (N,) int32 array, optional
        Gets the labels. Must share no memory with `points`.

    Returns
    -------
    KMeans
        ``(labels, centers, inertia, n_iter)``, labels as (N,) int32 and centres as (n_clusters, D) float64; all belong
        to the same centres, and the inertia counts each point by its weight.

    Raises
    ------
    TypeError
        If an argument has a wrong type or dtype, or lives on a GPU.
    ValueError
        If a shape or value is out of range.

    Notes
    -----
    Lloyd's algorithm (1982) from greedy k-means++ seeds (Arthur and Vassilvitskii, 2007), of at most 65,536 points, as
    :func:`kmeans`, which is faster for the colours of a picture. In double precision, summed in a fixed order: the same
    bytes for every instruction set and thread count. Memory: 4 bytes a point, 8 more while a cluster is empty and for
    `weights`; `labels` takes 8 (D + 3) at the beginning.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> points = np.array([[0, 0, 1, 5], [0, 0, 3, 5], [9, 9, 9, 9]], np.float32)
    >>> result = alphacut.kmeans_points(points, 2, weights=[3, 1, 1], init=[[0] * 4, [9] * 4])
    >>> result.labels, result.centers[0], result.inertia
    (array([0, 0, 1], dtype=int32), array([0. , 0. , 1.5, 5. ]), 3.0)
    """
    for name, value in (("points", points), ("weights", weights), ("labels", labels), ("out", out)):
        require_host(value, name)
    if not isinstance(points, np.ndarray):
        raise TypeError(f"points must be a numpy.ndarray, got {type(points).__name__}")
    points = plain(points)
    if points.dtype not in (np.uint8, np.float32):
        raise TypeError(f"points must have dtype uint8 or float32, got {points.dtype}")
    if points.ndim != 2 or points.shape[0] == 0 or not 1 <= points.shape[1] <= 16:
        raise ValueError(f"points must have shape (N, D), N at least 1, D from 1 to 16, got {points.shape}")
    n_clusters = integer(n_clusters, "n_clusters")
    if not 1 <= n_clusters <= 65536:
        raise ValueError(f"n_clusters must be from 1 to 65536, got {n_clusters}")
    seed, attempts = integer(seed, "seed", 0, 2**64 - 1), integer(attempts, "attempts")
    held = None if weights is None else _point_weights(weights, len(points))
    if labels is None:
        start = _starting_points(init, n_clusters, points.shape[1])
    elif isinstance(init, str) and init == "k-means++":
        start = _means_of_points(labels, n_clusters, points, held)
    else:
        raise ValueError("init and labels exclude each other")
    target = plain(out)
    if isinstance(target, np.ndarray) and target.shape != points.shape[:1]:
        raise ValueError(f"out must have shape {points.shape[:1]}, got {target.shape}")
    require_apart(target, points, weights, labels)
    found, centers, inertia, n_iter = _core.kmeans_points(
        points,
        n_clusters,
        seed,
        integer(max_iter, "max_iter"),
        real(tol, "tol"),
        start,
        attempts,
        None if held is None else held[None],
        target[None] if isinstance(target, np.ndarray) else target,
    )
    return KMeans(found[0] if out is None else out, centers, inertia, n_iter)


def _point_weights(weights: object, count: int) -> Array:
    held = numbers(weights, "weights", (count,)).astype(np.float64)
    if not ((held >= 0) & (held <= 1e200)).all() or not held.any():
        raise ValueError("weights must be from 0 to 1e200, and not all 0")
    return held


def _given_centers(init: object, shape: tuple[int, int]) -> Array | None:
    """`init`, unless it is k-means++."""
    if not isinstance(init, str):
        return numbers(init, "init", shape).astype(np.float64)
    if init != "k-means++":
        raise ValueError(f"init must be 'k-means++' or an array of centres, got {shown(init)}")
    return None


def _starting_points(init: object, n_clusters: int, dimensions: int) -> list[float]:
    """`init` row by row; empty for k-means++."""
    centers = _given_centers(init, (n_clusters, dimensions))
    return [] if centers is None else centers.ravel().tolist()


def _means_of_points(labels: object, n_clusters: int, points: Array, weights: Array | None) -> list[float]:
    """The centres of clusters given by their labels; one without weight begins where the heaviest does."""
    names = labels_below(labels, "labels", points.shape[:1], n_clusters).astype(np.int64)
    each = np.ones(len(points)) if weights is None else weights
    held = np.bincount(names, each, n_clusters)
    sums = [np.bincount(names, each * column, n_clusters) for column in points.T.astype(np.float64)]
    centers = np.stack(sums, axis=1) / np.where(held > 0, held, 1)[:, None]
    if not np.isfinite(centers).all():
        raise ValueError("points must be finite")
    centers[held == 0] = centers[held.argmax()]
    start: list[float] = centers.ravel().tolist()
    return start


def _starting_centers(init: object, n_clusters: int, image: Any, full: int) -> list[int]:
    """`init` in the core's units, row by row; empty for k-means++."""
    shape: tuple[int, ...] = getattr(plain(image), "shape", ())
    channels = shape[2] if len(shape) == 3 else 1
    centers = _given_centers(init, (n_clusters, channels))
    if centers is None:
        return []
    if not ((centers >= 0) & (centers <= full)).all():
        raise ValueError(f"init must have finite values from 0 to {full}, as the image")
    fixed: list[int] = np.floor(centers * (_UNITS / full) + 0.5).astype(int).ravel().tolist()
    return fixed


def _means_of(labels: ArrayLike, n_clusters: int, image: Any, full: int) -> list[int]:
    """The centres, in the core's units, of clusters given by their labels.

    One without pixels begins where the largest does: of two like centres one is left without, and takes the farthest.
    """
    if not isinstance(image, np.ndarray):
        raise TypeError("labels go with a picture in host memory")
    require_host(labels, "labels")
    image = np.asarray(image)
    if not 1 <= n_clusters <= 256:
        raise ValueError(f"n_clusters must be from 1 to 256, got {n_clusters}")
    flat = labels_below(labels, "labels", image.shape[:2], n_clusters).ravel().astype(np.int64)
    if flat.size == 0:
        raise ValueError(f"image must have pixels, got shape {image.shape}")
    held = np.bincount(flat, minlength=n_clusters)
    count = np.maximum(held, 1)
    units = np.floor(image.reshape(flat.size, -1) * (_UNITS / full) + 0.5)  # whole numbers: their sums are exact
    if not ((units >= 0) & (units <= _UNITS)).all():
        raise ValueError(f"image must have finite values from 0 to {full}")
    means = [
        (2 * np.bincount(flat, channel, n_clusters).astype(np.int64) + count) // (2 * count) for channel in units.T
    ]
    centers = np.stack(means, axis=1)
    centers[held == 0] = centers[held.argmax()]
    start: list[int] = centers.ravel().tolist()
    return start
