"""Jobs of many pictures: processes, manifests, lists and what can go wrong."""

import csv
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

import alphacut
import faults
from alphacut import batch
from alphacut.batch import due, memory, review, storage, workers
from alphacut.batch.due import is_stale
from alphacut.batch.engine import FEW
from alphacut.batch.running import Died, run
from alphacut.batch.sources import count
from alphacut.batch.workers import Process, Workers
from alphacut.files import read_image, write_image


def photo(number=0, height=48, width=64):
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[height // 4 : -height // 4, width // 4 : -width // 4] = (200, 30 + number, 40)
    return pixels


def store(folder, count, prefix=""):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        write_image(folder / f"{prefix}{number}.png", photo(number))


def expected(path, **options):
    """The bytes that one picture alone gives."""
    out = path.with_suffix(".expected.png")
    alphacut.remove_background(path, **options).save(out)
    data = out.read_bytes()
    out.unlink()
    return data


def rows(manifest):
    """The newest row of each source, by its name."""
    dataset = pytest.importorskip("pyarrow.dataset")
    table = dataset.dataset(manifest, format="parquet").to_table().to_pylist()
    return {os.path.basename(row["source"]): row for row in table}


@pytest.fixture
def processes(monkeypatch):
    """Processes for the smallest jobs."""
    monkeypatch.setattr(batch.engine, "FEW", 2)


def test_processes_give_the_bytes_of_one_picture_alone(tmp_path):
    store(tmp_path / "in", FEW + 2)
    done = []
    counts = batch.remove(str(tmp_path / "in"), str(tmp_path / "out"), workers=2, each=done.append)
    assert counts == Counter(written=FEW + 2)
    assert not multiprocessing.active_children()
    for path in (tmp_path / "in").iterdir():
        assert (tmp_path / "out" / f"{path.stem}-cutout.png").read_bytes() == expected(path)
    assert {result.value["method"] for result in done} == {"key"}


def test_all_that_can_go_wrong_is_told_and_stops_nothing(tmp_path, processes):
    pytest.importorskip("pyarrow")
    store(tmp_path / "in", 4)
    (tmp_path / "in" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "in" / "text.jpg").write_bytes(b"text")
    (tmp_path / "in" / "gone.png").symlink_to("nowhere.png")
    faults.bomb(tmp_path / "in" / "bomb.png")
    source, out, manifest = (str(tmp_path / name) for name in ("in", "out", "manifest"))
    counts = batch.remove(source, out, workers=2, manifest=manifest)
    assert counts == Counter(written=4, failed=4)
    table = rows(manifest)
    reasons = {name: row["reason"] for name, row in table.items() if row["status"] == "failed"}
    assert reasons.keys() == {"broken.png", "text.jpg", "gone.png", "bomb.png"}
    assert "No such file" in reasons["gone.png"]
    assert "pixels" in reasons["bomb.png"]
    assert len(os.listdir(out)) == 4  # no halves
    row, data = table["1.png"], (tmp_path / "in" / "1.png").read_bytes()
    assert (row["size"], row["width"], row["height"], row["status"]) == (len(data), 64, 48, "written")
    assert row["confidence"] == pytest.approx(alphacut.remove_background(data).confidence)
    assert row["version"] == alphacut.__version__
    assert row["milliseconds"] > 0

    assert batch.remove(source, out, manifest=manifest) == Counter(skipped=8)
    (tmp_path / "in" / "text.jpg").unlink()
    write_image(tmp_path / "in" / "text.jpg", photo())
    assert batch.remove(source, out, manifest=manifest, retry_failed=True) == Counter(skipped=4, written=1, failed=3)
    assert rows(manifest)["text.jpg"]["status"] == "written"


def test_a_manifest_tells_what_is_missing_and_what_is_stale(tmp_path):
    pytest.importorskip("pyarrow")
    store(tmp_path / "in", 3)
    source, out, manifest = (str(tmp_path / name) for name in ("in", "out", "manifest"))
    assert batch.remove(source, out, manifest=manifest) == Counter(written=3)
    (tmp_path / "out" / "1-cutout.png").unlink()
    assert batch.remove(source, out, manifest=manifest) == Counter(skipped=2, written=1)
    assert batch.remove(source, out, manifest=manifest, refine=None) == Counter(skipped=3)
    assert batch.remove(source, out, manifest=manifest, refine=None, stale=True) == Counter(written=3)
    assert batch.remove(source, out, manifest=manifest, refine=None, stale=True) == Counter(skipped=3)
    assert json.loads(rows(manifest)["0.png"]["options"])["refine"] is None
    os.utime(tmp_path / "in" / "2.png", (4e9, 4e9))
    assert batch.remove(source, out, manifest=manifest, refine=None, stale=True) == Counter(skipped=2, written=1)
    with pytest.raises(ValueError, match="need a manifest"):
        batch.remove(source, out, stale=True)


def test_a_manifest_outlives_its_process(tmp_path):
    """What was told before the process was killed is there; a line that was cut short is not."""
    pytest.importorskip("pyarrow")
    code = (
        "import os, signal, sys; from alphacut.batch import Manifest, Result\n"
        "table = Manifest(sys.argv[1], '{}')\n"
        "for number in range(5): table.add(Result(f'{number}.png', 'x', 'written'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    paths = os.pathsep.join([str(Path(alphacut.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env={**os.environ, "PYTHONPATH": paths})
    assert ended.returncode == -signal.SIGKILL
    (journal,) = tmp_path.glob("_journal-*")
    journal.write_bytes(journal.read_bytes()[:-9])
    with batch.Manifest(str(tmp_path), "{}") as table:
        statuses = [table.status(batch.Job(f"{number}.png", "x")) for number in range(6)]
        with pytest.raises(OSError, match="another job"):
            batch.Manifest(str(tmp_path), "{}")
    assert statuses == ["written"] * 4 + [None] * 2
    assert not list(tmp_path.glob("_journal-*"))
    with batch.Manifest(str(tmp_path), '{"refine": null}') as table:
        assert table.status(batch.Job("1.png", "x")) == "stale"
        table.add(batch.Result("1.png", "x", "failed", "no luck"))
    with batch.Manifest(str(tmp_path), "{}") as table:
        assert table.status(batch.Job("1.png", "x")) == "failed"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a full disk of Linux")
def test_a_manifest_that_cannot_be_written_ends_the_job(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    store(tmp_path / "in", 3)
    manifest = str(tmp_path / "m")
    monkeypatch.setattr(batch.Manifest, "_journal_path", lambda table, number: "/dev/full")
    with pytest.raises(OSError, match="No space left on device") as caught:
        batch.remove(str(tmp_path / "in"), str(tmp_path / "out"), manifest=manifest)
    assert caught.value.filename == manifest
    monkeypatch.undo()
    counts = batch.remove(str(tmp_path / "in"), str(tmp_path / "out"), manifest=manifest)
    assert counts.total() == 3
    assert counts["failed"] == 0


def test_a_picture_that_kills_its_process_is_tried_alone_and_told(tmp_path):
    store(tmp_path / "in", 5)
    store(tmp_path / "in", 1, "killer")
    recipe = batch.Recipe(also=faults.kill_always)
    pool = Workers(lambda: Process(recipe, 1), 2)
    results = list(run(batch.plan([str(tmp_path / "in")], str(tmp_path / "out")), pool))
    assert Counter(result.status for result in results) == Counter(written=5, failed=1)
    assert results[-1].reason == f"{tmp_path / 'in' / 'killer0.png'}: Died: {workers._WHY}"
    assert len(os.listdir(tmp_path / "out")) == 5

    recipe = batch.Recipe(also=faults.kill_once)
    pool = Workers(lambda: Process(recipe, 1), 2)
    results = list(run(batch.plan([str(tmp_path / "in")], str(tmp_path / "again")), pool))
    assert Counter(result.status for result in results) == Counter(written=6)


def test_processes_that_are_killed_from_without_lose_nothing(tmp_path, processes):
    store(tmp_path / "in", 12)
    killed = []

    def kill(result):
        if len(killed) < 2:
            victim = multiprocessing.active_children()[0]
            os.kill(victim.pid, signal.SIGKILL)
            killed.append(victim.pid)

    counts = batch.remove(str(tmp_path / "in"), str(tmp_path / "out"), workers=2, each=kill)
    assert counts == Counter(written=12)
    assert len(killed) == 2
    for path in (tmp_path / "in").iterdir():
        assert (tmp_path / "out" / f"{path.stem}-cutout.png").read_bytes() == expected(path)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_disk_that_is_full(tmp_path):
    """The largest file that may be written is smaller than one of the outputs."""
    import resource

    store(tmp_path / "in", 3)
    write_image(tmp_path / "in" / "large.png", np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8))
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    told = []
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
        whole = np.full((48, 64), 255, np.uint8)
        counts = batch.remove(str(tmp_path / "in"), str(tmp_path / "out"), mask=whole, each=told.append)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert counts == Counter(written=3, failed=1)
    (reason,) = (result.reason for result in told if result.status == "failed")
    assert "large.png: File too large" in reason
    assert sorted(os.listdir(tmp_path / "out")) == ["0-cutout.png", "1-cutout.png", "2-cutout.png"]


def test_lists(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store(tmp_path / "in", 3)
    strokes = np.full((48, 64), 2, np.uint8)
    strokes[20:28, 24:40], strokes[0] = 1, 0
    write_image("labels.png", strokes)
    (tmp_path / "list.txt").write_text("in/0.png\n\nin/1.png\r\nin/gone.png\n")
    assert batch.remove("list.txt", "out") == Counter(written=2, failed=1)
    assert sorted(os.listdir("out/in")) == ["0-cutout.png", "1-cutout.png"]
    with open("list.csv", "w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "box", "points", "key", "labels", "destination"])
        writer.writerow(["in/0.png", "20%,25%,50%,50%", "", "", "", "x/box.png"])
        writer.writerow(["in/1.png", "", "30,24 2,2,0", "", "", ""])
        writer.writerow(["in/2.png", "", "", "white", "", ""])
        writer.writerow([str(tmp_path / "in" / "0.png"), "", "", "", "labels.png", ""])
        writer.writerow(["in/1.png", "1,2,3", "", "", "", ""])
    failed = []
    assert batch.remove("list.csv", "out2", each=failed.append) == Counter(written=4, failed=1)
    (reason,) = (result.reason for result in failed if result.status == "failed")
    assert "list.csv: row 5: must be four whole numbers" in reason
    for name, options in (
        ("x/box.png", {"image": "in/0.png", "box": ("20%", "25%", "50%", "50%")}),
        ("out2/in/1-cutout.png", {"image": "in/1.png", "points": [(30, 24), (2, 2, 0)]}),
        ("out2/in/2-cutout.png", {"image": "in/2.png", "key": "white"}),
        ("out2/in/0-cutout.png", {"image": "in/0.png", "labels": strokes}),
    ):
        np.testing.assert_array_equal(read_image(name).alpha, alphacut.remove_background(**options).alpha)
    (tmp_path / "bad.csv").write_text("name\nin/0.png\n")
    with pytest.raises(ValueError, match="has no column source"):
        batch.remove("bad.csv", "out")
    with pytest.raises(ValueError, match="only source"):
        batch.remove(["list.csv", "in"], "out")
    with pytest.raises(FileNotFoundError):
        batch.remove("none.txt", "out")


def test_what_a_list_may_not_ask_for(tmp_path, monkeypatch):
    """It fails alone; the format of an output is that of its ending, and no path of a URL leads out of the folder."""
    monkeypatch.chdir(tmp_path)
    store(tmp_path / "in", 2)
    (tmp_path / "list.csv").write_text("source,destination\nin/0.png,x/a.webp\n,y.png\nin/1.png,./in/1.png\n")
    before, failed = (tmp_path / "in" / "1.png").read_bytes(), []
    assert batch.remove("list.csv", "out", overwrite=True, each=failed.append) == Counter(written=1, failed=2)
    assert [result.reason for result in failed if result.status == "failed"] == [
        "list.csv: row 2: no source",
        "in/1.png: list.csv: row 3: the output would replace the picture",
    ]
    assert (tmp_path / "in" / "1.png").read_bytes() == before
    assert (tmp_path / "x" / "a.webp").read_bytes()[8:12] == b"WEBP"
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbfmemory://a/../../../b/c.png\nftp://me:secret@host/d.png\n")
    for out in ("out", "memory://b/out"):
        destinations = [job.destination for job in batch.plan(["list.txt"], out)]
        assert destinations == [f"{out}/b/c.png-cutout.png", f"{out}/host/d.png-cutout.png"]
    (tmp_path / "long.csv").write_text("source\n" + 200_000 * "x")
    with pytest.raises(ValueError, match="field larger"):
        list(batch.plan(["long.csv"]))


def test_two_rows_of_one_picture(tmp_path, monkeypatch):
    """Each output has its own row in the manifest."""
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    store(tmp_path / "in", 1)
    header = "source,destination,box\n"
    (tmp_path / "list.csv").write_text(header + 'in/0.png,a.png,"10,6,44,36"\nin/0.png,b.png,"12,8,40,32"\n')
    for expected_counts in (Counter(written=2), Counter(skipped=2)):
        assert batch.remove("list.csv", manifest="m", stale=True) == expected_counts
    assert review.write_review("m", "page.html") == 2
    (tmp_path / "list.csv").write_text("source,box\n,\nin/0.png,wide\n")
    for _ in range(2):
        assert batch.remove("list.csv", manifest="o", stale=True) == Counter(failed=2)
        assert len(pytest.importorskip("pyarrow.dataset").dataset("o").to_table()) == 2
    (tmp_path / "list.txt").write_text("in/0.png\nin/0.png\n")
    assert batch.remove("list.txt", "c", manifest="n", workers=1) == Counter(written=1, skipped=1)
    assert review.write_review("n", "page.html") == 1
    with batch.Manifest("n", "") as table:
        assert table.status(batch.Job("in/0.png", "c/in/0-cutout.png")) == "stale"  # and not skipped


def test_a_list_in_parquet(tmp_path, monkeypatch):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    monkeypatch.chdir(tmp_path)
    store(tmp_path / "in", 2)
    table = pa.table({"source": ["in/0.png", "in/1.png"], "box": [[13, 12, 36, 30], None], "other": [1, 2]})
    parquet.write_table(table, "list.parquet")
    assert count(["list.parquet"]) == 2
    assert batch.remove("list.parquet", "out") == Counter(written=2)
    expected_alpha = alphacut.remove_background("in/0.png", box=(13, 12, 36, 30)).alpha
    np.testing.assert_array_equal(read_image("out/in/0-cutout.png").alpha, expected_alpha)


def test_patterns_and_counts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store(tmp_path / "in" / "sub", 3)
    store(tmp_path / "in", 2)
    assert [os.path.basename(job.source) for job in batch.plan(["in/*.png"])] == ["0.png", "1.png"]
    assert count(["in/**/*.png"]) == 5
    assert count(["in", "in/sub", "in/0.png"], recursive=True) == 6
    write_image("in/[a].png", photo())  # a name before it is a pattern
    assert [job.source for job in batch.plan(["in/[a].png"])] == ["in/[a].png"]


def test_urls(tmp_path, monkeypatch):
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    store(tmp_path / "in", 2)
    for number in range(2):
        system.pipe_file(f"/photos/sub/{number}.png", (tmp_path / "in" / f"{number}.png").read_bytes())
    system.pipe_file("/photos/broken.png", b"text")
    for name in ("notes.txt", ".hidden.png", "a-cutout.png"):
        system.pipe_file(f"/photos/{name}", b"text")
    passed = Counter()
    assert len(list(batch.plan(["memory://photos"], passed=passed))) == 3
    assert passed == {".txt": 1, "hidden": 1, "earlier outputs": 1}
    failed = []
    counts = batch.remove("memory://photos", "memory://out", each=failed.append)
    assert counts == Counter(written=2, failed=1)
    assert any("broken.png: not a picture" in result.reason for result in failed)
    for number in range(2):
        data = system.cat_file(f"/out/sub/{number}.png-cutout.png")
        assert data == expected(tmp_path / "in" / f"{number}.png")
    assert batch.remove("memory://photos", "memory://out") == Counter(skipped=2, failed=1)
    assert batch.remove("memory://photos/sub/*.png", str(tmp_path / "out")) == Counter(written=2)
    assert sorted(os.listdir(tmp_path / "out")) == ["0.png-cutout.png", "1.png-cutout.png"]
    assert batch.remove(f"file://{tmp_path / 'in'}", str(tmp_path / "out")) == Counter(written=2)
    listed = type(system).ls

    def ls(self, path, **options):
        if path.endswith("/sub"):
            raise PermissionError(13, "Permission denied", path)
        return listed(self, path, **options)

    monkeypatch.setattr(type(system), "ls", ls)
    *_, unlisted = batch.plan(["memory://photos"])
    assert (unlisted.status, unlisted.reason) == ("failed", "memory://photos/sub: Permission denied: /photos/sub")


@pytest.mark.parametrize("whole", [True, False])
def test_urls_whose_paths_lack_the_host_or_are_the_url(tmp_path, whole):
    """As those of FTP and those of HTTP."""
    fsspec = pytest.importorskip("fsspec")
    inner = fsspec.filesystem("memory")
    host = "far://host"
    head = host if whole else ""

    class Far(fsspec.AbstractFileSystem):
        protocol = "far"

        @classmethod
        def _strip_protocol(cls, path):
            return path if whole else path.removeprefix(host).rstrip("/")

        def ls(self, path, detail=True):
            return [{**found, "name": head + found["name"]} for found in inner.ls(path.removeprefix(host))]

        def glob(self, path):
            return [head + name for name in inner.glob(path.removeprefix(host))]

        def isdir(self, path):
            return inner.isdir(path.removeprefix(host))

        def cat_file(self, path):
            return inner.cat_file(path.removeprefix(host))

    fsspec.register_implementation("far", Far, clobber=True)
    store(tmp_path / "in", 1)
    inner.pipe_file("/deep/sub/0.png", (tmp_path / "in" / "0.png").read_bytes())
    try:
        for url, inside in (
            ("far://host/deep", "sub/0.png"),
            ("far://host/deep/", "sub/0.png"),
            ("far://host/deep/*/0.png", "sub/0.png"),
            ("far://host/deep/sub/0.png", "0.png"),
        ):
            (job,) = batch.plan([url], "out")
            assert (job.source, job.destination) == ("far://host/deep/sub/0.png", f"out/{inside}-cutout.png")
        assert batch.remove("far://host/deep", tmp_path / "out") == Counter(written=1)
    finally:
        inner.rm("/deep", recursive=True)


def test_a_connection_that_breaks_is_a_failure_and_urls_are_not_stale(tmp_path, monkeypatch):
    pytest.importorskip("fsspec")

    def work(job):
        raise BrokenPipeError(32, "Broken pipe")

    (result,) = run([batch.Job("memory://a.png", str(tmp_path / "a"))], work)
    assert result.status == "failed"
    with pytest.raises(BrokenPipeError):
        list(run([batch.Job("a.png", str(tmp_path / "a"))], work))
    assert not is_stale(batch.Job("memory://a.png", "memory://b.png"))

    def broken(place):
        raise TimeoutError("no answer")

    monkeypatch.setattr(storage, "exists", broken)
    (result,) = run([batch.Job("memory://a.png", "memory://b.png")], work)
    assert result.reason == "memory://a.png: no answer"


def test_an_interrupt_begins_nothing_more():
    """What waits for a worker is given up; what is under way is told."""
    started = []

    class Never:
        def begin(self):
            return Future()

        def send(self, job):
            started.append(job)

        def end(self):
            pass

    def jobs():
        yield batch.Job("a", "no such file")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run(jobs(), Workers(Never, 2)))
    assert not started


@pytest.mark.parametrize("alive", [1, 0])
def test_workers_that_cannot_begin(alive):
    """The others go on without them; without any the job ends, and so it does where none can be reached."""
    begun = []

    def ended(error):
        future = Future()
        future.set_exception(error) if error else future.set_result(None)
        return future

    class Scarce:
        def begin(self):
            begun.append(self)
            return ended(None if len(begun) <= alive else Died("no memory"))

        def send(self, job):
            future = Future()
            future.set_result(batch.Result(job.source, job.destination, "written"))
            return future

        def end(self):
            pass

    class Gone(Scarce):
        def begin(self):
            return ended(None)

        def send(self, job):
            raise ConnectionError("the engine is gone")

    todo = [batch.Job(f"{number}", "no such file") for number in range(9)]
    if alive:
        assert [result.status for result in run(todo, Workers(Scarce, 3))] == 9 * ["written"]
    else:
        with pytest.raises(RuntimeError, match="no worker could begin: no memory"):
            list(run(todo, Workers(Scarce, 3)))
        with pytest.raises(ConnectionError, match="the engine is gone"):
            list(run(todo[:1], Workers(Gone, 1)))


@pytest.mark.skipif(sys.platform != "linux", reason="processes as Linux tells of them")
def test_an_interrupt_while_processes_begin_is_the_parents_alone(tmp_path):
    """A terminal sends it to all of them."""
    store(tmp_path / "in", FEW + 2)
    paths = os.pathsep.join([str(Path(alphacut.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "alphacut", "remove", "in", "-o", "out", "--workers", "2"]
    # a shell without job control has its background processes ignore it
    options = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
    options |= {"start_new_session": True, "cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": paths}}
    with subprocess.Popen(command, stderr=subprocess.PIPE, **options) as process:
        children = Path(f"/proc/{process.pid}/task")
        while process.poll() is None and not any(
            b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
            and b"numpy" in Path(f"/proc/{child}/maps").read_bytes()  # it is importing
            for thread in children.iterdir()
            for child in (thread / "children").read_text().split()
        ):
            pass
        os.killpg(process.pid, signal.SIGINT)
        told = process.stderr.read()
    assert process.returncode == 1
    assert b"Aborted!" in told
    assert b"Traceback" not in told


def test_large_pictures_wait_for_memory(tmp_path, monkeypatch):
    store(tmp_path, 2)
    one, other = (batch.Job(str(tmp_path / f"{number}.png"), "") for number in range(2))
    need = 48 * 64 * memory.BYTES_PER_PIXEL
    monkeypatch.setattr(memory, "budget", lambda: 2 * need)
    assert memory.fits(one, [other])
    monkeypatch.setattr(memory, "budget", lambda: 2 * need - 1)
    assert memory.fits(one, [])
    assert not memory.fits(one, [other])
    assert memory.fits(batch.Job("no file", ""), [other])
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")
        assert memory.fits(batch.Job(str(tmp_path / "pipe.png"), ""), [other])  # and is not opened, nor waited for


def test_a_job_that_goes_on_where_it_was_is_taken_for_many(tmp_path, monkeypatch):
    few = 4
    monkeypatch.setattr(due, "_MOST_LOOKED_AT", 10)
    done = [batch.Result(f"{number}.png", "x", "skipped") for number in range(12)]
    todo = [batch.Job(f"{number}.png", str(tmp_path / "none")) for number in range(2)]
    for jobs, found in (
        (todo, 2),
        (done[:9], 0),
        ([*done[:8], *todo], few),
        (done, few),
        ([*todo, *todo, *todo], few),
    ):
        number, again = due.looked_ahead(iter(jobs), lambda job: False, few)
        assert (number, list(again)) == (found, jobs)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"engine": "magic"}, "engine must be one of"),
        ({"format": "gif"}, "format must be one of"),
        ({"retry_failed": True}, "need a manifest"),
        ({"box": (1, 2, 3, 4), "key": "red"}, "contradict"),
        ({"what": "magic"}, "what must be one of"),
        ({"quality": 500}, "quality must be 1 to 100"),
        ({"crop": True, "margin": -1}, "margin must be 0 or more"),
        ({"crop": True, "aspect": "wide"}, "aspect must be like 4:5"),
        ({"background": "no colour"}, "background must be"),
        ({"format": "jpeg"}, "no transparency"),
        ({"workers": -1}, "workers must be from 1"),
        ({"manifest": "s3://bucket/manifest"}, "must be a folder of this machine"),
    ],
)
def test_what_cannot_be_asked_for(tmp_path, options, words):
    with pytest.raises(ValueError, match=words):
        batch.remove(str(tmp_path), **options)


def test_review(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    store(tmp_path / "in", 3)
    write_image("in/<doubt>.png", np.random.default_rng(1).integers(0, 256, (400, 500, 3), np.uint8))
    (tmp_path / "in" / "text.jpg").write_bytes(b"text")
    batch.remove("in", "out", manifest="m")
    (tmp_path / "out" / "2-cutout.png").unlink()
    assert review.write_review("m", "page.html") == 4
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page.count("<figure ") == 4
    assert page.count("data:image/webp") == 7
    assert "No such file" in page
    assert "<doubt>" not in page
    least = min(rows("m").values(), key=lambda row: 2 if row["confidence"] is None else row["confidence"])
    assert page.index("doubt") < page.index("in/0.png")
    assert os.path.basename(least["source"]) == "<doubt>.png"
    assert review.write_review("m", "page.html", below=0.9) == 1
    assert review.write_review("m", "page.html", most=2) == 2
    with pytest.raises(ValueError, match="no manifest"):
        review.write_review("in", "page.html")
    # what a person picks goes back in
    (tmp_path / "picks.csv").write_text('source,destination,box,points\nin/0.png,out/0-cutout.png,"20%,25%,50%,50%",\n')
    assert batch.remove("picks.csv", manifest="m", stale=True) == Counter(written=1)
    assert json.loads(rows("m")["0.png"]["prompt"]) == {"box": ["20%", "25%", "50%", "50%"]}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_picture_beyond_its_time_fails_and_the_others_do_not(tmp_path):
    """A pipe that nobody writes to is read for ever; its process is killed, twice."""
    os.mkfifo(tmp_path / "hangs.png")
    write_image(tmp_path / "good.png", np.random.default_rng(0).integers(0, 255, (30, 40, 3), dtype=np.uint8))
    found = []
    done = batch.remove(
        [tmp_path / "hangs.png", tmp_path / "good.png"], tmp_path / "out", workers=1, isolate=10, each=found.append
    )
    assert done == {"written": 1, "failed": 1}
    assert any("out of time" in result.reason for result in found)
    with pytest.raises(ValueError, match="isolate must be above 0"):
        batch.remove([tmp_path / "good.png"], tmp_path / "out", isolate=0)
