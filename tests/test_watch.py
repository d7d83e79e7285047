import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import alphacut
from alphacut import batch
from alphacut.batch import storage
from alphacut.batch.naming import belongs, walk
from alphacut.cli import main, remove, watch
from alphacut.files import read_image, write_image


def photo(path, value=200):
    pixels = np.full((40, 50, 3), 255, np.uint8)
    pixels[10:30, 10:40] = (value, 30, 40)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, pixels)


# --- files at rest ---------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """A clock to set: now[0]."""
    now = [1000.0]
    monkeypatch.setattr(watch.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(watch.time, "time", lambda: now[0])
    return now


def test_a_file_is_let_go_once_it_does_not_change(tmp_path, clock):
    path = tmp_path / "a.png"
    resting = watch._Resting()
    path.write_bytes(b"1")
    resting.add([str(path), str(tmp_path / "missing.png")])
    assert resting.ready() == []
    clock[0] += 0.9 * watch.REST
    path.write_bytes(b"12")  # another size
    assert resting.ready() == []
    clock[0] += 0.9 * watch.REST
    os.utime(path, ns=(1, 1))  # another time
    assert resting.ready() == []
    clock[0] += 0.9 * watch.REST
    assert resting.ready() == []
    resting.add([str(path)])  # told of again
    clock[0] += 0.2 * watch.REST
    assert resting.ready() == []
    clock[0] += watch.REST
    assert resting.ready() == [str(path)]
    clock[0] += watch.REST
    assert resting.ready() == []


def test_the_first_round_waits_for_what_is_fresh(tmp_path, clock):
    old, fresh, ahead = (str(tmp_path / name) for name in ("old.png", "fresh.png", "ahead.png"))
    for path, age in ((old, 60), (fresh, 0.1), (ahead, -60)):
        Path(path).write_bytes(b"1")
        os.utime(path, (clock[0] - age, clock[0] - age))
    locked = batch.Result("folder", None, "failed", "locked")
    broken = str(tmp_path / "broken link.png")
    resting = watch._Resting()
    assert list(resting.sieve([old, fresh, locked, ahead, broken])) == [old, locked, broken]
    assert resting.ready() == []
    clock[0] += watch.REST
    assert resting.ready() == [fresh, ahead]


@pytest.mark.parametrize("recursive", [True, False])
def test_what_belongs_is_what_a_walk_finds(tmp_path, recursive):
    names = ["a.png", "b.TXT", ".c.png", "a-cutout.png", "a-cutout-mask.WEBP", "sub/d.jpg", ".hidden/e.jpg", "f.tiff"]
    for name in [*names, "sub/.x/g.jpg", "sub/deep/h.png", ".alphacut-0123.tmp"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "sub")
    (tmp_path / "link.png").symlink_to("a.png")
    everything = [os.path.join(top, name) for top, _, files in os.walk(tmp_path, followlinks=True) for name in files]
    found = {path for path in everything if belongs(path, str(tmp_path), recursive=recursive)}
    assert found == set(walk(str(tmp_path), recursive=recursive))
    assert len(found) == (5 if recursive else 3)
    assert not belongs(str(tmp_path / "gone.png"), str(tmp_path))


# --- the command -----------------------------------------------------------------------------------------------------


class Watching:
    """A real `alphacut remove FOLDER --watch --json`."""

    def __init__(self, folder, *arguments):
        paths = [str(Path(alphacut.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "alphacut", "remove", str(folder), "--watch", "--json", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )
        self.guard = threading.Timer(300, self.process.kill)  # so that a failure is no hang
        self.guard.start()

    def next(self):
        """What it tells next."""
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.guard.cancel()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def end(self):
        """Ctrl-C: what else it told on standard output, and on standard error."""
        self.process.send_signal(signal.SIGINT)
        told = self.process.communicate()
        assert self.process.returncode == 0, told
        return [text.decode() for text in told]


needs_signals = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@needs_signals
def test_what_is_there_and_what_comes(tmp_path):
    pytest.importorskip("watchfiles")
    folder, out = tmp_path / "in", tmp_path / "in" / "out"
    photo(folder / "a.png")
    photo(tmp_path / "bundle/deep/d.png")
    with Watching(folder, "-o", out) as watching:
        first = watching.next()
        assert (first["status"], first["source"]) == ("written", str(folder / "a.png"))
        assert first["destination"] == str(out / "a-cutout.png")

        photo(tmp_path / "b.png")
        whole = (tmp_path / "b.png").read_bytes()
        with open(folder / "b.png", "wb") as copying:
            for start in range(0, len(whole), 40):
                copying.write(whole[start : start + 40])
                copying.flush()
        assert watching.next()["destination"] == str(out / "b-cutout.png")

        photo(tmp_path / "c.png")
        (folder / ".hidden.png").write_bytes(whole)
        (folder / "notes.txt").write_bytes(whole)
        (folder / "x-cutout.png").write_bytes(whole)
        os.rename(tmp_path / "c.png", folder / "c.png")
        assert watching.next()["source"] == str(folder / "c.png")

        os.rename(tmp_path / "bundle", folder / "bundle")
        assert watching.next()["destination"] == str(out / "bundle" / "deep" / "d-cutout.png")

        (folder / "e.png").write_bytes(whole[:60])
        failed = watching.next()
        assert (failed["status"], failed["source"]) == ("failed", str(folder / "e.png"))
        assert watching.process.stderr.readline().decode().strip() == failed["reason"]
        (folder / "e.png").write_bytes(whole)
        assert watching.next()["status"] == "written"

        rest, told = watching.end()
    assert rest == ""
    assert told == "5 written, 1 failed\n"
    for name in ("a", "b", "c", "bundle/deep/d", "e"):
        assert read_image(out / f"{name}-cutout.png").alpha is not None


@needs_signals
def test_no_recursion_and_outputs_beside_the_photos(tmp_path):
    pytest.importorskip("watchfiles")
    photo(tmp_path / "a.png")
    photo(tmp_path / "sub" / "b.png")
    with Watching(tmp_path, "--no-recursive", "--format", "webp", "--overwrite") as watching:
        assert watching.next()["destination"] == str(tmp_path / "a-cutout.webp")
        photo(tmp_path / "sub" / "c.png")
        photo(tmp_path / "new" / "d.png")
        photo(tmp_path / "a.png", value=90)
        again = watching.next()
        assert (again["source"], again["status"]) == (str(tmp_path / "a.png"), "written")
        rest, told = watching.end()
    assert (rest, told) == ("", "2 written\n")
    assert read_image(tmp_path / "a-cutout.webp").pixels[20, 20].tolist() == [90, 30, 40]
    assert sorted(path.name for path in tmp_path.rglob("*-cutout*")) == ["a-cutout.webp"]


@needs_signals
def test_a_photo_that_changes_is_cut_again_and_a_folder_that_goes_is_told(tmp_path):
    pytest.importorskip("watchfiles")
    photo(tmp_path / "in" / "a.png")
    photo(tmp_path / "in" / "b.png")
    photo(tmp_path / "out" / "b-cutout.png", value=7)  # there before: kept
    with Watching(tmp_path / "in", "-o", tmp_path / "out") as watching:
        assert {watching.next()["status"] for _ in range(2)} == {"written", "skipped"}
        photo(tmp_path / "in" / "a.png", value=90)
        again = watching.next()
        assert (again["source"], again["status"]) == (str(tmp_path / "in" / "a.png"), "written")
        assert read_image(tmp_path / "out" / "a-cutout.png").pixels[20, 20].tolist() == [90, 30, 40]
        assert read_image(tmp_path / "out" / "b-cutout.png").pixels[20, 20].tolist() == [7, 30, 40]
        os.rename(tmp_path / "in", tmp_path / "gone")
        (tmp_path / "in").mkdir()
        told = watching.process.communicate()[1].decode()
        assert watching.process.returncode == 1
        assert "is no longer there, or another folder" in told


def test_a_photo_that_changes_while_it_is_cut_leaves_no_cutout(tmp_path, monkeypatch):
    pytest.importorskip("watchfiles")
    photo(tmp_path / "in" / "a.png")
    monkeypatch.setattr(remove, "arrivals", lambda folder, *, recursive: iter([[str(tmp_path / "in" / "a.png")]] * 2))
    save, changes = storage.save, [90]

    def changing(*arguments, **options):
        if changes:
            photo(tmp_path / "in" / "a.png", value=changes.pop())
        save(*arguments, **options)

    monkeypatch.setattr(storage, "save", changing)
    result = CliRunner().invoke(main, ["remove", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--watch"])
    assert "changed while it was cut" in result.output
    assert "1 written, 1 failed" in result.output
    assert read_image(tmp_path / "out" / "a-cutout.png").pixels[20, 20].tolist() == [90, 30, 40]


def test_without_watchfiles(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    result = CliRunner().invoke(main, ["remove", str(tmp_path), "--watch"])
    assert result.exit_code == 1
    assert "pip install 'alphacut[watch]'" in result.output


def test_what_the_system_refuses(tmp_path, monkeypatch):
    watchfiles = pytest.importorskip("watchfiles")

    def refuse(*arguments, **options):
        raise OSError("OS file watch limit reached.")
        yield

    monkeypatch.setattr(watchfiles, "watch", refuse)
    result = CliRunner().invoke(main, ["remove", str(tmp_path), "--watch"])
    assert result.exit_code == 1
    assert f"Error: cannot watch {tmp_path}: OS file watch limit reached." in result.output


@pytest.mark.parametrize("photos", [["a.png"], [".", "."], ["-"], ["missing"]])
def test_it_watches_one_folder(tmp_path, monkeypatch, photos):
    monkeypatch.chdir(tmp_path)
    photo(tmp_path / "a.png")
    result = CliRunner().invoke(main, ["remove", *photos, "--watch"])
    assert result.exit_code == 2
    assert "--watch takes one folder" in result.output
