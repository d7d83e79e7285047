"""The page of ``alphacut review`` in a real browser."""

from collections import Counter

import numpy as np
import pytest

import alphacut
from alphacut import batch
from alphacut.files import read_image, write_image


def test_what_is_picked_goes_back_in(browser, tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    from alphacut.batch.review import write_review

    monkeypatch.chdir(tmp_path)
    image = np.full((300, 400, 3), 90, np.uint8)
    image[60:180, 60:160] = image[60:180, 240:340] = (200, 30, 30)
    (tmp_path / "in").mkdir()
    write_image('in/a "b", c.png', image)
    batch.remove("in", "out", manifest="m")
    write_review("m", "page.html")
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    assert page.locator("button").is_disabled()
    box = page.locator(".sheet").bounding_box()

    def at(x, y):
        return box["x"] + x / 400 * box["width"], box["y"] + y / 300 * box["height"]

    page.mouse.move(*at(40, 40))
    page.mouse.down()
    page.mouse.move(*at(180, 200))
    page.mouse.up()
    page.mouse.click(*at(100, 100))
    page.keyboard.down("Shift")
    page.mouse.click(*at(300, 100))
    page.keyboard.up("Shift")
    assert page.locator("output").inner_text() == "1 picked"
    with page.expect_download() as download:
        page.locator("button").click()
    download.value.save_as("picks.csv")
    assert batch.remove("picks.csv", manifest="m", stale=True) == Counter(written=1)
    alpha = read_image('out/a "b", c-cutout.png').alpha
    assert alpha[120, 100] == 255
    assert alpha[120, 290] == 0
    (job,) = batch.plan(["picks.csv"])
    expected = alphacut.remove_background('in/a "b", c.png', **job.prompt)
    np.testing.assert_array_equal(alpha, expected.alpha)
    assert [keep for *_, keep in job.prompt["points"]] == [1, 0]
    page.locator(".sheet").dblclick(position={"x": 5, "y": 5})
    assert page.locator("output").inner_text() == "0 picked"
