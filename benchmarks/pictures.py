"""Pictures and masks for the benchmarks, the same every time."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

_DATA = Path(os.environ.get("ALPHACUT_DATA", Path(__file__).parents[2] / "shared" / "data"))


def size(megapixels: float) -> tuple[int, int]:
    """(width, height) in the ratio 4:3; 12 megapixels are 4000 × 3000."""
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    return width, round(megapixels * 1e6 / width)


@functools.lru_cache(maxsize=4)
def photo(megapixels: float, seed: int = 0) -> np.ndarray:
    """(H, W, 3) uint8: one of the measuring photos resized, or, where they are absent, a synthetic scene. Read-only."""
    width, height = size(megapixels)
    files = sorted((_DATA / "photos").glob("mate_*.jpg"))
    if files:
        with Image.open(files[seed % len(files)]) as picture:
            result = np.array(picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS))
    else:
        result = _scene(width, height, np.random.default_rng(seed))
    result.flags.writeable = False
    return result


def _scene(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Soft colours, a few sharp shapes and sensor noise."""
    coarse = Image.fromarray(rng.integers(40, 160, (5, 7, 3), dtype=np.uint8))
    picture = coarse.resize((width, height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    for _ in range(12):
        x, y, r = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.02, 0.2) * height
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(int(v) for v in rng.integers(0, 256, 3)))
    noise = rng.normal(0, 3, (height, width, 3)).astype(np.float32)
    return np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)


@functools.lru_cache(maxsize=4)
def mask(megapixels: float, seed: int = 0) -> np.ndarray:
    """(H, W) uint8, 0 or 255: a natural mask, the bright half of :func:`photo`. Read-only."""
    gray = photo(megapixels, seed) @ np.float32([0.299, 0.587, 0.114])
    result = np.where(gray > np.median(gray), 255, 0).astype(np.uint8)
    result.flags.writeable = False
    return result


@functools.lru_cache(maxsize=4)
def noise_mask(megapixels: float, seed: int = 0) -> np.ndarray:
    """(H, W) uint8, 0 or 255: each pixel foreground with probability 1/2. Read-only."""
    width, height = size(megapixels)
    bits = np.random.default_rng(seed).integers(0, 2, (height, width), dtype=np.uint8)
    result = bits * np.uint8(255)
    result.flags.writeable = False
    return result
