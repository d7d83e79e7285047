"""The connections of ``alphacut serve``: uvicorn's own, of h11, of which none waits for ever or keeps others out."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any, ClassVar, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

from .door import client_of
from .errors import ApiError

HEADER_SECONDS = 10
"""For the header of a request, from the connection's beginning or the last answer's end."""

BLOCKED_SECONDS = 30
"""For a client to take a piece of an answer."""

CLOSING_SECONDS = 5
"""For a client to take what is left when its connection is closed."""


def connections(most: int) -> type[H11Protocol]:
    """The class of a server's connections, of which there are at most so many.

    Where there is one more, one without a request under way is closed: of the client that has most of these, the one
    that has waited longest.
    """
    return type("Connection", (_Connection,), {"most": most, "waiting": {}})


class _Connection(H11Protocol):
    most = 0
    waiting: ClassVar[dict[str, dict[_Connection, None]]]  # those without a request under way, longest first
    _swept = False

    def connection_made(self, transport: Any) -> None:
        """It begins."""
        super().connection_made(transport)
        self._client = client_of({"client": self.client})
        self._began = False  # whether anything of a header is there
        self._blocked = self._closing = 0.0
        self._waits = 0.0
        self._note()
        if len(self.connections) > self.most:
            self._make_room()
        if not type(self)._swept:
            self._sweep()

    @property
    def _all(self) -> set[Any]:
        return cast("set[Any]", self.connections)

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        super().connection_lost(exc)
        self._go_on()

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        super().data_received(data)
        self._began = True
        self._note()

    def on_response_complete(self) -> None:
        """An answer has ended."""
        super().on_response_complete()
        self._began = False
        self._note()

    def pause_writing(self) -> None:
        """The client takes nothing."""
        super().pause_writing()
        self._blocked = time.monotonic()

    def resume_writing(self) -> None:
        """It has taken most."""
        super().resume_writing()
        self._blocked = 0.0

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP."""
        self._refuse(ApiError(400, "bad_request", msg))

    def _note(self) -> None:
        """Since when no request is under way, or 0 while one is."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._go_on()
        elif not self._waits:
            self._waits = time.monotonic()
            self.waiting.setdefault(self._client, {})[self] = None

    def _go_on(self) -> None:
        self._waits = 0.0
        own = self.waiting.get(self._client, {})
        own.pop(self, None)
        if not own:
            self.waiting.pop(self._client, None)

    def _make_room(self) -> None:
        greediest = max(self.waiting.values(), key=len)
        victim = next(iter(greediest))
        victim._go_on()
        victim.transport.abort()

    def _sweep(self) -> None:
        """Once a second, while there are any."""
        type(self)._swept = bool(self.connections)
        for each in list(self._all):
            each._look(time.monotonic())
        if self.connections:
            self.loop.call_later(1.0, self._sweep)

    def _look(self, now: float) -> None:
        if self.transport.is_closing():
            self._closing = self._closing or now
            if now - self._closing > CLOSING_SECONDS:
                self.transport.abort()
        elif self._blocked and now - self._blocked > BLOCKED_SECONDS:
            self.transport.abort()
        elif self._waits and now - self._waits > HEADER_SECONDS:
            if self._began and (self.cycle is None or self.cycle.response_complete):
                title = f"The header did not come within {HEADER_SECONDS} seconds."
                self._refuse(ApiError(408, "slow_request", title))
            else:
                self.transport.close()

    def _refuse(self, error: ApiError) -> None:
        response = error.response()
        head = [b"HTTP/1.1 %d %s" % (error.status, HTTPStatus(error.status).phrase.encode())]
        told = [*response.raw_headers, (b"cache-control", b"no-store"), (b"connection", b"close")]
        head += [b"%s: %s" % header for header in told]
        self.transport.write(b"\r\n".join(head) + b"\r\n\r\n" + bytes(response.body))
        self.transport.close()
