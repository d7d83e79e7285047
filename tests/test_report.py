"""The page of plots of the benchmarks' report."""

import math
import re
from xml.etree import ElementTree

import pytest

from benchmarks import plots

RACES = {
    ("stage-<job>", 1.0): {("alphacut", 2): 1e-3, ("quick", 2): 5e-4, ("slow", 2): 0.1, ("copy", 2): 1e-4},
    ("stage-<job>", 4.0): {("alphacut", 2): 8e-3, ("slow", 2): 0.4},
    ("stage-once", 1.0): {("alphacut", 2): 1e-3, ("alphacut", 1): 2e-3, ("slow", 1): 2e-3},
}
QUALITY = """
| |MSE, trimaps|SAD|ms, 0.47 MP|
|---|---|---|---|
| ours |**.01**|3|40|
| theirs |0.02|4|1,000|
| absent |not installed|

Errors over unknown pixels.

| |weighted MSE|MAE|ms, 0.47 MP|
|---|---|---|---|
| ours |.0018|.018|3.5|
| the picture |.0147|.068||
"""


def drawings(text):
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]


def test_bars_are_logarithms_of_the_ratios():
    bars, *_ = drawings("".join(plots.ratio_bars(RACES, 2)))
    labels = [text.text for text in bars.iter("text") if text.get("class") == "ink"]
    assert labels == ["stage-<job>: quick", "stage-<job>: slow"]  # nothing of the copy
    lost, won = bars.iter("rect")
    assert (lost.get("class"), won.get("class")) == ("c1", "c0")
    lengths = [float(bar.get("width")) for bar in (lost, won)]
    assert lengths[1] / lengths[0] == pytest.approx(math.log(100) / math.log(2), rel=0.01)
    assert float(lost.get("x")) + lengths[0] == pytest.approx(float(won.get("x")), abs=0.2)  # both begin at 1


def test_curves_only_where_there_are_sizes():
    (curve,) = drawings("".join(plots.size_curves(RACES, 2)))
    assert [title.text for title in curve.iter("title")] == [
        "alphacut: 1 megapixels, 1 ns a pixel",
        "alphacut: 4 megapixels, 2 ns a pixel",
        "quick: 1 megapixels, 0.5 ns a pixel",
        "slow: 1 megapixels, 100 ns a pixel",
        "slow: 4 megapixels, 100 ns a pixel",
    ]
    lines = [[tuple(map(float, p.split(","))) for p in line.get("points").split()] for line in curve.iter("polyline")]
    assert len(lines) == 2
    assert lines[0][0][1] > lines[0][1][1]  # up: more
    assert lines[1][0][1] == lines[1][1][1]


def test_quality_is_read_from_what_was_printed():
    alpha, colours = plots.quality_points(QUALITY)
    assert alpha == ("alpha", "ms, 0.47 MP", "MSE, trimaps", {"ours": [(40, 0.01)], "theirs": [(1000, 0.02)]})
    assert colours[0] == "colours"
    assert colours[3] == {"ours": [(3.5, 0.0018)]}


def test_the_page_is_whole_and_asks_for_nothing():
    text = plots.page(["# Benchmarks", "- a <processor>"], RACES, QUALITY, "| a table & more |")
    assert len(drawings(text)) == 3 + 1 + 2  # two sizes, then one thread; a curve; alpha and colours
    assert "a &lt;processor&gt;" in text
    assert "a table &amp; more" in text
    assert not re.search(r"(?:src|href)=|url\(|@import", text)
    for tag in ("div", "figure", "details", "ul", "p"):
        assert len(re.findall(rf"<{tag}[ >]", text)) == text.count(f"</{tag}>"), tag


def test_a_page_of_nothing():
    assert "</html>" in plots.page(["# Benchmarks"], {}, "", "")
