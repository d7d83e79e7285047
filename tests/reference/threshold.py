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
