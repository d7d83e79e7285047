"""What kernels over the pixels of a picture share: how many threads they take, their sums, the eight neighbours."""

from __future__ import annotations

import numpy as np
from numba import cuda

THREADS = 256
MIN_BLOCKS = 128  # Numba warns of fewer; idle ones cost next to nothing
MAX_BLOCKS = 2048

# Directions come in pairs: k ^ 1 is the way back. Even ones are those of `neighbours`. Two bits each, with 1 for 0: a
# tuple would be looked up in memory.
_DX = sum((step + 1) << 2 * k for k, step in enumerate((1, -1, 0, 0, 1, -1, -1, 1)))
_DY = sum((step + 1) << 2 * k for k, step in enumerate((0, 0, 1, -1, 1, -1, 1, -1)))

int32 = np.int32  # Numba widens int32 arithmetic to int64 unless told


def at_least(blocks: int) -> int:
    """So many blocks, or those that Numba does not warn of."""
    return max(blocks, MIN_BLOCKS)


def launch(work: int) -> tuple[int, int]:
    """Blocks and threads for so many steps of a loop over the grid."""
    return min(at_least(-(-work // THREADS)), MAX_BLOCKS), THREADS


@cuda.jit(device=True)
def dx(k):  # type: ignore[no-untyped-def]
    """Columns to the right in direction k."""
    return int32(((_DX >> (2 * k)) & 3) - 1)


@cuda.jit(device=True)
def dy(k):  # type: ignore[no-untyped-def]
    """Rows down in direction k."""
    return int32(((_DY >> (2 * k)) & 3) - 1)


@cuda.jit(device=True)
def add_up(value, state, field):  # type: ignore[no-untyped-def]
    """Add the values of a block's threads to a field of the state, at once. All threads must come here."""
    part = cuda.shared.array(THREADS, np.int64)
    thread = cuda.threadIdx.x
    part[thread] = value
    step = THREADS // 2
    while step > 0:
        cuda.syncthreads()
        if thread < step:
            part[thread] += part[thread + step]
        step //= 2
    if thread == 0 and part[0] != 0:
        cuda.atomic.add(state, field, part[0])
    cuda.syncthreads()
