"""Thresholds against OpenCV and scikit-image, with a copy of the picture as the lower bound."""

import cv2
import numpy as np
import pytest
import skimage.filters

import alphacut

from .pictures import photo

SIZES = [1, 12]


@pytest.fixture(params=SIZES, ids=lambda mp: f"{mp}MP")
def gray(request):
    result = cv2.cvtColor(photo(request.param), cv2.COLOR_RGB2GRAY)
    result.flags.writeable = False
    return result


def race(benchmark, job, gray, implementation, calls, agree=0.0):
    """Checks that all answers agree but for a share of the pixels, then times one of them."""
    answers = [np.array(call(gray)) for name, call in calls.items() if name != "copy"]
    for answer in answers[1:]:
        assert np.mean(answer != answers[0]) <= agree
    benchmark.group = f"threshold-{job}-{round(gray.size / 1e6)}MP"
    benchmark.pedantic(calls[implementation], (gray,), rounds=9, warmup_rounds=1)


@pytest.mark.parametrize("implementation", ["alphacut", "cv2", "copy"])
def bench_fixed(benchmark, gray, implementation):
    out = np.empty_like(gray)
    calls = {
        "alphacut": lambda g: alphacut.threshold(g, 127, out=out),
        "cv2": lambda g: cv2.threshold(g, 127, 255, cv2.THRESH_BINARY, dst=out)[1],
        "copy": lambda g: np.copyto(out, g),
    }
    race(benchmark, "fixed", gray, implementation, calls)


@pytest.mark.parametrize("implementation", ["alphacut", "cv2", "copy"])
def bench_otsu(benchmark, gray, implementation):
    out = np.empty_like(gray)
    calls = {
        "alphacut": lambda g: alphacut.threshold(g, "otsu"),
        "cv2": lambda g: cv2.threshold(g, 0, 255, cv2.THRESH_OTSU)[1],
        "copy": lambda g: np.copyto(out, g),
    }
    race(benchmark, "otsu", gray, implementation, calls)


@pytest.mark.parametrize("implementation", ["alphacut", "cv2", "copy"])
@pytest.mark.parametrize("method", ["mean", "gaussian"])
def bench_adaptive(benchmark, gray, method, implementation):
    flag = {"mean": cv2.ADAPTIVE_THRESH_MEAN_C, "gaussian": cv2.ADAPTIVE_THRESH_GAUSSIAN_C}[method]
    out = np.empty_like(gray)
    calls = {
        "alphacut": lambda g: alphacut.adaptive_threshold(g, 51, method=method, offset=2),
        "cv2": lambda g: cv2.adaptiveThreshold(g, 255, flag, cv2.THRESH_BINARY, 51, 2),
        "copy": lambda g: np.copyto(out, g),
    }
    # A Gaussian mean within rounding of a half may fall to either side.
    race(benchmark, f"adaptive_{method}", gray, implementation, calls, agree=0 if method == "mean" else 1e-4)


@pytest.mark.parametrize("implementation", ["alphacut", "skimage"])
def bench_sauvola(benchmark, implementation):
    gray = cv2.cvtColor(photo(1), cv2.COLOR_RGB2GRAY)
    calls = {
        "alphacut": lambda g: alphacut.adaptive_threshold(g, 25, method="sauvola"),
        "skimage": lambda g: np.where(
            g > skimage.filters.threshold_sauvola(g, 25, 0.2, 128), np.uint8(255), np.uint8(0)
        ),
    }
    border = 4 * 12 * sum(gray.shape) / gray.size  # where skimage mirrors and alphacut replicates
    race(benchmark, "sauvola", gray, implementation, calls, agree=border)


@pytest.mark.parametrize("implementation", ["alphacut", "skimage"])
def bench_multi_otsu(benchmark, implementation):
    gray = cv2.cvtColor(photo(1), cv2.COLOR_RGB2GRAY)
    calls = {
        "alphacut": lambda g: alphacut.find_threshold(g, classes=4),
        "skimage": lambda g: skimage.filters.threshold_multiotsu(g, 4),
    }
    race(benchmark, "multi_otsu", gray, implementation, calls)
