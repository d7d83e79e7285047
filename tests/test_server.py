import asyncio
import base64
import io
import json
import math
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from functools import partial
from urllib.parse import urljoin

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import alphacut
from alphacut import cli
from alphacut.compositing import blurred_background
from alphacut.files import read_image, write_image

pytest.importorskip("starlette", reason="the server needs the extra 'serve'")
from starlette import testclient
from starlette.applications import Starlette
from starlette.routing import Mount

from alphacut.server import Settings, bench, create_app, docs, fields, films, layout, remove, workers

TestClient = partial(testclient.TestClient, base_url="http://localhost")


def scene(height=60, width=80):
    """Something red on a ground of two greens, off the middle."""
    pixels = np.full((height, width, 3), (40, 120, 60), np.uint8)
    pixels[:, ::3] = (60, 140, 50)
    pixels[height // 4 : -height // 4, width // 4 : -width // 3] = (200, 30, 40)
    return pixels


def encoded(pixels, format="png", **options):
    file = io.BytesIO()
    write_image(file, pixels, format=format, **options)
    return file.getvalue()


PHOTO = scene()
FILE = encoded(PHOTO)
BOX = (15, 10, 45, 40)


@pytest.fixture(scope="module")
def client():
    with TestClient(create_app()) as client:
        yield client


def post(client, files=None, code=200, path="/api/remove", **fields):
    answer = client.post(path, files={"file": FILE} if files is None else files, data=fields)
    assert answer.status_code == code, answer.text
    return answer


def refused(client, code, word, files=None, **fields):
    """The sentence of the one error."""
    answer = post(client, files, code, **fields)
    (error,) = answer.json()["errors"]
    assert error["code"] == word
    return error["title"]


def pixels_of(answer):
    return np.asarray(Image.open(io.BytesIO(answer.content)))


# --- /api/remove -----------------------------------------------------------------------------------------------------


def test_the_answer_is_what_the_library_gives(client):
    expected = alphacut.remove_background(PHOTO, box=BOX)
    answer = post(client, box="15,10,45,40")
    assert answer.headers["content-type"] == "image/png"
    np.testing.assert_array_equal(pixels_of(answer), expected.rgba)
    facts = [answer.headers[f"x-foreground-{name}"] for name in ("left", "top", "width", "height")]
    assert tuple(map(int, facts)) == expected.box
    assert answer.headers["x-method"] == "graphcut"
    assert float(answer.headers["x-confidence"]) == pytest.approx(expected.confidence, abs=1e-4)
    assert "segment;dur=" in answer.headers["server-timing"]
    assert answer.headers["cache-control"] == "no-store"
    roi = post(client, roi="15 10px 75% 50")
    np.testing.assert_array_equal(pixels_of(roi), expected.rgba)


def test_names_other_clients_use(client):
    plain = post(client).content
    assert post(client, files={"image_file": FILE}, size="auto", type="auto").content == plain
    on_red = post(client, bg_color="ff0000", format="png").content
    for colour in ("#f00", "red", "255,0,0", "255, 0, 0, 255"):
        assert post(client, bgc=colour).content == on_red
    assert client.post("/api/remove", params={"bgc": "red"}, files={"file": FILE}).content == on_red
    np.testing.assert_array_equal(pixels_of(post(client, om="true")), alphacut.remove_background(PHOTO).mask)
    np.testing.assert_array_equal(pixels_of(post(client, channels="alpha")), alphacut.remove_background(PHOTO).alpha)
    assert post(client, om="", bg_color="").content == plain  # as an empty form sends
    assert post(client, bgc="1,2,3,0").content == plain


def test_forms_of_the_answer(client):
    for form, media in (("png", "png"), ("webp", "webp"), ("auto", "png")):
        answer = post(client, format=form)
        assert answer.headers["content-type"] == f"image/{media}"
        np.testing.assert_array_equal(pixels_of(answer), alphacut.remove_background(PHOTO).rgba)
    assert post(client, format="jpg", bgc="white").headers["content-type"] == "image/jpeg"
    assert post(client, format="auto", bgc="white").headers["content-type"] == "image/jpeg"
    assert post(client, format="jpg", om="1").headers["content-type"] == "image/jpeg"


def test_zip(client):
    answer = post(client, format="zip")
    assert answer.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.namelist() == ["color.jpg", "alpha.png"]
    assert read_image(archive.read("color.jpg")).pixels.shape == PHOTO.shape
    expected = alphacut.remove_background(PHOTO).alpha
    np.testing.assert_array_equal(read_image(archive.read("alpha.png")).pixels, expected)


def test_a_zip_keeps_what_is_told_of_the_photo(client):
    exif = Image.Exif()
    exif[0x013B] = "Author"
    file = encoded(PHOTO, "tiff", exif=exif.tobytes(), dpi=(300, 300))
    for given, author in (({}, False), ({"exif": "true"}, True)):
        archive = zipfile.ZipFile(io.BytesIO(post(client, {"file": file}, format="zip", **given).content))
        colours, alpha = (read_image(archive.read(name)) for name in ("color.jpg", "alpha.png"))
        assert (b"Author" in (colours.exif or b"")) == author
        assert alpha.exif is None
        for picture in (colours, alpha):
            assert picture.dpi == pytest.approx((300, 300), abs=0.1)


def test_json(client):
    answers = [post(client, format="json", box="15,10,45,40").json()["data"]]
    headers = {"Accept": "Application/JSON; charset=utf-8"}
    answers.append(
        client.post("/api/remove", files={"file": FILE}, data={"roi": "15,10,60,50"}, headers=headers).json()["data"]
    )
    expected = alphacut.remove_background(PHOTO, box=BOX)
    for data in answers:
        picture = read_image(base64.b64decode(data["result_b64"]))
        np.testing.assert_array_equal(picture.alpha, expected.alpha)
        assert tuple(data["box"]) == expected.box
        assert (data["foreground_left"], data["foreground_height"]) == (expected.box[0], expected.box[3])
        assert data["method"] == "graphcut"
        assert set(data["timings"]) == set(expected.timings)


def test_crop(client):
    x, y, width, height = alphacut.remove_background(PHOTO, box=BOX).box
    answer = post(client, box="15,10,45,40", crop="true", crop_margin="2")
    assert pixels_of(answer).shape == (height + 4, width + 4, 4)
    assert (answer.headers["x-foreground-left"], answer.headers["x-width"]) == ("2", str(width + 4))
    assert (x, y) != (0, 0)


def test_prompts_as_files(client):
    mask = np.zeros(PHOTO.shape[:2], np.uint8)
    mask[20:40, 30:50] = 1
    answer = post(client, {"file": FILE, "mask": encoded(mask)}, refine="none", om="true")
    np.testing.assert_array_equal(pixels_of(answer), mask * 255)
    trimap = np.zeros(PHOTO.shape[:2], np.uint8)
    trimap[10:50, 15:60] = 128
    trimap[20:40, 30:50] = 255
    answer = post(client, {"file": FILE, "trimap": encoded(trimap)}, channels="alpha")
    np.testing.assert_array_equal(pixels_of(answer), alphacut.remove_background(PHOTO, trimap=trimap).alpha)


def test_strokes_and_labels_say_the_same(client):
    strokes = [
        {"keep": True, "width": 5, "points": [[30, 30], [45, 30]]},
        {"keep": False, "width": 3.5, "points": [[5, 5]]},
    ]
    painted = PHOTO.copy()
    labels = alphacut._strokes.draw_labels(
        [alphacut._strokes.Stroke(**each) for each in strokes], (60, 80), undecided=2
    )
    painted[labels == 1] = (0, 255, 0)
    painted[labels == 0] = (255, 0, 0)
    drawn = post(client, strokes=json.dumps(strokes))
    assert post(client, {"file": FILE, "labels": encoded(painted)}).content == drawn.content
    np.testing.assert_array_equal(pixels_of(drawn), alphacut.remove_background(PHOTO, labels=labels).rgba)
    assert post(client, {"file": FILE, "labels": encoded(labels)}).content == drawn.content
    boxed = post(client, strokes=json.dumps(strokes), box="15,10,45,40")
    labels[labels == 2] = 3
    np.testing.assert_array_equal(pixels_of(boxed), alphacut.remove_background(PHOTO, labels=labels, box=BOX).rgba)


def test_points(client):
    points = [[30, 30], [5.5, 5, 0]]
    answer = post(client, points=json.dumps(points))
    np.testing.assert_array_equal(pixels_of(answer), alphacut.remove_background(PHOTO, points=points).rgba)


def test_edge(client):
    for given, edge in (("-1.5, 0.5", (-1.5, 0.5)), ("+3", (3, 0))):
        expected = alphacut.remove_background(PHOTO, edge=edge).rgba
        np.testing.assert_array_equal(pixels_of(post(client, edge=given)), expected)


def test_every_option_of_python(client):
    """What the server answers is what Python gives."""
    speckled = PHOTO.copy()
    speckled[3:6, 5:9] = (200, 30, 40)
    for given, options in (
        ({"clean": "false", "method": "kmeans"}, {"clean": False, "method": "kmeans"}),
        ({"foreground": "0"}, {"foreground": False}),
        ({"preprocess": "denoise white_balance"}, {"preprocess": ("denoise", "white_balance")}),
        ({"subject": "barrier", "seed": "3"}, {"subject": "barrier", "seed": 3}),
        ({"points": "30,30; 5.5,5,0"}, {"points": [(30, 30), (5.5, 5, 0)]}),
        ({"points": "30, 30 5.5 ,5,0"}, {"points": [(30, 30), (5.5, 5, 0)]}),
    ):
        expected = alphacut.remove_background(speckled, **options)
        np.testing.assert_array_equal(pixels_of(post(client, {"file": encoded(speckled)}, **given)), expected.rgba)


def test_a_ground_that_is_keyed(client):
    ground = np.full((40, 60, 3), (10, 180, 60), np.uint8)
    ground[10:30, 20:40] = (200, 40, 50)
    ground[10:30, 19] = (105, 110, 55)
    given = {"key": "#0ab43c", "similarity": "0.05", "blend": "0.2", "despill": "true", "refine": "none"}
    options = {"key": (10, 180, 60), "similarity": 0.05, "blend": 0.2, "despill": True, "refine": None}
    answer = post(client, {"file": encoded(ground)}, **given)
    np.testing.assert_array_equal(pixels_of(answer), alphacut.remove_background(ground, **options).rgba)


def test_quality_and_formats(client):
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    noisy = {"file": encoded(noise), "mask": encoded(np.full((64, 64), 255, np.uint8))}
    answer = post(client, format="tiff")
    assert answer.headers["content-type"] == "image/tiff"
    np.testing.assert_array_equal(pixels_of(answer), alphacut.remove_background(PHOTO).rgba)
    for form, given in (("jpeg", {"bg_color": "white"}), ("webp", {})):
        sizes = [len(post(client, noisy, format=form, quality=quality, **given).content) for quality in ("20", "90")]
        assert sizes[0] < sizes[1]
    assert len(post(client, format="png", png_level="0").content) > len(post(client, png_level="9").content)
    packed = post(client, noisy, format="zip", quality="20").content
    assert len(packed) < len(post(client, noisy, format="zip").content)
    assert post(client, format="PNG").headers["content-type"] == "image/png"


def test_shadows(client):
    made = alphacut.remove_background(PHOTO)
    text = "drop:offset=4,2%:softness=3:opacity=0.5:color=navy"
    np.testing.assert_array_equal(pixels_of(post(client, shadow=text)), made.on(None, shadow=text))
    answer = post(client, shadow="contact", background="white")
    np.testing.assert_array_equal(pixels_of(answer), made.on("white", shadow="contact"))
    for theirs, ours in (
        ({"add_shadow": "true"}, "drop"),
        ({"shadow_type": "auto", "shadow_opacity": "25"}, "drop:opacity=0.25"),
        ({"shadow_type": "contact"}, "contact"),
        ({"shadow_type": "none"}, None),
    ):
        np.testing.assert_array_equal(pixels_of(post(client, **theirs)), made.on(None, shadow=ours))


def test_backgrounds_in_words(client):
    for word in ("blur", "checkerboard"):
        expected = alphacut.remove_background(PHOTO).on(word)
        np.testing.assert_array_equal(pixels_of(post(client, background=word)), expected)
    red = post(client, background="red").content
    for given in ({"bg_color": "ff0000ff"}, {"bg_color": "#f00f"}, {"bgc": "F00"}):
        assert post(client, **given).content == red
    assert post(client, bg_color="ff000000").content == post(client).content


def test_a_picture_behind(client):
    ground = np.full((30, 40, 3), (1, 200, 3), np.uint8)
    answer = post(client, {"file": FILE, "bg_image_file": encoded(ground)})
    np.testing.assert_array_equal(pixels_of(answer), alphacut.remove_background(PHOTO).on(ground))


def test_key(client):
    ground = np.full((40, 40, 3), (0, 177, 64), np.uint8)
    ground[10:30, 10:30] = (200, 20, 30)
    answer = post(client, {"file": encoded(ground)}, key="00b140")
    np.testing.assert_array_equal(pixels_of(answer), alphacut.remove_background(ground, key="#00b140").rgba)
    assert answer.headers["x-method"] == "key"


def test_profile_is_kept(client):
    profile = bytes(16) + b"RGB " + bytes(108)
    answer = post(client, {"file": encoded(PHOTO, icc_profile=profile)})
    assert read_image(answer.content).icc_profile == profile


def test_nothing_found_is_said(client):
    answer = post(client, {"file": encoded(np.full((20, 20, 3), 99, np.uint8))}, method="graphcut", crop="1")
    assert pixels_of(answer)[..., 3].max() == 0
    assert any("no subject" in warning for warning in json.loads(answer.headers["x-warnings"]))


# --- what clients of other removers send -----------------------------------------------------------------------------

# By default: it asks for nothing but a cutout.
USUAL = {
    "size": "auto",
    "type": "auto",
    "type_level": "none",
    "format": "auto",
    "roi": "0% 0% 100% 100%",
    "crop": "false",
    "scale": "original",
    "position": "original",
    "channels": "rgba",
    "add_shadow": "false",
    "semitransparency": "true",
    "bg_color": "",
    "image_url": "",
    "bg_image_url": "",
}


def test_what_asks_for_nothing_changes_nothing(client):
    plain = post(client)
    usual = post(client, **USUAL)
    assert usual.content == plain.content
    assert "x-ignored" not in {*usual.headers, *plain.headers}
    for given in ({"roi": "0 0 80 60"}, {"shadow_type": "none"}, {"a": "true"}, {"extras": "{}"}, {"size": "4k"}):
        answer = post(client, **given)
        assert (answer.content, "x-ignored" in answer.headers) == (plain.content, False)
    assert post(client, path="/v1.0/removebg", **USUAL).content == plain.content


def test_what_is_ignored_is_said(client):
    plain = post(client).content
    for given in (
        {"size": "regular"},
        {"size": "small"},
        {"size": "HD"},
        {"type": "person"},
        {"type_level": "latest"},
        {"semitransparency": "false"},
        {"shadow_opacity": "50"},
        {"a": "false"},
        {"af": "240", "ab": "10", "ae": "10"},
        {"ppm": "false"},
        {"crop_margin": "10px"},
    ):
        answer = post(client, **given)
        assert answer.content == plain
        said = answer.headers["x-ignored"].split(", ")
        assert said == ["margin" if name == "crop_margin" else name for name in given]
    assert "x-ignored" not in post(client, crop="true", crop_margin="10px").headers
    shadow = post(client, shadow="drop")
    theirs = {"add_shadow": "true", "shadow_type": "contact", "shadow_opacity": "50"}
    answer = post(client, shadow="drop", **theirs)
    assert (answer.content, answer.headers["x-ignored"]) == (shadow.content, ", ".join(theirs))
    for given in ({}, {"add_shadow": "false"}, {"shadow_type": "none"}):
        assert "x-ignored" not in post(client, shadow="drop", **given).headers
    assert "x-ignored" not in post(client, **theirs).headers
    headers = {"Accept": "application/json"}
    answer = client.post("/v1.0/removebg", files={"image_file": FILE}, data={"type": "car"}, headers=headers)
    assert answer.headers["x-ignored"] == "type"
    assert answer.json()["data"]["foreground_width"] == alphacut.remove_background(PHOTO).box[2]


def test_a_preview_has_a_quarter_of_a_megapixel(client):
    large = scene(900, 1200)
    file = encoded(large, "jpeg")
    expected = alphacut.remove_background(read_image(file).pixels)
    for given in ({}, {"format": "jpg", "bg_color": "white"}, {"format": "zip"}, {"crop": "true"}):
        answer = post(client, {"image_file": file}, size="preview", **given)
        height, width = int(answer.headers["x-height"]), int(answer.headers["x-width"])
        assert 200_000 < height * width <= 250_000
        if not given:
            small = pixels_of(answer)
            assert small.shape == (height, width, 4)
            assert width / height == pytest.approx(4 / 3, abs=0.01)
            alpha = alphacut.resize(expected.alpha, (height, width))
            np.testing.assert_allclose(small[..., 3], alpha, atol=1)
            scale = width / 1200
            box = [int(answer.headers[f"x-foreground-{side}"]) for side in ("left", "top", "width", "height")]
            assert box == pytest.approx([value * scale for value in expected.box], abs=2)
    assert post(client, size="preview").content == post(client).content  # no picture grows


@pytest.mark.parametrize("shape", [(1, 600_000), (600_000, 1)])
def test_a_preview_of_a_strip(client, shape):
    answer = post(client, {"file": encoded(np.zeros(shape, np.uint8))}, size="preview", format="png")
    assert 0 < int(answer.headers["x-height"]) * int(answer.headers["x-width"]) <= 250_000


@pytest.mark.parametrize("depth", ["uint8", "uint16", "gray"])
@pytest.mark.parametrize(
    ("given", "box"),
    [
        ({"position": "0%"}, (0, 0, 20, 10)),
        ({"position": "100%"}, (60, 50, 20, 10)),
        ({"position": "0% 100%"}, (0, 50, 20, 10)),
        ({"position": "center"}, (30, 25, 20, 10)),
        ({"position": "original"}, (10, 5, 20, 10)),
        ({"scale": "100%"}, (0, 10, 80, 40)),
        ({"scale": "50%"}, (20, 20, 40, 20)),
        ({"scale": "10%"}, (36, 28, 8, 4)),
        ({"scale": "50%", "position": "100% 0%"}, (40, 0, 40, 20)),
        ({"scale": "50%", "position": "original"}, (0, 0, 40, 20)),  # its middle would be outside
        ({"scale": "12.5%", "position": "original"}, (15, 8, 10, 5)),
        ({"scale": "50%", "crop": "true", "crop_margin": "5"}, (8, 6, 15, 8)),
        ({"position": "0% 0%", "crop": "true", "crop_margin": "5 0"}, (0, 0, 20, 10)),
    ],
)
def test_the_subject_is_placed(client, given, box, depth):
    photo = np.full((60, 80, 3), 250, np.uint8)
    photo[5:15, 10:30] = (200, 30, 40)
    photo = photo[..., 0].copy() if depth == "gray" else photo
    if depth == "gray":
        photo[5:15, 10:30] = 20
    photo = photo.astype(np.uint16) * 257 if depth == "uint16" else photo
    mask = np.zeros((60, 80), np.uint8)
    mask[5:15, 10:30] = 255
    files = {"file": encoded(photo, "tiff") if photo.ndim == 2 else encoded(photo), "mask": encoded(mask)}
    answer = post(client, files, refine="none", **given)
    found = [int(answer.headers[f"x-foreground-{side}"]) for side in ("left", "top", "width", "height")]
    assert found == pytest.approx(box, abs=1)
    x, y, width, height = found
    pixels = pixels_of(answer)
    whole = (20, 30) if given.get("crop_margin") == "5" else (20, 20) if "crop" in given else (60, 80)
    assert pixels.shape[:2] == whole
    outside = pixels[..., 3].copy()
    outside[y : y + height, x : x + width] = 0
    assert outside.max() <= 128  # half a pixel of a scaled edge
    colour = pixels[y + height // 2, x + width // 2]
    assert colour.tolist() == [20, 20, 20, 255] if depth == "gray" else [200, 30, 40, 255]
    visible = pixels[..., 3] > 0
    wrong = np.abs(pixels[visible][:, :3].astype(int) - colour[:3]) * (pixels[visible][:, 3:] / 255)
    assert wrong.max() <= 1.5  # as much as can be seen


def test_a_small_subject_on_a_large_canvas_and_none(client, monkeypatch):
    photo = np.full((900, 1200, 3), 250, np.uint8)
    mask = np.zeros((900, 1200), np.uint8)
    mask[500, 700] = 255
    photo[500, 700] = (200, 30, 40)
    files = {"file": encoded(photo), "mask": encoded(mask)}
    pixels = pixels_of(post(client, files, refine="none", scale="100%"))
    assert pixels[450, 600].tolist() == [200, 30, 40, 255]
    assert pixels[:, 150:1050, 3].min() >= 127
    sizes = []

    def resized(image, size):
        sizes.append(size)
        return alphacut.resize(image, size)

    monkeypatch.setattr(layout, "resize", resized)
    post(client, files, refine="none", scale="98%", position="50%")
    assert max(map(math.prod, sizes)) < 2 * 900 * 1200  # what lies around one pixel would be eight canvases
    empty = post(client, {"file": encoded(photo), "mask": encoded(mask * 0)}, scale="100%", position="0%")
    assert pixels_of(empty)[..., 3].max() == 0


def test_a_placed_subject_on_its_own_blurred_background(client):
    whole = alphacut.remove_background(PHOTO, box=BOX)
    x, y, width, height = whole.box
    moved = pixels_of(post(client, box="15,10,45,40", background="blur", position="0%"))
    behind = blurred_background(PHOTO, whole.alpha)
    np.testing.assert_array_equal(moved[height + 2 :, width + 2 :], behind[height + 2 :, width + 2 :])
    assert moved[height // 2, width // 2].tolist() == whole.foreground[y + height // 2, x + width // 2].tolist()


def test_margins(client):
    whole = alphacut.remove_background(PHOTO, box=BOX)
    width, height = whole.box[2:]
    for given, sides in (
        ("2px", 2),
        ("10%", (round(height / 10), round(width / 10)) * 2),
        ("1 3px", (1, 3, 1, 3)),
        ("1,2,3,4", (1, 2, 3, 4)),
        ("0 5% 0 0", (0, round(width / 20), 0, 0)),
    ):
        answer = post(client, box="15,10,45,40", crop="true", crop_margin=given)
        np.testing.assert_array_equal(pixels_of(answer), whole.crop(sides).rgba)


def test_a_path_tells_all_of_its_methods(client):
    for path, methods in (
        ("/api/pictures/x", "DELETE, GET, HEAD"),
        ("/api/films/x", "DELETE, POST"),
        ("/api/remove", "POST"),
        ("/static/app.js", "GET, HEAD"),
    ):
        answer = client.request("PATCH", path)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)


def test_an_aspect(client):
    whole = alphacut.remove_background(PHOTO, box=BOX)
    answer = post(client, box="15,10,45,40", crop="true", crop_margin="3", aspect="1:1")
    np.testing.assert_array_equal(pixels_of(answer), whole.crop(3, aspect=1).rgba)
    assert post(client, aspect="1:1").headers["x-ignored"] == "aspect"
    assert "like 4:5" in post(client, {"file": FILE}, 400, aspect="square").text


def test_bodies_of_text(client):
    text = base64.b64encode(FILE).decode()
    plain = post(client).content
    boxed = post(client, box="15,10,45,40", bg_color="255,0,0").content
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, 30:50] = 255
    masked = post(client, {"file": FILE, "mask": encoded(mask)}).content
    for path in ("/api/remove", "/v1.0/removebg"):
        for name in ("image_file_b64", "file", "image_file"):
            assert client.post(path, data={name: text}).content == plain
            assert client.post(path, json={name: text}).content == plain
    assert client.post("/api/remove", files={"image_file_b64": (None, text)}).content == plain
    assert client.post("/api/remove", json={"file": f"data:image/png;base64,{text}"}).content == plain
    lines = "\r\n".join(text[start : start + 76] for start in range(0, len(text), 76))
    assert client.post("/api/remove", json={"file": lines}).content == plain
    unquoted = f"image_file_b64={text}".replace("=", "%3D").replace("image_file_b64%3D", "image_file_b64=", 1)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert "+" in unquoted
    assert client.post("/api/remove", content=unquoted, headers=kind).content == plain
    flags = {"crop": False, "add_shadow": False, "semitransparency": True}
    given = {**USUAL, **flags, "bg_color": None, "crop_margin": None}
    assert client.post("/v1.0/removebg", json={"image_file_b64": text, **given}).content == plain
    wanted = {"file": text, "box": [15, 10, 45, 40], "bg_color": [255, 0, 0]}
    assert client.post("/api/remove", json=wanted).content == boxed
    mask_text = base64.b64encode(encoded(mask)).decode()
    assert client.post("/api/remove", json={"file": text, "mask": mask_text}).content == masked
    pointed = post(client, points="[[30, 30], [5.5, 5, 0]]").content
    assert client.post("/api/remove", json={"file": text, "points": [[30, 30], [5.5, 5, 0]]}).content == pointed
    both = client.post("/api/remove", data={"image_file_b64": text}, files={"image_file": FILE})
    assert (both.status_code, both.json()["errors"][0]["code"]) == (400, "repeated_field")
    assert client.post("/api/pictures", json={"file": text}).status_code == 201
    kind = {"Content-Type": "application/json; charset=utf-8"}
    assert client.post("/api/remove", content=json.dumps({"file": text}), headers=kind).content == plain


@pytest.mark.parametrize(
    "disposition",
    [
        b"name=\"file\"; filename*=UTF-8''b%C3%BCld.png",
        b'name="file"; filename*=utf-8\'en\'b%C3%BCld.png; filename="build.png"',
        b'name="file"; filename="a.png"; filename*=UTF-8\'\'b%C3%BCld.png',
        b"name=file; FileName*=\"UTF-8''a.png\"",
        b"name=file; filename=a.png",
        b'name="file"\r\nContent-Type: image/png',
        b"name=file\r\nContent-Type: application/octet-stream",
        'name="image_file"; filename="b\xfcld \u98a8.png"'.encode(),
    ],
)
def test_uploads_by_any_name(client, disposition):
    for pieces in (1, 7):
        head = b"--x\r\nContent-Disposition: form-data; "
        body = head + disposition + b"\r\n\r\n" + FILE + b"\r\n"
        body += head + b'name="size"\r\nContent-Type: text/plain\r\n\r\nauto\r\n--x--\r\n'
        step = -(-len(body) // (pieces * pieces))
        parts = (body[start : start + step] for start in range(0, len(body), step))
        answer = client.post("/api/remove", content=parts, headers={"Content-Type": "multipart/form-data; boundary=x"})
        assert answer.status_code == 200, answer.text
        assert answer.content == post(client).content


# --- bad requests ----------------------------------------------------------------------------------------------------


def png(width, height, bits=8):
    """A PNG of one colour, gray."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = bytes(1 + -(-width * bits // 8))
    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_pictures_that_are_none(client):
    jpeg = encoded(scene(300, 400), "jpeg")
    for data, words in (
        (b"text", "not a picture"),
        (b"", "empty"),
        (jpeg[: len(jpeg) // 2], "cannot be decoded as JPEG"),
        (FILE[:40], "cannot be decoded as PNG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(1000), "cannot be decoded as PNG"),
    ):
        assert words in refused(client, 400, "invalid_picture", {"file": ("a.jpg", data)})
    for name in ("mask", "trimap", "labels", "bg_image_file"):
        title = refused(client, 400, "invalid_picture", {"file": FILE, name: b"text"})
        assert title.startswith(f"{name}: not a picture")


def test_pictures_that_are_too_large(client):
    for data in (png(20_000, 20_000, bits=1), png(50_000_001, 1)):
        assert len(data) < 2**20
        title = refused(client, 413, "too_many_pixels", {"file": data})
        assert "more than the limit of 50000000" in title
    title = refused(client, 413, "too_many_pixels", {"file": FILE, "mask": png(20_000, 20_000, bits=1)})
    assert title.startswith("mask: ")


def test_one_pixel(client):
    assert pixels_of(post(client, {"file": encoded(PHOTO[:1, :1])})).shape == (1, 1, 4)
    assert pixels_of(post(client, {"file": png(1, 1)}, format="webp")).shape == (1, 1, 4)


@pytest.mark.parametrize(
    ("word", "fields", "words"),
    [
        (
            "unknown_field",
            {"colour": "red"},
            "'colour' is no field of this request; these are: file, image_file, ",
        ),
        ("unknown_field", {"image_url": "http://example.com/a.png"}, "fetches nothing"),
        ("unknown_field", {"x" * 500: "1"}, "is no field"),
        ("invalid_field", {"mask": "a text"}, "mask: must be a file, or one in base64"),
        (
            "invalid_field",
            {"box": "1,2,3"},
            "box: must be four whole numbers x,y,width,height, or percentages, got",
        ),
        ("invalid_field", {"box": "1,2,3,4e9"}, "box: must be four whole"),
        ("invalid_prompt", {"box": "500,500,3,3"}, "overlap the 80×60 picture"),
        ("invalid_field", {"box": "1,1,0,3"}, "at least 1"),
        ("invalid_field", {"roi": "1 2 3"}, "roi: must be 'x1 y1 x2 y2'"),
        ("invalid_field", {"roi": "30 2 10 5"}, "beyond x1"),
        ("invalid_field", {"bgc": "no colour"}, "bgc: the colour must be"),
        ("invalid_field", {"bgc": "1,2,3,4"}, "bgc: the colour"),
        ("invalid_field", {"bgc": "1,2,999"}, "bgc: the colour"),
        ("invalid_field", {"om": "maybe"}, "om: must be true or false, got 'maybe'"),
        ("invalid_field", {"channels": "rgb"}, "channels: must be one of rgba, alpha, got 'rgb'"),
        (
            "invalid_field",
            {"format": "gif"},
            "format: must be one of auto, png, jpg, jpeg, webp, tiff, zip",
        ),
        ("invalid_field", {"crop_margin": "-1"}, "crop_margin: must be one, two or four lengths"),
        ("invalid_field", {"method": "magic"}, "method: must be one of"),
        ("invalid_field", {"strokes": "{"}, "strokes: is no JSON"),
        ("invalid_field", {"strokes": "[" * 100_000}, "strokes: is no JSON"),
        ("invalid_field", {"strokes": "[" + "[]," * 300_000 + "[]]"}, "strokes: has more than 500000 values"),
        ("invalid_field", {"strokes": " " * (2**22 + 1)}, "strokes: must have at most 4194304 characters, got 4194305"),
        ("invalid_field", {"strokes": "{}"}, "strokes: must be a list"),
        ("invalid_field", {"strokes": "[3]"}, "strokes: each must be"),
        ("invalid_field", {"strokes": '[{"keep": 1, "width": 3, "points": [[1, 2]]}]'}, "strokes: each must be"),
        ("invalid_field", {"strokes": '[{"keep": true, "width": 0, "points": [[1, 2]]}]'}, "a width must be above 0"),
        ("invalid_field", {"strokes": '[{"keep": true, "width": NaN, "points": [[1, 2]]}]'}, "a width must be"),
        ("invalid_field", {"strokes": '[{"keep": true, "width": 3, "points": []}]'}, "at least one point"),
        ("invalid_field", {"strokes": '[{"keep": true, "width": 3, "points": [[1]]}]'}, r"must be \[x, y\]"),
        ("invalid_field", {"strokes": '[{"keep": true, "width": 3, "points": [[1, 1e400]]}]'}, r"must be \[x, y\]"),
        ("invalid_field", {"strokes": f'[{{"keep": true, "width": 3, "points": [[1, {"9" * 999}]]}}]'}, r"must be \[x"),
        ("invalid_field", {"points": "[]"}, "points: must have 1 to"),
        ("invalid_field", {"points": "1,2;3"}, "points: must be x,y"),
        ("invalid_field", {"points": "1,2 " * 50_001}, "points: must have 1 to 50000 items"),
        ("invalid_field", {"points": "1e400,2"}, "points: must be x,y"),
        ("invalid_field", {"points": "[[1, 2"}, "is no JSON"),
        ("invalid_field", {"points": "[[1, 2, 3]]"}, "points: must be x,y"),
        ("invalid_field", {"points": "[[1]]"}, "points: must be x,y"),
        ("invalid_prompt", {"points": "[[1000, 2]]"}, "outside the picture"),
        ("invalid_field", {"edge": "101"}, "edge: shift must be from -100"),
        ("invalid_field", {"edge": "1,-1"}, "edge: shift must be from -100 to 100 pixels and feather from 0"),
        ("invalid_field", {"edge": "nan"}, "edge: must be one or two numbers shift,feather"),
        ("contradiction", {"format": "jpg"}, "JPEG has no transparency"),
        ("contradiction", {"format": "png", "quality": "3"}, "quality goes with jpeg and webp only"),
        ("contradiction", {"format": "webp", "quality": "101"}, "quality must be 1 to 100"),
        ("contradiction", {"format": "webp", "png_level": "3"}, "png_level goes with png only"),
        ("invalid_field", {"bgc": "81d4fa77"}, "must be opaque or wholly transparent"),
        ("invalid_field", {"similarity": "many"}, "similarity: must be a number"),
        ("invalid_field", {"similarity": "9"}, "similarity"),
        ("invalid_field", {"clean": "perhaps"}, "clean: must be true or false"),
        ("invalid_field", {"preprocess": "denoise magic"}, "preprocess: must be one of denoise, white_balance"),
        ("invalid_field", {"seed": "-1"}, "^seed: must be from 0"),
        ("invalid_field", {"model": "u2net"}, "'u2net' is no model of this server; none was named"),
        ("invalid_prompt", {"instance": "0"}, "no model"),
        ("invalid_field", {"size": "huge"}, "size: must be preview"),
        ("invalid_field", {"scale": "0%"}, "scale: must be original, or above 0%"),
        ("invalid_field", {"scale": "50"}, "scale: must be original"),
        ("invalid_field", {"scale": "101%"}, "scale: must be original"),
        ("invalid_field", {"position": "left"}, "position: must be original"),
        ("invalid_field", {"position": "1% 2% 3%"}, "position: must be original"),
        ("invalid_field", {"shadow_type": "3D"}, "shadow_type: must be none, auto, drop or contact, got '3D'"),
        ("invalid_field", {"shadow": "drop:size=2"}, "shadow: must be drop or contact and then :offset="),
        ("contradiction", {"shadow": "drop", "om": "true"}, "a shadow goes with no om"),
        ("invalid_field", {"extras": '{"sam_prompt": []}'}, "fields of their own"),
        ("contradiction", {"om": "true", "bgc": "red"}, "only one of"),
        ("contradiction", {"om": "true", "channels": "alpha"}, "ask for one"),
        ("contradiction", {"box": "1,1,9,9", "roi": "1 1 9 9"}, "say the same"),
        ("contradiction", {"format": "zip", "om": "true"}, "format=zip"),
        ("invalid_prompt", {"key": "red", "box": "1,1,9,9"}, "contradict"),
        (
            "invalid_prompt",
            {"method": "kmeans", "strokes": '[{"keep": true, "width": 3, "points": [[1, 2]]}]'},
            "labels",
        ),
    ],
)
def test_wrong_fields(client, word, fields, words):
    assert re.search(words, refused(client, 400, word, **fields))


def test_wrong_files(client):
    small = encoded(np.zeros((5, 5), np.uint8))
    assert "must have the picture's shape" in refused(client, 400, "invalid_prompt", {"file": FILE, "mask": small})
    assert "no strokes" in refused(client, 400, "invalid_field", {"file": FILE, "labels": FILE})
    assert "box: must be a text, got a file" in refused(client, 400, "invalid_field", {"file": FILE, "box": small})
    assert "file (or image_file, image_file_b64)" in refused(client, 400, "missing_file", {"mask": small})
    twice = {"file": FILE, "image_file": FILE}
    assert "are one field" in refused(client, 400, "repeated_field", twice)


def test_wrong_bodies(client):
    for kind, body, code, word in (
        ("image/png", FILE, 415, "not_a_form"),
        ("multipart/form-data", FILE, 400, "bad_request"),
        ("multipart/form-data; boundary=x", b"--y\r\nnonsense--x--", 400, "bad_request"),
        ("multipart/form-data; boundary=x", b"--x\r\nnonsense", 400, "cut_short"),
        ("multipart/form-data; boundary=x", b"", 400, "cut_short"),
        ("multipart/form-data; boundary=x", b"--x--\r\n", 400, "missing_file"),
        ("multipart/form-data; boundary=x; charset=utf-16", b"--x--\r\n", 415, "not_utf8"),
        ("multipart/form-data; boundary=x; charset=undefined", b"--x--\r\n", 415, "not_utf8"),
        ("multipart/form-dataX; boundary=x", b"--x--\r\n", 415, "not_a_form"),
        ("application/json", b"", 400, "bad_request"),
        ("application/json", b"[]", 400, "bad_request"),
        ("application/json", b"[" * 100_000, 400, "bad_request"),
        ("application/json", b'{"points": [' + b"[]," * 300_000 + b"[]]}", 400, "bad_request"),
        ("application/json", b'{"file": "\xff"}', 400, "bad_request"),
        ("application/json", b"{}", 400, "missing_file"),
        ("application/json", b'{"file": "no base64!"}', 400, "invalid_field"),
        ("application/json", b'{"file": "AAAA"}', 400, "invalid_picture"),
        ("application/json", b'{"fil": "AAAA"}', 400, "unknown_field"),
        ("application/x-www-form-urlencoded", b"", 400, "missing_file"),
        ("application/x-www-form-urlencoded", b"size=\xff", 400, "bad_request"),
        ("application/x-www-form-urlencoded", b"a=1&" * 1000, 400, "bad_request"),
    ):
        answer = client.post("/api/remove", content=body, headers={"Content-Type": kind})
        assert answer.status_code == code, answer.text
        assert answer.json()["errors"][0]["code"] == word
    many = [("file", FILE)] + [("mask", FILE)] * 80
    assert client.post("/api/remove", files=many).json()["errors"][0]["code"] == "bad_request"


def test_fields_are_read_by_a_worker(client, monkeypatch):
    seen = []

    def parse(*arguments):
        seen.append(threading.current_thread().name)
        return original(*arguments)

    original = fields.parse
    monkeypatch.setattr(fields, "parse", parse)
    post(client)
    client.post("/api/remove", json={"file": base64.b64encode(FILE).decode()})
    assert [name.rpartition("_")[0] for name in seen] == ["alphacut"] * 2  # long texts hold up nobody


def test_a_form_that_was_cut_off_is_refused_whole(client):
    file = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + FILE + b"\r\n"
    body = file + b'--x\r\nContent-Disposition: form-data; name="om"\r\n\r\ntrue\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x; charset=UTF-8"}
    whole = client.post("/api/remove", content=body, headers=headers)
    assert pixels_of(whole).ndim == 2
    answer = client.post("/api/remove", content=body + bytes(1000), headers=headers)  # after it there may be anything
    assert answer.content == whole.content
    for end in (len(body) - 9, len(file), len(file) - 40):
        answer = client.post("/api/remove", content=body[:end], headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "cut_short")


def test_a_side_that_a_format_cannot_have(client):
    strip = {"file": encoded(np.zeros((2, 70_000), np.uint8))}
    for form, extra in (("zip", {}), ("webp", {}), ("jpg", {"om": "true"})):
        assert "sides of a" in refused(client, 400, "contradiction", strip, format=form, **extra)


def test_many_strokes(client):
    points = [[index / 500.0 + 0.123456789, 30.123456789012345] for index in range(40_000)]
    strokes = json.dumps([{"keep": True, "width": 3, "points": points}])
    assert len(strokes) > 2**20
    assert post(client, strokes=strokes).status_code == 200


def test_strokes_that_take_too_long_to_draw(client):
    rng = np.random.default_rng(1)
    wild = rng.integers(-(10**6), 10**6, (20_000, 2)).tolist()
    strokes = json.dumps([{"keep": True, "width": 10_000, "points": wild}])
    assert "too wide" in refused(client, 400, "invalid_field", strokes=strokes)
    name = post(client, code=201, path="/api/pictures").json()["id"]
    assert "too wide" in cut(client, name, 400, strokes=json.loads(strokes)).json()["errors"][0]["title"]


def test_a_strip_behind(client):
    for ground in (np.full((1, 300_000), 9, np.uint8), np.full((300_000, 1), 9, np.uint8)):
        answer = post(client, {"file": FILE, "bg_image_file": encoded(ground)})
        assert pixels_of(answer).shape == PHOTO.shape
        assert (pixels_of(answer)[0, 0] == 9).all()


def test_pages_of_other_sites_may_not_ask(client):
    for site, code in (("cross-site", 403), ("same-origin", 200), ("none", 200)):
        answer = client.post("/api/remove", files={"file": FILE}, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == code
    answer = client.delete("/api/pictures/x", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.json()["errors"][0]["code"] == "cross_site"
    assert client.get("/docs", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_wrong_paths(client):
    for answer, code in (
        (client.get("/nothing"), 404),
        (client.get("/api/remove"), 405),
        (client.get("/static/../app.py"), 404),
        (client.get("/static/%2e%2e/app.py"), 404),
        (client.get("/static/nothing.js"), 404),
    ):
        assert answer.status_code == code
        assert answer.json()["errors"][0]["code"] == "bad_request"


def test_a_fault_of_the_server_is_answered_and_logged(monkeypatch):
    def fault(*arguments, **options):
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(remove, "Remover", type("Other", (alphacut.Remover,), {"__call__": fault}))
    with TestClient(create_app(), raise_server_exceptions=False) as client:
        assert refused(client, 500, "internal_error") == "The server failed; its log says more."
        assert 'alphacut_requests_total{endpoint="remove",status="500"} 1.0' in client.get("/metrics").text
    with TestClient(create_app()) as client, pytest.raises(ZeroDivisionError):
        post(client)


# --- pictures of pages -----------------------------------------------------------------------------------------------


def cut(client, name, code=200, **request):
    answer = client.post(f"/api/pictures/{name}/cut", json=request)
    assert answer.status_code == code, answer.text
    return answer


def test_a_page_cuts_its_picture_again_and_again(client):
    made = post(client, code=201, path="/api/pictures").json()
    assert (made["width"], made["height"], made["preview"]) == (80, 60, {"width": 80, "height": 60})
    name = made["id"]
    first = cut(client, name)
    np.testing.assert_array_equal(pixels_of(first), alphacut.remove_background(PHOTO).rgba)

    stroke = alphacut._strokes.Stroke(False, [(25, 20), (30, 40)], 4)
    request = {"box": list(BOX), "strokes": [stroke._asdict()]}
    draft = cut(client, name, **request, draft=True)
    mask = pixels_of(draft)
    assert mask.shape == (60, 80)
    assert mask[30, 40] == 255
    assert mask[30, 27] == mask[2, 2] == 0
    labels = alphacut._strokes.draw_labels([stroke], (60, 80), undecided=3)
    expected = alphacut.remove_background(PHOTO, box=BOX, labels=labels)
    finished = cut(client, name, **request)
    np.testing.assert_array_equal(pixels_of(finished), expected.rgba)
    found = json.loads(finished.headers["x-cutout"])
    assert found["method"] == "graphcut"
    assert tuple(found["box"]) == expected.box
    assert found["confidence"] == pytest.approx(expected.confidence, abs=1e-4)
    assert found["milliseconds"] > 0

    assert client.delete(f"/api/pictures/{name}").status_code == 204
    assert cut(client, name, 404).json()["errors"][0]["code"] == "unknown_picture"


def test_the_shadow_of_a_page_is_srgb(client):
    """Its colour, which is no colour of the picture, is not to be read in the picture's profile."""
    file = encoded(PHOTO, icc_profile=bytes(16) + b"RGB " + bytes(108))
    name = post(client, {"file": file}, 201, "/api/pictures").json()["id"]
    answer = client.post(f"/api/pictures/{name}/shadow", json={"shadow": {"color": "#ff8000"}})
    assert answer.status_code == 200
    shadow = read_image(answer.content)
    assert shadow.icc_profile is None
    cast = shadow.alpha > 0
    assert cast.any()
    assert np.unique(shadow.pixels[cast], axis=0).tolist() == [[255, 128, 0]]


def test_the_preview_can_be_seen(client):
    own = np.full((60, 80), 255, np.uint8)
    own[:, :40] = 0
    for pixels in (PHOTO, np.dstack([PHOTO, own]), PHOTO[..., 0]):
        name = post(client, {"file": encoded(pixels, "tiff")}, 201, "/api/pictures").json()["id"]
        shown = read_image(client.get(f"/api/pictures/{name}").content)
        np.testing.assert_array_equal(shown.pixels, pixels[..., :3] if pixels.ndim == 3 else pixels)
        if pixels.shape[2:] == (4,):
            np.testing.assert_array_equal(shown.alpha, own)
    assert client.get("/api/pictures/nothing").status_code == 404


def test_a_large_picture_is_cut_in_a_small_size(client):
    large = scene(1200, 1600)
    made = post(client, {"file": encoded(large, "jpeg")}, 201, "/api/pictures").json()
    assert made["preview"] == {"width": 1000, "height": 750}
    answer = cut(client, made["id"], box=[300, 200, 900, 800], strokes=[])
    assert pixels_of(answer).shape == (750, 1000, 4)
    for shape in ((1, 2_000_000), (2_000_000, 1)):
        strip = post(client, {"file": encoded(np.zeros(shape, np.uint8))}, 201, "/api/pictures").json()
        assert strip["preview"]["width"] * strip["preview"]["height"] <= 750_000
        cut(client, strip["id"], box=[0, 0, *shape[::-1]])
    box = json.loads(answer.headers["x-cutout"])["box"]
    expected = alphacut.remove_background(large, box=(300, 200, 900, 800)).box
    assert box == pytest.approx(expected, abs=6)


def test_a_picture_with_a_key_keeps_its_ramp(client):
    ground = np.full((40, 40, 3), 250, np.uint8)
    ground[10:30, 10:30] = (200, 20, 30)
    ground[10:30, 9] = (225, 135, 140)
    name = post(client, {"file": encoded(ground)}, 201, "/api/pictures").json()["id"]
    answer = cut(client, name)
    assert json.loads(answer.headers["x-cutout"])["method"] == "key"
    np.testing.assert_array_equal(pixels_of(answer), alphacut.remove_background(ground).rgba)


def test_a_transparent_picture_and_a_gray_one(client):
    own = np.full((60, 80), 255, np.uint8)
    own[:, :40] = 0
    for pixels in (np.dstack([PHOTO, own]), PHOTO[..., 0], PHOTO.astype(np.uint16)[..., 0] * 257):
        name = post(client, {"file": encoded(pixels)}, 201, "/api/pictures").json()["id"]
        assert pixels_of(cut(client, name, draft=True, box=list(BOX))).shape == (60, 80)
        alpha = pixels_of(cut(client, name, box=list(BOX)))[..., -1]
        assert alpha.shape == (60, 80)
        if pixels.ndim == 3:
            assert alpha[:, :40].max() == 0


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"box": [1, 2, 3]}, "null or"),
        ({"box": "all"}, "null or"),
        ({"box": [1, 2, 3, True]}, "null or"),
        ({"box": [900, 900, 3, 3]}, "overlap"),
        ({"strokes": 3}, "must be a list"),
        ({"draft": "yes"}, "true or false"),
        ({"strokse": []}, "is unknown: a page may say box"),
        ({"points": [[1]]}, "a point must be"),
        ({"points": [[80, 3]]}, "lies outside the picture of 80 x 60"),
        ({"points": [[1, 2, 2]]}, "1 or 0"),
        ({"mask": True}, "none was sent"),
        ({"mask": 1}, "true or false"),
        ({"key": "no colour"}, "colour"),
        ({"key": 3}, "colour or one of auto"),
        ({"key": "red", "box": [1, 2, 30, 30]}, "contradict"),
        ({"similarity": 1.5}, "a number from 0 to 1"),
        ({"similarity": True}, "a number from 0 to 1"),
        ({"blend": -1}, "a number from 0 to 2"),
        ({"edge": [1]}, "[shift, feather]"),
        ({"edge": [101, 0]}, "a number from -100 to 100"),
        ({"edge": [0, -1]}, "a number from 0 to 100"),
        ({"edge": "wide"}, "[shift, feather]"),
        ({"clean": "no"}, "true or false"),
        ({"refine": None}, "true or false"),
        ({"despill": 0}, "true or false"),
        ({"paint": 3}, "a list of strokes"),
        ({"paint": [3]}, "a list of strokes"),
        ({"paint": [{"keep": True, "width": 3, "points": [[1, 1]]}]}, "a number from 0 to 1"),
        ({"paint": [{"keep": 1, "width": 3, "points": [[1, 1]], "softness": 0}]}, "each must be"),
        ({"foreground": []}, "true or false"),
    ],
)
def test_wrong_cuts(client, request_, words):
    name = post(client, code=201, path="/api/pictures").json()["id"]
    assert words in cut(client, name, 400, **request_).json()["errors"][0]["title"]
    answer = client.post(f"/api/pictures/{name}/cut", content=b"[" * 100_000)
    assert answer.status_code == 400
    answer = client.post(f"/api/pictures/{name}/cut", content=b" " * (2**22 + 1))
    assert answer.status_code == 413
    assert pixels_of(cut(client, name)).shape == (60, 80, 4)


