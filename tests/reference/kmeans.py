"""k-means by the specification in cpp/include/alphacut/kmeans.hpp, in Python's integers and NumPy's int64."""

import numpy as np

UNITS = 16320
MASK = 2**64 - 1


def fixed(image):
    scale = 64 if image.dtype == np.uint8 else UNITS
    values = np.floor(image.astype(np.float64) * scale + 0.5).astype(np.int64)
    return values.reshape(image.shape[0] * image.shape[1], -1)


def random(seed, i):
    z = (seed + (i + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
    return z ^ z >> 31


def sample_indices(n, seed):
    m = min(n, 65536)
    bounds = [i * n // m for i in range(m + 1)]
    return [bounds[i] + random(seed, 2**32 + i) % (bounds[i + 1] - bounds[i]) for i in range(m)]


def distances(points, centers):
    return ((points[:, None, :] - centers[None, :, :]) ** 2).sum(axis=2)


def seed_centers(points, k, seed):
    samples = points[sample_indices(len(points), seed)]
    centers = samples[[random(seed, 0) % len(samples)]]
    nearest = distances(samples, centers)[:, 0]
    while len(centers) < k:
        prefix = np.cumsum(nearest)
        if prefix[-1] == 0:
            drawn = centers[:1]
        else:
            numbers = [random(seed, 16 * len(centers) + t) % int(prefix[-1]) for t in range(k.bit_length())]
            drawn = samples[np.searchsorted(prefix, numbers, side="right")]
        lowered = np.minimum(nearest[:, None], distances(samples, drawn))
        best = lowered.sum(axis=0).argmin()
        centers, nearest = np.vstack([centers, drawn[best]]), lowered[:, best]
    return centers


def update(points, labels, centers):
    centers = centers.copy()
    count = np.bincount(labels, minlength=len(centers))
    for j in np.flatnonzero(count):
        centers[j] = (2 * points[labels == j].sum(axis=0) + count[j]) // (2 * count[j])
    used = centers[count > 0]
    for j in np.flatnonzero(count == 0):
        nearest = distances(points, used).min(axis=1)
        if nearest.max() == 0:
            break
        centers[j] = points[nearest.argmax()]
        used = np.vstack([used, centers[j]])
    return centers


def kmeans(image, n_clusters, *, seed=0, max_iter=10, tol=16, init=None, attempts=1):
    """(labels, centers, inertia, n_iter), all in the units of the specification; so are `tol` and `init`."""
    seeds = [seed] + [random(seed, 2**33 + a) for a in range(1, attempts)]
    return min((attempt(image, n_clusters, s, max_iter, tol, init) for s in seeds), key=lambda result: result[2])


def attempt(image, n_clusters, seed, max_iter, tol, init):
    points = fixed(image)
    centers = seed_centers(points, n_clusters, seed) if init is None else np.asarray(init, np.int64)
    labels = distances(points, centers).argmin(axis=1)
    n_iter = 0
    while n_iter < max_iter:
        n_iter += 1
        new = update(points, labels, centers)
        moved = ((new - centers) ** 2).sum(axis=1).max()
        if moved == 0:
            break
        centers = new
        labels = distances(points, centers).argmin(axis=1)
        if moved <= tol * tol:
            break
    inertia = int(((points - centers[labels]) ** 2).sum())
    return labels.reshape(image.shape[:2]).astype(np.uint8), centers, inertia, n_iter
