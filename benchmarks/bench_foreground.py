"""Foreground colours against pymatting's multi-level method."""

import cv2
import numpy as np
import pytest

import alphacut

from .pictures import mask, photo


@pytest.mark.parametrize("megapixels", [0.3, 1, 12])
@pytest.mark.parametrize("implementation", ["alphacut", "pymatting", "copy"])
def bench_estimate_foreground(benchmark, implementation, megapixels):
    alpha = cv2.blur(cv2.medianBlur(mask(megapixels), 31), (15, 15))
    front, back = photo(megapixels), np.roll(photo(megapixels)[::-1], 200, 1)
    share = alpha[..., None] / np.float32(255)
    image = np.rint(share * front + (1 - share) * back).astype(np.uint8)
    out = np.empty_like(image)
    calls = {
        "alphacut": lambda: alphacut.estimate_foreground(image, alpha, out=out),
        "copy": lambda: np.copyto(out, image),
    }

    def error(result):
        weight = share * ((alpha > 0) & (alpha < 255))[..., None]
        return (weight * (result / np.float32(255) - front / np.float32(255)) ** 2).sum() / weight.sum() / 3

    ours = error(calls["alphacut"]())
    if implementation == "pymatting":
        pymatting = pytest.importorskip("pymatting")
        unit, plane = image / np.float64(255), alpha / np.float64(255)
        calls["pymatting"] = lambda: pymatting.estimate_foreground_ml(unit, plane)
        theirs = error(np.clip(calls["pymatting"](), 0, 1) * 255)
        assert ours < 1.02 * theirs
        benchmark.extra_info["weighted squared error, pymatting"] = float(theirs)
    benchmark.extra_info["weighted squared error"] = float(ours)
    benchmark.group = f"foreground-multilevel-{megapixels}MP"
    benchmark.pedantic(calls[implementation], rounds=3, warmup_rounds=1)
