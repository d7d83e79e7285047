"""Arithmetic of float32, rounded after every step as the CPU's; what is written plainly, a GPU's compiler may fuse."""

import numpy as np
from numba import config
from numba.cuda import libdevice

if config.ENABLE_CUDASIM:  # it knows no libdevice, and fuses nothing
    plus, minus, times, over = np.add, np.subtract, np.multiply, np.divide
else:
    plus, minus, times, over = libdevice.fadd_rn, libdevice.fsub_rn, libdevice.fmul_rn, libdevice.fdiv_rn
