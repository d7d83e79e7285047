"""The OpenAPI document, and a page that shows it without loading anything from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

from .. import __version__
from . import films
from .fields import Field
from .remove import FIELDS
from .settings import Settings

REMOVE_PATHS = ("/api/remove", "/v1.0/removebg")
"""Ours, and the one at which clients of another remover look for it."""

_BOX = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4, "nullable": True}
_STROKE = {
    "type": "object",
    "required": ["keep", "width", "points"],
    "properties": {
        "keep": {"type": "boolean", "description": "To keep, or to remove."},
        "width": {"type": "number", "description": "Of the round brush, in pixels of the picture."},
        "points": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
    },
}


def document(settings: Settings, prefix: str = "") -> dict[str, Any]:
    """The OpenAPI 3.0 document of a server with these limits, below a path."""
    return {
        "openapi": "3.0.3",
        "servers": [{"url": prefix or "/"}],
        "info": {
            "title": "alphacut",
            "version": __version__,
            "description": "Cuts the subject out of a picture. Pictures stay on this machine; nothing is fetched.",
        },
        "paths": {
            **{path: {"post": _remove(settings)} for path in REMOVE_PATHS},
            "/api/pictures": {"post": _add_picture(settings)},
            "/api/pictures/{name}": {"get": _show_picture(settings), "delete": _drop_picture()},
            "/api/pictures/{name}/cut": {"post": _cut_picture(settings)},
            **_of_pages(settings),
            **_films(settings),
            "/healthz": {
                "get": _operation("Whether the server is up.", {"200": _answer("It is.", "application/json")})
            },
            "/readyz": {
                "get": _operation(
                    "Whether requests would be worked on.",
                    {"200": _answer("They would.", "application/json"), "503": _answer("Not now.", "application/json")},
                )
            },
            "/metrics": {"get": _operation("Figures for Prometheus.", {"200": _answer("Text.", "text/plain")})},
        },
        "components": {
            "schemas": {
                "Errors": {
                    "type": "object",
                    "required": ["errors"],
                    "properties": {
                        "errors": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["code", "title"],
                                "properties": {"code": {"type": "string"}, "title": {"type": "string"}},
                            },
                        }
                    },
                }
            }
        },
    }


def _remove(settings: Settings) -> dict[str, Any]:
    picture = {"type": "string", "format": "binary"}
    answers = {
        "200": {
            "description": "The cutout. Headers X-Foreground-Left, -Top, -Width and -Height say where the subject is, "
            "X-Method, X-Confidence (0 to 1) and X-Warnings (JSON) how it was found, Server-Timing how long it took, "
            "and X-Ignored which fields changed nothing.",
            "content": {
                **{f"image/{form}": {"schema": picture} for form in ("png", "jpeg", "webp", "tiff")},
                "application/zip": {"schema": picture},
                "application/json": {"schema": {"type": "object"}},
            },
        },
        **_errors(settings, "400", "408", "413", "415", "503", "504"),
    }
    return _operation("Cut the subject out of a picture.", answers, _form(FIELDS))


def _add_picture(settings: Settings) -> dict[str, Any]:
    answers = {
        "201": _answer("Its id, its size and that of its preview.", "application/json"),
        **_errors(settings, "400", "408", "413", "415", "503", "504"),
    }
    return _operation(
        f"Keep a picture to cut it again and again, in a preview's size. The latest {settings.pictures} are kept.",
        answers,
        _form([field for field in FIELDS if field.name == "file"]),
    )


def _cut_picture(settings: Settings) -> dict[str, Any]:
    properties = {
        "box": {**_BOX, "description": "x, y, width, height: the subject lies inside."},
        "strokes": {"type": "array", "items": _STROKE, "description": "Later ones cover earlier ones."},
        "draft": {"type": "boolean", "description": "Only the alpha, soon; else the finished cutout."},
        **_EDIT,
    }
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": properties}}}}
    answers = {
        "200": _answer("A PNG in the preview's size; X-Cutout says, as JSON, what was found.", "image/png"),
        **_errors(settings, "400", "404", "408", "413", "503", "504"),
    }
    operation = _operation("Cut a kept picture. All lengths are in pixels of the full picture.", answers, body)
    return {**operation, "parameters": _NAME}


def _of_pages(settings: Settings) -> dict[str, Any]:
    """What only a page asks for; all of it with the properties of a cut."""
    errors = _errors(settings, "400", "404", "408", "413", "503", "504")
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    wish = "what, background (a colour, blur, picture), shadow (as in Python), crop, margin, aspect, region, format, "
    wish += "quality"
    blurred = _operation(
        "The preview's own background, blurred.", {"200": _answer("A PNG.", "image/png")} | errors, body
    )
    file = _operation(
        f"The finished file in full size. Beside the properties of a cut: {wish}.",
        {"200": _answer("A PNG, WebP, JPEG or TIFF.", "image/*")} | errors,
        body,
    )
    shadow = _operation(
        "The shadow of the preview's cutout, alone.", {"200": _answer("A PNG.", "image/png")} | errors, body
    )
    form = _form([field for field in FIELDS if field.name == "file"])
    paths: dict[str, Any] = {"blurred": {"post": blurred}, "shadow": {"post": shadow}, "file": {"post": file}}
    for what in ("mask", "background"):
        answers = {"204": {"description": "Kept."}} | errors | _errors(settings, "415")
        paths[what] = {"put": _operation(f"Keep a file as the picture's {what}.", answers, form)}
    return {
        f"/api/pictures/{{name}}/{name}": {method: {**each, "parameters": _NAME} for method, each in methods.items()}
        for name, methods in paths.items()
    }


def _show_picture(settings: Settings) -> dict[str, Any]:
    answers = {"200": _answer("A PNG in the preview's size.", "image/png"), **_errors(settings, "404", "503", "504")}
    return {**_operation("The preview of a kept picture, upright.", answers), "parameters": _NAME}


def _drop_picture() -> dict[str, Any]:
    return {**_operation("Forget a kept picture.", {"204": {"description": "Forgotten."}}), "parameters": _NAME}


def _films(settings: Settings) -> dict[str, Any]:
    answer = _answer(
        "A gray PNG of the frame's alpha, of at most 0.75 megapixels; X-Cutout says, as JSON, what was found.",
        "image/png",
    )
    errors = _errors(settings, "400", "408", "413", "415", "503", "504")
    form = _form(list(films.FIELDS))
    first = _operation(
        "Begin a film by its first frame; box or points say what is followed, or else it is found. The answer's X-Film "
        f"is the film's name. The latest {settings.pictures} are kept, each for {settings.idle} seconds after a frame.",
        {"200": answer, **errors},
        form,
    )
    following = _operation(
        "The next frame of a film: one at a time, each when the answer to the one before is there. Points correct, "
        "a box begins anew.",
        {"200": answer, **errors, **_errors(settings, "404")},
        form,
    )
    forget = _operation("Forget a film.", {"204": {"description": "Forgotten."}})
    return {
        "/api/films": {"post": first},
        "/api/films/{name}": {
            "post": {**following, "parameters": _NAME},
            "delete": {**forget, "parameters": _NAME},
        },
    }


_EDIT = {
    "points": {"type": "array", "description": "[x, y] of the subject, [x, y, 0] of what is not."},
    "mask": {"type": "boolean", "description": "The mask that was kept is the subject."},
    "key": {"type": "string", "description": "The plain background's colour; auto: the border's."},
    "similarity": {"type": "number"},
    "blend": {"type": "number"},
    "despill": {"type": "boolean"},
    "clean": {"type": "boolean"},
    "refine": {"type": "boolean"},
    "edge": {"type": "array", "description": "shift, feather"},
    "foreground": {"type": "boolean"},
    "paint": {"type": "array", "description": "Strokes into the alpha itself, each with a softness of 0 to 1."},
}
_NAME = [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}]


def _operation(summary: str, answers: dict[str, Any], body: dict[str, Any] | None = None) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": summary, "responses": answers}
    if body is not None:
        operation["requestBody"] = {"required": True, **body}
    return operation


def _answer(description: str, media: str) -> dict[str, Any]:
    kind = {"type": "string", "format": "binary"} if media.startswith("image") else {}
    return {"description": description, "content": {media: {"schema": kind}}}


def _errors(settings: Settings, *statuses: str) -> dict[str, Any]:
    meanings = {
        "400": "A field that is missing, unknown or wrong, or a picture that cannot be read.",
        "404": "The picture or film is not kept here, or no longer.",
        "408": f"The request took more than {settings.timeout} seconds to come in.",
        "413": f"More than {settings.max_body} bytes, or a picture of more than {settings.max_pixels} pixels.",
        "415": "No form: multipart/form-data, or with the picture in base64 urlencoded or JSON.",
        "503": f"{settings.places} requests are under way; Retry-After says when to ask again.",
        "504": f"Not done within {settings.timeout} seconds.",
    }
    schema = {"application/json": {"schema": {"$ref": "#/components/schemas/Errors"}}}
    return {status: {"description": meanings[status], "content": schema} for status in statuses}


_TEXTS = ("application/x-www-form-urlencoded", "application/json")


def _form(known: tuple[Field, ...] | list[Field]) -> dict[str, Any]:
    """The bodies that a form can come in: with files, or as texts with files in base64."""

    file = next(field for field in known if field.name == "file")
    needed = [{"required": [name]} for name in (file.name, *file.aliases)]

    def body(form: str) -> dict[str, Any]:
        properties = {name: _schema(field, name, form) for field in known for name in (field.name, *field.aliases)}
        return {"schema": {"type": "object", "properties": properties, "anyOf": needed}}

    return {"content": {"multipart/form-data": body("binary"), **dict.fromkeys(_TEXTS, body("byte"))}}


def _schema(field: Field, name: str, file: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "description": field.help}
    if name != field.name:
        schema["description"] = f"The same as {field.name}."
    if field.parse is None:
        schema["format"] = file
    if field.words:
        schema["enum"] = list(field.words)
    if field.example:
        schema["example"] = field.example
    return schema


# --- as a page -------------------------------------------------------------------------------------------------------


def page(document: dict[str, Any], base: str) -> str:
    """The document for people, who reach the server at `base`."""
    parts = [
        _section(method, path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>alphacut: the API</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="static/docs.css">'
        f"<main><h1>alphacut {escape(document['info']['version'])}</h1><p>{escape(document['info']['description'])} "
        '<a href="./">Try it</a>, or read this as <a href="openapi.json">OpenAPI</a>.</p>'
        f"<pre>curl -F file=@photo.jpg {escape(base)}/api/remove -o cutout.png</pre>"
        f"{''.join(parts)}</main></html>"
    )


def _section(method: str, path: str, operation: dict[str, Any]) -> str:
    text = f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(operation['summary'])}</p>"
    bodies = operation.get("requestBody", {}).get("content", {})
    for media, content in bodies.items():
        text += f"<h3>{escape(media)}</h3>"
        if media in _TEXTS and len(bodies) > 1:
            text += "<p>The same fields, files in base64.</p>"
        else:
            text += _table((name, _meaning(schema)) for name, schema in content["schema"].get("properties", {}).items())
    answers = ((status, answer["description"]) for status, answer in operation["responses"].items())
    return text + "<h3>Answers</h3>" + _table(answers)


def _meaning(schema: dict[str, Any]) -> str:
    text: str = schema.get("description", "")
    if "enum" in schema:
        text += f" One of {', '.join(schema['enum'])}."
    elif "example" in schema:
        text += f" Such as {schema['example']}"
    return ("A file. " if schema.get("format") == "binary" else "") + text


def _table(rows: Any) -> str:
    cells = (f"<tr><th><code>{escape(name)}</code></th><td>{escape(text)}</td></tr>" for name, text in rows)
    return f"<table>{''.join(cells)}</table>"