EDITS = [
    ({"points": [[40, 30], [5, 5, 0]]}, {}),
    ({"box": list(BOX), "points": [[40, 30]]}, {}),
    ({"refine": False}, {"refine": None}),
    ({"edge": [1.5, 0.8]}, {}),
    ({"edge": [-2, 0], "refine": False}, {"refine": None}),
    ({"clean": False}, {}),
    ({"foreground": False}, {}),
    ({"key": "#2e8238", "similarity": 0.2, "blend": 0.1, "despill": True}, {}),
    ({"key": "#2e8238", "edge": [1, 0]}, {}),
    ({"key": "auto", "despill": True}, {"key": None, "method": "key"}),
]


@pytest.mark.parametrize("pixels", [PHOTO, np.dstack([PHOTO, np.full((60, 80), 200, np.uint8)])], ids=["rgb", "rgba"])
@pytest.mark.parametrize(("edit", "options"), EDITS)
def test_an_edit_is_what_the_library_gives(client, pixels, edit, options):
    expected = alphacut.remove_background(pixels, **{**edit, **options})
    name = post(client, {"file": encoded(pixels)}, 201, "/api/pictures").json()["id"]
    cut(client, name, draft=True)
    cut(client, name)
    cut(client, name, **edit, draft=True)
    answer = cut(client, name, **edit)
    np.testing.assert_array_equal(pixels_of(answer), expected.rgba)
    found = json.loads(answer.headers["x-cutout"])
    assert found["method"] == expected.method
    assert tuple(found["box"]) == expected.box
    saved = client.post(f"/api/pictures/{name}/file", json=edit)
    np.testing.assert_array_equal(pixels_of(saved), expected.rgba)


