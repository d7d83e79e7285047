"""``alphacut demo``: the whole way on photographs that scikit-image brings along."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from html import escape
from importlib.resources import files as resources
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from .._arrays import Array, as_uint8
from .._prompt import Box, Prompt
from ..cutout import Cutout
from ..files import read_image, write_image
from . import steps
from .layout import Command


class Scene(NamedTuple):
    """A photograph of scikit-image, what is to be seen on it, and what is said of its subject, if anything."""

    name: str
    file: str
    about: str
    hard: bool = False
    box: Box | None = None
    points: tuple[tuple[float, float, int], ...] | None = None


class Shown(NamedTuple):
    """What came of a scene."""

    scene: Scene
    cutout: Cutout
    pictures: dict[str, Array]


SCENES = (
    Scene("cat", "chelsea.png", "Nothing is said: the network finds it."),
    Scene("cup", "coffee.png", "A subject with a handle, a spoon and a shadow."),
    Scene("cameraman", "camera.png", "No colours, and a tripod's thin legs."),
    Scene("retina", "retina.jpg", "A plain background, which is keyed out."),
    Scene("astronaut", "astronaut.png", "Two things stand out: are both meant, or one?", hard=True),
    Scene(
        "astronaut-point",
        "astronaut.png",
        "The same, with a point on the other one.",
        hard=True,
        points=((400, 120, 0),),
    ),
    Scene("rocket", "rocket.jpg", "A thin subject at dusk, among towers like it.", hard=True),
    Scene("rocket-box", "rocket.jpg", "The same, with a box.", hard=True, box=(300, 90, 50, 310)),
    Scene("coins", "coins.png", "Many things, and none of them is the subject.", hard=True),
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
@click.option("--open", "show", is_flag=True, help="Show the page in the browser.")
def demo(out: Path, show: bool) -> None:
    """Cut out the subjects of a few photographs, and write each step as a picture.

    The photographs come with scikit-image; nothing is downloaded, and nothing is said of most of them. Some fail, and
    are shown, too. See index.html first, or contact-sheet.png.

    \b
    Examples:
      alphacut demo
      alphacut demo -o somewhere/ --open
    """
    from tqdm import tqdm

    folder = _photographs()
    shown: list[Shown] = []
    try:
        for scene in tqdm(SCENES, unit="photo", disable=not sys.stderr.isatty(), leave=False):
            if (folder / scene.file).is_file():
                shown.append(_cut(scene, folder, out / scene.name))
        if not shown:
            raise click.ClickException(f"this scikit-image brings none of the photographs along: {folder}")
        write_image(out / "contact-sheet.png", _contact_sheet({scene.name: pictures for scene, _, pictures in shown}))
        table = _table({scene.name: cutout.timings for scene, cutout, _ in shown})
        page = out / "index.html"
        page.write_text(_page(shown, table), encoding="utf-8")
    except OSError as error:
        raise click.ClickException(str(error)) from error
    click.echo(table)
    click.echo(f"\nEach step of {len(shown)} pictures: {out.resolve()}")
    click.echo(f"All at a glance: {page.resolve()} and {out.resolve() / 'contact-sheet.png'}")
    if show and click.launch(page.resolve().as_uri()):
        raise click.ClickException(f"no browser could be opened: open {page.resolve()} yourself")


def _photographs() -> Path:
    """The folder in scikit-image's package. Not its functions: they may download."""
    spec = importlib.util.find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise click.ClickException("the demo's photographs come with scikit-image: pip install 'alphacut[demo]'")
    return Path(spec.submodule_search_locations[0]) / "data"


def _cut(scene: Scene, folder: Path, out: Path) -> Shown:
    """Cut one photograph out and write its steps."""
    import alphacut

    image = read_image(folder / scene.file).pixels
    cutout = alphacut.remove_background(image, box=scene.box, points=scene.points, steps=True)
    drawn = steps.pictures(cutout, Prompt(box=scene.box, points=scene.points))
    pictures = {**drawn, "colour": cutout.on(COLOUR)}
    steps.write(pictures, out)
    cutout.save(out / "cutout.png")
    return Shown(scene, cutout, pictures)


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


def _page(shown: list[Shown], table: str) -> str:
    """The page: what works, what is hard, and the times."""
    template = resources(__package__).joinpath("demo.html").read_text("utf-8")
    for mark, hard in (("<!-- works -->", False), ("<!-- hard -->", True)):
        template = template.replace(mark, "\n".join(_section(one) for one in shown if one.scene.hard is hard))
    return template.replace("<!-- times -->", escape(table))


def _section(shown: Shown) -> str:
    """Before and after of one scene, what is said of it, and its steps."""
    scene, cutout, pictures = shown
    told = "a box" if scene.box else "a point" if scene.points else "nothing"
    names = [(f"{scene.name}/{number:02}-{step}.png", step) for number, step in enumerate(pictures, 1)]
    thumbnails = "".join(
        f'<figure><a href="{path}"><img src="{path}" alt="" loading="lazy"></a><figcaption>{step}</figcaption></figure>'
        for path, step in names
    )
    warnings = "".join(f"<li>{escape(warning)}</li>" for warning in cutout.warnings)
    time = f"{1e3 * sum(cutout.timings.values()):.0f} ms"
    return f"""<article>
<h3>{scene.name}</h3>
<p>{escape(scene.about)}</p>
<div class="pair">
<img src="{names[0][0]}" alt="{scene.name}: the photograph">
<img class="cutout" src="{scene.name}/cutout.png" alt="{scene.name}: the cutout">
</div>
<p><strong>{escape(cutout.verdict)}</strong> ({cutout.confidence:.2f}) · told {told} · {cutout.method} · {time}</p>
<ul>{warnings}</ul>
<details><summary>Each step</summary><div class="steps">{thumbnails}</div></details>
</article>"""


def _table(timings: Mapping[str, Mapping[str, float]]) -> str:
    """Milliseconds: a row for each stage, a column for each photograph."""
    stages = list(dict.fromkeys(stage for times in timings.values() for stage in times))
    first = max(len("milliseconds"), *map(len, stages)) + 2
    widths = {name: max(10, len(name) + 2) for name in timings}
    lines = ["milliseconds".ljust(first) + "".join(name.rjust(width) for name, width in widths.items())]
    for stage in stages:
        cells = [
            (f"{timings[name][stage] * 1e3:.1f}" if stage in timings[name] else "-").rjust(width)
            for name, width in widths.items()
        ]
        lines.append(stage.ljust(first) + "".join(cells))
    return "\n".join(lines)
