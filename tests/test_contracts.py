"""What every public function promises: clear errors, untouched inputs, and `out=`. One table says what is legal."""

import contextlib
import inspect
import io
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest

import alphacut
from alphacut.compositing import blurred_background, checkerboard

HEIGHT, WIDTH = 7, 9
_RNG = np.random.default_rng(5)
RGB = _RNG.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
RGBA = _RNG.integers(0, 256, (HEIGHT, WIDTH, 4), np.uint8)
GRAY = _RNG.integers(0, 256, (HEIGHT, WIDTH), np.uint8)
MASK = np.zeros((HEIGHT, WIDTH), np.uint8)
MASK[2:5, 2:6] = 255
CAPACITIES = np.ones((HEIGHT, WIDTH), np.int32)
NEIGHBOURS = np.ones((4, HEIGHT, WIDTH), np.int32)

DEPTHS = (np.uint8, np.uint16, np.float32)


def in_depth(array, dtype):
    """A uint8 picture in another depth."""
    if dtype == np.uint16:
        return array.astype(np.uint16) * np.uint16(257)
    return array if dtype == np.uint8 else array.astype(np.float32) / np.float32(255)


# --- what is bad for a parameter of each kind: values and the error they raise ---------------------------------------

_NO_ARRAYS = [(value, TypeError) for value in (None, 3, "x", [[0, 1]], object())]


def _shapes(dtype, *shapes):
    return [(np.zeros(shape, dtype), ValueError) for shape in shapes]


def _dtypes(shape, *dtypes):
    return [(np.zeros(shape, dtype), TypeError) for dtype in dtypes]


def _floats(shape):
    bad = []
    for value in (np.nan, np.inf, -np.inf, 1.001, -0.001):
        array = np.full(shape, 0.5, np.float32)
        array[-1, -1] = value
        bad.append((array, ValueError))
    return bad


PICTURE = [
    *_NO_ARRAYS,
    *_dtypes((HEIGHT, WIDTH, 3), bool, np.int8, np.int32, np.float16, np.float64, np.complex64, object, ">u2", ">f4"),
    *_shapes(np.uint8, (), (5,), (0, 4), (4, 0, 3), (4, 4, 1), (4, 4, 2), (4, 4, 5), (1, 4, 4, 3)),
    *_shapes(np.uint16, (5,), (0, 4), (4, 4, 2)),
    *_floats((HEIGHT, WIDTH)),
    *_floats((HEIGHT, WIDTH, 3)),
]
READ = [pair for pair in PICTURE if getattr(pair[0], "dtype", None) != np.float64]  # by what takes float64, too
NO_RGBA = _shapes(np.uint8, (4, 4, 4))
PLANE = [
    *_NO_ARRAYS,
    *_dtypes((HEIGHT, WIDTH), np.int8, np.int32, np.float64, object),
    *_shapes(np.uint8, (), (5,), (0, WIDTH), (HEIGHT, 0), (HEIGHT, WIDTH, 1)),
]
OTHER_SIZE = _shapes(np.uint8, (HEIGHT, WIDTH + 1), (HEIGHT - 1, WIDTH), (WIDTH, HEIGHT))
PLANE_LIKE = [*PLANE, *OTHER_SIZE]
NUMBERS = [  # by what takes numbers of any depth and range, and no pixels
    *_NO_ARRAYS,
    *_dtypes((HEIGHT, WIDTH), np.float16, np.complex64, object, ">u2", ">f4"),
    *_shapes(np.uint8, (), (5,), (4, 4, 1), (4, 4, 2), (4, 4, 4), (1, 4, 4, 3)),
    (np.full((HEIGHT, WIDTH), np.nan, np.float32), ValueError),
    (np.full((HEIGHT, WIDTH, 3), np.nan), ValueError),
    (np.full((HEIGHT, WIDTH), 2**40), ValueError),
]
BINARY_OF_ANY = [  # by what takes a mask of any whole numbers, and no pixels
    *_NO_ARRAYS,
    *_dtypes((HEIGHT, WIDTH), np.float16, np.float32, np.float64, object),
    *_shapes(np.uint8, (), (5,), (HEIGHT, WIDTH, 1)),
]


def finite(value):
    """Whether it is an array of float32 without NaN and infinity."""
    return getattr(value, "dtype", None) == np.float32 and bool(np.isfinite(value).all())


UINT8_ONLY = _dtypes((HEIGHT, WIDTH), np.float32, np.uint16)
CAPACITY = [
    *_NO_ARRAYS,
    *_dtypes((HEIGHT, WIDTH), np.int64, np.uint8, np.float32),
    *_shapes(np.int32, (5,), (0, 3)),
]
FLAG = [(value, TypeError) for value in (None, 1, 0.0, "no", [])]
WORD = [(value, TypeError) for value in (None, 3, b"auto", ["auto"])] + [("magic", ValueError), ("", ValueError)]
DEVICE = [(3, TypeError), (None, TypeError), ("gpu", ValueError), ("cuda:", ValueError), ("cuda:-1", ValueError)]
COLOUR = [
    (3, TypeError),
    ((1.5, 2, 3), TypeError),
    ((True, 2, 3), TypeError),
    ("no such colour", ValueError),
    ("#12345", ValueError),
    ("", ValueError),
    ((1, 2), ValueError),
    ((1, 2, 256), ValueError),
    ((-1, 2, 3), ValueError),
    ((10**30, 2, 3), ValueError),
]


def integer(*beyond):
    """Of a whole number; `beyond` are values out of its range."""
    return [(value, TypeError) for value in ("3", 3.0, True, 1j, [3], np.float32(3))] + [
        (value, ValueError) for value in (*beyond, 2**31, 2**63, 2**64, 10**30, -(10**30))
    ]


def large(*beyond):
    """Of a whole number that has no small upper limit."""
    return [(value, TypeError) for value in ("3", 3.0, True, 1j, [3])] + [
        (value, ValueError) for value in (*beyond, 10**30, -(10**30))
    ]


def real(*beyond):
    return [(value, TypeError) for value in ("3", 1j, True, [0.5])] + [
        (value, ValueError) for value in (*beyond, np.nan, np.inf, -np.inf, 10**400)
    ]


def two(bad):
    """Of one number or two, (down, across): a list of one is the wrong number of them."""
    return [(value, ValueError if isinstance(value, list) else error) for value, error in bad]


