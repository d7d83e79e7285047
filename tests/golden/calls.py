"""Calls of every stage and of the flow on made pictures, whose bytes must not change unnoticed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

import alphacut

HEIGHT, WIDTH = 90, 130
_Y, _X = np.mgrid[:HEIGHT, :WIDTH]


def hashed(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Whole numbers from 0 to 65,535 that look random, from integer arithmetic alone."""
    x = np.arange(np.prod(shape), dtype=np.uint64) + np.uint64(seed * 1_000_003)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return (x >> np.uint64(48)).reshape(shape)


@cache
def picture() -> np.ndarray:
    """A disc with stripes before a graded ground, with noise."""
    disc = (_Y - 42) ** 2 + (_X - 66) ** 2 < 26**2
    stripes = disc & (_X // 6 % 3 == 0)
    ground = np.stack([60 + _X // 2, 90 + _Y // 3, 70 + (_X + _Y) // 5], axis=2)
    image = np.where(disc[..., None], (205, 90, 40), ground)
    image[stripes] = 230, 200, 60
    return (image + (hashed(image.shape, 1) % np.uint64(13)).astype(int)).clip(0, 255).astype(np.uint8)


@cache
def mask() -> np.ndarray:
    """The disc with a hole, and specks."""
    inside = ((_Y - 42) ** 2 + (_X - 66) ** 2 < 26**2) & ((_Y - 40) ** 2 + (_X - 60) ** 2 > 16)
    return np.where(inside | (hashed(inside.shape, 2) % np.uint64(97) == 0), 255, 0).astype(np.uint8)


@cache
def soft() -> np.ndarray:
    """An alpha that falls off over 12 pixels."""
    return np.clip((28 - np.sqrt((_Y - 42.0) ** 2 + (_X - 66.0) ** 2)) * 21, 0, 255).astype(np.uint8)


@cache
def trimap() -> np.ndarray:
    alpha = soft()
    return np.where(alpha == 0, 0, np.where(alpha == 255, 255, 128)).astype(np.uint8)


@cache
def labels() -> np.ndarray:
    strokes = np.full((HEIGHT, WIDTH), 2, np.uint8)
    strokes[38:44, 55:75], strokes[5:9, 10:100] = 1, 0
    return strokes


def product() -> np.ndarray:
    """The disc on white."""
    return alphacut.composite(picture(), soft(), "white")


def deep() -> np.ndarray:
    return picture().astype(np.uint16) * np.uint16(257)


def real() -> np.ndarray:
    return picture().astype(np.float32) / np.float32(255)


def gray() -> np.ndarray:
    return np.ascontiguousarray(picture()[..., 1])


def capacities() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    source, sink = (hashed((40, 50), k).astype(np.int32) % 100 for k in (3, 4))
    return source, sink, hashed((4, 40, 50), 5).astype(np.int32) % 60


def unary() -> np.ndarray:
    return (soft().astype(np.float32) - np.float32(128)) / np.float32(32)


def _flow(image: np.ndarray, **options: Any) -> tuple[Any, ...]:
    cutout = alphacut.remove_background(image, **options)
    return cutout.mask, cutout.alpha, cutout.foreground, f"{cutout.confidence:.6f}", cutout.method, cutout.warnings


BOX = (36, 12, 62, 62)
CALLS: dict[str, Callable[[], Any]] = {
    "denoise-median": lambda: alphacut.denoise(picture()),
    "denoise-bilateral": lambda: alphacut.denoise(picture(), method="bilateral"),
    "white_balance": lambda: alphacut.white_balance(picture()),
    "white_balance-percentile": lambda: alphacut.white_balance(picture(), method="percentile"),
    "resize-area": lambda: alphacut.resize(picture(), (31, 47), method="area"),
    "denoise-median9": lambda: alphacut.denoise(picture(), size=9),
    "denoise-bilateral-sigmas": lambda: alphacut.denoise(picture(), "bilateral", size=7, sigma=0.2, sigma_space=1.5),
    "gaussian_blur": lambda: [alphacut.gaussian_blur(image, 2.5) for image in (picture(), deep(), real())],
    "gaussian_blur-wide": lambda: alphacut.gaussian_blur(picture(), (0.7, 30), mode="mirror"),
    "unsharp_mask": lambda: [alphacut.unsharp_mask(image, sigma=1.5) for image in (picture(), real())],
    "rgb_to_lab": lambda: alphacut.rgb_to_lab(picture()),
    "resize-nearest": lambda: alphacut.resize(picture(), (31, 147), method="nearest"),
    "resize-bicubic": lambda: alphacut.resize(picture(), (31, 147), method="bicubic"),
    "resize-lanczos": lambda: alphacut.resize(real(), (131, 47), method="lanczos"),
    "resize-bilinear": lambda: alphacut.resize(real(), (131, 147), method="bilinear"),
    "barrier_map": lambda: alphacut.barrier_map(picture(), labels() == 0),
    "detect_subject-learned": lambda: alphacut.detect_subject(picture()),
    "detect_subject-box": lambda: alphacut.detect_subject(picture(), box=BOX),
    "detect_subject-labels": lambda: alphacut.detect_subject(gray(), labels=labels()),
    "detect_subject-barrier": lambda: alphacut.detect_subject(picture(), method="barrier"),
    "find_threshold-otsu": lambda: alphacut.find_threshold(gray()),
    "find_threshold-classes": lambda: alphacut.find_threshold(picture(), classes=4),
    "find_threshold-methods": lambda: [
        alphacut.find_threshold(image, method)
        for image in (gray(), deep()[..., 0], real()[..., 0].astype(np.float64) - 2)
        for method in ("isodata", "yen", "entropy", "li", "mean")
    ],
    "threshold": lambda: alphacut.threshold(picture(), "li"),
    "threshold-trunc": lambda: alphacut.threshold(deep(), "otsu", mode="trunc"),
    "hysteresis_threshold": lambda: alphacut.hysteresis_threshold(gray(), 90, 150),
    "adaptive_limit-gaussian": lambda: alphacut.adaptive_limit(real(), 15, method="gaussian", sigma=2.5, mode="mirror"),
    "adaptive_limit-niblack": lambda: alphacut.adaptive_limit(gray(), (9, 21), method="niblack"),
    "adaptive_threshold-mean": lambda: alphacut.adaptive_threshold(gray(), 15),
    "adaptive_threshold-sauvola": lambda: alphacut.adaptive_threshold(gray(), 15, method="sauvola"),
    "morphology": lambda: [
        alphacut.morphology(image, operation, radius=3, shape=shape)
        for image in (picture(), deep(), real(), mask() > 0)
        for operation in ("erode", "dilate", "open", "close", "gradient", "tophat", "blackhat")
        for shape in ("disc", "box")
    ],
    "morphology-footprint": lambda: [
        alphacut.morphology(gray(), operation, footprint=np.tri(7, 10, 2, bool), mode=mode)
        for operation, mode in (("erode", "ignore"), ("close", "wrap"), ("gradient", "mirror"))
    ],
    "reconstruct": lambda: [
        alphacut.reconstruct(alphacut.morphology(gray(), "erode", radius=9), gray(), connectivity=ways)
        for ways in (4, 8)
    ],
    "foreground-smooth": lambda: alphacut.estimate_foreground(picture(), soft(), regularization=0.01),
    "morphology-far": lambda: alphacut.morphology(mask(), "close", radius=60),
    "label_components": lambda: alphacut.label_components(mask()),
    "label_components-delta": lambda: alphacut.label_components(gray(), delta=9, background=None),
    "component_stats": lambda: tuple(alphacut.component_stats(mask())),
    "component_shapes": lambda: tuple(alphacut.component_shapes(mask(), weights=gray())),
    "keep_touching": lambda: alphacut.keep_touching(mask(), gray() > 200),
    "keep_largest": lambda: alphacut.keep_largest(mask()),
    "remove_small": lambda: alphacut.remove_small(mask(), 5),
    "fill_holes": lambda: alphacut.fill_holes(mask()),
    "mask_to_polygons": lambda: alphacut.mask_to_polygons(mask()),
    "mask_to_polygons-simplified": lambda: alphacut.mask_to_polygons(mask(), connectivity=8, simplify=1.5),
    "mask_to_rle": lambda: alphacut.mask_to_rle(mask())["counts"],
    "kmeans": lambda: tuple(alphacut.kmeans(picture(), 5))[:2],
    "kmeans-attempts": lambda: tuple(alphacut.kmeans(picture(), 4, attempts=3))[:2],
    "kmeans-float32": lambda: tuple(alphacut.kmeans(real(), 3, seed=7))[:2],
    "kmeans_points": lambda: tuple(
        alphacut.kmeans_points(real().reshape(-1, 15), 9, weights=np.arange(real().size // 15) % 7, attempts=2)
    ),
    "slic": lambda: tuple(alphacut.slic(picture(), 60)),
    "slic-float32": lambda: tuple(alphacut.slic(real(), 25, compactness=25)),
    "graph_cut": lambda: tuple(alphacut.graph_cut(*capacities())),
    "graph_cut-directed": lambda: tuple(
        alphacut.graph_cut(*capacities()[:2], capacities()[2][:2], reverse=hashed((2, 40, 50), 6).astype(np.int32) % 60)
    ),
    "alpha_expansion": lambda: tuple(
        alphacut.alpha_expansion(
            np.abs(gray().astype(np.int32) - np.arange(40, 240, 40, dtype=np.int32)[:, None, None]),
            np.minimum(np.abs(np.subtract.outer(range(5), range(5))), 2) * 9,
        )
    ),
    "grabcut-box": lambda: alphacut.grabcut(picture(), box=BOX).labels,
    "grabcut-labels": lambda: alphacut.grabcut(picture(), labels()).labels,
    "grabcut-unary": lambda: alphacut.grabcut(gray(), unary=unary(), clean=True).labels,
    "find_key": lambda: tuple(alphacut.find_key(product())),
    "chroma_key": lambda: alphacut.chroma_key(product(), "white"),
    "despill": lambda: alphacut.despill(picture(), "#50a040"),
    "guided_filter-gray": lambda: alphacut.guided_filter(gray(), mask(), 4, 1e-3),
    "guided_filter-colour": lambda: alphacut.guided_filter(picture(), mask(), 6, 1e-4, subsample=2),
    "distance_transform": lambda: alphacut.distance_transform(mask()),
    "distance_transform-taxicab": lambda: alphacut.distance_transform(mask(), metric="taxicab", return_indices=True),
    "distance_transform-sampling": lambda: alphacut.distance_transform(mask(), sampling=(0.7, 1.9)),
    "make_trimap": lambda: alphacut.make_trimap(mask()),
    "adjust_edge": lambda: alphacut.adjust_edge(soft(), shift=1.5, feather=1.25),
    "refine_alpha-guided": lambda: alphacut.refine_alpha(picture(), trimap(), method="guided"),
    "refine_alpha-sampled": lambda: alphacut.refine_alpha(picture(), trimap(), method="sampled"),
    "refine_alpha-closed_form": lambda: alphacut.refine_alpha(real(), trimap(), method="closed_form"),
    "estimate_foreground": lambda: alphacut.estimate_foreground(picture(), soft()),
    "composite": lambda: alphacut.composite(picture(), soft(), "#3060c0"),
    "composite-linear": lambda: alphacut.composite(deep(), soft().astype(np.uint16) * 257, "red", linear=True),
    "shadow": lambda: alphacut.composite(picture(), soft(), "#3060c0", shadow="drop"),
    "shadow-contact": lambda: alphacut.composite(picture(), soft(), shadow="contact:offset=3,2:color=navy"),
    "premultiply": lambda: alphacut.unpremultiply(alphacut.premultiply(alphacut.composite(picture(), soft()))),
    "srgb": lambda: alphacut.encode_srgb(alphacut.decode_srgb(picture())),
    "flow": lambda: _flow(picture()),
    "flow-uint16": lambda: _flow(deep()),
    "flow-float32": lambda: _flow(real(), refine="guided"),
    "flow-gray": lambda: _flow(gray()),
    "flow-rgba": lambda: _flow(np.dstack([picture(), soft()])),
    "flow-strided": lambda: _flow(picture()[::-1, ::2]),
    "flow-barrier": lambda: _flow(picture(), subject="barrier"),
    "flow-box": lambda: _flow(picture(), box=BOX),
    "flow-points": lambda: _flow(picture(), points=[(66, 42), (10, 80, 0)]),
    "flow-labels": lambda: _flow(picture(), labels=labels(), refine="sampled"),
    "flow-mask": lambda: _flow(picture(), mask=mask(), refine=None),
    "flow-trimap": lambda: _flow(picture(), trimap=trimap()),
    "flow-key": lambda: _flow(product(), despill=True),
    "flow-kmeans": lambda: _flow(picture(), box=BOX, method="kmeans"),
    "flow-threshold": lambda: _flow(picture(), method="threshold"),
}


def digest(value: Any) -> str:
    """Of the bytes, shapes and types of arrays, of the text of anything else, one after the other."""
    found = hashlib.sha256()
    _add(found, value)
    return found.hexdigest()[:20]


def _add(found: Any, value: Any) -> None:
    if isinstance(value, (tuple, list)):
        for part in value:
            _add(found, part)
    elif isinstance(value, np.ndarray):
        found.update(f"{value.dtype.str}{value.shape}".encode())
        found.update(np.ascontiguousarray(value).tobytes())
    else:
        found.update(str(value).encode())
