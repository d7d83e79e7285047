"""What lies within reach of each pixel: masks and pictures eroded, dilated, opened, closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from . import _core
from ._arrays import (
    BORDERS,
    Array,
    as_bytes,
    choice,
    integer,
    of_dtype,
    pair,
    real,
    require_apart,
    require_out,
    shown,
    small_integer,
    whole_numbers,
)

OPERATIONS = ("erode", "dilate", "open", "close", "gradient", "tophat", "blackhat")


def morphology(
    image: Array,
    operation: Literal["erode", "dilate", "open", "close", "gradient", "tophat", "blackhat"],
    *,
    radius: int | tuple[int, int] = 1,
    shape: Literal["disc", "box"] = "disc",
    footprint: Array | None = None,
    mode: Literal["ignore", "nearest", "reflect", "mirror", "wrap", "constant"] = "ignore",
    cval: float = 0,
    out: Array | None = None,
) -> Array:
    """Erode, dilate, open or close a mask or a picture.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array of bool, integers or floating point
        A mask, or a picture of any finite values, whose channels are worked on one by one. Others than bool, uint8,
        uint16 and float32 go by the order of their values, which takes a sort.
    operation : {"erode", "dilate", "open", "close", "gradient", "tophat", "blackhat"}
        "erode" takes the least value in reach of each pixel, "dilate" the greatest. "open" erodes and then dilates:
        what holds nowhere the whole `shape` vanishes. "close" dilates and then erodes: gaps of less than it vanish.
        "gradient" is the dilated picture less the eroded one, "tophat" the picture less the opened one, "blackhat" the
        closed one less the picture; integers end where their dtype does.
    radius : int or (int, int)
        How far is in reach, in pixels from 0 to 32767; a box may have two, down and across.
    shape : {"disc", "box"}
        The pixels at most `radius` away, in a straight line, or those in at most so many rows and columns.
    footprint : (h, w) bool or integer array, optional
        Any other shape, as of OpenCV's ``getStructuringElement`` or of scikit-image: what is not 0 is in reach of the
        pixel at row ``h // 2`` and column ``w // 2``, as in OpenCV. `radius` and `shape` then count for nothing.
    mode : {"ignore", "nearest", "reflect", "mirror", "wrap", "constant"}
        What lies beyond the border: nothing that counts, or, by SciPy's names, a|abc|c, a|abc|c and on, b|abc|b,
        c|abc|a, or `cval`. All but the last two are the same for discs and boxes.
    cval : float
        What lies beyond a border that is "constant": a value that the dtype has.
    out : array, optional
        Where to write: shape and dtype of `image`, sharing no memory with it.

    Returns
    -------
    array
        Shape and dtype of `image`.

    Raises
    ------
    TypeError
        If `image` or `out` is not an array of an accepted dtype, `radius` not of whole numbers, or `footprint` not an
        array of them.
    ValueError
        If a shape, a value that is not finite, `operation`, `radius`, `shape`, `mode` or `cval` is out of range; two
        radii of a disc; if `footprint` has no pixel; if an image of another depth has over 16,777,216 values.

    Notes
    -----
    Equal to OpenCV's ``morphologyEx`` and, of erosion, dilation, opening and closing, to scikit-image's functions, with
    the same footprint: ``skimage.morphology.disk(radius)``, ones of ``2 * radius + 1`` rows and columns, or
    `footprint`. (OpenCV's own ellipses are a little wider than discs.) Where a footprint is not its own mirror image,
    "open" and "close" mirror it for their second half, as scikit-image does and OpenCV does not: so neither moves what
    it keeps. A box that is applied n times is one of n times the radius. A pixel that has nothing in reach gets the
    dtype's end, or infinity, that any value replaces.

    A box goes by rows in stretches that double, and by columns in three steps whatever its size (M. van Herk, 1992; J.
    Gil and M. Werman, 1993). A disc, or a footprint like it, goes by its rows, each stretch grown from the last: about
    three steps a pixel of its radius; any other by two steps for each stretch of a row. A large disc on a mask of two
    values goes by distances within columns, in a time that does not depend on the radius. Memory beyond the result: a
    few rows a thread, of a box as many rows as it is high, twice; a copy of the picture for what is more than "erode"
    or "dilate"; two copies where a border repeats the picture; 5 bytes a pixel for large discs on masks; of other
    depths 35 bytes a value of 16 bits, 65 of 64.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> mask = np.array([[0, 0, 0, 0, 0], [0, 255, 255, 255, 255], [0, 255, 0, 255, 255]], np.uint8)
    >>> alphacut.morphology(mask, "close")[1:]
    array([[  0, 255, 255, 255, 255],
           [255, 255, 255, 255, 255]], dtype=uint8)
    >>> alphacut.morphology(mask, "erode", radius=(0, 1), shape="box")[1:]
    array([[  0,   0, 255, 255, 255],
           [  0,   0,   0,   0, 255]], dtype=uint8)
    """
    what, disc = OPERATIONS.index(choice(operation, "operation", OPERATIONS)), choice(shape, "shape", ("disc", "box"))
    down, across = pair(radius, "radius", integer)
    border = choice(mode, "mode", ("ignore", *BORDERS))
    reach = (down, across, disc == "disc", [] if footprint is None else _runs(footprint))
    options = (what, *reach, None if border == "ignore" else border, real(cval, "cval"))
    if _is_ordered(image):
        return _by_order(image, operation, reach, border, cval, out)
    if not isinstance(image, np.ndarray) or image.dtype != np.bool_:
        return _core.morphology(image, *options, out)
    return as_bytes(lambda a, b: _core.morphology(a, *options, b), image, out)


def reconstruct(
    seed: Array,
    mask: Array,
    connectivity: Literal[8, 4] = 8,
    *,
    operation: Literal["dilate", "erode"] = "dilate",
    out: Array | None = None,
) -> Array:
    """What of a picture is connected to seeds in it: of gray values, their plateaus, domes and filled holes.

    Parameters
    ----------
    seed : (H, W) array of bool, integers or floating point
        Where to begin: nowhere above `mask`, or for "erode" nowhere below it. Finite. Others than bool, uint8, uint16
        and float32 go by the order of their values, which takes a sort.
    mask : same shape and dtype as seed
        What the seed may grow to.
    connectivity : {8, 4}
        Whether pixels that touch at corners are connected.
    operation : {"dilate", "erode"}
        "dilate" lets the greatest values of the seed spread as far as the mask is that high; "erode" the least as far
        as it is that low.
    out : array, optional
        Where to write: shape and dtype of `mask`, sharing no memory with either.

    Returns
    -------
    array
        Shape and dtype of `mask`.

    Raises
    ------
    TypeError
        If an array has no accepted dtype, or not that of the other.
    ValueError
        If shapes differ, a value is not finite, `operation` or `connectivity` is out of range, or the seed lies above
        (for "erode" below) the mask somewhere.

    Notes
    -----
    scikit-image's ``reconstruction`` with a footprint of ones, or of a cross. L. Vincent, "Morphological grayscale
    reconstruction in image analysis", 1993, its hybrid: a pass down, one up, and a queue for what these left. One
    thread. Memory beyond the result: 8 bytes for each pixel of the queue, which is few as a rule; of other depths 70 to
    130 bytes a pixel.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> hills = np.array([[0, 5, 3, 0, 7, 0, 2]], np.uint8)
    >>> alphacut.reconstruct(np.maximum(hills, 2) - np.uint8(2), hills)  # each hill without its upper 2
    array([[0, 3, 3, 0, 5, 0, 0]], dtype=uint8)
    """
    erosion = choice(operation, "operation", ("dilate", "erode")) == "erode"
    ways = small_integer(connectivity, "connectivity")
    if isinstance(seed, np.ndarray) and isinstance(mask, np.ndarray) and seed.dtype != mask.dtype:
        raise TypeError(f"seed must have the dtype of mask, {mask.dtype}, got {seed.dtype}")
    if _is_ordered(mask) and isinstance(seed, np.ndarray):
        result = _output(out, mask, seed)
        values, (below, above) = _ranks({"seed": seed, "mask": mask})
        result[...] = values[_core.reconstruct(below, above, erosion, ways, None).astype(np.intp)]
        return result if out is None else out
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
        return _core.reconstruct(seed, mask, erosion, ways, out)
    return as_bytes(lambda a, b: _core.reconstruct(seed, a, erosion, ways, b), mask, out)


def _is_ordered(image: object) -> bool:
    """Of a dtype that the core does not have, but whose values have an order."""
    return (
        isinstance(image, np.ndarray)
        and image.dtype.kind in "iuf"
        and image.dtype.isnative
        and image.dtype not in (np.uint8, np.uint16, np.float32)
    )


def _output(out: Array | None, like: Array, *inputs: Array) -> Array:
    """Where a result goes: `out`, if it fits and shares no memory, or a new array."""
    if out is None:
        return np.empty(like.shape, like.dtype)
    require_apart(out, like, *inputs)
    return require_out(out, like.dtype, like.shape)


def _ranks(images: dict[str, Array], also: Sequence[float] = ()) -> tuple[Array, list[Array]]:
    """All values in their order, and each image as places in it, which float32 holds exactly."""
    arrays = [np.asarray(array) for array in images.values()]
    dtype = arrays[0].dtype
    for name, array in images.items():
        if dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} must have finite values")
    values, places = np.unique(
        np.concatenate([*(array.ravel() for array in arrays), np.array(also, dtype)]), return_inverse=True
    )
    if len(values) > 2**24:
        raise ValueError(f"an image of {dtype} must have at most {2**24} different values, got {len(values)}")
    ends = np.cumsum([array.size for array in arrays])
    parts = np.split(places.astype(np.float32), ends)
    return values, [part.reshape(array.shape) for part, array in zip(parts[:-1], arrays, strict=True)]


def _by_order(
    image: Array, operation: str, reach: tuple[Any, ...], border: str, cval: float, out: Array | None
) -> Array:
    """:func:`morphology` of the ranks of the values, which neither erosion nor dilation tells from these."""
    image = np.asarray(image)
    dtype = image.dtype
    result = _output(out, image)
    ends = (-np.inf, np.inf) if dtype.kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    beyond = [of_dtype(cval, "cval", dtype)] if border == "constant" else []
    if np.isnan(beyond).any():
        raise ValueError("cval must be a value of the image's dtype, got nan")
    values, (ranks,) = _ranks({"image": image}, beyond)
    place = float(np.searchsorted(values, np.array(beyond, dtype))[0]) if beyond else 0.0

    def found(word: str) -> Array:
        core = (OPERATIONS.index(word), *reach, None if border == "ignore" else border, place)
        made = _core.morphology(ranks, *core)
        none = np.isinf(made)  # nothing was in reach
        kept: Array = values[np.where(none, 0, made).astype(np.intp)] if values.size else made.astype(dtype)
        kept[none] = np.where(made[none] > 0, ends[1], ends[0]).astype(dtype)
        return kept

    pairs = {"gradient": ("dilate", "erode"), "tophat": ("", "open"), "blackhat": ("close", "")}
    if operation not in pairs:
        result[...] = found(operation)
        return result if out is None else out
    more, less = (found(word) if word else image for word in pairs[operation])
    if dtype.kind == "f":
        np.subtract(more, less, out=result)
    else:  # modulo a power of two, and then saturated
        unsigned = np.dtype(f"u{dtype.itemsize}")
        difference = np.subtract(more.astype(unsigned), less.astype(unsigned))
        result[...] = np.where(more >= less, np.minimum(difference, unsigned.type(ends[1])), 0)
    return result if out is None else out


def _runs(footprint: Array) -> list[list[int]]:
    """(row, first, last) of each stretch of a row that is not 0, from the middle."""
    footprint = whole_numbers(footprint, "footprint")
    if footprint.ndim != 2 or not footprint.any():
        raise ValueError(f"footprint must have shape (height, width) and a pixel that is not 0, got {shown(footprint)}")
    height, width = footprint.shape
    changes = np.diff(np.pad(np.not_equal(footprint, 0), ((0, 0), (1, 1))).astype(np.int8))
    rows, first = np.nonzero(changes == 1)
    last = np.nonzero(changes == -1)[1] - 1
    runs: list[list[int]] = np.stack([rows - height // 2, first - width // 2, last - width // 2], axis=1).tolist()
    return runs