def test_an_edge_that_moves_takes_the_matte_as_it_is(client, monkeypatch):
    name = post(client, code=201, path="/api/pictures").json()["id"]
    cut(client, name, box=list(BOX))
    monkeypatch.setattr(alphacut.Session, "cut", None)
    expected = alphacut.adjust_edge(pixels_of(cut(client, name, box=list(BOX)))[..., 3], shift=3, feather=1)
    np.testing.assert_array_equal(pixels_of(cut(client, name, box=list(BOX), edge=[3, 1], draft=True)), expected)
    np.testing.assert_array_equal(pixels_of(cut(client, name, box=list(BOX), edge=[3, 1]))[..., 3], expected)


def put(client, name, what, data, code=204):
    answer = client.put(f"/api/pictures/{name}/{what}", files={"file": data})
    assert answer.status_code == code, answer.text
    return answer


def test_a_mask_that_was_sent_and_what_changes_it(client):
    name = post(client, code=201, path="/api/pictures").json()["id"]
    mask = np.zeros((60, 80), np.uint8)
    mask[10:40, 20:60] = 255
    put(client, name, "mask", encoded(mask))
    found = cut(client, name, mask=True)
    np.testing.assert_array_equal(pixels_of(found), alphacut.remove_background(PHOTO, mask=mask).rgba)
    assert json.loads(found.headers["x-cutout"])["method"] == "mask"
    stroke = {"keep": False, "width": 6, "points": [[30, 25]]}
    changes = {"mask": True, "refine": False, "strokes": [stroke], "points": [[70, 50]], "box": [10, 12, 70, 48]}
    alpha = pixels_of(cut(client, name, **changes, clean=False))[..., 3]
    assert alpha[50, 70] == 255
    assert alpha[25, 30] == alpha[11, 40] == 0
    assert alpha[20, 50] == 255
    put(client, name, "mask", encoded(255 - mask))  # another one in its place
    assert pixels_of(cut(client, name, mask=True, refine=False))[20, 40, 3] == 0
    for data, words in ((encoded(mask[:-1]), "80 × 60, but has 80 × 59"), (b"none", "mask")):
        assert words in put(client, name, "mask", data, 400).json()["errors"][0]["title"]
    assert "empty" in client.put(f"/api/pictures/{name}/mask", files={"file": b""}).text


