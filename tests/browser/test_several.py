"""Several pictures in the page, their shadows, the loupe, and the samples of the empty page."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

import alphacut
from browser.test_page import (
    BLUE,
    GROUND,
    LEFT,
    RED,
    RIGHT,
    at,
    choose,
    discs,
    downloaded,
    drag,
    encoded,
    is_checker,
    kept,
    mask,
    pick,
    picture,
    pixel,
    provoked,
    status,
    wait,
)
from browser.waiting import hold, saved, until

ONE = np.ascontiguousarray(discs()[:, :180])  # the red disc alone


def several(page, *names):
    page.set_input_files("#file", [picture(encoded(ONE), name=name) for name in names])
    for number in range(len(names)):
        page.locator("#pictures button").nth(number).locator("span", has_text="sure").wait_for()
    wait(page)


def captions(page):
    return page.locator("#pictures button").evaluate_all("(all) => all.map((each) => each.ariaLabel)")


def current(page):
    return page.locator("#pictures [aria-current]").get_attribute("title")


def test_several_pictures_lie_in_a_strip_with_their_confidence(page):
    choose(page)
    assert not page.locator("#strip").is_visible()
    several(page, "a.png", "b.png")
    made = alphacut.remove_background(ONE)
    told = f"{made.verdict}, confidence {made.confidence * 100:.0f} %"
    found = captions(page)
    assert found[0].startswith("discs.png: ")
    assert [each.split(": ", 1)[0] for each in found] == ["discs.png", "a.png", "b.png"]
    assert found[1].split(",")[0] == f"a.png: {told}".split(",")[0]
    assert current(page) == "a.png"  # the first of those that came
    pick(page, "tool", "remove")
    drag(page, (0.5, 0.5), (0.7, 0.5))
    assert mask(page, (0.6, 0.5)) == [False]
    page.keyboard.press("PageDown")
    wait(page)
    assert current(page) == "b.png"
    assert mask(page, (0.6, 0.5)) == [True]
    assert page.locator("#undo").is_disabled()
    page.locator("#pictures button").nth(1).click()
    wait(page)
    assert mask(page, (0.6, 0.5)) == [False]  # what was said of it is kept, and can be undone
    page.locator("#undo").click()
    wait(page)
    assert mask(page, (0.6, 0.5)) == [True]


def test_what_cannot_be_read_among_several_is_named(page, complaints):
    files = [picture(encoded(ONE), name="a.png"), picture(b"no picture", name="b.png"), picture(name="c.png")]
    page.set_input_files("#file", files)
    wait(page, "error")
    assert "b.png" in status(page)
    assert page.locator("#pictures li").count() == 2
    provoked(complaints, 400)


def test_all_as_a_zip(page):
    several(page, "a.png", "a.png", "b.jpg")
    name, data = saved(page, page.get_by_role("button", name="ZIP of all").click)
    assert name == "cutouts.zip"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a-cutout.png", "a-cutout-2.png", "b-cutout.png"]
        for name in archive.namelist():
            rgba = np.array(Image.open(io.BytesIO(archive.read(name))))
            assert rgba.shape == (240, 180, 4)
            assert rgba[120, 108].tolist() == [*RED, 255]
            assert rgba[5, 5, 3] == 0
    page.locator("#saving", has_text="Saved 3 cutouts").wait_for()


def test_a_picture_can_be_closed(page, server):
    before = kept(server)
    several(page, "a.png", "b.png")
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.get_by_role("button", name="Close this one").click()
    wait(page)
    assert not page.locator("#strip").is_visible()
    assert kept(server) == before + 1
    assert page.evaluate("document.activeElement.id") == "canvas"


def test_a_closed_picture_does_not_come_back(page, server, complaints):
    choose(page)
    before = kept(server)
    page.route("**/cut", lambda route: route.fulfill(status=500, json={"errors": [{"title": "Broken."}]}))
    page.set_input_files("#file", picture(encoded(ONE), name="a.png"))
    wait(page, "error")
    page.unroute("**/cut")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.get_by_role("button", name="Close this one").click()
    wait(page)
    page.wait_for_timeout(300)
    assert [url for url in asked if not url.endswith("/file")] == []
    assert kept(server) == before
    provoked(complaints, 500)


def test_a_picture_closed_while_it_is_cut_does_not_come_back(page, server, complaints):
    several(page, "a.png", "b.png")
    held, release = hold(page, "**/file")
    before = kept(server)
    page.get_by_role("button", name="ZIP of all").click()
    until(page, lambda: held)
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.get_by_role("button", name="Close this one").click()
    _, data = saved(page, release)
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["b-cutout.png"]
    assert kept(server) == before - 1
    provoked(complaints, 404)


def test_what_the_pen_says_is_said_of_the_picture_it_is_on(page):
    several(page, "a.png", "b.png")
    undo = page.locator("#undo")
    pick(page, "tool", "point")
    page.mouse.move(*at(page, 0.6, 0.5))
    page.mouse.down()
    page.keyboard.press("PageDown")
    page.mouse.up()
    wait(page)
    assert (current(page), undo.is_disabled()) == ("b.png", True)
    page.keyboard.press("PageUp")
    wait(page)
    assert (current(page), undo.is_disabled()) == ("a.png", False)


@pytest.mark.parametrize(("field", "what"), [("mask-file", "mask"), ("backdrop-file", "backdrop")])
def test_a_file_is_for_the_picture_it_was_chosen_for(page, field, what):
    several(page, "a.png", "b.png")
    page.evaluate("""() => {
        const read = File.prototype.arrayBuffer;
        File.prototype.arrayBuffer = async function () {
            await new Promise((go) => (window.go = go));
            return read.call(this);
        };
    }""")
    page.set_input_files(f"#{field}", [picture(encoded(np.full(ONE.shape[:2], 255, np.uint8)), name="given.png")])
    page.keyboard.press("PageDown")
    wait(page)
    page.evaluate("window.go()")
    kept_of = (
        "import('/static/state.js').then(({ state: { pictures } }) => pictures.map((p) => p.steps.at(-1).%s?.name))"
    )
    until(page, lambda: "given.png" in page.evaluate(kept_of % what))
    assert page.evaluate(kept_of % what) == ["given.png", None]
    assert page.locator("#undo").is_disabled()
    page.keyboard.press("PageUp")
    wait(page)
    page.locator("#undo").click()
    wait(page)
    assert page.locator("#undo").is_disabled()


def test_page_keys_of_a_slider_are_its_own(page):
    several(page, "a.png", "b.png")
    brush = page.locator("[data-set=brush]")
    before = brush.input_value()
    brush.focus()
    page.keyboard.press("PageUp")
    assert int(brush.input_value()) > int(before)
    page.keyboard.press("PageDown")
    assert (current(page), brush.input_value()) == ("a.png", before)


def test_a_download_goes_on_while_another_picture_is_prepared(page):
    held, release = hold(page, "**/file")
    several(page, "a.png", "b.png")
    page.locator("#download").click()
    page.keyboard.press("PageDown")
    until(page, lambda: len({route.request.url for route in held}) == 2)
    name, _ = saved(page, release)
    assert name == "a-cutout.png"


def test_one_that_cannot_be_cut_is_marked(page, complaints):
    asked = []

    def answer(route):
        asked.append(route)
        if len(asked) == 1:
            route.continue_()
        else:
            route.fulfill(status=500, json={"errors": [{"title": "Broken."}]})

    page.route("**/cut", answer)
    page.set_input_files("#file", [picture(encoded(ONE), name=name) for name in ("a.png", "b.png")])
    page.locator("#pictures span", has_text="failed").wait_for()
    assert captions(page)[1] == "b.png: could not be cut out"
    provoked(complaints, 500)


def test_a_picture_is_shown_though_a_later_one_failed(page, complaints):
    held, release = hold(page, "**/api/pictures")
    page.set_input_files("#file", picture(encoded(ONE), name="a.png"))
    until(page, lambda: held)
    page.set_input_files("#file", picture(b"no picture", name="b.png"))
    until(page, lambda: len(held) == 2)
    first = held.pop(0)
    release()
    wait(page, "error")
    first.continue_()
    wait(page)
    assert status(page).startswith("a.png: ")
    provoked(complaints, 400)


def test_a_blurred_background_is_of_the_latest_cut(page):
    several(page, "a.png", "b.png")
    pick(page, "behind", "blur")
    wait(page)
    pick(page, "behind", "none")
    pick(page, "tool", "remove")
    drag(page, (0.5, 0.5), (0.7, 0.5))
    held, release = hold(page, "**/blurred")
    pick(page, "behind", "blur")
    until(page, lambda: held)
    page.keyboard.press("PageDown")
    wait(page)
    release()
    with page.expect_response(lambda answer: answer.url.endswith("/blurred")):
        page.keyboard.press("PageUp")


def test_a_shadow_that_failed_is_cast_again(page, complaints):
    choose(page)
    page.evaluate("document.getElementById('shadows').open = true")
    page.route("**/shadow", lambda route: route.fulfill(body="no picture", content_type="image/png"))
    pick(page, "shadow", "drop")
    wait(page, "error")
    page.unroute("**/shadow")
    with page.expect_response(lambda answer: answer.url.endswith("/shadow")):
        pick(page, "shadow", "contact")
    complaints.clear()


def test_the_strip_by_keyboard_and_for_axe(page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs the extra 'browser'").Axe()
    several(page, "a.png", "b.png")
    page.locator("#pictures button").nth(1).focus()
    page.keyboard.press("Enter")
    wait(page)
    assert current(page) == "b.png"
    page.evaluate("document.getElementById('shadows').open = true")
    pick(page, "shadow", "drop")
    assert [each["id"] for each in axe.run(page).response["violations"]] == []


def test_the_strip_on_a_phone(visit):
    page = visit(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, device_scale_factor=2)
    several(page, "a.png", "b.png")
    assert page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [360, 360]
    sizes = page.locator("#strip button").evaluate_all(
        "(all) => all.map((each) => each.getBoundingClientRect()).map(({ width, height }) => [width, height])"
    )
    assert min(min(size) for size in sizes) >= 44


@pytest.mark.parametrize("kind", ["drop", "contact"])
def test_the_shadow_that_is_seen_is_the_one_that_is_saved(page, kind):
    choose(page)
    pick(page, "behind", "colour")
    page.locator("#colour").fill("#ffffff")
    page.evaluate("document.getElementById('shadows').open = true")
    with page.expect_response(lambda answer: answer.url.endswith("/shadow")):
        pick(page, "shadow", kind)
    page.wait_for_timeout(300)
    spots = [(x, y) for x in (0.15, 0.3, 0.45, 0.7) for y in (0.76, 0.78, 0.8)]
    seen = np.array([pixel(page, spot) for spot in spots])
    assert seen.min() < 200
    assert pixel(page, LEFT) == list(RED)
    file = downloaded(page)
    there = np.array([file[int(y * 240), int(x * 360)] for x, y in spots])
    assert np.abs(seen - there.astype(int)).max() <= 12  # the page enlarges it
    page.locator("#undo").click()
    wait(page)
    assert pixel(page, (0.3, 0.77)) == [255] * 3
    assert pixel(page, RIGHT) == list(BLUE)


def test_the_shadow_of_a_transparent_cutout_is_in_its_alpha(page):
    choose(page)
    page.evaluate("document.getElementById('shadows').open = true")
    with page.expect_response(lambda answer: answer.url.endswith("/shadow")):
        pick(page, "shadow", "drop")
    file = downloaded(page)
    soft = (file[..., 3] > 20) & (file[..., 3] < 110)
    assert soft.sum() > 100
    assert file[soft][:, :3].max() < 60  # black


def test_the_loupe_shows_what_is_under_the_pen(page):
    choose(page)
    x, y = 14 + 72, 14 + 72  # its middle
    at = page.evaluate("document.getElementById('canvas').dataset.place.split(',').map(Number)")
    spot = ((x - at[0]) / at[2], (y - at[1]) / at[3])
    pick(page, "removed", "hidden")
    pick(page, "tool", "erase")
    page.locator("[data-set=brush]").fill("120")
    bounds = page.locator("#canvas").bounding_box()
    page.mouse.move(bounds["x"] + at[0] + LEFT[0] * at[2], bounds["y"] + at[1] + LEFT[1] * at[3])
    assert pixel(page, spot) == list(RED)
    page.locator("[data-set=loupe]").uncheck()
    page.mouse.move(bounds["x"] + at[0] + LEFT[0] * at[2], bounds["y"] + at[1] + LEFT[1] * at[3])
    assert pixel(page, spot) != list(RED)


@pytest.mark.parametrize("name", ["mug", "fluff", "bottle"])
def test_samples(page, name):
    page.get_by_role("button", name=f"Sample: {name}").click()
    wait(page)
    assert f"{name}.png" in status(page)
    assert "sure" in status(page)
    assert not is_checker(pixel(page, (0.5, 0.6)))
    assert is_checker(pixel(page, (0.06, GROUND[1])))
