import os

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
