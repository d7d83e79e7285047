"""A fixed number of threads that cut, and a bounded number of requests that wait for them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from ..cancel import CancelToken
from .errors import ApiError

_P = ParamSpec("_P")
_T = TypeVar("_T")

RETRY_AFTER = 1
"""Seconds after which a refused client may ask again: some tens of pictures later."""

PATIENCE = 1.0
"""Seconds that a client may take to send or receive, even if another waits for its place."""


class Workers:
    """Runs work on threads of its own, for requests that hold a place.

    Where all places are taken, or the bodies of requests together too large, one that is not worked on makes room: of
    the client with most of these if it has more than the one that asks, else the slowest of those that have been on
    their way in or out for longer than :data:`PATIENCE`.

    Parameters
    ----------
    threads : int
        Pieces of work done at once.
    places : int
        Requests under way at once.
    max_bytes : int
        Bytes of their bodies together.
    """

    def __init__(self, threads: int, places: int, max_bytes: int = 2**63) -> None:
        self._pool = ThreadPoolExecutor(threads, "alphacut")
        self._threads, self.places, self._max_bytes = threads, places, max_bytes
        self.draining = 0
        self._lock = threading.RLock()
        self._held: set[Place] = set()
        self._closed = False

    @property
    def taken(self) -> int:
        """Places that are taken."""
        return len(self._held)

    @property
    def ready(self) -> bool:
        """Whether some worker is there for new work: not all are busy with what was given up."""
        with self._lock:
            return not self._closed and sum(place.stuck for place in self._held) < self._threads

    def place(self, client: str = "") -> Place:
        """A place for one request, to be used in a with statement.

        Raises
        ------
        ApiError
            503, if all are taken.
        """
        with self._lock:
            if len(self._held) == self.places and not self._make_room(client):
                raise _busy("All places are taken: ask again a little later.")
            place = Place(self._pool, self, client)
            self._held.add(place)
        return place

    @contextlib.contextmanager
    def drained(self) -> Iterator[None]:
        """While the rest of a refused request is taken and thrown away."""
        self.draining += 1
        try:
            yield
        finally:
            self.draining -= 1

    def _make_room(self, client: str, apart_from: Place | None = None) -> bool:
        unworked = [place for place in self._held if (place.moving or place.queued) and place is not apart_from]
        counts = Counter(place.client for place in unworked)
        most = max(counts.values(), default=0)
        if most > counts[client] + 1:
            victims = [place for place in unworked if counts[place.client] == most]
        else:
            victims = [place for place in unworked if place.moving and place.seconds > PATIENCE]
        victims.sort(key=lambda place: (place.queued, place.rate))
        return any(place.lose() for place in victims)  # of the first that has not begun to work meanwhile

    def _hold(self, place: Place, size: int) -> None:
        """A piece of a body has come."""
        with self._lock:
            place.size += size
            while sum(each.size for each in self._held) > self._max_bytes:
                if not self._make_room(place.client, place):
                    raise _busy("The requests under way are too large together: ask again a little later.")

    def _leave(self, place: Place) -> None:
        with self._lock:
            self._held.discard(place)

    def close(self) -> None:
        """Start nothing more."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)


class Place:
    """What one request holds while it is under way, and while work of it still runs.

    Attributes
    ----------
    client : str
        Whose request it is.
    size : int
        Bytes of its body.
    lost : bool
        Whether another request has it now.
    """

    def __init__(self, pool: ThreadPoolExecutor, workers: Workers, client: str) -> None:
        self._pool, self._workers, self.client = pool, workers, client
        self._work: Future[Any] | None = None
        self._token = CancelToken()
        self.size, self.lost = 0, False
        self._give_up: Callable[[], object] | None = None
        self._waits = False
        self._since, self._moved = 0.0, 0

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *error: object) -> None:
        # What runs beyond its request's time is told to end, and keeps the place until it does.
        self._token.cancel()
        if self._work is None:
            self._workers._leave(self)
        else:
            self._work.add_done_callback(lambda _: self._workers._leave(self))

    @property
    def stuck(self) -> bool:
        """Whether it works on, though nobody waits."""
        return self._token.cancelled and self._work is not None and self._work.running()

    @property
    def moving(self) -> bool:
        """Whether bytes come or go."""
        return self._give_up is not None and not self._waits

    @property
    def queued(self) -> bool:
        """Whether it waits for its turn or a worker."""
        return self._waits or (self._work is not None and not self._work.running() and not self._work.done())

    @property
    def seconds(self) -> float:
        """For which bytes have been moving."""
        return time.monotonic() - self._since

    @property
    def rate(self) -> float:
        """Bytes a second."""
        return self._moved / max(self.seconds, 1e-3)

    @contextlib.contextmanager
    def move(self, give_up: Callable[[], object]) -> Iterator[None]:
        """While bytes come or go: until the end of this the place may be lost to another, which `give_up` tells."""
        self._since, self._moved, self._give_up = time.monotonic(), 0, give_up
        try:
            yield
        finally:
            self._give_up = None

    def came(self, size: int) -> None:
        """So much of a body is here now.

        Raises
        ------
        ApiError
            503, if there is no room for it.
        """
        self._moved += size
        if not self.lost:
            self._workers._hold(self, size)

    def went(self, size: int) -> None:
        """So much of an answer was taken."""
        self._moved += size

    def lose(self) -> bool:
        """Let another have it, unless it is worked on by now."""
        if self._give_up is None and not (self._work is not None and self._work.cancel()):
            return False
        self.lost = True
        self._workers._leave(self)
        if self._give_up is not None:
            self._give_up()
        return True

    @contextlib.asynccontextmanager
    async def turn(self, lock: contextlib.AbstractAsyncContextManager[Any]) -> AsyncIterator[None]:
        """While the lock is held; until it is, the place may be lost to another.

        Raises
        ------
        ApiError
            503, if it was.
        """
        task = asyncio.current_task()
        assert task is not None  # as in every coroutine
        async with contextlib.AsyncExitStack() as held:
            self._waits, self._give_up = True, task.cancel
            try:
                await held.enter_async_context(lock)
            except asyncio.CancelledError:
                self._require_kept()
                raise
            finally:
                self._waits, self._give_up = False, None
            yield

    async def run(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """What `work` gives, from a worker. If the wait is cancelled, work that waits is not started."""
        future = self._pool.submit(self._done, partial(work, *args, **kwargs))
        self._work = future
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            self._require_kept()
            raise

    def _require_kept(self) -> None:
        if self.lost:
            title = "Others ask, and this client has many requests waiting: ask again a little later."
            raise _busy(title) from None

    def _done(self, work: Callable[[], _T]) -> _T:
        _current.token = self._token
        with self._token:
            return work()


_current = threading.local()


def token() -> CancelToken:
    """Of the work that this thread does."""
    found: CancelToken = _current.token
    return found


def _busy(title: str) -> ApiError:
    return ApiError(503, "busy", title, {"Retry-After": str(RETRY_AFTER)})
