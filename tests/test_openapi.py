"""Requests made from the server's own description: none may make it fail, or be answered in an undescribed way."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("schemathesis", reason="schemathesis is not installed")
pytest.importorskip("uvicorn", reason="the server needs the extra 'serve'")
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

import alphacut
from alphacut.server import Settings, docs

schema = schemathesis.openapi.from_dict(docs.document(Settings()))
EXAMPLES = int(os.environ.get("ALPHACUT_REQUESTS", "15"))  # of each operation
# Fields under two names, both given, are refused, which a schema cannot say; and so are bytes that are no picture.
BEYOND = [positive_data_acceptance]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a server in a process of its own."""
    log = tmp_path_factory.mktemp("server") / "log"
    path = os.pathsep.join([str(Path(alphacut.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "alphacut", "serve", "--port", "0", "--max-pixels", "1"]
    with log.open("w") as stream:
        process = subprocess.Popen(command, stderr=stream, env={**os.environ, "PYTHONPATH": path})
    while not (found := re.search(r"running on (http://[\d.:]+)", log.read_text())):
        assert process.poll() is None, log.read_text()
        time.sleep(0.02)
    yield found[1]
    process.terminate()
    process.wait()
    assert "Traceback" not in log.read_text()


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_made_requests(case, server):
    case.call_and_validate(base_url=server, excluded_checks=BEYOND)
