import cv2
import numpy as np
import pytest

import alphacut

from .pictures import photo


def options(image):
    copy = np.empty_like(image)
    return {
        "median3": {
            "alphacut": lambda: alphacut.denoise(image, out=copy),
            "cv2": lambda: cv2.medianBlur(image, 3, dst=copy),
        },
        "median5": {
            "alphacut": lambda: alphacut.denoise(image, size=5, out=copy),
            "cv2": lambda: cv2.medianBlur(image, 5, dst=copy),
        },
        "bilateral5": {
            "alphacut": lambda: alphacut.denoise(image, "bilateral", size=5, out=copy),
            "cv2": lambda: cv2.bilateralFilter(image, 5, 25.5, 2.5, dst=copy, borderType=cv2.BORDER_REPLICATE),
        },
        "area300": {
            "alphacut": lambda: alphacut.resize(image, (225, 300)),
            "cv2": lambda: cv2.resize(image, (300, 225), interpolation=cv2.INTER_AREA),
        },
        "bilinear-double": {
            "alphacut": lambda: alphacut.resize(image, (2 * image.shape[0], 2 * image.shape[1]), method="bilinear"),
            "cv2": lambda: cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR),
        },
        "gray_world": {
            "alphacut": lambda: alphacut.white_balance(image, out=copy),
            "copy": lambda: np.copyto(copy, image),
        },
    }


@pytest.mark.parametrize("megapixels", [1, 4])
@pytest.mark.parametrize("implementation", ["alphacut", "cv2", "copy"])
@pytest.mark.parametrize("job", ["median3", "median5", "bilateral5", "area300", "bilinear-double", "gray_world"])
def bench_preprocess(benchmark, job, implementation, megapixels):
    image = photo(megapixels)
    calls = options(image)[job]
    if implementation not in calls:
        pytest.skip("no such implementation of this job")
    benchmark.group = f"preprocess-{job}-{megapixels}MP"
    if "cv2" in calls:
        ours, peers = calls["alphacut"]().copy(), calls["cv2"]()
        assert np.abs(ours.astype(np.int16) - peers).max() <= (0 if job.startswith("median") else 1)
    benchmark.pedantic(calls[implementation], rounds=5, warmup_rounds=1)
