"""Products on plain grounds, against true alpha and colours: ``python -m benchmarks.ground``.

Pictures with true alpha of ALPHACUT_DATA over grounds as people have them, with and without a contact shadow, as PNG
and as JPEG of quality 75. `--part tune` is the half that constants were chosen on, `judge` the other half, both known
to the network's training, `cutouts` a set of its own. `--sheet FILE` draws pictures, their cutouts over black and over
white, and the true ones over black.

edge      mean error of alpha where it is partial or next to that
black, white  mean error of the colours there, composed over black and over white, in levels
shadow    mean alpha that is left where the shadow darkens the ground by a tenth and more, in %
outside   pixels above half where nothing of the subject is within 2 pixels, in % of the subject
lost      pixels below half inside the subject, 2 pixels and more from its edge, in % of it
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

import alphacut

from .quality import DATA

SIDE, MARGIN = 400, 40  # of the subject, of the ground around it
GROUNDS = ("white", "gray", "off-white", "graded", "sweep", "green", "blue", "red", "paper")
COLOURS = {
    "white": (255, 255, 255),
    "gray": (150, 150, 150),
    "off-white": (240, 236, 228),
    "green": (0, 177, 64),
    "blue": (40, 90, 200),
    "red": (190, 40, 40),
    "paper": (226, 214, 190),
}
COLUMNS = ("edge", "black", "white", "shadow", "outside", "lost")


@dataclass
class Composite:
    image: np.ndarray
    alpha: np.ndarray  # 0..1
    colours: np.ndarray  # the subject's own
    shade: np.ndarray  # 1 where the ground has no shadow, less where it has


def files(part: str) -> list[Path]:
    if part == "cutouts":
        return sorted((DATA / "cutouts").iterdir())
    return sorted((DATA / "train" / "cutouts").iterdir())[part == "judge" :: 2]


def subject(path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """Colours and alpha (0..1) with a margin; None where nothing is to be measured."""
    with Image.open(path) as file:
        rgba = np.asarray(file.convert("RGBA")).astype(np.float32)
    rgba[..., :3] *= rgba[..., 3:] / 255
    scale = SIDE / max(rgba.shape[:2])
    if scale < 1:
        rgba = cv2.resize(rgba, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    alpha = rgba[..., 3] / 255
    if (alpha > 0.9).sum() < 2000 or ((alpha > 0) & (alpha < 1)).sum() < 50:
        return None
    colours = np.clip(rgba[..., :3] / np.maximum(alpha[..., None], 1e-3), 0, 255)
    box = (MARGIN, MARGIN), (MARGIN, MARGIN)
    return np.pad(colours, (*box, (0, 0))), np.pad(alpha, box)


def ground(kind: str, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[:height, :width] / np.array([height - 1, width - 1]).reshape(2, 1, 1)
    if kind == "graded":  # light from the left
        return (250 - 40 * x - 12 * y)[..., None] * np.array([1, 0.99, 0.97])
    if kind == "sweep":  # a wall and a table of one paper
        return (235 - 45 / (1 + np.exp(-12 * (y - 0.6))))[..., None] * np.array([1, 1, 1.01])
    plain = np.broadcast_to(np.array(COLOURS[kind], float), (height, width, 3))
    if kind != "paper":
        return plain
    fine = cv2.GaussianBlur(rng.normal(0, 1, (height, width)), None, 0.8)
    coarse = cv2.GaussianBlur(rng.normal(0, 1, (height, width)), None, 12)
    return plain + (4 * fine / fine.std() + 3 * coarse / coarse.std())[..., None]


def shade(alpha: np.ndarray, number: int) -> np.ndarray:
    """What a soft shadow leaves of the light: under the subject, or cast to the lower right."""
    height, width = alpha.shape
    size = max(height, width)
    if number % 2:
        moved = cv2.warpAffine(alpha, np.float32([[1, 0, 0.03 * size], [0, 1, 0.035 * size]]), (width, height))
        return 1 - 0.4 * cv2.GaussianBlur(moved, None, 0.02 * size)
    rows = np.flatnonzero((alpha > 0.5).any(1))
    columns = (alpha[int(0.6 * rows[0] + 0.4 * rows[-1]) :] > 0.5).any(0)
    left, right = np.flatnonzero(columns)[[0, -1]]
    spot = np.zeros_like(alpha)
    cv2.ellipse(spot, (int(left + right) // 2, int(rows[-1])), (int(right - left) // 2, size // 25), 0, 0, 360, 1, -1)
    return 1 - 0.55 * cv2.GaussianBlur(spot, None, 0.02 * size)


def composite(path: Path, number: int, kind: str, shadow: bool, jpeg: bool) -> Composite | None:
    found = subject(path)
    if found is None:
        return None
    colours, alpha = found
    rng = np.random.default_rng(number)
    light = shade(alpha, number) if shadow else np.ones_like(alpha)
    mixed = alpha[..., None] * colours + (1 - alpha)[..., None] * light[..., None] * ground(kind, *alpha.shape, rng)
    image = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
    if jpeg:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=75)
        image = np.asarray(Image.open(file))
    return Composite(image, alpha, colours, light)


def scores(true: Composite, alpha: np.ndarray, colours: np.ndarray) -> list[float]:
    partial = ((true.alpha > 0) & (true.alpha < 1)).astype(np.uint8)
    edge = cv2.dilate(partial, np.ones((3, 3), np.uint8)) > 0
    some = cv2.dilate((true.alpha > 0).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    inside = cv2.erode((true.alpha > 0.95).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    a, t = alpha[..., None], true.alpha[..., None]
    black = np.abs(a * colours - t * true.colours)[edge].mean()
    white = np.abs(a * (colours - 255.0) - t * (true.colours - 255.0))[edge].mean()
    shadow = ~some & (true.shade < 0.9)
    area = (true.alpha > 0.5).sum() / 100
    return [
        float(np.abs(alpha - true.alpha)[edge].mean()),
        float(black),
        float(white),
        float(100 * alpha[shadow].mean()) if shadow.any() else np.nan,
        float((~some & (alpha > 0.5)).sum() / area),
        float((inside & (alpha < 0.5)).sum() / area),
    ]


def cases(part: str, every: int, kinds: tuple[str, ...]) -> Iterator[tuple[str, bool, bool, int, Path]]:
    for number, path in enumerate(files(part)[::every]):
        for kind in kinds:
            for shadow in (False, True):
                for jpeg in (False, True):
                    yield kind, shadow, jpeg, number, path


def over(colours: np.ndarray, alpha: np.ndarray, level: int) -> np.ndarray:
    return np.clip(alpha[..., None] * colours + (1 - alpha[..., None]) * level, 0, 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("cutouts", "judge", "tune"), default="cutouts")
    parser.add_argument("--every", type=int, default=1, help="only every so many pictures")
    parser.add_argument("--grounds", default=",".join(GROUNDS), help="which, by commas")
    parser.add_argument("--sheet", help="where to draw what a JPEG with shadow gives")
    arguments = parser.parse_args()
    table: dict[tuple[str, bool, bool], list[list[float]]] = {}
    drawn: list[np.ndarray] = []
    todo = list(cases(arguments.part, arguments.every, tuple(arguments.grounds.split(","))))
    for kind, shadow, jpeg, number, path in tqdm(todo):
        true = composite(path, number, kind, shadow, jpeg)
        if true is None:
            continue
        cutout = alphacut.remove_background(true.image)
        alpha, colours = cutout.alpha / 255.0, cutout.foreground
        table.setdefault((kind, shadow, jpeg), []).append(scores(true, alpha, colours))
        if arguments.sheet and shadow and jpeg:
            tiles = [true.image, over(colours, alpha, 0), over(colours, alpha, 255), over(true.colours, true.alpha, 0)]
            drawn.append(np.hstack([cv2.resize(tile, (240, 240), interpolation=cv2.INTER_AREA) for tile in tiles]))
    print("| ground | pictures |", " | ".join(COLUMNS), "|\n|---|---:|" + "---:|" * len(COLUMNS))
    names = [(kind, s, j) for kind in arguments.grounds.split(",") for s in (False, True) for j in (False, True)]
    for name in [*names, "all"]:
        found = [row for rows in table.values() for row in rows] if name == "all" else table.get(name, [])
        if not found:
            continue
        label = "all" if name == "all" else name[0] + ", shadow" * name[1] + ", JPEG" * name[2]
        means = [np.nanmean(column) if not np.isnan(column).all() else np.nan for column in np.array(found).T]
        cells = [f"{m:.{d}f}" if m == m else "" for m, d in zip(means, (3, 1, 1, 1, 2, 2), strict=True)]
        print(f"| {label} | {len(found)} |", " | ".join(cells), "|")
    if arguments.sheet:
        columns = 3
        drawn += [np.zeros_like(drawn[0])] * (-len(drawn) % columns)
        sheet = np.vstack([np.hstack(drawn[i : i + columns]) for i in range(0, len(drawn), columns)])
        Image.fromarray(sheet).save(arguments.sheet)


if __name__ == "__main__":
    main()
