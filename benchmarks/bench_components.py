"""Components against OpenCV and cc3d, on a natural mask and on noise."""

import cv2
import numpy as np
import pytest

import alphacut

from . import pictures


@pytest.fixture(params=[0.3, 1, 12], ids=lambda mp: f"{mp}MP")
def megapixels(request):
    return request.param


@pytest.fixture(params=["natural", "noise"])
def kind(request):
    return request.param


@pytest.fixture
def mask(kind, megapixels):
    return {"natural": pictures.mask, "noise": pictures.noise_mask}[kind](megapixels)


# The peer is OpenCV with its default algorithm, but labels are compared with those of CCL_WU: they are in raster order.
def cv2_labels(mask):
    return cv2.connectedComponentsWithAlgorithm(mask, 8, cv2.CV_32S, cv2.CCL_WU)[1]


def cv2_table(mask):
    return cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, cv2.CV_32S, cv2.CCL_WU)[2:]


def time(benchmark, job, kind, megapixels, call, mask):
    benchmark.group = f"components-{job}-{kind}-{megapixels}MP"
    benchmark.pedantic(call, (mask,), rounds=15, warmup_rounds=1)


@pytest.mark.parametrize("implementation", ["alphacut", "cv2", "cc3d", "copy"])
def bench_labels(benchmark, mask, kind, megapixels, implementation):
    cc3d = pytest.importorskip("cc3d")
    mask = mask.copy()  # cc3d refuses read-only arrays
    out = np.empty(mask.shape, np.int32)
    calls = {
        "alphacut": lambda m: alphacut.label_components(m, out=out),
        "cv2": cv2.connectedComponents,
        "cc3d": lambda m: cc3d.connected_components(m, connectivity=8, binary_image=True),
        "copy": lambda m: np.copyto(out, m, casting="unsafe"),
    }
    assert calls["cc3d"](mask).max() == alphacut.label_components(mask)[1]
    assert np.array_equal(alphacut.label_components(mask)[0], cv2_labels(mask))
    time(benchmark, "labels", kind, megapixels, calls[implementation], mask)


@pytest.mark.parametrize("implementation", ["alphacut", "cv2"])
def bench_stats(benchmark, mask, kind, megapixels, implementation):
    calls = {"alphacut": alphacut.component_stats, "cv2": cv2.connectedComponentsWithStats}
    stats, (table, centres) = alphacut.component_stats(mask), cv2_table(mask)
    assert np.array_equal(np.c_[stats.box, stats.area], table[1:])
    assert np.allclose(stats.centroid, centres[1:], rtol=1e-12, atol=0)
    time(benchmark, "stats", kind, megapixels, calls[implementation], mask)


def cv2_keep_largest(mask):
    _, labels, table, _ = cv2.connectedComponentsWithStats(mask)
    return np.where(labels == 1 + np.argmax(table[1:, 4]), np.uint8(255), np.uint8(0))


def cv2_fill_holes(mask):
    """Its contours, filled."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return cv2.drawContours(np.zeros_like(mask), contours, -1, 255, cv2.FILLED)


@pytest.mark.parametrize("implementation", ["alphacut", "cv2"])
@pytest.mark.parametrize("job", ["keep_largest", "fill_holes"])
def bench_filters(benchmark, mask, kind, megapixels, job, implementation):
    calls = {
        "keep_largest": {"alphacut": alphacut.keep_largest, "cv2": cv2_keep_largest},
        "fill_holes": {"alphacut": alphacut.fill_holes, "cv2": cv2_fill_holes},
    }[job]
    assert np.array_equal(calls["alphacut"](mask), calls["cv2"](mask))
    time(benchmark, job, kind, megapixels, calls[implementation], mask)


@pytest.mark.parametrize("implementation", ["alphacut", "cv2"])
def bench_polygons(benchmark, megapixels, implementation):
    mask = pictures.mask(megapixels)
    calls = {
        "alphacut": alphacut.mask_to_polygons,
        "cv2": lambda m: cv2.findContours(m, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)[0],
    }
    # OpenCV's outlines run through pixel centres and are 8-connected: they are not the same, only the job is.
    assert len(calls["alphacut"](mask)) == alphacut.label_components(mask, 4)[1]
    time(benchmark, "polygons", "natural", megapixels, calls[implementation], mask)
