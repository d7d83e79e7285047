"""A fixed number of threads that cut, and a bounded number of requests that wait for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from ..cancel import CancelToken
from .errors import ApiError

_P = ParamSpec("_P")
_T = TypeVar("_T")

RETRY_AFTER = 1
"""Seconds after which a refused client may ask again: some tens of pictures later."""


class Workers:
    """Runs work on threads of its own, for requests that hold a place.

    Parameters
    ----------
    threads : int
        Pieces of work done at once.
    places : int
        Requests under way at once.
    """

    def __init__(self, threads: int, places: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "alphacut")
        self._places, self._taken = places, 0
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """Places that are taken."""
        return self._taken

    def place(self) -> Place:
        """A place for one request, to be used in a with statement.

        Raises
        ------
        ApiError
            503, if all are taken.
        """
        with self._lock:
            if self._taken == self._places:
                raise ApiError(
                    503, "busy", "All places are taken: ask again a little later.", {"Retry-After": str(RETRY_AFTER)}
                )
            self._taken += 1
        return Place(self._pool, self._leave)

    def _leave(self) -> None:
        with self._lock:
            self._taken -= 1

    def close(self) -> None:
        """Start nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class Place:
    """What one request holds while it is under way, and while work of it still runs."""

    def __init__(self, pool: ThreadPoolExecutor, leave: Callable[[], None]) -> None:
        self._pool, self._leave = pool, leave
        self._work: Future[Any] | None = None
        self._token = CancelToken()

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *error: object) -> None:
        # What runs beyond its request's time is told to end, and keeps the place until it does.
        self._token.cancel()
        if self._work is None:
            self._leave()
        else:
            self._work.add_done_callback(lambda _: self._leave())

    async def run(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """What `work` gives, from a worker. If the wait is cancelled, work that waits is not started."""
        future = self._pool.submit(self._done, partial(work, *args, **kwargs))
        self._work = future
        return await asyncio.wrap_future(future)

    def _done(self, work: Callable[[], _T]) -> _T:
        with self._token:
            return work()
