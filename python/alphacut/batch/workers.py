"""Workers with few pictures each; one that dies is replaced. They are processes here, or what another engine has."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import Any, Protocol

from . import memory
from .jobs import Job, Result
from .recipe import Recipe
from .running import Died, attempt

_MOST_LOST = 3  # workers that never began, one after the other
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # which Windows does by force, too
_FILES = 256


class Worker(Protocol):
    """Does one job after the other. Each future raises :class:`Died` when the worker is no more."""

    def begin(self) -> Future[Any]:
        """Done when the worker can take a job."""

    def send(self, job: Job) -> Future[Result]:
        """Have a job done."""

    def end(self) -> None:
        """After what it is doing."""


class Workers:
    """A pool of workers, see :class:`Pool`. A job is given to whichever has the fewest.

    Parameters
    ----------
    make : callable
        Makes a worker.
    places : int
        How many.
    room : callable, optional
        See :meth:`Pool.room`.
    at_once : int
        Jobs that a worker has: where they take long to reach it, the next is there when one is done.
    """

    def __init__(
        self,
        make: Callable[[], Worker],
        places: int,
        room: Callable[[Job, Iterable[Job]], bool] | None = None,
        at_once: int = 1,
    ) -> None:
        self.places, self._make, self._room, self._at_once = places * at_once, make, room, at_once
        self._dispatcher = ThreadPoolExecutor(1)  # what follows is its alone: no locks, no work in others' callbacks
        self._workers: list[Worker] = []
        self._jobs: dict[Worker, int] = {}  # of workers that have begun
        self._waiting: deque[tuple[Job, Future[Result]]] = deque()
        self._lost = 0
        self._broken: BaseException | None = None
        for _ in range(places):
            self._later(self._add_worker)

    def room(self, job: Job, pending: Iterable[Job]) -> bool:
        return self._room is None or self._room(job, pending)

    def submit(self, job: Job) -> Future[Result]:
        answer: Future[Result] = Future()
        self._later(self._waiting.append, (job, answer))
        return answer

    def close(self) -> None:
        self._dispatcher.shutdown()
        for worker in self._workers:
            worker.end()

    def _later(self, step: Callable[..., object], *given: Any) -> None:
        """Have the dispatcher do this, and then give jobs that wait to workers that are free."""

        def do() -> None:
            try:
                step(*given)
                self._assign()
            except Exception as error:  # such as of an engine that is gone
                self._broken = error
                self._assign()

        with contextlib.suppress(RuntimeError):  # closed
            self._dispatcher.submit(do)

    def _add_worker(self) -> None:
        worker = self._make()
        self._workers.append(worker)
        worker.begin().add_done_callback(lambda begun: self._later(self._began, worker, begun.exception()))

    def _began(self, worker: Worker, error: BaseException | None) -> None:
        self._lost = 0 if error is None else self._lost + 1
        if error is None:
            self._jobs[worker] = 0
            return
        self._workers.remove(worker)
        if isinstance(error, Died) and self._lost < _MOST_LOST:
            self._add_worker()
        elif not self._workers:  # else the others go on
            self._broken = error

    def _assign(self) -> None:
        while self._waiting:
            worker = min(self._jobs, key=lambda each: self._jobs[each], default=None)
            free = worker is not None and self._jobs[worker] < self._at_once
            if not free and not self._broken:
                return
            job, answer = self._waiting.popleft()
            if not answer.set_running_or_notify_cancel():
                continue
            if self._broken:
                why = self._broken.__cause__ or self._broken
                answer.set_exception(RuntimeError(f"no worker could begin: {why}"))
                continue
            assert worker is not None
            self._jobs[worker] += 1
            try:
                sent = worker.send(job)
            except Exception as error:
                answer.set_exception(error)
                raise
            sent.add_done_callback(
                lambda done, worker=worker, answer=answer: self._later(self._ended, worker, done, answer)  # type: ignore[misc]
            )

    def _ended(self, worker: Worker, done: Future[Result], answer: Future[Result]) -> None:
        error = done.exception()
        if not isinstance(error, Died):
            if worker in self._jobs:  # else another of its jobs has told already that it died
                self._jobs[worker] -= 1
        elif self._jobs.pop(worker, None) is not None:  # the first of its jobs to tell
            self._workers.remove(worker)
            self._add_worker()
        if error is None:
            answer.set_result(done.result())
        else:
            answer.set_exception(error)


class Process:
    """A process of this machine, with a remover of its own and so many threads.

    With `seconds` it is killed where a picture takes longer, and may take half of the memory at most.
    """

    def __init__(self, recipe: Recipe, threads: int, seconds: float | None = None) -> None:
        self._seconds = seconds
        self._begun: Future[Any] | None = None
        context = multiprocessing.get_context("spawn")  # a process with threads cannot be forked safely
        self._pool = ProcessPoolExecutor(
            1, context, initializer=_initialize, initargs=(recipe, threads, seconds is not None)
        )

    def begin(self) -> Future[Any]:
        with interrupts_blocked():
            self._begun = self._submit(os.getpid)
        return self._begun

    def send(self, job: Job) -> Future[Result]:
        sent = self._submit(_attempt, job)
        if self._seconds is not None and self._begun is not None:
            killer = threading.Timer(self._seconds, os.kill, (self._begun.result(), _KILL))
            killer.daemon = True
            killer.start()
            sent.add_done_callback(lambda _: killer.cancel())
        return sent

    def end(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _submit(self, step: Callable[..., Any], *given: Any) -> Future[Any]:
        try:
            future: Future[Any] = self._pool.submit(step, *given)
        except BrokenProcessPool as error:  # it died while it waited
            future = Future()
            future.set_exception(error)
        return translated(future, (BrokenProcessPool,), _WHY)


_WHY = "its process died, twice: killed, out of time or memory, or a decoder's crash"


def translated(future: Future[Any], deaths: tuple[type[BaseException], ...], why: str) -> Future[Any]:
    """The same, with these errors as :class:`Died`."""
    outer: Future[Any] = Future()

    def pass_on(done: Future[Any]) -> None:
        error = done.exception()
        if error is None:
            outer.set_result(done.result())
        else:
            died = Died(why)
            died.__cause__ = error
            outer.set_exception(died if isinstance(error, deaths) else error)

    future.add_done_callback(pass_on)
    return outer


@contextlib.contextmanager
def interrupts_blocked() -> Iterator[None]:
    """A process that this thread begins leaves Ctrl-C to its parent from its first instruction on."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # else it is begun with the first process, and unblocks them
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_recipe: Recipe | None = None


def _initialize(recipe: Recipe, threads: int, bounded: bool) -> None:
    """What a process does first."""
    global _recipe
    from .. import set_num_threads

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where they cannot be blocked: the parent ends it, after its picture
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()
    set_num_threads(threads)
    if bounded:
        memory.limit(memory.budget(), _FILES)
    _recipe = recipe


def _attempt(job: Job) -> Result:
    assert _recipe is not None
    return attempt(job, _recipe)
