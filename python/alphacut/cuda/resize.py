"""Smaller copies of a picture on the GPU: the bytes of ``_core.resize_area``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from .._arrays import Array
from ._exact import over, plus, times
from ._grid import launch
from ._kernel import kernel

float32 = np.float32


@kernel("void(uint8[:, ::1], int64[::1], float32[:, ::1], float32[:, ::1])")
def add_rows(picture, first, weights, sums):  # type: ignore[no-untyped-def]
    """Weighted sums of the rows that each row of the result takes in."""
    height, width = sums.shape
    for i in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        y = i // width
        x = i - y * width
        total = float32(0)
        for tap in range(weights.shape[1]):
            total = plus(total, times(weights[y, tap], float32(picture[first[y] + tap, x])))
        sums[y, x] = total


@kernel("void(float32[:, :, ::1], int64[::1], float32[:, ::1], float32, uint8[:, :, ::1])")
def add_columns(sums, first, weights, divisor, small):  # type: ignore[no-untyped-def]
    """The same along the rows, divided and rounded."""
    height, width, channels = small.shape
    for i in range(cuda.grid(1), height * width * channels, cuda.gridsize(1)):
        y = i // (width * channels)
        x = i // channels - y * width
        channel = i % channels
        total = float32(0)
        for tap in range(weights.shape[1]):
            total = plus(total, times(weights[x, tap], sums[y, first[x] + tap, channel]))
        small[y, x, channel] = np.int32(min(plus(over(total, divisor), float32(0.5)), float32(255)))


def resize_area(picture: Any, height: int, width: int) -> Any:
    """A copy, no larger, of a picture (H, W, C) of uint8 on the current GPU."""
    old_height, old_width, channels = picture.shape
    (rows, row_weights), (columns, column_weights) = _taps(old_height, height), _taps(old_width, width)
    sums = cuda.device_array((height, old_width, channels), np.float32)
    small = cuda.device_array((height, width, channels), np.uint8)
    flat = height, old_width * channels
    add_rows[launch(flat[0] * flat[1])](
        picture.reshape(old_height, flat[1]), cuda.to_device(rows), cuda.to_device(row_weights), sums.reshape(flat)
    )
    divisor = (float32(old_height) / float32(height)) * (float32(old_width) / float32(width))
    add_columns[launch(small.size)](sums, cuda.to_device(columns), cuda.to_device(column_weights), divisor, small)
    return small


def _taps(size: int, parts: int) -> tuple[Array, Array]:
    """The first of the pixels that each part of an axis takes in, and the share that it takes of each of these.

    In units of 1/parts of a pixel everything is a whole number.
    """
    taps = min(size, size // parts + (0 if size % parts == 0 else 2))
    begin = np.arange(parts) * size
    first = np.minimum(begin // parts, size - taps)
    pixel = (first[:, np.newaxis] + np.arange(taps)) * parts
    share = np.minimum(pixel + parts, begin[:, np.newaxis] + size) - np.maximum(pixel, begin[:, np.newaxis])
    return first, (np.maximum(share, 0) / parts).astype(np.float32)
