"""Twins of stages for NVIDIA GPUs, in Numba CUDA: same signatures, same bytes.

The functions of the package call them where their ``device`` says so. Importing this package loads nothing; importing
one of its modules loads Numba.
"""

import importlib
import pkgutil


def compile_kernels() -> None:
    """Compile all kernels for the current GPU, and not when they are first launched.

    Takes seconds the first time on a machine, and a fraction of a second from then on: Numba keeps what it compiled, in
    the package's ``__pycache__`` if that can be written to, else in the user's cache folder or ``NUMBA_CACHE_DIR``.
    """
    from ._kernel import KERNELS

    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    for kernel in KERNELS:
        kernel.compiled  # noqa: B018
