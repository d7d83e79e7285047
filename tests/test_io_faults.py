"""Files when writing fails: at each call of the system in turn, on a full disk; what a loss of power would leave."""

import builtins
import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import alphacut
from alphacut import _durable, _segments
from alphacut.files import read_image, write_image

OLD = np.full((40, 50, 3), 9, np.uint8)
NEW = np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)
CALLS = ("replace", "fsync", "open", "chmod", "unlink")


class Faults:
    """The nth of the calls that write, in a folder, fails; counts and notes them."""

    def __init__(self, monkeypatch, folder):
        self.left, self.seen, self._folder = 0, [], str(folder)
        for name in CALLS:
            monkeypatch.setattr(os, name, self._failing(name, getattr(os, name)))
        opened = builtins.open
        for module in (builtins, io):
            monkeypatch.setattr(module, "open", self._opening(opened))

    def arm(self, nth):
        self.left, self.seen = nth, []

    def step(self, name, what):
        self.seen.append((name, what))
        self.left -= 1
        if self.left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _failing(self, name, call):
        def faulty(*args, **options):
            if name != "unlink":  # what cleans up works
                self.step(name, args[0])
            return call(*args, **options)

        return faulty

    def _opening(self, opened):
        def faulty(path, mode="r", *args, **options):
            if not isinstance(path, (str, Path)) or not str(path).startswith(self._folder) or set(mode) <= set("rbt"):
                return opened(path, mode, *args, **options)
            self.step("create", path)
            return Stream(opened(path, mode, *args, **options), self)

        return faulty


