"""The application: routes, limits and errors. It knows how to answer; what to answer is in the modules beside it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Match, Mount, Route
from starlette.staticfiles import StaticFiles

from .. import Remover
from . import docs, fields
from .door import Door
from .errors import ApiError, as_response
from .exchange import Endpoint, Exchange
from .films import Film, Films
from .kept import Kept
from .metrics import Metrics
from .pages import Pages
from .pictures import Pictures
from .processes import Processes
from .remove import FIELDS, answered
from .settings import Settings
from .workers import Workers

STATIC = Path(__file__).parent / "static"
_SWEEP_SECONDS = 20


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
    service = _Service(settings or Settings())
    routes = [
        Route("/", partial(_file, "index.html")),
        Route("/live", partial(_file, "live.html")),
        Mount("/static", StaticFiles(directory=STATIC)),
        Route("/docs", service.docs),
        Route("/openapi.json", service.openapi),
        Route("/healthz", service.health),
        Route("/readyz", service.ready),
        Route("/metrics", service.measurements),
        *(Route(path, service.endpoint("remove", service.remove), methods=["POST"]) for path in docs.REMOVE_PATHS),
        *service.pages.routes,
        *service.films.routes,
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Door, hosts=service.settings.hosts, token=service.settings.token)],
        exception_handlers={HTTPException: _refused, ApiError: _refused, Exception: _failed},
        lifespan=service.lifespan,
    )


class _Service:
    """What the endpoints share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._workers = Workers(settings.workers, settings.places, settings.max_bodies)
        self._pictures = Pictures(settings.pictures, settings.idle)
        self._films: Kept[Film] = Kept(settings.pictures, settings.idle, "film")
        self._metrics = Metrics(lambda: self._workers.taken, lambda: len(self._pictures), lambda: len(self._films))
        self.pages = Pages(self._pictures, self.endpoint, settings.max_pixels, self._call)
        self.films = Films(self._films, self.endpoint, settings.max_pixels, self._call)
        self._processes: Processes | None = None

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Between the server's start and its end."""
        if self.settings.isolate:
            models = self.settings.models
            self._processes = Processes(self.settings.workers, self.settings.memory, models)
        keeper = Remover()  # while it lives, the kernels' memory serves the next request
        keeper.warmup((256, 256))
        async with anyio.create_task_group() as group:
            group.start_soon(self._sweep)
            yield
            group.cancel_scope.cancel()
        self._workers.close()
        if self._processes is not None:
            self._processes.close()
        keeper.reset()

    def _call(self, work: Callable[..., Any], *args: Any) -> Any:
        """What work comes to that meets bytes of strangers, in a process if there are any."""
        return work(*args) if self._processes is None else self._processes.call(work, *args)

    async def _sweep(self) -> None:
        while True:
            await anyio.sleep(_SWEEP_SECONDS)
            self._pictures.forget_idle()
            self._films.forget_idle()

    # --- endpoints that compute --------------------------------------------------------------------------------------

    def endpoint(
        self, name: str, handle: Callable[[Exchange], Awaitable[Response]], max_body: int | None = None
    ) -> Endpoint:
        """The application behind a route."""
        settings = self.settings
        most = settings.max_body if max_body is None else min(max_body, settings.max_body)
        return Endpoint(name, handle, self._workers, self._metrics, most, settings.timeout)

    async def remove(self, exchange: Exchange) -> Response:
        """``POST /api/remove``."""
        accept = exchange.request.headers.get("accept", "")

        def work(read: fields.Reader) -> Response:
            models = None if self.settings.isolate else self.settings.models
            given = _loaded(read()), accept, self.settings.max_pixels, models
            response, pixels, timings = self._call(answered, *given)
            self._metrics.cut(pixels, timings)
            return response

        async with exchange.form(FIELDS) as read:
            return await exchange.run(work, read)

    # --- endpoints that do not ---------------------------------------------------------------------------------------

    async def health(self, request: Request) -> Response:
        """``GET /healthz``: that it answers at all."""
        return JSONResponse({"status": "ok"})

    async def ready(self, request: Request) -> Response:
        """``GET /readyz``: that requests would be worked on."""
        if not self._workers.ready:
            raise ApiError(503, "stuck", "Every worker is busy with what nobody waits for any more.")
        return JSONResponse({"status": "ok"})

    async def openapi(self, request: Request) -> Response:
        """``GET /openapi.json``."""
        return JSONResponse(docs.document(self.settings, _prefix(request)))

    async def docs(self, request: Request) -> Response:
        """``GET /docs``."""
        prefix = _prefix(request)
        document = docs.document(self.settings, prefix)
        return HTMLResponse(docs.page(document, f"{request.url.scheme}://{request.url.netloc}{prefix}"))

    async def measurements(self, request: Request) -> Response:
        """``GET /metrics``."""
        return Response(self._metrics.page(), media_type=self._metrics.content_type)


def _prefix(request: Request) -> str:
    """The path below which clients see this application: a mount's, the server's, or what a proxy says it cut off."""
    root = str(request.scope.get("root_path", "")).rstrip("/")
    cut = request.headers.get("x-forwarded-prefix", "").rstrip("/")
    if not re.fullmatch(r"(/[\w.~-]+)+", cut, re.ASCII) or f"{root}/".startswith(f"{cut}/"):
        return root
    return cut + root


def _loaded(values: dict[str, Any]) -> dict[str, Any]:
    """The same with files as bytes."""
    return {name: value.file.read() if isinstance(value, UploadFile) else value for name, value in values.items()}


async def _file(name: str, request: Request) -> Response:
    return FileResponse(STATIC / name)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, (HTTPException, ApiError))  # such as 404 and 405
    response = as_response(error)
    if response.status_code == 405:  # Starlette knows the methods of one route, but a path may have several
        found = [route for route in request.app.routes if route.matches(request.scope)[0] != Match.NONE]
        methods = {each for route in found if isinstance(route, Route) for each in route.methods or ()}
        response.headers["Allow"] = ", ".join(sorted(methods or {"GET", "HEAD"}))  # none: a file's
    return response


async def _failed(request: Request, error: Exception) -> Response:
    """The answer to a fault of ours; the server then logs the exception, which is raised again."""
    return ApiError(500, "internal_error", "The server failed; its log says more.").response()
