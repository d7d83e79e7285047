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


def _draw(values, number):
    """The first whose inclusive prefix sum exceeds the number's part of their sum; numbers below 2**64."""
    prefix = np.cumsum(values)
    return min(int(np.searchsorted(prefix, (number >> 11) * 2.0**-53 * prefix[-1], side="right")), len(values) - 1)


def _gaps(points, center):
    """Squared distances, summed by dimension in order."""
    sums = (points[:, 0] - center[0]) ** 2
    for d in range(1, points.shape[1]):
        sums = sums + (points[:, d] - center[d]) ** 2
    return sums


def seed_points(points, weights, k, seed):
    samples = points[sample_indices(len(points), seed)]
    held = weights[sample_indices(len(points), seed)]
    first = _draw(held, random(seed, 0))
    centers = [samples[first]]
    nearest = _gaps(samples, centers[0])
    for j in range(1, k):
        chosen, lowest = first, np.inf
        best = nearest
        if (held * nearest).sum() > 0:
            for t in range(k.bit_length()):
                drawn = _draw(held * nearest, random(seed, 32 * j + t))
                lowered = np.minimum(nearest, _gaps(samples, samples[drawn]))
                total = np.cumsum(held * lowered)[-1]
                if total < lowest:
                    chosen, lowest, best = drawn, total, lowered
        centers.append(samples[chosen])
        nearest = best
    return np.array(centers)


def kmeans_points(points, k, weights=None, seed=0, max_iter=10, tol=0.0, init=None):
    """(labels, centers, inertia, n_iter) by cpp/include/alphacut/kmeans_points.hpp."""
    points = points.astype(np.float64)
    weights = np.ones(len(points)) if weights is None else np.asarray(weights, np.float64)
    centers = seed_points(points, weights, k, seed) if init is None else np.array(init, np.float64)

    def assign():
        gaps = np.stack([_gaps(points, center) for center in centers], axis=1)
        return gaps.argmin(axis=1), float((weights * gaps.min(axis=1)).sum())

    labels, inertia = assign()
    n_iter = 0
    while n_iter < max_iter:
        n_iter += 1
        moved = centers.copy()
        held = np.bincount(labels, weights, k)
        for d in range(points.shape[1]):
            sums = np.bincount(labels, weights * points[:, d], k)
            moved[held > 0, d] = sums[held > 0] / held[held > 0]
        used = list(moved[held > 0])
        for j in np.flatnonzero(held == 0):
            gaps = np.min([_gaps(points, center) for center in used], axis=0)
            gaps[weights == 0] = 0
            if gaps.max() == 0:
                break
            moved[j] = points[gaps.argmax()]
            used.append(moved[j])
        farthest = max(float(_gaps(moved[j : j + 1], centers[j])[0]) for j in range(k))
        if farthest == 0:
            break
        centers = moved
        labels, inertia = assign()
        if np.sqrt(farthest) <= tol:
            break
    return labels, centers, inertia, n_iter
