"""Thresholds by definition, in float64 and whole numbers."""

import itertools

import numpy as np


def window_sums(values, window):
    """Sum of the window around each pixel, the border replicated."""
    r = window // 2
    padded = np.pad(values.astype(np.int64), r, mode="edge")
    table = np.zeros((padded.shape[0] + 1, padded.shape[1] + 1), np.int64)
    table[1:, 1:] = padded.cumsum(0).cumsum(1)
    w = window
    return table[w:, w:] - table[:-w, w:] - table[w:, :-w] + table[:-w, :-w]


def sauvola_limit(values, window, k, full=255):
    """Sauvola's limit of whole-number values."""
    area = window * window
    mean = window_sums(values, window) / area
    variance = window_sums(values.astype(np.int64) ** 2, window) / area - mean**2
    return mean * (1 + k * (np.sqrt(np.maximum(variance, 0)) / (full * 128 / 255) - 1))


def between_variance(counts, limits):
    """What Otsu's method maximises, up to a constant: sum over classes of (sum of values)² / count."""
    edges = [0, *(t + 1 for t in limits), len(counts)]
    values = np.arange(len(counts))
    total = 0.0
    for begin, end in itertools.pairwise(edges):
        n = counts[begin:end].sum()
        if n:
            total += float((counts[begin:end] * values[begin:end]).sum()) ** 2 / float(n)
    return total


def multi_otsu_variance(counts, classes):
    """The largest between_variance of all limits, by trying them all."""
    return max(between_variance(counts, t) for t in itertools.combinations(range(len(counts) - 1), classes - 1))


def otsu_by_steps(counts):
    """Otsu's limit by OpenCV's steps, in their order."""
    scale, small = 1.0 / float(counts.sum()), float(np.finfo(np.float32).eps)
    mean = sum(i * float(n) for i, n in enumerate(counts)) * scale
    weight = mean_below = best = 0.0
    limit = 0
    for i, n in enumerate(counts):
        share = float(n) * scale
        mean_below *= weight
        weight += share
        rest = 1.0 - weight
        if min(weight, rest) < small or max(weight, rest) > 1.0 - small:
            continue
        mean_below = (mean_below + i * share) / weight
        mean_above = (mean - weight * mean_below) / rest
        variance = weight * rest * (mean_below - mean_above) * (mean_below - mean_above)
        if variance > best:
            best, limit = variance, i
    return limit


def _classes(counts):
    """For each limit from the darkest to the last but one bin with pixels: (limit, counts below, counts above)."""
    used = np.flatnonzero(counts)
    for limit in range(used[0], used[-1]):
        below, above = counts.astype(float).copy(), counts.astype(float).copy()
        below[limit + 1 :] = 0
        above[: limit + 1] = 0
        yield limit, below, above


def isodata(counts):
    values = np.arange(len(counts))
    for limit, below, above in _classes(counts):
        middle = ((below @ values) / below.sum() + (above @ values) / above.sum()) / 2
        if limit <= middle < limit + 1:
            return limit
    return np.flatnonzero(counts)[0]


def yen(counts):
    total = counts.sum()
    scores = [
        (-np.log((below / total) @ (below / total)) - np.log((above / total) @ (above / total)))
        + 2 * np.log(below.sum() / total * (above.sum() / total))
        for _, below, above in _classes(counts)
    ]
    return np.flatnonzero(counts)[0] + (int(np.argmax(scores)) if scores else 0)


def entropy(counts):
    def of(part):
        share = part[part > 0] / part.sum()
        return -(share * np.log(share)).sum()

    scores = [of(below) + of(above) for _, below, above in _classes(counts)]
    return np.flatnonzero(counts)[0] + (int(np.argmax(scores)) if scores else 0)


def minimum(counts):
    """The lowest bin between two peaks, of the histogram between its first and last pixel; None without two."""
    used = np.flatnonzero(counts)
    smooth = counts[used[0] : used[-1] + 1].astype(float)
    for _ in range(10000):
        padded = np.pad(smooth, 1, mode="edge")
        smooth = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
        peaks, rising = [], True
        for i in range(len(smooth) - 1):
            if rising and smooth[i + 1] < smooth[i]:
                peaks.append(i)
                rising = False
            elif not rising and smooth[i + 1] > smooth[i]:
                rising = True
        if len(peaks) < 3:
            break
    if len(peaks) != 2:
        return None
    return used[0] + peaks[0] + int(np.argmin(smooth[peaks[0] : peaks[1] + 1]))
