"""Jobs on a Ray cluster of two nodes, and what can go wrong there."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import alphacut
import faults
from alphacut import batch
from alphacut.batch.running import run
from alphacut.files import write_image

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own
ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'alphacut[ray]'")
pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def cluster():
    from ray.cluster_utils import Cluster

    paths = [str(Path(__file__).parent), str(Path(alphacut.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    before, os.environ["PYTHONPATH"] = os.environ.get("PYTHONPATH", ""), os.pathsep.join(paths)  # of the workers
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.second = made.add_node(num_cpus=1)
    ray.init(address=made.address, log_to_driver=False, logging_level="ERROR")
    yield made
    ray.shutdown()
    made.shutdown()
    os.environ["PYTHONPATH"] = before


def store(folder, count, name="{}.png"):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        pixels = np.full((48, 64, 3), 255, np.uint8)
        pixels[12:36, 16:48] = (200, number, 40)
        write_image(folder / name.format(number), pixels)


def assert_whole(root, count):
    """Every good picture has one output, of the bytes of a single machine."""
    batch.remove(str(root / "in"), str(root / "alone"), workers=1)
    names = sorted(os.listdir(root / "alone"))
    assert len(names) == count
    assert sorted(os.listdir(root / "out")) == names
    for name in names:
        assert (root / "out" / name).read_bytes() == (root / "alone" / name).read_bytes()


def statuses(manifest):
    import pyarrow.dataset

    return Counter(pyarrow.dataset.dataset(manifest, format="parquet").to_table()["status"].to_pylist())


def test_a_job_with_broken_pictures(cluster, tmp_path):
    store(tmp_path / "in", 20)
    (tmp_path / "in" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "in" / "gone.png").symlink_to("nowhere.png")
    faults.bomb(tmp_path / "in" / "bomb.png")
    source, out, manifest = (str(tmp_path / name) for name in ("in", "out", "manifest"))
    counts = batch.remove(source, out, engine="ray", manifest=manifest)
    assert counts == Counter(written=20, failed=3) == statuses(manifest)
    assert_whole(tmp_path, 20)
    assert batch.remove(source, out, engine="ray", manifest=manifest) == Counter(skipped=23)
    assert statuses(manifest) == counts  # nothing twice


def test_relative_paths_are_the_drivers(cluster, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where no worker began
    store(tmp_path / "in", 2)
    assert batch.remove("in", "out", engine="ray", overwrite=True) == Counter(written=2)
    assert_whole(tmp_path, 2)


def test_workers_that_die(cluster, tmp_path):
    from alphacut.batch.ray_workers import ray_workers

    store(tmp_path / "in", 6)
    store(tmp_path / "in", 1, "killer{}.png")
    for also, expected in ((faults.kill_always, Counter(written=6, failed=1)), (faults.kill_once, Counter(written=7))):
        out = tmp_path / also.__name__
        pool = ray_workers(batch.Recipe(also=also), places=2)
        results = list(run(batch.plan([str(tmp_path / "in")], str(out)), pool))
        assert Counter(result.status for result in results) == expected
        assert len(os.listdir(out)) == expected["written"]


def test_a_node_goes_and_another_comes(cluster, tmp_path):
    store(tmp_path / "in", 40)
    seen = []

    def each(result):
        seen.append(result.source)
        if len(seen) == 5:
            cluster.remove_node(cluster.second)
        if len(seen) == 15:
            cluster.add_node(num_cpus=1)

    source, out, manifest = (str(tmp_path / name) for name in ("in", "out", "manifest"))
    counts = batch.remove(source, out, engine="ray", workers=2, manifest=manifest, each=each)
    assert counts == Counter(written=40) == statuses(manifest)
    assert len(seen) == len(set(seen)) == 40
    assert_whole(tmp_path, 40)


def test_the_driver_is_killed_and_started_again(tmp_path):
    store(tmp_path / "in", 40)
    command = [
        sys.executable,
        "-m",
        "alphacut",
        "remove",
        "in",
        "-o",
        "out",
        "--manifest",
        "manifest",
        "--json",
        "--ray",
    ]
    paths = os.pathsep.join([str(Path(alphacut.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths}
    environment.pop("RAY_ADDRESS", None)
    options = {"cwd": tmp_path, "env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **options) as driver:
        for _ in range(5):
            assert json.loads(driver.stdout.readline())["status"] == "written"
        driver.send_signal(signal.SIGKILL)
        driver.stdout.read()
    assert driver.returncode == -signal.SIGKILL
    again = subprocess.run(command, **options)
    assert again.returncode == 0
    told = Counter(json.loads(line)["status"] for line in again.stdout.splitlines())
    assert told.total() == 40
    assert told["skipped"] >= 5
    assert told.keys() == {"written", "skipped"}
    assert_whole(tmp_path, 40)
