"""Arithmetic of float32, rounded after every step as the CPU's; what is written plainly, a GPU's compiler may fuse."""

from __future__ import annotations

import numpy as np
from numba import config, cuda
from numba.cuda import libdevice

if config.ENABLE_CUDASIM:  # it knows no libdevice, and fuses nothing

    @cuda.jit(device=True)
    def plus(a, b):  # type: ignore[no-untyped-def]
        """a + b."""
        return np.float32(a) + np.float32(b)

    @cuda.jit(device=True)
    def minus(a, b):  # type: ignore[no-untyped-def]
        """a - b."""
        return np.float32(a) - np.float32(b)

    @cuda.jit(device=True)
    def times(a, b):  # type: ignore[no-untyped-def]
        """a · b."""
        return np.float32(a) * np.float32(b)

    @cuda.jit(device=True)
    def over(a, b):  # type: ignore[no-untyped-def]
        """a / b."""
        return np.float32(a) / np.float32(b)

else:

    @cuda.jit(device=True)
    def plus(a, b):  # type: ignore[no-untyped-def]
        """a + b."""
        return libdevice.fadd_rn(a, b)

    @cuda.jit(device=True)
    def minus(a, b):  # type: ignore[no-untyped-def]
        """a - b."""
        return libdevice.fsub_rn(a, b)

    @cuda.jit(device=True)
    def times(a, b):  # type: ignore[no-untyped-def]
        """a · b."""
        return libdevice.fmul_rn(a, b)

    @cuda.jit(device=True)
    def over(a, b):  # type: ignore[no-untyped-def]
        """a / b."""
        return libdevice.fdiv_rn(a, b)
