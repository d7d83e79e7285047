"""DLPack without a GPU: capsules of the host's memory, and such as say they were a GPU's."""

import ctypes
import gc
import weakref
from types import SimpleNamespace

import numpy as np
import pytest

from alphacut import _device
from alphacut.cuda import _dlpack

from .conftest import SIMULATED

SHAPES = [(), (0,), (3,), (2, 3), (4, 5, 3)]


class Producer:
    """A library that lends a host's array as if it were a GPU's, and counts how often it gets it back."""

    def __init__(self, array, device=(2, 1)):
        self.array, self.device, self.asked = array, device, []

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **options):
        self.asked.append(options)
        capsule = self.array.__dlpack__()
        tensor = _dlpack._tensor(capsule)
        tensor.kind, tensor.ordinal = self.device
        return capsule


class Exported:
    """Lends an array by the capsule under test."""

    def __init__(self, array, device=(1, 0)):
        self.array, self.device = array, device

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **_):
        return _dlpack.capsule(self, self.array.__array_interface__, self.device)


def seen(borrowed):
    """What is there, read through the interface."""

    class Described:
        __array_interface__ = borrowed.__cuda_array_interface__

    return np.array(Described())


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float32])
@pytest.mark.parametrize("shape", SHAPES)
def test_borrows_what_is_lent(shape, dtype, rng):
    array = rng.integers(0, 100, shape).astype(dtype)
    borrowed = _dlpack.Borrowed(Producer(array).__dlpack__())
    assert borrowed.ordinal == 1
    assert borrowed.dtype == dtype
    got = seen(borrowed)
    assert got.dtype == dtype
    assert got.shape == shape
    assert np.array_equal(got, array)
    assert borrowed.__cuda_array_interface__["stream"] is None


def test_borrows_strides(rng):
    array = rng.integers(0, 100, (6, 8, 3)).astype(np.uint8)
    for view in (array[::2], array[:, ::-1], array.transpose(1, 0, 2), array[1:, 2:]):
        borrowed = _dlpack.Borrowed(Producer(view).__dlpack__())
        assert np.array_equal(seen(borrowed), view)
        strides = borrowed.__cuda_array_interface__["strides"]
        assert strides == (None if view.flags.c_contiguous else view.strides)


def test_memory_is_held_until_the_borrower_is_gone():
    class Owned(np.ndarray):
        pass

    array = np.arange(5, dtype=np.uint8).view(Owned)
    alive = weakref.ref(array)
    capsule = Producer(array).__dlpack__()
    borrowed = _dlpack.Borrowed(capsule)
    del array, capsule
    gc.collect()
    assert alive() is not None
    assert seen(borrowed).tolist() == [0, 1, 2, 3, 4]
    del borrowed
    gc.collect()
    assert alive() is None


def test_the_deleter_is_called_once_and_finds_its_device():
    """A capsule made by hand, whose deleter is ours."""
    calls = []

    class Managed(ctypes.Structure):
        _fields_ = (
            ("head", _dlpack._Tensor),
            ("ndim", ctypes.c_int32),
            ("code", ctypes.c_uint8),
            ("bits", ctypes.c_uint8),
            ("lanes", ctypes.c_uint16),
            ("shape", ctypes.POINTER(ctypes.c_int64)),
            ("strides", ctypes.POINTER(ctypes.c_int64)),
            ("offset", ctypes.c_uint64),
            ("context", ctypes.c_void_p),
            ("deleter", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        )

    memory = (ctypes.c_uint8 * 7)(*range(7))
    managed = Managed(
        _dlpack._Tensor(ctypes.addressof(memory), 13, 3), 1, 1, 8, 1, (ctypes.c_int64 * 1)(5), None, 2, None,
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(
            lambda address: calls.append((address, managed.head.kind, managed.head.ordinal))
        ),
    )  # fmt: skip
    new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
        ("PyCapsule_New", ctypes.pythonapi)
    )
    name = b"dltensor"
    borrowed = _dlpack.Borrowed(new(ctypes.addressof(managed), name, None))
    assert borrowed.ordinal == 3
    assert seen(borrowed).tolist() == [2, 3, 4, 5, 6]
    assert calls == []
    del borrowed
    gc.collect()
    assert calls == [(ctypes.addressof(managed), 13, 3)]


