"""Oracles in plain NumPy, one formula each."""

import numpy as np


def windows(image, size):
    """The size * size shifted copies of a picture with a replicated border, stacked in front."""
    r = size // 2
    padded = np.pad(image, [(r, r), (r, r)] + [(0, 0)] * (image.ndim - 2), mode="edge")
    height, width = image.shape[:2]
    return np.stack([padded[y : y + height, x : x + width] for y in range(size) for x in range(size)])


def median(image, size):
    return np.sort(windows(image, size), axis=0)[size * size // 2]


def bilateral(image, size, sigma, sigma_space=None):
    reach = size / 2 if sigma_space is None else sigma_space
    full = 255 if image.dtype == np.uint8 else 1
    near = windows(image.astype(np.float64), size)
    distance = np.abs(near - image)
    if image.ndim == 3:
        distance = distance.sum(axis=-1, keepdims=True)
    y, x = np.mgrid[:size, :size] - size // 2
    squared = (x * x + y * y).ravel().reshape([-1] + [1] * image.ndim)
    weight = np.exp(-squared / (2 * reach**2) - distance**2 / (2 * (sigma * full) ** 2)) * (squared <= (size // 2) ** 2)
    return (weight * near).sum(axis=0) / weight.sum(axis=0)


def area_matrix(before, after):
    """(after, before) weights, the share of each input pixel in each result pixel."""
    j, x = np.arange(before), np.arange(after)[:, None]
    overlap = np.minimum((j + 1) * after, (x + 1) * before) - np.maximum(j * after, x * before)
    return np.maximum(overlap, 0) / before


def linear_matrix(before, after):
    center = np.clip((np.arange(after) + 0.5) * before / after - 0.5, 0, before - 1)[:, None]
    return np.maximum(1 - np.abs(center - np.arange(before)), 0)


def cubic(x):
    return np.where(x < 1, 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2) * (x < 2)


def lanczos(x):
    return np.sinc(x) * np.sinc(x / 3) * (x < 3)


def filter_matrix(before, after, weight):
    step = before / after
    center = (np.arange(after) + 0.5)[:, None] * step
    weights = weight(np.abs(np.arange(before) + 0.5 - center) / max(step, 1))
    return weights / weights.sum(axis=1, keepdims=True)


def nearest(image, size):
    y, x = (
        (2 * np.arange(after) + 1) * before // (2 * after) for before, after in zip(image.shape[:2], size, strict=True)
    )
    return image[y[:, None], x]


def resize(image, size, method):
    full = 255 if image.dtype == np.uint8 else 1
    for axis, after in enumerate(size):
        before = image.shape[axis]
        if method in ("bicubic", "lanczos"):
            matrix = filter_matrix(before, after, cubic if method == "bicubic" else lanczos)
        else:
            matrix = (area_matrix if method == "area" and after <= before else linear_matrix)(before, after)
        image = np.moveaxis(np.tensordot(matrix, image.astype(np.float64), (1, axis)), 0, axis)
    return image.clip(0, full)


def gray_world(image):
    means = image.reshape(-1, 3).mean(axis=0, dtype=np.float64)
    return image * np.where(means > 0, means.mean() / np.maximum(means, 1e-300), 1)


def percentile(channel, percent, full):
    values = np.sort(channel, axis=None)
    rank = int(percent / 100 * (values.size - 1))
    low, high = float(values[rank]), float(values[-1 - rank])
    return channel if low == high else np.clip((channel - low) * (full / (high - low)), 0, full)
