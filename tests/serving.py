"""A server in a process of its own."""

import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import alphacut


@contextmanager
def serving(log, *options):
    """Its address; `log` is the file that it writes to, in which no traceback may be."""
    path = os.pathsep.join([str(Path(alphacut.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "alphacut", "serve", "--port", "0", *options],
            stderr=stream,
            env={**os.environ, "PYTHONPATH": path},
        )
    while not (found := re.search(r"running on (http://[\d.:]+)", log.read_text())):
        assert process.poll() is None, log.read_text()
        time.sleep(0.02)
    yield found[1]
    process.terminate()
    process.wait()
    assert "Traceback" not in log.read_text()
