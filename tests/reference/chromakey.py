"""Oracles in NumPy: the same float32 operations in the same order, a whole picture at a time."""

from collections import deque

import numpy as np


def saturation(color):
    luma = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
    cb, cr = 0.564 * (color[2] - luma), 0.713 * (color[0] - luma)
    return min(max((np.sqrt(cb * cb + cr * cr) - 0.05) / 0.1, 0.0), 1.0)


def chroma_key(image, color, across, down, similarity, blend):
    """color, across and down from 0 to 1."""
    full = 255.0 if image.dtype == np.uint8 else 1.0
    height, width = image.shape[:2]
    v = (np.arange(height) + 0.5) / height - 0.5
    x = np.arange(width, dtype=np.float32)
    rgb = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
    difference = []
    for c in range(3):
        start = ((color[c] + across[c] * (0.5 / width - 0.5) + down[c] * v) * full).astype(np.float32)
        step = np.float32(across[c] / width * full)
        difference.append(rgb[..., c].astype(np.float32) - (start[:, None] + step * x))
    r, g, b = difference
    luma = np.float32(0.299) * r + np.float32(0.587) * g + np.float32(0.114) * b
    cb, cr = np.float32(0.564) * (b - luma), np.float32(0.713) * (r - luma)
    distance = np.sqrt(np.float32(1 - 0.75 * saturation(color)) * luma * luma + cb * cb + cr * cr)
    ramp = (distance - np.float32(similarity * full)) * np.float32(1 / (max(blend, 1e-20) * full))
    alpha = np.clip(ramp, np.float32(0), np.float32(1))
    return (alpha * np.float32(255) + np.float32(0.5)).astype(np.uint8) if image.dtype == np.uint8 else alpha


def keep_connected(alpha, full):
    height, width = alpha.shape
    reached = np.zeros(alpha.shape, bool)
    queue = deque((y, x) for y in range(height) for x in range(width) if y in (0, height - 1) or x in (0, width - 1))
    while queue:
        y, x = queue.popleft()
        if 0 <= y < height and 0 <= x < width and alpha[y, x] < full and not reached[y, x]:
            reached[y, x] = True
            queue.extend(((y, x - 1), (y, x + 1), (y - 1, x), (y + 1, x)))
    return np.where(reached, alpha, full).astype(alpha.dtype)


def despill(image, color, alpha=None, strength=1.0):
    """color from 0 to 1; in float64."""
    full = 255.0 if image.dtype == np.uint8 else 1.0
    color = np.asarray(color)
    strong = 2 * color > color.min() + color.max()
    if color.max() - color.min() < 0.1 or image.ndim == 2:
        return image.astype(np.float64)
    excess = image[..., strong].min(axis=-1).astype(np.float64) - image[..., ~strong].max(axis=-1)
    limit = np.inf if alpha is None else (1 - alpha / full) * (color[strong].min() - color[~strong].max()) * full
    amount = strength * np.clip(excess, 0, limit)
    return image - amount[..., None] * strong
