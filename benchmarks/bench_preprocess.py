"""Filters and sizes against OpenCV, white balance against NumPy."""

import cv2
import numpy as np
import skimage.color
import skimage.filters
from PIL import Image

import alphacut
from reference import preprocess as reference

from .pictures import photo
from .race import race


def within(levels):
    def agree(ours, theirs):
        assert np.abs(ours - theirs.astype(np.int16)).max() <= levels

    return agree


@race(
    "preprocess",
    {"median3": (3,), "median5": (5,), "median9": (9,), "median31": (31,)},
    {"": photo},
    ["alphacut", "cv2", "copy"],
)
def bench_median(image, side):
    out = np.empty_like(image)
    return within(0), {
        "alphacut": lambda: alphacut.denoise(image, size=side, out=out),
        "cv2": lambda: cv2.medianBlur(image, side, dst=out),
        "copy": lambda: np.copyto(out, image),
    }


@race("preprocess", {"bilateral5": ()}, {"": photo}, ["alphacut", "cv2", "copy"])
def bench_bilateral(image):
    out = np.empty_like(image)
    return within(1), {
        "alphacut": lambda: alphacut.denoise(image, "bilateral", size=5, out=out),
        "cv2": lambda: cv2.bilateralFilter(image, 5, 25.5, 2.5, dst=out, borderType=cv2.BORDER_REPLICATE),
        "copy": lambda: np.copyto(out, image),
    }


SIGMAS = {f"gaussian{sigma}": (sigma,) for sigma in (1, 2, 3, 8, 15)}


@race("preprocess", SIGMAS, {"": photo}, ["alphacut", "cv2", "skimage", "copy"])
def bench_gaussian(image, sigma):
    """All with windows of 4 sigma. OpenCV's weights of uint8 are in 1/256 steps."""
    out, side = np.empty_like(image), 8 * sigma + 1

    def agree(ours, theirs):
        exact = skimage.filters.gaussian(image.astype(float), sigma, channel_axis=2)
        assert np.abs(ours - exact).max() < 0.75
        within(2)(ours, theirs.astype(float))

    return agree, {
        "alphacut": lambda: alphacut.gaussian_blur(image, sigma, out=out),
        "cv2": lambda: cv2.GaussianBlur(image, (side, side), sigma, dst=out, borderType=cv2.BORDER_REPLICATE),
        "skimage": lambda: skimage.filters.gaussian(image, sigma, channel_axis=2, preserve_range=True),
        "copy": lambda: np.copyto(out, image),
    }


@race("preprocess", {"unsharp": ()}, {"": photo}, ["alphacut", "skimage"])
def bench_unsharp(image):
    def agree(ours, theirs):
        assert np.abs(ours - 255 * theirs).max() < 1

    return agree, {
        "alphacut": lambda: alphacut.unsharp_mask(image, sigma=2, mode="reflect"),
        "skimage": lambda: skimage.filters.unsharp_mask(image, 2, channel_axis=2),
    }


SIZES = {
    "area300": (lambda height, width: (225, 300), "area", cv2.INTER_AREA),
    "nearest-double": (lambda height, width: (2 * height, 2 * width), "nearest", cv2.INTER_NEAREST_EXACT),
    "bilinear-double": (lambda height, width: (2 * height, 2 * width), "bilinear", cv2.INTER_LINEAR),
}


@race("preprocess", SIZES, {"": photo}, ["alphacut", "cv2"])
def bench_resize(image, size, method, flag):
    height, width = size(*image.shape[:2])
    out = np.empty((height, width, 3), np.uint8)
    return within(1), {
        "alphacut": lambda: alphacut.resize(image, (height, width), method=method, out=out),
        "cv2": lambda: cv2.resize(image, (width, height), dst=out, interpolation=flag),
    }


@race("preprocess", {"gray_world": ()}, {"": photo}, ["alphacut", "numpy", "copy"])
def bench_gray_world(image):
    out = np.empty_like(image)
    return within(1), {
        "alphacut": lambda: alphacut.white_balance(image, out=out),
        "numpy": lambda: np.clip(reference.gray_world(image), 0, 255),
        "copy": lambda: np.copyto(out, image),
    }


@race("preprocess", {"bicubic-half": ("bicubic",), "lanczos-half": ("lanczos",)}, {"": photo}, ["alphacut", "pillow"])
def bench_filters(image, method):
    """OpenCV has no such filter that does not alias. Pillow rounds between rows and columns, but not floats."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    out, picture = np.empty((height, width, 3), np.uint8), Image.fromarray(image)
    filtering = getattr(Image.Resampling, method.upper())

    def agree(ours, theirs):
        for channel in range(3):
            exact = Image.fromarray(image[..., channel].astype(np.float32)).resize((width, height), filtering)
            within(1)(ours[..., channel], np.clip(np.rint(exact), 0, 255))

    return agree, {
        "alphacut": lambda: alphacut.resize(image, (height, width), method=method, out=out),
        "pillow": lambda: np.asarray(picture.resize((width, height), filtering)),
    }


@race("preprocess", {"lab": ()}, {"": photo}, ["alphacut", "cv2"])
def bench_lab(image):
    """OpenCV wants floats: 8 bits give it 8 bits."""
    unit = image / np.float32(255)

    def agree(ours, theirs):
        """OpenCV goes by tables, up to 0.45 away."""
        assert np.abs(ours - skimage.color.rgb2lab(image)).max() < 0.01

    return agree, {"alphacut": lambda: alphacut.rgb_to_lab(image), "cv2": lambda: cv2.cvtColor(unit, cv2.COLOR_RGB2LAB)}
