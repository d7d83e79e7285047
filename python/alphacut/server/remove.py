"""``POST /api/remove``: a picture and what is said of it in, a picture file out."""

from __future__ import annotations

import base64
import io
import json
import math
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from starlette.responses import JSONResponse, Response

from .. import Cutout, Remover
from .._strokes import draw_labels
from ..files import read_image, read_labels, read_mask, write_image
from . import fields
from .errors import ApiError, cutting, reading
from .fields import Field

FIELDS = (
    Field("file", "The picture: PNG, JPEG, WebP, TIFF, BMP, GIF, PNM, JPEG 2000 or AVIF.", aliases=("image_file",)),
    Field("box", "The subject lies inside: x,y,width,height in pixels.", fields.box, example="120,80,400,520"),
    Field(
        "roi",
        "The same as a region: x1 y1 x2 y2, in pixels or percent.",
        fields.region,
        example="10% 10% 90% 100%",
    ),
    Field(
        "points",
        "Pixels of the subject, as JSON: a list of [x, y], or of [x, y, 0] for what is not the subject.",
        fields.points,
        example="[[310, 200], [40, 420, 0]]",
    ),
    Field(
        "strokes",
        'Strokes of a brush over what to keep or to remove, as JSON: a list of {"keep": true or false, '
        '"width": pixels, "points": [[x, y], ...]}.',
        fields.strokes,
        example='[{"keep": true, "width": 20, "points": [[200, 150], [240, 300]]}]',
    ),
    Field("labels", "Strokes as a picture: green (#00ff00) to keep, red (#ff0000) to remove; or gray values 0 to 3."),
    Field("mask", "The subject, bright on dark, in the picture's size: only its edge is refined."),
    Field("trimap", "Black is background, white subject, gray is to be found out; in the picture's size."),
    Field("key", "The ground has this colour.", fields.colour, example="00b140"),
    Field("method", "How the mask is found.", **fields.one_of("auto", "graphcut", "kmeans", "threshold", "key")),
    Field(
        "refine",
        "How the edge is refined; none keeps it hard.",
        **fields.one_of("auto", "none", "guided", "sampled", "closed_form"),
    ),
    Field("edge", "shift,feather: moves the edge by so many pixels and softens it.", fields.edge, example="-1,0.5"),
    Field(
        "bg_color",
        "Put the subject on this colour: rrggbb, a CSS name, r,g,b or r,g,b,a.",
        fields.colour,
        aliases=("bgc",),
        example="81d4fa",
    ),
    Field("bg_image_file", "Put the subject on this picture, scaled and cropped to cover."),
    Field("om", "Only the mask: black and white.", fields.boolean, example="false"),
    Field("channels", "alpha: only the opacity, in gray.", **fields.one_of("rgba", "alpha")),
    Field(
        "format",
        "Of the answer. auto: PNG, or JPEG where a background makes it opaque. zip: color.jpg and alpha.png. Without "
        "it, JSON if the request accepts only that, else PNG.",
        **fields.one_of("auto", "png", "jpg", "webp", "zip", "json"),
    ),
    Field("crop", "Cut off what is empty around the subject.", fields.boolean, example="false"),
    Field("crop_margin", "Pixels kept around it.", fields.whole(0, 100_000), example="0"),
    Field("size", "The answer has always the full size.", **fields.one_of("auto", "full")),
    Field("type", "The subject may be of any type.", **fields.one_of("auto")),
)

_MEDIA = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}


def remove(values: Mapping[str, Any], accept: str, max_pixels: int) -> tuple[Response, Cutout]:
    """The answer to the values of :data:`FIELDS`, files as bytes; and the cutout it is of.

    Raises
    ------
    ApiError
        400 or 413.
    """
    if "file" not in values:
        raise ApiError(400, "missing_file", "file (or image_file) is missing: the picture")
    form = _format(values, accept)
    with reading("file"):
        picture = read_image(values["file"], max_pixels=max_pixels)
    options = _options(values, picture.pixels.shape[:2], max_pixels)
    background = _background(values, max_pixels)
    with cutting():
        cutout = Remover(**options)(picture)  # a call of a remover: the memory that it leaves serves the next
    if values.get("crop"):
        cutout = cutout.crop(values.get("crop_margin", 0))
    what = "mask" if values.get("om") else "alpha" if values.get("channels") == "alpha" else "rgba"
    if form == "zip":
        return Response(_zip(cutout), media_type="application/zip", headers=_facts(cutout)), cutout
    file, media = _encoded(cutout, form if form != "json" else "png", what, background)
    if form == "json":
        return JSONResponse({"data": _data(cutout, file)}), cutout
    return Response(file, media_type=media, headers=_facts(cutout)), cutout


