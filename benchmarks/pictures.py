"""Pictures to time on: natural ones are not needed, but edges, gradients and noise are."""

from __future__ import annotations

import numpy as np


def photo(megapixels: float = 1.0, channels: int = 3, seed: int = 0) -> np.ndarray:
    """A (H, W, 3) or (H, W) uint8 picture, 4:3, of smooth blobs, hard discs and noise."""
    rng = np.random.default_rng(seed)
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    width = round(height * 4 / 3)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    image = np.empty((height, width, channels), np.float32)
    for c in range(channels):
        a, b, phase = rng.uniform(2, 9, 3)
        image[..., c] = 128 + 60 * np.sin(a * x + phase) * np.cos(b * y)
    for _ in range(12):
        cx, cy, radius = rng.uniform(0, 1, 3)
        image[(x - cx) ** 2 + (y - cy) ** 2 < (0.15 * radius) ** 2] = rng.uniform(0, 255, channels)
    image += rng.normal(0, 4, image.shape)
    result = np.clip(image, 0, 255).astype(np.uint8)
    return result if channels > 1 else result[..., 0]
