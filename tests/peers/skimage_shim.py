"""scikit-image's functions by alphacut's: the same signatures, and every step between the two in the open.

What a function here cannot do raises `Unsupported` with the reason. `put_in_place` puts them where scikit-image's are.
"""

from __future__ import annotations

import importlib
import warnings

import numpy as np
from skimage._shared.utils import _supported_float_type
from skimage.util import dtype_limits, img_as_float

import alphacut

DIMENSIONS = "three dimensions are not alphacut's"
calls = 0


class Unsupported(Exception):
    """A way to call that alphacut does not have."""


def ours(function):
    """Counts the calls that reach alphacut."""

    def counted(*args, **kwargs):
        global calls
        calls += 1
        return function(*args, **kwargs)

    counted.__name__ = function.__name__
    return counted


def plane(image):
    image = np.asarray(image)
    if image.ndim > 2:
        raise Unsupported(DIMENSIONS)
    return image.reshape(-1, image.shape[-1]) if image.ndim else image


# --- thresholds: scikit-image's limits of floats are the middles of bins, alphacut's their upper ends ----------------


def limit(image, method, nbins, hist, **options):
    if image is None:
        return alphacut.find_threshold(hist=hist, method=method, **options)
    flat = np.asarray(image).reshape(1, -1)  # a histogram knows no shape
    if flat.dtype == np.float16:
        flat = flat.astype(np.float32)
    if flat.dtype.kind != "f":
        return alphacut.find_threshold(flat, method, **options)
    found = alphacut.find_threshold(flat, method, nbins=int(nbins), **options)
    half = float(flat.max() - flat.min()) / nbins / 2
    return tuple(one - half for one in found) if isinstance(found, tuple) else found - half


@ours
def threshold_otsu(image=None, nbins=256, *, hist=None):
    return limit(image, "otsu", nbins, hist)


@ours
def threshold_yen(image=None, nbins=256, *, hist=None):
    return limit(image, "yen", nbins, hist)


@ours
def threshold_isodata(image=None, nbins=256, return_all=False, *, hist=None):
    if return_all:
        raise Unsupported("alphacut gives the lowest limit alone")
    return limit(image, "isodata", nbins, hist)


@ours
def threshold_minimum(image=None, nbins=256, max_num_iter=10000, *, hist=None):
    try:
        return limit(image, "minimum", nbins, hist)
    except ValueError as error:  # the same refusal under another name
        if "two peaks" in str(error):
            raise RuntimeError(str(error)) from None
        raise


@ours
def threshold_triangle(image, nbins=256):
    return limit(image, "triangle", nbins, None)


@ours
def threshold_multiotsu(image=None, classes=3, nbins=256, *, hist=None):
    return np.array(limit(image, "multiotsu", nbins, hist, classes=classes))


@ours
def threshold_mean(image):
    return alphacut.find_threshold(np.asarray(image).reshape(1, -1), "mean")


@ours
def threshold_li(image, *, tolerance=None, initial_guess=None, iter_callback=None):
    if initial_guess is not None or iter_callback is not None:
        raise Unsupported("alphacut starts at the mean")
    flat = np.asarray(image).reshape(1, -1)
    if flat.dtype.kind == "f" and not np.isfinite(flat).all():
        raise Unsupported("alphacut refuses NaN and infinity")
    return alphacut.find_threshold(flat, "li")


def surface(image, size, **options):
    image = np.asarray(image)
    if image.ndim != 2:
        raise Unsupported(DIMENSIONS)
    dtype = _supported_float_type(image.dtype)
    image = image.astype(np.float32) if image.dtype == np.float16 else image
    side = tuple(size) if np.iterable(size) else (size, size)
    return alphacut.adaptive_limit(image, side, **options).astype(dtype)


@ours
def threshold_local(image, block_size=3, method="gaussian", offset=0, mode="reflect", param=None, cval=0):
    options = {"method": method, "offset": offset, "mode": mode, "cval": cval}
    if method == "generic":
        raise Unsupported("alphacut has no limits by a Python function")
    if method == "gaussian":  # with scipy's reach of 4 sigma
        sides = {block_size} if np.isscalar(block_size) else set(block_size)
        if np.ndim(image) == 2 and len(sides) == 1 and all(side % 2 for side in sides):
            options["sigma"] = param or (sides.pop() - 1) / 6
            block_size = 2 * int(4 * options["sigma"] + 0.5) + 1
    return surface(image, block_size, **options)


