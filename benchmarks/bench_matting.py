"""Guided filter and trimaps against OpenCV, alpha against pymatting."""

import cv2
import numpy as np

import alphacut
from alphacut.matting import METHODS

from .pictures import mask, noise, noise_mask, photo
from .race import race

EPS = 1e-4
NATURAL = {"": lambda mp: (photo(mp), mask(mp))}
NOISE = {"noise": lambda mp: (noise(mp), noise_mask(mp))}
FULL = {"guided-gray-1": ("gray", 1), "guided-colour-1": ("colour", 1)}
IMPLEMENTATIONS = ["alphacut", "cv2", "copy"]


def guided_filter(pair, kind, subsample):
    guide, plane = pair
    if kind == "gray":
        guide = cv2.cvtColor(guide, cv2.COLOR_RGB2GRAY)
    source = plane / np.float32(255)
    out = np.empty_like(source)

    def agree(ours, theirs):
        """The borders differ. Subsampled, both are approximations: ours is the better one, or nearly."""
        inner = np.s_[32:-32, 32:-32]
        if subsample == 1:
            assert abs(ours - theirs)[inner].max() < 5e-3
        else:
            exact = alphacut.guided_filter(guide, source, 8, EPS)
            assert abs(ours - exact)[inner].mean() < 1.2 * abs(theirs - exact)[inner].mean()

    return agree, {
        "alphacut": lambda: alphacut.guided_filter(guide, source, 8, EPS, subsample=subsample, out=out),
        # its guide is not scaled: variances are 255² times as large
        "cv2": lambda: cv2.ximgproc.guidedFilter(guide, source, 8, EPS * 255**2, scale=1 / subsample),
        "copy": lambda: np.copyto(out, source),
    }


bench_guided_filter = race("matting", FULL, NATURAL | NOISE, IMPLEMENTATIONS)(guided_filter)
# Of noise, a quarter of the guide tells nothing: the two approximations have nothing in common.
bench_subsampled = race("matting", {"guided-colour-4": ("colour", 4)}, NATURAL, IMPLEMENTATIONS)(guided_filter)


DISTANCES = {
    "distance": ("euclidean", cv2.DIST_L2, cv2.DIST_MASK_PRECISE),
    "distance-taxicab": ("taxicab", cv2.DIST_L1, 3),
    "distance-chessboard": ("chessboard", cv2.DIST_C, 3),
}


@race("matting", DISTANCES, {"": lambda mp: cv2.medianBlur(mask(mp), 31)}, ["alphacut", "cv2"])
def bench_distance(plane, metric, kind, window):
    out = np.empty(plane.shape, np.float32)

    def agree(ours, theirs):
        assert np.abs(ours - theirs).max() < 1e-2

    return agree, {
        "alphacut": lambda: alphacut.distance_transform(plane, metric=metric, out=out),
        "cv2": lambda: cv2.distanceTransform(plane, kind, window),
    }


def cv2_trimap(plane, band):
    binary = (plane > 0).view(np.uint8)
    inside = cv2.distanceTransform(binary, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform(1 - binary, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.where(np.maximum(inside, outside) <= band, np.uint8(128), plane)


@race("matting", {"trimap": ()}, {"": lambda mp: cv2.medianBlur(mask(mp), 31)}, ["alphacut", "cv2", "copy"])
def bench_make_trimap(plane):
    out = np.empty_like(plane)

    def agree(ours, theirs):
        assert np.mean(ours != theirs) < 1e-3  # lonely parts are kept

    return agree, {
        "alphacut": lambda: alphacut.make_trimap(plane, band=10, out=out),
        "cv2": lambda: cv2_trimap(plane, 10),
        "copy": lambda: np.copyto(out, plane),
    }


def disc(megapixels):
    """Picture, true alpha and trimap of a soft disc."""
    front, back = photo(megapixels), photo(megapixels, 1)[::-1]
    height, width = front.shape[:2]
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - height / 2, x - width / 2) - height / 3
    alpha = np.clip(0.5 - distance / 16, 0, 1)[..., None]
    image = np.rint(alpha * front + (1 - alpha) * back).astype(np.uint8)
    trimap = np.where(abs(distance) < 12, 128, np.where(distance < 0, 255, 0)).astype(np.uint8)
    return image, alpha[..., 0], trimap


def pymatting_alpha(image, trimap):
    import pymatting

    return 255 * pymatting.estimate_alpha_cf(image, trimap)


ALPHA = {f"alpha_{method}": (method,) for method in METHODS}


@race("matting", ALPHA, {"": disc}, ["alphacut", "pymatting"], sizes=[0.5])
def bench_refine_alpha(problem, method):
    image, alpha, trimap = problem
    unit, known = image / 255, trimap / 255

    def agree(*answers):
        """Each is near the truth."""
        for answer in answers:
            assert ((answer / 255 - alpha)[trimap == 128] ** 2).mean() < 0.05

    return agree, {
        "alphacut": lambda: alphacut.refine_alpha(image, trimap, method=method),
        "pymatting": lambda: pymatting_alpha(unit, known),
    }
