"""Morphology of pictures and masks against OpenCV and scikit-image with the same footprints."""

import cv2
import numpy as np
import skimage.morphology

import alphacut

from .pictures import gray, mask, photo
from .race import race

JOBS = {
    **{f"erode-box{radius}": ("erode", radius, "box") for radius in (1, 2, 5, 15, 50)},
    **{f"erode-disc{radius}": ("erode", radius, "disc") for radius in (1, 2, 5, 10, 20)},
    "dilate-box15": ("dilate", 15, "box"),
    "open-disc5": ("open", 5, "disc"),
    "close-disc20": ("close", 20, "disc"),
}
CV2 = {"erode": cv2.MORPH_ERODE, "dilate": cv2.MORPH_DILATE, "open": cv2.MORPH_OPEN, "close": cv2.MORPH_CLOSE}


def footprint(radius, shape):
    if shape == "disc":
        return skimage.morphology.disk(radius)
    return np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)


@race("morphology", JOBS, {"gray": gray, "colour": photo}, ["alphacut", "cv2", "copy"])
def bench_morphology(image, operation, radius, shape):
    out, kernel = np.empty_like(image), footprint(radius, shape)
    return np.testing.assert_array_equal, {
        "alphacut": lambda: alphacut.morphology(image, operation, radius=radius, shape=shape, out=out),
        "cv2": lambda: cv2.morphologyEx(image, CV2[operation], kernel, dst=out),
        "copy": lambda: np.copyto(out, image),
    }


SHAPES = {
    "erode-box4": np.ones((4, 4), np.uint8),
    "erode-box40": np.ones((40, 40), np.uint8),
    "erode-wedge15": np.tri(15, dtype=np.uint8),
    "erode-ring31": np.pad(np.zeros((27, 27), np.uint8), 2, constant_values=1),
}


@race("morphology", {name: (name,) for name in SHAPES}, {"gray": gray}, ["alphacut", "cv2"], sizes=(0.3, 1, 12))
def bench_any_footprint(image, name):
    out, kernel = np.empty_like(image), SHAPES[name]
    return np.testing.assert_array_equal, {
        "alphacut": lambda: alphacut.morphology(image, "erode", footprint=kernel, out=out),
        "cv2": lambda: cv2.erode(image, kernel, dst=out),
    }


@race("morphology", {"domes": (20,)}, {"gray": gray}, ["alphacut", "skimage"], sizes=(0.3, 1))
def bench_reconstruct(image, height):
    seed = np.maximum(image, height) - np.uint8(height)
    return np.testing.assert_array_equal, {
        "alphacut": lambda: alphacut.reconstruct(seed, image),
        "skimage": lambda: skimage.morphology.reconstruction(seed, image),
    }


@race(
    "morphology", {"mask-disc5": (5,), "mask-disc60": (60,)}, {"": mask}, ["alphacut", "cv2", "skimage"], sizes=(0.3, 1)
)
def bench_mask(mask, radius):
    inside, kernel = mask > 0, footprint(radius, "disc")

    def agree(ours, theirs):
        assert np.array_equal(ours, theirs.astype(bool))

    return agree, {
        "alphacut": lambda: alphacut.morphology(inside, "dilate", radius=radius),
        "cv2": lambda: cv2.dilate(mask, kernel),
        "skimage": lambda: skimage.morphology.isotropic_dilation(inside, radius),
    }
