"""DLPack for arrays on a GPU, in and out.

NumPy makes the capsules, reads them and calls their deleters; it refuses memory of a GPU only by the device that a
capsule names. So that field is written here, and NumPy's arrays over such memory never leave this module: nothing may
read them.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from .._arrays import Array

HOST, CUDA, CUDA_MANAGED = 1, 2, 13  # kinds of devices


class _Tensor(ctypes.Structure):
    """The head of a DLTensor, with which an unversioned DLManagedTensor begins."""

    _fields_ = (("data", ctypes.c_void_p), ("kind", ctypes.c_int32), ("ordinal", ctypes.c_int32))


_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


def _tensor(capsule: Any) -> _Tensor:
    return _Tensor.from_address(_pointer(capsule, b"dltensor"))  # a ValueError if another has taken it


class Borrowed:
    """Memory lent by a capsule, which its deleter takes back when this object is gone.

    It has ``__cuda_array_interface__``, so that Numba makes an array of it and keeps it. No stream is left to wait for.
    """

    def __init__(self, capsule: Any) -> None:
        tensor = _tensor(capsule)
        self.ordinal, kind = tensor.ordinal, tensor.kind
        tensor.kind, tensor.ordinal = HOST, 0
        try:
            self._array: Array = np.from_dlpack(_Carrier(capsule))
        finally:
            tensor.kind, tensor.ordinal = kind, self.ordinal  # as its deleter may expect
        self.dtype = self._array.dtype

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        described = self._array.__array_interface__
        keys = ("shape", "strides", "typestr")
        return {key: described[key] for key in keys} | {
            "data": (described["data"][0], False),  # a capsule of this version does not say
            "version": 3,
            "stream": None,
        }


class _Carrier:
    """Hands a capsule to NumPy."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **_: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return HOST, 0


def capsule(owner: Any, interface: dict[str, Any], device: tuple[int, int]) -> Any:
    """A capsule that lends the memory of an array interface, and keeps its owner until the deleter is called."""
    address, _ = interface["data"]
    described = {key: interface.get(key) for key in ("shape", "strides", "typestr")}
    source = _Described({**described, "data": (address, False), "version": 3}, owner)
    lent = np.asarray(source).__dlpack__()
    tensor = _tensor(lent)
    tensor.kind, tensor.ordinal = device
    return lent


class _Described:
    """An array interface with its owner."""

    def __init__(self, interface: dict[str, Any], owner: Any) -> None:
        self.__array_interface__ = interface
        self._owner = owner