@pytest.mark.parametrize("kind", ["rgb", "uint16", "key"])
def test_paint_goes_into_the_alpha(client, kind):
    pixels = PHOTO.astype(np.uint16) * 257 if kind == "uint16" else PHOTO
    name = post(client, {"file": encoded(pixels)}, 201, "/api/pictures").json()["id"]
    edit = {"key": "#2e8238", "similarity": 0.2} if kind == "key" else {"box": list(BOX)}
    before = read_image(saved(client, name, **edit).content)
    out = {"keep": False, "width": 12, "softness": 0, "points": [[40, 30]]}
    back = {"keep": True, "width": 16, "softness": 1, "points": [[8, 30], [8, 34]]}
    after = read_image(saved(client, name, **edit, paint=[out, back]).content)
    y, x = np.mgrid[:60, :80]
    assert (after.alpha[np.hypot(x - 40, y - 30) < 5] == 0).all()
    assert after.alpha[32, 8] == 255  # in the middle
    ramp = after.alpha[32, 8:20].astype(int)
    assert (np.diff(ramp) <= 0).all()
    assert len(np.unique(ramp)) > 5
    far = (np.hypot(x - 40, y - 30) > 9) & (x > 24)
    np.testing.assert_array_equal(after.alpha[far], before.alpha[far])
    np.testing.assert_array_equal(after.pixels[far], before.pixels[far])
    np.testing.assert_array_equal(after.pixels[32, 8], PHOTO[32, 8])  # the picture's own colour
    if kind != "uint16":
        draft = pixels_of(cut(client, name, **edit, paint=[out, back], draft=True))
        assert draft[30, 40] == 0
        assert draft[32, 8] == 255
        found = json.loads(cut(client, name, **edit, paint=[out, back]).headers["x-cutout"])
        assert found["box"][0] < 8


