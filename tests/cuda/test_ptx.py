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


@pytest.mark.parametrize("name", MODULES)
def test_no_kernel_is_hidden_from_the_list(name):
    """Only `_kernel` makes kernels; elsewhere cuda.jit is for device functions."""
    source = (Path(alphacut.cuda.__path__[0]) / f"{name}.py").read_text(encoding="utf-8")
    calls = re.findall(r"cuda\.jit\b(?:\((?:[^()]|\([^()]*\))*\))?", source)
    assert name == "_kernel" or all("device=True" in call for call in calls), calls
