"""A page on which a person sees what a job has made, and tells what is to be done again."""

from __future__ import annotations

import base64
import html
import io
import json
import os
from importlib.resources import files as resources
from typing import Any

import numpy as np

from .. import _durable
from ..files import read_image, write_image
from ..preprocess import resize
from . import storage
from .table import latest_rows

_SIDE = 320
"""The longest side of a thumbnail."""


def write_review(manifest: str, page: str, *, most: int = 500, below: float = 1.0) -> int:
    """Write a page of the pictures of a manifest, the least confident first.

    Parameters
    ----------
    manifest : str
        The folder, see :class:`Manifest`.
    page : str
        The HTML file to write. It holds its thumbnails, of some 30 kB a picture.
    most : int
        Pictures at the most.
    below : float
        Only those with a confidence of less, or all for 1.

    Returns
    -------
    int
        How many are on the page.

    Raises
    ------
    ImportError
        Without pyarrow.
    ValueError
        If `manifest` is none.
    OSError
        If the page cannot be written.

    Notes
    -----
    What is picked is saved as ``picks.csv``: a list for :func:`alphacut.batch.plan` with each source, its destination
    and the box or points that were drawn, in percent and pixels of the photo. Of a picture whose files are gone the
    page says so.
    """
    shown = 0
    template = resources(__package__).joinpath("review.html").read_text("utf-8")
    head, foot = template.split("<!-- pictures -->")
    temporary = f"{page}.tmp"
    try:
        with open(temporary, "w", encoding="utf-8") as stream:
            stream.write(head)
            for row in latest_rows(manifest, "confidence", most):
                if below < 1 and row["confidence"] >= below:
                    break
                stream.write(_figure(row))
                shown += 1
            stream.write(foot)
        _durable.put(temporary, page)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
    return shown


def _figure(row: dict[str, Any]) -> str:
    """A picture of the page."""
    told = json.dumps({name: row[name] for name in ("source", "destination", "width", "height")})
    panels = "".join(_panel(row[name], name) for name in ("source", "destination"))
    warnings = html.escape("; ".join(row["warnings"] or ()))
    return (
        f'<figure data-row="{html.escape(told, quote=True)}">{panels}'
        f"<figcaption><b>{row['confidence'] * 100:.0f} %</b> {html.escape(row['source'])}"
        f"<small>{html.escape(row['method'] or '')} {warnings}</small></figcaption></figure>\n"
    )


def _panel(place: str, kind: str) -> str:
    try:
        picture = read_image(storage.fetch(place))
    except Exception as error:  # whatever one picture or its file system can cause
        return f'<p class="{kind}">{html.escape(str(error))}</p>'
    pixels = picture.pixels if picture.pixels.ndim == 3 else np.repeat(picture.pixels[..., None], 3, axis=2)
    if picture.alpha is not None:
        pixels = np.dstack([pixels, picture.alpha])
    scale = min(1.0, _SIDE / max(pixels.shape[:2]))
    size = max(1, round(pixels.shape[0] * scale)), max(1, round(pixels.shape[1] * scale))
    if scale < 1:
        parts = pixels[..., :3], *([pixels[..., 3]] if pixels.shape[2] == 4 else [])
        pixels = np.dstack([resize(np.ascontiguousarray(part), size, method="area") for part in parts])
    file = io.BytesIO()
    write_image(file, np.ascontiguousarray(pixels), format="webp", quality=80)
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img class="{kind}" alt="" loading="lazy" draggable="false" src="data:image/webp;base64,{data}">'