def saved(client, name, code=200, **request):
    answer = client.post(f"/api/pictures/{name}/file", json=request)
    assert answer.status_code == code, answer.text
    return answer


def test_the_file_of_a_page_is_in_full_size(client):
    large = scene(900, 1200)
    name = post(client, {"file": encoded(large)}, 201, "/api/pictures").json()["id"]
    box = [200, 150, 700, 650]
    expected = alphacut.remove_background(large, box=box)
    np.testing.assert_array_equal(pixels_of(saved(client, name, box=box)), expected.rgba)
    for what in ("mask", "alpha"):
        np.testing.assert_array_equal(pixels_of(saved(client, name, box=box, what=what)), getattr(expected, what))
    cropped = pixels_of(saved(client, name, box=box, crop=True, margin=7))
    np.testing.assert_array_equal(cropped, expected.crop(7).rgba)
    square = pixels_of(saved(client, name, box=box, crop=True, margin=7, aspect="1:1"))
    np.testing.assert_array_equal(square, expected.crop(7, aspect="1:1").rgba)
    part = pixels_of(saved(client, name, box=box, region=[250, 200, 300, 2000]))
    np.testing.assert_array_equal(part, expected.rgba[200:2200, 250:550])
    on_red = pixels_of(saved(client, name, box=box, background="#ff0000"))
    np.testing.assert_array_equal(on_red, expected.on("red"))
    np.testing.assert_array_equal(pixels_of(saved(client, name, box=box, background="blur")), expected.on("blur"))
    assert "no picture was sent" in saved(client, name, 400, background="picture").text
    put(client, name, "background", encoded(PHOTO))
    on_photo = pixels_of(saved(client, name, box=box, background="picture"))
    np.testing.assert_array_equal(on_photo, expected.on(PHOTO))
    put(client, name, "background", b"none", 400)
    for form in ("png", "webp", "tiff", "jpeg"):
        answer = saved(client, name, box=box, background="white", format=form, quality=50)
        assert answer.headers["content-type"] == f"image/{form}"
        assert Image.open(io.BytesIO(answer.content)).format == form.upper()
    sizes = [len(saved(client, name, background="white", format="jpeg", quality=each).content) for each in (20, 95)]
    assert sizes[0] < sizes[1]
    blurred = client.post(f"/api/pictures/{name}/blurred", json={"box": box})
    assert pixels_of(blurred).shape == (750, 1000, 3)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"format": "jpeg"}, "JPEG"),
        ({"format": "gif"}, "png, webp, jpeg, tiff"),
        ({"what": "all"}, "rgba, mask, alpha"),
        ({"what": "mask", "background": "red"}, "no place"),
        ({"background": [1, 2, 3]}, "colour or one of blur, picture"),
        ({"crop": 1}, "true or false"),
        ({"margin": -1}, "a whole number from 0 to 100000"),
        ({"margin": 1.5}, "a whole number"),
        ({"aspect": "square"}, "like 4:5"),
        ({"quality": 101}, "a whole number from 1 to 100"),
        ({"region": [1, 2, 3]}, "[x, y, width, height]"),
        ({"region": [0, 0, 0, 3]}, "a whole number from 1"),
        ({"region": [500, 0, 3, 3]}, "outside the picture"),
        ({"draft": True}, "is unknown"),
    ],
)
def test_wrong_files_of_a_page(client, request_, words):
    name = post(client, code=201, path="/api/pictures").json()["id"]
    assert words in saved(client, name, 400, **request_).json()["errors"][0]["title"]
    assert pixels_of(saved(client, name)).shape == (60, 80, 4)


