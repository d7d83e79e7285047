"""The code of the documentation's pages runs, and what it puts side by side agrees."""

import re
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[1] / "docs"


def run(page, section):
    """The names that a page's Python leaves: of its beginning and of one section, at its own lines."""
    inside, heading, lines = False, "", []
    for line in (DOCS / page).read_text().splitlines():
        heading = line[3:] if line.startswith("## ") else heading
        fence = line.startswith("```")
        lines.append(line if inside and not fence and heading in ("", section) else "")
        inside = line == "```python" if fence else inside
    names = {}
    exec(compile("\n".join(lines), page, "exec"), names)
    return names


@pytest.fixture
def moved(tmp_path, monkeypatch):
    for module in ("cv2.ximgproc", "skimage"):
        pytest.importorskip(module)
    monkeypatch.chdir(tmp_path)
    return lambda section: run("moving.md", section)


def overlap(one, other):
    return ((one > 0) & (other > 0)).sum() / ((one > 0) | (other > 0)).sum()


def test_moving_from_opencv(moved):
    v = moved("From OpenCV")
    assert overlap(v["theirs"], v["ours"]) > 0.6  # another minimum
    assert Path("cat.png").exists()
    np.testing.assert_array_equal(v["largest"], v["largest_ours"])
    assert v["count_ours"] == v["count"] - 1
    assert v["limit"] == v["limit_ours"]
    np.testing.assert_array_equal(v["otsu"], v["otsu_ours"])
    assert np.mean(v["local"] != v["local_ours"]) < 0.005
    inertia = np.square(v["picture"] - v["found"].centers[v["found"].labels].astype(float)).sum()
    assert inertia < 1.2 * v["compactness"]
    assert np.abs(v["smooth"] / 255.0 - v["smooth_ours"].clip(0, 1))[20:-20, 20:-20].mean() < 0.01
    np.testing.assert_allclose(v["distance_ours"], v["distance"], atol=0.01)
    assert len(v["polygons"]) > 0
    assert np.abs(v["half"].astype(int) - v["half_ours"]).max() <= 1


def test_moving_from_rembg(moved):
    v = moved("From rembg")
    assert overlap(v["rgba"][..., 3] > 127, v["cutout"].mask) == 1
    np.testing.assert_array_equal(v["matte"], v["cutout"].alpha)


def test_moving_from_pymatting(moved):
    pytest.importorskip("pymatting")
    v = moved("From pymatting")
    assert np.abs(v["alpha"] - v["alpha_ours"] / 255).mean() < 0.02
    assert np.abs(v["cut"] - v["cut_ours"] / 255)[..., 3].mean() < 0.02


def test_every_block_has_a_language():
    for page in DOCS.rglob("*.md"):
        fences = re.findall(r"^```(.*)$", page.read_text(), re.MULTILINE)
        assert all(fences[::2]), f"{page.name}: a block without a language"
