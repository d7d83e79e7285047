"""Arrays on the GPU: what comes in, where it is, and what goes out.

Results are complete when a function returns, whatever stream reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import config, cuda
from numpy.typing import DTypeLike

from .. import _device
from . import _dlpack

_NumbaArray: Any = getattr(cuda.cudadrv.devicearray, "DeviceNDArray", object)  # the simulator has none


class DeviceArray(_NumbaArray):  # type: ignore[misc]
    """Numba's array, which can also be handed on by DLPack. Whoever made it waited until it was complete."""

    def __dlpack_device__(self) -> tuple[int, int]:
        return _dlpack.CUDA, int(self.gpu_data.context.device.id)

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        device = self.__dlpack_device__()
        if copy or dl_device not in (None, device):
            raise BufferError("this array is handed on as it is: it can be neither copied nor moved")
        return _dlpack.capsule(self, self.__cuda_array_interface__, device)


def given(array: Any, name: str, dtypes: tuple[DTypeLike, ...]) -> Any:
    """An argument as an array, ready to be read: a NumPy one as it is, or Numba's view of one on the current GPU.

    Raises
    ------
    TypeError
        If it is no such array, or has another dtype.
    ValueError
        If it lives on another GPU, or lives on a GPU and is not contiguous in C's order.
    """
    if not isinstance(array, np.ndarray):
        if not _device.lives_on_gpu(array):
            raise TypeError(f"{name} must be a numpy.ndarray or an array on a GPU, got {type(array).__name__}")
        array = _view(array, name)
    if array.dtype not in dtypes:
        expected = " or ".join(str(np.dtype(dtype)) for dtype in dtypes)
        raise TypeError(f"{name} must have dtype {expected}, got {array.dtype}")
    if not isinstance(array, np.ndarray) and not array.is_c_contiguous():
        raise ValueError(f"{name} on a GPU must be contiguous")
    return array


def on_device(array: Any) -> Any:
    """What `given` gave, on the current GPU."""
    if not isinstance(array, np.ndarray):
        return array
    # An axis of length 1 may have a stride of 0, as np.newaxis makes it: contiguous for NumPy, but not for Numba.
    return cuda.to_device(np.ascontiguousarray(array).reshape(-1).reshape(array.shape))


def checked_out(out: Any, inputs: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """`out` as an array that a uint8 result of this shape can be written to, or None; `inputs` are what `given` gave.

    Raises
    ------
    TypeError
        If it is no array, or none of uint8.
    ValueError
        If it overlaps an input, has another shape, is read-only, or is on a GPU and not contiguous or on another one.
    """
    if out is None:
        return None
    target = given(out, "out", (np.uint8,))
    if isinstance(out, np.ndarray):
        writeable = out.flags.writeable
        overlaps = any(isinstance(array, np.ndarray) and np.shares_memory(out, array) for array in inputs)
    else:
        writeable = not getattr(out, "__cuda_array_interface__", {"data": (0, False)})["data"][1]
        overlaps = any(_overlap(target, array) for array in inputs if not isinstance(array, np.ndarray))
    if overlaps:
        raise ValueError("out overlaps an input")
    if target.shape != shape or not writeable:
        raise ValueError(f"out must be writeable and have shape {shape}, got {target.shape}")
    return target


def written(target: Any, shape: tuple[int, ...]) -> Any:
    """The uint8 array for the kernels to write: what `checked_out` gave if that is on the GPU, or a new one."""
    on_gpu = target is not None and not isinstance(target, np.ndarray)
    return target if on_gpu else cuda.device_array(shape, np.uint8)


def result(array: Any, out: Any, like: Any) -> Any:
    """What to return of what was `written`: `out`, filled; without it a NumPy array if the input `like` is one."""
    if isinstance(out, np.ndarray):
        out[...] = array.copy_to_host()
    if out is not None:
        return out
    if isinstance(like, np.ndarray):
        return array.copy_to_host()
    if config.ENABLE_CUDASIM:
        return array
    return DeviceArray(array.shape, array.strides, array.dtype, gpu_data=array.gpu_data)


def _view(array: Any, name: str) -> Any:
    """Numba's view of an array on the current GPU, once what is still being written is complete."""
    here = _device.current()
    interface = getattr(array, "__cuda_array_interface__", None)
    there = array.__dlpack_device__()[1] if interface is None else _ordinal(interface["data"][0], here)
    if there != here:
        raise ValueError(
            f"{name} lives on cuda:{there}, but the current GPU is cuda:{here}: pass device='cuda:{there}'"
        )
    if interface is None:
        # The producer makes this stream, Numba's default, wait for its own.
        array = _dlpack.Borrowed(array.__dlpack__(stream=2 if config.CUDA_PER_THREAD_DEFAULT_STREAM else 1))
    elif "stream" not in interface:
        cuda.synchronize()  # nothing says on which stream it is still being written
    return cuda.as_cuda_array(array)


def _ordinal(address: int, current: int) -> int:
    """The GPU of memory; of an empty array, any."""
    if address == 0:
        return current
    driver = cuda.cudadrv.driver
    attribute = driver.binding.CUpointer_attribute.CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL
    return int(driver.driver.cuPointerGetAttribute(attribute, driver.binding.CUdeviceptr(address)))


def _overlap(a: Any, b: Any) -> bool:
    """Whether two contiguous arrays on the GPU share memory."""
    first, second = (array.__cuda_array_interface__["data"][0] for array in (a, b))
    return bool(first < second + b.nbytes and second < first + a.nbytes)
