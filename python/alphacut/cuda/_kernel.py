"""Kernels with their signatures: each is compiled for exactly these, and the test that compiles all to PTX finds it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
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
    def _compiled(self) -> Any:
        options = {} if config.ENABLE_CUDASIM else self._options  # the simulator knows none
        return cuda.jit(list(self.signatures), **options)(self.function)

    def __getitem__(self, launch: tuple[Any, ...]) -> Any:
        """As Numba's: ``kernel[blocks, threads](*arguments)``."""
        return self._compiled[launch]


def kernel(*signatures: str, max_registers: int | None = None) -> Callable[[Callable[..., None]], Kernel]:
    """Make a function a kernel with these Numba signatures, and at most so many registers a thread."""
    return lambda function: Kernel(function, signatures, max_registers)
