"""Thresholds against OpenCV and scikit-image."""

import cv2
import numpy as np
import skimage.filters

import alphacut

from .pictures import gray, gray_noise, noise, photo
from .race import race

PICTURES = {"": gray, "noise": gray_noise}
# the worst cases of a histogram of pairs and of one of bytes
HISTOGRAMS = {**PICTURES, "flat": lambda megapixels: np.full_like(gray(megapixels), 7)}


def differ(share):
    """The answers may differ in this share of the pixels."""

    def agree(ours, theirs):
        assert np.mean(ours != np.array(theirs)) <= share

    return agree


@race("threshold", {"fixed": ()}, PICTURES, ["alphacut", "cv2", "copy"])
def bench_fixed(gray):
    out = np.empty_like(gray)
    return differ(0), {
        "alphacut": lambda: alphacut.threshold(gray, 127, out=out),
        "cv2": lambda: cv2.threshold(gray, 127, 255, cv2.THRESH_BINARY, dst=out)[1],
        "copy": lambda: np.copyto(out, gray),
    }


@race("threshold", {"otsu": ()}, HISTOGRAMS, ["alphacut", "cv2", "copy"])
def bench_otsu(gray):
    out = np.empty_like(gray)
    return differ(0), {
        "alphacut": lambda: alphacut.threshold(gray, "otsu", out=out),
        "cv2": lambda: cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU, dst=out)[1],
        "copy": lambda: np.copyto(out, gray),
    }


@race("threshold", {"otsu_colour": ()}, {"": photo, "noise": noise}, ["alphacut", "cv2"])
def bench_otsu_colour(image):
    gray, out = np.empty(image.shape[:2], np.uint8), np.empty(image.shape[:2], np.uint8)
    return differ(0), {
        "alphacut": lambda: alphacut.threshold(image, "otsu", out=out),
        "cv2": lambda: cv2.threshold(
            cv2.cvtColor(image, cv2.COLOR_RGB2GRAY, dst=gray), 0, 255, cv2.THRESH_OTSU, dst=out
        )[1],
    }


# A Gaussian mean within rounding of a half may fall to either side.
METHODS = {
    "adaptive_mean": ("mean", cv2.ADAPTIVE_THRESH_MEAN_C, 0),
    "adaptive_gaussian": ("gaussian", cv2.ADAPTIVE_THRESH_GAUSSIAN_C, 1e-4),
}


@race("threshold", METHODS, PICTURES, ["alphacut", "cv2", "copy"])
def bench_adaptive(gray, method, flag, share):
    out = np.empty_like(gray)
    return differ(share), {
        "alphacut": lambda: alphacut.adaptive_threshold(gray, 51, method=method, offset=2, out=out),
        "cv2": lambda: cv2.adaptiveThreshold(gray, 255, flag, cv2.THRESH_BINARY, 51, 2, dst=out),
        "copy": lambda: np.copyto(out, gray),
    }


@race("threshold", {"sauvola": ()}, PICTURES, ["alphacut", "skimage", "copy"])
def bench_sauvola(gray):
    out = np.empty_like(gray)
    border = 4 * 12 * sum(gray.shape) / gray.size  # where skimage mirrors and alphacut replicates
    return differ(border), {
        "alphacut": lambda: alphacut.adaptive_threshold(gray, 25, method="sauvola", out=out),
        "skimage": lambda: np.where(
            gray > skimage.filters.threshold_sauvola(gray, 25, 0.2, 128), np.uint8(255), np.uint8(0)
        ),
        "copy": lambda: np.copyto(out, gray),
    }


@race("threshold", {"multi_otsu": ()}, PICTURES, ["alphacut", "skimage"])
def bench_multi_otsu(gray):
    return differ(0), {
        "alphacut": lambda: alphacut.find_threshold(gray, classes=4),
        "skimage": lambda: skimage.filters.threshold_multiotsu(gray, 4),
    }


def deep(megapixels):
    """16 bits."""
    picture = gray(megapixels).astype(np.uint16) * np.uint16(257)
    return picture ^ (gray_noise(megapixels) & np.uint8(63)).astype(np.uint16)


@race("threshold", {"otsu_uint16": ()}, {"": deep}, ["alphacut", "cv2", "copy"])
def bench_otsu_uint16(gray):
    out, mask = np.empty_like(gray), np.empty(gray.shape, np.uint8)
    return lambda ours, theirs: differ(0)(ours != 0, theirs != 0), {
        "alphacut": lambda: alphacut.threshold(gray, "otsu", out=mask),
        "cv2": lambda: cv2.threshold(gray, 0, 65535, cv2.THRESH_OTSU, dst=out)[1],
        "copy": lambda: np.copyto(out, gray),
    }


OTHERS = {
    "isodata": (skimage.filters.threshold_isodata,),
    "yen": (skimage.filters.threshold_yen,),
    "minimum": (skimage.filters.threshold_minimum,),
}


@race("threshold", {name: (name, *peer) for name, peer in OTHERS.items()}, {"": gray}, ["alphacut", "skimage"])
def bench_others(gray, method, peer):
    def agree(ours, theirs):
        assert ours == theirs

    return agree, {"alphacut": lambda: alphacut.find_threshold(gray, method), "skimage": lambda: peer(gray)}


@race(
    "threshold",
    {"trunc": ("trunc", cv2.THRESH_TRUNC), "tozero": ("tozero", cv2.THRESH_TOZERO)},
    {"": gray},
    ["alphacut", "cv2"],
)
def bench_modes(gray, mode, flag):
    out = np.empty_like(gray)
    return differ(0), {
        "alphacut": lambda: alphacut.threshold(gray, 127, mode=mode, out=out),
        "cv2": lambda: cv2.threshold(gray, 127, 255, flag, dst=out)[1],
    }


@race("threshold", {"hysteresis": ()}, PICTURES, ["alphacut", "skimage"])
def bench_hysteresis(gray):
    return lambda ours, theirs: differ(0)(ours != 0, theirs), {
        "alphacut": lambda: alphacut.hysteresis_threshold(gray, 100, 180, connectivity=4),
        "skimage": lambda: skimage.filters.apply_hysteresis_threshold(gray, 100, 180),
    }


@race("threshold", {"niblack_limit": ()}, {"": gray}, ["alphacut", "skimage"])
def bench_niblack(gray):
    return lambda ours, theirs: np.testing.assert_allclose(ours, theirs, atol=1e-6), {
        "alphacut": lambda: alphacut.adaptive_limit(gray, 25, method="niblack", mode="mirror"),
        "skimage": lambda: skimage.filters.threshold_niblack(gray, 25),
    }
