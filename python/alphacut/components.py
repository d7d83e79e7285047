"""Connected components of a mask: labels, statistics, the largest, the small, holes and outlines."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from . import _core
from ._arrays import (
    Array,
    as_mask,
    countable,
    flag,
    integer,
    real,
    require_apart,
    require_out,
    shown,
    small_integer,
    whole_numbers,
)


class Components(NamedTuple):
    """What :func:`label_components` returns.

    Attributes
    ----------
    labels : (H, W) int32
        0 for background, 1 to `number` in raster order of the components' first pixels.
    number : int
        Of components.
    """

    labels: Array
    number: int


class ComponentStats(NamedTuple):
    """What :func:`component_stats` returns. Entry ``i`` belongs to the component with label ``i + 1``.

    With the background's row, to that with label ``i``.

    Attributes
    ----------
    area : (N,) int64
        Pixels.
    box : (N, 4) int64
        Bounding box: x, y, width, height.
    centroid : (N, 2) float64
        Mean x, y of the pixels, whose centres have whole numbers.
    """

    area: Array
    box: Array
    centroid: Array


class ComponentShapes(NamedTuple):
    """What :func:`component_shapes` returns. Entry ``i`` belongs to the component with label ``i + 1``.

    Attributes
    ----------
    perimeter : (N,) float64
        Length of the line through the centres of the border pixels.
    axes : (N, 2) float64
        Lengths of the major and minor axis of the ellipse with the same second moments.
    eccentricity : (N,) float64
        Of that ellipse: 0 for a circle, below 1.
    orientation : (N,) float64
        Angle from the y axis to the major one, counter-clockwise as seen on the screen, -π/2 to π/2.
    euler_number : (N,) int64
        1 less the number of holes.
    convex_area : (N,) int64
        Pixels in the convex hull; ``area / convex_area`` is the solidity.
    weighted_centroid : (N, 2) float64
        Mean x, y of the pixels by their weights; NaN where these sum up to 0.
    """

    perimeter: Array
    axes: Array
    eccentricity: Array
    orientation: Array
    euler_number: Array
    convex_area: Array
    weighted_centroid: Array


class Polygon(NamedTuple):
    """An outline with its holes, as :func:`mask_to_polygons` returns them.

    Attributes
    ----------
    exterior : (M, 2) int32
        Corners x, y, clockwise as seen on the screen; the last is joined to the first.
    holes : list of (M, 2) int32
        The same for each hole, counter-clockwise.
    """

    exterior: Array
    holes: list[Array]


def label_components(
    mask: Array,
    connectivity: Literal[8, 4] = 8,
    *,
    delta: float | None = None,
    background: float | None = 0,
    out: Array | None = None,
) -> Components:
    """Number the connected components of a mask, or the pieces of a label map or picture.

    Parameters
    ----------
    mask : (H, W) bool or integer, with `delta` also float32 or float64
        Anything but 0 is foreground. At most 2³¹ - 1 pixels.
    connectivity : {8, 4}
        Whether pixels that meet at a corner belong together.
    delta : float, optional
        Neighbours belong together if their values differ by at most this, at least 0; 0 gives each value's pieces.
        Without it all of the foreground is alike.
    background : float, optional
        With `delta`, the value whose pixels are 0 in the labels; None for none: every pixel gets a label.
    out : (H, W) int32, optional
        Where to write the labels.

    Returns
    -------
    Components
        ``(labels, number)``.

    Raises
    ------
    TypeError, ValueError
        For an argument of a wrong type; a wrong shape, connectivity or `delta`, too many pixels, NaN, or a `background`
        other than 0 without `delta`.

    Notes
    -----
    Equal to ``cv2.connectedComponentsWithAlgorithm(..., ccltype=cv2.CCL_WU)``. Union-find over runs of bits, in
    strips whose seams are joined afterwards (after L. Lacassagne and B. Zavidovique, Light speed labeling, 2011). With
    connectivity 8 two rows are one: a stretch of columns with a pixel in either is connected (after W. Lee et al., Fast
    run-based connected components labeling for bitonal images, 2021).
    Memory, bytes a pixel beside the labels: 1/8 and 8 for each run, so 2.2 at worst, 4.2 with connectivity 4, and well
    under 1 on natural masks; and a few rows.

    With `delta`, a union-find over pixels, in strips as well, and 4 bytes a pixel; the same pieces as cc3d's and, with
    0, as those of scikit-image's ``label``. A slow gradient is one piece: neighbours are compared, not ends.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> labels, count = alphacut.label_components(np.array([[1, 0, 1], [0, 0, 1]], np.uint8))
    >>> labels
    array([[1, 0, 2],
           [0, 0, 2]], dtype=int32)
    >>> count
    2
    >>> alphacut.label_components(np.array([[7, 7, 3, 0, 3]]), delta=0)[0]
    array([[1, 1, 2, 0, 3]], dtype=int32)
    """
    way = small_integer(connectivity, "connectivity")
    if delta is None:
        if isinstance(background, (bool, np.ndarray)) or background != 0:
            raise ValueError(f"background must be 0 without delta, got {shown(background)}")
        return Components(*_core.label_components(as_mask(mask, out), way, out))
    value = None if background is None else real(background, "background")
    if value is not None and not math.isfinite(value):
        raise ValueError(f"background must be finite, got {value}")
    plane = countable(mask, "mask")
    require_apart(out, mask)
    return Components(*_core.label_pieces(plane, way, real(delta, "delta"), value, out))


def component_stats(mask: Array, connectivity: Literal[8, 4] = 8, *, background: bool = False) -> ComponentStats:
    """Area, bounding box and centroid of each component, without a label image.

    Parameters
    ----------
    mask : (H, W) bool or integer
        Anything but 0 is foreground. At most 2³¹ - 1 pixels.
    connectivity : {8, 4}
        Whether pixels that meet at a corner belong together.
    background : bool
        Whether the first entry is the background's, as in OpenCV: that of label 0.

    Returns
    -------
    ComponentStats
        `area`, `box` and `centroid` of the components in the order of :func:`label_components`; empty arrays for an
        empty mask. A background without pixels has area 0, box 0 and centroid NaN.

    Raises
    ------
    TypeError, ValueError
        As :func:`label_components`.

    Notes
    -----
    Whole-number sums over the runs, exact. Memory: as :func:`label_components` without the labels, and 230 bytes for
    each component.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> stats = alphacut.component_stats(np.array([[1, 0, 1], [0, 0, 1]], np.uint8))
    >>> stats.area, stats.box[1], stats.centroid[1]
    (array([1, 2]), array([2, 0, 1, 2]), array([2. , 0.5]))
    """
    way = small_integer(connectivity, "connectivity")
    return ComponentStats(*_core.component_stats(as_mask(mask), way, flag(background, "background")))


def component_shapes(mask: Array, connectivity: Literal[8, 4] = 8, *, weights: Array | None = None) -> ComponentShapes:
    """Perimeter, ellipse, Euler number, convex area and weighted centroid of each component.

    Parameters
    ----------
    mask : (H, W) bool or integer
        Anything but 0 is foreground. At most 2³¹ - 1 pixels.
    connectivity : {8, 4}
        Whether pixels that meet at a corner belong together.
    weights : (H, W) bool, integer, float32 or float64, optional
        Of the pixels, for `weighted_centroid`; without them it is the centroid.

    Returns
    -------
    ComponentShapes
        Of the components in the order of :func:`label_components`; empty arrays for an empty mask.

    Raises
    ------
    TypeError, ValueError
        As :func:`label_components`; weights of another shape.

    Notes
    -----
    The numbers of scikit-image's ``regionprops``: ``perimeter``, ``axis_major_length``, ``axis_minor_length``,
    ``eccentricity``, ``orientation``, ``euler_number`` (for connectivity 8), ``area_convex`` and
    ``centroid_weighted`` (as x, y). Second moments are whole-number sums over runs, exact; only their quotients are
    rounded. K. Benkrid, D. Crookes, 2000 (perimeter); S. Gray, 1971 (Euler number, by squares of 2 × 2 pixels).
    Memory: 6 bytes a pixel, as :func:`component_stats`, and 300 bytes for each component.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> ring = np.pad(np.ones((3, 3), np.uint8), 1)
    >>> ring[2, 2] = 0
    >>> shapes = alphacut.component_shapes(ring)
    >>> shapes.perimeter, shapes.euler_number, shapes.convex_area
    (array([8.]), array([0]), array([9]))
    """
    way = small_integer(connectivity, "connectivity")
    if isinstance(weights, np.ndarray) and weights.dtype.kind in "biuf":
        weights = np.asarray(weights).astype(np.float64, copy=False)
    return ComponentShapes(*_core.component_shapes(as_mask(mask), way, weights))


def keep_largest(mask: Array, k: int = 1, connectivity: Literal[8, 4] = 8, *, out: Array | None = None) -> Array:
    """Keep the `k` components of largest area.

    Parameters
    ----------
    mask : (H, W) bool or integer
        Anything but 0 is foreground. At most 2³¹ - 1 pixels.
    k : int
        How many to keep, at least 1. Of components with one area the earlier in raster order is kept.
    connectivity : {8, 4}
        Whether pixels that meet at a corner belong together.
    out : (H, W) uint8, optional
        Where to write the mask.

    Returns
    -------
    (H, W) uint8
        255 for the components that are kept, else 0. An empty mask stays empty.

    Raises
    ------
    TypeError, ValueError
        As :func:`label_components`; `k` below 1.

    Notes
    -----
    Memory: as :func:`component_stats`, but 14 bytes for each component.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> alphacut.keep_largest(np.array([[1, 0, 1], [0, 0, 1]], np.uint8))
    array([[  0,   0, 255],
           [  0,   0, 255]], dtype=uint8)
    """
    return _core.keep_largest(as_mask(mask, out), integer(k, "k"), small_integer(connectivity, "connectivity"), out)


def keep_touching(mask: Array, seeds: Array, connectivity: Literal[8, 4] = 8, *, out: Array | None = None) -> Array:
    """Keep the components that have a pixel of `seeds`: the reconstruction of a mask from markers.

    Parameters
    ----------
    mask : (H, W) bool or integer
        Anything but 0 is foreground. At most 2³¹ - 1 pixels.
    seeds : (H, W) bool or integer
        Anything but 0 is a seed. Seeds outside the mask do nothing.
    connectivity : {8, 4}
        Whether pixels that meet at a corner belong together.
    out : (H, W) uint8, optional
        Where to write the mask.

    Returns
    -------
    (H, W) uint8
        255 for the components that are kept, else 0.

    Raises
    ------
    TypeError, ValueError
        As :func:`label_components`; seeds of another shape.

    Notes
    -----
    Equal to scikit-image's ``reconstruction(seed, mask)`` of a binary seed within the mask, and to SciPy's
    ``binary_propagation``. L. Vincent, 1993. Memory: as :func:`component_stats`, but 5 bytes for each component.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> alphacut.keep_touching(np.array([[1, 1, 0, 1]]), np.array([[0, 1, 0, 0]]))
    array([[255, 255,   0,   0]], dtype=uint8)
    """
    way = small_integer(connectivity, "connectivity")
    return _core.keep_touching(as_mask(mask, out), as_mask(seeds, out), way, out)


def remove_small(
    mask: Array,
    min_area: int,
    max_area: int | None = None,
    connectivity: Literal[8, 4] = 8,
    *,
    invert: bool = False,
    whole_labels: bool = False,
    out: Array | None = None,
) -> Array:
    """Remove the components of less than `min_area` pixels, or of more than `max_area`.

    Parameters
    ----------
    mask : (H, W) bool or integer
        Anything but 0 is foreground. At most 2³¹ - 1 pixels.
    min_area : int
        The smallest area that is kept, in pixels, at least 0.
    max_area : int, optional
        The largest area that is kept, in pixels, at least 0. None for no limit.
    connectivity : {8, 4}
        Whether pixels that meet at a corner belong together.
    invert : bool
        Keep what would be removed, and the other way round.
    whole_labels : bool
        Of a label map, 0 or above: the pixels of each value count together wherever they lie, and `connectivity` counts
        for nothing. Its components are pieces of any value otherwise.
    out : (H, W) uint8, optional
        Where to write the mask.

    Returns
    -------
    (H, W) uint8
        255 for the components that are kept, else 0.

    Raises
    ------
    TypeError, ValueError
        As :func:`label_components`; a negative area, or label.

    Notes
    -----
    Memory: as :func:`component_stats`, but 9 bytes for each component; of whole labels 16 bytes a pixel, or 41
    where few of the numbers up to the greatest occur.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> alphacut.remove_small(np.array([[1, 0, 1], [0, 0, 1]], np.uint8), 2)
    array([[  0,   0, 255],
           [  0,   0, 255]], dtype=uint8)
    """
    least, most = integer(min_area, "min_area"), sys.maxsize if max_area is None else integer(max_area, "max_area")
    way = small_integer(connectivity, "connectivity")
    if flag(whole_labels, "whole_labels"):
        kept = _labels_of_range(mask, least, most, flag(invert, "invert"), out)
        return _core.threshold(kept.view(np.uint8), 0.0, 255, 0, out)
    return _core.remove_small(as_mask(mask, out), least, way, most, flag(invert, "invert"), out)


def _labels_of_range(mask: Array, least: int, most: int, invert: bool, out: object) -> Array:
    """Where the labels are that have so many pixels, as bool."""
    require_apart(out, mask)
    labels = whole_numbers(mask, "mask")
    if labels.ndim != 2:
        raise ValueError(f"mask must have shape (height, width), got {labels.shape}")
    if least < 0 or most < 0:
        raise ValueError(f"min_area and max_area must be at least 0, got {min(least, most)}")
    if labels.size == 0:
        return np.zeros(labels.shape, bool)
    if labels.min() < 0:
        raise ValueError(f"mask must have labels of at least 0, got {labels.min()}")
    if labels.max() > 4 * labels.size:  # few of the numbers occur
        _, numbers, areas = np.unique(labels, return_inverse=True, return_counts=True)
    else:
        numbers = labels.astype(np.intp)
        areas = np.bincount(numbers.ravel())
    kept = ((areas >= least) & (areas <= most)) != invert
    result: Array = kept[numbers].reshape(labels.shape) & (labels != 0)
    return result


def fill_holes(
    mask: Array, max_area: int | None = None, connectivity: Literal[8, 4] = 8, *, out: Array | None = None
) -> Array:
    """Fill the holes of a mask.

    Parameters
    ----------
    mask : (H, W) bool or integer
        Anything but 0 is foreground. At most 2³¹ - 1 pixels.
    max_area : int, optional
        The largest hole that is filled, in pixels, at least 0. None fills all.
    connectivity : {8, 4}
        Of the foreground. The background is 4-connected where the foreground is 8-connected, and the other way round.
    out : (H, W) uint8, optional
        Where to write the mask.

    Returns
    -------
    (H, W) uint8
        255 for the foreground and the filled holes, else 0. A hole is a component of the background that does not touch
        the border of the picture; what lies inside it stays foreground.

    Raises
    ------
    TypeError, ValueError
        As :func:`label_components`; a negative area.

    Notes
    -----
    Memory: as :func:`remove_small`, for the runs and components of the background.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> ring = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.uint8)
    >>> alphacut.fill_holes(ring)[1]
    array([255, 255, 255], dtype=uint8)
    >>> alphacut.fill_holes(ring, connectivity=4)[1]
    array([255,   0, 255], dtype=uint8)
    """
    area = sys.maxsize if max_area is None else integer(max_area, "max_area")
    return _core.fill_holes(as_mask(mask, out), area, small_integer(connectivity, "connectivity"), out)


def mask_to_polygons(mask: Array, connectivity: Literal[8, 4] = 4, *, simplify: float = 0.0) -> list[Polygon]:
    """Outlines of a mask, along the edges of its pixels.

    Parameters
    ----------
    mask : (H, W) bool or integer
        Anything but 0 is foreground. At most 2³¹ - 1 pixels.
    connectivity : {4, 8}
        Whether pixels that meet at a corner belong together.
    simplify : float
        How far from the exact outline a simplified one may leave out corners, in pixels, at least 0. 0 keeps all.

    Returns
    -------
    list of Polygon
        One for each component, in raster order of its first pixel. Unless simplified, filling the exteriors without
        their holes gives back the mask, and a polygon's area is its number of pixels.

    Raises
    ------
    TypeError, ValueError
        As :func:`label_components`; `simplify` below 0.

    Notes
    -----
    Pixel (x, y) is the square from (x, y) to (x + 1, y + 1): the corners are whole numbers from 0 to W and 0 to H.
    Subtract 0.5 where whole numbers are to be the pixels' centres, as in OpenCV. Only corners are listed. With
    connectivity 4 the polygons are valid for geometry libraries: no ring has a vertex twice, rings do not cross and
    touch at single points at most. With 8 a ring comes through the corner where two pixels meet twice.

    `simplify` is the method of U. Ramer (1972), D. Douglas and T. Peucker (1973), as OpenCV's ``approxPolyDP`` and
    scikit-image's ``approximate_polygon``: a corner stays if it is farther than this from the stretch that would
    replace it. A ring that would keep fewer than three corners is kept whole. Simplified rings may cross each other and
    themselves. ``polygon.exterior.ravel().tolist()`` is a polygon of COCO's annotations.

    Memory: two bytes a pixel, the runs as in :func:`label_components`, its labels with connectivity 8, and the corners.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> square, = alphacut.mask_to_polygons(np.array([[0, 0, 0], [0, 1, 1]], np.uint8))
    >>> square.exterior.tolist(), square.holes
    ([[1, 1], [3, 1], [3, 2], [1, 2]], [])
    """
    way, tolerance = small_integer(connectivity, "connectivity"), real(simplify, "simplify")
    return [Polygon(exterior, holes) for exterior, holes in _core.mask_to_polygons(as_mask(mask), way, tolerance)]


def mask_to_rle(mask: Array) -> dict[str, list[int]]:
    """Express a mask as COCO's run-length code.

    Parameters
    ----------
    mask : (H, W) bool or integer
        Anything but 0 is foreground.

    Returns
    -------
    dict
        ``{"size": [H, W], "counts": [...]}``: the lengths of runs of background and foreground in turn, column after
        column, the first of background (0 if the first pixel is foreground).

    Raises
    ------
    TypeError, ValueError
        As :func:`label_components`.

    Notes
    -----
    The uncompressed code of COCO's annotations (T.-Y. Lin et al., 2014), which ``json`` writes as it is and
    ``pycocotools.mask.frPyObjects(rle, H, W)`` compresses. Memory: 2 bytes a pixel, and some 40 for each run.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> alphacut.mask_to_rle(np.array([[0, 1, 1], [0, 0, 1]], np.uint8))
    {'size': [2, 3], 'counts': [2, 1, 1, 2]}
    """
    mask = whole_numbers(mask, "mask")
    if mask.ndim != 2:
        raise ValueError(f"mask must have shape (height, width), got {mask.shape}")
    inside = np.not_equal(mask.T, 0).ravel()
    turns = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    starts = np.concatenate(([0], [0] if inside[:1].any() else [], turns, [inside.size]))
    return {"size": [int(side) for side in mask.shape], "counts": np.diff(starts).astype(np.int64).tolist()}


def rle_to_mask(rle: Mapping[str, Any], *, out: Array | None = None) -> Array:
    """Make a mask of COCO's run-length code.

    Parameters
    ----------
    rle : dict
        As :func:`mask_to_rle` returns it: ``size`` and uncompressed ``counts``.
    out : (H, W) uint8, optional
        Where to write the mask.

    Returns
    -------
    (H, W) uint8
        255 for foreground, else 0.

    Raises
    ------
    TypeError
        If `rle` is not of these entries, or `counts` is compressed, bytes or text.
    ValueError
        If `counts` are negative or do not add up to the size; if `out` does not fit.

    Notes
    -----
    Memory: 1 byte a pixel beside the result.

    Examples
    --------
    >>> import alphacut
    >>> alphacut.rle_to_mask({"size": [2, 3], "counts": [2, 1, 1, 2]})
    array([[  0, 255, 255],
           [  0,   0, 255]], dtype=uint8)
    """
    if not isinstance(rle, Mapping) or not {"size", "counts"} <= set(rle):
        raise TypeError(f"rle must be a mapping with 'size' and 'counts', got {type(rle).__name__}")
    size, counts = rle["size"], rle["counts"]
    if isinstance(counts, (str, bytes)):
        raise TypeError("rle: counts must be whole numbers, got a compressed code: pycocotools.mask.decode takes these")
    for name, value in (("size", size), ("counts", counts)):
        if not isinstance(value, (Sequence, np.ndarray)) or isinstance(value, (str, bytes)):
            raise TypeError(f"rle: {name} must be whole numbers, got {type(value).__name__}")
    if len(size) != 2:
        raise ValueError(f"rle: size must be (height, width), got {shown(size)}")
    height, width = (integer(side, "rle: each side of size", 0, 2**31 - 1) for side in size)
    if height * width >= 2**31:
        raise ValueError(f"rle: size must be of at most 2**31 - 1 pixels, got {height} x {width}")
    lengths = np.asarray(counts)
    if lengths.ndim != 1 or (lengths.size and lengths.dtype.kind not in "iu"):
        raise TypeError("rle: counts must be a sequence of whole numbers")
    if lengths.size and lengths.min() < 0:
        raise ValueError(f"rle: counts must be at least 0, got {lengths.min()}")
    total = sum(lengths.tolist())  # beyond any integer of an array, too
    if total != height * width:
        raise ValueError(f"rle: counts must add up to {height} x {width} pixels, got {total}")
    values = np.zeros(len(lengths), np.uint8)
    values[1::2] = 255
    columns = np.repeat(values, lengths.astype(np.int64)).reshape(width, height)
    if out is None:
        return np.ascontiguousarray(columns.T)
    require_out(out, np.uint8, (height, width))
    out[...] = columns.T
    return out
