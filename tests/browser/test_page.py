import base64
import io
import json
import statistics
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

import alphacut
from browser.waiting import BROWSER, saved, until

# Of the picture of two discs: the centres, and a place in the ground, in shares of width and height.
LEFT, RIGHT, GROUND = (0.3, 0.5), (0.7, 0.5), (0.5, 0.08)
RED, BLUE = (190, 40, 40), (40, 60, 190)
# An EXIF orientation turns a picture of the camera; 6: its left side was up.
TURNED = 6


def discs(height=240, width=360):
    """A red and a blue disc on a gray ground with some noise."""
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(7).integers(0, 25, (height, width, 1))
    pixels = np.repeat(150 + noise, 3, axis=2).astype(np.uint8)
    for (across, down), colour in ((LEFT, RED), (RIGHT, BLUE)):
        pixels[np.hypot(x - across * width, y - down * height) < 0.25 * height] = colour
    return pixels


def encoded(pixels, format="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format, **options)
    return file.getvalue()


def picture(data=None, name="discs.png", kind="image/png"):
    """A file for a file input."""
    return {"name": name, "mimeType": kind, "buffer": encoded(discs()) if data is None else data}


def wait(page, state="ready"):
    page.locator(f"body[data-state={state}]").wait_for()


def choose(page, data=None, **names):
    page.set_input_files("#file", picture(data, **names))
    wait(page)


def pick(page, name, value):
    page.locator(f"input[name={name}][value={value}]").check(force=True)


def status(page):
    return page.locator("#status").inner_text()


def place(page):
    """Left, top, width and height of the picture in the window."""
    canvas = page.locator("#canvas")
    x, y, width, height = map(float, canvas.get_attribute("data-place").split(","))
    outer = canvas.bounding_box()
    return outer["x"] + x, outer["y"] + y, width, height


def resize(page, width, height):
    before = page.locator("#canvas").get_attribute("data-place")
    page.set_viewport_size({"width": width, "height": height})
    page.locator(f"#canvas:not([data-place='{before}'])").wait_for()


def at(page, across, down):
    """A place of the picture in the window."""
    x, y, width, height = place(page)
    return x + across * width, y + down * height


def drag(page, begin, end, release=True):
    page.mouse.move(*at(page, *begin))
    page.mouse.down()
    page.mouse.move(*at(page, *end), steps=8)
    if release:
        page.mouse.up()
        wait(page)


def pixel(page, spot):
    """The colour that is drawn at a place of the picture."""
    return page.evaluate(
        """async ([across, down]) => {
            await new Promise(requestAnimationFrame);
            await new Promise(requestAnimationFrame);
            const canvas = document.getElementById("canvas");
            const [x, y, width, height] = canvas.dataset.place.split(",").map(Number);
            const spot = [x + across * width, y + down * height].map((value) => Math.floor(value * devicePixelRatio));
            const one = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
            one.drawImage(canvas, -spot[0], -spot[1]);
            return [...one.getImageData(0, 0, 1, 1).data];
        }""",
        list(spot),
    )[:3]


def mask(page, *spots):
    """Whether places are in the mask, as the page shows it; the strokes are out of the way."""
    tool, view = page.evaluate("['tool', 'view'].map((name) => document.getElementById('panel').elements[name].value)")
    pick(page, "tool", "move")
    pick(page, "view", "mask")
    found = [pixel(page, spot) for spot in spots]
    pick(page, "tool", tool)
    pick(page, "view", view)
    assert all(each in ([0, 0, 0], [255, 255, 255]) for each in found), found
    return [each == [255, 255, 255] for each in found]


def is_checker(colour):
    return min(colour) > 220 and max(colour) - min(colour) < 10


def kept(server):
    """How many pictures the server keeps."""
    with urllib.request.urlopen(f"{server}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("alphacut_pictures "))


def test_modules_are_short_and_served_as_such(page, server):
    folder = Path(alphacut.__file__).parent / "server" / "static"
    modules = sorted(folder.glob("*.js"))
    assert len(modules) > 10
    resources = "performance.getEntriesByType('resource').map((entry) => entry.name)"
    loaded = set(page.evaluate(resources))
    page.goto(f"{server}/live")
    loaded |= set(page.evaluate(resources))
    for module in modules:
        assert len(module.read_text().splitlines()) <= 300, module.name
        assert f"{server}/static/{module.name}" in loaded


# --- a picture comes in ----------------------------------------------------------------------------------------------


def test_an_empty_page_says_what_to_do(page):
    assert page.locator("body").get_attribute("data-state") == "empty"
    said = page.locator("#empty").inner_text()
    assert "Drop a picture, paste one, or choose a file." in said
    assert "Nothing leaves this machine." in said
    assert not page.locator("#canvas").is_visible()
    assert not page.locator("#panel").is_visible()


def test_choosing_a_picture_shows_its_cutout(page):
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a picture").click()
    chooser.value.set_files(picture())
    wait(page)
    assert pixel(page, LEFT) == list(RED)
    assert is_checker(pixel(page, GROUND))
    assert not page.locator("#empty").is_visible()
    assert "confidence" in status(page)
    assert "%" in status(page)
    assert "ms" in status(page)


HAND_OVER = """([data, count]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    for (let i = 0; i < count; i++) transfer.items.add(new File([bytes], `${i}.png`, { type: "image/png" }));
    const target = document.getElementById("drop");
    target.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


def test_dropping_a_picture_shows_its_cutout(page):
    page.evaluate(HAND_OVER, [base64.b64encode(encoded(discs())).decode(), 1])
    wait(page)
    assert pixel(page, LEFT) == list(RED)
    assert is_checker(pixel(page, GROUND))


def test_dropping_no_picture_is_an_error(page):
    page.evaluate(HAND_OVER, [base64.b64encode(encoded(discs())).decode(), 0])
    wait(page, "error")
    assert "no picture file" in status(page)


def test_dropping_several_opens_them_all(page):
    page.evaluate(HAND_OVER, [base64.b64encode(encoded(discs())).decode(), 2])
    page.locator("#pictures li").nth(1).wait_for()
    wait(page)
    assert "0.png" in status(page)


def test_pasting_a_picture_shows_its_cutout(visit):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async (data) => {
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            const blob = new Blob([bytes], { type: "image/png" });
            await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
        }""",
        base64.b64encode(encoded(discs())).decode(),
    )
    page.keyboard.press("Control+V")
    wait(page)
    assert pixel(page, LEFT) == list(RED)
    assert is_checker(pixel(page, GROUND))


@pytest.mark.parametrize(
    ("pixels", "shape"),
    [
        (np.full((1, 1, 3), (10, 200, 30), np.uint8), (1, 1)),
        (discs(40, 2000)[18:22], (4, 2000)),
        (discs()[:, :, 0], (240, 360)),
        (np.dstack([discs(), np.full((240, 360), 255, np.uint8)]), (240, 360)),
    ],
    ids=["one-pixel", "wide", "gray", "with-alpha"],
)
def test_odd_pictures(page, pixels, shape):
    choose(page, encoded(pixels))
    _, _, width, height = place(page)
    assert width / height == pytest.approx(shape[1] / shape[0], rel=0.4 if shape[0] == 4 else 0.02)
    middle = np.resize(pixels[shape[0] // 2, shape[1] // 2], 3)
    pick(page, "view", "original")
    assert pixel(page, (0.5, 0.5)) == pytest.approx(middle, abs=30)
    pick(page, "tool", "keep")
    drag(page, (0.4, 0.5), (0.6, 0.5))
    assert mask(page, (0.5, 0.5)) == [True]
    pick(page, "tool", "box")
    drag(page, (-0.01, -0.01), (0.9, 1.01))


@pytest.mark.parametrize("kind", ["jpeg", "webp", "tiff"])  # browsers do not turn the second nor show the third
def test_a_camera_s_picture_is_upright(page, kind):
    exif = Image.Exif()
    exif[0x0112] = TURNED
    lying = np.ascontiguousarray(np.rot90(discs()))
    options = {} if kind == "tiff" else {"quality": 95}
    choose(page, encoded(lying, kind.upper(), exif=exif, **options), name=f"camera.{kind}", kind=f"image/{kind}")
    _, _, width, height = place(page)
    assert width / height == pytest.approx(1.5, rel=0.02)
    pick(page, "view", "original")
    assert pixel(page, LEFT) == pytest.approx(RED, abs=12)
    pick(page, "tool", "remove")
    drag(page, (LEFT[0] - 0.05, 0.5), (LEFT[0] + 0.05, 0.5))
    assert mask(page, LEFT) == [False]


# --- box and strokes -------------------------------------------------------------------------------------------------


def test_a_box_holds_the_subject(page):
    choose(page)
    pick(page, "tool", "box")
    drag(page, (0.05, 0.02), (0.5, 0.98))
    assert mask(page, LEFT, RIGHT, GROUND) == [True, False, False]
    drag(page, (0.98, 0.98), (0.5, 0.02))  # from any corner, and in place of the first
    assert mask(page, LEFT, RIGHT, GROUND) == [False, True, False]


def test_a_box_of_nothing_is_no_box(page):
    choose(page)
    before = mask(page, LEFT, RIGHT)
    pick(page, "tool", "box")
    drag(page, LEFT, LEFT)
    assert mask(page, LEFT, RIGHT) == before
    assert page.locator("#undo").is_disabled()


def test_the_cut_follows_strokes_while_they_are_drawn(page):
    choose(page)
    pick(page, "tool", "keep")
    drag(page, (LEFT[0] - 0.05, 0.5), (LEFT[0] + 0.05, 0.5))
    drag(page, (RIGHT[0] - 0.05, 0.5), (RIGHT[0] + 0.05, 0.5))
    assert mask(page, LEFT, RIGHT, GROUND) == [True, True, False]
    pick(page, "view", "mask")
    pick(page, "tool", "remove")
    beside = (RIGHT[0], 0.68)  # in the disc, but not under the stroke
    drag(page, (RIGHT[0] - 0.05, 0.5), (RIGHT[0] + 0.05, 0.5), release=False)
    for _ in range(1000):
        if pixel(page, beside) == [0, 0, 0]:
            break
    assert pixel(page, beside) == [0, 0, 0]
    assert page.locator("body").get_attribute("data-state") == "draft"
    page.mouse.up()
    wait(page)
    assert mask(page, LEFT, RIGHT, beside) == [True, False, False]


def test_drafts_are_sent_one_at_a_time_and_the_finished_cut_comes_last(page):
    choose(page)
    under_way, most, drafts = set(), [], []

    def sent(request):
        if request.url.endswith("/cut"):
            under_way.add(request)
            most.append(len(under_way))
            drafts.append(json.loads(request.post_data)["draft"])

    page.on("request", sent)
    page.on("requestfinished", lambda request: under_way.discard(request))
    page.on("requestfailed", lambda request: under_way.discard(request))
    pick(page, "tool", "keep")
    drag(page, LEFT, RIGHT)
    assert max(most) == 1
    assert drafts[0] is True
    assert drafts[-1] is False
    assert drafts.count(False) == 1


def test_a_new_stroke_supersedes_the_finished_cut(page):
    choose(page)
    pick(page, "tool", "keep")
    held = []

    def hold_the_finished(route):
        if json.loads(route.request.post_data)["draft"] or held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/cut", hold_the_finished)
    page.mouse.move(*at(page, *LEFT))
    page.mouse.down()
    page.mouse.up()
    until(page, lambda: held)
    pick(page, "tool", "remove")
    drag(page, (RIGHT[0] - 0.05, 0.5), (RIGHT[0] + 0.05, 0.5))
    assert mask(page, LEFT, RIGHT) == [True, False]
    assert held[0].request.failure is not None  # given up, so that it cannot come late


def test_undo_redo_and_starting_over(page):
    choose(page)
    first = mask(page, LEFT, RIGHT)
    undo, redo, clear = (page.locator(name) for name in ("#undo", "#redo", "#clear"))
    assert [button.is_enabled() for button in (undo, redo, clear)] == [False, False, False]
    pick(page, "tool", "keep")
    drag(page, (LEFT[0] - 0.05, 0.5), (LEFT[0] + 0.05, 0.5))
    pick(page, "tool", "remove")
    drag(page, (LEFT[0] - 0.06, 0.5), (LEFT[0] + 0.06, 0.5))
    assert mask(page, LEFT) == [False]
    undo.click()
    wait(page)
    assert mask(page, LEFT) == [True]
    page.keyboard.press("Control+Shift+Z")
    wait(page)
    assert mask(page, LEFT) == [False]
    page.keyboard.press("Control+Z")
    wait(page)
    page.keyboard.press("Control+Y")
    wait(page)
    assert mask(page, LEFT) == [False]
    clear.click()
    wait(page)
    assert mask(page, LEFT, RIGHT) == first
    assert clear.is_disabled()
    undo.click()  # this, too
    wait(page)
    assert mask(page, LEFT) == [False]
    assert redo.is_enabled()
    drag(page, (RIGHT[0] - 0.06, 0.5), (RIGHT[0] + 0.06, 0.5))
    assert redo.is_disabled()


# --- views -----------------------------------------------------------------------------------------------------------


def test_views(page):
    choose(page)
    pick(page, "tool", "box")
    drag(page, (0.05, 0.02), (0.5, 0.98))
    pick(page, "tool", "move")
    expected = {
        "result": (list(RED), None),
        "mask": ([255] * 3, [0] * 3),
        "alpha": ([255] * 3, [0] * 3),
    }
    for view, (subject, ground) in expected.items():
        pick(page, "view", view)
        assert pixel(page, LEFT) == subject, view
        assert pixel(page, RIGHT) == ground if ground else is_checker(pixel(page, RIGHT)), view
    pick(page, "view", "original")
    assert pixel(page, RIGHT) == list(BLUE)


def test_alpha_is_soft_where_the_mask_decides(page):
    soft = Image.fromarray(discs()).filter(ImageFilter.GaussianBlur(5))
    choose(page, encoded(np.array(soft)))
    pick(page, "tool", "box")
    drag(page, (0.05, 0.02), (0.5, 0.98))
    spots = [(LEFT[0], down) for down in np.linspace(0.15, 0.4, 40)]
    shown = {}
    for view in ("alpha", "mask"):
        pick(page, "view", view)
        shown[view] = np.array([pixel(page, spot)[0] for spot in spots])
    below, above = ((shown["alpha"] > low) & (shown["alpha"] < low + 70) for low in (30, 155))
    assert below.any()
    assert above.any()
    assert not shown["mask"][below].any()
    assert (shown["mask"][above] == 255).all()


def test_compare_shows_the_original_on_the_left(page):
    choose(page)
    pick(page, "view", "mask")
    assert pixel(page, LEFT) == [255] * 3
    page.locator("#compare").fill("50")
    assert pixel(page, LEFT) == list(RED)
    assert pixel(page, RIGHT) in ([0] * 3, [255] * 3)
    page.locator("#compare").fill("100")
    assert pixel(page, RIGHT) == list(BLUE)


def test_a_colour_and_a_picture_behind(page):
    choose(page)
    page.locator("#colour").fill("#ff8800")
    assert page.locator("input[name=behind][value=colour]").is_checked()
    assert pixel(page, GROUND) == [255, 136, 0]
    behind = np.zeros((100, 300, 3), np.uint8)
    behind[:, 100:200] = (0, 200, 100)  # what is left when its middle covers the picture
    assert page.locator("input[name=behind][value=picture]").is_disabled()
    page.set_input_files("#backdrop-file", picture(encoded(behind), name="behind.png"))
    page.locator("input[name=behind][value=picture]:checked").wait_for(state="attached")
    assert pixel(page, GROUND) == [0, 200, 100]
    assert pixel(page, LEFT) == list(RED)


def test_the_removed_part_is_seen_while_a_tool_is_at_work(page):
    choose(page)
    ground = np.array(pixel(page, GROUND))
    assert is_checker(ground)
    pick(page, "tool", "keep")
    dimmed = np.array(pixel(page, GROUND))
    assert 40 < dimmed.max() < 90
    assert pixel(page, LEFT) == list(RED)
    pick(page, "removed", "tinted")
    red, green, blue = pixel(page, GROUND)
    assert red > 150
    assert max(green, blue) < 120
    pick(page, "removed", "hidden")
    assert is_checker(pixel(page, GROUND))
    pick(page, "removed", "dimmed")
    pick(page, "tool", "move")
    assert is_checker(pixel(page, GROUND))


def test_the_checkerboard_has_other_colours(page):
    choose(page)
    page.locator("[name=checker]").select_option("dark")
    assert max(pixel(page, GROUND)) < 80
    page.locator("[name=checker]").select_option("light")
    assert is_checker(pixel(page, GROUND))
    page.locator("#checker-colour").fill("#12ab34")
    assert page.locator("[name=checker]").input_value() == "colour"
    assert pixel(page, GROUND) == [0x12, 0xAB, 0x34]
    assert page.locator("#undo").is_disabled()  # how it is shown is nothing that was said


# --- zoom ------------------------------------------------------------------------------------------------------------


def test_the_wheel_zooms_where_it_is(page):
    choose(page)
    spot = at(page, *LEFT)
    _, _, before, _ = place(page)
    page.mouse.move(*spot)
    page.mouse.wheel(0, -400)
    until(page, lambda: place(page)[2] > 1.5 * before)
    assert at(page, *LEFT) == pytest.approx(spot, abs=1)
    assert pixel(page, LEFT) == list(RED)
    pick(page, "tool", "remove")
    drag(page, (LEFT[0] - 0.03, 0.5), (LEFT[0] + 0.03, 0.5))  # strokes fall where they are seen
    page.keyboard.press("0")
    assert place(page)[2] == pytest.approx(before)
    assert mask(page, LEFT, RIGHT) == [False, True]


def test_zoom_by_keys_and_buttons(page):
    choose(page)
    _, _, fitting, _ = place(page)
    page.keyboard.press("+")
    assert place(page)[2] == pytest.approx(1.5 * fitting, rel=0.01)
    page.keyboard.press("-")
    page.keyboard.press("1")
    assert place(page)[2] == 360
    assert page.locator("#zoom").inner_text() == "100 %"
    page.get_by_role("button", name="Zoom in").click()
    assert place(page)[2] == pytest.approx(540)
    page.get_by_role("button", name="Fit the picture").click()
    assert place(page)[2] == pytest.approx(fitting)
    page.get_by_role("button", name="Zoom out").click()
    assert place(page)[2] == pytest.approx(fitting / 1.5, abs=1)
    for _ in range(30):
        page.keyboard.press("+")
    assert place(page)[2] == pytest.approx(32 * 360)
    for _ in range(40):
        page.keyboard.press("-")
    assert place(page)[2] == 360


def test_the_picture_is_moved(page):
    choose(page)
    page.keyboard.press("+")
    page.keyboard.press("+")
    spot = at(page, 0.5, 0.5)
    page.mouse.move(*spot)
    page.mouse.down()
    page.mouse.move(spot[0] + 40, spot[1] + 30, steps=3)
    page.mouse.up()
    assert at(page, 0.5, 0.5) == pytest.approx((spot[0] + 40, spot[1] + 30), abs=1)
    pick(page, "tool", "keep")
    page.locator("#canvas").focus()
    page.mouse.move(spot[0] + 40, spot[1] + 30)
    page.keyboard.down("Space")
    page.mouse.down()
    page.mouse.move(*spot, steps=3)
    page.mouse.up()
    page.keyboard.up("Space")
    assert at(page, 0.5, 0.5) == pytest.approx(spot, abs=1)
    assert page.locator("#undo").is_disabled()  # nothing was drawn
    page.keyboard.press("m")
    page.keyboard.press("ArrowRight")
    assert at(page, 0.5, 0.5)[0] == pytest.approx(spot[0] - 64, abs=1)
    for _ in range(50):
        page.keyboard.press("ArrowRight")
    x, _, width, _ = place(page)
    outer = page.locator("#canvas").bounding_box()
    assert x + width == pytest.approx(outer["x"] + outer["width"] - 16, abs=1)  # no farther


# --- points, and a box that is changed -------------------------------------------------------------------------------


def said(page):
    """What the page's next cut would be asked with."""
    return page.evaluate("import('/static/state.js').then(({ said }) => said())")


def click(page, spot, **options):
    page.mouse.move(*at(page, *spot))
    page.mouse.down(**options)
    page.mouse.up(**options)
    wait(page)


def test_points_keep_and_remove(page):
    choose(page)
    pick(page, "tool", "point")
    click(page, LEFT)
    page.keyboard.down("Alt")
    click(page, RIGHT)
    page.keyboard.up("Alt")
    assert [point[2] for point in said(page)["points"]] == [1, 0]
    assert said(page)["points"][0][:2] == pytest.approx([108, 120], abs=1)
    assert mask(page, LEFT, RIGHT, GROUND) == [True, False, False]
    click(page, RIGHT)  # takes the point away
    assert len(said(page)["points"]) == 1
    page.locator("#undo").click()
    assert len(said(page)["points"]) == 2
    pick(page, "keeps", "remove")
    click(page, (0.5, 0.5))
    assert said(page)["points"][2][2] == 0
    page.mouse.click(*at(page, -0.01, 0.5))  # beside the picture
    assert len(said(page)["points"]) == 3


def test_points_paint_and_colours_by_keyboard(page):
    choose(page)
    page.locator("#canvas").focus()
    page.keyboard.press("p")
    page.keyboard.press("Enter")
    wait(page)
    assert said(page)["points"] == [[180, 120, 1]]
    for _ in range(3):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Alt+Enter")
    wait(page)
    assert [point[2] for point in said(page)["points"]] == [1, 0]
    page.keyboard.press("e")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Space")
    wait(page)
    assert len(said(page)["paint"]) == 1
    page.keyboard.press("c")
    assert said(page)["crop"] is True
    page.get_by_text("Plain background").focus()
    page.keyboard.press("Enter")
    page.locator("[data-said=key]").select_option("colour")
    wait(page)
    page.get_by_role("button", name="Pick it").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "canvas"
    page.keyboard.press("Enter")
    wait(page)
    assert said(page)["keyColour"] != "#00b140"


def test_a_box_is_moved_and_resized(page):
    choose(page)
    pick(page, "tool", "box")
    drag(page, (0.05, 0.02), (0.5, 0.98))
    x, y, width, height = said(page)["box"]
    drag(page, (0.3, 0.5), (0.68, 0.5))
    assert said(page)["box"] == pytest.approx([x + 0.38 * 360, y, width, height], abs=2)
    assert mask(page, LEFT, RIGHT) == [False, True]
    left, _, _, _ = said(page)["box"]
    drag(page, (left / 360, 0.5), (0.2, 0.5))  # by its left side
    assert said(page)["box"] == pytest.approx([72, y, left + width - 72, height], abs=2)
    right = sum(said(page)["box"][::2])
    drag(page, (right / 360, (y + height) / 240), (0.9, 0.7))  # by a corner
    assert said(page)["box"] == pytest.approx([72, y, 0.9 * 360 - 72, 0.7 * 240 - y], abs=2)
    drag(page, (0.5, 0.4), (1.5, 0.4))  # as far as the picture reaches
    assert sum(said(page)["box"][::2]) == 360
    page.locator("#canvas").focus()
    before = said(page)["box"]
    page.keyboard.press("h")  # its first corner
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    wait(page)
    after = said(page)["box"]
    assert after[1] > before[1]
    assert after[1] + after[3] == before[1] + before[3]


# --- controls --------------------------------------------------------------------------------------------------------


def slide(page, name, value):
    """Moves a slider to a value, and lets it go."""
    page.locator(f"[data-said={name}]").evaluate(
        """(slider, value) => {
            slider.closest("details")?.setAttribute("open", "");
            slider.value = value;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
            slider.dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        value,
    )
    wait(page)


def row(page, down=0.5, count=90):
    """Alpha along the left half of the picture, as the page has it."""
    return np.array(
        page.evaluate(
            """([down, count]) => import("/static/state.js").then(({ state: { picture } }) => {
                const { width, height } = picture.small;
                const row = Math.floor(down * height) * width;
                const step = width / count / 2;
                return Array.from({ length: count }, (_, i) => picture.alpha[row + Math.floor(i * step)]);
            })""",
            [down, count],
        )
    )


def test_the_edge_moves_and_softens_live_and_back(page):
    choose(page)
    pick(page, "tool", "box")
    drag(page, (0.05, 0.02), (0.5, 0.98))
    before = row(page)
    slide(page, "shift", 6)
    wider = row(page)
    assert (wider > 127).sum() > (before > 127).sum() + 4
    assert page.locator("[data-said=shift] + output").inner_text() == "+6 px"
    slide(page, "feather", 4)
    assert ((row(page) > 5) & (row(page) < 250)).sum() > ((wider > 5) & (wider < 250)).sum() + 4
    page.keyboard.press("Control+Z")
    wait(page)
    np.testing.assert_array_equal(row(page), wider)
    page.keyboard.press("Control+Z")
    wait(page)
    np.testing.assert_array_equal(row(page), before)
    assert page.locator("[data-said=shift]").input_value() == "0"
    page.keyboard.press("Control+Y")
    wait(page)
    np.testing.assert_array_equal(row(page), wider)
    page.locator("[data-said=refine]").uncheck()
    wait(page)
    page.locator("#clear").click()
    wait(page)
    assert said(page)["shift"] == 0
    assert said(page)["refine"] is True


def test_painting_alpha_itself(page):
    choose(page)
    pick(page, "tool", "box")
    drag(page, (0.05, 0.02), (0.5, 0.98))
    page.keyboard.press("e")
    page.locator("[data-set=softness]").fill("0")
    drag(page, (LEFT[0], 0.45), (LEFT[0], 0.55))
    assert mask(page, LEFT, (0.2, 0.5)) == [False, True]
    pick(page, "tool", "restore")
    page.locator("[data-set=softness]").fill("100")
    page.locator("#brush").fill("100")
    drag(page, (0.6, 0.5), (0.8, 0.5))
    assert mask(page, RIGHT, GROUND) == [True, False]
    pick(page, "view", "alpha")
    soft = [pixel(page, (0.7, down))[0] for down in np.linspace(0.5, 0.75, 25)]
    assert soft[0] > 230
    assert soft[-1] == 0
    assert len(set(soft)) > 8
    pick(page, "view", "result")
    pick(page, "removed", "hidden")
    assert pixel(page, (0.7, 0.5)) == pytest.approx(BLUE, abs=12)
    cutout = downloaded(page)
    assert cutout[120, 108, 3] == 0
    assert cutout[120, 252].tolist() == pytest.approx([*BLUE, 255], abs=6)
    page.keyboard.press("Control+Z")
    wait(page)
    assert mask(page, LEFT, RIGHT) == [False, False]
    page.get_by_text("Plain background").click()
    page.locator("[data-said=key]").select_option("colour")
    wait(page)
    assert mask(page, LEFT) == [False]  # what is painted holds with a key, too
    assert page.locator("input[name=tool][value=erase]").is_enabled()


def until_detail(page):
    """Waits for the full size of some tens of pixels."""
    seen = "import('/static/state.js').then(({ state }) => state.picture.detail?.region[2] < 100)"
    while not page.evaluate(seen):
        page.wait_for_timeout(20)


def test_zoomed_in_the_full_size_is_seen(page):
    large = discs(900, 1350)
    large[::2, ::2][:, :] = np.where(large[::2, ::2, :1] == RED[0], 255, large[::2, ::2])  # finer than the preview
    choose(page, encoded(large))
    pick(page, "tool", "box")
    drag(page, (0.03, 0.02), (0.5, 0.98))
    pick(page, "tool", "move")
    page.mouse.move(*at(page, *LEFT))
    for _ in range(5):
        page.mouse.wheel(0, -400)
    until_detail(page)
    spots = [(LEFT[0] + (i + 0.5) / 1350, 0.5 + 0.5 / 900) for i in range(8)]
    greens = [pixel(page, spot)[1] for spot in spots]
    assert max(greens) > 220
    assert min(greens) < 60
    slide(page, "shift", 1)
    until_detail(page)


def green_screen():
    """A red disc on green, which is slightly uneven."""
    pixels = discs()
    rest = ~((pixels[..., 0] > 180) | (pixels[..., 2] > 180))
    pixels[rest] = (20, 170, 60)
    pixels[rest, 1] += np.random.default_rng(3).integers(0, 6, rest.sum(), np.uint8)
    return pixels


def test_a_plain_background_is_keyed_out(page):
    choose(page, encoded(green_screen()))
    page.get_by_text("Plain background").click()
    page.locator("[data-said=key]").select_option("auto")
    wait(page)
    assert mask(page, LEFT, RIGHT, GROUND) == [True, True, False]
    assert page.locator("input[name=tool][value=box]").is_disabled()
    assert "decides alone" in page.locator("#keyed").inner_text()
    page.locator("[data-said=key]").select_option("colour")
    wait(page)
    page.get_by_role("button", name="Pick it from the picture").click()
    click(page, RIGHT)  # what is blue is then the background
    assert said(page)["keyColour"] == "#283cbe"
    assert mask(page, LEFT, RIGHT) == [True, False]
    assert page.locator("body").get_attribute("data-tool") == "move"
    before = row(page).sum()
    slide(page, "similarity", 0.3)
    assert page.locator("[data-said=similarity] + output").inner_text() == "0.300"
    slide(page, "blend", 0.5)
    assert row(page).sum() != before
    page.get_by_label("Take its tint off the subject").check()
    wait(page)
    for _ in range(5):
        page.keyboard.press("Control+Z")
        wait(page)
    assert said(page)["key"] == "auto"
    assert mask(page, RIGHT) == [True]


def test_the_own_background_is_blurred(page):
    choose(page)
    pick(page, "tool", "box")
    drag(page, (0.05, 0.02), (0.5, 0.98))
    pick(page, "tool", "move")
    pick(page, "behind", "blur")
    wait(page)
    spots = [(0.5 + i / 360, 0.1) for i in range(12)]
    blurred = np.array([pixel(page, spot) for spot in spots], float)
    pick(page, "view", "original")
    sharp = np.array([pixel(page, spot) for spot in spots], float)
    assert blurred.std(axis=0).max() < sharp.std(axis=0).max() / 2
    assert blurred.mean() == pytest.approx(sharp.mean(), abs=12)
    pick(page, "view", "result")
    assert pixel(page, LEFT) == list(RED)
    assert downloaded(page).shape == (240, 360, 3)


def test_crop_format_and_quality(page):
    choose(page)
    pick(page, "tool", "box")
    drag(page, (0.05, 0.02), (0.5, 0.98))
    pick(page, "tool", "move")
    page.get_by_label("Crop to the subject").check()
    page.get_by_label("Margin around the subject").fill("9")
    page.keyboard.press("Tab")
    assert max(pixel(page, (0.9, 0.1))) < 130  # what is cut off is shaded
    height, width, channels = downloaded(page).shape
    assert (height, width) == pytest.approx((120 + 18, 120 + 18), abs=4)
    assert channels == 4
    for form, ending, name in (("webp", "webp", "WEBP"), ("tiff", "tif", "TIFF"), ("jpeg", "jpg", "JPEG")):
        page.locator("[data-said=format]").select_option(form)
        assert page.locator("#quality-row").is_visible() == (form in ("webp", "jpeg"))
        file = saved_file(page, f"discs-cutout.{ending}")
        image = Image.open(io.BytesIO(file))
        assert image.format == name
        assert image.size == (width, height)
    assert page.locator("#saving").inner_text().startswith("Saved as discs-cutout.jpg, on white")
    assert np.asarray(image)[0, 0].tolist() == [255] * 3
    slide(page, "quality", 20)
    assert len(saved_file(page, "discs-cutout.jpg")) < len(file)
    page.keyboard.press("Control+Z")
    assert page.locator("[data-said=quality]").input_value() == "90"
    for _ in range(4):
        page.keyboard.press("Control+Z")
    assert said(page)["crop"] is True
    assert said(page)["margin"] == 0
    assert said(page)["format"] == "png"


def test_a_crop_of_a_fixed_shape(page):
    choose(page)
    assert page.locator("#aspect-row").is_hidden()
    page.locator("[data-said=crop]").check()
    for shape in ("1:1", "35:45", "16:9"):
        page.locator("[data-said=aspect]").select_option(shape)
        width, height = Image.open(io.BytesIO(saved_file(page, "discs-cutout.png"))).size
        across, down = map(int, shape.split(":"))
        assert abs(width / height - across / down) < 0.02
    page.keyboard.press("Control+Z")
    assert said(page)["aspect"] == "35:45"


def test_a_mask_is_saved_in_any_format(page):
    choose(page)
    pick(page, "view", "mask")
    page.locator("[data-said=format]").focus()
    page.locator("[data-said=format]").select_option("tiff")
    assert page.locator("input[name=view][value=mask]").is_checked()
    image = Image.open(io.BytesIO(saved_file(page, "discs-cutout.tif")))
    assert (image.format, image.mode) == ("TIFF", "L")
    page.locator("[data-said=format]").focus()
    page.keyboard.press("Control+Z")  # in a list, too
    assert said(page)["format"] == "png"
    page.locator("[data-said=margin]").focus()
    page.keyboard.press("1")  # is a number there, and no zoom
    page.keyboard.press("0")
    page.keyboard.press("Tab")
    assert said(page)["margin"] in (10, 100)
    assert page.locator("#zoom").inner_text() != "100 %"


def test_a_mask_as_a_file_and_strokes_on_it(page, complaints):
    choose(page)
    shape = np.zeros((240, 360), np.uint8)
    shape[60:180, 150:250] = 255
    page.set_input_files("#mask-file", picture(encoded(shape), name="shape.png"))
    wait(page)
    assert page.locator("#mask-name").inner_text() == "shape.png"
    assert mask(page, LEFT, (0.5, 0.5), GROUND) == [False, True, False]
    pick(page, "tool", "remove")
    drag(page, (0.45, 0.5), (0.55, 0.5))
    assert mask(page, (0.5, 0.5), (0.5, 0.35)) == [False, True]
    page.get_by_role("button", name="Without the mask").click()
    wait(page)
    assert said(page)["mask"] is None
    page.keyboard.press("Control+Z")
    wait(page)
    assert mask(page, (0.5, 0.35)) == [True]
    page.set_input_files("#mask-file", picture(encoded(shape[1:]), name="wrong.png"))
    wait(page, "error")
    assert status(page).startswith("wrong.png: must have the picture's size, 360 × 240")
    page.keyboard.press("Control+Z")
    wait(page)
    assert page.locator("#mask-name").inner_text() == "shape.png"
    provoked(complaints, 400)


def test_a_forgotten_picture_comes_again_with_its_mask(page, server, complaints):
    with page.expect_response("**/api/pictures") as first:
        choose(page)
    shape = np.zeros((240, 360), np.uint8)
    shape[60:180, 150:250] = 255
    page.set_input_files("#mask-file", picture(encoded(shape)))
    wait(page)
    page.request.delete(f"{server}/api/pictures/{first.value.json()['id']}")
    slide(page, "shift", 2)
    assert mask(page, (0.5, 0.5), GROUND) == [True, False]
    provoked(complaints, 404)


def test_the_file_is_ready_before_it_is_asked_for(page):
    choose(page)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/file") else None)
    page.locator("#download[data-ready=true]").wait_for()
    assert len(asked) == 1
    assert "PNG, " in page.locator("#download-size").inner_text()
    downloaded(page)
    assert len(asked) == 1
    pick(page, "view", "alpha")
    assert page.locator("#download").get_attribute("data-ready") == "false"
    assert page.locator("#download").get_attribute("draggable") == "false"
    page.locator("#download[data-ready=true]").wait_for()
    assert len(asked) == 2


def test_the_file_can_be_dragged_out(page):
    choose(page)
    page.locator("#download[data-ready=true][draggable=true]").wait_for()
    kind, name, address = page.evaluate("""() => {
        const dataTransfer = new DataTransfer();
        document.getElementById("download").dispatchEvent(new DragEvent("dragstart", { dataTransfer }));
        const [kind, name, ...address] = dataTransfer.getData("DownloadURL").split(":");
        return [kind, name, address.join(":")];
    }""")
    assert (kind, name) == ("image/png", "discs-cutout.png")
    shown = """async (src) => {
        const image = Object.assign(new Image(), { src });
        await image.decode();
        return [image.naturalWidth, image.naturalHeight];
    }"""
    saved = Image.open(io.BytesIO(saved_file(page, "discs-cutout.png")))
    assert page.evaluate(shown, address) == list(saved.size)


@pytest.mark.parametrize("way", ["button", "key"])
def test_copying_the_cutout(visit, way):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    choose(page)
    if way == "button":
        page.get_by_role("button", name="Copy").click()
    else:
        page.keyboard.press("Control+C")
    page.locator("#saving", has_text="clipboard").wait_for()
    data = page.evaluate(
        """async () => {
            const [item] = await navigator.clipboard.read();
            const bytes = new Uint8Array(await (await item.getType("image/png")).arrayBuffer());
            return [...bytes];
        }"""
    )
    copied = np.array(Image.open(io.BytesIO(bytes(data))).convert("RGBA"))
    assert copied.shape == (240, 360, 4)
    assert copied[0, 0, 3] == 0
    assert copied[120, 108].tolist() == [*RED, 255]


# --- files -----------------------------------------------------------------------------------------------------------


def saved_file(page, name):
    """The bytes that a click saves under this name."""
    found, data = saved(page, page.locator("#download").click)
    assert found == name
    return data


def downloaded(page):
    file = saved_file(page, "discs-cutout.png")
    wait(page)
    return np.array(Image.open(io.BytesIO(file)))


def test_download_is_what_is_seen_at_full_size(page):
    large = Image.fromarray(discs(900, 1350)).filter(ImageFilter.GaussianBlur(3))  # more than a preview has, and soft
    choose(page, encoded(np.array(large)))
    pick(page, "tool", "box")
    drag(page, (0.03, 0.02), (0.5, 0.98))
    pick(page, "tool", "keep")
    drag(page, (LEFT[0] - 0.06, 0.5), (LEFT[0] + 0.06, 0.5))
    y, x = np.mgrid[:900, :1350]
    subject = np.hypot(x - 405, y - 450) < 225
    cutout = downloaded(page)
    assert cutout.shape == (900, 1350, 4)
    assert np.mean((cutout[..., 3] > 127) == subject) > 0.99
    assert cutout[450, 405].tolist() == [*RED, 255]
    for view, soft in (("mask", False), ("alpha", True)):
        pick(page, "view", view)
        found = downloaded(page)
        assert found.shape == (900, 1350), view
        assert np.mean((found > 127) == subject) > 0.99, view
        assert (len(np.unique(found)) > 2) == soft, view
    page.locator("#colour").fill("#ff8800")
    found = downloaded(page)
    assert found[450, 945].tolist() == [255, 136, 0]
    assert found[450, 405].tolist() == list(RED)
    page.set_input_files("#backdrop-file", picture(encoded(np.full((20, 30, 3), (1, 200, 3), np.uint8))))
    page.locator("input[name=behind][value=picture]:checked").wait_for(state="attached")
    found = downloaded(page)
    assert found[450, 945].tolist() == [1, 200, 3]
    assert found[450, 405].tolist() == list(RED)
    assert page.locator("#saving").inner_text() == "Saved as discs-cutout.png"
    half = np.full((20, 30, 4), (1, 200, 3, 128), np.uint8)  # what is transparent lies over white
    page.set_input_files("#backdrop-file", picture(encoded(half), name="half.png"))
    page.wait_for_timeout(500)
    pick(page, "tool", "move")
    assert downloaded(page)[450, 945].tolist() == pytest.approx(pixel(page, RIGHT), abs=2)


def test_pictures_do_not_stay_on_the_server(visit, server):
    before = kept(server)
    page = visit()
    choose(page)
    assert kept(server) == before + 1
    page.set_input_files("#file", picture(encoded(discs(120, 200)), name="second.png"))
    page.locator("#pictures [title='second.png'][aria-current]").wait_for()
    assert kept(server) == before + 2
    page.goto("about:blank")
    for _ in range(1000):
        if kept(server) == before:
            break
        page.wait_for_timeout(10)
    assert kept(server) == before


# --- what goes wrong -------------------------------------------------------------------------------------------------


def provoked(complaints, status):
    """Takes out what the console says of an answer that was provoked."""
    expected = [text for text in complaints if f"status of {status}" in text]
    assert expected or BROWSER != "chromium"  # Firefox's console says nothing of it
    for text in expected:
        complaints.remove(text)


def test_an_error_keeps_the_picture_and_the_strokes(page, complaints):
    page.set_input_files("#file", picture(b"no picture", name="notes.txt", kind="text/plain"))
    wait(page, "error")
    assert status(page).startswith("notes.txt: ")
    assert page.locator("#empty").is_visible()
    choose(page)
    pick(page, "tool", "remove")
    drag(page, (LEFT[0] - 0.06, 0.5), (LEFT[0] + 0.06, 0.5))
    page.set_input_files("#file", picture(b"no picture"))
    wait(page, "error")
    assert page.locator("#undo").is_enabled()
    assert mask(page, LEFT) == [False]
    drag(page, (RIGHT[0] - 0.06, 0.5), (RIGHT[0] + 0.06, 0.5))
    assert mask(page, LEFT, RIGHT) == [False, False]
    provoked(complaints, 400)


def test_a_picture_that_is_too_large_is_refused_in_words(page, complaints):
    page.set_input_files("#file", picture(encoded(np.zeros((1500, 1500), np.uint8))))
    wait(page, "error")
    assert "2000000" in status(page).replace(",", "").replace(" ", "")
    provoked(complaints, 413)


def test_a_background_that_is_no_picture_changes_nothing(page):
    choose(page)
    page.set_input_files("#backdrop-file", picture(b"no picture"))
    wait(page, "error")
    assert "cannot show" in status(page)
    assert page.locator("input[name=view][value=result]").is_checked()


def test_a_picture_that_the_server_forgot_is_sent_again(page, server, complaints):
    with page.expect_response("**/api/pictures") as first:
        choose(page)
    name = first.value.json()["id"]
    page.request.delete(f"{server}/api/pictures/{name}")
    pick(page, "tool", "remove")
    drag(page, (LEFT[0] - 0.06, 0.5), (LEFT[0] + 0.06, 0.5))
    assert mask(page, LEFT) == [False]
    provoked(complaints, 404)


def test_a_busy_server_is_asked_again(page, complaints):
    choose(page)
    answers = iter([503, 503])

    def busy(route):
        if next(answers, None) is None:
            return route.continue_()
        body = json.dumps({"errors": [{"code": "busy", "title": "All places are taken."}]})
        return route.fulfill(status=503, headers={"Retry-After": "0.1"}, body=body)

    page.route("**/cut", busy)
    pick(page, "tool", "remove")
    drag(page, (LEFT[0] - 0.06, 0.5), (LEFT[0] + 0.06, 0.5))
    assert next(answers, None) is None
    assert mask(page, LEFT) == [False]
    provoked(complaints, 503)


def test_a_server_that_is_gone_is_said_and_survived(page, complaints):
    choose(page)
    pick(page, "tool", "remove")
    page.route("**/cut", lambda route: route.abort())
    page.mouse.move(*at(page, *LEFT))
    page.mouse.down()
    page.mouse.up()
    wait(page, "error")
    assert status(page).startswith("The server cannot be reached.")
    page.unroute("**/cut")
    page.get_by_role("button", name="Try again").click()
    wait(page)
    assert mask(page, LEFT) == [False]
    assert all("ERR_FAILED" in text for text in complaints)
    complaints.clear()


def test_a_cut_leaves_the_word_to_a_picture_that_is_being_read(page):
    choose(page)
    held = []
    page.route("**/api/pictures", lambda route: held.append(route))
    page.set_input_files("#file", picture(encoded(discs(120, 200)), name="next.png"))
    wait(page, "busy")
    pick(page, "tool", "remove")
    with page.expect_response(lambda answer: answer.url.endswith("/cut")):
        page.mouse.move(*at(page, *LEFT))
        page.mouse.down()
        page.mouse.up()
    page.wait_for_timeout(500)
    assert page.evaluate("document.body.dataset.state") == "busy"
    assert status(page) == "Reading next.png…"
    held[0].continue_()
    wait(page)
    assert "confidence" in status(page)


def test_a_cut_leaves_an_error_to_be_read(page, complaints):
    choose(page)
    pick(page, "tool", "remove")
    page.mouse.move(*at(page, *LEFT))
    page.mouse.down()
    page.set_input_files("#file", picture(b"no picture", name="none.png"))
    wait(page, "error")
    page.wait_for_timeout(500)
    assert "not a picture" in status(page)
    page.mouse.up()
    wait(page)
    assert mask(page, LEFT) == [False]
    assert all("400" in text for text in complaints)
    complaints.clear()


# --- other hands and windows -----------------------------------------------------------------------------------------


def test_everything_by_keyboard(page):
    page.on("filechooser", lambda chooser: None)  # so early that choosers are caught when the keys come
    for _ in range(3):  # past the links to films and to the API
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Choose a picture"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(picture())
    wait(page)
    assert page.evaluate("document.activeElement.id") == "canvas"  # the button that had the focus is gone
    page.keyboard.press("b")
    assert page.evaluate("document.activeElement.id") == "canvas"
    page.keyboard.press("Space")  # a corner in the middle
    for _ in range(15):
        page.keyboard.press("Shift+ArrowUp")
        page.keyboard.press("Shift+ArrowLeft")
    assert page.locator("body").get_attribute("data-state") == "draft"
    for _ in range(30):
        page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("Escape")  # not so
    wait(page)
    assert page.locator("#undo").is_disabled()
    for _ in range(30):
        page.keyboard.press("Shift+ArrowDown")
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Shift+ArrowUp")
    for _ in range(18):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Enter")
    wait(page)
    assert mask(page, LEFT, RIGHT) == [False, True]
    size = int(page.locator("#brush").input_value())
    page.keyboard.press("]")
    assert int(page.locator("#brush").input_value()) > size
    page.keyboard.press("[")
    page.keyboard.press("r")
    page.keyboard.press("Space")
    for _ in range(8):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Space")
    wait(page)
    page.keyboard.press("Control+Z")
    wait(page)
    page.keyboard.press("Escape")
    assert page.locator("body").get_attribute("data-tool") == "move"
    seen = []
    for _ in range(4):
        page.keyboard.press("v")
        seen.append(page.locator("input[name=view]:checked").get_attribute("value"))
    assert seen == ["mask", "alpha", "original", "result"]
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "download":
            break
    _, data = saved(page, lambda: page.keyboard.press("Enter"))
    alpha = np.array(Image.open(io.BytesIO(data)))[..., 3]
    assert alpha[120, 252] == 255
    assert alpha[120, 108] == 0
    wait(page)


def test_on_a_phone(visit):
    page = visit(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, device_scale_factor=2)
    inner = "[document.documentElement.scrollWidth, innerWidth]"
    assert page.evaluate(inner) == [360, 360]
    choose(page)
    assert page.evaluate(inner) == [360, 360]
    _, _, width, _ = place(page)
    canvas = page.evaluate("[document.getElementById('canvas').width, document.getElementById('canvas').clientWidth]")
    assert canvas[0] == 2 * canvas[1]
    assert width > 280
    touch_action = "getComputedStyle(document.getElementById('canvas')).touchAction"
    assert page.evaluate(touch_action) == "pan-x pan-y"  # a finger scrolls
    page.locator("label:has([name=tool][value=remove])").tap()
    assert page.evaluate(touch_action) == "none"  # a finger draws
    touch = page.context.new_cdp_session(page)

    def finger(kind, *spots):
        points = [{"id": i, **dict(zip("xy", at(page, *spot), strict=True))} for i, spot in enumerate(spots)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    finger("touchStart", (LEFT[0] - 0.06, 0.5))
    for share in np.linspace(-0.05, 0.06, 8):
        finger("touchMove", (LEFT[0] + share, 0.5))
    finger("touchEnd")
    wait(page)
    assert mask(page, LEFT) == [False]
    _, _, width, _ = place(page)
    page.evaluate("scrollTo(0, 0)")
    finger("touchStart", (0.45, 0.5))
    finger("touchStart", (0.45, 0.5), (0.55, 0.5))
    before = said(page)
    finger("touchMove", (0.4, 0.5), (0.6, 0.5))
    finger("touchEnd")
    assert place(page)[2] == pytest.approx(2 * width, rel=0.1)
    assert said(page) == before  # two fingers draw nothing
    page.locator("summary").last.tap()
    assert page.evaluate(inner) == [360, 360]


def test_in_the_dark(visit):
    page = visit(color_scheme="dark")
    choose(page)
    assert max(pixel(page, GROUND)) < 80
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 19, 24)"
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(200)
    assert is_checker(pixel(page, GROUND))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs the extra 'browser'").Axe()
    page = visit(color_scheme=scheme)
    assert axe.run(page).response["violations"] == []
    choose(page)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    for tool in ("point", "keep", "restore"):
        pick(page, "tool", tool)
        assert [each["id"] for each in axe.run(page).response["violations"]] == [], tool
    page.locator("[data-said=format]").select_option("webp")
    page.locator("[data-said=key]").select_option("colour")
    wait(page)
    assert [(each["id"], each["nodes"]) for each in axe.run(page).response["violations"]] == []


def test_targets_are_large_on_a_phone(visit):
    page = visit(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, device_scale_factor=2)
    choose(page)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    targets = (
        "button, select, summary, .choices label, label.check, input:is([type=range], [type=color], [type=number])"
    )
    small = page.evaluate(
        """(targets) => [...document.querySelectorAll(targets)]
            .map((each) => [each.outerHTML.slice(0, 90), each.getBoundingClientRect()])
            .filter(([, { width, height }]) => width && (width < 44 || height < 44))
            .map(([html, { width, height }]) => [html, width, height])""",
        targets,
    )
    assert small == []


def test_nothing_runs_where_motion_is_reduced(visit):
    page = visit(reduced_motion="reduce")
    choose(page)
    running = "document.getAnimations().map((each) => each.animationName ?? each.transitionProperty)"
    page.evaluate("document.body.dataset.state = 'busy'")
    assert page.evaluate(running) == []


def test_the_picture_fits_a_window_that_changes(page):
    choose(page)
    pick(page, "tool", "remove")
    resize(page, 700, 700)
    drag(page, (LEFT[0] - 0.06, 0.5), (LEFT[0] + 0.06, 0.5))
    x, _, width, _ = place(page)
    assert x >= 0
    assert x + width <= 700
    resize(page, 1300, 900)
    assert mask(page, LEFT) == [False]


def test_time_from_stroke_to_seen(page, capsys):
    """Measures, and asserts only that something was measured: the time is the machine's."""
    choose(page, encoded(discs(800, 1200)))
    pick(page, "tool", "keep")
    page.mouse.move(*at(page, 0.2, 0.5))
    page.mouse.down()
    for share in np.linspace(0.2, 0.4, 40):
        page.mouse.move(*at(page, share, 0.5))
        page.wait_for_timeout(16)
    page.mouse.up()
    wait(page)
    seen = page.evaluate("performance.getEntriesByName('stroke-to-seen').map((entry) => entry.duration)")
    assert seen
    assert min(seen) > 0
    with capsys.disabled():
        print(f"\nstroke to seen: median {statistics.median(seen):.0f} ms, most {max(seen):.0f} ms, {len(seen)} drafts")
