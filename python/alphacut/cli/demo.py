"""``alphacut demo``: the whole way on photographs that scikit-image brings along."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from ..io import read_image, write_image

Array = NDArray[Any]

# name, file of scikit-image, box (where the picture holds more than its subject)
SCENES: tuple[tuple[str, str, tuple[int, int, int, int] | None], ...] = (
    ("astronaut", "astronaut.png", (16, 6, 350, 506)),
    ("coffee", "coffee.png", (72, 10, 412, 386)),
    ("cat", "chelsea.png", None),
    ("rocket", "rocket.jpg", None),
)
COLOUR = "#2a9d8f"
CELL = 240


@click.command(short_help="Show each step on a few photographs.")
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
    folder = _photographs()
    rows: dict[str, dict[str, Array]] = {}
    timings: dict[str, Mapping[str, float]] = {}
    try:
        for name, file, box in SCENES:
            if (folder / file).is_file():
                rows[name], timings[name] = _scene(folder / file, box, out / name)
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


def _scene(
    file: Path, box: tuple[int, int, int, int] | None, out: Path
) -> tuple[dict[str, Array], Mapping[str, float]]:
    """Write the steps of one photograph; give them back with the time of each stage."""
    import alphacut

    image = read_image(file).pixels
    cutout = alphacut.remove_background(image, box=box)
    steps = {
        "input": _with_box(image, box),
        "subject": alphacut.detect_subject(image),
        "mask": cutout.mask,
        "trimap": alphacut.make_trimap(cutout.mask),
        "alpha": cutout.alpha,
        "foreground": cutout.foreground,
        "checkerboard": cutout.on("checkerboard"),
        "colour": cutout.on(COLOUR),
    }
    out.mkdir(parents=True, exist_ok=True)
    for number, (step, pixels) in enumerate(steps.items(), 1):
        write_image(out / f"{number}-{step}.png", pixels)
    cutout.save(out / "cutout.png")
    return steps, cutout.timings


def _with_box(image: Array, box: tuple[int, int, int, int] | None) -> Array:
    """A copy with the box drawn, 3 pixels thick, inside its edges."""
    image = image.copy()
    if box is not None:
        x, y, width, height = box
        inside = image[y : y + height, x : x + width]
        for edge in (inside[:3], inside[-3:], inside[:, :3], inside[:, -3:]):
            edge[...] = (0, 255, 0)
    return image


def _contact_sheet(rows: Mapping[str, Mapping[str, Array]]) -> Array:
    """One row a photograph, one column a step."""
    from PIL import Image, ImageDraw

    top, left = 24, 90
    heights = [max(1, round(CELL * steps["input"].shape[0] / steps["input"].shape[1])) for steps in rows.values()]
    columns = len(next(iter(rows.values())))
    sheet = Image.new("RGB", (left + columns * (CELL + 8), top + sum(heights) + 8 * len(rows)), "white")
    draw = ImageDraw.Draw(sheet)
    y = top
    for (name, steps), height in zip(rows.items(), heights, strict=True):
        draw.text((8, y + height // 2), name, fill="black")
        for column, (step, pixels) in enumerate(steps.items()):
            x = left + column * (CELL + 8)
            if y == top:
                draw.text((x, 6), step, fill="black")
            eight_bits = np.rint(pixels * 255).astype(np.uint8) if pixels.dtype.kind == "f" else pixels
            sheet.paste(Image.fromarray(eight_bits).resize((CELL, height)), (x, y))
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
