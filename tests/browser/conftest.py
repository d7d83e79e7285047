"""The page in a real browser, from the real server."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import alphacut

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of the server, in a process of its own."""
    pytest.importorskip("uvicorn", reason="the server needs the extra 'serve'")
    path = os.pathsep.join([str(Path(alphacut.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "alphacut", "serve", "--port", "0", "--max-pixels", "2"],
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


@pytest.fixture(scope="module")
def browser():
    """A Chromium; closed with the module, because it keeps an event loop in this thread."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the tests of the page need the extra 'browser'")
    executable = os.environ.get("ALPHACUT_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if executable is None:
        pytest.skip(f"no Chromium: none of {', '.join(CHROMIUMS)} on PATH, and ALPHACUT_CHROMIUM is not set")
    arguments = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]  # a camera that is none
    arguments += ["--disable-gpu", "--disable-quic", "--disable-component-update", "--disable-sync"]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=executable, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def complaints():
    """What the browser's console says against the page; a test takes out what it provoked."""
    return []


@pytest.fixture
def visit(browser, server, complaints, request):
    """Opens the page in a window of its own; afterwards nothing may have gone elsewhere, or complained."""
    contexts, addresses = [], []

    def visit(**window):
        context = browser.new_context(**{"viewport": {"width": 1100, "height": 800}, **window})
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda sent: addresses.append(sent.url))
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{server}/")
        return page

    yield visit
    for context in contexts:
        if folder := os.environ.get("ALPHACUT_SCREENSHOTS"):
            context.pages[0].screenshot(path=Path(folder) / f"{request.node.name}.png", full_page=True)
        context.close()
    assert complaints == []
    assert addresses
    assert [address for address in addresses if not address.startswith((f"{server}/", "blob:"))] == []


@pytest.fixture
def page(visit):
    """The page, opened."""
    return visit()
