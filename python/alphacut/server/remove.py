"""``POST /api/remove``: a picture and what is said of it in, a picture file out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from .. import Cutout, Model, Remover, _text
from .._strokes import draw_labels
from ..compositing import blurred_background
from ..files import Picture, read_image
from ..options import BACKGROUNDS, OPTIONS, OUTPUTS, PROMPTS
from ..shadow import Shadow
from . import answer, clients, fields, processes
from .errors import ApiError, cutting, reading
from .fields import Field, Said, from_row
from .layout import placed, shrunk

PREVIEW_PIXELS = 250_000


def _background_words(text: str) -> Any:
    return text if text in BACKGROUNDS else _text.colour(text)


_ROWS = {row.name: from_row(row) for row in (*PROMPTS, *OPTIONS, *OUTPUTS) if "server" in row.faces}
_OWN = (
    Field(
        "file",
        "The picture: PNG, JPEG, WebP, TIFF, BMP, GIF, PNM, JPEG 2000, AVIF or HEIC; a file, or a text in base64.",
        aliases=("image_file", "image_file_b64"),
    ),
    Field(
        "roi",
        "The same as box, as a region: x1 y1 x2 y2, in pixels or percent.",
        fields.region,
        example="10% 10% 90% 100%",
    ),
    Field(
        "strokes",
        'Strokes of a brush over what to keep or to remove, as JSON: a list of {"keep": true or false, '
        '"width": pixels, "points": [[x, y], ...]}.',
        fields.strokes,
        example='[{"keep": true, "width": 20, "points": [[200, 150], [240, 300]]}]',
    ),
    Field("model", "The network that says where the subject is: one named when the server was started.", str.strip),
    Field(
        "background",
        "Put the subject on this: a colour (rrggbb, a CSS name, r,g,b or r,g,b,a), blur (the picture, blurred) or "
        "checkerboard.",
        _background_words,
        aliases=("bg_color", "bgc"),
        example="81d4fa",
    ),
    Field("bg_image_file", "Put the subject on this picture, scaled and cropped to cover."),
    Field("om", "Only the mask: black and white.", _text.flag, example="false"),
    Field("channels", "alpha: only the opacity, in gray.", **fields.words("rgba", "alpha")),
    Field(
        "format",
        "Of the answer. auto: PNG, or JPEG where a background makes it opaque. zip: color.jpg and alpha.png. Without "
        "it, JSON if the request accepts only that, else PNG.",
        **fields.words("auto", "png", "jpg", "jpeg", "webp", "tiff", "zip", "json"),
    ),
    Field(
        "margin",
        "Kept around the subject, where it is cropped: pixels, or percent of it; also two (above, beside) or four "
        "(top, right, bottom, left).",
        fields.margin,
        aliases=("crop_margin",),
        example="20",
    ),
)
# What is here in the words of a request, in place of the row of the tables.
FIELDS = tuple(({_OWN[0].name: _OWN[0]} | _ROWS | {field.name: field for field in _OWN}).values())
FIELDS += clients.LAYOUT + clients.ASKED_ELSEWHERE


def remove(
    values: Mapping[str, Any], accept: str, max_pixels: int, models: Mapping[str, Model]
) -> tuple[Response, Cutout]:
    """The answer to the values of :data:`FIELDS`, files as bytes; and the cutout it is of.

    Raises
    ------
    ApiError
        400 or 413.
    """
    if "file" not in values:
        raise ApiError(400, "missing_file", "file (or image_file, image_file_b64) is missing: the picture")
    shadow = _shadow(values)
    form = _format(values, accept, shadow)
    encoding = {name: values[name] for name in ("quality", "png_level") if name in values}
    answer.require_writable(form, encoding)
    with reading("file"):
        picture = read_image(values["file"], max_pixels=max_pixels)
    options = _options(values, picture.pixels.shape[:2], max_pixels, models)
    background = _background(values, max_pixels)
    with cutting():
        cutout = Remover(**options)(picture)  # a call of a remover: the memory that it leaves serves the next
    laid_out, background = _laid_out(cutout, values, background)
    what = "mask" if values.get("om") else "alpha" if values.get("channels") == "alpha" else "rgba"
    exif = values.get("exif", False)
    more = _ignored(values)
    response = answer.response(laid_out, form, what, background, encoding, shadow=shadow, exif=exif, more=more)
    return response, cutout


Answered = tuple[Response, int, dict[str, float]]
"""An answer, how many pixels it was made of, and the time of each stage."""


def answered(values: Mapping[str, Any], accept: str, max_pixels: int, models: Mapping[str, Model] | None) -> Answered:
    """:func:`remove` without its cutout, to be called in a process, whose models these are if none are given."""
    response, cutout = remove(values, accept, max_pixels, processes.models() if models is None else models)
    response.body = bytes(response.body)  # which can go from one process to another
    return response, cutout.alpha.size, dict(cutout.timings)


def _format(values: Mapping[str, Any], accept: str, shadow: Shadow | None) -> str:
    """The form of the answer; refused, where the request contradicts itself."""
    part = values.get("om") or values.get("channels") == "alpha"
    backgrounds = [name for name in ("background", "bg_image_file") if values.get(name) is not None]
    if len(backgrounds) > 1 or (part and backgrounds):
        raise ApiError(400, "contradiction", "only one of om, channels=alpha, background and bg_image_file can be had")
    if values.get("om") and values.get("channels") == "alpha":
        raise ApiError(400, "contradiction", "om is the mask, channels=alpha the opacity: ask for one")
    if shadow is not None and (part or values.get("format") == "zip"):
        raise ApiError(400, "contradiction", "a shadow goes with no om, channels=alpha or format=zip")
    if "box" in values and "roi" in values:
        raise ApiError(400, "contradiction", "box and roi say the same: give one")
    if "strokes" in values and "labels" in values:
        raise ApiError(400, "contradiction", "strokes and labels say the same: give one")
    only_json = accept.split(";")[0].strip().lower() == "application/json"
    form: str = values.get("format", "json" if only_json else "png")
    opaque = bool(part or backgrounds)
    if form == "auto":
        return "jpeg" if backgrounds else "png"
    if form in ("jpg", "jpeg") and not opaque:
        raise ApiError(400, "contradiction", "a JPEG has no transparency: add bg_color, or ask for png or webp")
    if form == "zip" and opaque:
        raise ApiError(400, "contradiction", "format=zip holds colours and opacity: it goes with no om, channels or bg")
    return "jpeg" if form == "jpg" else form


def _options(
    values: Mapping[str, Any], size: tuple[int, int], max_pixels: int, models: Mapping[str, Model]
) -> dict[str, Any]:
    """What `remove_background` is told."""
    options = {row.name: values[row.name] for row in (*PROMPTS, *OPTIONS) if row.name in values}
    if "model" in options:
        options["model"] = _model(options["model"], models)
    if "roi" in values and (box := _roi(values["roi"], size)) != (0, 0, size[1], size[0]):
        options["box"] = box
    if "strokes" in values:
        with reading("strokes"):
            options["labels"] = draw_labels(values["strokes"], size, undecided=3 if "box" in options else 2)
    for row in PROMPTS:
        if row.load is not None and row.name in values:
            with reading(row.name):
                options[row.name] = row.load(values[row.name], row.name, in_box="box" in options, max_pixels=max_pixels)
    return options


def _model(name: str, models: Mapping[str, Model]) -> Model:
    if name not in models:
        known = f"these are: {', '.join(models)}" if models else "none was named when it was started"
        raise ApiError(400, "invalid_field", f"model: {name[:80]!r} is no model of this server; {known}")
    return models[name]


def _roi(region: tuple[tuple[float, bool], ...], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """x1 y1 x2 y2 as a box of whole pixels."""
    sides = (size[1], size[0]) * 2
    x1, y1, x2, y2 = (
        value * side / 100 if percent else value for (value, percent), side in zip(region, sides, strict=True)
    )
    left, top = math.floor(x1), math.floor(y1)
    right, bottom = math.ceil(x2), math.ceil(y2)
    if right <= left or bottom <= top:
        raise ApiError(400, "invalid_field", "roi: x2 and y2 must be beyond x1 and y1")
    return left, top, right - left, bottom - top


def _background(values: Mapping[str, Any], max_pixels: int) -> Any:
    """What the subject is put on, or None."""
    if "bg_image_file" in values:
        with reading("bg_image_file"):
            return read_image(values["bg_image_file"], max_pixels=max_pixels)
    return values.get("background")


def _shadow(values: Mapping[str, Any]) -> Shadow | None:
    """What was asked for, in this server's words or in those of others."""
    shadow: Shadow | None = values.get("shadow")
    kind = values.get("shadow_type", "drop" if values.get("add_shadow") else None)
    if shadow is not None or kind is None:
        return shadow
    return Shadow(kind, opacity=values.get("shadow_opacity"))


