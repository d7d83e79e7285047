import os

import numpy as np
import pytest

import alphacut

SIMULATED = os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"


@pytest.fixture(scope="session")
def simulator():
    """Numba's CUDA simulator, which a session has from its start or not at all."""
    if not SIMULATED:
        pytest.skip("runs in a session of its own: NUMBA_ENABLE_CUDASIM=1 pytest tests/cuda")
    pytest.importorskip("numba_cuda")


@pytest.fixture(scope="session")
def gpu():
    """A real GPU."""
    if SIMULATED:
        pytest.skip("this session simulates CUDA")
    reason = alphacut.info()["cuda"]["reason"]
    if reason is not None:
        pytest.skip(f"no usable GPU: {reason}")


@pytest.fixture
def small_grid(simulator, monkeypatch):
    """Makes the simulated grids small: threads of a block, least and most blocks, and the tiles of the graph cut."""
    from alphacut.cuda import _grid, graphcut

    def make(threads, least, most, **tiles):
        for name, value in {"THREADS": threads, "MIN_BLOCKS": least, "MAX_BLOCKS": most}.items():
            monkeypatch.setattr(_grid, name, value)
        for name, value in tiles.items():
            monkeypatch.setattr(graphcut, name, value)

    return make


@pytest.fixture
def there(simulator, monkeypatch):
    """Makes an array one on the GPU: the simulator's have no interface, and their memory is on no device."""
    from numba import cuda

    from alphacut.cuda import _arrays

    interface = property(lambda self: {**self._ary.__array_interface__, "stream": None})
    monkeypatch.setattr(type(cuda.to_device(np.zeros(1))), "__cuda_array_interface__", interface, raising=False)
    monkeypatch.setattr(cuda, "as_cuda_array", lambda array: array, raising=False)
    monkeypatch.setattr(_arrays, "_ordinal", lambda address, current: current)
    return cuda.to_device
