"""The code of the documentation's pages runs, and what it puts side by side agrees."""

import re
from pathlib import Path

import numpy as np
import pytest

import alphacut
import alphacut.batch

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
    for name in ("opened", "closed", "clean"):
        np.testing.assert_array_equal(v[name], v[f"{name}_ours"])
    assert np.abs(v["blurred"].astype(int) - v["blurred_ours"]).max() <= 1


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


def linked(page):
    """What a page of Markdown links to, as paths, and the anchors in them; not what is elsewhere on the network."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"\w+:", target):
            path, _, anchor = target.partition("#")
            yield (page.parent / path if path else page).resolve(), anchor


def anchors(page):
    """The anchors of a page's headings, as the usual readers of Markdown make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "page",
    ["README.md", "CONTRIBUTING.md", "benchmarks/README.md", "benchmarks/speed.md", "training/README.md", "docs"],
)
def test_links_lead_somewhere(page):
    pages = [DOCS.parent / page] if page != "docs" else [p for p in DOCS.rglob("*.md") if "gallery" not in p.parts]
    for origin in pages:
        for path, anchor in linked(origin):
            if DOCS / "gallery" in path.parents:  # made from the examples when the site is built
                path = DOCS.parent / "examples" / path.relative_to(DOCS)
                path = path.with_name("GALLERY_HEADER.rst") if path.stem == "index" else path.with_suffix(".py")
            assert path.exists(), f"{origin}: {path}"
            assert not anchor or anchor in anchors(path), f"{origin}: {path}#{anchor}"


def test_every_public_name_has_a_page():
    text = (DOCS / "api/index.rst").read_text("utf-8")
    listed = re.findall(r"^   ([\w.]+)$", text, re.MULTILINE)
    assert sorted(listed) == sorted(set(listed))
    stages = {name for name in listed if "." not in name}
    assert stages == set(alphacut.__all__)
    batch = {name.removeprefix("batch.") for name in listed if name.startswith("batch.")}
    assert batch == set(alphacut.batch.__all__)


def test_every_header_has_a_section():
    text = (DOCS / "api/cpp.md").read_text("utf-8")
    headers = DOCS.parent / "cpp/include/alphacut"
    assert sorted(re.findall(r"^## `(.+)`$", text, re.MULTILINE)) == sorted(path.name for path in headers.iterdir())
    included = re.findall(r"literalinclude\} (\S+)", text)
    assert sorted(Path(path).name for path in included) == sorted(path.name for path in headers.iterdir())


def test_the_readme_is_short():
    assert len((DOCS.parent / "README.md").read_text("utf-8").splitlines()) <= 120
    assert (DOCS / "pictures/strip.webp").stat().st_size <= 200_000
