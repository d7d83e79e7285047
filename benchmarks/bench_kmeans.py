"""k-means against OpenCV from the same start: same number of iterations, and no worse."""

import functools

import cv2
import numpy as np
import pytest

import alphacut

from .pictures import photo


def noise(megapixels):
    """The worst case: every colour, nowhere twice in a row."""
    return np.random.default_rng(0).integers(0, 256, photo(megapixels).shape, np.uint8)


@functools.lru_cache(maxsize=1)
def problem(job, megapixels):
    """(image, starting centres, OpenCV's call), the result compared.

    Both sides start from the same centres and do 10 iterations. OpenCV gets floats and first labels ready-made.
    """
    picture, n_clusters = JOBS[job]
    image = picture(megapixels)
    start = alphacut.kmeans(image, n_clusters, max_iter=1).centers
    points = image.reshape(-1, 3).astype(np.float32)
    parts = np.array_split(points, 100)
    nearest = np.concatenate([((start**2).sum(axis=1) - 2 * part @ start.T).argmin(axis=1) for part in parts])
    labels = nearest.astype(np.int32)
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, 10, 0)

    def peer():
        return cv2.kmeans(points, n_clusters, labels.copy(), criteria, 1, cv2.KMEANS_USE_INITIAL_LABELS)

    own = alphacut.kmeans(image, n_clusters, init=start, max_iter=10, tol=0)
    assert own.inertia <= peer()[0] * (1 + 1e-4)
    return image, start, peer


JOBS = {"8-clusters": (photo, 8), "32-clusters": (photo, 32), "8-clusters-noise": (noise, 8)}
ROWS = [("8-clusters", 0.3), ("8-clusters", 1), ("8-clusters", 12), ("32-clusters", 1), ("8-clusters-noise", 1)]


@pytest.mark.parametrize(("job", "megapixels"), ROWS)
@pytest.mark.parametrize("implementation", ["alphacut", "alphacut-seeded", "alphacut-float32", "cv2", "copy"])
def bench_kmeans(benchmark, job, megapixels, implementation):
    """ "alphacut-seeded" also finds its starting centres; the others are given them."""
    image, start, peer = problem(job, megapixels)
    benchmark.group = f"kmeans-{job}-{megapixels}MP"
    benchmark.extra_info["implementation"] = implementation
    if implementation == "copy":
        benchmark(image.copy)
    elif implementation == "cv2":
        benchmark.pedantic(peer, rounds=3)
    else:
        floats = implementation == "alphacut-float32"
        picture, scale = (image.astype(np.float32) / 255, 255) if floats else (image, 1)
        init = "k-means++" if implementation == "alphacut-seeded" else start / scale
        benchmark(alphacut.kmeans, picture, len(start), init=init, max_iter=10, tol=0)


@pytest.mark.parametrize("implementation", ["cpu", "cuda"])
@pytest.mark.parametrize("megapixels", [0.1, 1, 12])
def bench_devices(benchmark, megapixels, implementation):
    """The crossover of "auto", transfers included."""
    benchmark.group = f"kmeans-devices-{megapixels}mp"
    reason = alphacut.info()["cuda"]["reason"]
    if implementation == "cuda" and reason is not None:
        pytest.skip(f"no usable GPU: {reason}")
    image = photo(megapixels)
    expected = alphacut.kmeans(image, 8, device="cpu")
    assert np.array_equal(alphacut.kmeans(image, 8, device=implementation).labels, expected.labels)
    benchmark(alphacut.kmeans, image, 8, device=implementation)
