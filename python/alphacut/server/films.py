"""The films of open pages: frames come one after the other, and a tracker is kept for each film."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from .. import Tracker
from .._arrays import box_in_pixels
from ..files import read_image
from ..options import PROMPTS
from .bench import scaled_box
from .errors import ApiError, cutting, reading
from .exchange import Endpoint, Exchange
from .fields import Field, Reader, from_row
from .kept import Kept
from .pictures import as_png, small
from .processes import Call, here

FIELDS = (
    Field("file", "A frame."),
    *(from_row(row) for row in PROMPTS if row.name in ("box", "points")),
)


class Film:
    """One film's tracker."""

    def __init__(self) -> None:
        self._track = Tracker(foreground=False)
        self.turn = asyncio.Lock()  # so that those who wait for it hold no worker
        self._lock = threading.Lock()  # so that a frame which its client has given up ends before the next begins

    def cut(
        self, data: bytes, prompt: dict[str, Any], max_pixels: int, call: Call = here
    ) -> tuple[bytes, dict[str, Any]]:
        """A PNG of the next frame's alpha, in its preview's size, and what was found."""
        start = time.perf_counter()
        with reading("file"):
            picture = call(partial(read_image, max_pixels=max_pixels), data)
        height, width = picture.pixels.shape[:2]
        frame = small(picture.pixels)
        across, down = frame.shape[1] / width, frame.shape[0] / height
        told = dict(prompt)
        if "points" in told:
            told["points"] = [(x * across, y * down, *keep) for x, y, *keep in told["points"]]
        with self._lock, cutting():
            if "box" in told:
                told["box"] = scaled_box(box_in_pixels(told["box"], (height, width)), (across, down))
            found = self._track(frame, **told)
        return as_png(found.alpha), {
            "method": found.method,
            "confidence": round(found.confidence, 4),
            "verdict": found.verdict,
            "warnings": found.warnings,
            "milliseconds": round(1e3 * (time.perf_counter() - start), 1),
        }


class Films:
    """What pages ask for, under /api/films.

    Parameters
    ----------
    kept : Kept of Film
        Few at a time: the one longest unused goes first.
    endpoint : callable
        From a name and a handler to the application behind a route.
    max_pixels : int
        Of a frame.
    call : callable
        Does what decodes.
    """

    def __init__(self, kept: Kept[Film], endpoint: Callable[..., Endpoint], max_pixels: int, call: Call = here) -> None:
        self._kept, self._max_pixels, self._call = kept, max_pixels, call
        one = "/api/films/{name}"
        self.routes: list[BaseRoute] = [
            Route("/api/films", endpoint("film", self.begin), methods=["POST"]),
            Route(one, endpoint("frame", self.go_on), methods=["POST"]),
            Route(one, self.drop, methods=["DELETE"]),
        ]

    async def begin(self, exchange: Exchange) -> Response:
        """``POST /api/films``: the first frame."""
        film = Film()
        response = await self._cut(exchange, film)
        response.headers["X-Film"] = self._kept.add(film)
        return response

    async def go_on(self, exchange: Exchange) -> Response:
        """``POST /api/films/{name}``: the next frame."""
        return await self._cut(exchange, self._kept.get(exchange.request.path_params["name"]))

    async def _cut(self, exchange: Exchange, film: Film) -> Response:
        async with exchange.form(FIELDS) as read:
            body, found = await exchange.run_alone(film.turn, self._work, read, film)
        return Response(body, media_type="image/png", headers={"X-Cutout": json.dumps(found)})

    def _work(self, read: Reader, film: Film) -> tuple[bytes, dict[str, Any]]:
        values = read()
        if "file" not in values:
            raise ApiError(400, "missing_file", "file is missing: the frame")
        return film.cut(values.pop("file").file.read(), values, self._max_pixels, self._call)

    async def drop(self, request: Request) -> Response:
        """``DELETE /api/films/{name}``."""
        self._kept.drop(request.path_params["name"])
        return Response(status_code=204)