def test_one_picture_at_a_time_is_kept_in_full_size():
    pictures = alphacut.server.pictures
    kept = pictures.Pictures(4, idle=100)
    previews = [pictures.Preview(FILE, 10_000) for _ in range(2)]
    edit, wish = alphacut.server.edits.file_request(b"{}")
    files = []
    for preview in (*previews, previews[0]):
        kept.add(preview)
        kept.at_full_size(preview)
        files.append(preview.file(edit, wish))
    assert [each._full is not None for each in previews] == [True, False]
    assert files[0] == files[1] == files[2]


def test_only_the_latest_pictures_are_kept():
    with TestClient(create_app(Settings(pictures=2))) as client:
        names = [post(client, code=201, path="/api/pictures").json()["id"] for _ in range(2)]
        cut(client, names[0])  # now the latest used
        names.append(post(client, code=201, path="/api/pictures").json()["id"])
        cut(client, names[1], 404)
        cut(client, names[0])
        cut(client, names[2])
        assert "alphacut_pictures 2.0" in client.get("/metrics").text


def test_pictures_that_nobody_asks_about_are_forgotten():
    pictures = alphacut.server.pictures
    kept = pictures.Pictures(4, idle=0.05)
    preview = pictures.Preview(FILE, 10_000)
    name = kept.add(preview)
    assert kept.get(name) is preview
    time.sleep(0.1)
    kept.forget_idle()
    assert len(kept) == 0