class Stream:
    """A file whose writes are counted."""

    def __init__(self, stream, faults):
        self._stream, self._faults = stream, faults

    def write(self, data):
        self._stream.write(data[: len(data) // 2])  # a part of it is there
        self._faults.step("write", self._stream.name)
        return self._stream.write(data[len(data) // 2 :])

    def close(self):
        self._stream.close()
        self._faults.step("close", self._stream.name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __getattr__(self, name):
        return getattr(self._stream, name)


@pytest.fixture
def faults(monkeypatch, tmp_path):
    with monkeypatch.context() as patched:
        yield Faults(patched, tmp_path)


def at_each(faults, work, after):
    """`work` with its first, second, ... call failing, until none is left; `after` each tells whether all is well."""
    for nth in range(1, 99):
        faults.arm(nth)
        try:
            work()
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017
            failed = True
        else:
            failed = faults.left <= 0  # passed over
        faults.left = 0
        after(failed, nth)
        if not failed:
            return nth - 1
    raise AssertionError("never done")


@pytest.mark.parametrize("ending", ["png", "webp", "tiff", "jpeg"])
@pytest.mark.parametrize("there", [False, True])
def test_a_picture_is_the_old_or_the_new(faults, tmp_path, ending, there):
    path = tmp_path / f"picture.{ending}"
    write_image(path, OLD)
    old = path.read_bytes()
    write_image(path, NEW)
    new = path.read_bytes()

    def reset():
        path.unlink(missing_ok=True)
        if there:
            path.write_bytes(old)

    def after(failed, nth):
        found = path.read_bytes() if path.exists() else None
        assert found == new or (failed and found == (old if there else None)), nth
        assert os.listdir(tmp_path) == ([path.name] if found else []), nth
        if failed:
            reset()
            write_image(path, NEW)  # the next is as good as ever
            assert path.read_bytes() == new
            reset()

    reset()
    assert at_each(faults, lambda: write_image(path, NEW), after) >= 6


def test_bytes_reach_the_disk_before_the_name(faults, tmp_path):
    path = tmp_path / "a.png"
    write_image(path, OLD)
    faults.arm(0)
    write_image(path, NEW)
    names = [name for name, _ in faults.seen]
    assert names == ["create", "write", "close", "chmod", "open", "fsync", "replace", "open", "fsync"]
    assert os.fspath(faults.seen[4][1]) == os.fspath(faults.seen[6][1])  # the new file's
    assert os.fspath(faults.seen[7][1]) == str(tmp_path)  # the folder's


def test_without_sync(faults, tmp_path, monkeypatch):
    monkeypatch.setattr(_durable, "_SYNCED", False)
    faults.arm(0)
    write_image(tmp_path / "a.png", NEW)
    assert [name for name, _ in faults.seen] == ["create", "write", "close", "replace"]
    code = "import alphacut._durable as d; print(d._SYNCED)"
    for value, said in (("0", "False"), ("1", "True")):
        environment = {**os.environ, "ALPHACUT_SYNC": value, "PYTHONPATH": str(Path(alphacut.__file__).parents[1])}
        assert subprocess.check_output([sys.executable, "-c", code], env=environment, text=True).strip() == said


def test_parts_of_a_film_go_on_from_the_last_whole_one(faults, tmp_path):
    """Whatever fails, what is resumed is a note whose state and segment are there."""
    film = tmp_path / "film.mp4"

    def make():
        segments = _segments.Segments(film, ".mp4", "job", resume=True)
        for number in range(len(segments._whole), 3):
            segments.begin().write_bytes(bytes([number]) * 99)
            segments.finish({"frames": number}, bytes([number]) * 50)

    def after(failed, nth):
        if not failed:
            return
        assert not film.exists()
        try:
            segments = _segments.Segments(film, ".mp4", "job", resume=True)
        except ValueError:  # begun, and nothing of it whole: the job could not be noted
            segments = _segments.Segments(film, ".mp4", "job", resume=False)
        if segments.end is not None:
            number = segments.end["frames"]
            assert segments.state == bytes([number]) * 50
            assert segments._video(number).read_bytes() == bytes([number]) * 99
        segments.delete()

    assert at_each(faults, make, after) > 20


def test_a_manifest_loses_nothing_that_was_told(faults, tmp_path):
    pytest.importorskip("pyarrow")
    from alphacut.batch.jobs import Job, Result
    from alphacut.batch.manifest import Manifest

    folder = tmp_path / "manifest"
    told = []

    def make():
        told.clear()
        with Manifest(str(folder), "options") as manifest:
            for number in range(3):
                source = f"{number}.png"
                manifest.add(Result(source=source, destination=f"out/{source}", status="written"))
                told.append(source)

    def after(failed, nth):
        assert not list(tmp_path.glob("**/*.tmp")), nth
        with Manifest(str(folder), "options") as manifest:
            for source in told:
                assert manifest.status(Job(source=source, destination=f"out/{source}")) == "written", (nth, source)
        for path in folder.iterdir():
            path.unlink()

    assert at_each(faults, make, after) > 5


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_disk_that_is_full(tmp_path, share):
    """By the system itself: no file may grow beyond so many bytes."""
    path = tmp_path / "a.png"
    write_image(path, OLD)
    old = path.read_bytes()
    size = len(_written(NEW))
    code = (
        "import json, resource, signal, sys, numpy as np\n"
        "from alphacut.files import write_image\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "path, limit = json.loads(sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, -1))\n"
        "pixels = np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)\n"
        "try: write_image(path, pixels)\n"
        "except OSError as error: print(error.filename)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(alphacut.__file__).parents[1])}
    argument = json.dumps([str(path), int(share * size)])
    said = subprocess.run([sys.executable, "-c", code, argument], env=environment, capture_output=True, text=True)
    assert (said.stdout, said.stderr) == (f"{path}\n", "")
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["a.png"]


def _written(pixels):
    file = io.BytesIO()
    write_image(file, pixels, format="png")
    return file.getvalue()


def test_a_review_page_is_whole_or_the_old(faults, tmp_path):
    pytest.importorskip("pyarrow")
    from alphacut.batch.jobs import Result
    from alphacut.batch.manifest import Manifest
    from alphacut.batch.review import write_review

    page = tmp_path / "page.html"
    with Manifest(str(tmp_path / "manifest"), "options") as manifest:
        manifest.add(Result(source="a", destination="b", status="written", value={"confidence": 0.5}))
    page.write_text("old")

    def after(failed, nth):
        text = page.read_text("utf-8")
        assert text == "old" if failed and faults_before_name(faults) else text.endswith("</html>\n"), nth
        assert sorted(os.listdir(tmp_path)) == ["manifest", "page.html"], nth
        page.write_text("old")

    at_each(faults, lambda: write_review(str(tmp_path / "manifest"), str(page)), after)


def faults_before_name(faults):
    return [name for name, _ in faults.seen].count("open") < 2


def test_what_was_read_is_what_was_written(tmp_path):
    write_image(tmp_path / "a.png", NEW)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").pixels, NEW)
