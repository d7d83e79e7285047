"""A picture to draw on in a notebook: box, points and strokes, and its cutout. Needs the extra ``notebook``."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from ._arrays import Array
from ._strokes import Stroke, draw_labels
from .cutout import Cutout, fitting
from .files import as_picture, write_image
from .remover import Remover

_SHOWN = 900
"""The longest side of what the browser gets, in pixels."""
_NOTHING: dict[str, Any] = {"box": None, "points": [], "strokes": []}


class Editor(anywidget.AnyWidget):
    """A picture to draw on, and the cutout of what was drawn.

    The last expression of a cell shows it: a box by dragging, points by a click (with Alt to remove), strokes to keep
    and to remove, undo. Each takes some 20 milliseconds here for a picture of 0.1 megapixel, 90 for one of 12.

    Parameters
    ----------
    image : array, path, bytes, Pillow image or Picture
        As for :func:`alphacut.remove_background`.
    **options
        The options of :class:`alphacut.Remover`.

    Attributes
    ----------
    said : dict
        What was drawn, in pixels of the picture: "box" (x, y, width, height) or None, "points" [(x, y, keep)],
        "strokes" [{"keep", "points", "width"}]. To be set from Python, too.
    told : str
        What is said beneath the picture: how sure the cutout is, or what is wrong with it.

    Raises
    ------
    TypeError, ValueError, OSError
        As :func:`alphacut.remove_background`.

    Notes
    -----
    What is drawn is cut at once without refining its edge; :attr:`cutout` is the finished one, in full size.

    Examples
    --------
    >>> from alphacut.notebook import Editor  # doctest: +SKIP
    >>> editor = Editor("cat.jpg")  # and in a cell of its own: editor  # doctest: +SKIP
    >>> editor.cutout.save("cat.png")  # doctest: +SKIP
    """

    _esm = Path(__file__).parent / "notebook.js"
    _css = Path(__file__).parent / "notebook.css"
    picture = traitlets.Bytes().tag(sync=True)
    alpha = traitlets.Bytes().tag(sync=True)
    size: traitlets.List[int] = traitlets.List().tag(sync=True)
    said = traitlets.Dict(_NOTHING).tag(sync=True)
    told = traitlets.Unicode().tag(sync=True)

    def __init__(self, image: Any, **options: Any) -> None:
        super().__init__()
        picture = as_picture(image, "image")
        self._shape: tuple[int, int] = picture.pixels.shape[:2]
        self._sketch = Remover(**options | {"refine": None, "foreground": False}).open(picture)
        self._picture, self._remover = picture, Remover(**options)
        self._made: Cutout | None = None
        self.size = list(self._shape[::-1])
        self.picture = _png(picture.pixels)
        self.observe(lambda _: self._draw(), "said")
        self._draw()

    @property
    def cutout(self) -> Cutout:
        """The finished cutout of what is drawn now, in full size."""
        if self._made is None:
            self._made = self._remover(self._picture, **self._prompts())
        return self._made

    def _draw(self) -> None:
        """Show the cutout of what is drawn, or say why there is none."""
        self._made = None
        try:
            found = self._sketch.cut(resume=True, **self._prompts())
        except (TypeError, ValueError, LookupError) as error:
            self.told = str(error)
            return
        self.alpha = _png(found.alpha)
        self.told = f"{found.verdict}, confidence {found.confidence:.0%}" + "".join(f". {w}" for w in found.warnings)

    def _prompts(self) -> dict[str, Any]:
        said = _NOTHING | self.said
        prompts: dict[str, Any] = {"box": said["box"], "points": said["points"] or None}
        if said["strokes"]:
            strokes = [Stroke(bool(one["keep"]), one["points"], float(one["width"])) for one in said["strokes"]]
            prompts["labels"] = draw_labels(strokes, self._shape, undecided=2 if said["box"] is None else 3)
        return {name: value for name, value in prompts.items() if value is not None}


def _png(pixels: Array) -> bytes:
    """A picture or a plane, small, as a PNG."""
    data = io.BytesIO()
    write_image(data, fitting(pixels, _SHOWN), format="png", png_level=1)
    return data.getvalue()
