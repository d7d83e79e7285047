"""One request of those that compute: its place, its limits, its time and its answer."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

from python_multipart.multipart import parse_options_header
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from . import fields
from .bodies import FormReader, from_json, from_urlencoded
from .door import client_of
from .errors import ApiError, as_response
from .metrics import Metrics
from .workers import Place, Workers

_P = ParamSpec("_P")
_T = TypeVar("_T")

# A client that is refused before it has sent its picture may not see the answer until it has: for so long it may.
_DRAIN_SECONDS = 5
_CHUNK = 2**16

LEAST_RATE = 2048
"""Bytes a second that a body or an answer must make, after some seconds."""
_GRACE = 5.0
_TAIL = 256  # bytes, more than any boundary
# How the bodies that hold texts only are read.
_TEXTS = {b"application/json": from_json, b"application/x-www-form-urlencoded": from_urlencoded}


class Endpoint:
    """An ASGI application for requests that need a place; its answers, errors too, are counted and timed.

    Parameters
    ----------
    name : str
        For the metrics.
    handle : callable
        From an :class:`Exchange` to its answer.
    workers, metrics
        The service's.
    max_body : int
        Bytes of a body.
    timeout : float
        Seconds for a request to come in and be worked on, and as many for its answer to be taken.
    """

    def __init__(
        self,
        name: str,
        handle: Callable[[Exchange], Awaitable[Response]],
        workers: Workers,
        metrics: Metrics,
        max_body: int,
        timeout: int,
    ) -> None:
        self._name, self._handle = name, handle
        self._workers, self._metrics = workers, metrics
        self._max_body, self._timeout = max_body, timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = time.perf_counter()
        exchange = Exchange(scope, receive, self._max_body, self._timeout)
        with contextlib.ExitStack() as held:
            place = None
            try:
                place = held.enter_context(self._workers.place(client_of(scope)))
                exchange.begin(place)
                response = await self._handle(exchange)
            except ClientDisconnect:
                response = Response(status_code=499)  # seen by nobody but the metrics
            except (ApiError, HTTPException) as error:
                held.close()  # no place is needed to wait for the rest of it
                place = None
                await self._drain(exchange)
                response = as_response(error)
            except Exception:
                self._metrics.requests.labels(self._name, "500").inc()
                raise
            self._metrics.requests.labels(self._name, str(response.status_code)).inc()
            self._metrics.seconds.labels(self._name).observe(time.perf_counter() - start)
            response.headers.setdefault("Cache-Control", "no-store")
            with contextlib.suppress(asyncio.TimeoutError, _Slow):  # the server then closes the connection
                await _moved(_deliver(response, send, place), place, self._timeout)

    async def _drain(self, exchange: Exchange) -> None:
        """Let a refused client send its rest, but few at a time: the answer to others may be lost to them."""
        if self._workers.draining < self._workers.places:
            with self._workers.drained():
                await exchange.drain()


class _Slow(Exception):
    """Bytes move too slowly, or others wait for them."""


async def _moved(awaited: Awaitable[_T], place: Place | None, seconds: float) -> _T:
    """What this gives, while bytes come or go for it; ended when time is up, or the place is lost.

    Raises
    ------
    asyncio.TimeoutError
        After so many seconds.
    _Slow
        Where less than :data:`LEAST_RATE` comes or goes, or another request has the place now.
    """
    end = time.monotonic() + seconds
    task = asyncio.ensure_future(awaited)
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # which nobody asks, once given up
    moving = contextlib.nullcontext() if place is None else place.move(task.cancel)
    try:
        with moving:
            while not task.done():
                left = end - time.monotonic()
                if left <= 0:
                    raise asyncio.TimeoutError
                if place is not None and place.seconds > _GRACE and place.rate < LEAST_RATE:
                    raise _Slow(f"The request comes in at less than {LEAST_RATE} bytes a second.")
                await asyncio.wait({task}, timeout=min(left, 1.0))
        if place is not None and place.lost:
            raise _Slow("Others wait, and this request came in slowest: send it again.")
        return task.result()
    finally:
        task.cancel()


class Exchange:
    """A request, what may still be done for it, and what is known of the client."""

    def __init__(self, scope: Scope, receive: Receive, max_body: int, timeout: int) -> None:
        self._receive, self._max_body, self._timeout = receive, max_body, timeout
        self._deadline = time.monotonic() + timeout
        self._size, self._complete, self._tail = 0, False, b""
        self._end, self._ended = b"", False  # what the body must come to, and whether it has
        self._place: Place | None = None
        self._drains = False
        self.request = Request(scope, self._counted)

    def begin(self, place: Place) -> None:
        """Go on, in this place; refuse at once what says itself that it is too much."""
        self._place = place
        declared = self.request.headers.get("content-length", "")
        if declared.isdecimal():
            self._require_small(int(declared))

    async def body(self) -> bytes:
        """All of it."""
        return await self._in_time(self.request.body())

    @contextlib.asynccontextmanager
    async def form(self, known: tuple[fields.Field, ...]) -> AsyncIterator[fields.Reader]:
        """What reads the values of the fields that were given, in the address or the body, once all are there.

        For a worker, where a long text holds up nobody. Files are there until the end.
        """
        query = self.request.query_params.multi_items()
        kind, options = parse_options_header(self.request.headers.get("content-type", ""))
        if decode := _TEXTS.get(kind.lower()):
            body = await self.body()
            yield lambda: fields.parse(known, query + decode(body, len(known)))
            return
        if kind.lower() != b"multipart/form-data":
            raise ApiError(
                415,
                "not_a_form",
                "Send the picture as multipart/form-data in the field 'file', or in base64 as "
                "application/x-www-form-urlencoded or application/json.",
            )
        if options.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"utf8"):
            raise ApiError(415, "not_utf8", "The names of a form's fields are taken as UTF-8 only.")
        if boundary := options.get(b"boundary"):
            self._end = b"--" + boundary + b"--"
        count = len(known)
        parser = FormReader(
            self.request.headers,
            self.request.stream(),
            max_files=count,
            max_fields=count,
            max_part_size=self._max_body,
            files={name for field in known if field.parse is None for name in (field.name, *field.aliases)},
        )
        try:
            form = await self._in_time(parser.parse())
        except MultiPartException as error:
            raise ApiError(400, "bad_request", error.message) from error
        try:
            yield lambda: fields.parse(known, query + form.multi_items())
        finally:
            await form.close()

    async def run(self, work: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """What `work` gives, in a worker; given up when time is up or the client leaves."""
        return await self.run_alone(contextlib.nullcontext(), work, *args, **kwargs)

    async def run_alone(
        self,
        lock: contextlib.AbstractAsyncContextManager[Any],
        work: Callable[_P, _T],
        /,
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _T:
        """:meth:`run`, while the lock is held."""

        async def locked() -> _T:
            assert self._place is not None  # only what has begun works
            async with self._place.turn(lock):
                return await self._place.run(work, *args, **kwargs)

        job, gone = asyncio.ensure_future(locked()), asyncio.ensure_future(self._client_gone())
        try:
            await asyncio.wait(
                {job, gone}, timeout=max(0.0, self._deadline - time.monotonic()), return_when=asyncio.FIRST_COMPLETED
            )
            if job.done():
                return job.result()
            if gone.done():
                raise ClientDisconnect
            raise ApiError(504, "timeout", f"Not done within {self._timeout} seconds.")
        finally:
            job.cancel()
            gone.cancel()

    async def drain(self) -> None:
        """Take what still comes, for a while: many clients read no answer before they have sent everything."""
        self._drains = True
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._rest(), _DRAIN_SECONDS)

    async def _rest(self) -> None:
        while not self._complete:
            self._note(await self._receive())

    async def _counted(self) -> Message:
        message = await self._receive()
        self._note(message)
        self._require_small(self._size)
        if self._complete and message["type"] == "http.request" and not self._ended:
            raise ApiError(400, "cut_short", "The form ends early: its closing boundary is missing.")
        return message

    def _note(self, message: Message) -> None:
        self._complete = message["type"] != "http.request" or not message.get("more_body", False)
        body = message.get("body", b"")
        self._size += len(body)
        if self._place is not None and not self._drains:
            self._place.came(len(body))
        self._ended = self._ended or self._end in self._tail + body
        self._tail = (self._tail + body[-_TAIL:])[-_TAIL:]

    def _require_small(self, size: int) -> None:
        if size > self._max_body:
            raise ApiError(413, "body_too_large", f"The request is larger than {self._max_body} bytes.")

    async def _in_time(self, awaited: Awaitable[_T]) -> _T:
        try:
            return await _moved(awaited, self._place, self._deadline - time.monotonic())
        except asyncio.TimeoutError:
            title = f"The request took more than {self._timeout} seconds to come in."
            raise ApiError(408, "slow_request", title) from None
        except _Slow as error:
            raise ApiError(408, "slow_request", str(error)) from None

    async def _client_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def _deliver(response: Response, send: Send, place: Place | None) -> None:
    """Send in pieces, each when the client has taken those before: the answers to slow readers do not pile up."""
    start = {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
    await send(start)
    body = memoryview(response.body)
    for begin in range(0, len(body), _CHUNK):
        piece = bytes(body[begin : begin + _CHUNK])
        await send({"type": "http.response.body", "body": piece, "more_body": begin + _CHUNK < len(body)})
        if place is not None:
            place.went(len(piece))
    if not body:
        await send({"type": "http.response.body", "body": b""})
