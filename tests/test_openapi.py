"""Requests made from the server's own description: none may make it fail, or be answered in an undescribed way."""

import os

import pytest

pytest.importorskip("schemathesis", reason="schemathesis is not installed")
pytest.importorskip("uvicorn", reason="the server needs the extra 'serve'")
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from alphacut.server import Settings, docs
from serving import serving

schema = schemathesis.openapi.from_dict(docs.document(Settings()))
EXAMPLES = int(os.environ.get("ALPHACUT_REQUESTS", "15"))  # of each operation
# Fields under two names, both given, are refused, which a schema cannot say; and so are bytes that are no picture.
BEYOND = [positive_data_acceptance]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a server in a process of its own."""
    with serving(tmp_path_factory.mktemp("server") / "log", "--max-pixels", "1") as address:
        yield address


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_made_requests(case, server):
    case.call_and_validate(base_url=server, excluded_checks=BEYOND)
