"""The page in a real browser, from the real server."""

import os
import shutil
from pathlib import Path

import pytest

from browser.waiting import BROWSER, PREFERENCES
from serving import serving

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
FIREFOXES = ("firefox", "firefox-esr")
# Of a window, what only Chromium can be given.
ONLY_CHROMIUM = {"is_mobile", "has_touch", "permissions", "color_scheme", "reduced_motion"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of the server, in a process of its own."""
    pytest.importorskip("uvicorn", reason="the server needs the extra 'serve'")
    with serving(tmp_path_factory.mktemp("server") / "log", "--max-pixels", "2") as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    """The browser of ALPHACUT_BROWSER, by default a Chromium; closed with the module: it keeps an event loop."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the tests of the page need the extra 'browser'")
    launch = {"chromium": _chromium, "firefox": _firefox}[BROWSER]
    with playwright.sync_playwright() as started:
        browser = launch(started)
        yield browser
        browser.close()


def _chromium(started):
    executable = _on_path("ALPHACUT_CHROMIUM", *CHROMIUMS)
    arguments = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]  # a camera that is none
    arguments += ["--disable-gpu", "--disable-quic", "--disable-component-update", "--disable-sync"]
    return started.chromium.launch(executable_path=executable, args=arguments)


def _firefox(started):
    """The one that ``playwright install firefox`` gives, or one as it is sold, by WebDriver BiDi."""
    prefs = {**PREFERENCES, "media.navigator.streams.fake": True, "media.navigator.permission.disabled": True}
    if Path(started.firefox.executable_path).exists():
        return started.firefox.launch(firefox_user_prefs=prefs)
    executable = _on_path("ALPHACUT_FIREFOX", *FIREFOXES)
    return started.firefox.launch(executable_path=executable, channel="moz-firefox", firefox_user_prefs=prefs)


def _on_path(setting, *names):
    executable = os.environ.get(setting) or next(filter(None, map(shutil.which, names)), None)
    if executable is None:
        pytest.skip(f"no {BROWSER}: none of {', '.join(names)} on PATH, and {setting} is not set")
    return executable


@pytest.fixture
def complaints():
    """What the browser's console says against the page; a test takes out what it provoked."""
    return []


@pytest.fixture
def visit(browser, server, complaints, request):
    """Opens the page in a window of its own; afterwards nothing may have gone elsewhere, or complained."""
    contexts, addresses = [], []

    def visit(**window):
        if BROWSER != "chromium" and (wanted := sorted(ONLY_CHROMIUM & set(window))):
            pytest.skip(f"{BROWSER} cannot be given {', '.join(wanted)}")
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
    assert addresses or BROWSER != "chromium"
    assert [address for address in addresses if not address.startswith((f"{server}/", "blob:"))] == []


@pytest.fixture
def page(visit):
    """The page, opened."""
    return visit()