def _format(values: Mapping[str, Any], accept: str) -> str:
    """The form of the answer; refused, where the request contradicts itself."""
    part = values.get("om") or values.get("channels") == "alpha"
    grounds = [name for name in ("bg_color", "bg_image_file") if name in values]
    if len(grounds) > 1 or (part and grounds):
        raise ApiError(400, "contradiction", "only one of om, channels=alpha, bg_color and bg_image_file can be had")
    if values.get("om") and values.get("channels") == "alpha":
        raise ApiError(400, "contradiction", "om is the mask, channels=alpha the opacity: ask for one")
    if "box" in values and "roi" in values:
        raise ApiError(400, "contradiction", "box and roi say the same: give one")
    if "strokes" in values and "labels" in values:
        raise ApiError(400, "contradiction", "strokes and labels say the same: give one")
    if "crop_margin" in values and not values.get("crop"):
        raise ApiError(400, "contradiction", "crop_margin goes with crop=true")
    only_json = accept.split(";")[0].strip().lower() == "application/json"
    form: str = values.get("format", "json" if only_json else "png")
    opaque = bool(part or grounds)
    if form == "auto":
        return "jpeg" if grounds else "png"
    if form == "jpg" and not opaque:
        raise ApiError(400, "contradiction", "a JPEG has no transparency: add bg_color, or ask for png or webp")
    if form == "zip" and opaque:
        raise ApiError(400, "contradiction", "format=zip holds colours and opacity: it goes with no om, channels or bg")
    return "jpeg" if form == "jpg" else form


def _options(values: Mapping[str, Any], size: tuple[int, int], max_pixels: int) -> dict[str, Any]:
    """What `remove_background` is told."""
    options: dict[str, Any] = {name: values[name] for name in ("key", "method", "points", "edge") if name in values}
    if "refine" in values:
        options["refine"] = None if values["refine"] == "none" else values["refine"]
    if "box" in values:
        options["box"] = values["box"]
    if "roi" in values:
        options["box"] = _roi(values["roi"], size)
    undecided = 3 if "box" in options else 2
    if "strokes" in values:
        with reading("strokes"):
            options["labels"] = draw_labels(values["strokes"], size, undecided=undecided)
    for name in ("labels", "mask", "trimap"):
        if name in values:
            with reading(name):
                if name == "labels":
                    options[name] = read_labels(values[name], undecided=undecided, max_pixels=max_pixels)
                else:
                    plane = read_mask(values[name], max_pixels=max_pixels)
                    options[name] = plane if name == "trimap" else plane > plane.max() // 2  # soft edges are no subject
    return options


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
    return values.get("bg_color")


def _encoded(cutout: Cutout, form: str, what: str, background: Any) -> tuple[memoryview, str]:
    """A picture file and its media type."""
    file = io.BytesIO()
    with _writing():
        cutout.save(file, format=form, what=what, background=background)
    return file.getbuffer(), _MEDIA[form]


@contextmanager
def _writing() -> Iterator[None]:
    """What a format cannot hold, such as a side above its limit, as an error of the request."""
    try:
        yield
    except ValueError as error:
        raise ApiError(400, "contradiction", str(error)) from error


def _zip(cutout: Cutout) -> memoryview:
    """Colours and opacity, as other services pack them."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, pixels, form in (("color.jpg", cutout.foreground, "jpeg"), ("alpha.png", cutout.alpha, "png")):
            part = io.BytesIO()
            with _writing():
                write_image(part, pixels, format=form, icc_profile=cutout.icc_profile if form == "jpeg" else None)
            archive.writestr(name, part.getbuffer())
    return file.getbuffer()


def facts(cutout: Cutout) -> dict[str, Any]:
    """What was found, for a program."""
    return {
        "method": cutout.method,
        "subject": cutout.subject,
        "refine": cutout.refine,
        "confidence": round(cutout.confidence, 4),
        "verdict": cutout.verdict,
        "box": cutout.box,
        "warnings": cutout.warnings,
        "timings": {stage: round(seconds, 6) for stage, seconds in cutout.timings.items()},
    }


def _data(cutout: Cutout, file: memoryview) -> dict[str, Any]:
    x, y, width, height = cutout.box or (0, 0, 0, 0)
    return {
        "result_b64": base64.b64encode(file).decode(),
        "foreground_left": x,
        "foreground_top": y,
        "foreground_width": width,
        "foreground_height": height,
        **facts(cutout),
    }


def _facts(cutout: Cutout) -> dict[str, str]:
    """What was found, as headers."""
    x, y, width, height = cutout.box or (0, 0, 0, 0)
    headers = {
        "X-Width": str(cutout.alpha.shape[1]),
        "X-Height": str(cutout.alpha.shape[0]),
        "X-Foreground-Left": str(x),
        "X-Foreground-Top": str(y),
        "X-Foreground-Width": str(width),
        "X-Foreground-Height": str(height),
        "X-Method": cutout.method,
        "X-Confidence": f"{cutout.confidence:.4f}",
        "X-Verdict": cutout.verdict,
        "Server-Timing": ", ".join(f"{stage};dur={seconds * 1e3:.1f}" for stage, seconds in cutout.timings.items()),
    }
    if cutout.warnings:
        headers["X-Warnings"] = json.dumps(cutout.warnings)
    return headers
