"""The bodies of requests as the names and texts or files of their fields."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qsl

from python_multipart.multipart import parse_options_header
from starlette.formparsers import MultiPartParser

from .. import _text
from .errors import ApiError
from .fields import MAX_TEXT


class FormReader(MultiPartParser):
    """Also takes for files what clients send without ``filename``: with ``filename*``, or a picture's type alone.

    Texts, but those in the fields named in `files`, have :data:`MAX_TEXT` bytes at most, all of them together.
    """

    def __init__(self, *arguments: Any, files: Collection[str], **limits: Any) -> None:
        super().__init__(*arguments, **limits)
        self._files, self._kept = files, 0
        self._name, self._value = b"", b""
        self._headers: dict[bytes, bytes] = {}

    def on_part_begin(self) -> None:
        """A part begins."""
        self._headers = {}
        super().on_part_begin()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        """A piece of a header's name."""
        self._name += data[start:end]
        super().on_header_field(data, start, end)

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        """A piece of a header's value."""
        self._value += data[start:end]
        super().on_header_value(data, start, end)

    def on_header_end(self) -> None:
        """A header is whole."""
        self._headers[self._name.lower()] = self._value
        self._name, self._value = b"", b""
        super().on_header_end()

    def on_headers_finished(self) -> None:
        """All headers are there: a file has its name added."""
        disposition = self._headers.get(b"content-disposition", b"")
        kind = self._headers.get(b"content-type", b"").strip().lower()
        named = b"filename" in parse_options_header(disposition)[1]
        extended = re.search(rb";\s*filename\*\d*\*?\s*=", disposition, re.IGNORECASE)
        if not named and (extended or kind.startswith((b"image/", b"application/octet-stream"))):
            for piece, add in ((b"content-disposition", self.on_header_field), (disposition, self.on_header_value)):
                add(piece, 0, len(piece))
            name = b'; filename="file"'
            self.on_header_value(name, 0, len(name))
            self.on_header_end()
        super().on_headers_finished()

    @property
    def _is_text(self) -> bool:
        return self._current_part.file is None and self._current_part.field_name not in self._files

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """A piece of a part."""
        if self._is_text:
            self._kept += end - start
            if self._kept > MAX_TEXT:
                name = self._current_part.field_name[:80]
                title = (
                    f"{name}: must have at most {MAX_TEXT} characters, got {self._kept} or more with the texts before"
                )
                raise ApiError(400, "invalid_field", title)
        super().on_part_data(data, start, end)


def from_urlencoded(body: bytes, most: int) -> list[tuple[str, str]]:
    """The fields of an urlencoded form; at most so many."""
    try:
        return parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=most, errors="strict")
    except ValueError as error:
        raise ApiError(400, "bad_request", f"The urlencoded form cannot be read: {error}") from error


def from_json(body: bytes, most: int) -> list[tuple[str, str]]:
    """The members of a JSON object as texts: null as none, lists with commas, and lists of more than that as JSON."""
    try:
        found = _text.from_json(body)
        if not isinstance(found, dict):
            raise ValueError("must be an object with the fields")
        return [(name, _told(value)) for name, value in found.items() if value is not None]
    except ValueError as error:
        raise ApiError(400, "bad_request", f"The body: {error}") from error


def _told(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, (int, float)) for each in value):
        return ",".join(map(_told, value))
    return json.dumps(value)
