"""Processes in which pictures of strangers are decoded and cut: of bounded memory, and killed where nothing else ends
them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ..batch.memory import limit
from ..batch.workers import interrupts_blocked
from ..cancel import Cancelled, CancelToken
from ..model import Model
from ..threads import get_num_threads, set_num_threads
from . import workers
from .errors import ApiError

_T = TypeVar("_T")

GRACE_SECONDS = 1.0
"""For work that is told to end, until its process is killed."""

_LOOK_SECONDS = 0.05  # between looks at whether work is still waited for
_FILES = 128

Call = Callable[..., Any]
"""Does ``work(*args)``, here or in a process."""


def here(work: Callable[..., _T], *args: Any) -> _T:
    """Without any process."""
    return work(*args)


class Processes:
    """As many as there are workers, each of which uses one at a time.

    Parameters
    ----------
    count : int
        Processes.
    memory : int
        Bytes that each may take, where the system can bound it.
    models : mapping of str to Model
        What :func:`models` gives in each.
    """

    def __init__(self, count: int, memory: int, models: Mapping[str, Model]) -> None:
        self._given = memory, get_num_threads(), dict(models)
        self._free: queue.SimpleQueue[_Process] = queue.SimpleQueue()
        for _ in range(count):
            self._free.put(_Process(*self._given))

    def call(self, work: Callable[..., _T], *args: Any) -> _T:
        """What ``work(*args)`` gives in a process; for a thread of :class:`.workers.Workers`, whose token ends it.

        Raises
        ------
        Cancelled
            If it was.
        ApiError
            500, if the process died; 413, if it had not enough memory.
        Exception
            What the work raised.
        OSError
            If no process can be made in the place of one that is dead; the next call tries again.
        """
        process = self._free.get()
        try:
            if not process.usable:
                process.kill()
                process = _Process(*self._given)
            found: _T = process.do(work, args, workers.token())
            return found
        finally:
            self._free.put(process)  # a dead one, too: else there would be one fewer for ever

    def close(self) -> None:
        """Kill those that nobody uses; others end with this process."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._free.get_nowait().kill()


def _context() -> Any:
    """What begins processes: forks of one without threads where that can be, for a new one takes a second."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


class _Process:
    def __init__(self, memory: int, threads: int, models: dict[str, Model]) -> None:
        context = _context()
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(theirs, memory, threads, models), daemon=True)
        with interrupts_blocked():
            self._process.start()
        theirs.close()
        self._killed = False

    @property
    def usable(self) -> bool:
        """Whether it was neither killed here nor by others, such as the system that was short of memory."""
        return not self._killed and self._process.is_alive()

    def do(self, work: Callable[..., Any], args: tuple[Any, ...], token: CancelToken) -> Any:
        told = None
        try:
            self._pipe.send((work, args))
            while not self._pipe.poll(_LOOK_SECONDS):
                if told is None and token.cancelled:
                    self._pipe.send(None)
                    told = time.monotonic()
                elif told is not None and time.monotonic() - told > GRACE_SECONDS:
                    self.kill()
                    raise Cancelled("its process was killed")
            value, error, told_of_it = self._pipe.recv()
        except (EOFError, OSError) as error:
            self.kill()
            title = "What worked on this request died: it wanted too much memory, or its decoder crashed."
            raise ApiError(500, "worker_died", title) from error
        if error is None:
            return value
        if isinstance(error, MemoryError):
            title = "This request wants more memory than one may have: send a smaller picture."
            raise ApiError(413, "too_much_memory", title) from error
        raise error from (None if isinstance(error, ApiError) else _Elsewhere(told_of_it))

    def kill(self) -> None:
        if self._killed:
            return
        self._killed = True
        self._process.kill()
        self._process.join()
        self._process.close()
        self._pipe.close()


class _Elsewhere(Exception):
    """The traceback of an exception in a process."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


_models: Mapping[str, Model] = {}


def models() -> Mapping[str, Model]:
    """Those of this process."""
    return _models


def _main(pipe: Any, memory: int, threads: int, given: Mapping[str, Model]) -> None:
    """What a process does."""
    from .. import Remover

    global _models
    _models = given
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where it cannot be blocked: the parent ends this
    set_num_threads(threads)
    limit(memory, _FILES)
    jobs: queue.SimpleQueue[tuple[Any, Any, CancelToken]] = queue.SimpleQueue()

    def listen() -> None:
        token = CancelToken()
        while True:
            try:
                job = pipe.recv()
            except (EOFError, OSError):
                os._exit(0)  # the parent is gone, whatever is being worked on
            if job is None:
                token.cancel()
            else:
                token = CancelToken()
                jobs.put((*job, token))

    threading.Thread(target=listen, daemon=True).start()
    keeper = Remover()  # while it lives, the kernels' memory serves the next request
    keeper.warmup((256, 256))
    while True:
        pipe.send_bytes(_answer(*jobs.get()))


def _answer(work: Callable[..., Any], args: tuple[Any, ...], token: CancelToken) -> bytes:
    """What came of it, as its parent reads it: the value, or the error and where it was raised."""
    try:
        with token:
            return pickle.dumps((work(*args), None, ""), pickle.HIGHEST_PROTOCOL)
    except BaseException as error:  # it is raised in the parent
        told = traceback.format_exc()
        try:
            answer = pickle.dumps((None, error, told))
            pickle.loads(answer)
        except Exception:
            answer = pickle.dumps((None, RuntimeError(f"{type(error).__name__}: {error}"), told))
        return answer