@ours
def threshold_niblack(image, window_size=15, k=0.2):
    return surface(image, window_size, method="niblack", k=k, mode="mirror")


@ours
def threshold_sauvola(image, window_size=15, k=0.2, r=None):
    if r is None:
        low, high = dtype_limits(np.asarray(image), clip_negative=False)
        r = 0.5 * (high - low)
    return surface(image, window_size, method="sauvola", k=k, r=r, mode="mirror")


@ours
def apply_hysteresis_threshold(image, low, high):
    if np.ndim(low) or np.ndim(high):
        raise Unsupported("alphacut's limits are the same for all pixels")
    return alphacut.hysteresis_threshold(plane(image), low, high, connectivity=4).astype(bool)


# --- morphology ------------------------------------------------------------------------------------------------------

FLOAT_MAX = float(np.finfo(np.float32).max)
MODES = {"constant", "wrap", "max", "min", "reflect", "ignore", "nearest", "mirror"}


def one_by_one(image, operations, footprint, mode, cval=0):
    """The operations, each by each footprint of a decomposition; opening and closing mirror it for their second."""
    if mode not in MODES:
        raise ValueError(f"unsupported mode, got {mode!r}")
    image = np.asarray(image)
    if image.ndim > 2:
        raise Unsupported(DIMENSIONS)
    footprint = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]]) if footprint is None else footprint
    parts = footprint if isinstance(footprint, tuple) else ((footprint, 1),)
    work = np.atleast_2d(image)
    if mode in ("max", "min"):
        low, high = (0, 1) if work.dtype == bool else (-FLOAT_MAX, FLOAT_MAX)
        if work.dtype.kind in "iu":
            low, high = np.iinfo(work.dtype).min, np.iinfo(work.dtype).max
        mode, cval = "constant", high if mode == "max" else low
    for back, operation in enumerate(operations):
        for part, times in parts:
            part = np.atleast_2d(part)
            part = np.pad(part, [(1 - side % 2, 0) for side in part.shape])  # even sides: the pixel before the middle
            part = part[::-1, ::-1] if back else part
            for _ in range(times):
                work = alphacut.morphology(work, operation, footprint=part, mode=mode, cval=cval)
    return work.reshape(image.shape)


def written(result, image, out):
    """The result in the picture's own dtype."""
    if out is None:
        return result.astype(np.asarray(image).dtype)
    out[...] = result
    return out


@ours
def erosion(image, footprint=None, out=None, *, mode="reflect", cval=0.0):
    return written(one_by_one(image, ["erode"], footprint, mode, cval), image, out)


@ours
def dilation(image, footprint=None, out=None, *, mode="reflect", cval=0.0):
    return written(one_by_one(image, ["dilate"], footprint, mode, cval), image, out)


@ours
def opening(image, footprint=None, out=None, *, mode="reflect", cval=0.0):
    return written(one_by_one(image, ["erode", "dilate"], footprint, mode, cval), image, out)


@ours
def closing(image, footprint=None, out=None, *, mode="reflect", cval=0.0):
    return written(one_by_one(image, ["dilate", "erode"], footprint, mode, cval), image, out)


@ours
def white_tophat(image, footprint=None, out=None, *, mode="reflect", cval=0.0):
    opened = one_by_one(image, ["erode", "dilate"], footprint, mode, cval)
    return written(np.subtract(np.asarray(image, np.float64), opened), image, out)


@ours
def black_tophat(image, footprint=None, out=None, *, mode="reflect", cval=0.0):
    closed = one_by_one(image, ["dilate", "erode"], footprint, mode, cval)
    return written(np.subtract(closed, np.asarray(image, np.float64)), image, out)


@ours
def reconstruction(seed, mask, method="dilation", footprint=None, offset=None):
    if offset is not None:
        raise Unsupported("alphacut's neighbourhood has no offset")
    seed, mask = np.asarray(seed), np.asarray(mask)
    if mask.ndim != 2 or seed.ndim != 2:
        raise Unsupported(DIMENSIONS)
    full = np.ones((3, 3)) if footprint is None else np.asarray(footprint)
    if full.shape != (3, 3) or not (full.all() or np.array_equal(full != 0, [[0, 1, 0], [1, 1, 1], [0, 1, 0]])):
        raise Unsupported("alphacut's neighbourhood is 3 by 3, full or a cross")
    both = [a.astype(np.result_type(seed, mask)) for a in (seed, mask)]
    result = alphacut.reconstruct(*both, 8 if full.all() else 4, operation="erode" if method == "erosion" else "dilate")
    return result.astype(_supported_float_type(np.result_type(seed, mask)))


