"""``python -m benchmarks.latency``: ``remove_background`` in C++ and in Python, turn by turn, on made pictures.

Builds ``benchmarks/cpp`` against the installed alphacut, or against the CMake package in ``--cmake-dir``.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import click
import numpy as np

import alphacut


def scene(side: int) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """A striped disc on a graded ground with noise, and a box around it."""
    y, x = np.mgrid[:side, :side] / side
    disc = (y - 0.5) ** 2 + (x - 0.52) ** 2 < 0.3**2
    ground = np.stack([60 + 50 * x, 90 + 40 * y, 70 + 20 * (x + y)], axis=2)
    image = np.where(disc[..., None], np.where((x * 20 % 3 < 1)[..., None], (230, 200, 60), (205, 90, 40)), ground)
    noise = np.random.default_rng(1).integers(0, 13, image.shape)
    return (image + noise).astype(np.uint8), (side // 7, side // 7, side * 3 // 4, side * 3 // 4)


@click.command()
@click.option("--cmake-dir", default=None, help="Of the CMake package; by default the installed wheel's.")
@click.option("--rounds", default=9, show_default=True)
def main(cmake_dir: str | None, rounds: int) -> None:
    """Time it."""
    with tempfile.TemporaryDirectory() as build:
        package = cmake_dir or alphacut.get_cmake_dir()
        source = Path(__file__).with_name("cpp")
        configure = ["cmake", "-S", source, "-B", build, f"-Dalphacut_DIR={package}", "-DCMAKE_BUILD_TYPE=Release"]
        subprocess.run(configure, check=True, capture_output=True)
        subprocess.run(["cmake", "--build", build], check=True, capture_output=True)
        print("| picture | C++, ms (least) | Python, ms (least) | C++ / Python (least) |\n|---|---:|---:|---:|")
        for side, calls in ((64, 20), (1000, 2)):
            image, box = scene(side)
            command = [Path(build, "latency"), *map(str, (side, side, *box))]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
                assert program.stdin is not None
                assert program.stdout is not None
                program.stdin.write(image.tobytes())
                cpp: list[float] = []
                python: list[float] = []
                for turn in range(rounds + 1):
                    program.stdin.write(f"{calls}\n".encode())
                    program.stdin.flush()
                    times = [float(text) for text in program.stdout.readline().split()]
                    for _ in range(calls):
                        start = time.perf_counter()
                        alphacut.remove_background(image, box=box)
                        python += [time.perf_counter() - start] if turn > 0 else []  # the first turn warms up
                    cpp += times if turn > 0 else []
                program.stdin.close()
            a, b = (1e3 * statistics.median(times) for times in (cpp, python))
            c, d = (1e3 * min(times) for times in (cpp, python))
            print(f"| {side}×{side} | {a:.3f} ({c:.3f}) | {b:.3f} ({d:.3f}) | {a / b:.3f} ({c / d:.3f}) |")


if __name__ == "__main__":
    main()
