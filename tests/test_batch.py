import os
import threading
from collections import Counter
from pathlib import Path

import pytest

from alphacut import batch
from alphacut.batch import Job, Result
from alphacut.batch.due import is_stale
from alphacut.batch.jobs import explain
from alphacut.batch.naming import walk
from alphacut.batch.running import Threads, run


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def pool_of(work, workers):
    """The work itself is done in the caller's thread."""
    return work if workers == 1 else Threads(work, workers)


def outputs(jobs, root):
    """Output of each picture, both relative to `root`."""
    return {os.path.relpath(job.source, root): os.path.relpath(job.destination, root) for job in jobs}


def test_walk_finds_pictures_only(tmp_path):
    found = {
        "a.jpg",
        "f.jfif",
        "g.JPE",
        "h.mpo",
        "i.apng",
        "b.PNG",
        "sub/c.tif",
        "sub/deep/d e ✂.webp",
        "wood-mask.png",
    }
    touch(tmp_path, *found, "notes.txt", "png", ".hidden.jpg", ".thumbnails/x.jpg", "._a.jpg")
    touch(tmp_path, "a-cutout.png", "a-cutout-mask.png", "a-cutout-alpha.png", "sub/c-cutout.PNG")
    touch(tmp_path, "a-cutout.webp", "a-cutout-mask.tiff", "a-cutout-alpha.jpeg", "b-cutout.jpg", "b-cutout.tif")
    assert {os.path.relpath(path, tmp_path) for path in walk(str(tmp_path))} == found
    top = {name for name in found if os.sep not in name}
    assert {os.path.relpath(path, tmp_path) for path in walk(str(tmp_path), recursive=False)} == top
    assert set(outputs(batch.plan([str(tmp_path)], recursive=False), tmp_path)) == top


def test_walk_counts_what_it_passes_over(tmp_path):
    touch(tmp_path, "a.png", "b.txt", "c.TXT", "d", ".e.png", "a-cutout.png", "a-cutout-step-01-mask.png", "sub/f.heic")
    os.symlink(tmp_path / "sub", tmp_path / "link.jpg")
    passed = Counter()
    found = list(walk(str(tmp_path), passed=passed))
    assert sorted(map(os.path.basename, found)) == ["a.png", "f.heic"]
    assert passed == {".txt": 2, "without an ending": 1, "hidden": 1, "earlier outputs": 2, "not files": 1}
    touch(tmp_path, *(f"x.{number}" for number in range(100)))
    passed.clear()
    list(walk(str(tmp_path), passed=passed))
    assert passed.total() == 107
    assert len(passed) <= 21  # any number of endings will do


def test_walk_is_lazy(tmp_path, monkeypatch):
    touch(tmp_path, *(f"{index}.jpg" for index in range(50)))
    seen = 0
    scandir = os.scandir

    class Counting:
        def __init__(self, path):
            self.entries = scandir(path)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.entries.close()

        def __iter__(self):
            nonlocal seen
            for entry in self.entries:
                seen += 1
                yield entry

    monkeypatch.setattr(os, "scandir", Counting)
    jobs = run(batch.plan([str(tmp_path)]), lambda job: None)
    next(jobs)
    assert seen == 1
    assert sum(1 for _ in jobs) == 49


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")
def test_links_and_pipes(tmp_path):
    touch(tmp_path, "real/a.jpg")
    (tmp_path / "real" / "loop").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "folder.png").symlink_to(tmp_path)
    (tmp_path / "real" / "to-a.png").symlink_to("a.jpg")
    (tmp_path / "real" / "broken.png").symlink_to("nowhere.png")
    (tmp_path / "real" / "itself.png").symlink_to("itself.png")
    os.mkfifo(tmp_path / "real" / "pipe.png")
    found = {os.path.basename(path) for path in walk(str(tmp_path))}
    assert found == {"a.jpg", "to-a.png", "broken.png", "itself.png"}


def test_a_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    touch(tmp_path, "a.jpg", "locked/b.jpg")
    scandir = os.scandir

    def guarded(path):
        if os.path.basename(path) == "locked":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    found = list(batch.plan([str(tmp_path)]))
    failed = [item for item in found if isinstance(item, Result)]
    assert [(result.status, result.reason) for result in failed] == [
        ("failed", f"{tmp_path / 'locked'}: Permission denied")
    ]
    assert len(found) == 2


def test_names_beside_the_picture(tmp_path):
    touch(tmp_path, "a.jpg", "sub/a.jpg")
    assert outputs(batch.plan([str(tmp_path)]), tmp_path) == {
        "a.jpg": "a-cutout.png",
        "sub/a.jpg": "sub/a-cutout.png",
    }
    assert list(batch.plan([str(tmp_path / "a.jpg")], ending="-cutout-mask.png")) == [
        Job(str(tmp_path / "a.jpg"), str(tmp_path / "a-cutout-mask.png"))
    ]


