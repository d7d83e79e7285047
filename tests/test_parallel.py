"""The number of threads, calls from many threads, and fork."""

import hashlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import alphacut
from alphacut import _core


@pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux's")
@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "150000 100000"}, 2),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({"cpu.max": "nonsense"}, None),
        ({}, None),
    ],
)
def test_threads_follow_the_quota_of_control_groups(files, expected):
    """With files of our own in the place of the system's, where this may be done."""
    lines = ["set -e", "mount -t tmpfs none /sys/fs/cgroup", "mkdir /sys/fs/cgroup/cpu"]
    lines += [f"echo '{text}' > /sys/fs/cgroup/{name}" for name, text in files.items()]
    lines.append(f"exec {sys.executable} -c 'import alphacut; print(alphacut.get_num_threads())'")
    environment = {name: value for name, value in os.environ.items() if name != "ALPHACUT_NUM_THREADS"}
    command = ["unshare", "-m", "sh", "-c", "\n".join(lines)]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if ran.returncode != 0:
        pytest.skip(f"no mount namespace: {ran.stderr.strip()}")
    processors = len(os.sched_getaffinity(0))
    assert int(ran.stdout) == (processors if expected is None else min(expected, processors))


@pytest.fixture
def image(rng):
    return rng.integers(0, 256, (300, 700, 3), np.uint8)  # several blocks of rows


def digest(image):
    labels, centers, inertia, n_iter = _core.kmeans(image, 4, 0, 2, 0, [])
    return hashlib.sha256(labels.tobytes() + centers.tobytes() + f"{inertia} {n_iter}".encode()).hexdigest()


def number_of_threads(value):
    code = """
import alphacut
try:
    print(alphacut.get_num_threads())
except ValueError as error:
    print(error)
"""
    environment = {**os.environ, "ALPHACUT_NUM_THREADS": value}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    return done.stdout.strip()


@pytest.mark.parametrize("value", ["1", "7", "1024"])
def test_environment_sets_the_number(value):
    assert number_of_threads(value) == value


def test_default_is_what_this_process_may_use():
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert number_of_threads("") == str(usable)


@pytest.mark.parametrize("value", ["0", "-1", "1025", "two", "3.0", " 3", "3 ", "99999999999999999999"])
def test_environment_is_checked(value):
    message = number_of_threads(value)
    assert "ALPHACUT_NUM_THREADS" in message
    assert repr(value) in message


def test_set_num_threads():
    before = alphacut.get_num_threads()
    for count in (1, 3, 1024, before):
        alphacut.set_num_threads(count)
        assert alphacut.get_num_threads() == count
    for count in (0, -1, 1025):
        with pytest.raises(ValueError, match="1 to 1024"):
            alphacut.set_num_threads(count)
    for count in (2.0, "2", None):
        with pytest.raises(TypeError):
            alphacut.set_num_threads(count)
    assert alphacut.get_num_threads() == before


def test_same_bytes_for_any_number_of_threads(threads, image):
    _core.set_num_threads(1)
    alone = digest(image)
    _core.set_num_threads(threads)
    assert digest(image) == alone


def test_many_python_threads_at_once(threads, image):
    expected = digest(image)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(digest, [image] * 40)) == {expected}


def test_the_count_may_change_during_calls(threads, image):
    expected = digest(image)
    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(digest, image) for _ in range(30)]
        for count in range(1, 31):
            _core.set_num_threads(count)
        assert {result.result() for result in results} == {expected}
    _core.set_num_threads(threads)


def test_errors_leave_the_pool_usable(threads, image):
    expected = digest(image)
    bad = np.full((300, 700), 2, np.float32)
    for _ in range(20):
        with pytest.raises(ValueError, match="finite"):
            _core.kmeans(bad, 2, 0, 1, 0, [])
    assert digest(image) == expected


def digest_in_child(image):
    """The digest as a forked child computes it."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of any fork of a process with threads
        child = os.fork()
    if child == 0:
        os.write(writer, digest(image).encode())
        os._exit(0)
    os.close(writer)
    try:
        if not select.select([reader], [], [], 60)[0]:
            os.kill(child, signal.SIGKILL)
            pytest.fail("the forked child hangs")
        return os.read(reader, 1000).decode()
    finally:
        os.close(reader)
        os.waitpid(child, 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_fork_after_use(threads, image):
    expected = digest(image)
    for _ in range(3):
        assert digest_in_child(image) == expected
    assert digest(image) == expected


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_fork_during_a_call(threads, image):
    expected = digest(image)
    ended = threading.Event()

    def work():
        while not ended.is_set():
            assert digest(image) == expected

    with ThreadPoolExecutor(2) as pool:
        workers = [pool.submit(work) for _ in range(2)]
        try:
            assert {digest_in_child(image) for _ in range(10)} == {expected}
        finally:
            ended.set()
        for worker in workers:
            worker.result()


def test_gil_is_released(image):
    """With switching put off for good, another thread runs only if the call itself lets go."""
    count = 0
    ended = False

    def work():
        nonlocal count
        while not ended:
            count += 1
            time.sleep(0)  # lets go too

    other = threading.Thread(target=work)
    interval = sys.getswitchinterval()
    progressed = False
    try:
        sys.setswitchinterval(1000)  # first: a thread that waits already keeps the old interval
        other.start()
        for _ in range(200):
            before = count
            _core.kmeans(image, 16, 0, 3, 0, [])
            progressed = count > before
            if progressed:
                break
    finally:
        ended = True
        sys.setswitchinterval(interval)
        other.join()
    assert progressed
