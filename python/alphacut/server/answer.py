"""What is answered: a cutout as a picture file, a ZIP or JSON, and what was found as headers."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from starlette.responses import JSONResponse, Response

from .. import Cutout
from ..files import write_image
from .errors import ApiError

MEDIA = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "tiff": "image/tiff"}


def require_writable(form: str, encoding: Mapping[str, Any]) -> None:
    """One pixel can be written so, before any work is done."""
    for each in {"zip": ("jpeg", "png"), "json": ("png",)}.get(form, (form,)):
        with _writing():
            write_image(io.BytesIO(), np.zeros((1, 1), np.uint8), format=each, **_encoding_of(each, form, encoding))


def _encoding_of(part: str, form: str, encoding: Mapping[str, Any]) -> dict[str, Any]:
    """In a ZIP, each of the two pictures takes what is its own."""
    own = {"jpeg": "quality", "png": "png_level"}
    return {name: value for name, value in encoding.items() if form != "zip" or name == own[part]}


def response(
    cutout: Cutout,
    form: str,
    what: str,
    background: Any,
    encoding: Mapping[str, Any],
    *,
    shadow: Any,
    exif: bool,
    more: Mapping[str, str],
) -> Response:
    """The whole answer in this form; `more` are headers beside those of the cutout."""
    headers = {**_headers(cutout), **more}
    if form == "zip":
        return Response(_zipped(cutout, encoding, exif=exif), media_type="application/zip", headers=headers)
    picture = "png" if form == "json" else form
    file = io.BytesIO()
    with _writing():
        cutout.save(file, format=picture, what=what, background=background, shadow=shadow, exif=exif, **encoding)
    if form == "json":
        return JSONResponse({"data": _data(cutout, file.getbuffer())}, headers=headers)
    return Response(file.getbuffer(), media_type=MEDIA[form], headers=headers)


@contextmanager
def _writing() -> Iterator[None]:
    """What a format cannot hold, such as a side above its limit, as an error of the request."""
    try:
        yield
    except ValueError as error:
        raise ApiError(400, "contradiction", str(error)) from error


def _zipped(cutout: Cutout, encoding: Mapping[str, Any], *, exif: bool) -> memoryview:
    """Colours and opacity, as other services pack them; what is told of the photo goes with the colours."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, pixels, form in (("color.jpg", cutout.foreground, "jpeg"), ("alpha.png", cutout.alpha, "png")):
            part = io.BytesIO()
            with _writing():
                told = {"icc_profile": cutout.icc_profile, "exif": cutout.exif if exif else None}
                own = _encoding_of(form, "zip", encoding) | (told if form == "jpeg" else {})
                write_image(part, pixels, format=form, dpi=cutout.dpi, **own)
            archive.writestr(name, part.getbuffer())
    return file.getbuffer()


def _facts(cutout: Cutout) -> dict[str, Any]:
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
    """The picture in base64, and what was found."""
    x, y, width, height = cutout.box or (0, 0, 0, 0)
    return {
        "result_b64": base64.b64encode(file).decode(),
        "foreground_left": x,
        "foreground_top": y,
        "foreground_width": width,
        "foreground_height": height,
        **_facts(cutout),
    }


def _headers(cutout: Cutout) -> dict[str, str]:
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
