import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import alphacut
from alphacut import batch
from alphacut.cli import demo, main
from alphacut.files import read_image, read_mask, write_image


def photo(height=48, width=64):
    """A red subject on white, with a position to tell each pixel by."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[height // 4 : -height // 4, width // 4 : -width // 4] = (200, 30, 40)
    return pixels


def store(name, pixels):
    """Write a picture into a folder that may not be there yet."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    write_image(name, pixels)


def noise(height=48, width=64):
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder to work in, with a.png."""
    monkeypatch.chdir(tmp_path)
    write_image("a.png", photo())
    return tmp_path


def call(*arguments, code=0, stdin=None):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)
    assert result.exit_code == code, (result.output, result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.output


def environment():
    paths = [str(Path(alphacut.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONUTF8": "1"}


def process(*arguments, **options):
    return subprocess.run([sys.executable, *arguments], capture_output=True, env=environment(), timeout=120, **options)


def lines(*arguments, code=0):
    """What --json tells, by the source's name."""
    result = CliRunner().invoke(main, ["remove", *map(str, arguments), "--json"])
    assert result.exit_code == code, result.output
    told = [json.loads(line) for line in result.output.splitlines() if line.startswith("{")]
    return {os.path.basename(line["source"]): line for line in told}


def files(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


# --- remove ----------------------------------------------------------------------------------------------------------


def test_a_photo_gets_its_cutout_beside_it(root):
    assert "1 written" in call("remove", "a.png")
    assert files(root) == ["a-cutout.png", "a.png"]
    cutout = read_image("a-cutout.png")
    assert cutout.pixels.shape == (48, 64, 3)
    assert cutout.alpha[24, 32] == 255
    assert cutout.alpha[2, 2] == 0


def test_out_is_a_file_or_a_folder(root):
    call("remove", "a.png", "-o", "b.webp")
    assert read_image("b.webp").alpha is not None
    call("remove", "a.png", "-o", "new/deep/c.tif")
    call("remove", "a.png", "-o", "new/d.jfif", "--background", "white")
    assert (root / "new" / "d.jfif").read_bytes()[:2] == b"\xff\xd8"
    call("remove", "a.png", "-o", "folder")
    (root / "there.png").mkdir()
    call("remove", "a.png", "-o", "there.png")
    expected = ["a.png", "b.webp", "folder/a-cutout.png", "new/d.jfif", "new/deep/c.tif", "there.png/a-cutout.png"]
    assert files(root) == expected


def test_parts(root):
    call("remove", "a.png", "--only-mask")
    call("remove", "a.png", "--only-alpha")
    for name in ("a-cutout-mask.png", "a-cutout-alpha.png"):
        picture = read_image(name)
        assert picture.pixels.shape == (48, 64)
        assert picture.pixels[24, 32] == 255
        assert picture.pixels[2, 2] == 0
    call("remove", "a.png", "-o", "mask.jpg", "--only-mask")
    assert read_image("mask.jpg").pixels.shape == (48, 64)


def test_shadows(root):
    expected = alphacut.remove_background("a.png")
    call("remove", "a.png", "--shadow", "contact:opacity=0.3", "-o", "contact.png")
    found = read_image("contact.png")
    np.testing.assert_array_equal(found.alpha, expected.on(None, shadow="contact:opacity=0.3")[..., 3])
    call("remove", "a.png", "--shadow", "drop", "--background", "white", "-o", "drop.png")
    np.testing.assert_array_equal(read_image("drop.png").pixels, expected.on("white", shadow="drop"))
    assert "--only-alpha" in call("remove", "a.png", "--shadow", "drop", "--only-mask", code=2)
    assert "contact" in call("remove", "a.png", "--shadow", "long", code=2)


def test_backgrounds(root):
    call("remove", "a.png", "--background", "#0000ff", "-o", "blue.jpg")
    assert read_image("blue.jpg").pixels[2, 2] == pytest.approx([0, 0, 255], abs=6)
    call("remove", "a.png", "--background", "navy", "-o", "navy.png")
    assert read_image("navy.png").pixels[2, 2].tolist() == [0, 0, 128]
    write_image("ground.png", np.full((48, 64, 3), (1, 200, 3), np.uint8))
    call("remove", "a.png", "--background", "ground.png", "-o", "on.png")
    assert read_image("on.png").pixels[2, 2].tolist() == [1, 200, 3]
    call("remove", "a.png", "--background", "blur", "-o", "blur.png")
    assert read_image("blur.png").alpha is None


def test_prompts(root):
    call("remove", "a.png", "--box", "14, 10,36,28", "-o", "box.png")
    assert read_image("box.png").alpha[2, 2] == 0
    call("remove", "a.png", "--key", "white", "-o", "key.png")
    stored = np.zeros((48, 64), np.uint8)
    stored[12:36, 16:48] = 1  # a mask of 0 and 1
    write_image("mask.png", stored)
    call("remove", "a.png", "--mask", "mask.png", "--refine", "none", "--only-alpha", "-o", "from-mask.png")
    np.testing.assert_array_equal(read_mask("from-mask.png"), stored * 255)
    write_image("trimap.png", np.where(stored, 255, 0).astype(np.uint8))
    call("remove", "a.png", "--trimap", "trimap.png", "--only-mask", "-o", "from-trimap.png")
    np.testing.assert_array_equal(read_mask("from-trimap.png"), stored * 255)


def test_strokes(root):
    strokes = np.full((48, 64, 3), 90, np.uint8)
    strokes[:4], strokes[20:28, 24:40] = (250, 5, 5), (5, 250, 5)
    write_image("strokes.png", strokes)
    box = ("--box", "14,10,36,28")
    for given, options, undecided in (
        (("--labels", "strokes.png"), {}, 2),
        (("--scribbles", "strokes.png", *box), {"box": (14, 10, 36, 28)}, 3),
        (("--labels", "strokes.png", "--subject", "barrier"), {"subject": "barrier"}, 2),
    ):
        call("remove", "a.png", *given, "-o", "b.png", "--overwrite")
        labels = alphacut.read_labels("strokes.png", undecided=undecided)
        expected = alphacut.remove_background("a.png", labels=labels, **options)
        np.testing.assert_array_equal(read_image("b.png").alpha, expected.alpha)
    write_image("small.png", strokes[:30])
    output = call("remove", "a.png", "--labels", "small.png", code=1)
    assert "a.png: labels must have the picture's shape (48, 64), got (30, 64)" in output


def test_points(root):
    call("remove", "a.png", "--point", "30,24", "--point", " 2.5, 40 ,0", "-o", "b.png", "--show-steps", "one")
    expected = alphacut.remove_background("a.png", points=[(30, 24), (2.5, 40, 0)])
    np.testing.assert_array_equal(read_image("b.png").alpha, expected.alpha)


def test_edge(root):
    for given, edge in (("-1,0.5", (-1, 0.5)), ("2", (2, 0))):
        call("remove", "a.png", "--edge", given, "-o", "b.png", "--overwrite")
        np.testing.assert_array_equal(read_image("b.png").alpha, alphacut.remove_background("a.png", edge=edge).alpha)


def test_every_option_of_python(root):
    """What the command writes is what Python gives, for each option of the tables."""
    speckled = photo()
    speckled[3:6, 5:9] = (200, 30, 40)
    write_image("a.png", speckled)
    for given, options in (
        (["--no-clean", "--method", "kmeans"], {"clean": False, "method": "kmeans"}),
        (["--clean", "--method", "kmeans"], {"method": "kmeans"}),
        (["--no-foreground", "--box", "14,10,36,28"], {"foreground": False, "box": (14, 10, 36, 28)}),
        (["--preprocess", "denoise", "--preprocess", "white_balance"], {"preprocess": ["denoise", "white_balance"]}),
        (["--key", "255,255,255", "--despill"], {"key": "white", "despill": True}),
    ):
        call("remove", "a.png", *given, "-o", "b.png", "--overwrite")
        expected = alphacut.remove_background("a.png", **options)
        np.testing.assert_array_equal(read_image("b.png").alpha, expected.alpha)
        np.testing.assert_array_equal(read_image("b.png").pixels, expected.foreground)
    assert alphacut.remove_background("a.png", clean=False, method="kmeans").mask[4, 6]


def test_crop_and_margin(root):
    width, height = alphacut.remove_background("a.png").box[2:]
    for given, down, right in (
        (["--crop"], 0, 0),
        (["--crop", "--margin", "3"], 3, 3),
        (["--crop-margin", "99"], 99, 99),
        (["--crop-margin", "12.5%"], round(height / 8), round(width / 8)),
    ):
        call("remove", "a.png", *given, "-o", "b.png")
        shape = read_image("b.png").pixels.shape[:2]
        assert shape == (min(48, height + 2 * down), min(64, width + 2 * right))


def test_crop_to_an_aspect(root):
    expected = alphacut.remove_background("a.png")
    for given, margin in (([], 0), (["--crop-margin", "2"], 2)):
        call("remove", "a.png", "--aspect", "4:5", *given, "-o", "b.png")
        np.testing.assert_array_equal(read_image("b.png").alpha, expected.crop(margin, aspect="4:5").alpha)


def test_a_box_in_percent(root):
    call("remove", "a.png", "--box", "20%,25 %,36,62.5%", "-o", "b.png")
    expected = alphacut.remove_background("a.png", box=(13, 12, 36, 30))
    np.testing.assert_array_equal(read_image("b.png").alpha, expected.alpha)
    same = alphacut.remove_background("a.png", box=("20%", "25%", 36, "62.5%"))
    np.testing.assert_array_equal(same.alpha, expected.alpha)


def test_key_options_and_seed(root):
    call(
        "remove",
        "a.png",
        *["--key", "white", "--similarity", "0.1", "--blend", "0.4", "--despill", "--refine", "none", "-o", "b.png"],
    )
    expected = alphacut.remove_background("a.png", key="white", similarity=0.1, blend=0.4, despill=True, refine=None)
    np.testing.assert_array_equal(read_image("b.png").alpha, expected.alpha)
    write_image("noise.png", noise())
    call("remove", "noise.png", "--method", "kmeans", "--seed", "7", "--only-mask", "-o", "mask.png")
    np.testing.assert_array_equal(
        read_mask("mask.png"), alphacut.remove_background(noise(), method="kmeans", seed=7).mask
    )


def test_formats(root):
    for format, signature in (("png", b"\x89PNG"), ("webp", b"RIFF"), ("tiff", b"II*\0")):
        call("remove", "a.png", "--format", format)
        assert Path(f"a-cutout.{format}").read_bytes().startswith(signature)
        assert read_image(f"a-cutout.{format}").alpha is not None
        call("remove", "a.png", "--format", format, "--only-mask")
        assert set(np.unique(read_image(f"a-cutout-mask.{format}").pixels)) == {0, 255}
        done = process("-m", "alphacut", "remove", "a.png", "--format", format, "-o", "-")
        assert done.stdout == Path(f"a-cutout.{format}").read_bytes()
    call("remove", "a.png", "--format", "jpeg", "--background", "white", "-o", "out")
    call("remove", "a.png", "--format", "jpeg", "--only-alpha", "-o", "b.jpg")
    assert read_image("out/a-cutout.jpeg").alpha is None
    call("remove", ".", "-o", "again")  # the outputs are no photos, but b.jpg is
    assert [name for name in files(root) if name.startswith("again")] == ["again/a-cutout.png", "again/b-cutout.png"]


def test_quality_and_level(root):
    write_image("a.png", noise())
    sizes = {}
    for arguments in (["b.png", "--png-level", "0"], ["b.png"], ["b.webp"], ["b.webp", "--quality", "30"]):
        call("remove", "a.png", "--mask", "a.png", "-o", *arguments, "--overwrite")
        sizes[tuple(arguments)] = os.path.getsize(arguments[0])
    assert list(sizes.values()) == sorted(sizes.values(), reverse=True)
    jpegs = []
    for quality in (90, 20):
        call("remove", "a.png", "-o", f"{quality}.jpg", "--background", "red", "--quality", quality)
        jpegs.append(os.path.getsize(f"{quality}.jpg"))
    assert jpegs[0] > jpegs[1]


def test_threads_and_several_at_once(root, monkeypatch):
    threads = alphacut.get_num_threads()
    seen = []
    for number in range(17):
        store(f"many/{number}.png", photo())
    store("few/a.png", photo())
    store("few/b.png", photo())

    def watched(jobs, pool, **options):
        seen.append((type(pool).__name__, getattr(pool, "places", 1)))
        if not callable(pool):
            pool.close()
        yield from ()

    monkeypatch.setattr(batch.engine, "run", watched)
    try:
        for count in (1, 3):
            call("remove", "many", "--threads", count)
            assert alphacut.get_num_threads() == count
        call("remove", "many", "--workers", "2")
        call("remove", "few")
        call("remove", "a.png", "-o", "b.png")
    finally:
        alphacut.set_num_threads(threads)
    assert seen == [("Recipe", 1), ("Workers", 3), ("Workers", 2), ("Threads", 2), ("Recipe", 1)]


def test_several_at_once_give_the_bytes_of_one(root):
    threads = alphacut.get_num_threads()
    for number in range(18):
        store(f"in/{number}.png", photo(40 + number, 70))
    try:
        call("remove", "in", "-o", "one", "--threads", "1")
        call("remove", "in", "-o", "four", "--threads", "4")
    finally:
        alphacut.set_num_threads(threads)
    for path in (root / "one").iterdir():
        assert (root / "four" / path.name).read_bytes() == path.read_bytes()
    assert len(files(root / "four")) == 18


def test_without_sub_folders(root):
    store("sub/b.png", photo())
    call("remove", ".", "--no-recursive")
    assert files(root) == ["a-cutout.png", "a.png", "sub/b.png"]
    call("remove", ".", "--recursive")
    assert files(root) == ["a-cutout.png", "a.png", "sub/b-cutout.png", "sub/b.png"]


def test_lines_of_json(root):
    write_image("noise.png", noise())
    write_image("there.png", photo())
    (root / "there-cutout.png").write_bytes(b"mine")
    (root / "broken.png").write_bytes(b"text")
    told = lines(".", "--crop", code=1)
    assert {name: line["status"] for name, line in told.items()} == {
        "a.png": "written",
        "noise.png": "written",
        "there.png": "skipped",
        "broken.png": "failed",
    }
    expected = alphacut.remove_background("a.png")
    written = told["a.png"]
    assert {name: written[name] for name in ("method", "subject", "refine", "confidence", "device")} == {
        name: getattr(expected, name) for name in ("method", "subject", "refine", "confidence", "device")
    }
    assert (written["width"], written["height"], written["reason"]) == (64, 48, None)
    assert written["box"] == list(expected.box)
    assert list(written["timings"]) == [*expected.timings, "write"]
    assert written["destination"] == os.path.join(".", "a-cutout.png")
    assert told["noise.png"]["warnings"]
    assert "not a picture" in told["broken.png"]["reason"]
    assert "method" not in told["there.png"]


def test_warnings_are_told_once(root):
    write_image("a.png", noise())
    warnings = alphacut.remove_background("a.png").warnings
    warning = warnings[0]
    assert call("remove", "a.png").count(warning) == 1
    (line,) = lines("a.png", "--overwrite").values()
    assert line["warnings"] == list(warnings)
    assert call("remove", "a.png", "--overwrite", "--json").count(warning) == 1
    assert warning not in call("remove", "a.png", "--overwrite", "--quiet")


def test_steps(root):
    store("sub/b.png", noise(400, 500))
    strokes = np.full((48, 64), 2, np.uint8)
    strokes[20:28, 24:40], strokes[0] = 1, 0
    write_image("labels.png", strokes)
    call("remove", "a.png", "--labels", "labels.png", "--box", "14,10,36,28", "--show-steps", "one")
    names = ["input", "subject", "mask", "trimap", "alpha", "foreground", "checkerboard"]
    assert files(root / "one") == [f"a-cutout-step-{number:02}-{name}.png" for number, name in enumerate(names, 1)]
    shown = read_image("one/a-cutout-step-01-input.png").pixels
    assert shown[24, 30].tolist() == [0, 255, 0]
    assert shown[0, 3].tolist() == [220, 0, 0]
    assert shown[11, 20].tolist() == [0, 255, 0]  # the box
    assert shown[8, 8].tolist() == [255, 255, 255]
    cutout = alphacut.remove_background("a.png", labels=strokes, box=(14, 10, 36, 28), steps=True)
    for name, step in (("03-mask", cutout.steps["mask"]), ("04-trimap", cutout.steps["trimap"])):
        np.testing.assert_array_equal(read_image(f"one/a-cutout-step-{name}.png").pixels, step)

    call("remove", "a.png", "sub", "-o", "out", "--show-steps", "several")
    assert {os.path.dirname(name) for name in files(root / "several")} == {"", "sub"}
    assert read_image("several/sub/b-cutout-step-02-subject.png").pixels.shape == (400, 500)


def test_steps_replace_those_of_an_earlier_run_and_nothing_else(root):
    call("remove", "a.png", "-o", "b.png", "--show-steps", ".", "--method", "kmeans")
    kept = ["01-input.png", "b-cutout-step-1.png", "b-cutout-stepmother.png", "bb-cutout-step-01-input.png"]
    for name in kept:
        (root / name).write_bytes(b"precious")
    call("remove", "a.png", "-o", "b.png", "--show-steps", ".", "--key", "white", "--overwrite")
    steps = [
        f"b-cutout-step-{number:02}-{name}.png"
        for number, name in enumerate(("input", "mask", "trimap", "alpha", "foreground", "checkerboard"), 1)
    ]
    assert files(root) == sorted(["a.png", "b.png", *kept, *steps])
    assert all((root / name).read_bytes() == b"precious" for name in kept)
    for name in kept:
        (root / name).unlink()
    assert "2 written" in call("remove", ".")  # steps are no photos


def test_steps_of_photos_of_one_name(root):
    store("tmp/a.png", photo())
    other = root.parent / f"{root.name}-other" / "tmp" / "a.png"
    store(other, photo())
    store("tmp/a.jpg", photo())
    call("remove", "tmp/a.png", other, "tmp/a.jpg", "--show-steps", "steps")
    names = [os.path.basename(name) for name in files(root / "steps")]
    prefixes = [name[: name.index("-cutout-step-")] for name in names]
    assert Counter(prefixes).keys() == {"a", "a.png", "a.jpg"}
    assert len(set(Counter(prefixes).values())) == 1


@pytest.mark.parametrize("prompt", ["mask", "trimap"])
def test_steps_show_a_mask_and_a_trimap(root, prompt):
    stored = np.zeros((48, 64), np.uint8)
    stored[12:36, 16:48] = 255
    stored[11] = 128
    write_image("hint.png", stored)
    call("remove", "a.png", f"--{prompt}", "hint.png", "--show-steps", "steps")
    shown = read_image("steps/a-cutout-step-01-input.png").pixels
    assert shown[24, 30].tolist() == [100, 142, 20]
    assert shown[2, 2].tolist() == [237, 127, 127]
    assert shown[11, 2].tolist() == ([127, 254, 127] if prompt == "mask" else [255, 255, 255])


def test_a_file_called_like_a_colour_is_no_background(root):
    write_image("ground.png", np.full((48, 64, 3), (1, 200, 3), np.uint8))
    os.rename("ground.png", "red")
    call("remove", "a.png", "--background", "red", "-o", "on.png")
    assert read_image("on.png").pixels[2, 2].tolist() == [255, 0, 0]
    call("remove", "a.png", "--background", "./red", "-o", "on-file.png")
    assert read_image("on-file.png").pixels[2, 2].tolist() == [1, 200, 3]
    assert "No such file" in call("remove", "a.png", "--background", "./nope", code=2)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_a_photo_from_a_pipe_with_a_name(root):
    os.mkfifo("pipe.png")
    data = (root / "a.png").read_bytes()
    writer = threading.Thread(target=lambda: Path("pipe.png").write_bytes(data))
    writer.start()
    call("remove", "pipe.png", "-o", "b.png")
    writer.join()
    assert read_image("b.png").alpha is not None


def test_crop(root):
    call("remove", "a.png", "--crop")
    height, width = read_image("a-cutout.png").pixels.shape[:2]
    assert 20 <= height <= 30
    assert 28 <= width <= 38


def test_profile_and_resolution_are_kept(root):
    profile = bytes(16) + b"RGB " + bytes(108)
    write_image("b.png", photo(), icc_profile=profile, dpi=(300, 300))
    call("remove", "b.png")
    kept = read_image("b-cutout.png")
    assert kept.icc_profile == profile
    assert kept.dpi == pytest.approx((300, 300), rel=1e-4)


def test_a_folder(root):
    for name in ("in/a.jpg", "in/a.png", "in/sub dir/ü ✂ 画.jpg", "in/.hidden.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        write_image(name, photo())
    (root / "in/broken.png").write_bytes((root / "a.png").read_bytes()[:60])
    (root / "in/empty.jpg").write_bytes(b"")
    (root / "in/notes.txt").write_text("no picture")
    if os.name != "nt":
        (root / "in/loop").symlink_to(root / "in")
    output = call("remove", "in", "-o", "out", code=1)
    expected = ["out/a.jpg-cutout.png", "out/a.png-cutout.png", "out/sub dir/ü ✂ 画-cutout.png"]
    assert [name for name in files(root) if name.startswith("out")] == expected
    assert "3 written, 2 failed" in output
    assert "broken.png: cannot be decoded as PNG" in output
    assert "empty.jpg: empty, not a picture" in output

    output = call("remove", "in", "-o", "out", code=1)
    assert "3 skipped (exists; --overwrite replaces it), 2 failed" in output
    (root / "in/broken.png").unlink()
    (root / "in/empty.jpg").unlink()
    assert "3 written" in call("remove", "in", "-o", "out", "--overwrite")
    assert call("remove", "in", "-o", "out", "--overwrite", "--quiet") == ""


def test_outputs_beside_the_photos_are_not_taken_for_photos(root):
    write_image("b.jpg", photo())
    assert "2 written" in call("remove", ".")
    assert "2 written" in call("remove", ".", "--only-mask")
    before = files(root)
    assert "2 skipped" in call("remove", ".")
    assert "2 written" in call("remove", ".", "--overwrite")
    assert files(root) == before
    assert len(before) == 6


def test_several_photos(root):
    write_image("b.png", photo())
    output = call("remove", "a.png", "missing.png", "b.png", code=1)
    assert "2 written, 1 failed" in output
    assert "missing.png: No such file or directory" in output
    assert files(root) == ["a-cutout.png", "a.png", "b-cutout.png", "b.png"]


def test_an_empty_folder(root):
    (root / "none").mkdir()
    assert "no photos found" in call("remove", "none")


def test_files_that_are_passed_over_are_counted(root):
    for name in ("in/a.txt", "in/b.TXT", "in/.hidden", "in/sub/none", "in/raw.cr2", "in/.git/c.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("text")
    assert "no photos found; 6 passed over (2 .txt, 2 hidden, 1 .cr2, 1 without an ending)" in call("remove", "in")
    store("in/a.png", photo())
    call("remove", "in")
    told = call("remove", "in")
    assert "1 skipped" in told
    assert "7 passed over" in told
    assert "1 earlier outputs" in told
    assert "passed over" not in call("remove", "in", "-q")
    assert "passed over" not in call("remove", "in/a.png", "--overwrite")


def test_exif_is_kept_if_asked_to(root):
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker", 6
    Image.fromarray(photo()).save("turned.jpg", exif=exif)
    call("remove", "turned.jpg", "-o", "without.png")
    call("remove", "turned.jpg", "-o", "with.jfif", "--exif", "--background", "white")
    assert read_image("without.png").exif is None
    assert b"Maker" in read_image("with.jfif").exif
    assert read_image("with.jfif").pixels.shape == (64, 48, 3)


def test_a_photo_that_is_named_is_done_again_and_one_that_is_found_is_not(root):
    (root / "b.png").write_bytes(b"mine")
    assert "1 skipped" in call("remove", "a.png", "-o", "b.png", "--skip-existing")
    assert (root / "b.png").read_bytes() == b"mine"
    call("remove", "a.png", "-o", "b.png")
    assert read_image("b.png").alpha is not None
    store("in/c.png", photo())
    for _ in range(2):
        output = call("remove", "a.png", "in")
    assert "1 written, 1 skipped" in output
    assert "2 written" in call("remove", "a.png", "in", "--overwrite")


def test_a_picture_in_the_place_of_a_command(root):
    assert "Did you mean `alphacut remove a.png`?" in call("a.png", code=2).replace("main", "alphacut")
    assert "Did you mean `alphacut remove gone.jpg`?" in call("gone.jpg", code=2).replace("main", "alphacut")
    assert "Did you mean `alphacut remove" not in call("gone", code=2).replace("main", "alphacut")


def test_help_has_groups():
    text = call("remove", "--help")
    titles = ["Where the subject is:", "What is written:", "How it is cut out:", "Many photos:", "Options:"]
    places = [text.index(title) for title in titles]
    assert places == sorted(places)
    assert "PHOTO" not in text[places[0] :].replace("beside PHOTO", "").replace("one PHOTO", "")
    assert places[0] < text.rindex("--box") < places[1] < text.rindex("--crop-margin") < places[2]


def test_options_that_are_always_given(root, monkeypatch):
    (root / "alphacut.toml").write_text('[remove]\ncrop = true\nmargin = "10%"\npoint = ["30,24"]\nformat = "webp"\n')
    call("remove", "a.png")
    expected = alphacut.remove_background("a.png", points=[(30, 24)]).crop("10%")
    np.testing.assert_array_equal(read_image("a-cutout.webp").alpha, expected.alpha)
    told = call("remove", "a.png", "--format", "png")  # what is typed goes first
    assert "alphacut.toml gives --point, --crop, --crop-margin\n" in told
    assert "alphacut.toml" not in call("remove", "a.png", "--quiet")
    assert read_image("a-cutout.png").pixels.shape == expected.image.shape
    for text, words in (
        ("[remove]\nmagic = 1", "[remove] has no option 'magic'"),
        ("[magic]", "no command 'magic'"),
        ("remove = 1", "must be a table"),
        ("[remove", "other.toml: "),
        ("[remove]\nbox = '1,2,3'", "four whole numbers"),
    ):
        (root / "other.toml").write_text(text)
        assert words in call("--config", "other.toml", "remove", "a.png", code=2)
    (root / "other.toml").write_text("[remove]\nonly-mask = true")
    monkeypatch.setenv("ALPHACUT_CONFIG", "other.toml")
    call("remove", "a.png")
    assert (root / "a-cutout-mask.png").exists()


def test_names_that_would_steer_the_terminal(root):
    Path("a\x1b[2J\x07.png").write_bytes(b"text")
    told = call("remove", "a\x1b[2J\x07.png", code=1)
    assert "\x1b" not in told
    assert r"a\x1b[2J\x07.png: not a picture" in told


def test_shell_completion():
    from click.shell_completion import BashComplete

    found = BashComplete(main, {}, "alphacut", "_ALPHACUT_COMPLETE").get_completions(["remove"], "--crop")
    assert {item.value for item in found} == {"--crop", "--crop-margin"}


def test_what_the_file_system_refuses(root, monkeypatch):
    (root / "file").write_bytes(b"")
    assert "file" in call("remove", "a.png", "-o", "file/sub", code=1)

    def refuse(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    assert "a.png: Permission denied" in call("remove", "a.png", code=1)
    assert files(root) == ["a.png", "file"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_forbidden_files_and_folders(root):
    write_image("b.png", photo())
    (root / "b.png").chmod(0)
    output = call("remove", "a.png", "b.png", code=1)
    assert "b.png: Permission denied" in output
    (root / "locked").mkdir(mode=0o500)
    assert "Permission denied" in call("remove", "a.png", "-o", "locked", code=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "PHOTO"),
        (["a.png", "--box", "1,2,3"], "four whole numbers"),
        (["a.png", "--box", "1,2,0,4"], "at least 1"),
        (["a.png", "--point", "1"], "must be x,y"),
        (["a.png", "--edge", "1,2,3"], "one or two numbers"),
        (["a.png", "--edge", "wide"], "one or two numbers"),
        (["a.png", "--edge", "101"], "shift must be from -100"),
        (["a.png", "--point", "1,2,3"], "must be x,y"),
        (["a.png", "--point", "1,2", "--key", "red"], "contradict"),
        (["a.png", "--key", "no colour"], "no colour"),
        (["a.png", "--background", "missing.jpg"], "missing.jpg"),
        (["a.png", "--background", "text.png"], "not a picture"),
        (["a.png", "--mask", "missing.png"], "does not exist"),
        (["a.png", "--mask", "text.png"], "not a picture"),
        (["a.png", "--trimap", "."], "directory"),
        (["a.png", "--method", "magic"], "magic"),
        (["a.png", "--refine", "magic"], "magic"),
        (["a.png", "--device", "magic"], "magic"),
        (["a.png", "--only-mask", "--only-alpha"], "only one of"),
        (["a.png", "--only-mask", "--background", "red"], "only one of"),
        (["a.png", "--box", "1,2,3,4", "--key", "red"], "contradict"),
        (["a.png", "-o", "b.jpg"], "JPEG has no transparency"),
        (["a.png", "-o", "b.gif"], "cannot write .gif"),
        (["a.png", "-o", "a.png"], "would replace the photo"),
        (["a.png", "-o", "./sub/../a.png"], "would replace the photo"),
        (["a.png", "text.png", "-o", "text.png"], "name a folder"),
        (["a.png", "text.png", "-o", "one.png"], "name a folder"),
        (["a.png", "text.png", "-o", "one.gif"], "name a folder"),
        ([".", "-o", "text.png"], "name a folder"),
        ([".", "-o", "-"], "one PHOTO"),
        (["a.png", "text.png", "-o", "-"], "one PHOTO"),
        (["a.png", "-o", "b.png", "--format", "webp"], "contradict"),
        (["a.png", "--format", "jpeg"], "JPEG has no transparency"),
        (["a.png", "--format", "gif"], "gif"),
        (["a.png", "--quality", "50"], "jpeg and webp only"),
        (["a.png", "--format", "webp", "--quality", "0"], "quality must be 1 to 100"),
        (["a.png", "--png-level", "10"], "png_level must be from 0 to 9"),
        (["a.png", "-o", "b.webp", "--png-level", "3"], "png only"),
        (["a.png", "--labels", "text.png"], "not a picture"),
        (["a.png", "--labels", "white.png"], "no strokes"),
        (["a.png", "--labels", "missing.png"], "does not exist"),
        (["a.png", "--mask", "a.png", "--box", "1,2,3,4"], "box and mask contradict"),
        (
            ["a.png", "--box", "1,2,3,4", "--similarity", "0.1"],
            "similarity: for a background",
        ),
        (["a.png", "--method", "graphcut", "--despill"], "despill: for a background"),
        (["a.png", "--key", "red", "--blend", "-1"], "blend"),
        (["a.png", "--subject", "magic"], "magic"),
        (["a.png", "--seed", "-1"], "seed must be from 0"),
        (["a.png", "--seed", "many"], "must be a whole number"),
        (["a.png", "--similarity", "nan"], "must be a number"),
        (["a.png", "--instance", "0"], "there is no model"),
        (["a.png", "--instance", "-1"], "instance must be from 0"),
        (["a.png", "--preprocess", "magic"], "magic"),
        (["a.png", "--crop", "--margin", "-3"], "margin must be 0 or more"),
        (["a.png", "--crop-margin", "-3%"], "margin must be 0 or more"),
        (["a.png", "--crop-margin", "wide"], "must be a whole number or a percentage"),
        (["a.png", "--aspect", "tall"], "must be like 4:5"),
        (["a.png", "--aspect", "1:6"], "aspect must be from 1:5 to 5:1"),
        (["a.png", "--box", "10%,10%,0%,10%"], "at least 1"),
        (["a.png", "--stale"], "go with --manifest"),
        (["-", "-o", "b.png", "--manifest", "m"], "no use for"),
        (["list.csv", "a.png"], "must be the only source"),
        (["s3://bucket/a.jpg", "a.png"], "must be the only source"),
        (["a.png", "--threads", "0"], "threads"),
        (["a.png", "--threads", "2000"], "threads"),
        (["a.png", "-o", "-", "--json"], "--json needs standard output"),
        (["a.png", "--show-steps", "text.png"], "text.png"),
        (["-", "a.png"], "only PHOTO"),
        (["-", "-o", "folder"], "standard input"),
    ],
)
def test_usage_errors(root, arguments, words):
    (root / "text.png").write_text("text, not a picture")
    (root / "sub").mkdir()
    write_image("white.png", np.full((48, 64, 3), (255, 255, 254), np.uint8))
    assert words in call("remove", *arguments, code=2)
    assert files(root) == ["a.png", "text.png", "white.png"]


def test_a_gpu_that_is_not_there(root):
    if alphacut.info()["cuda"]["available"]:
        pytest.skip("there is a GPU")
    assert "GPU" in call("remove", "a.png", "--device", "cuda", code=2)


def test_a_url_to_standard_output(root):
    system = pytest.importorskip("fsspec").filesystem("memory")
    system.pipe_file("/one/a.png", Path("a.png").read_bytes())
    result = CliRunner().invoke(main, ["remove", "memory://one/a.png", "-o", "-"])
    assert result.exit_code == 0, result.output
    np.testing.assert_array_equal(read_image(result.stdout_bytes).alpha, alphacut.remove_background("a.png").alpha)


def test_standard_input_to_a_file(root):
    call("remove", "-", "-o", "b.png", stdin=(root / "a.png").read_bytes())
    assert read_image("b.png").alpha is not None
    assert "the bytes given: not a picture" in call("remove", "-", "-o", "c.png", stdin=b"text", code=1)


def test_streams_of_a_real_process(root):
    data = (root / "a.png").read_bytes()
    done = process("-m", "alphacut", "remove", "-", input=data)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert done.stdout.startswith(b"\x89PNG")
    np.testing.assert_array_equal(read_image(done.stdout).pixels.shape, (48, 64, 3))
    done = process("-m", "alphacut", "remove", "a.png", "-o", "-", "--only-mask", "--quiet")
    assert (done.returncode, done.stderr) == (0, b"")
    assert read_image(done.stdout).pixels.shape == (48, 64)
    done = process("-m", "alphacut", "remove", "-", input=b"")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"empty, not a picture" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_closed_pipe(root):
    for number, arguments in enumerate((["a.png", "-o", "-"], [".", "--json"])):
        write_image(f"{number}.png", photo())
        reading, writing = os.pipe()
        os.close(reading)
        command = [sys.executable, "-m", "alphacut", "remove", *arguments]
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=environment(), timeout=120)
        os.close(writing)
        assert done.returncode == 1
        assert done.stderr == b""


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals here")
def test_progress_is_for_terminals(root):
    import fcntl
    import struct
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-m", "alphacut", "remove", ".", "--json", "--overwrite"]
    for terminal in (True, False):
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=theirs if terminal else subprocess.PIPE, env=environment()
        ) as run:
            assert json.loads(run.stdout.read())["status"] == "written"
            told = os.read(ours, 10000) if terminal else run.stderr.read()
        assert (b"photo" in told) == terminal
        assert b"1 written" in told
    command.remove("--json")
    with subprocess.Popen(command, stderr=theirs, env=environment()) as run:
        pass
    confidence = alphacut.remove_background("a.png").confidence
    assert f"./a.png → ./a-cutout.png {confidence * 100:.0f} %".encode() in os.read(ours, 10000)
    os.close(ours)
    os.close(theirs)


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_a_name_that_is_no_text(root):
    name = os.fsdecode(b"caf\xe9.png")
    os.rename("a.png", name)
    assert "1 written" in call("remove", ".")
    assert os.path.exists(os.fsdecode(b"caf\xe9-cutout.png"))
    (root / name).write_bytes(b"text")
    done = process("-m", "alphacut", "remove", ".", "--overwrite", cwd=root)
    assert done.returncode == 1
    assert b"not a picture" in done.stderr
    assert b"Traceback" not in done.stderr
    done = process("-m", "alphacut", "remove", ".", "--json", "--overwrite", cwd=root)
    assert done.returncode == 1
    assert os.fsencode(json.loads(done.stdout)["source"]) == b"./caf\xe9.png"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_folder_that_is_given_up_is_finished_by_the_next_call(root, end):
    count = 40  # enough for processes
    for number in range(count):
        store(f"in/{number}.png", noise(300, 400))
    command = [sys.executable, "-m", "alphacut", "remove", "in", "-o", "out", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()) as run:
        for _ in range(3):
            assert json.loads(run.stdout.readline())["status"] == "written"
        run.send_signal(end)
        run.stdout.read()
    assert run.returncode == (-signal.SIGKILL if end == signal.SIGKILL else 1)

    before = {name: (root / "out" / name).stat().st_mtime_ns for name in files(root / "out") if name.endswith(".png")}
    assert 3 <= len(before) < count
    for name in before:  # under its name a file is whole
        assert read_image(root / "out" / name).pixels.shape == (300, 400, 3)
    told = lines("in", "-o", "out")
    assert sum(line["status"] == "skipped" for line in told.values()) == len(before)
    assert sum(line["status"] == "written" for line in told.values()) == count - len(before)
    for number in range(count):
        assert read_image(root / "out" / f"{number}-cutout.png").pixels.shape == (300, 400, 3)
    assert {name: (root / "out" / name).stat().st_mtime_ns for name in before} == before
    if end == signal.SIGINT:
        assert len(files(root / "out")) == count  # and nothing else


# --- the other commands ----------------------------------------------------------------------------------------------


def test_version_and_help():
    assert call("--version").strip() == f"alphacut {alphacut.__version__}"
    assert "remove" in call("--help")
    assert "--box" in call("remove", "-h")


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from alphacut.cli import main; main(['--help'], standalone_mode=False);"
        "print([name for name in ('PIL', 'numba', 'skimage', 'tqdm') if name in sys.modules])"
    )
    assert process("-c", code, check=True).stdout.decode().splitlines()[-1] == "[]"