def _laid_out(cutout: Cutout, values: Mapping[str, Any], background: Any) -> tuple[Cutout, Any]:
    """The cutout in the size and place that were asked for, and the background that it is put on."""
    if values.get("crop"):
        cutout = cutout.crop(_margins(values.get("margin", ()), cutout.box), aspect=values.get("aspect"))
    scale, position = values.get("scale"), values.get("position")
    if scale is not None or position not in (None, "original"):
        if background == "blur":
            background = Picture(blurred_background(cutout.image, cutout.alpha), None, cutout.icc_profile)
        if position == "center" or position is None:
            position = 0.5, 0.5
        cutout = placed(cutout, scale, None if position == "original" else position)
    if values.get("size") == "preview":
        cutout = shrunk(cutout, PREVIEW_PIXELS)
    return cutout, background


def _margins(margin: tuple[tuple[float, bool], ...], box: tuple[int, int, int, int] | None) -> tuple[int, ...] | int:
    """Pixels above, right, below and left."""
    if box is None or not margin:
        return 0
    sides = (box[3], box[2]) * 2
    return tuple(
        round(value * side / 100 if percent else value) for (value, percent), side in zip(margin, sides, strict=True)
    )


def _ignored(values: Mapping[str, Any]) -> dict[str, str]:
    """A header with the fields that changed nothing, if there are any."""
    names = [name for name, value in values.items() if value is Said.IGNORED]
    own = values.get("shadow") is not None  # which goes before what other services call it
    theirs = [name for name in ("add_shadow", "shadow_type") if values.get(name)]
    names += theirs * own
    names += ["shadow_opacity"] * ("shadow_opacity" in values and (own or not theirs))
    names += [name for name in ("margin", "aspect") if name in values and not values.get("crop")]
    return {"X-Ignored": ", ".join(names)} if names else {}
