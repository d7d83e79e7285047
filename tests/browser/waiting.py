"""What tests wait for: files that the browser saves, requests that are held, what comes to be true.

Firefox tells nothing of files by WebDriver BiDi, but puts them into a folder.
"""

import os
import tempfile
import time
from pathlib import Path

BROWSER = os.environ.get("ALPHACUT_BROWSER", "chromium")
FOLDER = Path(tempfile.gettempdir()) / f"alphacut-browser-{os.getpid()}"
PREFERENCES = {"browser.download.folderList": 2, "browser.download.dir": str(FOLDER)}


def saved(page, act):
    """The name and the bytes of the file that `act` makes the browser save."""
    if BROWSER == "chromium":
        with page.expect_download() as download:
            act()
        return download.value.suggested_filename, Path(download.value.path()).read_bytes()
    FOLDER.mkdir(exist_ok=True)
    act()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        files = list(FOLDER.iterdir())
        if len(files) == 1 and files[0].suffix != ".part" and (data := files[0].read_bytes()):
            files[0].unlink()
            return files[0].name, data
        page.wait_for_timeout(50)
    raise AssertionError(f"nothing was saved: {list(FOLDER.iterdir())}")


def hold(page, pattern):
    """Holds requests; returns the list of them, and what lets go of them and of all that come later."""
    held, free = [], []
    page.route(pattern, lambda route: route.continue_() if free else held.append(route))

    def release():
        free.append(True)
        for route in held:
            route.continue_()

    return held, release


def until(page, holds):
    """Waits, while the browser goes on; the page's own policy forbids Playwright to ask again and again within it."""
    for _ in range(3000):
        if holds():
            return
        page.wait_for_timeout(10)
    raise AssertionError("it never came")