BINARY_MODES = ("ignore", "max", "min")


def binary(operations, image, footprint, out, mode):
    if mode not in BINARY_MODES:
        raise ValueError(f"unsupported mode, got {mode!r}")
    return written(one_by_one(np.asarray(image) != 0, operations, footprint, mode), np.zeros(0, bool), out)


@ours
def binary_erosion(image, footprint=None, out=None, *, mode="ignore"):
    return binary(["erode"], image, footprint, out, mode)


@ours
def binary_dilation(image, footprint=None, out=None, *, mode="ignore"):
    return binary(["dilate"], image, footprint, out, mode)


@ours
def binary_opening(image, footprint=None, out=None, *, mode="ignore"):
    return binary(["erode", "dilate"], image, footprint, out, mode)


@ours
def binary_closing(image, footprint=None, out=None, *, mode="ignore"):
    return binary(["dilate", "erode"], image, footprint, out, mode)


def isotropic(operation, image, radius, out, spacing):
    if spacing is not None:
        raise Unsupported("alphacut's pixels have one size")
    if radius != int(radius):
        raise Unsupported("alphacut's radii are whole numbers")
    result = alphacut.morphology(plane(image) != 0, operation, radius=int(radius))
    return written(result, result, out)


@ours
def isotropic_erosion(image, radius, out=None, spacing=None):
    return isotropic("erode", image, radius, out, spacing)


@ours
def isotropic_dilation(image, radius, out=None, spacing=None):
    return isotropic("dilate", image, radius, out, spacing)


@ours
def isotropic_opening(image, radius, out=None, spacing=None):
    return isotropic("open", image, radius, out, spacing)


@ours
def isotropic_closing(image, radius, out=None, spacing=None):
    return isotropic("close", image, radius, out, spacing)


# --- blurs: of floats, so that nothing is rounded --------------------------------------------------------------------


@ours
def gaussian(
    image, sigma=1, *, mode="nearest", cval=0, preserve_range=False, truncate=4.0, channel_axis=None, out=None
):
    image = np.asarray(image)
    if np.any(np.asarray(sigma) < 0):
        raise ValueError("sigma must be at least 0")
    if out is not None and out.dtype.kind != "f":
        raise ValueError(f"dtype of `out` must be float; got {out.dtype!r}.")
    if mode == "constant":
        raise Unsupported("alphacut's blur has no constant border")
    dtype = _supported_float_type(image.dtype)
    image = (image if preserve_range else img_as_float(image)).astype(np.float32)
    planes = [image] if channel_axis is None else list(np.moveaxis(image, channel_axis, 0))
    if planes[0].ndim > 2:
        raise Unsupported(DIMENSIONS)
    deviations = tuple(map(float, sigma)) if np.iterable(sigma) else (float(sigma),) * 2
    blurred = [
        alphacut.gaussian_blur(np.atleast_2d(one), deviations, truncate=truncate, mode=mode).reshape(one.shape)
        for one in planes
    ]
    result = (blurred[0] if channel_axis is None else np.stack(blurred, channel_axis)).astype(dtype)
    if out is None:
        return result
    out[...] = result
    return out


# --- components ------------------------------------------------------------------------------------------------------


def way(connectivity, default):
    connectivity = default if connectivity is None else connectivity
    if connectivity not in (1, 2):
        raise ValueError(f"connectivity {connectivity} is beyond two dimensions")
    return 4 * connectivity


@ours
def label(label_image, background=None, return_num=False, connectivity=None):
    image = np.asarray(label_image)
    if image.ndim == 1 and connectivity not in (None, 1):
        raise ValueError(f"connectivity {connectivity} is beyond one dimension")
    flat = plane(image)
    neighbours = way(connectivity, 2 if image.ndim == 2 else 1)
    if image.dtype == bool and not background:
        labels, count = alphacut.label_components(flat, neighbours)
    else:
        labels, count = alphacut.label_components(flat, neighbours, delta=0, background=background or 0)
    labels = labels.reshape(image.shape)
    return (labels, count) if return_num else labels


def small(image, max_size, connectivity):
    return alphacut.remove_small(plane(image), max_size + 1, connectivity=way(connectivity, 1)).astype(bool)


