"""Compositing against Pillow, OpenCV and NumPy."""

import cv2
import numpy as np
from PIL import Image

from alphacut import Shadow, cast_shadow
from alphacut.compositing import blurred_background, composite, premultiply
from reference import composite as reference

from .pictures import gray_noise, noise, photo
from .race import race


def scene(megapixels):
    """A foreground, a background and a matte: a soft disc on a third of the picture."""
    front, back = photo(megapixels), photo(megapixels, seed=1)
    height, width = front.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    alpha = ((0.7 - np.hypot(x, y)) * 10 + 0.5).clip(0, 1) * 255
    return front, alpha.astype(np.uint8), back


def noise_scene(megapixels):
    return noise(megapixels), gray_noise(megapixels), noise(megapixels, seed=1)


SCENES = {"": scene, "noise": noise_scene}


def within(levels):
    def agree(ours, theirs):
        assert np.abs(ours - np.array(theirs, np.int16)).max() <= levels

    return agree


def numpy_blend(front, alpha, back):
    weight = alpha[..., None].astype(np.float32) / 255
    return (front * weight + back * (1 - weight) + 0.5).astype(np.uint8)


@race("composite", {"over": ()}, SCENES, ["alphacut", "numpy", "pillow", "pillow-alpha_composite", "cv2", "copy"])
def bench_over(scene):
    front, alpha, back = scene
    out = np.empty_like(front)
    images = [Image.fromarray(x) for x in (front, back, alpha)]
    layers = [Image.fromarray(np.dstack(x)) for x in ((back, np.full_like(alpha, 255)), (front, alpha))]
    weights = [alpha.astype(np.float32) / 255, 1 - alpha.astype(np.float32) / 255]
    return within(1), {
        "alphacut": lambda: composite(front, alpha, back, out=out),
        "numpy": lambda: numpy_blend(front, alpha, back),
        "pillow": lambda: Image.composite(*images),
        "pillow-alpha_composite": lambda: Image.alpha_composite(*layers).convert("RGB"),
        "cv2": lambda: cv2.blendLinear(front, back, *weights),  # its weights are made beforehand
        "copy": lambda: np.copyto(out, front),
    }


@race("composite", {"over_colour": ()}, SCENES, ["alphacut", "numpy", "copy"])
def bench_over_colour(scene):
    front, alpha, _ = scene
    out = np.empty_like(front)
    return within(1), {
        "alphacut": lambda: composite(front, alpha, (51, 102, 153), out=out),
        "numpy": lambda: numpy_blend(front, alpha, np.uint8([51, 102, 153])),
        "copy": lambda: np.copyto(out, front),
    }


@race("composite", {"rgba": ()}, {"": scene}, ["alphacut", "numpy", "cv2", "copy"])
def bench_rgba(scene):
    front, alpha, _ = scene
    rgba = np.dstack([front, alpha])
    out = np.empty_like(rgba)
    planes = [np.ascontiguousarray(front[..., c]) for c in range(3)]
    return within(0), {
        "alphacut": lambda: composite(front, alpha, out=out),
        "numpy": lambda: np.dstack([front, alpha]),
        "cv2": lambda: cv2.merge([*planes, alpha], out),  # its planes are made beforehand
        "copy": lambda: np.copyto(out, rgba),
    }


@race("composite", {"premultiply": ()}, {"": scene}, ["alphacut", "cv2", "copy"])
def bench_premultiply(scene):
    rgba = np.dstack(scene[:2])
    out = np.empty_like(rgba)
    return within(1), {
        "alphacut": lambda: premultiply(rgba, out=out),
        "cv2": lambda: cv2.cvtColor(rgba, cv2.COLOR_RGBA2mRGBA),
        "copy": lambda: np.copyto(out, rgba),
    }


@race("composite", {"linear": ()}, SCENES, ["alphacut", "numpy", "copy"], skip={"numpy": (100, "too much memory")})
def bench_linear(scene):
    front, alpha, back = scene
    out = np.empty_like(front)
    return within(1), {
        "alphacut": lambda: composite(front, alpha, back, linear=True, out=out),
        "numpy": lambda: np.rint(reference.blend_linear(front, alpha, back, 255)),
        "copy": lambda: np.copyto(out, front),
    }


@race("composite", {"cast_shadow": ()}, {"": scene}, ["alphacut", "cv2"])
def bench_cast_shadow(scene):
    _, alpha, _ = scene
    out = np.empty_like(alpha)
    sigma = 0.01 * max(alpha.shape)
    shift = np.float32([[1, 0, 40], [0, 1, 60]])

    def moved_gaussian():
        moved = cv2.warpAffine(
            alpha, shift, alpha.shape[::-1], flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
        )
        return cv2.convertScaleAbs(cv2.GaussianBlur(moved, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), alpha=0.5)

    def agree(ours, theirs):
        """Three boxes instead of a Gaussian, and another border: some levels."""
        assert np.abs(ours.astype(int) - theirs).mean() < 1

    shadow = Shadow("drop", (40, 60), sigma, 0.5)
    return agree, {"alphacut": lambda: cast_shadow(alpha, shadow, out=out), "cv2": moved_gaussian}


@race("composite", {"blurred_background": ()}, {"": scene}, ["alphacut", "cv2"], skip={"cv2": (100, "takes minutes")})
def bench_blurred_background(scene):
    front, alpha, _ = scene
    out = np.empty_like(front)
    weight = 1 - alpha.astype(np.float32) / 255
    sigma = 0.01 * max(alpha.shape)

    def normalised_gaussian():
        total = cv2.GaussianBlur(weight, (0, 0), sigma)
        colours = cv2.GaussianBlur(front * weight[..., None], (0, 0), sigma)
        return colours / np.maximum(total, 1e-6)[..., None]

    def agree(ours, theirs):
        """Three boxes instead of a Gaussian: some levels, where there is any background near."""
        near = cv2.GaussianBlur((alpha < 255).astype(np.float32), (0, 0), sigma) > 0.05
        assert np.abs(ours - theirs)[near].mean() < 1.5

    return agree, {
        "alphacut": lambda: blurred_background(front, alpha, sigma, out=out),
        "cv2": normalised_gaussian,
    }