def test_info():
    text = call("info")
    facts = json.loads(call("info", "--json"))
    assert facts["version"] == alphacut.__version__
    assert facts["isa"] in facts["isas"]
    assert facts["isa"] in text
    if not facts["cuda"]["available"]:
        assert facts["cuda"]["reason"] in text


@pytest.mark.parametrize(("option", "name"), [("--cmake-dir", "get_cmake_dir"), ("--include", "get_include")])
def test_info_tells_cpp_programs_where_alphacut_lies(option, name):
    try:
        folder = getattr(alphacut, name)()
    except ImportError:  # built in place
        assert "built in place" in call("info", option, code=1)
    else:
        assert call("info", option).strip() == folder


def test_demo(tmp_path, monkeypatch):
    pytest.importorskip("skimage")
    monkeypatch.setattr(demo, "SCENES", demo.SCENES[1:8:2])  # nothing said, easy and hard; a point; a box
    opened = []
    monkeypatch.setattr("click.launch", lambda page: opened.append(page) or 0)
    folder = tmp_path / "new" / "demo"
    output = call("demo", "-o", folder, "--open")
    steps = ["input", "subject", "mask", "trimap", "alpha", "foreground", "checkerboard", "colour"]
    for name in (scene.name for scene in demo.SCENES):
        written = [f"{number:02}-{step}.png" for number, step in enumerate(steps, 1)]
        assert files(folder / name) == [*written, "cutout.png"]
        sizes = {read_image(path).pixels.shape[:2] for path in (folder / name).iterdir()}
        assert len(sizes) == 1
        assert name in output
    assert read_image(folder / "contact-sheet.png").pixels.shape[1] > 8 * 240
    assert "milliseconds" in output
    assert "contact-sheet.png" in output
    page = folder / "index.html"
    assert opened == [page.resolve().as_uri()]
    text = page.read_text("utf-8")
    named = set(re.findall(r'(?:src|href)="([^"]+)"', text))
    assert len(named) == 1 + len(demo.SCENES) * 9
    assert all((folder / path).is_file() for path in named)
    assert "<!--" not in text
    assert all(scene.about in text for scene in demo.SCENES)


def test_the_demo_without_a_browser(tmp_path, monkeypatch):
    pytest.importorskip("skimage")
    monkeypatch.setattr(demo, "SCENES", demo.SCENES[-1:])
    monkeypatch.setattr("click.launch", lambda page: 3)
    assert "open" in call("demo", "-o", tmp_path / "demo", "--open", code=1)
    assert (tmp_path / "demo" / "index.html").is_file()


def test_demo_without_scikit_image(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    output = call("demo", "-o", tmp_path / "demo", code=1)
    assert "pip install 'alphacut[demo]'" in output
    assert not (tmp_path / "demo").exists()


def test_the_demo_cannot_write(tmp_path):
    pytest.importorskip("skimage")
    (tmp_path / "file").write_bytes(b"")
    assert "file" in call("demo", "-o", tmp_path / "file" / "demo", code=1)


def test_the_contact_sheet_takes_every_depth():
    gray = np.linspace(0, 1, 20 * 30, dtype=np.float32).reshape(20, 30)
    sheet = demo._contact_sheet({"one": {"input": photo(20, 30), "subject": gray}})
    assert sheet.dtype == np.uint8
    assert sheet.ndim == 3
    file = io.BytesIO()
    write_image(file, sheet, format="png")
