"""k-means against OpenCV from the same start: same number of iterations, and no worse."""

import cv2
import numpy as np
import pytest

import alphacut

from .pictures import photo


def starting_centers(image, n_clusters):
    return alphacut.kmeans(image, n_clusters, max_iter=1).centers


def peer(image, start):
    """OpenCV's own conversion, first labels and 10 iterations."""
    points = image.reshape(-1, 3).astype(np.float32)
    scores = (start**2).sum(axis=1) - 2 * points @ start.T
    nearest = scores.argmin(axis=1).astype(np.int32)
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, 10, 0)
    return lambda: cv2.kmeans(points, len(start), nearest.copy(), criteria, 1, cv2.KMEANS_USE_INITIAL_LABELS)


@pytest.mark.parametrize("implementation", ["alphacut", "alphacut-float32", "cv2", "copy"])
@pytest.mark.parametrize("n_clusters", [8, 32])
@pytest.mark.parametrize("megapixels", [1])
def bench_kmeans(benchmark, megapixels, n_clusters, implementation):
    benchmark.group = f"kmeans-{n_clusters}-clusters-{megapixels}mp"
    image = photo(megapixels)
    start = starting_centers(image, n_clusters)

    def own(picture=image, centers=start):
        return alphacut.kmeans(picture, n_clusters, init=centers, max_iter=10, tol=0)

    floats = (image / 255).astype(np.float32)
    jobs = {
        "alphacut": own,
        "alphacut-float32": lambda: own(floats, start / 255),
        "cv2": peer(image, start),
        "copy": image.copy,
    }
    if implementation != "copy":
        assert own().inertia <= jobs["cv2"]()[0] * (1 + 1e-4)
    benchmark(jobs[implementation])


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
