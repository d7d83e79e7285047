"""All that needs a GPU, in one go: ``python -m benchmarks.gpu``.

Runs the tests of tests/cuda on the GPU, then times k-means and the graph cut there, warm, from arrays that live on the
GPU and from host memory, beside the CPU in the same run, and prints Markdown tables.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import alphacut

from .bench_graphcut import energies
from .pictures import photo

ROOT = Path(__file__).parents[1]


def main() -> int:
    reason = alphacut.info()["cuda"]["reason"]
    if reason is not None:
        print(f"no usable GPU: {reason}", file=sys.stderr)
        return 1
    failed = subprocess.run([sys.executable, "-m", "pytest", "-q", "tests/cuda"], cwd=ROOT, check=False).returncode
    print(f"\nTests: {'FAILED' if failed else 'passed'}\n")
    describe()
    kmeans()
    graph_cut()
    return failed


def describe() -> None:
    from numba import cuda

    gpu = alphacut.info()["cuda"]["devices"][0]
    major, minor = cuda.cudadrv.driver.driver.get_version()
    print(f"- {gpu['name']}, compute capability {gpu['compute_capability']}, {gpu['memory'] / 2**30:.0f} GiB")
    print(f"- CUDA driver {major}.{minor}, numba-cuda {__import__('numba_cuda').__version__}, "
          f"alphacut {alphacut.__version__}, {alphacut.get_num_threads()} threads")  # fmt: skip
    print(f"- memory bandwidth of a copy, read and write: {bandwidth() / 1e9:.0f} GB/s\n")


def milliseconds(call: Callable[[], Any], rounds: int = 9) -> float:
    """The median, once the call has run before."""
    from numba import cuda

    call()
    times = []
    for _ in range(rounds):
        cuda.synchronize()
        start = time.perf_counter()
        call()
        cuda.synchronize()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def bandwidth() -> float:
    """Bytes a second."""
    from numba import cuda

    n = 2**29
    a, b = cuda.device_array(n, np.uint8), cuda.device_array(n, np.uint8)
    return 2 * n / milliseconds(lambda: b.copy_to_device(a)) * 1000


def kmeans() -> None:
    """An iteration is the difference of two runs."""
    from numba import cuda

    speed = bandwidth()
    print("| k-means, k = 8 | MP | an iteration, ms | times its floor | 10 iterations, ms | from the host | CPU |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for megapixels in (1, 12, 100):
        image = photo(megapixels)
        there = cuda.to_device(image)

        def run(where: Any, device: str, iterations: int) -> Callable[[], Any]:
            return lambda: alphacut.kmeans(where, 8, max_iter=iterations, tol=0, device=device)

        few, many = milliseconds(run(there, "cuda", 2)), milliseconds(run(there, "cuda", 10))
        one = (many - few) / 8
        floor = 1000 * (image.size + image.size / 3) / speed  # the picture is read, the labels are written
        print(f"| uint8 | {megapixels} | {one:.3g} | {one / floor:.2g}× | {many:.3g} | "
              f"{milliseconds(run(image, 'cuda', 10)):.3g} | {milliseconds(run(image, 'cpu', 10)):.3g} |")  # fmt: skip
    print()


def graph_cut() -> None:
    from numba import cuda

    print("| graph cut | MP | on the GPU, ms | from the host | CPU |")
    print("|---|---:|---:|---:|---:|")
    for megapixels in (0.3, 1, 4, 12):
        problem = energies(megapixels)
        there = tuple(map(cuda.to_device, problem))
        expected = alphacut.graph_cut(*problem, device="cpu")
        found = alphacut.graph_cut(*problem, device="cuda")
        if found.flow != expected.flow or not np.array_equal(found.mask, expected.mask):
            raise SystemExit(f"the GPU's cut of {megapixels} megapixels is not the CPU's")
        calls = [(there, "cuda", 9), (problem, "cuda", 9), (problem, "cpu", 3)]
        times = [
            milliseconds(lambda where=where, device=device: alphacut.graph_cut(*where, device=device), rounds)
            for where, device, rounds in calls
        ]
        print(f"| GrabCut energies | {megapixels} | " + " | ".join(f"{ms:.3g}" for ms in times) + " |")
    print()


if __name__ == "__main__":
    sys.exit(main())
