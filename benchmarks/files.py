"""Whole files: ``alphacut remove`` from a JPEG to a PNG, where its time goes, and its memory.

    python -m benchmarks.files                   # 1, 12, 24 and 50 megapixels
    python -m benchmarks.files --size 12

Two photos, with and without a box, enlarged, with the noise of a camera. Each file is cut by a process of its own: wall
and processor time, the largest resident memory, and the seconds of the stages as ``--json`` tells them. Beside them, in
the same run, in processor time: the cut alone, from array to cutout, and OpenCV's colour guided filter of radius 8 on
the same picture; the PNG of the cutout, and that by Pillow and OpenCV.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from PIL import Image

import alphacut
from benchmarks.pictures import photo, size

SIZES = 1.0, 12.0, 24.0, 50.0
_STAGES = "read", "subject", "segment", "refine", "foreground", "write"


def camera(megapixels: float, seed: int) -> np.ndarray:
    """A photo of that size, as a camera gives it: enlarged, not mirrored, and noise over more than one pixel."""
    width, height = size(megapixels)
    small = Image.fromarray(photo(1.0, seed))
    rng = np.random.default_rng(seed)
    noise = cv2.blur(rng.normal(0, 4, (height, width, 3)).astype(np.float32), (2, 2))
    return np.clip(np.asarray(small.resize((width, height), Image.Resampling.LANCZOS)) + noise, 0, 255).astype(np.uint8)


# In a small process between: a child's largest memory counts that of the process which started it.
_MEASURE = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
told = json.loads(subprocess.run(sys.argv[1:], capture_output=True, check=True).stdout)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
told |= {"wall": time.perf_counter() - start, "processor": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}
print(json.dumps(told))
"""


def cut(source: Path, destination: Path, *options: str) -> dict[str, Any]:
    """What the command line tells of it, and what the process took."""
    command = sys.executable, "-m", "alphacut", "remove", source, "-o", destination, "--json", "--overwrite", *options
    measured = [sys.executable, "-c", _MEASURE, *map(str, command)]
    return json.loads(subprocess.run(measured, stdout=subprocess.PIPE, check=True).stdout)


def seconds(call: Any) -> float:
    """Of this process's thread and all that it starts."""
    start = time.process_time()
    call()
    return time.process_time() - start


@click.command()
@click.option("--size", "sizes", type=float, multiple=True, help="Megapixels.  [default: 1, 12, 24, 50]")
@click.option("--rounds", default=3, show_default=True, help="Of each file; the one of least processor time counts.")
def main(sizes: tuple[float, ...], rounds: int) -> None:
    """Cut files and print a table."""
    print("| photo | MP | wall, s | processor, s | peak, MB | " + " | ".join(_STAGES) + " | PNG, MB |")
    print("|---|" + "---:|" * (len(_STAGES) + 5))
    peers = []
    with tempfile.TemporaryDirectory() as folder:
        source, destination = Path(folder, "photo.jpg"), Path(folder, "cutout.png")
        for megapixels in sizes or SIZES:
            for seed, boxed in ((0, False), (1, True)):
                picture = camera(megapixels, seed)
                height, width = picture.shape[:2]
                Image.fromarray(picture).save(source, quality=93)
                box = (width // 8, height // 8, 3 * width // 4, 3 * height // 4) if boxed else None
                options = () if box is None else ("--box", ",".join(map(str, box)))
                runs = (cut(source, destination, *options) for _ in range(rounds))
                told = min(runs, key=lambda told: told["processor"])
                name = "with a box" if boxed else "no prompt"
                row = [name, f"{megapixels:g}", *(f"{told[part]:.2f}" for part in ("wall", "processor"))]
                row += [f"{told['peak']:.0f}", *(f"{told['timings'].get(stage, 0):.2f}" for stage in _STAGES)]
                print(f"| {' | '.join(row)} | {destination.stat().st_size / 1e6:.1f} |", flush=True)
                peers.append((name, megapixels, *_peers(picture, box, destination, Path(folder, "peer.png"))))
    print("\n| processor, s | MP | cut | guided filter of OpenCV | PNG by alphacut | by Pillow, level 4 | by OpenCV |")
    print("|---|" + "---:|" * 6)
    for name, megapixels, *times in peers:
        print(f"| {name} | {megapixels:g} | " + " | ".join(f"{each:.2f}" for each in times) + " |")


def _peers(picture: np.ndarray, box: Any, cutout: Path, out: Path) -> list[float]:
    """Seconds of the cut and of OpenCV's guided filter, then of the encoders on the cutout."""
    rgba = np.array(Image.open(cutout))
    gray = rgba[..., 3].copy()
    return [
        seconds(lambda: alphacut.remove_background(picture, box=box)),
        seconds(lambda: cv2.ximgproc.guidedFilter(picture, gray, 8, 100)),
        seconds(lambda: alphacut.write_image(out, rgba)),
        seconds(lambda: alphacut.write_image(out, rgba, png_level=4)),
        seconds(lambda: cv2.imwrite(str(out), rgba)),
    ]


if __name__ == "__main__":
    main()
