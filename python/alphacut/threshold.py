"""Thresholds: pixels above a limit are foreground."""

from __future__ import annotations

import numpy as np

from . import _core
from ._arrays import Array


def threshold(gray: Array, value: float, *, out: Array | None = None) -> Array:
    """placeholder docstring: completed with the stage."""
    if isinstance(gray, np.ndarray) and gray.dtype == np.float32:
        return _core.threshold_f32(gray, value, out)
    return _core.threshold_u8(gray, int(value), out)