def test_a_capsule_is_borrowed_once():
    capsule = Producer(np.zeros(3, np.uint8)).__dlpack__()
    borrowed = _dlpack.Borrowed(capsule)
    with pytest.raises(ValueError, match="PyCapsule"):
        _dlpack.Borrowed(capsule)
    assert seen(borrowed).tolist() == [0, 0, 0]


@pytest.mark.parametrize("shape", SHAPES)
def test_lends_to_numpy(shape, rng):
    array = rng.integers(0, 100, shape).astype(np.uint8)
    got = np.from_dlpack(Exported(array))
    assert np.array_equal(got, array)
    assert got.dtype == np.uint8
    if array.size:
        assert got.__array_interface__["data"][0] == array.__array_interface__["data"][0]


def test_lends_to_itself_as_a_gpus(rng):
    array = rng.integers(0, 100, (3, 4)).astype(np.uint8)
    borrowed = _dlpack.Borrowed(Exported(array, (2, 5)).__dlpack__())
    assert borrowed.ordinal == 5
    assert np.array_equal(seen(borrowed), array)
    with pytest.raises((BufferError, RuntimeError)):  # NumPy cannot read it, and says so by either
        np.from_dlpack(Exported(array, (2, 5)))


@pytest.mark.parametrize("used", [False, True])
def test_the_owner_of_what_is_lent_lives_as_long(used):
    owner = Exported(np.arange(4, dtype=np.uint8))
    alive = weakref.ref(owner)
    lent = np.from_dlpack(owner) if used else owner.__dlpack__()
    del owner
    gc.collect()
    assert alive() is not None
    if used:
        assert lent.tolist() == [0, 1, 2, 3]
    del lent
    gc.collect()
    assert alive() is None


class Interface:
    __cuda_array_interface__ = {}  # noqa: RUF012


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (Interface(), True),
        (Producer(np.zeros(2), (2, 0)), True),
        (Producer(np.zeros(2), (13, 1)), True),
        (Producer(np.zeros(2), (1, 0)), False),
        (Producer(np.zeros(2), (3, 0)), False),  # pinned memory of the host
        (np.zeros(2), False),
        ([1, 2], False),
        (None, False),
    ],
)
def test_what_lives_on_a_gpu(array, expected):
    assert _device.lives_on_gpu(array) is expected


def test_results_of_ours_lend_themselves(rng):
    """As they do on a GPU, over the host's memory."""
    if SIMULATED:
        pytest.skip("this session simulates CUDA: results are no arrays of Numba's")
    pytest.importorskip("numba_cuda")
    from alphacut.cuda._arrays import DeviceArray

    memory = rng.integers(0, 100, (3, 4)).astype(np.uint8)
    gpu_data = SimpleNamespace(
        device_ctypes_pointer=ctypes.c_size_t(memory.ctypes.data),
        context=SimpleNamespace(device=SimpleNamespace(id=1)),
    )
    array = DeviceArray((3, 4), (4, 1), np.uint8, gpu_data=gpu_data)
    assert _device.lives_on_gpu(array)
    assert array.__dlpack_device__() == (2, 1)
    for options in ({}, {"stream": 1, "max_version": (1, 1)}, {"dl_device": (2, 1), "copy": False}):
        borrowed = _dlpack.Borrowed(array.__dlpack__(**options))
        assert borrowed.ordinal == 1
        assert np.array_equal(seen(borrowed), memory)
    for options in ({"copy": True}, {"dl_device": (1, 0)}):
        with pytest.raises(BufferError, match="neither copied nor moved"):
            array.__dlpack__(**options)
    alive = weakref.ref(array)
    del array
    gc.collect()
    assert alive() is not None
    del borrowed
    gc.collect()
    assert alive() is None
