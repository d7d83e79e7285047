"""Thresholds against OpenCV and scikit-image, with a copy of the picture as the lower bound."""

import cv2
import numpy as np
import pytest
import skimage.filters

import alphacut

from .pictures import photo

sizes = pytest.mark.parametrize("megapixels", [0.3, 1, 12])


def implementations(*names):
    return pytest.mark.parametrize("implementation", ["alphacut", *names])


def gray_photo(megapixels):
    return cv2.cvtColor(photo(megapixels), cv2.COLOR_RGB2GRAY)


def race(benchmark, job, megapixels, implementation, calls, agree=0.0):
    """Checks that all answers agree but for a share of the pixels, then times one of them."""
    answers = [np.array(call()) for name, call in calls.items() if name != "copy"]
    for answer in answers[1:]:
        assert np.mean(answer != answers[0]) <= agree
    benchmark.group = f"threshold-{job}-{megapixels}MP"
    benchmark.extra_info["implementation"] = implementation
    benchmark(calls[implementation])


@sizes
@implementations("cv2", "copy")
def bench_fixed(benchmark, megapixels, implementation):
    gray = gray_photo(megapixels)
    out = np.empty_like(gray)
    calls = {
        "alphacut": lambda: alphacut.threshold(gray, 127, out=out),
        "cv2": lambda: cv2.threshold(gray, 127, 255, cv2.THRESH_BINARY, dst=out)[1],
        "copy": lambda: np.copyto(out, gray),
    }
    race(benchmark, "fixed", megapixels, implementation, calls)


@sizes
@implementations("cv2", "copy")
@pytest.mark.parametrize("content", ["photo", "noise", "flat"])
def bench_otsu(benchmark, content, megapixels, implementation):
    gray = gray_photo(megapixels)
    if content == "noise":  # the worst case of a histogram of pairs
        gray = np.random.default_rng(0).integers(0, 256, gray.shape, dtype=np.uint8)
    elif content == "flat":  # the worst case of a histogram of bytes
        gray = np.full_like(gray, 7)
    out = np.empty_like(gray)
    calls = {
        "alphacut": lambda: alphacut.threshold(gray, "otsu", out=out),
        "cv2": lambda: cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU, dst=out)[1],
        "copy": lambda: np.copyto(out, gray),
    }
    job = "otsu" if content == "photo" else f"otsu_{content}"
    race(benchmark, job, megapixels, implementation, calls)


@sizes
@implementations("cv2")
def bench_otsu_colour(benchmark, megapixels, implementation):
    image = photo(megapixels)
    gray, out = np.empty(image.shape[:2], np.uint8), np.empty(image.shape[:2], np.uint8)
    calls = {
        "alphacut": lambda: alphacut.threshold(image, "otsu", out=out),
        "cv2": lambda: cv2.threshold(
            cv2.cvtColor(image, cv2.COLOR_RGB2GRAY, dst=gray), 0, 255, cv2.THRESH_OTSU, dst=out
        )[1],
    }
    race(benchmark, "otsu_colour", megapixels, implementation, calls)


@sizes
@implementations("cv2", "copy")
@pytest.mark.parametrize("method", ["mean", "gaussian"])
def bench_adaptive(benchmark, method, megapixels, implementation):
    flag = {"mean": cv2.ADAPTIVE_THRESH_MEAN_C, "gaussian": cv2.ADAPTIVE_THRESH_GAUSSIAN_C}[method]
    gray = gray_photo(megapixels)
    out = np.empty_like(gray)
    calls = {
        "alphacut": lambda: alphacut.adaptive_threshold(gray, 51, method=method, offset=2, out=out),
        "cv2": lambda: cv2.adaptiveThreshold(gray, 255, flag, cv2.THRESH_BINARY, 51, 2, dst=out),
        "copy": lambda: np.copyto(out, gray),
    }
    # A Gaussian mean within rounding of a half may fall to either side.
    agree = 0 if method == "mean" else 1e-4
    race(benchmark, f"adaptive_{method}", megapixels, implementation, calls, agree)


@sizes
@implementations("skimage")
def bench_sauvola(benchmark, megapixels, implementation):
    gray = gray_photo(megapixels)
    calls = {
        "alphacut": lambda: alphacut.adaptive_threshold(gray, 25, method="sauvola"),
        "skimage": lambda: np.where(
            gray > skimage.filters.threshold_sauvola(gray, 25, 0.2, 128), np.uint8(255), np.uint8(0)
        ),
    }
    border = 4 * 12 * sum(gray.shape) / gray.size  # where skimage mirrors and alphacut replicates
    race(benchmark, "sauvola", megapixels, implementation, calls, agree=border)


@sizes
@implementations("skimage")
def bench_multi_otsu(benchmark, megapixels, implementation):
    gray = gray_photo(megapixels)
    calls = {
        "alphacut": lambda: alphacut.find_threshold(gray, classes=4),
        "skimage": lambda: skimage.filters.threshold_multiotsu(gray, 4),
    }
    race(benchmark, "multi_otsu", megapixels, implementation, calls)
