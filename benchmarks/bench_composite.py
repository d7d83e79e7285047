import cv2
import numpy as np
import pytest
from PIL import Image

from alphacut.composite import blurred_background, composite, premultiply

from .pictures import photo


def scene(megapixels):
    """A foreground, a background and a matte: a soft disc on a third of the picture."""
    front, back = photo(megapixels), photo(megapixels, seed=1)
    height, width = front.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    alpha = ((0.7 - np.hypot(x, y)) * 10 + 0.5).clip(0, 1) * 255
    return front, alpha.astype(np.uint8), back


def numpy_blend(front, alpha, back):
    weight = alpha[..., None].astype(np.float32) / 255
    return (front * weight + back * (1 - weight) + 0.5).astype(np.uint8)


def jobs(front, alpha, back):
    """By job: the tolerance in levels, and what each implementation runs."""
    rgba, opaque = np.dstack([front, alpha]), np.dstack([back, np.full_like(alpha, 255)])
    over, cut = np.empty_like(front), np.empty_like(rgba)
    images = [Image.fromarray(x) for x in (front, back, alpha)]
    layers = [Image.fromarray(x) for x in (opaque, rgba)]
    planes = [np.ascontiguousarray(front[..., c]) for c in range(3)]
    weights = [alpha.astype(np.float32) / 255, 1 - alpha.astype(np.float32) / 255]
    sigma = 0.01 * max(alpha.shape)

    def normalised_gaussian():
        weight = weights[1]
        total = cv2.GaussianBlur(weight, (0, 0), sigma)
        colours = cv2.GaussianBlur(front * weight[..., None], (0, 0), sigma)
        return colours / np.maximum(total, 1e-6)[..., None]

    return {
        "over": (
            1,
            {
                "alphacut": lambda: composite(front, alpha, back, out=over),
                "numpy": lambda: numpy_blend(front, alpha, back),
                "pillow": lambda: Image.composite(*images),
                "pillow-alpha_composite": lambda: Image.alpha_composite(*layers).convert("RGB"),
                "cv2": lambda: cv2.blendLinear(front, back, *weights),  # its weights are made beforehand
                "copy": lambda: np.copyto(over, front),
            },
        ),
        "over_colour": (
            1,
            {
                "alphacut": lambda: composite(front, alpha, (51, 102, 153), out=over),
                "numpy": lambda: numpy_blend(front, alpha, np.uint8([51, 102, 153])),
                "copy": lambda: np.copyto(over, front),
            },
        ),
        "rgba": (
            0,
            {
                "alphacut": lambda: composite(front, alpha, out=cut),
                "numpy": lambda: np.dstack([front, alpha]),
                "cv2": lambda: cv2.merge([*planes, alpha], cut),  # its planes are made beforehand
                "copy": lambda: np.copyto(cut, rgba),
            },
        ),
        "premultiply": (
            1,
            {
                "alphacut": lambda: premultiply(rgba, out=cut),
                "cv2": lambda: cv2.cvtColor(rgba, cv2.COLOR_RGBA2mRGBA),
                "copy": lambda: np.copyto(cut, rgba),
            },
        ),
        "linear": (
            None,
            {
                "alphacut": lambda: composite(front, alpha, back, linear=True, out=over),
                "copy": lambda: np.copyto(over, front),
            },
        ),
        "blurred_background": (
            None,  # the Gaussian's own: compared below
            {
                "alphacut": lambda: blurred_background(front, alpha, sigma, out=over),
                "cv2": normalised_gaussian,
            },
        ),
    }


IMPLEMENTATIONS = {
    "over": ["alphacut", "numpy", "pillow", "pillow-alpha_composite", "cv2", "copy"],
    "over_colour": ["alphacut", "numpy", "copy"],
    "rgba": ["alphacut", "numpy", "cv2", "copy"],
    "premultiply": ["alphacut", "cv2", "copy"],
    "linear": ["alphacut", "copy"],
    "blurred_background": ["alphacut", "cv2"],
}


@pytest.mark.parametrize("megapixels", [0.3, 1, 12])
@pytest.mark.parametrize(
    ("job", "implementation"), [(job, name) for job in IMPLEMENTATIONS for name in IMPLEMENTATIONS[job]]
)
def bench_composite(benchmark, job, implementation, megapixels):
    front, alpha, back = scene(megapixels)
    tolerance, calls = jobs(front, alpha, back)[job]
    ours = np.array(calls["alphacut"](), np.float32)
    theirs = np.array(calls[implementation](), np.float32) if implementation != "copy" else ours
    if job == "blurred_background":
        near = cv2.GaussianBlur((alpha < 255).astype(np.float32), (0, 0), 0.01 * max(alpha.shape)) > 0.05
        assert np.abs(ours - theirs)[near].mean() < 1.5
    elif tolerance is not None:
        assert np.abs(ours - theirs).max() <= tolerance
    benchmark.group = f"composite-{job}-{megapixels}MP"
    benchmark.extra_info["implementation"] = implementation
    benchmark(calls[implementation])
