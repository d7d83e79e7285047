"""``alphacut demo``: the whole way on photographs that scikit-image brings along."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from .._arrays import Array, as_uint8
from .._prompt import Prompt
from .._strokes import Stroke, draw_labels
from ..files import read_image, write_image
from . import steps
from .layout import Command

Line = tuple[tuple[int, int], ...]


class Scene(NamedTuple):
    """A photograph of scikit-image, and what is said of its subject: a box, or strokes to keep and to remove."""

    name: str
    file: str
    box: tuple[int, int, int, int] | None = None
    keep: tuple[Line, ...] = ()
    remove: tuple[Line, ...] = ()


SCENES = (
    Scene("retina", "retina.jpg"),
    Scene("cameraman", "camera.png", box=(0, 50, 345, 462)),
    Scene(
        "coffee",
        "coffee.png",
        box=(66, 6, 424, 392),
        keep=(((400, 80), (390, 190), (365, 286)), ((130, 230), (200, 340), (330, 360))),
    ),
    Scene(
        "cat",
        "chelsea.png",
        keep=(((60, 285), (60, 200), (140, 100), (200, 20), (260, 60), (330, 120), (290, 230), (160, 270)),),
        remove=(((10, 20), (20, 150), (10, 240)), ((400, 60), (430, 200), (400, 285))),
    ),
    Scene(
        "astronaut",
        "astronaut.png",
        keep=(
            ((170, 60), (225, 40), (270, 70), (225, 120), (225, 170), (150, 215), (225, 240), (300, 215)),
            ((60, 420), (110, 300), (230, 330), (330, 290), (350, 320)),
            ((120, 480), (240, 480)),
        ),
        remove=(
            ((20, 20), (40, 180), (8, 280), (8, 400)),
            ((110, 30), (130, 150)),
            ((330, 20), (340, 190), (400, 250), (430, 30)),
            ((300, 470), (310, 400), (400, 370), (470, 470)),
        ),
    ),
)
COLOUR = "#2a9d8f"
CELL = 240


@click.command(cls=Command, short_help="Show each step on a few photographs.")
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("alphacut-demo"),
    show_default=True,
    help="The folder for the pictures.",
)
def demo(out: Path) -> None:
    """Cut out the subjects of a few photographs, and write each step as a picture.

    The photographs come with scikit-image; nothing is downloaded. See contact-sheet.png first.

    \b
    Examples:
      alphacut demo
      alphacut demo -o somewhere/
    """
    from tqdm import tqdm

    folder = _photographs()
    rows: dict[str, dict[str, Array]] = {}
    timings: dict[str, Mapping[str, float]] = {}
    try:
        for scene in tqdm(SCENES, unit="photo", disable=not sys.stderr.isatty(), leave=False):
            if (folder / scene.file).is_file():
                rows[scene.name], timings[scene.name] = _cut(scene, folder, out / scene.name)
        if not rows:
            raise click.ClickException(f"this scikit-image brings none of the photographs along: {folder}")
        write_image(out / "contact-sheet.png", _contact_sheet(rows))
    except OSError as error:
        raise click.ClickException(str(error)) from error
    click.echo(_table(timings))
    click.echo(f"\nEach step of {len(rows)} pictures: {out.resolve()}")
    click.echo(f"All at a glance: {out.resolve() / 'contact-sheet.png'}")


def _photographs() -> Path:
    """The folder in scikit-image's package. Not its functions: they may download."""
    spec = importlib.util.find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise click.ClickException("the demo's photographs come with scikit-image: pip install 'alphacut[demo]'")
    return Path(spec.submodule_search_locations[0]) / "data"


def _cut(scene: Scene, folder: Path, out: Path) -> tuple[dict[str, Array], Mapping[str, float]]:
    """Write the steps of one photograph; give them back with the time of each stage."""
    import alphacut

    image = read_image(folder / scene.file).pixels
    labels = _labels(scene, image.shape[:2])
    cutout = alphacut.remove_background(image, box=scene.box, labels=labels, steps=True)
    pictures = {**steps.pictures(cutout, Prompt(box=scene.box, labels=labels)), "colour": cutout.on(COLOUR)}
    steps.write(pictures, out)
    cutout.save(out / "cutout.png")
    return pictures, cutout.timings


def _labels(scene: Scene, size: tuple[int, int]) -> Array | None:
    """The strokes as labels, undecided 3 inside a box or 2 without one; None without strokes."""
    strokes = [Stroke(False, points, 9) for points in scene.remove] + [Stroke(True, points, 9) for points in scene.keep]
    return draw_labels(strokes, size, undecided=2 if scene.box is None else 3) if strokes else None


def _contact_sheet(rows: Mapping[str, Mapping[str, Array]]) -> Array:
    """One row a photograph, one column a step; empty where a photograph went without it."""
    from PIL import Image, ImageDraw

    top, left = 24, 90
    sizes = [row["input"].shape[:2] for row in rows.values()]
    heights = [max(1, round(CELL * height / width)) for height, width in sizes]
    columns = max(rows.values(), key=len)
    sheet = Image.new("RGB", (left + len(columns) * (CELL + 8), top + sum(heights) + 8 * len(rows)), "white")
    draw = ImageDraw.Draw(sheet)
    places = range(left, sheet.width, CELL + 8)
    for x, step in zip(places, columns, strict=True):
        draw.text((x, 6), step, fill="black")
    y = top
    for (name, row), height in zip(rows.items(), heights, strict=True):
        draw.text((8, y + height // 2), name, fill="black")
        for x, step in zip(places, columns, strict=True):
            if step in row:
                sheet.paste(Image.fromarray(as_uint8(row[step])).resize((CELL, height)), (x, y))
        y += height + 8
    return np.asarray(sheet)


def _table(timings: Mapping[str, Mapping[str, float]]) -> str:
    """Milliseconds: a row for each stage, a column for each photograph."""
    stages = list(dict.fromkeys(stage for times in timings.values() for stage in times))
    width = max(len("milliseconds"), *map(len, stages)) + 2
    lines = ["milliseconds".ljust(width) + "".join(f"{name:>12}" for name in timings)]
    for stage in stages:
        cells = [f"{times[stage] * 1e3:12.1f}" if stage in times else f"{'-':>12}" for times in timings.values()]
        lines.append(stage.ljust(width) + "".join(cells))
    return "\n".join(lines)
