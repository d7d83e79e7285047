import os
from pathlib import Path

import numpy as np
import pytest

from alphacut import _core


@pytest.fixture(params=_core.available_isas())
def isa(request):
    """Runs the test once for each instruction set of this machine, and proves which one ran."""
    before = _core.isa()
    _core.set_isa(request.param)
    assert _core.isa() == request.param
    yield request.param
    _core.set_isa(before)


@pytest.fixture(params=[1, 2, 5])
def threads(request):
    before = _core.num_threads()
    _core.set_num_threads(request.param)
    yield request.param
    _core.set_num_threads(before)


@pytest.fixture
def one_thread():
    """Which buffers two threads need at once is a matter of time; one thread's are always the same."""
    before = _core.num_threads()
    _core.set_num_threads(1)
    yield
    _core.set_num_threads(before)


@pytest.fixture(autouse=True)
def _settings_restored():
    """No test leaves another instruction set or thread count behind."""
    before = _core.isa(), _core.num_threads()
    yield
    assert (_core.isa(), _core.num_threads()) == before


@pytest.fixture
def rng():
    return np.random.default_rng(20240229)


@pytest.fixture(scope="session")
def data_dir():
    """The measuring pictures, where they are present."""
    root = Path(os.environ.get("ALPHACUT_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not root.is_dir():
        pytest.skip("measuring pictures are not present (ALPHACUT_DATA)")
    return root
