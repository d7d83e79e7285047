"""The endpoints of open pages: their pictures come, are cut as the user says, are saved, and go."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from .answer import MEDIA
from .edits import cut_request, file_request
from .errors import ApiError
from .exchange import Endpoint, Exchange
from .fields import MAX_TEXT, Field, Reader
from .pictures import Pictures, Preview
from .processes import Call, here

_FILE = (Field("file", "A picture."),)


class Pages:
    """What they ask for, under /api/pictures.

    Parameters
    ----------
    pictures : Pictures
        Where they are kept.
    endpoint : callable
        From a name, a handler and the most bytes of a body to the application behind a route.
    max_pixels : int
        Of a picture.
    call : callable
        Does what decodes.
    """

    def __init__(
        self, pictures: Pictures, endpoint: Callable[..., Endpoint], max_pixels: int, call: Call = here
    ) -> None:
        self._pictures, self._max_pixels, self._call = pictures, max_pixels, call
        one = "/api/pictures/{name}"
        known: tuple[tuple[str, str, str, Callable[[Exchange], Awaitable[Response]], int | None], ...] = (
            ("POST", "/api/pictures", "pictures", self.add, None),
            ("GET", one, "preview", self.show, MAX_TEXT),
            ("POST", f"{one}/cut", "cut", self.cut, MAX_TEXT),
            ("POST", f"{one}/blurred", "blurred", self.blurred, MAX_TEXT),
            ("POST", f"{one}/shadow", "shadow", self.shadow, MAX_TEXT),
            ("POST", f"{one}/file", "file", self.file, MAX_TEXT),
            ("PUT", f"{one}/mask", "mask", partial(self.set, what="mask"), None),
            ("PUT", f"{one}/background", "background", partial(self.set, what="background"), None),
        )
        self.routes: list[BaseRoute] = [
            *(
                Route(path, endpoint(name, handle, most), methods=[method])
                for method, path, name, handle, most in known
            ),
            Route(one, self.drop, methods=["DELETE"]),
        ]

    def _preview(self, exchange: Exchange) -> Preview:
        return self._pictures.get(exchange.request.path_params["name"])

    async def add(self, exchange: Exchange) -> Response:
        """``POST /api/pictures``."""

        def work(read: Reader) -> Preview:
            return Preview(_file(read()), self._max_pixels, self._call)

        async with exchange.form(_FILE) as read:
            preview = await exchange.run(work, read)
        height, width = preview.size
        small_height, small_width = preview.small_size
        body = {
            "id": self._pictures.add(preview),
            "width": width,
            "height": height,
            "preview": {"width": small_width, "height": small_height},
        }
        return JSONResponse(body, 201)

    async def set(self, exchange: Exchange, what: str) -> Response:
        """``PUT /api/pictures/{name}/mask`` and ``background``."""
        preview = self._preview(exchange)
        take = {"mask": preview.set_mask, "background": preview.set_background}[what]
        async with exchange.form(_FILE) as read:
            await exchange.run_alone(preview.turn, lambda: take(_file(read())))
        return Response(status_code=204)

    async def show(self, exchange: Exchange) -> Response:
        """``GET /api/pictures/{name}``."""
        preview = self._preview(exchange)
        await exchange.body()
        return Response(await exchange.run(preview.shown), media_type="image/png")

    async def cut(self, exchange: Exchange) -> Response:
        """``POST /api/pictures/{name}/cut``: the preview's cutout, or a draft of its alpha."""
        preview = self._preview(exchange)
        body = await exchange.body()
        png, found = await exchange.run_alone(preview.turn, lambda: preview.cut(*cut_request(body)))
        return Response(png, media_type="image/png", headers={"X-Cutout": json.dumps(found)})

    async def blurred(self, exchange: Exchange) -> Response:
        """``POST /api/pictures/{name}/blurred``: the preview's own background."""
        preview = self._preview(exchange)
        body = await exchange.body()
        png = await exchange.run_alone(preview.turn, lambda: preview.blurred(cut_request(body)[0]))
        return Response(png, media_type="image/png")

    async def shadow(self, exchange: Exchange) -> Response:
        """``POST /api/pictures/{name}/shadow``: that of the preview's cutout, alone."""
        preview = self._preview(exchange)
        body = await exchange.body()
        png = await exchange.run_alone(preview.turn, lambda: preview.shadow(*file_request(body)))
        return Response(png, media_type="image/png")

    async def file(self, exchange: Exchange) -> Response:
        """``POST /api/pictures/{name}/file``: the cutout in full size, as a file."""
        preview = self._preview(exchange)
        body = await exchange.body()
        self._pictures.at_full_size(preview)
        edit, wish = file_request(body)
        file = await exchange.run_alone(preview.full_turn, preview.file, edit, wish)
        return Response(file, media_type=MEDIA[wish.format])

    async def drop(self, request: Request) -> Response:
        """``DELETE /api/pictures/{name}``."""
        self._pictures.drop(request.path_params["name"])
        return Response(status_code=204)


def _file(values: dict[str, Any]) -> bytes:
    if "file" not in values:
        raise ApiError(400, "missing_file", "file is missing: the picture")
    data: bytes = values["file"].file.read()
    return data
