"""The line that tells how far a job of many pictures is."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

    from ..batch import Result

_SECONDS = 0.5


class Progress:
    """A bar with the total as soon as that is counted, the time left, the rate and the failures so far.

    It ticks, so that a person sees that large pictures are worked on. What is skipped counts for no rate.

    Parameters
    ----------
    total : int or None
        How many, if that is known.
    count : callable
        Finds out in a thread of its own otherwise; None if it cannot.
    hidden : bool
        Shows nothing, and counts nothing.
    """

    def __init__(self, total: int | None, count: Callable[[], int | None], *, hidden: bool) -> None:
        self._failed = 0
        self._end = threading.Event()
        self._bar: tqdm[Any] | None = None
        if hidden:
            return
        from tqdm import tqdm

        self._bar = tqdm(total=total, unit="photo", leave=False, smoothing=0)
        threading.Thread(target=self._tick, args=(self._bar,), daemon=True).start()
        if total is None:
            threading.Thread(target=self._find, args=(self._bar, count), daemon=True).start()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        if self._bar is not None:
            self._bar.close()

    def step(self, result: Result) -> None:
        """One more."""
        if self._bar is None:
            return
        if result.status == "skipped":
            self._bar.initial += 1
        if result.status == "failed":
            self._failed += 1
            self._bar.set_postfix(failed=self._failed, refresh=False)
        self._bar.update()

    def _tick(self, bar: tqdm[Any]) -> None:
        while not self._end.wait(_SECONDS):
            bar.refresh()

    def _find(self, bar: tqdm[Any], count: Callable[[], int | None]) -> None:
        with contextlib.suppress(Exception):  # such as a list that cannot be read, which the job itself will say
            bar.total = count()
