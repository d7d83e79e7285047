"""k-means against OpenCV from the same start: same number of iterations, and no worse."""

import functools

import cv2
import numpy as np

import alphacut

from .pictures import noise, photo
from .race import race

SLOW = {"cv2": (100, "takes minutes")}


def first_labels(points, start):
    parts = np.array_split(points, 100)
    return np.concatenate([((start**2).sum(axis=1) - 2 * part @ start.T).argmin(axis=1) for part in parts])


def problem(image, n_clusters, dtype):
    """Both start from the same centres. OpenCV gets floats and first labels ready-made."""
    image = image if dtype == np.uint8 else image.astype(dtype) / dtype(255)
    out = np.empty(image.shape[:2], np.uint8)
    start = alphacut.kmeans(image, n_clusters, max_iter=1).centers

    @functools.cache
    def prepared():
        points = image.reshape(-1, 3).astype(np.float32)
        return points, first_labels(points, start).astype(np.int32)

    def peer():
        points, labels = prepared()
        stop = (cv2.TERM_CRITERIA_MAX_ITER, 10, 0)
        return cv2.kmeans(points, n_clusters, labels.copy(), stop, 1, cv2.KMEANS_USE_INITIAL_LABELS)

    def agree(ours, theirs):
        assert ours.inertia <= theirs[0] * (1 + 1e-4)

    return agree, {
        "alphacut": lambda: alphacut.kmeans(image, n_clusters, init=start, max_iter=10, tol=0, out=out),
        "cv2": peer,
        "copy": image.copy,
    }


JOB = {"8-clusters": (8, np.uint8)}
MORE = {"32-clusters": (32, np.uint8), "8-clusters-float32": (8, np.float32)}
bench_kmeans = race("kmeans", JOB, {"": photo, "noise": noise}, ["alphacut", "cv2", "copy"], skip=SLOW)(problem)
bench_more = race("kmeans", MORE, {"": photo}, ["alphacut", "cv2", "copy"], sizes=[1])(problem)


@race("kmeans", {"seeded": ()}, {"": photo}, ["alphacut", "cv2"], sizes=[0.3, 1])
def bench_seeded(image):
    """Starting centres and all, as one calls it."""
    points = image.reshape(-1, 3).astype(np.float32)
    stop = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 10, 1e-3)

    def agree(ours, theirs):
        """From other starts."""
        assert ours.inertia < 1.1 * theirs[0]

    return agree, {
        "alphacut": lambda: alphacut.kmeans(image, 8, max_iter=10),
        "cv2": lambda: cv2.kmeans(points, 8, None, stop, 1, cv2.KMEANS_PP_CENTERS),
    }


@race(
    "kmeans",
    {"devices": ()},
    {"": photo},
    ["alphacut", "cuda"],
    sizes=[0.1, 1, 12],
    skip={} if alphacut.info()["cuda"]["reason"] is None else {"cuda": (0, "no usable GPU")},
)
def bench_devices(image):
    """The crossover of "auto", transfers included."""

    def agree(ours, theirs):
        assert np.array_equal(ours.labels, theirs.labels)

    return agree, {
        "alphacut": lambda: alphacut.kmeans(image, 8, device="cpu"),
        "cuda": lambda: alphacut.kmeans(image, 8, device="cuda"),
    }


def weighted_points(megapixels, dimensions=8):
    """Points of several dimensions: each 8 of the numbers of a photograph, as float32."""
    numbers = photo(megapixels, seed=1).reshape(-1).astype(np.float32)
    return numbers[: numbers.size // dimensions * dimensions].reshape(-1, dimensions)


@race("kmeans", {"points-8d": ()}, {"": weighted_points}, ["alphacut", "cv2"], sizes=[0.3])
def bench_points(points, n_clusters=16):
    start = alphacut.kmeans_points(points, n_clusters, max_iter=1)
    stop = (cv2.TERM_CRITERIA_MAX_ITER, 10, 0)

    def agree(ours, theirs):
        assert ours.inertia <= theirs[0] * (1 + 1e-4)

    return agree, {
        "alphacut": lambda: alphacut.kmeans_points(points, n_clusters, labels=start.labels),
        "cv2": lambda: cv2.kmeans(points, n_clusters, start.labels.copy(), stop, 1, cv2.KMEANS_USE_INITIAL_LABELS),
    }
