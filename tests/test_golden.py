"""The bytes of some sixty calls, the same on every instruction set, thread count and NumPy."""

import json
from pathlib import Path

import pytest

from golden import flow
from golden.calls import CALLS, digest

DIGESTS = json.loads((Path(__file__).parent / "golden" / "digests.json").read_text())


def test_every_call_has_a_digest():
    assert list(DIGESTS) == list(CALLS)


@pytest.mark.usefixtures("isa", "threads")
@pytest.mark.parametrize("name", CALLS)
def test_bytes(name):
    assert digest(CALLS[name]()) == DIGESTS[name], "python -m golden, in tests/, writes the digests anew: say why"


def test_the_flow_gives_what_a_program_in_cpp_must_give():
    assert flow.text() == flow.PATH.read_text()