def test_relative_names_stay_relative(tmp_path, monkeypatch):
    touch(tmp_path, "a.jpg", "f/b.jpg")
    monkeypatch.chdir(tmp_path)
    assert list(batch.plan(["a.jpg", "f"])) == [
        Job("a.jpg", "a-cutout.png"),
        Job(os.path.join("f", "b.jpg"), os.path.join("f", "b-cutout.png")),
    ]
    assert next(batch.plan(["."], "out")).destination.startswith("out" + os.sep)


NAMESAKES = ["a.jpg", "a.png", "a.JPG", "a.Jpg", "a.jpg.png", "b.jpg", "b", "c.tif", "d.jpg", "d.jpg.tif", "e.Jpg"]


def test_namesakes_keep_their_endings(tmp_path):
    touch(tmp_path, *NAMESAKES)
    names = outputs(batch.plan([str(tmp_path)]), tmp_path)
    if (tmp_path / "A.JPG").exists():
        pytest.skip("the file system ignores case")
    assert names == {
        "a.jpg": "a.jpg-cutout.png",
        "a.png": "a.png-cutout.png",
        "a.JPG": "a.JPG-cutout.png",
        "a.Jpg": "a.Jpg-cutout.png",
        "a.jpg.png": "a.jpg.png-cutout.png",
        "b.jpg": "b.jpg-cutout.png",
        "c.tif": "c-cutout.png",
        "d.jpg": "d-cutout.png",
        "d.jpg.tif": "d.jpg.tif-cutout.png",
        "e.Jpg": "e.Jpg-cutout.png",
    }
    assert len(set(names.values())) == len(names)


def test_namesakes_given_one_by_one(tmp_path):
    touch(tmp_path, *NAMESAKES)
    files = [str(tmp_path / name) for name in NAMESAKES]
    for given in (files, files[::-1]):
        destinations = [job.destination for job in batch.plan(given)]
        assert len(set(destinations)) == len(given)
        assert not set(destinations) & set(files)
    # Alone, a file is named by its stem, whatever lies beside it.
    assert outputs(batch.plan(files[:1]), tmp_path) == {"a.jpg": "a-cutout.png"}
    assert outputs(batch.plan([files[0], files[0], str(tmp_path / "." / "a.jpg")]), tmp_path) == {
        "a.jpg": "a-cutout.png"
    }


def test_sub_folders_are_kept_under_out(tmp_path):
    touch(tmp_path, "in/a.jpg", "in/x/a.jpg", "in/x/y/b.jpg")
    assert outputs(batch.plan([str(tmp_path / "in")], str(tmp_path / "out")), tmp_path) == {
        "in/a.jpg": "out/a-cutout.png",
        "in/x/a.jpg": "out/x/a-cutout.png",
        "in/x/y/b.jpg": "out/x/y/b-cutout.png",
    }


def test_several_sources_do_not_meet_in_out(tmp_path):
    touch(tmp_path, "p/a.jpg", "p/f/a.jpg", "q/a.jpg", "q/f/a.jpg")
    given = [str(tmp_path / name) for name in ("p/a.jpg", "q/a.jpg", "p/f", "q/f")]
    assert outputs(batch.plan(given, str(tmp_path / "out")), tmp_path) == {
        "p/a.jpg": "out/a.jpg-cutout.png",
        "q/a.jpg": "out/a.jpg-2-cutout.png",
        "p/f/a.jpg": "out/f/a-cutout.png",
        "q/f/a.jpg": "out/f-2/a-cutout.png",
    }


