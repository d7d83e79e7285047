"""Calls of the flow that tests/cpp/test_session.cpp makes, too: its bytes must be these."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

import alphacut

from .calls import labels, mask, picture, soft, trimap

PATH = Path(__file__).with_name("flow.txt")
BOX = (30, 8, 74, 72)

CALLS: dict[str, Callable[[], alphacut.Cutout]] = {
    "automatic": lambda: alphacut.remove_background(picture()),
    "learned": lambda: alphacut.remove_background(picture(), method="graphcut"),
    "barrier": lambda: alphacut.remove_background(picture(), method="graphcut", subject="barrier"),
    "box": lambda: alphacut.remove_background(picture(), box=BOX),
    "edge": lambda: alphacut.remove_background(picture(), box=BOX, edge=(-1.5, 1)),
    "points": lambda: alphacut.remove_background(picture(), points=[(66, 42), (10, 10, 0)]),
    "keep": lambda: alphacut.remove_background(picture(), points=[(20.5, 70)]),
    "labels": lambda: alphacut.remove_background(picture(), labels=labels(), refine="guided"),
    "mask": lambda: alphacut.remove_background(picture(), mask=mask(), refine="sampled"),
    "trimap": lambda: alphacut.remove_background(picture(), trimap=trimap()),
    "key": lambda: alphacut.remove_background(picture(), key="#5a6a50", blend=0.1, despill=True),
    "kmeans": lambda: alphacut.remove_background(picture(), method="kmeans", preprocess="denoise"),
    "threshold": lambda: alphacut.remove_background(picture(), method="threshold", refine=None, foreground=False),
    "16 bits": lambda: alphacut.remove_background(picture().astype(np.uint16) * np.uint16(257), box=BOX),
    "float": lambda: alphacut.remove_background(picture().astype(np.float32) / np.float32(255), box=BOX),
    "own alpha": lambda: alphacut.remove_background(np.dstack([picture(), soft()]), box=BOX),
}


def digest(cutout: alphacut.Cutout) -> str:
    """FNV-1a (Fowler, Noll, Vo), 64 bits, of mask, alpha and colours."""
    value = 0xCBF29CE484222325
    for plane in (cutout.mask, cutout.alpha, cutout.foreground):
        for byte in plane.tobytes():
            value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def text() -> str:
    """A line a call."""
    return "".join(f"{digest(call())} {name}\n" for name, call in CALLS.items())