@ours
def remove_small_objects(ar, max_size=64, connectivity=1, *, out=None, **deprecated):
    if deprecated:
        raise Unsupported("scikit-image's own deprecated parameters and their warnings")
    if ar.dtype != bool:
        kept = alphacut.remove_small(ar, max_size + 1, whole_labels=True).astype(bool)
        if len(np.unique(ar[ar > 0])) == 1 and (out is None or out.dtype != bool):
            warnings.warn("Only one label was provided. Did you mean to use a boolean array?", stacklevel=2)
        result = np.where(kept, ar, 0).astype(ar.dtype)
        if out is None:
            return result
        out[...] = result
        return out
    kept = small(ar, max_size, connectivity)
    if out is None:
        return kept
    if out.dtype != bool:
        warnings.warn("Only one label was provided. Did you mean to use a boolean array?", stacklevel=2)
    out[...] = kept
    return out


@ours
def remove_small_holes(ar, max_size=64, connectivity=1, *, out=None, **deprecated):
    if deprecated:
        raise Unsupported("scikit-image's own deprecated parameters and their warnings")
    if ar.dtype.kind not in "biu":
        raise TypeError(f"a mask of {ar.dtype}")
    if ar.dtype != bool:
        warnings.warn(
            "Any labeled images will be returned as a boolean array. Did you mean to use a boolean array?", stacklevel=2
        )
        ar = ar.astype(bool)
    if out is not None and out.dtype != bool:
        raise TypeError("out dtype must be bool")
    filled = ~small(~ar, max_size, connectivity)  # what touches the border is a hole to scikit-image
    if out is None:
        return filled
    out[...] = filled
    return out


@ours
def perimeter(image, neighborhood=4):
    if neighborhood != 4:
        raise Unsupported("alphacut's border pixels are 4-connected")
    return alphacut.component_shapes(plane(image)).perimeter.sum()


@ours
def euler_number(image, connectivity=None):
    neighbours = way(connectivity, 2) if np.ndim(image) == 2 else 8
    return int(alphacut.component_shapes(plane(image), neighbours).euler_number.sum())


def of_region(name, column=None, kind=float):
    """A property of a region by alphacut; in pixels of one size."""

    @ours
    def get(region):
        if region._ndim != 2:
            raise Unsupported(DIMENSIONS)
        if any(step != 1 for step in region._spacing):
            raise Unsupported("alphacut's pixels have one size")
        if alphacut.label_components(region.image)[1] != 1:
            raise Unsupported("a label of several pieces; alphacut's components are connected")
        value = getattr(alphacut.component_shapes(region.image), name)[0]
        return kind(value if column is None else value[column])

    return property(get)


PLACES = {
    "skimage.filters.thresholding": [
        threshold_otsu,
        threshold_yen,
        threshold_isodata,
        threshold_minimum,
        threshold_triangle,
        threshold_multiotsu,
        threshold_mean,
        threshold_li,
        threshold_local,
        threshold_niblack,
        threshold_sauvola,
        apply_hysteresis_threshold,
    ],
    "skimage.filters._gaussian": [gaussian],
    "skimage.morphology.gray": [erosion, dilation, opening, closing, white_tophat, black_tophat],
    "skimage.morphology.binary": [binary_erosion, binary_dilation, binary_opening, binary_closing],
    "skimage.morphology.isotropic": [isotropic_erosion, isotropic_dilation, isotropic_opening, isotropic_closing],
    "skimage.measure": [label, perimeter, euler_number],
    "skimage.measure._regionprops_utils": [perimeter, euler_number],
    "skimage.measure._label": [label],
    "skimage.morphology.grayreconstruct": [reconstruction],
    "skimage.morphology": [remove_small_objects, remove_small_holes, label],
    "skimage.morphology.misc": [remove_small_objects, remove_small_holes],
}
REGIONS = {
    "perimeter": of_region("perimeter"),
    "euler_number": of_region("euler_number", kind=int),
    "eccentricity": of_region("eccentricity"),
    "orientation": of_region("orientation"),
    "axis_major_length": of_region("axes", 0),
    "axis_minor_length": of_region("axes", 1),
    "area_convex": of_region("convex_area"),
}


def put_in_place():
    for name, functions in PLACES.items():
        module = importlib.import_module(name)
        for function in functions:
            setattr(module, function.__name__, function)
    for package in ("skimage.filters", "skimage.morphology"):
        for name, functions in PLACES.items():
            for function in functions if name.startswith(package + ".") else ():
                setattr(importlib.import_module(package), function.__name__, function)
    regions = importlib.import_module("skimage.measure._regionprops").RegionProperties
    for name, value in REGIONS.items():
        setattr(regions, name, value)