NO_NUMBER = [("3", TypeError), (1j, TypeError), (None, TypeError)]  # not used by the method: of any value


def required(bad):
    return [*bad, (None, TypeError)]


POINTS = [
    (3, TypeError),
    ("1,2", TypeError),
    ([3, 4], TypeError),
    ([("1", "2")], TypeError),
    ([], ValueError),
    ([(1,)], ValueError),
    ([(1, 2, 3, 4)], ValueError),
    ([(1, 2, 2)], ValueError),
    ([(WIDTH, 2)], ValueError),
    ([(-0.5, 2)], ValueError),
    ([(np.nan, 2)], ValueError),
]
BOX = [
    (3, TypeError),
    ("abcd", TypeError),
    ((1, 1, 2.5, 2), TypeError),
    ((1, 1, "2", 2), TypeError),
    ((1, 1, 2), ValueError),
    ((1, 1, 2, 2, 2), ValueError),
    ((), ValueError),
    ((1, 1, 0, 2), ValueError),
    ((1, 1, 2, -2), ValueError),
    ((100, 1, 2, 2), ValueError),
    ((10**30, 1, 2, 2), ValueError),
]
SIZE = [
    (3, TypeError),
    (None, TypeError),
    ("12", TypeError),
    ((2.5, 3), TypeError),
    ((True, 3), TypeError),
    ((2, 3, 4), (TypeError, ValueError)),
    ((0, 3), ValueError),
    ((3, -1), ValueError),
    ((3, 10**30), ValueError),
]
SEED = [*required(large(-1)), (2**64, ValueError)]


class Case(NamedTuple):
    """A public function, a legal call of it, and what is bad for each of its parameters."""

    function: object
    legal: dict
    bad: dict


IMAGE = [*PICTURE, *NO_RGBA]
# Where another array must have the picture's depth, a float32 or uint16 picture is no mistake of its own.
IMAGE_OF_UINT8 = [(value, error) for value, error in IMAGE if getattr(value, "dtype", None) not in DEPTHS[1:]]
IMAGE_OF_FLOAT32 = [*_floats((HEIGHT, WIDTH)), *_floats((HEIGHT, WIDTH, 3))]
CONNECTIVITY = required(integer(0, 5, -8))
BINARY = [*PLANE, *UINT8_ONLY]
PROMPT_MASK = [  # None is no prompt, and a word is a file's name
    pair for pair in [*PLANE_LIKE, *UINT8_ONLY] if pair[0] is not None and not isinstance(pair[0], str)
]

