"""What is kept for pages that are open: few at a time, and not for long."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from typing import Generic, TypeVar

from .errors import ApiError

_T = TypeVar("_T")


class Kept(Generic[_T]):
    """Things under names that nobody can guess: the one longest unused goes first.

    Parameters
    ----------
    count : int
        Things kept.
    idle : float
        Seconds until an unused one is forgotten.
    kind : str
        What they are, for the refusal of one that is not there.
    """

    def __init__(self, count: int, idle: float, kind: str) -> None:
        self._count, self._idle, self._kind = count, idle, kind
        self._kept: OrderedDict[str, tuple[_T, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, thing: _T) -> str:
        """Keep it; gives its name."""
        name = secrets.token_urlsafe(16)
        self._kept[name] = thing, time.monotonic()
        while len(self._kept) > self._count:
            self._kept.popitem(last=False)
        return name

    def get(self, name: str) -> _T:
        """The one of this name, now the latest used.

        Raises
        ------
        ApiError
            404, if there is none, or no longer.
        """
        self.forget_idle()
        if name not in self._kept:
            title = f"This {self._kind} is not kept here, or no longer: send it again."
            raise ApiError(404, f"unknown_{self._kind}", title)
        thing, _ = self._kept.pop(name)
        self._kept[name] = thing, time.monotonic()
        return thing

    def drop(self, name: str) -> None:
        """Forget one, if it is there."""
        self._kept.pop(name, None)

    def forget_idle(self) -> None:
        """Forget those that were not used for long."""
        oldest = time.monotonic() - self._idle
        while self._kept and next(iter(self._kept.values()))[1] < oldest:
            self._kept.popitem(last=False)