def test_what_is_given_twice_is_done_once(tmp_path):
    touch(tmp_path, "d/a.jpg", "d/sub/b.jpg", "e/c.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "d")
    given = [tmp_path / "d/sub", tmp_path / "d", tmp_path / "d/sub/b.jpg", tmp_path / "link", tmp_path / "e"]
    jobs = list(batch.plan([str(path) for path in given]))
    found = sorted(os.path.relpath(job.source, tmp_path) for job in jobs)
    assert found == ["d/a.jpg", "d/sub/b.jpg", "e/c.jpg"]
    touch(tmp_path, "d/.hidden/x.jpg", "d/.hidden/in/y.jpg")
    given = [tmp_path / "d", tmp_path / "d/.hidden", tmp_path / "d/.hidden/in"]
    jobs = list(batch.plan([str(path) for path in given]))
    assert sorted(os.path.basename(job.source) for job in jobs) == ["a.jpg", "b.jpg", "x.jpg", "y.jpg"]
    jobs = list(batch.plan([str(tmp_path / "d/sub"), str(tmp_path / "d")], recursive=False))
    assert len(jobs) == 2


def test_what_changed_is_stale(tmp_path):
    touch(tmp_path, "a.jpg", "a-cutout.png")
    job = Job(str(tmp_path / "a.jpg"), str(tmp_path / "a-cutout.png"))
    os.utime(job.destination, (4e9, 4e9))
    assert not is_stale(job)
    os.utime(job.source, (5e9, 5e9))
    assert is_stale(job)
    os.unlink(job.source)
    assert is_stale(job)


def test_no_output_is_an_input(tmp_path):
    touch(tmp_path, "a.jpg", "a-cutout.png")
    a, cutout = str(tmp_path / "a.jpg"), str(tmp_path / "a-cutout.png")
    for given in ([a, cutout], [cutout, a]):
        assert outputs(batch.plan(given), tmp_path) == {
            "a.jpg": "a-2-cutout.png",
            "a-cutout.png": "a-cutout-cutout.png",
        }
    kept, failed = batch.plan([str(tmp_path), cutout])
    assert kept == Job(cutout, str(tmp_path / "a-cutout-cutout.png"))
    assert failed.status == "failed"
    assert "would replace the input" in failed.reason


def test_run_goes_on_after_a_failure(tmp_path):
    jobs = [Job(str(tmp_path / name), str(tmp_path / f"{name}-cutout.png")) for name in "abcd"]
    Path(jobs[1].destination).write_bytes(b"there")
    planned = Result("folder", None, "failed", "folder: locked")

    def work(job):
        if job.source == jobs[2].source:
            raise RuntimeError("no\nluck")

    results = list(run([*jobs, planned], work))
    assert [result.status for result in results] == ["written", "skipped", "failed", "written", "failed"]
    assert results[2].reason == f"{jobs[2].source}: RuntimeError: no luck"
    assert results[4] is planned
    assert [result.status for result in run(jobs[:2], work, overwrite=True)] == ["written", "written"]


@pytest.mark.parametrize("workers", [1, 3])
def test_run_gives_what_the_work_returned(tmp_path, workers):
    jobs = [Job(str(index), str(tmp_path / str(index))) for index in range(50)]
    results = list(run(jobs, pool_of(lambda job: int(job.source), workers)))
    assert {result.source: result.value for result in results} == {str(index): index for index in range(50)}


def test_workers_are_bounded_and_look_no_further(tmp_path):
    working, most, looked_at, done = 0, 0, 0, 0
    lock, meeting = threading.Lock(), threading.Barrier(3)

    def jobs():
        nonlocal looked_at
        for index in range(30):
            looked_at += 1
            assert looked_at <= done + 3
            yield Job(str(index), str(tmp_path / str(index)))

    def work(job):
        nonlocal working, most
        with lock:
            working += 1
            most = max(most, working)
        meeting.wait()  # for ever, unless three work at once
        with lock:
            working -= 1

    for _ in run(jobs(), Threads(work, 3)):
        done += 1
    assert (done, most) == (30, 3)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("error", [BrokenPipeError, KeyboardInterrupt])
def test_run_ends_at(error, workers):
    started = []

    def work(job):
        started.append(job.source)
        raise error

    with pytest.raises(error):
        list(run((Job(str(index), "b") for index in range(100)), pool_of(work, workers)))
    assert len(started) <= workers
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]


def test_an_interrupt_waits_for_what_is_being_written():
    written = []
    may_end = threading.Event()

    def work(job):
        may_end.wait()
        written.append(job.source)

    def jobs():
        yield Job("a", "no such file")
        yield Job("b", "no such file")
        may_end.set()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run(jobs(), Threads(work, 3)))
    assert sorted(written) == ["a", "b"]


def test_run_that_is_given_up_ends_its_threads():
    results = run((Job(str(index), "b") for index in range(100)), Threads(lambda job: None, 3))
    next(results)
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (FileNotFoundError(2, "No such file or directory", "a.jpg"), "a.jpg: No such file or directory"),
        (PermissionError(13, "Permission denied", "out/b"), "a.jpg: Permission denied: out/b"),
        (OSError(28, "No space left on device"), "a.jpg: No space left on device"),
        (ValueError("a.jpg: not a picture"), "a.jpg: not a picture"),
        (ValueError("box is empty"), "a.jpg: box is empty"),
        (MemoryError(), "a.jpg: MemoryError"),
    ],
)
def test_explain(error, text):
    assert explain(error, "a.jpg") == text
