"""The page that takes a camera or a film."""

import io

import numpy as np
import pytest
from PIL import Image

from browser.waiting import hold

playwright = pytest.importorskip("playwright.sync_api")

WIDTH, HEIGHT, COUNT = 320, 240, 50
GROUND = np.random.default_rng(1).integers(60, 130, (12, 16, 3), np.uint8)


def square(k):
    """A frame with a red square that moves, and the square's left side."""
    pixels = np.kron(GROUND, np.ones((20, 20, 1), np.uint8))
    left = 60 + 2 * k
    pixels[80:160, left : left + 80] = (200, 30, 40)
    return pixels, left


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    av = pytest.importorskip("av", reason="PyAV is not installed: alphacut[video]")
    path = tmp_path_factory.mktemp("clip") / "clip.webm"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libvpx-vp9", rate=10, options={"deadline": "realtime", "cpu-used": "8"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for k in range(COUNT):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(square(k)[0], "rgb24")))
        file.mux(stream.encode(None))
    return path


def open_live(visit):
    page = visit()
    page.get_by_role("link", name="Film").click()
    page.wait_for_url("**/live")
    return page


def wait(page, state):
    page.locator(f"body[data-state={state}]").wait_for()


def draw_box(page, left, top, right, bottom):
    """In shares of the canvas as it is shown."""
    x, y, width, height = page.locator("#canvas").evaluate(
        """(canvas) => {
            const { left, top, width, height } = canvas.getBoundingClientRect();
            const scale = Math.min(width / canvas.width, height / canvas.height);
            const shown = [canvas.width * scale, canvas.height * scale];
            return [left + (width - shown[0]) / 2, top + (height - shown[1]) / 2, ...shown];
        }"""
    )
    page.mouse.move(x + left * width, y + top * height)
    page.mouse.down()
    page.mouse.move(x + right * width, y + bottom * height, steps=3)
    page.mouse.up()


def canvas_of(page):
    """The canvas in RGBA."""
    data = page.evaluate(
        """async () => {
            const blob = await new Promise((resolve) => document.getElementById("canvas").toBlob(resolve));
            return [...new Uint8Array(await blob.arrayBuffer())];
        }"""
    )
    return np.asarray(Image.open(io.BytesIO(bytes(data))).convert("RGBA"))


def test_a_film_is_followed_recorded_and_downloaded(visit, clip, tmp_path):
    av = pytest.importorskip("av")
    page = open_live(visit)
    page.set_input_files("#file", str(clip))
    wait(page, "waiting")
    draw_box(page, 50 / WIDTH, 70 / HEIGHT, 150 / WIDTH, 170 / HEIGHT)
    wait(page, "ready")
    pixels = canvas_of(page)
    assert pixels.shape[:2] == (HEIGHT, WIDTH)
    kept = pixels[..., 3] > 127
    red = pixels[..., 0].astype(int) - pixels[..., 1]
    assert 0.8 * 6400 < kept.sum() < 1.3 * 6400
    assert (red[kept] > 80).mean() > 0.9
    page.locator("#behind").select_option("colour")
    page.locator("#record").click()
    wait(page, "done")
    with page.expect_download() as told:
        page.get_by_role("link", name="Download").click()
    path = tmp_path / told.value.suggested_filename
    told.value.save_as(path)
    with av.open(str(path)) as file:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in file.decode(video=0)]
    assert len(frames) >= 3
    blue = (frames[-1][..., 2] - frames[-1][..., 0]) > 60  # the background's colour, #3a86c8
    assert blue[:60].mean() > 0.9
    assert (frames[-1][..., 0] > 150).any()


def test_the_camera_is_followed(visit):
    page = open_live(visit)
    page.locator("#camera").click()
    wait(page, "waiting")
    draw_box(page, 0.2, 0.2, 0.8, 0.8)
    wait(page, "ready")
    assert "frames a second" in page.locator("#status").inner_text()
    first = canvas_of(page)
    assert (first[..., 3] < 255).any()
    page.wait_for_timeout(300)
    assert not np.array_equal(canvas_of(page), first)  # it is live
    draw_box(page, 0.4, 0.4, 0.9, 0.9)  # another subject, while it runs
    wait(page, "ready")


def test_the_answer_to_an_earlier_film_changes_nothing(visit, clip):
    page = open_live(visit)
    page.set_input_files("#file", str(clip))
    wait(page, "waiting")
    _, release = hold(page, "**/api/films")
    with page.expect_request("**/api/films"):
        draw_box(page, 50 / WIDTH, 70 / HEIGHT, 150 / WIDTH, 170 / HEIGHT)
    page.locator("#camera").click()
    playwright.expect(page.locator("#canvas")).not_to_have_attribute("width", "320")
    wait(page, "waiting")
    with (
        page.expect_request(lambda sent: sent.method == "DELETE") as told,
        page.expect_response("**/api/films") as made,
    ):
        release()
    name = made.value.header_value("x-film")
    assert told.value.url.endswith(f"/api/films/{name}")
    with page.expect_request(lambda sent: sent.method == "POST") as told:
        draw_box(page, 0.2, 0.2, 0.8, 0.8)
    assert told.value.url.endswith("/api/films")  # a film of its own
    wait(page, "ready")


def test_nothing_is_asked_for_a_film_that_is_over(visit, clip, complaints):
    page = open_live(visit)
    page.set_input_files("#file", str(clip))
    wait(page, "waiting")
    asked = []

    def refuse(route):
        asked.append(route.request.url)
        route.fulfill(status=503, headers={"Retry-After": "1"}, json={"errors": [{"title": "busy"}]})

    page.route("**/api/films", refuse)
    with page.expect_response("**/api/films"):
        draw_box(page, 50 / WIDTH, 70 / HEIGHT, 150 / WIDTH, 170 / HEIGHT)
    page.set_input_files("#file", str(clip))
    wait(page, "waiting")
    page.wait_for_timeout(1500)
    assert len(asked) == 1
    assert [said for said in complaints if "503" not in said] == []
    complaints.clear()


def test_what_is_no_film_is_told(visit):
    page = open_live(visit)
    page.set_input_files("#file", {"name": "text.mp4", "mimeType": "video/mp4", "buffer": b"no film"})
    wait(page, "error")
    assert "cannot show text.mp4" in page.locator("#status").inner_text()


def test_axe_finds_nothing(visit):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs the extra 'browser'").Axe()
    page = open_live(visit)
    assert axe.run(page).response["violations"] == []
    page.locator("#camera").click()
    wait(page, "waiting")
    assert axe.run(page).response["violations"] == []
