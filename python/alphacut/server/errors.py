"""What a client did wrong, or the server cannot do now, as one answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from ..files import DecodeError, TooManyPixelsError


class ApiError(Exception):
    """An answer that is not 2xx: its status, a word for programs and a sentence for people."""

    def __init__(self, status: int, code: str, title: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(title)
        self.status, self.code, self.title, self.headers = status, code, title, headers

    def __reduce__(self) -> tuple[type[ApiError], tuple[object, ...]]:
        return type(self), (self.status, self.code, self.title, self.headers)

    def response(self) -> JSONResponse:
        """As JSON."""
        body = {"errors": [{"code": self.code, "title": self.title}]}
        return JSONResponse(body, self.status, self.headers)


def as_response(error: ApiError | HTTPException) -> JSONResponse:
    """The one form of every error."""
    if isinstance(error, HTTPException):
        error = ApiError(error.status_code, "bad_request", error.detail, error.headers)
    return error.response()


@contextmanager
def reading(field: str) -> Iterator[None]:
    """What can be wrong with a picture of a request, as the error of its field."""
    try:
        yield
    except TooManyPixelsError as error:
        raise ApiError(413, "too_many_pixels", _named(field, error)) from error
    except DecodeError as error:
        raise ApiError(400, "invalid_picture", _named(field, error)) from error
    except (ValueError, TypeError) as error:
        raise ApiError(400, "invalid_field", _named(field, error)) from error


@contextmanager
def cutting() -> Iterator[None]:
    """What the pipeline refuses, as an error of the request."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise ApiError(400, "invalid_prompt", str(error)) from error


def _named(field: str, error: Exception) -> str:
    return f"{field}: {str(error).removeprefix('the bytes given: ').removeprefix(f'{field} ')}"
