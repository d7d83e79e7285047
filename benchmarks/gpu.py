"""All that needs a GPU, in one go: ``python -m benchmarks.gpu``.

Runs the tests of tests/cuda on the GPU, then times k-means and the graph cut there, the first calls of a fresh process,
and these and GrabCut warm, from arrays that live on the GPU and from host memory, beside the CPU and peers in the same
run. Prints Markdown tables. The peers are PyMaxflow for the cut, OpenCV for GrabCut, and for k-means cuML and CuPy,
where they can be imported.
"""

from __future__ import annotations

import importlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import alphacut

from .bench_graphcut import centre_box, energies, pymaxflow
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
    cold()
    kmeans()
    graph_cut()
    grabcut()
    return failed


FIRST_CALLS = """
import sys, time, numpy as np, alphacut
image = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), np.uint8)
capacities = np.random.default_rng(0).integers(0, 9, (6, 300, 300)).astype(np.int32)
jobs = {
    "kmeans": lambda: alphacut.kmeans(image, 8, device="cuda"),
    "graph_cut": lambda: alphacut.graph_cut(capacities[0], capacities[1], capacities[2:], device="cuda"),
    "compile_kernels": alphacut.cuda.compile_kernels,
}
for _ in range(2):
    start = time.perf_counter()
    jobs[sys.argv[1]]()
    print(1000 * (time.perf_counter() - start))
"""


def cold() -> None:
    """The first call of a process, its imports included, with Numba's cache empty and then filled."""
    print("| first calls | nothing compiled, ms | from Numba's cache | second call |")
    print("|---|---:|---:|---:|")
    for job in ("kmeans", "graph_cut", "compile_kernels"):
        with tempfile.TemporaryDirectory() as cache:
            times = []
            for _ in range(2):
                command = [sys.executable, "-c", "import alphacut.cuda\n" + FIRST_CALLS, job]
                environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
                told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
                times.append([float(line) for line in told.split()])
        print(f"| {job} | {times[0][0]:.0f} | {times[1][0]:.0f} | {times[1][1]:.3g} |")
    print()


def imported(name: str) -> Any:
    """A peer, or None where it is not installed or does not run here."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def describe() -> None:
    found = alphacut.info()["cuda"]
    gpu, (major, minor) = found["devices"][0], found["driver"]
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


def once(call: Callable[[], Any]) -> float:
    """The only run of what takes long."""
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)


def bandwidth() -> float:
    """Bytes a second."""
    from numba import cuda

    n = 2**29
    a, b = cuda.device_array(n, np.uint8), cuda.device_array(n, np.uint8)
    return 2 * n / milliseconds(lambda: b.copy_to_device(a)) * 1000


def kmeans() -> None:
    """An iteration is the difference of two runs. Peers start from the same centres, on float32 as they need it."""
    from numba import cuda

    speed = bandwidth()
    cuml, cupy = imported("cuml.cluster"), imported("cupy")
    print("| k-means, k = 8, uint8 | MP | an iteration, ms | times its floor | 10 iterations, ms | from the host | CPU "
          "| cuML | CuPy |")  # fmt: skip
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for megapixels in (1, 12, 100):
        image = photo(megapixels)
        there = cuda.to_device(image)
        start = alphacut.kmeans(image, 8, max_iter=1, device="cpu").centers

        def run(where: Any, device: str, iterations: int, start: Any = start) -> Callable[[], Any]:
            return lambda: alphacut.kmeans(where, 8, max_iter=iterations, tol=0, init=start, device=device)

        few, many = milliseconds(run(there, "cuda", 2)), milliseconds(run(there, "cuda", 10))
        one = (many - few) / 8
        floor = 1000 * (image.size + image.size / 3) / speed  # the picture is read, the labels are written
        times = [many, milliseconds(run(image, "cuda", 10)), milliseconds(run(image, "cpu", 10))]
        peers = ["", ""]
        if cupy is not None:
            pixels = cupy.asarray(image).reshape(-1, 3).astype(np.float32)
            if cuml is not None:
                model = cuml.KMeans(n_clusters=8, max_iter=10, tol=0, init=start, n_init=1)
                peers[0] = f"{milliseconds(partial(model.fit, pixels), 3):.3g}"
            if megapixels <= 12:
                peers[1] = f"{milliseconds(partial(lloyd, cupy, pixels, start), 3):.3g}"
        print(f"| picture | {megapixels} | {one:.3g} | {one / floor:.2g}× | "
              + " | ".join([*(f"{ms:.3g}" for ms in times), *peers]) + " |")  # fmt: skip
    print()


def lloyd(cupy: Any, pixels: Any, start: Any) -> Any:
    """10 iterations in CuPy's array expressions."""
    centers = cupy.asarray(start)
    for _ in range(10):
        labels = ((centers**2).sum(axis=1) - 2 * pixels @ centers.T).argmin(axis=1)
        counts = cupy.maximum(cupy.bincount(labels, minlength=len(centers)), 1)
        sums = [cupy.bincount(labels, weights=pixels[:, c], minlength=len(centers)) for c in range(3)]
        centers = (cupy.stack(sums, axis=1) / counts[:, None]).astype(np.float32)
    return labels


def graph_cut() -> None:
    from numba import cuda

    print("| graph cut | MP | on the GPU, ms | from the host | CPU | PyMaxflow |")
    print("|---|---:|---:|---:|---:|---:|")
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
        times.append(once(lambda problem=problem: pymaxflow(*problem)))
        print(f"| GrabCut energies | {megapixels} | " + " | ".join(f"{ms:.3g}" for ms in times) + " |")
    print()


def grabcut() -> None:
    """OpenCV's only up to 1 megapixel: it takes minutes beyond."""
    import cv2
    from numba import cuda

    print("| GrabCut, a box | MP | on the GPU, ms | from the host | CPU | OpenCV |")
    print("|---|---:|---:|---:|---:|---:|")
    for megapixels in (0.3, 1, 4, 12):
        image = photo(megapixels)
        box = centre_box(*image.shape[:2])
        there = cuda.to_device(image)
        found, expected = (alphacut.grabcut(image, box=box, device=device) for device in ("cuda", "cpu"))
        if found[2:] != expected[2:] or not np.array_equal(found.labels, expected.labels):
            raise SystemExit(f"the GPU's labels of {megapixels} megapixels are not the CPU's")
        calls = [(there, "cuda", 9), (image, "cuda", 9), (image, "cpu", 3)]
        times = [
            f"{milliseconds(partial(alphacut.grabcut, where, box=box, device=device), rounds):.3g}"
            for where, device, rounds in calls
        ]
        if megapixels <= 1:
            bgr = image[..., ::-1].copy()
            labels = np.zeros(image.shape[:2], np.uint8)
            work = (bgr, labels, box, None, None, 5, cv2.GC_INIT_WITH_RECT)
            times.append(f"{once(lambda work=work: cv2.grabCut(*work)):.3g}")
        else:
            times.append("")
        print(f"| picture | {megapixels} | " + " | ".join(times) + " |")
    print()


if __name__ == "__main__":
    sys.exit(main())
