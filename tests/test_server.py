import asyncio
import base64
import io
import json
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile
import zlib
from urllib.parse import urljoin

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import alphacut
from alphacut import cli
from alphacut.io import read_image, write_image

pytest.importorskip("starlette", reason="the server needs the extra 'serve'")
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from alphacut.server import Settings, create_app, docs, remove, workers


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
        ("unknown_field", {"colour": "red"}, "'colour' is no field of this request; these are: file, image_file, box"),
        ("unknown_field", {"image_url": "http://example.com/a.png"}, "fetches nothing"),
        ("unknown_field", {"x" * 500: "1"}, "is no field"),
        ("invalid_field", {"mask": "a text"}, "mask must be a file"),
        ("invalid_field", {"box": "1,2,3"}, "box: must be four whole numbers x,y,width,height, got '1,2,3'"),
        ("invalid_field", {"box": "1,2,3,4e9"}, "box: must be four whole"),
        ("invalid_prompt", {"box": "500,500,3,3"}, "overlap the 80×60 picture"),
        ("invalid_prompt", {"box": "1,1,0,3"}, "sides of at least 1"),
        ("invalid_field", {"roi": "1 2 3"}, "roi: must be 'x1 y1 x2 y2'"),
        ("invalid_field", {"roi": "30 2 10 5"}, "beyond x1"),
        ("invalid_field", {"bgc": "no colour"}, "bgc: the colour must be"),
        ("invalid_field", {"bgc": "1,2,3,4"}, "bgc: the colour"),
        ("invalid_field", {"bgc": "1,2,999"}, "bgc: the colour"),
        ("invalid_field", {"om": "maybe"}, "om: must be true or false, got 'maybe'"),
        ("invalid_field", {"channels": "rgb"}, "channels: must be one of rgba, alpha, got 'rgb'"),
        ("invalid_field", {"format": "gif"}, "format: must be one of auto, png, jpg, webp, zip, json"),
        ("invalid_field", {"crop_margin": "-1"}, "crop_margin: must be a whole number from 0"),
        ("invalid_field", {"method": "magic"}, "method: must be one of"),
        ("invalid_field", {"strokes": "{"}, "strokes: is no JSON"),
        ("invalid_field", {"strokes": "[" * 100_000}, "strokes: is no JSON"),
        ("invalid_field", {"strokes": "{}"}, "strokes: must be a list"),
        ("invalid_field", {"strokes": "[3]"}, "strokes: each must be"),
        ("invalid_field", {"strokes": '[{"keep": 1, "width": 3, "points": [[1, 2]]}]'}, "strokes: each must be"),
        ("invalid_field", {"strokes": '[{"keep": true, "width": 0, "points": [[1, 2]]}]'}, "a width must be above 0"),
        ("invalid_field", {"strokes": '[{"keep": true, "width": NaN, "points": [[1, 2]]}]'}, "a width must be"),
        ("invalid_field", {"strokes": '[{"keep": true, "width": 3, "points": []}]'}, "at least one point"),
        ("invalid_field", {"strokes": '[{"keep": true, "width": 3, "points": [[1]]}]'}, r"must be \[x, y\]"),
        ("invalid_field", {"strokes": '[{"keep": true, "width": 3, "points": [[1, 1e400]]}]'}, r"must be \[x, y\]"),
        ("invalid_field", {"strokes": f'[{{"keep": true, "width": 3, "points": [[1, {"9" * 999}]]}}]'}, r"must be \[x"),
        ("invalid_field", {"points": "[]"}, "1 to"),
        ("invalid_field", {"points": "[[1, 2"}, "is no JSON"),
        ("invalid_field", {"points": "[[1, 2, 3]]"}, "keep must be"),
        ("invalid_field", {"points": "[[1]]"}, r"must be \[x, y\]"),
        ("invalid_prompt", {"points": "[[1000, 2]]"}, "outside the picture"),
        ("invalid_field", {"edge": "101"}, "edge: must be shift,feather"),
        ("invalid_field", {"edge": "1,-1"}, "edge: must be shift,feather"),
        ("invalid_field", {"edge": "nan"}, "edge: must be shift,feather"),
        ("contradiction", {"format": "jpg"}, "JPEG has no transparency"),
        ("contradiction", {"crop_margin": "3"}, "crop_margin goes with crop=true"),
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
    assert "box must be a text" in refused(client, 400, "invalid_field", {"file": FILE, "box": small})
    assert "file (or image_file)" in refused(client, 400, "missing_file", {"mask": small})
    twice = {"file": FILE, "image_file": FILE}
    assert "are one field" in refused(client, 400, "repeated_field", twice)


def test_wrong_bodies(client):
    for kind, body, code, word in (
        ("image/png", FILE, 415, "not_multipart"),
        ("multipart/form-data", FILE, 400, "bad_request"),
        ("multipart/form-data; boundary=x", b"--y\r\nnonsense--x--", 400, "bad_request"),
        ("multipart/form-data; boundary=x", b"--x\r\nnonsense", 400, "cut_short"),
        ("multipart/form-data; boundary=x", b"", 400, "cut_short"),
        ("multipart/form-data; boundary=x", b"--x--\r\n", 400, "missing_file"),
        ("multipart/form-data; boundary=x; charset=utf-16", b"--x--\r\n", 415, "not_utf8"),
        ("multipart/form-data; boundary=x; charset=undefined", b"--x--\r\n", 415, "not_utf8"),
        ("multipart/form-dataX; boundary=x", b"--x--\r\n", 415, "not_multipart"),
    ):
        answer = client.post("/api/remove", content=body, headers={"Content-Type": kind})
        assert answer.status_code == code, answer.text
        assert answer.json()["errors"][0]["code"] == word
    many = [("file", FILE)] + [("mask", FILE)] * 40
    assert client.post("/api/remove", files=many).json()["errors"][0]["code"] == "bad_request"


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
        ({"strokse": []}, "box, strokes and draft"),
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
    assert "bg_color" in docs.page(docs.document(Settings()))


def test_links_of_pages_below_a_path_lead_somewhere():
    with TestClient(Starlette(routes=[Mount("/deep/down", create_app())])) as below:
        for page in ("http://testserver/deep/down/", "http://testserver/deep/down/docs"):
            links = re.findall(r"""(?:src|href)=["']([^"'#]+)""", below.get(page).text)
            assert links
            for link in links:
                assert below.get(urljoin(page, link)).status_code == 200, (page, link)


def test_metrics(client):
    post(client)
    refused(client, 400, "missing_file", {"mask": FILE})
    text = client.get("/metrics").text
    assert re.search(r'alphacut_requests_total\{endpoint="remove",status="200"\} [1-9]', text)
    assert re.search(r'alphacut_requests_total\{endpoint="remove",status="400"\} [1-9]', text)
    assert re.search(r'alphacut_stage_seconds_total\{stage="refine"\} 0\.\d', text)
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


HEAD = b"POST /api/remove HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\n"


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


def test_the_server_without_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = CliRunner().invoke(cli.main, ["serve"])
    assert result.exit_code == 1
    assert "pip install 'alphacut[serve]'" in result.output
