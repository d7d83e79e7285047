"""One way to time a job: alphacut and its peers must agree before a clock starts."""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import sys
from pathlib import Path
from timeit import timeit

import cv2
import pytest

import alphacut
from alphacut import _core

SIZES = (0.3, 1, 12, 100)
THREADS = sorted({alphacut.get_num_threads(), 1}, reverse=True)
OPTIONAL = ("cc3d", "pymatting")
BYTES_PER_PIXEL = 110  # of free memory: the most that a row takes
_ready = {}  # the checked calls of the last row


def race(stage, jobs, contents, implementations, *, sizes=SIZES, threads=THREADS, skip=()):
    """Makes a benchmark of `build(input, *options)`, which returns `agree` and the calls by implementation.

    `agree(ours, theirs)` asserts that a peer's answer is the same, or within a tolerance. `jobs` are {name: options},
    `contents` {name: function of a size in megapixels that makes the input}, `skip` {peer: (from which size, why)}.
    """
    rows = {
        "-".join(filter(None, (stage, job, content))): (make, options)
        for job, options in jobs.items()
        for content, make in contents.items()
    }
    cases = [(name, n, None) for n in threads for name in implementations if name != "copy" or n == THREADS[0]]
    cases += [("alphacut", 1, isa) for isa in _core.available_isas()]

    def missing(name, megapixels):
        """Why a peer does not take part."""
        if name in OPTIONAL and importlib.util.find_spec(name) is None:
            return "not installed"
        least, reason = dict(skip).get(name, (float("inf"), None))
        return reason if megapixels >= least else None

    def decorate(build):
        @pytest.mark.parametrize(("implementation", "threads", "isa"), cases)
        @pytest.mark.parametrize("megapixels", sizes)
        @pytest.mark.parametrize("row", rows)
        def bench(benchmark, row, megapixels, implementation, threads, isa):
            absent = {name: reason for name in implementations if (reason := missing(name, megapixels))}
            if implementation in absent:
                pytest.skip(f"{implementation}: {absent[implementation]}")
            if (row, megapixels) not in _ready:
                _ready.clear()
                _ready[row, megapixels] = checked(build, *rows[row], megapixels, absent)
            size = "64x64" if megapixels < 0.01 else f"{megapixels}MP"
            benchmark.group = f"{row}-{size}" + (" by instruction set" if isa else "")
            benchmark.extra_info["absent"] = absent
            with settings(threads, isa):
                measure(benchmark, _ready[row, megapixels][implementation])

        return bench

    return decorate


def checked(build, make, options, megapixels, absent):
    """The calls of a row, after all answers were compared."""
    if available_memory() < megapixels * 1e6 * BYTES_PER_PIXEL:
        pytest.skip(f"too little free memory for {megapixels} megapixels")
    agree, calls = build(make(megapixels), *options)
    ours = copy.deepcopy(calls["alphacut"]())  # both may write to the same array
    for name, call in calls.items():
        if name not in ("alphacut", "copy", *absent):
            agree(ours, call())
    return calls


def measure(benchmark, call):
    seconds = 0 if benchmark.disabled else timeit(call, number=1)
    if seconds < 0.1:
        benchmark(call)
    else:
        benchmark.pedantic(call, rounds=3 if seconds < 1 else 1)


@contextlib.contextmanager
def settings(threads, isa):
    """Number of threads, the peers' too, and instruction set; all restored. Several threads: the peers' own default."""
    before = _core.num_threads(), _core.isa(), cv2.getNumThreads()
    numba = sys.modules.get("numba")
    numba_before = numba and numba.get_num_threads()
    _core.set_num_threads(threads)
    _core.set_isa(isa or before[1])
    if threads == 1:
        cv2.setNumThreads(1)
        if numba:
            numba.set_num_threads(1)
    try:
        yield
    finally:
        _core.set_num_threads(before[0])
        _core.set_isa(before[1])
        cv2.setNumThreads(before[2])
        if numba:
            numba.set_num_threads(numba_before)


def available_memory():
    """In bytes; without end where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return float("inf")
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
