"""Kernels with their signatures: each is compiled for exactly these, and the test that compiles all to PTX finds it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from numba import config, cuda

KERNELS: list[Kernel] = []


class Kernel:
    """A kernel that is compiled, for all its signatures, when it is first launched."""

    def __init__(
        self, function: Callable[..., None], signatures: tuple[str, ...], max_registers: int | None = None
    ) -> None:
        self.function = function
        self.signatures = signatures
        self._options = {} if max_registers is None else {"max_registers": max_registers}
        KERNELS.append(self)

    @cached_property
    def compiled(self) -> Any:
        """For the current GPU, from Numba's cache if that has it."""
        if config.ENABLE_CUDASIM:
            return cuda.jit(list(self.signatures))(self.function)
        # Numba looks whether the kernel's own file has changed; the functions that it calls may be in another.
        self.function.__qualname__ = f"{self.function.__name__}_{_digest()}"
        try:
            return cuda.jit(list(self.signatures), cache=True, **self._options)(self.function)
        except Exception:  # no folder can be written to, a file is broken; what is wrong with the kernel shows below
            return cuda.jit(list(self.signatures), **self._options)(self.function)

    def __getitem__(self, launch: tuple[Any, ...]) -> Any:
        """As Numba's: ``kernel[blocks, threads](*arguments)``."""
        return self.compiled[launch]


@cache
def _digest() -> str:
    """Of the source of all modules with kernels."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def kernel(*signatures: str, max_registers: int | None = None) -> Callable[[Callable[..., None]], Kernel]:
    """Make a function a kernel with these Numba signatures, and at most so many registers a thread."""
    return lambda function: Kernel(function, signatures, max_registers)
