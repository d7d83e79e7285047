"""Whole files: ``alphacut remove`` from a JPEG to a PNG, where its time goes, and its memory.

    python -m benchmarks.files                   # 1, 12, 24 and 50 megapixels
    python -m benchmarks.files --size 12

A photo, a portrait with hair and a product before a plain background, enlarged, with the noise of a camera. Each file
is cut by a process of its own, without a prompt: wall and processor time, the largest resident memory, and each stage's
share of the time as ``--json`` tells it ("start" is all before and after: the interpreter, imports, the end). Beside
them, in the same run, in processor time: the cut alone, from array to cutout, and OpenCV's colour guided filter of
radius 8 on the same picture; the PNG of the cutout, and that by Pillow and OpenCV.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import skimage.data
from PIL import Image, ImageDraw

import alphacut
from benchmarks.pictures import photo

SIZES = 1.0, 12.0, 24.0, 50.0
_STAGES = "read", "key", "subject", "segment", "refine", "foreground", "write"


def _product() -> Image.Image:
    """Something with thin parts before light gray."""
    picture = Image.new("RGB", (960, 720), (238, 238, 236))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((260, 180, 620, 620), 60, (120, 40, 36))
    draw.ellipse((330, 240, 550, 440), (226, 190, 60))
    draw.arc((540, 260, 760, 520), 250, 110, (60, 60, 66), 26)
    draw.line((440, 180, 500, 60), (40, 60, 90), 10)
    return picture


KINDS: dict[str, Callable[[], Image.Image]] = {
    "photo": lambda: Image.fromarray(photo(1.0)),
    "portrait": lambda: Image.fromarray(skimage.data.astronaut()),
    "product": _product,
}


def camera(small: Image.Image, megapixels: float) -> np.ndarray:
    """A picture of that size, as a camera gives it: enlarged, and noise over more than one pixel."""
    scale = (megapixels * 1e6 / (small.width * small.height)) ** 0.5
    width, height = round(small.width * scale), round(small.height * scale)
    rng = np.random.default_rng(1)
    noise = cv2.blur(4 * rng.standard_normal((height, width, 3), dtype=np.float32), (2, 2))
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
    print(
        "| picture | MP | wall, s | processor, s | peak, MB | start, % | " + ", % | ".join(_STAGES) + ", % | PNG, MB |"
    )
    print("|---|" + "---:|" * (len(_STAGES) + 6))
    peers = []
    with tempfile.TemporaryDirectory() as folder:
        source, destination = Path(folder, "photo.jpg"), Path(folder, "cutout.png")
        for megapixels in sizes or SIZES:
            for kind, make in KINDS.items():
                picture = camera(make(), megapixels)
                Image.fromarray(picture).save(source, quality=93)
                told = min((cut(source, destination) for _ in range(rounds)), key=lambda told: told["processor"])
                stages = {stage: told["timings"].get(stage, 0.0) for stage in _STAGES}
                seconds = told["wall"] - sum(stages.values()), *stages.values()
                row = [kind, f"{megapixels:g}", *(f"{told[part]:.2f}" for part in ("wall", "processor"))]
                row += [f"{told['peak']:.0f}", *(f"{100 * each / told['wall']:.0f}" for each in seconds)]
                print(f"| {' | '.join(row)} | {destination.stat().st_size / 1e6:.1f} |", flush=True)
                peers.append((kind, megapixels, *_peers(picture, destination, Path(folder, "peer.png"))))
    print("\n| processor, s | MP | cut | guided filter of OpenCV | PNG by alphacut | by Pillow, level 4 | by OpenCV |")
    print("|---|" + "---:|" * 6)
    for kind, megapixels, *times in peers:
        print(f"| {kind} | {megapixels:g} | " + " | ".join(f"{each:.2f}" for each in times) + " |")


def _peers(picture: np.ndarray, cutout: Path, out: Path) -> list[float]:
    """Seconds of the cut and of OpenCV's guided filter, then of the encoders on the cutout."""
    rgba = np.array(Image.open(cutout))
    gray = rgba[..., 3].copy()
    return [
        seconds(lambda: alphacut.remove_background(picture)),
        seconds(lambda: cv2.ximgproc.guidedFilter(picture, gray, 8, 100)),
        seconds(lambda: alphacut.write_image(out, rgba)),
        seconds(lambda: alphacut.write_image(out, rgba, png_level=4)),
        seconds(lambda: cv2.imwrite(str(out), rgba)),
    ]


if __name__ == "__main__":
    main()
