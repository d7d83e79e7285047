"""Every kernel compiles for every GPU generation in use, on a machine without a GPU."""

import importlib
import pkgutil
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import alphacut.cuda

from .conftest import SIMULATED

MODULES = [name for _, name, _ in pkgutil.iter_modules(alphacut.cuda.__path__)]
# Of these every float32 operation is rounded as the CPU's: a fused one, or one that the driver may yet fuse, is not.
EXACT = ("alphacut.cuda.grabcut", "alphacut.cuda.resize")


@pytest.fixture
def compiler():
    if SIMULATED:
        pytest.skip("this session simulates CUDA: nothing is compiled")
    pytest.importorskip("numba_cuda", reason="numba-cuda is not installed")
    from numba import cuda
    from numba.cuda.cudadrv import nvvm

    if not nvvm.is_available():
        pytest.skip("numba-cuda has no compiler here: install numba-cuda[cu12] or numba-cuda[cu13]")
    return cuda


@pytest.mark.parametrize("capability", [(7, 5), (8, 0), (9, 0)])
def test_every_kernel_compiles(compiler, capability, monkeypatch):
    for name in MODULES:
        importlib.import_module(f"alphacut.cuda.{name}")
    from alphacut.cuda._kernel import KERNELS

    # A call of a device function, or a barrier of the grid, asks the driver for the current device.
    device = SimpleNamespace(compute_capability=capability)
    monkeypatch.setattr("numba.cuda.dispatcher.get_current_device", lambda: device)
    assert KERNELS
    for kernel in KERNELS:
        for signature in kernel.signatures:
            ptx, returned = compiler.compile_ptx(kernel.function, signature, cc=capability)
            assert f".target sm_{capability[0]}{capability[1]}" in ptx, kernel.function.__name__
            assert ".entry" in ptx
            assert str(returned) == "none"
            if kernel.function.__module__ in EXACT:
                assert not re.search(r"\b(fma|mad)\.[a-z.]*f(32|64)|\b(add|sub|mul|div)\.f32", ptx)


def test_kmeans_stays_in_registers(compiler, monkeypatch):
    from alphacut.cuda import kmeans

    monkeypatch.setattr("numba.cuda.dispatcher.get_current_device", lambda: SimpleNamespace(compute_capability=(9, 0)))
    for signature in kmeans.assign_pixels.signatures:
        ptx, _ = compiler.compile_ptx(kmeans.assign_pixels.function, signature, cc=(9, 0))
        assert ".local" not in ptx


def test_all_kernels_are_compiled_ahead(simulator):
    from alphacut.cuda import _kernel

    alphacut.cuda.compile_kernels()
    assert {kernel.function.__module__.split(".")[-1] for kernel in _kernel.KERNELS} >= {"graphcut", "kmeans"}
    assert all("compiled" in vars(kernel) for kernel in _kernel.KERNELS)


@pytest.mark.parametrize("trouble", [None, RuntimeError("no locator available"), OSError("no space left on device")])
def test_compiles_without_the_cache_where_it_fails(compiler, monkeypatch, trouble):
    from alphacut.cuda import _kernel

    calls = []

    def jit(signatures, **options):
        calls.append(options)
        if options.get("cache") and trouble is not None:
            raise trouble
        return lambda function: function.__qualname__

    def increment(x):
        x[0] += 1

    monkeypatch.setattr(_kernel, "KERNELS", [])
    monkeypatch.setattr(_kernel.cuda, "jit", jit)
    made = _kernel.kernel("void(int32[::1])", max_registers=32)(increment)
    assert made.compiled == f"increment_{_kernel._digest()}"
    assert calls == [{"cache": True, "max_registers": 32}] + [{"max_registers": 32}] * (trouble is not None)


@pytest.mark.parametrize("name", MODULES)
def test_no_kernel_is_hidden_from_the_list(name):
    """Only `_kernel` makes kernels; elsewhere cuda.jit is for device functions."""
    source = (Path(alphacut.cuda.__path__[0]) / f"{name}.py").read_text(encoding="utf-8")
    calls = re.findall(r"cuda\.jit\b(?:\((?:[^()]|\([^()]*\))*\))?", source)
    assert name == "_kernel" or all("device=True" in call for call in calls), calls
