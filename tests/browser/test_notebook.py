"""The editor in a real JupyterLab: what is drawn with the mouse arrives in Python, and its cutout comes back."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

pytest.importorskip("anywidget", reason="the extra 'notebook' is not installed")
pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
sync_api = pytest.importorskip("playwright.sync_api")

CELLS = (
    "import numpy as np\n"
    "from alphacut.notebook import Editor\n"
    "image = np.random.default_rng(3).integers(150, 190, (300, 450, 3)).astype('uint8')\n"
    "image[75:225, 50:175] = (200, 40, 30)\n"
    "image[75:225, 275:400] = (30, 60, 200)\n"
    "editor = Editor(image)\n"
    "editor",
    "mask = editor.cutout.mask\nprint('FOUND', bool(mask[150, 110]), bool(mask[150, 340]), editor.said['box'])",
)


@pytest.fixture
def lab(tmp_path):
    """The address of a JupyterLab with the notebook."""
    cells = [
        {"cell_type": "code", "id": f"c{k}", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
        for k, source in enumerate(CELLS)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    book = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "book.ipynb").write_text(json.dumps(book))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    homes = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--IdentityProvider.token=", f"--ServerApp.root_dir={tmp_path}", "--LabApp.news_url=None"]
    environment = {**os.environ, **homes, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with open(tmp_path / "log", "wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=tmp_path)
    address = f"http://127.0.0.1:{port}/lab/tree/book.ipynb?reset"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api")
                break
            except OSError:
                assert server.poll() is None, (tmp_path / "log").read_text()[-2000:]
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def drag(page, canvas, start, end):
    area = canvas.bounding_box()
    place = [(area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in (start, end)]
    page.mouse.move(*place[0])
    page.mouse.down()
    page.mouse.move(*place[1], steps=6)
    page.mouse.up()


def test_a_box_and_a_stroke_in_jupyterlab(lab, browser):
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.goto(lab)
    page.get_by_text("| Idle").wait_for(timeout=120_000)  # the kernel: what comes before goes nowhere
    page.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
    page.keyboard.press("Shift+Enter")
    editor = page.locator(".alphacut-editor")
    editor.locator("canvas").wait_for(timeout=120_000)
    told = editor.get_by_role("status")
    told.filter(has_text="confidence").wait_for()
    canvas = editor.locator("canvas")
    canvas.scroll_into_view_if_needed()
    drag(page, canvas, (0.55, 0.15), (0.95, 0.85))  # around the blue one
    editor.get_by_role("button", name="Undo").click()
    drag(page, canvas, (0.05, 0.15), (0.45, 0.85))  # around the red one
    page.locator(".jp-Notebook .jp-Cell .cm-content").nth(1).click()
    page.keyboard.press("Shift+Enter")
    found = page.locator(".jp-OutputArea-output", has_text="FOUND")
    found.wait_for(timeout=60_000)
    words = found.inner_text().replace("\n", " ")
    assert "FOUND True False [" in words
    x, y, width, height = json.loads(words[words.index("[") :].split("]")[0] + "]")
    for value, expected in zip((x, y, width, height), (22, 45, 180, 210), strict=True):
        assert abs(value - expected) <= 3
    editor.get_by_role("button", name="Remove").click()
    drag(page, canvas, (0.15, 0.3), (0.3, 0.7))
    page.wait_for_function("document.querySelector('.alphacut-editor p').textContent.length > 0")
    assert editor.get_by_role("button", name="Remove").get_attribute("aria-pressed") == "true"
    page.close()