SHADOW = [("long", ValueError), ("drop:softness=-1", ValueError), (1, TypeError)]
CASES = [
    Case(
        alphacut.denoise,
        {"image": RGB},
        {"image": IMAGE, "method": WORD, "size": required(integer(1, 4, 33)), "sigma": NO_NUMBER},
    ),
    Case(
        alphacut.denoise,
        {"image": RGB, "method": "bilateral"},
        {"image": IMAGE, "sigma": required(real(0, 4.5)), "sigma_space": real(0, -1, 1e4)},
    ),
    Case(alphacut.white_balance, {"image": RGB}, {"image": IMAGE, "method": WORD, "percent": NO_NUMBER}),
    Case(
        alphacut.white_balance,
        {"image": RGB, "method": "percentile"},
        {"image": IMAGE, "percent": required(real(-0.1, 50))},
    ),
    Case(
        alphacut.gaussian_blur,
        {"image": RGB, "sigma": 1},
        {
            "image": [*(pair for pair in IMAGE if not finite(pair[0])), *NO_RGBA],
            "sigma": [
                *required(two(real(-1, 1e9))),
                ((1,), ValueError),
                ((1, "2"), TypeError),
                ((1, np.nan), ValueError),
            ],
            "truncate": required(real(0, -1, 1e9)),
            "mode": [*WORD, ("constant", ValueError)],
        },
    ),
    Case(
        alphacut.unsharp_mask,
        {"image": RGB},
        {
            "image": IMAGE,
            "sigma": [*required(two(real(-1, 1e9))), ((1, 2, 3), ValueError), ((1, True), TypeError)],
            "amount": required(real(-0.1, 1001)),
            "truncate": required(real(0, -1, 1e9)),
            "mode": [*WORD, ("constant", ValueError)],
        },
    ),
    Case(
        alphacut.morphology,
        {"image": GRAY, "operation": "open", "shape": "box"},
        {
            "image": [
                *_NO_ARRAYS,
                *_dtypes((HEIGHT, WIDTH, 3), np.complex64, object, ">u2"),
                *_shapes(np.uint8, (), (5,), (4, 4, 1), (4, 4, 2), (4, 4, 4), (1, 4, 4, 3)),
                *(pair for pair in _floats((HEIGHT, WIDTH)) if not finite(pair[0])),
            ],
            "operation": WORD,
            "radius": [
                *required(two(integer(-1, 32768))),
                ((1,), ValueError),
                ((1, 2, 3), ValueError),
                ((1, 2.0), TypeError),
                ((1, 32768), ValueError),
            ],
            "shape": WORD,
            "footprint": [
                *(pair for pair in _NO_ARRAYS if pair[0] is not None),
                *_dtypes((3, 3), np.float32, np.float64, object),
                *_shapes(bool, (), (3,), (3, 3, 3), (3, 3), (0, 3)),
            ],
            "mode": WORD,
            "cval": NO_NUMBER,
        },
    ),
    Case(alphacut.morphology, {"image": GRAY, "operation": "open"}, {"radius": [((1, 2), ValueError)]}),
    Case(
        alphacut.reconstruct,
        {"seed": np.minimum(GRAY, 9), "mask": GRAY},
        {
            "seed": [
                *_NO_ARRAYS,
                *_dtypes((HEIGHT, WIDTH), np.int8, np.uint16, np.complex64),
                *_shapes(np.uint8, (5,), (4, 4)),
            ],
            "mask": [
                *_NO_ARRAYS,
                *_dtypes((HEIGHT, WIDTH), np.int8, np.complex64),
                *_shapes(np.uint8, (5,), (4, 4)),
            ],
            "operation": WORD,
            "connectivity": CONNECTIVITY,
        },
    ),
    Case(alphacut.rgb_to_lab, {"image": RGB}, {"image": IMAGE}),
    Case(alphacut.resize, {"image": RGB, "size": (4, 5)}, {"image": IMAGE, "size": SIZE, "method": WORD}),
    Case(
        alphacut.detect_subject,
        {"image": RGB},
        {
            "image": IMAGE,
            "method": WORD,
            "box": BOX,
            "points": POINTS,
            "labels": [*PROMPT_MASK, (np.full_like(MASK, 4), ValueError)],
        },
    ),
    Case(
        alphacut.barrier_map,
        {"image": RGB, "seed": MASK},
        {
            "image": IMAGE,
            "seed": [*PLANE_LIKE, *UINT8_ONLY, (np.zeros_like(MASK), ValueError)],
            "passes": required(integer(0, 1, 1001, -1)),
        },
    ),
    Case(
        alphacut.find_threshold,
        {"gray": GRAY},
        {
            "gray": [*NUMBERS, *_shapes(np.uint8, (0, 4), (4, 0, 3))],
            "method": WORD,
            "classes": required(integer(-1, 0, 1, 257)),
            "mask": PROMPT_MASK,
            "nbins": large(0, 1, -3, 2**20 + 1),
        },
    ),
    Case(
        alphacut.find_threshold,
        {"hist": np.arange(9)},
        {
            "hist": [
                *((value, TypeError) for value in (3, "x", [1, 2], object())),
                (np.arange(9) - 1, ValueError),
                (np.ones((3, 3), int), ValueError),
                ((np.arange(9), np.arange(8)), ValueError),
            ]
        },
    ),
    Case(
        alphacut.threshold,
        {"gray": GRAY},
        {
            "gray": NUMBERS,
            "value": [("magic", ValueError), *required(real())[1:]],
            "mode": WORD,
            "maxval": required(integer(0, 256, -1)),
        },
    ),
    Case(
        alphacut.hysteresis_threshold,
        {"gray": GRAY, "low": 9, "high": 99},
        {"gray": NUMBERS, "low": required(real()), "high": required(real()), "connectivity": CONNECTIVITY},
    ),
    *(
        Case(
            function,
            {"gray": GRAY, "window": 3, "method": "sauvola", "mode": "constant"},
            {
                "gray": [pair for pair in NUMBERS if getattr(pair[0], "dtype", None) != np.int64],
                "window": [
                    *large(-3, 0, 1, 4, 32769)[:4],
                    ([3], ValueError),
                    ((3, 4), ValueError),
                    ((3, 3.0), TypeError),
                ],
                "method": WORD,
                "offset": required(real()),
                "k": required(real()),
                "r": real(0, -1),
                "sigma": real(0, -1),
                "mode": WORD,
                "cval": required(real()),
            },
        )
        for function in (alphacut.adaptive_threshold, alphacut.adaptive_limit)
    ),
    Case(
        alphacut.adaptive_threshold,
        {"gray": GRAY, "window": 3},
        {"window": large(-3, 0, 1, 4, 32769)[5:], "offset": real(256, -256)},
    ),
    Case(
        alphacut.label_components,
        {"mask": MASK},
        {"mask": BINARY_OF_ANY, "connectivity": CONNECTIVITY, "background": [(None, ValueError), (3, ValueError)]},
    ),
    Case(
        alphacut.label_components,
        {"mask": GRAY, "delta": 1},
        {
            "mask": [*NUMBERS, *_shapes(np.uint8, (4, 4, 3))],
            "connectivity": CONNECTIVITY,
            "delta": real(-1),
            "background": real(),
        },
    ),
    Case(
        alphacut.component_stats,
        {"mask": MASK},
        {"mask": BINARY_OF_ANY, "connectivity": CONNECTIVITY, "background": FLAG},
    ),
    Case(
        alphacut.component_shapes,
        {"mask": MASK},
        {
            "mask": BINARY_OF_ANY,
            "connectivity": CONNECTIVITY,
            "weights": [
                *(pair for pair in _NO_ARRAYS if pair[0] is not None),
                *_dtypes((HEIGHT, WIDTH), complex, object),
                *OTHER_SIZE,
            ],
        },
    ),
    Case(
        alphacut.keep_largest,
        {"mask": MASK},
        {"mask": BINARY_OF_ANY, "k": required(large(0, -1)), "connectivity": CONNECTIVITY},
    ),
    Case(
        alphacut.keep_touching,
        {"mask": MASK, "seeds": MASK},
        {"mask": BINARY_OF_ANY, "seeds": [*BINARY_OF_ANY, *OTHER_SIZE], "connectivity": CONNECTIVITY},
    ),
    Case(
        alphacut.remove_small,
        {"mask": MASK, "min_area": 3},
        {
            "mask": BINARY_OF_ANY,
            "min_area": required(large(-1)),
            "max_area": large(-1),
            "connectivity": CONNECTIVITY,
            "invert": FLAG,
            "whole_labels": FLAG,
        },
    ),
    Case(
        alphacut.remove_small,
        {"mask": GRAY, "min_area": 3, "whole_labels": True},
        {
            "mask": [*BINARY_OF_ANY, (np.array([[0, -1]]), ValueError)],
            "min_area": required(large(-1)),
            "max_area": large(-1),
        },
    ),
    Case(
        alphacut.fill_holes,
        {"mask": MASK},
        {"mask": BINARY_OF_ANY, "max_area": large(-1), "connectivity": CONNECTIVITY},
    ),
    Case(
        alphacut.mask_to_polygons,
        {"mask": MASK},
        {"mask": BINARY_OF_ANY, "connectivity": CONNECTIVITY, "simplify": required(real(-1))},
    ),
    Case(alphacut.mask_to_rle, {"mask": MASK}, {"mask": BINARY_OF_ANY}),
    Case(
        alphacut.rle_to_mask,
        {"rle": {"size": [2, 3], "counts": [2, 4]}},
        {
            "rle": [
                *((value, TypeError) for value in (None, 3, "x", [2, 4], {"size": [2, 3]})),
                *(
                    ({"size": [2, 3], "counts": counts}, error)
                    for counts, error in (
                        ("04", TypeError),
                        (b"04", TypeError),
                        (6, TypeError),
                        ([2, 4.0], TypeError),
                        ([2, 2**70], TypeError),
                        ([[2, 4]], TypeError),
                        ([True, True], TypeError),
                        ([], ValueError),
                        ([2, 5], ValueError),
                        ([8, -2], ValueError),
                        ([2**63 - 1, 2**63 - 1, 8], ValueError),
                    )
                ),
                ({"size": [2, 3, 1], "counts": [6]}, ValueError),
                ({"size": [-2, -3], "counts": [6]}, ValueError),
                ({"size": [2.0, 3], "counts": [6]}, TypeError),
                ({"size": "23", "counts": [6]}, TypeError),
            ]
        },
    ),
    Case(
        alphacut.kmeans,
        {"image": RGB, "n_clusters": 2},
        {
            "image": IMAGE,
            "n_clusters": required(large(0, -1, 257)),
            "seed": SEED,
            "max_iter": required(large(0, -1)),
            "tol": required(real(-0.1, 1.1)),
            "init": [
                ("magic", ValueError),
                (None, TypeError),
                ([["a", "b", "c"]] * 2, TypeError),
                ([[0, 0, 0]], ValueError),
                ([[0, 0, 0], [0, 0]], ValueError),
                (np.full((2, 3), np.nan), ValueError),
                (np.full((2, 3), 256.0), ValueError),
                (np.zeros((2, 3), complex), TypeError),
            ],
            "labels": [
                ("ab", TypeError),
                (np.zeros((HEIGHT, WIDTH)), TypeError),
                (np.full((HEIGHT, WIDTH), 2), ValueError),
                *_shapes(np.int32, (HEIGHT, WIDTH + 1)),
            ],
            "attempts": required(large(0, -1, 1001)),
            "device": DEVICE,
        },
    ),
    Case(
        alphacut.kmeans_points,
        {"points": GRAY, "n_clusters": 2},
        {
            "points": [
                *_NO_ARRAYS,
                *_dtypes((HEIGHT, WIDTH), bool, np.int32, np.float64, object, ">f4"),
                *_shapes(np.float32, (), (5,), (0, 4), (4, 0), (4, 17), (4, 4, 1)),
                (np.full((HEIGHT, WIDTH), np.nan, np.float32), ValueError),
                (np.full((HEIGHT, WIDTH), np.inf, np.float32), ValueError),
            ],
            "n_clusters": required(large(0, -1, 65537)),
            "weights": [
                ("abc", TypeError),
                ([1j] * HEIGHT, TypeError),
                (np.ones(HEIGHT + 1), ValueError),
                (np.zeros(HEIGHT), ValueError),
                (np.full(HEIGHT, -1), ValueError),
                (np.full(HEIGHT, np.nan), ValueError),
                (np.full(HEIGHT, np.inf), ValueError),
            ],
            "seed": SEED,
            "max_iter": required(large(0, -1)),
            "tol": required(real(-0.1)),
            "init": [
                ("magic", ValueError),
                (None, TypeError),
                ([["a"] * WIDTH] * 2, TypeError),
                ([[0] * 3] * 2, ValueError),
                ([[0] * WIDTH, [0]], ValueError),
                (np.full((2, WIDTH), np.nan), ValueError),
            ],
            "labels": [
                ("ab", TypeError),
                (np.zeros(HEIGHT), TypeError),
                (np.full(HEIGHT, 2), ValueError),
                (np.full(HEIGHT, -1), ValueError),
                *_shapes(np.int32, (HEIGHT + 1,), (HEIGHT, 1)),
            ],
            "attempts": required(large(0, -1, 1001)),
        },
    ),
    Case(
        alphacut.slic,
        {"image": RGB, "n_segments": 5},
        {
            "image": IMAGE,
            "n_segments": required(large(0, -1)),
            "compactness": required(real(0, -1, 1001)),
            "max_iter": required(large(0, -1)),
        },
    ),
    Case(
        alphacut.graph_cut,
        {"source": CAPACITIES, "sink": CAPACITIES, "neighbours": NEIGHBOURS},
        {
            "source": [*CAPACITY, (-CAPACITIES, ValueError), (CAPACITIES * 2**30, ValueError)],
            "sink": [*CAPACITY, (-CAPACITIES, ValueError), *_shapes(np.int32, (HEIGHT, WIDTH + 1))],
            "neighbours": [
                *CAPACITY,
                (-NEIGHBOURS, ValueError),
                *_shapes(np.int32, (HEIGHT, WIDTH), (3, HEIGHT, WIDTH), (4, HEIGHT + 1, WIDTH)),
            ],
            "reverse": [
                *(pair for pair in CAPACITY if pair[0] is not None),
                (-NEIGHBOURS, ValueError),
                *_shapes(np.int32, (HEIGHT, WIDTH), (2, HEIGHT, WIDTH), (4, HEIGHT + 1, WIDTH)),
            ],
            "device": DEVICE,
            "certify": FLAG,
        },
    ),
    Case(
        alphacut.alpha_expansion,
        {"costs": NEIGHBOURS, "smoothness": 2, "neighbours": NEIGHBOURS},
        {
            "costs": [
                *CAPACITY,
                (NEIGHBOURS * 2**28, ValueError),
                (NEIGHBOURS * -(2**28), ValueError),
                *_shapes(np.int32, (HEIGHT, WIDTH), (257, 1, 1), (4, HEIGHT, 0)),
            ],
            "smoothness": [
                *(pair for pair in required(large(-1, 2**26)) if pair[0] != [3]),
                ([3], ValueError),
                (np.ones((4, 4)), TypeError),
                (np.ones((4, 4), int), ValueError),
                (np.zeros((3, 3), int), ValueError),
                (np.triu(np.ones((4, 4), int)), ValueError),
                (np.abs(np.subtract.outer(range(4), range(4))) ** 2, ValueError),
                (np.full((4, 4), 2**26), ValueError),
            ],
            "neighbours": [
                *(pair for pair in CAPACITY if pair[0] is not None),
                (-NEIGHBOURS, ValueError),
                (NEIGHBOURS * 2**25, ValueError),
                *_shapes(np.int32, (HEIGHT, WIDTH), (3, HEIGHT, WIDTH), (4, HEIGHT + 1, WIDTH)),
            ],
            "labels": [
                *(pair for pair in _NO_ARRAYS if pair[0] is not None),
                *_dtypes((HEIGHT, WIDTH), np.float32, object),
                *OTHER_SIZE,
                (np.full((HEIGHT, WIDTH), 4), ValueError),
                (np.full((HEIGHT, WIDTH), -1), ValueError),
            ],
            "max_iter": required(integer(0, -1)),
            "certify": FLAG,
        },
    ),
    Case(
        alphacut.grabcut,
        {"image": RGB, "labels": MASK // 255 + 2},
        {
            "image": IMAGE,
            "labels": [*PROMPT_MASK, (np.full_like(MASK, 4), ValueError)],
            "box": BOX,
            "max_iter": required(integer(0, -1)),
            "gamma": required(real(-1, 1e6)),
            "n_components": required(integer(0, -1, 17)),
            "unary": [
                *(pair for pair in _NO_ARRAYS if pair[0] is not None),
                *_dtypes((HEIGHT, WIDTH), np.uint8, np.float64),
                *_shapes(np.float32, (5,), (0, WIDTH)),
                (np.full((HEIGHT, WIDTH), np.nan, np.float32), ValueError),
                (np.full((HEIGHT, WIDTH), 10001, np.float32), ValueError),
            ],
            "models": [
                (3, TypeError),
                ("ab", TypeError),
                ((np.ones(65),), ValueError),
                ((np.ones(65), np.ones(64)), ValueError),
                ((np.ones(65), np.ones(13 * 17)), ValueError),
                ((np.ones(65), np.full(65, np.nan)), ValueError),
                ((np.ones(13), np.full(13, -1.0)), ValueError),
                ((["a"] * 13, ["b"] * 13), TypeError),
            ],
            "freeze_models": [*FLAG, (True, ValueError)],
            "clean": FLAG,
            "exact": FLAG,
            "certify": FLAG,
            "seed": required(large(-1)),
            "device": DEVICE,
        },
    ),
    Case(
        alphacut.graphcut.Cutter(RGB).cut,
        {"labels": MASK // 255 + 2, "box": None, "unary": None, "resume": True},
        {
            "labels": [pair for pair in PROMPT_MASK if pair[0] is not None],
            "box": BOX,
            "max_iter": required(integer(0, -1)),
            "clean": FLAG,
            "exact": FLAG,
            "certify": FLAG,
            "resume": FLAG,
        },
    ),
    Case(alphacut.find_key, {"image": RGB}, {"image": IMAGE}),
    Case(
        alphacut.chroma_key,
        {"image": RGB, "key": "green"},
        {
            "image": IMAGE,
            "key": COLOUR,
            "similarity": required(real(-0.1, 2.1)),
            "blend": real(-0.1, 2.1),
            "contiguous": FLAG,
        },
    ),
    Case(
        alphacut.despill,
        {"image": RGB, "key": "green"},
        {
            "image": IMAGE,
            "key": [*COLOUR, (None, TypeError)],
            "alpha": [pair for pair in PLANE_LIKE if pair[0] is not None],
            "strength": required(real(-0.1, 1.1)),
        },
    ),
    Case(
        alphacut.guided_filter,
        {"guide": RGB, "src": MASK, "radius": 2, "eps": 1e-3},
        {
            "guide": IMAGE,
            "src": [*PLANE_LIKE, (np.full((HEIGHT, WIDTH), np.nan, np.float32), ValueError)],
            "radius": required(large(0, -1)),
            "eps": required(real(0, -1)),
            "subsample": required(large(0, -1, 3)),
        },
    ),
    Case(
        alphacut.distance_transform,
        {"mask": MASK},
        {
            "mask": BINARY,
            "metric": WORD,
            "sampling": [(2, TypeError), ((1, 2, 3), TypeError), ((0, 1), ValueError), ((1, np.nan), ValueError)],
            "return_indices": FLAG,
        },
    ),
    Case(alphacut.make_trimap, {"mask": MASK}, {"mask": BINARY, "band": real(-1, 4097)}),
    Case(
        alphacut.adjust_edge,
        {"alpha": MASK},
        {
            "alpha": [*PLANE, *_floats((HEIGHT, WIDTH))],
            "shift": required(real(-101, 101)),
            "feather": required(real(-1, 101)),
        },
    ),
    Case(
        alphacut.refine_alpha,
        {"image": RGB, "trimap": MASK},
        {"image": IMAGE, "trimap": [*PLANE_LIKE, *UINT8_ONLY], "method": WORD},
    ),
    Case(
        alphacut.refine_alpha,
        {"image": RGB, "mask": MASK},
        {"image": IMAGE, "mask": [*BINARY_OF_ANY, *OTHER_SIZE]},
    ),
    Case(
        alphacut.estimate_foreground,
        {"image": RGB, "alpha": MASK},
        {
            "image": IMAGE,
            "alpha": [*PLANE_LIKE, *_floats((HEIGHT, WIDTH))],
            "method": WORD,
            "regularization": required(real(0, -1, 1.1)),
            "return_background": FLAG,
        },
    ),
    Case(
        alphacut.composite,
        {"foreground": RGB, "alpha": MASK, "background": "white"},
        {
            "foreground": IMAGE_OF_UINT8,
            "alpha": PLANE_LIKE,
            "background": [
                *COLOUR,
                *_dtypes((HEIGHT, WIDTH, 3), np.uint16, np.float32, np.int32),
                *_shapes(np.uint8, (HEIGHT, WIDTH + 1, 3), (HEIGHT, WIDTH, 4), (3,)),
            ],
            "linear": FLAG,
            "shadow": SHADOW,
        },
    ),
    Case(
        alphacut.cast_shadow,
        {"alpha": MASK},
        {"alpha": [*PLANE, *_floats((HEIGHT, WIDTH))], "shadow": [*SHADOW, (None, TypeError)]},
    ),
    Case(alphacut.premultiply, {"rgba": RGBA}, {"rgba": [*PICTURE, *_shapes(np.uint8, (4, 4), (4, 4, 3))]}),
    Case(alphacut.unpremultiply, {"rgba": RGBA}, {"rgba": [*PICTURE, *_shapes(np.uint8, (4, 4), (4, 4, 3))]}),
    Case(alphacut.decode_srgb, {"image": RGB}, {"image": IMAGE}),
    Case(alphacut.encode_srgb, {"light": in_depth(RGB, np.float32)}, {"light": IMAGE_OF_FLOAT32}),
    Case(
        blurred_background,
        {"image": RGB, "alpha": MASK},
        {"image": IMAGE_OF_UINT8, "alpha": PLANE_LIKE, "sigma": real(0, -1)},
    ),
    Case(
        alphacut.composite,
        {"foreground": in_depth(RGB, np.float32), "alpha": in_depth(MASK, np.float32), "background": "white"},
        {"foreground": IMAGE_OF_FLOAT32, "alpha": _floats((HEIGHT, WIDTH))},
    ),
    Case(
        blurred_background,
        {"image": in_depth(RGB, np.float32), "alpha": in_depth(MASK, np.float32)},
        {"image": IMAGE_OF_FLOAT32, "alpha": _floats((HEIGHT, WIDTH))},
    ),
    Case(
        alphacut.despill,
        {"image": in_depth(RGB, np.float32), "key": "green", "alpha": in_depth(MASK, np.float32)},
        {"image": IMAGE_OF_FLOAT32, "alpha": _floats((HEIGHT, WIDTH))},
    ),
    Case(
        checkerboard,
        {"height": 5, "width": 6},
        {"height": required(large(0, -1)), "width": required(large(0, -1)), "tile": required(large(0, -1))},
    ),
    Case(alphacut.set_num_threads, {"count": 1}, {"count": required(integer(0, -1, 1025))}),
    Case(
        alphacut.remove_background,
        {"image": RGB, "mask": MASK},
        {
            "image": [pair for pair in READ if not isinstance(pair[0], str)],
            "mask": PROMPT_MASK,
            "method": WORD,
            "subject": WORD,
            "refine": [pair for pair in WORD if pair[0] is not None],
            "edge": [
                (3, TypeError),
                ("1,2", TypeError),
                ((1, "2"), TypeError),
                ((1,), ValueError),
                ((1, -1), ValueError),
            ],
            "clean": FLAG,
            "foreground": FLAG,
            "preprocess": [(3, TypeError), ([3], TypeError), ("magic", ValueError), (["denoise", "x"], ValueError)],
            "device": DEVICE,
            "seed": required(large(-1)),
            "steps": FLAG,
        },
    ),
    Case(
        alphacut.remove_background,
        {"image": RGB, "key": "green"},
        {"similarity": real(-0.1, 2.1), "blend": real(-0.1, 2.1), "despill": FLAG},
    ),
    Case(
        alphacut.remove_background,
        {"image": RGB, "mask": MASK},
        {"similarity": [(0.1, ValueError)], "blend": [(0.1, ValueError)], "despill": [(True, ValueError)]},
    ),
    Case(
        alphacut.remove_background,
        {"image": RGB},
        {
            "box": BOX,
            "points": POINTS,
            "key": COLOUR,
            "model": [(3, TypeError), (["net.onnx"], TypeError), (RGB, TypeError)],
            "instance": [("0", TypeError), (True, TypeError), (0.0, TypeError), (-1, ValueError), (0, ValueError)],
        },
    ),
    Case(
        alphacut.remove_background,
        {"image": RGB},
        {"labels": [*PROMPT_MASK, (np.full_like(MASK, 4), ValueError)], "trimap": PROMPT_MASK},
    ),
    Case(alphacut.Remover().__call__, {"image": RGB, "mask": MASK}, {"resume": FLAG}),
    Case(
        alphacut.read_image,
        {"source": RGB},
        {
            "max_pixels": required(large(0, -1)),
            "source": [
                *(
                    (value, error)
                    for value, error in READ
                    if not isinstance(value, str) and not (isinstance(value, np.ndarray) and value.dtype == np.float32)
                ),
            ],
        },
    ),
    Case(
        alphacut.write_image,
        {"destination": io.BytesIO(), "pixels": RGB, "format": "jpeg"},
        {
            "destination": [(3, TypeError), (None, TypeError)],
            "pixels": [pair for pair in READ if getattr(pair[0], "dtype", None) != np.uint16],
            "format": [
                (3, TypeError),
                (b"png", TypeError),
                ("magic", ValueError),
                ("", ValueError),
                (None, ValueError),
            ],
            "icc_profile": [("profile", TypeError), (3, TypeError)],
            "dpi": [(3, ValueError), ((1, 2, 3), ValueError), ((0, 0), ValueError), ((np.nan, 72), ValueError)],
            "quality": integer(0, 101, -1),
            "png_level": [(4, ValueError)],
            "exif": [("text", TypeError), (3, TypeError)],
        },
    ),
    Case(
        alphacut.write_image,
        {"destination": io.BytesIO(), "pixels": RGB, "format": "png"},
        {"png_level": integer(10, -1), "quality": [(90, ValueError)]},
    ),
    Case(
        alphacut.read_mask,
        {"source": GRAY},
        {"max_pixels": required(large(0, -1)), "source": [pair for pair in READ if not isinstance(pair[0], str)]},
    ),
    Case(
        alphacut.read_labels,
        {"source": np.zeros((4, 5), np.uint8)},
        {
            "max_pixels": required(large(0, -1)),
            "undecided": required(integer(1, 4, -1)),
            "source": [pair for pair in READ if not isinstance(pair[0], str)],
        },
    ),
]


def _name(case):
    return f"{case.function.__name__}({', '.join(case.legal)})"


BAD = [
    pytest.param(case, name, value, error, id=f"{_name(case)}-{name}-{i}")
    for case in CASES
    for name, bad in case.bad.items()
    for i, (value, error) in enumerate(bad)
]


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_the_legal_call_is_legal(case):
    threads = alphacut.get_num_threads()
    case.function(**case.legal)
    alphacut.set_num_threads(threads)


@pytest.mark.parametrize(("case", "name", "value", "error"), BAD)
def test_a_bad_argument_is_refused_by_its_name(case, name, value, error):
    with pytest.raises(error) as caught:
        case.function(**{**case.legal, name: value})
    assert name in str(caught.value)
    assert "incompatible function arguments" not in str(caught.value)  # pybind11's words for the core's signature


class Liar(np.ndarray):
    """An array whose every word is untrue, or fails."""

    shape = property(lambda self: (10**6, 10**6))
    ndim = property(lambda self: 2)

    def _fails(self, *_, **__):
        raise AssertionError("asked, though it need not be")

    copy = astype = sum = min = max = __repr__ = __str__ = __format__ = view = __array_ufunc__ = _fails
    __array_function__ = _fails


LEGAL_ARRAYS = [
    pytest.param(case, name, id=f"{_name(case)}-{name}")
    for case in CASES
    for name, value in case.legal.items()
    if isinstance(value, np.ndarray)
]


@pytest.mark.parametrize(("case", "name"), LEGAL_ARRAYS)
def test_of_a_subclass_no_method_is_asked(case, name):
    threads = alphacut.get_num_threads()
    expected = case.function(**case.legal)
    found = case.function(**{**case.legal, name: case.legal[name].view(Liar)})
    alphacut.set_num_threads(threads)
    assert_equal(found, expected)


def assert_equal(found, expected):
    assert type(found) is type(expected)
    if isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(found, expected)
    elif isinstance(expected, (tuple, list)):
        for pair in zip(found, expected, strict=True):
            assert_equal(*pair)


@pytest.mark.parametrize("value", [RGB.view(Liar), [RGB.view(Liar)], 10**5000], ids=["array", "list", "number"])
def test_a_message_survives_what_it_tells_of(value):
    for case in CASES:
        for name, bad in case.bad.items():
            if bad and not isinstance(case.legal.get(name), np.ndarray):
                with contextlib.suppress(TypeError, ValueError):
                    case.function(**{**case.legal, name: value})


class OnGpu:
    """An array in the memory of a GPU, as CuPy's."""

    __cuda_array_interface__ = {"shape": (4, 4, 3), "typestr": "|u1", "data": (4096, False), "version": 3}  # noqa: RUF012
    shape, ndim, size, dtype = (4, 4, 3), 3, 48, np.dtype(np.uint8)


class Lent:
    """One that has DLPack alone, as any library's."""

    def __dlpack_device__(self):
        return 2, 0

    def __dlpack__(self, **_):
        raise AssertionError("asked for its memory")


ARRAYS = [
    pytest.param(case, name, id=f"{_name(case)}-{name}")
    for case in CASES
    for name in {**case.legal, **case.bad}
    if isinstance(case.legal.get(name), np.ndarray)
    or any(isinstance(value, np.ndarray) for value, _ in case.bad.get(name, []))
    if name not in ("init", "size")
]


@pytest.mark.parametrize("array", [OnGpu(), Lent()], ids=["cuda_array_interface", "dlpack"])
@pytest.mark.parametrize(("case", "name"), ARRAYS)
def test_an_array_on_a_gpu_is_refused_by_what_runs_on_the_cpu(case, name, array):
    device = {"device": "cpu"} if "device" in inspect.signature(case.function).parameters else {}
    with pytest.raises(TypeError, match=rf"{name} lives on a GPU.*copy_to_host\(\).*\.get\(\).*\.cpu\(\)\.numpy\(\)"):
        case.function(**{**case.legal, name: array}, **device)


@pytest.mark.parametrize("array", [OnGpu(), Lent()], ids=["cuda_array_interface", "dlpack"])
def test_an_out_on_a_gpu_is_refused_by_what_runs_on_the_cpu(array):
    for written in _written():
        with pytest.raises(TypeError, match="out lives on a GPU"):
            written.call(*written.arrays(np.uint8), out=array)
        with pytest.raises(TypeError, match="out lives on a GPU"):
            written.call(*written.arrays(np.uint16), out=array)


def test_the_table_is_complete():
    listed = {}
    for case in CASES:
        listed.setdefault(case.function, set()).update(case.bad)
    for name in alphacut.__all__:
        function = getattr(alphacut, name)
        if inspect.isfunction(function):
            parameters = set(inspect.signature(function).parameters) - {"out"}
            assert parameters <= listed.get(function, set()), name


# --- out= ------------------------------------------------------------------------------------------------------------


class Written(NamedTuple):
    """A call whose result can be written to `out`, as a function of the pictures' depth, and its arrays."""

    name: str
    call: object
    arrays: object
    picture: object = None  # gives the array of the result, if that is not all that is returned


def _written():
    def with_one(array):
        return lambda dtype: (in_depth(array, dtype),)

    def with_mask(array):
        return lambda dtype: (in_depth(array, dtype), MASK.copy())

    def with_alpha(array):
        return lambda dtype: (in_depth(array, dtype), in_depth(MASK, dtype))

    def only_mask(dtype):
        return (MASK.copy(),)

    a = alphacut
    for array in (GRAY, RGB):
        yield Written("median", a.denoise, with_one(array))
        yield Written("bilateral", lambda x, out=None: a.denoise(x, "bilateral", out=out), with_one(array))
        yield Written("gray_world", a.white_balance, with_one(array))
        yield Written("percentile", lambda x, out=None: a.white_balance(x, "percentile", out=out), with_one(array))
        yield Written("resize", lambda x, out=None: a.resize(x, (5, 6), out=out), with_one(array))
        yield Written(
            "resize_bilinear", lambda x, out=None: a.resize(x, (9, 4), method="bilinear", out=out), with_one(array)
        )
        for method in ("nearest", "bicubic", "lanczos"):
            yield Written(f"resize_{method}", partial(a.resize, size=(9, 4), method=method), with_one(array))
        yield Written("gaussian_blur", partial(a.gaussian_blur, sigma=1), with_one(array))
        yield Written("gaussian_blur-wide", partial(a.gaussian_blur, sigma=20), with_one(array))
        yield Written("unsharp_mask", a.unsharp_mask, with_one(array))
        for operation in ("erode", "open", "gradient", "tophat", "blackhat"):
            yield Written(f"morphology-{operation}", partial(a.morphology, operation=operation), with_one(array))
        yield Written("morphology-box", partial(a.morphology, operation="dilate", shape="box"), with_one(array))
        yield Written("rgb_to_lab", a.rgb_to_lab, with_one(array))
        yield Written("median9", partial(a.denoise, size=9), with_one(array))
        yield Written("detect_subject", partial(a.detect_subject, box=(1, 1, 9, 9)), with_one(array))
        yield Written("detect_subject", partial(a.detect_subject, method="barrier"), with_one(array))
        yield Written("barrier_map", a.barrier_map, with_mask(array))
        yield Written("threshold", a.threshold, with_one(array))
        yield Written("adaptive_threshold", lambda x, out=None: a.adaptive_threshold(x, 3, out=out), with_one(array))
        yield Written("kmeans", lambda x, out=None: a.kmeans(x, 2, out=out), with_one(array), lambda r: r.labels)
        yield Written("slic", lambda x, out=None: a.slic(x, 4, out=out), with_one(array), lambda r: r.labels)
        yield Written("chroma_key", lambda x, out=None: a.chroma_key(x, "green", out=out), with_one(array))
        yield Written("despill", lambda x, y, out=None: a.despill(x, "green", alpha=y, out=out), with_alpha(array))
        yield Written("guided_filter", lambda x, y, out=None: a.guided_filter(x, y, 2, 0.01, out=out), with_mask(array))
        yield Written("refine_alpha", a.refine_alpha, with_mask(array))
        yield Written("estimate_foreground", a.estimate_foreground, with_alpha(array))
        yield Written("decode_srgb", a.decode_srgb, with_one(array))
        yield Written("to_rgba", a.composite, with_alpha(array))
        yield Written("on_colour", lambda x, y, out=None: a.composite(x, y, "red", out=out), with_alpha(array))
        yield Written(
            "on_picture",
            lambda x, y, z, out=None: a.composite(x, y, z, linear=True, out=out),
            lambda dtype, array=array: (in_depth(array, dtype), in_depth(MASK, dtype), in_depth(RGB, dtype)),
        )
        yield Written(
            "with_shadow", lambda x, y, out=None: a.composite(x, y, shadow="drop", out=out), with_alpha(array)
        )
        yield Written(
            "cutout_on",
            lambda x, y, out=None: a.Cutout(x, MASK, y, x, None, 1.0, "mask").on("red", out=out),
            with_alpha(array),
        )
        yield Written(
            "grabcut",
            lambda x, y, out=None: a.grabcut(x, y, out=out),
            lambda dtype, array=array: (in_depth(array, dtype), MASK // 255 + np.uint8(2)),
            lambda r: r.mask,
        )
        yield Written("blurred_background", blurred_background, with_alpha(array))
    yield Written("premultiply", a.premultiply, with_one(RGBA))
    yield Written("unpremultiply", a.unpremultiply, with_one(RGBA))
    yield Written("label_components", a.label_components, only_mask, lambda r: r[0])
    yield Written("keep_largest", a.keep_largest, only_mask)
    yield Written("keep_touching", lambda x, out=None: a.keep_touching(x, MASK, out=out), only_mask)
    yield Written("remove_small", lambda x, out=None: a.remove_small(x, 2, out=out), only_mask)
    yield Written("fill_holes", a.fill_holes, only_mask)
    yield Written("rle_to_mask", partial(a.rle_to_mask, {"size": [2, 3], "counts": [2, 4]}), lambda dtype: ())
    yield Written("make_trimap", a.make_trimap, only_mask)
    yield Written("adjust_edge", lambda x, out=None: a.adjust_edge(x, shift=1.5, feather=1, out=out), only_mask)
    yield Written("cast_shadow", lambda x, out=None: a.cast_shadow(x, "contact", out=out), only_mask)
    yield Written("distance_transform", a.distance_transform, only_mask)
    yield Written(
        "alpha_expansion",
        lambda x, y, out=None: a.alpha_expansion(x, 2, neighbours=y, out=out),
        lambda dtype: (NEIGHBOURS * np.arange(4, dtype=np.int32)[:, None, None], NEIGHBOURS.copy()),
        lambda r: r.labels,
    )
    yield Written(
        "graph_cut",
        a.graph_cut,
        lambda dtype: (CAPACITIES.copy(), CAPACITIES.copy(), NEIGHBOURS.copy()),
        lambda r: r.mask,
    )


def _spread(array):
    """The same values in memory whose pixels are not contiguous, and read-only."""
    wide = np.zeros((array.shape[0], 2 * array.shape[1], *array.shape[2:]), array.dtype)
    wide[:, ::2] = array
    view = wide[:, ::2]
    view.flags.writeable = False
    return view


@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize("written", list(_written()), ids=lambda one: one.name)
def test_out_is_what_is_returned(written, dtype):
    arrays = written.arrays(dtype)
    before = [array.copy() for array in arrays]
    picture = written.picture or (lambda result: result)
    expected = picture(written.call(*arrays))
    poisoned = np.full_like(expected, 7)
    assert picture(written.call(*arrays, out=poisoned)) is poisoned
    assert np.array_equal(poisoned, expected)
    spread = np.full((expected.shape[0] + 3, *expected.shape[1:]), 7, expected.dtype)
    written.call(*map(_spread, arrays), out=spread[2:-1])  # rows that are not the whole of their array
    assert np.array_equal(spread[2:-1], expected)
    assert (spread[:2] == 7).all()
    assert (spread[-1:] == 7).all()
    assert all(np.array_equal(*pair) for pair in zip(arrays, before, strict=True))


@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize("written", list(_written()), ids=lambda one: one.name)
def test_of_a_subclass_of_any_depth_no_method_is_asked(written, dtype):
    picture = written.picture or (lambda result: result)
    arrays = written.arrays(dtype)
    if written.name != "cutout_on":  # whose arrays are a cutout's own
        found = picture(written.call(*(array.view(Liar) for array in arrays)))
        np.testing.assert_array_equal(found, picture(written.call(*arrays)))


@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize("written", list(_written()), ids=lambda one: one.name)
def test_an_out_that_does_not_fit_is_refused(written, dtype):
    arrays = written.arrays(dtype)
    picture = written.picture or (lambda result: result)
    good = picture(written.call(*arrays)).copy()
    frozen = good.copy()
    frozen.flags.writeable = False
    longer = np.zeros((good.shape[0] + 1, *good.shape[1:]), good.dtype)
    for out, error in (
        (good.tolist(), TypeError),
        (good.astype(np.float64), TypeError),
        (good.astype(np.int8), TypeError),
        (longer, ValueError),
        (good[..., None], ValueError),
        (frozen, ValueError),
    ):
        with pytest.raises(error, match="out "):
            written.call(*arrays, out=out)
    # Memory that is an input's, too: from one buffer come `out` and each input in turn, with gaps between its pixels.
    for index, array in enumerate(arrays):
        shared = np.zeros(8 * max(array.nbytes, good.nbytes), np.uint8)
        out = shared[: good.nbytes].view(good.dtype).reshape(good.shape)
        wide = shared[: 2 * array.nbytes].view(array.dtype).reshape(*array.shape[:-1], 2 * array.shape[-1])
        for overlapping in (
            shared[: array.nbytes].view(array.dtype).reshape(array.shape),
            wide[..., ::2],
        ):
            overlapping[...] = array
            inputs = [overlapping if i == index else other for i, other in enumerate(arrays)]
            with pytest.raises(ValueError, match="out overlaps an input"):
                written.call(*inputs, out=out)
            assert np.array_equal(overlapping, array)
