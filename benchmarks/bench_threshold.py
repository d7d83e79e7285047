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