# --- limits ----------------------------------------------------------------------------------------------------------


def test_too_long_a_body():
    with TestClient(create_app(Settings(max_body=2000))) as client:
        assert "larger than 2000 bytes" in refused(client, 413, "body_too_large", {"file": bytes(3000)})

        def parts():  # a body that does not say how long it is
            yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
            yield from [bytes(1000)] * 10
            yield b"\r\n--x--\r\n"

        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = client.post("/api/remove", content=parts(), headers=kind)
        assert answer.status_code == 413
        assert post(client).status_code == 200
        assert "alphacut_requests_under_way 0.0" in client.get("/metrics").text


def test_a_place_for_each_request_and_no_more(monkeypatch):
    begun, go_on = threading.Semaphore(0), threading.Event()
    real = alphacut.Remover.__call__

    def slow(*arguments, **options):
        begun.release()
        assert go_on.wait(60)
        return real(*arguments, **options)

    monkeypatch.setattr(remove, "Remover", type("Other", (alphacut.Remover,), {"__call__": slow}))
    with TestClient(create_app(Settings(workers=1, places=2))) as client:
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(post(client))) for _ in range(2)]
        for thread in threads:
            thread.start()
        assert begun.acquire(timeout=60)
        for _ in range(6000):
            if "under_way 2.0" in client.get("/metrics").text:
                break
            time.sleep(0.01)
        assert not begun.acquire(blocking=False)  # the second waits for the one worker
        answer = post(client, code=503)
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.json()["errors"][0]["code"] == "busy"
        assert client.get("/healthz").json() == {"status": "ok"}
        go_on.set()
        for thread in threads:
            thread.join(60)
        assert [each.status_code for each in answers] == [200, 200]
        assert post(client).status_code == 200


def test_a_request_that_takes_too_long_keeps_its_place_until_it_ends(monkeypatch):
    go_on, ended = threading.Event(), threading.Event()
    real = alphacut.Remover.__call__

    def slow(*arguments, **options):
        assert go_on.wait(60)
        ended.set()
        return real(*arguments, **options)

    monkeypatch.setattr(remove, "Remover", type("Other", (alphacut.Remover,), {"__call__": slow}))
    with TestClient(create_app(Settings(workers=1, places=1, timeout=1))) as client:
        assert refused(client, 504, "timeout") == "Not done within 1 seconds."
        assert refused(client, 503, "busy")
        assert "alphacut_requests_under_way 1.0" in client.get("/metrics").text
        go_on.set()
        assert ended.wait(60)
        for _ in range(600):
            answer = client.post("/api/remove", files={"file": FILE})
            if answer.status_code == 200:
                break
            time.sleep(0.1)
        assert answer.status_code == 200


def test_work_that_waits_too_long_is_never_started():
    async def run():
        pool = workers.Workers(1, 2)
        go_on, started = threading.Event(), []
        with pool.place() as first:
            running = asyncio.create_task(first.run(go_on.wait, 60))
            await asyncio.sleep(0.05)
            with pytest.raises(asyncio.TimeoutError), pool.place() as second:
                await asyncio.wait_for(second.run(lambda: started.append(1)), 0.05)
            pool.place().__exit__()  # the second's place is free again
            go_on.set()
            await running
        pool.close()
        assert started == []

    asyncio.run(run())


def test_settings_are_checked():
    with pytest.raises(ValueError, match="places"):
        Settings(places=0)
    with pytest.raises(TypeError, match="timeout"):
        Settings(timeout=1.5)


# --- the rest --------------------------------------------------------------------------------------------------------


