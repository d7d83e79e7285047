"""The application: routes, limits and errors. It knows how to answer; what to answer is in the modules beside it."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anyio
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import Remover
from .._strokes import Stroke
from . import docs, fields
from .errors import ApiError
from .metrics import Metrics
from .pictures import Pictures, Preview
from .remove import FIELDS, remove
from .settings import Settings
from .workers import Place, Workers

_T = TypeVar("_T")

STATIC = Path(__file__).parent / "static"
PICTURE_FIELDS = tuple(field for field in FIELDS if field.name == "file")
MAX_JSON = 4 * 2**20
# A client that is refused before it has sent its picture may not see the answer until it has: for so long it may.
_DRAIN_SECONDS = 5
_SWEEP_SECONDS = 20

_HEADERS = [
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]


def create_app(settings: Settings | None = None) -> Starlette:
    """The ASGI application.

    Parameters
    ----------
    settings : Settings, optional
        Its limits.

    Returns
    -------
    starlette.applications.Starlette
        For one run of one event loop in one process: workers and pictures are its own.
    """
    settings = settings or Settings()
    service = _Service(settings)
    most = settings.max_body
    routes = [
        Route("/", partial(_file, "index.html")),
        Mount("/static", StaticFiles(directory=STATIC)),
        Route("/docs", service.docs),
        Route("/openapi.json", service.openapi),
        Route("/healthz", service.health),
        Route("/metrics", service.measurements),
        Route("/api/remove", service.endpoint("remove", service.remove, most), methods=["POST"]),
        Route("/api/pictures", service.endpoint("pictures", service.add_picture, most), methods=["POST"]),
        Route("/api/pictures/{name}", service.drop_picture, methods=["DELETE"]),
        Route(
            "/api/pictures/{name}/cut",
            service.endpoint("cut", service.cut_picture, min(most, MAX_JSON)),
            methods=["POST"],
        ),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(_Headers)],
        exception_handlers={HTTPException: _refused, Exception: _failed},
        lifespan=service.lifespan,
    )


class _Service:
    """What the endpoints share."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._workers = Workers(settings.workers, settings.places)
        self._pictures = Pictures(settings.pictures, settings.idle)
        self._metrics = Metrics(lambda: len(self._pictures))

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Between the server's start and its end."""
        keeper = Remover()  # while it lives, the kernels' memory serves the next request
        keeper.warmup((256, 256))
        async with anyio.create_task_group() as group:
            group.start_soon(self._sweep)
            yield
            group.cancel_scope.cancel()
        self._workers.close()
        keeper.reset()

    async def _sweep(self) -> None:
        while True:
            await anyio.sleep(_SWEEP_SECONDS)
            self._pictures.forget_idle()

    # --- endpoints that compute --------------------------------------------------------------------------------------

    def endpoint(
        self, name: str, handle: Callable[[Request, Place, float], Awaitable[Response]], max_body: int
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint for which a request needs a place; its answers, errors too, are counted and timed."""

        async def answer(request: Request) -> Response:
            start = time.perf_counter()
            body = _Body(request, max_body)
            try:
                with self._workers.place() as place, self._metrics.under_way.track_inprogress():
                    body.require_small()
                    deadline = anyio.current_time() + self._settings.timeout
                    response = await handle(Request(request.scope, body), place, deadline)
            except ClientDisconnect:
                response = Response(status_code=499)  # seen by nobody but the metrics
            except (ApiError, HTTPException) as error:
                await body.drain()
                response = _as_response(error)
            except Exception:
                self._metrics.requests.labels(name, "500").inc()
                raise
            response.headers.setdefault("Cache-Control", "no-store")
            self._metrics.requests.labels(name, str(response.status_code)).inc()
            self._metrics.seconds.labels(name).observe(time.perf_counter() - start)
            return response

        return answer

    async def remove(self, request: Request, place: Place, deadline: float) -> Response:
        """``POST /api/remove``."""
        accept = request.headers.get("accept", "")

        def work(values: dict[str, Any]) -> Response:
            response, cutout = remove(values, accept, self._settings.max_pixels)
            self._metrics.cut(cutout.alpha.size, cutout.timings)
            return response

        return await self._with_form(request, place, deadline, FIELDS, work)

    async def add_picture(self, request: Request, place: Place, deadline: float) -> Response:
        """``POST /api/pictures``."""

        def work(values: dict[str, Any]) -> Preview:
            if "file" not in values:
                raise ApiError(400, "missing_file", "file is missing: the picture")
            return Preview(values["file"], self._settings.max_pixels)

        preview = await self._with_form(request, place, deadline, PICTURE_FIELDS, work)
        height, width = preview.size
        small_height, small_width = preview.small_size
        body = {
            "id": self._pictures.add(preview),
            "width": width,
            "height": height,
            "preview": {"width": small_width, "height": small_height},
        }
        return JSONResponse(body, 201)

    async def cut_picture(self, request: Request, place: Place, deadline: float) -> Response:
        """``POST /api/pictures/{name}/cut``."""
        preview = self._pictures.get(request.path_params["name"])
        box, strokes, draft = _cut_request(await self._read(deadline, request.body()))
        png, found = await self._work(deadline, place.run(preview.cut, box, strokes, draft))
        return Response(png, media_type="image/png", headers={"X-Cutout": json.dumps(found)})

    async def _with_form(
        self,
        request: Request,
        place: Place,
        deadline: float,
        known: tuple[fields.Field, ...],
        work: Callable[[dict[str, Any]], _T],
    ) -> _T:
        """What `work` makes of the form's values, in a worker."""
        if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            raise ApiError(415, "not_multipart", "Send the picture as multipart/form-data, in the field 'file'.")
        form = await self._read(deadline, request.form(max_files=len(known), max_fields=len(known)))
        try:
            given = [*request.query_params.multi_items(), *form.multi_items()]
            values = fields.parse(known, given, lambda value: isinstance(value, UploadFile))
            return await self._work(deadline, place.run(lambda: work(_loaded(values))))
        finally:
            await form.close()

    async def _read(self, deadline: float, body: Awaitable[_T]) -> _T:
        error = ApiError(
            408, "slow_request", f"The request took more than {self._settings.timeout} seconds to come in."
        )
        return await _until(deadline, body, error)

    async def _work(self, deadline: float, work: Awaitable[_T]) -> _T:
        error = ApiError(504, "timeout", f"Not done within {self._settings.timeout} seconds.")
        return await _until(deadline, work, error)

    # --- endpoints that do not ---------------------------------------------------------------------------------------

    async def drop_picture(self, request: Request) -> Response:
        """``DELETE /api/pictures/{name}``."""
        self._pictures.drop(request.path_params["name"])
        return Response(status_code=204)

    async def health(self, request: Request) -> Response:
        """``GET /healthz``."""
        return JSONResponse({"status": "ok"})

    async def openapi(self, request: Request) -> Response:
        """``GET /openapi.json``."""
        return JSONResponse(docs.document(self._settings))

    async def docs(self, request: Request) -> Response:
        """``GET /docs``."""
        return HTMLResponse(docs.page(docs.document(self._settings)))

    async def measurements(self, request: Request) -> Response:
        """``GET /metrics``."""
        return Response(self._metrics.page(), media_type=self._metrics.content_type)


class _Body:
    """The body of a request as it comes in, counted."""

    def __init__(self, request: Request, limit: int) -> None:
        self._receive, self._limit = request.receive, limit
        declared = request.headers.get("content-length", "")
        self._declared = int(declared) if declared.isdecimal() else 0
        self._size, self._complete = 0, False

    def require_small(self) -> None:
        """Refuse at once what says itself that it is too much."""
        if max(self._declared, self._size) > self._limit:
            raise ApiError(413, "body_too_large", f"The request is larger than {self._limit} bytes.")

    async def __call__(self) -> Message:
        message = await self._receive()
        self._complete = message["type"] != "http.request" or not message.get("more_body", False)
        self._size += len(message.get("body", b""))
        self.require_small()
        return message

    async def drain(self) -> None:
        """Take what still comes, for a while: many clients read no answer before they have sent everything."""
        with anyio.move_on_after(_DRAIN_SECONDS):
            while not self._complete:
                message = await self._receive()
                self._complete = message["type"] != "http.request" or not message.get("more_body", False)


async def _until(deadline: float, awaited: Awaitable[_T], error: ApiError) -> _T:
    """What is awaited, or the error once it is too late."""
    with anyio.CancelScope(deadline=deadline):
        return await awaited
    raise error  # reached only if the scope was cancelled


def _loaded(values: dict[str, Any]) -> dict[str, Any]:
    """The same with files as bytes."""
    return {name: value.file.read() if isinstance(value, UploadFile) else value for name, value in values.items()}


def _cut_request(body: bytes) -> tuple[tuple[int, ...] | None, list[Stroke], bool]:
    """Box, strokes and whether a draft will do, from the JSON of a page."""
    try:
        found = json.loads(body)
        if not isinstance(found, dict) or not found.keys() <= {"box", "strokes", "draft"}:
            raise ValueError("must be an object with box, strokes and draft")
        draft = found.get("draft", False)
        if not isinstance(draft, bool):
            raise ValueError(f"draft must be true or false, got {draft!r:.80}")
        return fields.checked_box(found.get("box")), fields.checked_strokes(found.get("strokes", [])), draft
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "invalid_request", f"The request's JSON: {error}") from error


async def _file(name: str, request: Request) -> Response:
    return FileResponse(STATIC / name)


def _as_response(error: ApiError | HTTPException) -> Response:
    """The one form of every error."""
    if isinstance(error, HTTPException):
        error = ApiError(error.status_code, "bad_request", error.detail, error.headers)
    return error.response()


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # such as 404 and 405
    return _as_response(error)


async def _failed(request: Request, error: Exception) -> Response:
    """The answer to a fault of ours; the server then logs the exception, which is raised again."""
    return ApiError(500, "internal_error", "The server failed; its log says more.").response()


class _Headers:
    """Adds what every answer says to a browser."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-cache"))  # kept, but asked about before it is used again
                message["headers"] = headers + _HEADERS
            await send(message)

        await self._app(scope, receive, with_headers)
