"""Guided filter and trimaps against OpenCV, alpha against pymatting."""

import cv2
import numpy as np
import pytest

import alphacut
from alphacut.matting import METHODS

from .pictures import mask, photo


def time_one(benchmark, group, implementation, calls, rounds=5):
    benchmark.group = f"matting-{group}"
    benchmark.pedantic(calls[implementation], rounds=rounds, warmup_rounds=1)


@pytest.mark.parametrize("megapixels", [0.3, 1, 12])
@pytest.mark.parametrize(("kind", "subsample"), [("gray", 1), ("colour", 1), ("colour", 4)])
@pytest.mark.parametrize("implementation", ["alphacut", "cv2", "copy"])
def bench_guided_filter(benchmark, implementation, kind, subsample, megapixels):
    guide = photo(megapixels)
    if kind == "gray":
        guide = cv2.cvtColor(guide, cv2.COLOR_RGB2GRAY)
    source = mask(megapixels).astype(np.float32) / 255
    out = np.empty_like(source)
    eps = 1e-4
    calls = {
        "alphacut": lambda: alphacut.guided_filter(guide, source, 8, eps, subsample=subsample, out=out),
        # its guide is not scaled: variances are 255² times as large
        "cv2": lambda: cv2.ximgproc.guidedFilter(guide, source, 8, eps * 255**2, scale=1 / subsample),
        "copy": lambda: np.copyto(out, source),
    }
    inner = np.s_[32:-32, 32:-32]  # the borders differ
    exact = alphacut.guided_filter(guide, source, 8, eps)
    ours, theirs = (abs(calls[name]() - exact)[inner] for name in ("alphacut", "cv2"))
    if subsample == 1:
        assert theirs.max() < 5e-3
    else:  # two approximations
        assert ours.mean() < 1.2 * theirs.mean()
    time_one(benchmark, f"guided-{kind}-{subsample}-{megapixels}MP", implementation, calls)


def cv2_trimap(plane, band):
    binary = (plane > 0).view(np.uint8)
    inside = cv2.distanceTransform(binary, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform(1 - binary, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.where(np.maximum(inside, outside) <= band, np.uint8(128), plane)


@pytest.mark.parametrize("megapixels", [1, 12])
@pytest.mark.parametrize("implementation", ["alphacut", "cv2", "copy"])
def bench_make_trimap(benchmark, implementation, megapixels):
    plane = cv2.medianBlur(mask(megapixels), 31)
    out = np.empty_like(plane)
    calls = {
        "alphacut": lambda: alphacut.make_trimap(plane, band=10, out=out),
        "cv2": lambda: cv2_trimap(plane, 10),
        "copy": lambda: np.copyto(out, plane),
    }
    assert np.mean(calls["alphacut"]() != calls["cv2"]()) < 1e-3  # lonely parts are kept
    time_one(benchmark, f"trimap-{megapixels}MP", implementation, calls)


@pytest.fixture(scope="module")
def composed():
    """Picture, true alpha and trimap of a soft disc, 0.5 megapixels."""
    height, width = 612, 816
    front = cv2.resize(photo(1, 0), (width, height), interpolation=cv2.INTER_AREA)
    back = cv2.resize(photo(1, 1), (width, height), interpolation=cv2.INTER_AREA)[::-1]
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - height / 2, x - width / 2) - height / 3
    alpha = np.clip(0.5 - distance / 16, 0, 1)[..., None]
    image = np.rint(alpha * front + (1 - alpha) * back).astype(np.uint8)
    trimap = np.where(abs(distance) < 12, 128, np.where(distance < 0, 255, 0)).astype(np.uint8)
    return image, alpha[..., 0], trimap


@pytest.mark.parametrize("implementation", [*METHODS, "pymatting"])
def bench_refine_alpha(benchmark, implementation, composed):
    image, alpha, trimap = composed
    calls = {method: lambda m=method: alphacut.refine_alpha(image, trimap, method=m) / 255 for method in METHODS}
    if implementation == "pymatting":
        pymatting = pytest.importorskip("pymatting")
        calls["pymatting"] = lambda: pymatting.estimate_alpha_cf(image / 255, trimap / 255)
    unknown = trimap == 128
    error = ((calls[implementation]() - alpha)[unknown] ** 2).mean()
    assert error < 0.05
    benchmark.extra_info["mean squared error"] = error
    time_one(benchmark, "alpha-0.5MP", implementation, calls, rounds=3)
