"""Pictures and masks for the benchmarks, the same every time and read-only."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

_FOLDER = Path(os.environ.get("ALPHACUT_DATA", Path(__file__).parents[2] / "shared" / "data"), "photos")
PHOTOS = [path for name in ("mate_LadyBird.jpg", "mate_TwoWings.jpg") if (path := _FOLDER / name).is_file()]


def size(megapixels: float) -> tuple[int, int]:
    """(width, height) in the ratio 4:3; 12 megapixels are 4000 × 3000."""
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    return width, round(megapixels * 1e6 / width)


def _kept(make):
    """The last results of `make`, which cannot be written to."""

    @functools.lru_cache(maxsize=4)
    def made(megapixels: float, seed: int = 0) -> np.ndarray:
        result = make(megapixels, seed)
        result.flags.writeable = False
        return result

    return made


@_kept
def photo(megapixels, seed):
    """(H, W, 3) uint8: one of the measuring photos, or, where they are absent, a synthetic scene.

    A photo is made smaller, or mirrored at its borders until it is large enough: enlarged, it would be too smooth.
    """
    width, height = size(megapixels)
    if not PHOTOS:
        return _scene(width, height, np.random.default_rng(seed))
    with Image.open(PHOTOS[seed % len(PHOTOS)]) as file:
        picture = file.convert("RGB")
    scale = max(width / picture.width, height / picture.height)
    if scale < 1:
        new = round(scale * picture.width), round(scale * picture.height)
        return np.array(picture.resize(new, Image.Resampling.LANCZOS))[:height, :width].copy()
    missing = max(0, height - picture.height), max(0, width - picture.width)
    padded = np.pad(np.asarray(picture), ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")
    return padded[:height, :width].copy()


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


@_kept
def noise(megapixels, seed):
    """(H, W, 3) uint8: every colour, nowhere twice in a row."""
    width, height = size(megapixels)
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def gray(megapixels: float) -> np.ndarray:
    return cv2.cvtColor(photo(megapixels), cv2.COLOR_RGB2GRAY)


def gray_noise(megapixels: float) -> np.ndarray:
    return noise(megapixels)[..., 0].copy()


@_kept
def mask(megapixels, seed):
    """(H, W) uint8, 0 or 255: a natural mask, the bright half of :func:`photo`."""
    bright = cv2.cvtColor(photo(megapixels, seed), cv2.COLOR_RGB2GRAY)
    return np.where(bright > np.median(bright), np.uint8(255), np.uint8(0))


@_kept
def noise_mask(megapixels, seed):
    """(H, W) uint8, 0 or 255: each pixel foreground with probability 1/2."""
    width, height = size(megapixels)
    return np.random.default_rng(seed).integers(0, 2, (height, width), dtype=np.uint8) * np.uint8(255)
