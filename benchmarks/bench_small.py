"""What one call costs on a picture of 64 x 64: the arithmetic takes little of it."""

import cv2
import numpy as np

import alphacut
from alphacut.compositing import composite

from .race import race

SIDE = 64


def pictures(_):
    """Three pictures and a mask."""
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    blobs = cv2.threshold(cv2.GaussianBlur(noise, (0, 0), 3), 127, 255, cv2.THRESH_BINARY)[1]
    return noise, *rng.integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8), blobs


def jobs(gray, front, back, mask):
    """By job: whether the two answers agree, alphacut's call and the peer's."""
    out = np.empty_like(gray)
    weight = gray / np.float32(255)
    rest, guide = 1 - weight, front[..., 0] / np.float32(255)
    samples = front.reshape(-1, 3).astype(np.float32)
    stop = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 10, 1e-3)
    inside = np.s_[16:-16, 16:-16]  # cv2 mirrors the picture at its border
    return {
        "threshold": (
            lambda ours, theirs: np.array_equal(ours, theirs[1]),
            lambda: alphacut.threshold(gray, 127),
            lambda: cv2.threshold(gray, 127, 255, cv2.THRESH_BINARY),
        ),
        "threshold_out": (
            lambda ours, theirs: np.array_equal(ours, theirs[1]),
            lambda: alphacut.threshold(gray, 127, out=out),
            lambda: cv2.threshold(gray, 127, 255, cv2.THRESH_BINARY, dst=out),
        ),
        "otsu": (
            lambda ours, theirs: np.array_equal(ours, theirs[1]),
            lambda: alphacut.threshold(gray, "otsu"),
            lambda: cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU),
        ),
        "composite": (
            lambda ours, theirs: np.abs(ours.astype(int) - theirs).max() <= 1,
            lambda: composite(front, gray, back),
            lambda: cv2.blendLinear(front, back, weight, rest),  # its weights are made beforehand
        ),
        "label_components": (
            lambda ours, theirs: ours[1] + 1 == theirs[0],
            lambda: alphacut.label_components(mask),
            lambda: cv2.connectedComponents(mask),
        ),
        "guided_filter": (
            lambda ours, theirs: np.abs(ours - theirs)[inside].max() < 1e-3,
            lambda: alphacut.guided_filter(guide, weight, 8, 1e-3),
            lambda: cv2.ximgproc.guidedFilter(guide, weight, 8, 1e-3),
        ),
        "kmeans": (
            lambda ours, theirs: ours.inertia < 1.1 * theirs[0],  # from other starts
            lambda: alphacut.kmeans(front, 8, max_iter=10),
            lambda: cv2.kmeans(samples, 8, None, stop, 1, cv2.KMEANS_PP_CENTERS),
        ),
    }


JOBS = {job: (job,) for job in jobs(*pictures(0))}


@race("small", JOBS, {"": pictures}, ["alphacut", "cv2"], sizes=[SIDE * SIDE / 1e6])
def bench_small(inputs, job):
    same, ours, theirs = jobs(*inputs)[job]

    def agree(*answers):
        assert same(*answers)

    return agree, {"alphacut": ours, "cv2": theirs}
