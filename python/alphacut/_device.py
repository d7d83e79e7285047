"""Which device a function runs on: chosen here and nowhere else. Numba is imported only when CUDA is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np

from . import _core

# Pixels above which "auto" takes the GPU for an array in host memory, transfers included. None: not measured on any GPU
# yet, so such arrays stay on the CPU.
CROSSOVER: dict[str, int | None] = {"kmeans": None, "graphcut": None, "grabcut": None}


class DeviceUnavailableError(RuntimeError):
    """A device was asked for that cannot be used here; the message says why."""


class Device(NamedTuple):
    """A device that was chosen; ``str()`` gives "cpu" or "cuda:N"."""

    kind: str
    ordinal: int = 0

    def __str__(self) -> str:
        return "cpu" if self.kind == "cpu" else f"{self.kind}:{self.ordinal}"

    def active(self) -> AbstractContextManager[Any]:
        """A context in which this GPU is the current one, and its want of memory a DeviceUnavailableError.

        Nothing changes for the CPU.
        """
        return nullcontext() if self.kind == "cpu" else self._active()

    @contextmanager
    def _active(self) -> Iterator[None]:
        from numba import cuda

        try:
            with cuda.gpus[self.ordinal]:
                yield
        except Exception as error:
            if "CUDA_ERROR_OUT_OF_MEMORY" not in str(error):
                raise
            raise DeviceUnavailableError(f"{self} has too little free memory: {error}") from error


def lives_on_gpu(array: Any) -> bool:
    """Whether an array is a GPU's, by its CUDA array interface or DLPack."""
    if isinstance(array, np.ndarray):
        return False
    if hasattr(array, "__cuda_array_interface__"):
        return True
    device = getattr(array, "__dlpack_device__", None)
    if not callable(device):
        return False
    try:
        answer = device()
    except Exception as error:
        raise TypeError(f"{type(array).__name__}.__dlpack_device__() fails") from error
    kind = answer[0] if isinstance(answer, tuple) and answer else None
    return kind in (2, 13)  # CUDA's own memory, or managed


def resolve(device: str, *, stage: str, pixels: int, on_gpu: bool = False) -> Device:
    """Choose the device for one call of `stage`.

    Parameters
    ----------
    device : str
        "auto", "cpu", "cuda" (the current GPU) or "cuda:N".
    stage : str
        A key of ``CROSSOVER``.
    pixels : int
        Size of the input.
    on_gpu : bool, optional
        Whether the input already lives on a GPU; then "auto" stays there.

    Returns
    -------
    Device

    Raises
    ------
    TypeError
        If `device` is not a str.
    ValueError
        If `device` is not one of these words.
    DeviceUnavailableError
        If a GPU is needed but none can be used.
    """
    if not isinstance(device, str):
        raise TypeError(f"device must be a str, got {type(device).__name__}")
    match = re.fullmatch(r"auto|cpu|cuda(?::(\d{1,4}))?", device, re.ASCII)
    if match is None:
        raise ValueError(f"device must be 'auto', 'cpu', 'cuda' or 'cuda:N', got {device!r}")
    if device == "cpu":
        return Device("cpu")
    if device == "auto" and not on_gpu:
        crossover = CROSSOVER[stage]
        if crossover is None or pixels < crossover or _gpus()[1] is not None:
            return Device("cpu")
        return Device("cuda", current())
    gpus, reason = _gpus()
    if reason is None:
        index = current() if match[1] is None else int(match[1])
        if index < len(gpus):
            return Device("cuda", index)
        reason = f"there are {len(gpus)} CUDA devices, numbered from 0"
    wanted = "the array lives on a GPU" if device == "auto" else f"device={device!r}"
    raise DeviceUnavailableError(f"{wanted}, but no such GPU can be used: {reason}")


def info() -> dict[str, Any]:
    """What this installation runs on.

    Returns
    -------
    dict
        ``version``; ``isa``, the instruction set in use, and ``isas``, those available, slowest first; ``threads``;
        ``cuda``, a dict of ``available`` (bool), ``reason`` (why not, or None), ``driver`` (the CUDA version that the
        driver supports, a pair, or None without a GPU) and ``devices``, a list of dicts of ``name``,
        ``compute_capability`` (a pair) and ``memory`` (bytes, or None where it cannot be told).

    Notes
    -----
    Imports Numba, which takes a moment, and asks the CUDA driver, if numba-cuda is installed.

    Examples
    --------
    >>> import alphacut
    >>> sorted(alphacut.info())
    ['cuda', 'isa', 'isas', 'threads', 'version']
    """
    from . import __version__

    gpus, reason = _gpus()
    return {
        "version": __version__,
        "isa": _core.isa(),
        "isas": _core.available_isas(),
        "threads": _core.num_threads(),
        "cuda": {
            "available": reason is None,
            "reason": reason,
            "driver": _driver() if reason is None else None,
            "devices": [_description(gpu) for gpu in gpus],
        },
    }


def _gpus() -> tuple[list[Any], str | None]:
    """Numba's devices, and why none can be used (None if one can)."""
    try:
        import numba_cuda  # noqa: F401  (Numba's own CUDA target is older and not supported)
        from numba import cuda
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] not in ("numba", "numba_cuda"):
            return [], f"numba-cuda cannot be imported: {error}"
        return [], "numba-cuda is not installed: pip install 'alphacut[cuda12]' or 'alphacut[cuda13]'"
    except ImportError as error:
        return [], f"numba-cuda cannot be imported: {error}"
    try:
        gpus = list(cuda.gpus)
    except Exception as error:  # whatever the driver complains of is the reason
        return [], _driver_trouble(str(error))
    return (gpus, None) if gpus else ([], "the NVIDIA driver finds no device")


def _driver_trouble(message: str) -> str:
    text = " ".join(message.removeprefix("Error at driver init:").split()).rstrip(":")
    if "cannot be found" in text:
        return f"no NVIDIA driver: {text}"
    if "CUDA_ERROR_NO_DEVICE" in text or "(100)" in text:
        return f"the NVIDIA driver finds no device: {text}"
    return text if "NUMBA_DISABLE_CUDA" in text else f"the NVIDIA driver fails: {text}"


def current() -> int:
    """The current GPU's number."""
    from numba import cuda

    return int(getattr(cuda.current_context().device, "id", 0))  # the simulator's device has none


def _driver() -> tuple[int, int] | None:
    from numba import cuda

    if not hasattr(cuda.cudadrv, "driver"):  # the simulator
        return None
    major, minor = cuda.cudadrv.driver.driver.get_version()
    return int(major), int(minor)


def _description(gpu: Any) -> dict[str, Any]:
    from numba import cuda

    name = getattr(gpu, "name", "simulator")
    with gpu:
        memory = cuda.current_context().get_memory_info().total
    return {
        "name": name.decode() if isinstance(name, bytes) else name,
        "compute_capability": tuple(gpu.compute_capability),
        "memory": int(memory) if memory != float("inf") else None,
    }