def test_the_document_knows_every_field(client):
    document = client.get("/openapi.json").json()
    body = document["paths"]["/api/remove"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    names = {name for field in remove.FIELDS for name in (field.name, *field.aliases)}
    assert set(body["properties"]) == names
    methods = {}
    for route in create_app().routes:
        if route.path.startswith("/api"):
            methods.setdefault(route.path, set()).update(method.lower() for method in route.methods)
    for path, known in methods.items():
        assert known - {"head"} == set(document["paths"][path])


def test_examples_of_the_document_are_understood():
    for field in remove.FIELDS:
        if field.parse is not None:
            field.parse(field.example)


def test_pages_load_nothing_from_elsewhere(client):
    for path in ("/docs", "/"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert not re.search(r"""(src|href)=["']?(https?:)?//""", answer.text)
    assert "bg_color" in docs.page(docs.document(Settings()), "http://here")


def test_links_of_pages_below_a_path_lead_somewhere():
    with TestClient(Starlette(routes=[Mount("/deep/down", create_app())])) as below:
        for page in ("http://localhost/deep/down/", "http://localhost/deep/down/docs"):
            links = re.findall(r"""(?:src|href)=["']([^"'#]+)""", below.get(page).text)
            assert links
            for link in links:
                assert below.get(urljoin(page, link)).status_code == 200, (page, link)


def test_the_document_says_below_which_path(client):
    with TestClient(Starlette(routes=[Mount("/deep/down", create_app())])) as below:
        assert below.get("/deep/down/openapi.json").json()["servers"] == [{"url": "/deep/down"}]
        assert "http://localhost/deep/down/api/remove" in below.get("/deep/down/docs").text
        found = below.get("/deep/down/openapi.json", headers={"X-Forwarded-Prefix": "/out/"}).json()
        assert found["servers"] == [{"url": "/out/deep/down"}]
    assert client.get("/openapi.json").json()["servers"] == [{"url": "/"}]
    for given, path in (("/cut", "/cut"), ("/a/b-c/", "/a/b-c"), ("//evil", ""), ("/<b>", ""), ("evil.com", "")):
        found = client.get("/openapi.json", headers={"X-Forwarded-Prefix": given}).json()
        assert found["servers"] == [{"url": path or "/"}]
        assert f"{path}/api/remove -o" in client.get("/docs", headers={"X-Forwarded-Prefix": given}).text
    with TestClient(create_app(), root_path="/proxied") as proxied:
        for headers in ({}, {"X-Forwarded-Prefix": "/proxied"}):
            found = proxied.get("/proxied/openapi.json", headers=headers).json()
            assert found["servers"] == [{"url": "/proxied"}]
            assert proxied.post(f"{found['servers'][0]['url']}/api/remove", files={"file": FILE}).status_code == 200
    with TestClient(create_app(Settings(hosts=("*",)))) as any_name:
        assert "<script>" not in any_name.get("/docs", headers={"Host": "a<script>"}).text


def test_metrics(client):
    post(client)
    refused(client, 400, "missing_file", {"mask": FILE})
    text = client.get("/metrics").text
    assert re.search(r'alphacut_requests_total\{endpoint="remove",status="200"\} [1-9]', text)
    assert re.search(r'alphacut_requests_total\{endpoint="remove",status="400"\} [1-9]', text)
    assert re.search(r'alphacut_stage_seconds_total\{stage="refine"\} \d+\.\d', text)
    assert "alphacut_requests_under_way 0.0" in text


@pytest.fixture(scope="module")
def process():
    """A real server; its port."""
    limits = ["--timeout", "2", "--max-body", "1", "--places", "2", "--workers", "1"]
    command = [sys.executable, "-m", "alphacut", "serve", "--port", "0", *limits]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        yield next(int(found[1]) for line in server.stderr if (found := re.search(r"http://127.0.0.1:(\d+)", line)))
        server.terminate()
        rest = server.stderr.read()
        assert "Traceback" not in rest
        assert "shutdown complete" in rest


def talk(port, data):
    """The answer to bytes on a socket."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(data)
        answer = b""
        while not answer.endswith(b"}]}") and (data := connection.recv(65536)):
            answer += data
        return answer


HEAD = b"POST /api/remove HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"


def page(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return answer.read().decode()


def whole_request(file):
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + file + b"\r\n--x--\r\n"
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def wait_for_no_request(port):
    for _ in range(600):
        if "alphacut_requests_under_way 0.0" in page(port, "/metrics"):
            return
        time.sleep(0.1)
    raise AssertionError("a place was never left")


def test_a_body_of_json_to_a_real_server(process):
    body = json.dumps({"image_file_b64": base64.b64encode(FILE).decode(), "box": BOX, "size": "auto"}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{process}/v1.0/removebg", body, {"Content-Type": "application/json", "X-Api-Key": "none"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        picture = read_image(answer.read())
    np.testing.assert_array_equal(picture.alpha, alphacut.remove_background(PHOTO, box=BOX).alpha)
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(urllib.request.Request(request.full_url, b"{}", request.headers), timeout=60)
    assert refusal.value.code == 400
    refusal.value.close()


def test_a_slow_client_and_one_that_leaves(process):
    assert talk(process, HEAD + b"Content-Length: 1000\r\n\r\n--x\r\n").startswith(b"HTTP/1.1 408")
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", process), 60) as connection:
            connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n--x\r\n")
    wait_for_no_request(process)
    answer = talk(process, HEAD + b"Content-Length: 3000000\r\n\r\n" + bytes(3_000_000))  # all of it is taken
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"larger than 1000000 bytes" in answer


def test_clients_that_do_not_wait_for_their_answer(process):
    request = whole_request(encoded(scene(1200, 1600), "jpeg", quality=60))
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", process), 60) as connection:
            connection.sendall(request)
            while 'remove",status="499"' not in page(process, "/metrics") and "under_way 0" in page(
                process, "/metrics"
            ):
                time.sleep(0.01)
    wait_for_no_request(process)
    assert 'requests_total{endpoint="remove",status="499"}' in page(process, "/metrics")


def test_a_client_that_does_not_read_loses_its_place_in_time(process):
    noise = np.full((1400, 1900, 3), 255, np.uint8)  # whose middle alone is four megabytes of PNG
    noise[200:1200, 250:1650] = np.random.default_rng(1).integers(0, 256, (1000, 1400, 3))
    request = whole_request(encoded(noise, "jpeg", quality=50))
    # A large answer in little time, also on a busy machine.
    request = request.replace(b"/api/remove ", b"/api/remove?refine=none&foreground=0&png_level=0 ", 1)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", process))
        connection.sendall(request)
        wait_for_no_request(process)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    length = int(re.search(rb"content-length: (\d+)", answer)[1])
    assert len(answer) < length  # the rest was never sent


def test_the_servers_options():
    help_ = CliRunner().invoke(cli.main, ["serve", "--help"]).output
    assert "127.0.0.1" in help_
    assert CliRunner().invoke(cli.main, ["serve", "--port", "99999"]).exit_code == 2
    assert CliRunner().invoke(cli.main, ["serve", "--workers", "0"]).exit_code == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--token", "a b"], "Error: token must have ASCII characters alone"),
        (["--model", "none.onnx"], "Error: --model: "),
        (["--model", "a=none.onnx", "--model", "a=none.onnx"], "Error: --model: "),
    ],
)
def test_what_is_wrong_with_the_servers_options(given, message):
    result = CliRunner().invoke(cli.main, ["serve", *given])
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize(("given", "told"), [("", ""), ("/", ""), ("a/b", "/a/b"), ("/a/", "/a")])
def test_the_path_that_a_proxy_cuts_off_may_be_written_in_any_way(monkeypatch, given, told):
    found = {}
    monkeypatch.setattr("uvicorn.run", lambda app, **options: found.update(options))
    result = CliRunner().invoke(cli.main, ["serve", "--root-path", given])
    assert result.exit_code == 0, result.output
    assert found["root_path"] == told


def test_the_server_without_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = CliRunner().invoke(cli.main, ["serve"])
    assert result.exit_code == 1
    assert "pip install 'alphacut[serve]'" in result.output


def test_a_box_in_percent(client):
    photo = np.full((60, 80, 3), 250, np.uint8)
    photo[20:40, 10:30] = photo[20:40, 50:70] = (200, 30, 40)
    files = {"file": encoded(photo)}
    answers = [pixels_of(post(client, files, box=box)) for box in ("10%,25%,35%,50%", "8,15,28,30")]
    np.testing.assert_array_equal(*answers)
    assert answers[0][30, 60, 3] == 0


# --- films -----------------------------------------------------------------------------------------------------------


def moving(count=4):
    """Frames of a red square that moves, as PNG, and where it is."""
    for k in range(count):
        pixels = np.full((60, 80, 3), (40, 120, 60), np.uint8)
        pixels[:, ::3] = (60, 140, 50)
        truth = np.s_[15:45, 15 + 4 * k : 45 + 4 * k]
        pixels[truth] = (200, 30, 40)
        yield pixels, truth


def frame(client, pixels, path="/api/films", code=200, **fields):
    return post(client, {"file": encoded(pixels)}, code, path, **fields)


def test_a_film_frame_by_frame_is_what_a_tracker_gives(client):
    track = alphacut.Tracker(foreground=False)
    path = "/api/films"
    for k, (pixels, truth) in enumerate(moving()):
        answer = frame(client, pixels, path, **({"box": "12,12,36,36"} if k == 0 else {}))
        if k == 0:
            path = f"/api/films/{answer.headers['x-film']}"
        alpha = pixels_of(answer)
        wanted = track(pixels, **({"box": (12, 12, 36, 36)} if k == 0 else {}))
        assert np.array_equal(alpha, wanted.alpha)
        assert (alpha[truth] > 127).mean() > 0.9
        found = json.loads(answer.headers["x-cutout"])
        assert found["method"] == wanted.method
        assert found["warnings"] == list(wanted.warnings)
    answer = frame(client, pixels, path, points="30,30 5,5,0")  # corrects
    assert answer.headers.get("x-film") is None
    assert client.delete(path).status_code == 204
    assert frame(client, pixels, path, 404).json()["errors"][0]["code"] == "unknown_film"


def test_a_large_frame_is_followed_in_a_preview_size(client):
    pixels = np.full((900, 1200, 3), (40, 120, 60), np.uint8)
    pixels[300:600, 300:700] = (200, 30, 40)
    alpha = pixels_of(frame(client, pixels, box="250,250,500,400"))
    assert alpha.size <= 750_000
    across, down = alpha.shape[1] / 1200, alpha.shape[0] / 900
    assert (alpha[round(310 * down) : round(590 * down), round(310 * across) : round(690 * across)] > 127).mean() > 0.9


def test_a_box_at_the_edge_of_a_large_frame(monkeypatch):
    assert bench.scaled_box((3998, 0, 2, 3000), (0.25, 0.25)) == (999, 0, 1, 750)
    assert bench.scaled_box((3, 5, 2, 2), (0.25, 0.25)) == (0, 1, 2, 1)
    monkeypatch.setattr(films, "small", lambda pixels: np.ascontiguousarray(pixels[::4, ::4]))
    pixels = np.full((240, 320, 3), (40, 120, 60), np.uint8)
    pixels[80:160, 318:] = (200, 30, 40)
    png, _ = films.Film().cut(encoded(pixels), {"box": (318, 80, 2, 80)}, 10**6)
    assert Image.open(io.BytesIO(png)).size == (80, 60)


def test_what_is_wrong_with_a_frame(client):
    pixels, _ = next(moving())
    assert "file is missing" in refused(client, 400, "missing_file", {}, path="/api/films", box="1,1,5,5")
    assert frame(client, pixels, code=400, box="900,900,5,5").json()["errors"][0]["code"] == "invalid_prompt"
    assert frame(client, pixels, code=400, labels="x").json()["errors"][0]["code"] == "unknown_field"
    assert post(client, {"file": b"none"}, 400, "/api/films").json()["errors"][0]["code"] == "invalid_picture"


def test_few_films_are_kept_and_not_for_long():
    pixels, _ = next(moving())
    with TestClient(create_app(Settings(pictures=2, idle=1))) as client:
        names = [frame(client, pixels).headers["x-film"] for _ in range(3)]
        assert "alphacut_films 2.0" in client.get("/metrics").text
        frame(client, pixels, f"/api/films/{names[0]}", 404)
        frame(client, pixels, f"/api/films/{names[2]}")
        time.sleep(1.1)
        frame(client, pixels, f"/api/films/{names[2]}", 404)
