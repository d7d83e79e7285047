"""Doing the jobs, some at once, and going on when one fails.

Knows nothing of what is done to a picture, nor where: the caller gives that as a function or as a pool.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from . import storage
from .jobs import Job, Result, explain

if TYPE_CHECKING:
    from concurrent.futures import Future

Work = Callable[[Job], Any]


class Died(Exception):
    """The worker that had a job is no more, and no answer came."""


class Pool(Protocol):
    """Where jobs are done."""

    places: int
    """Jobs at once."""

    def room(self, job: Job, pending: Iterable[Job]) -> bool:
        """Whether the job may begin beside those that are under way."""

    def submit(self, job: Job) -> Future[Result]:
        """Begin a job; the future raises :class:`Died` where its worker went."""

    def close(self) -> None:
        """End the workers, after what they are doing."""


class Threads:
    """A pool of threads of this process."""

    def __init__(self, work: Work, places: int, room: Callable[[Job, Iterable[Job]], bool] | None = None) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self.places, self._work, self._room = places, work, room
        self._pool = ThreadPoolExecutor(places)

    def room(self, job: Job, pending: Iterable[Job]) -> bool:
        return self._room is None or self._room(job, pending)

    def submit(self, job: Job) -> Future[Result]:
        return self._pool.submit(attempt, job, self._work)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def run(
    jobs: Iterable[Job | Result],
    work: Work | Pool,
    *,
    overwrite: bool | Callable[[Job], bool] = False,
) -> Generator[Result, None, None]:
    """Do the jobs; one that raises has failed, the rest go on.

    Parameters
    ----------
    jobs : iterable of Job or Result
        Results are passed on.
    work : callable or Pool
        What is done, ``work(job)``, in this thread; or where.
    overwrite : bool or callable
        A job whose output is there is skipped, unless this, or what it says of the job, is true.

    Yields
    ------
    Result
        As they come.

    Notes
    -----
    Looks no further ahead than the pool has places. A job whose worker died is done again when all others are done,
    alone; if that dies, too, it has failed. A closed pipe and a keyboard interrupt end it, after what is being worked
    on.
    """
    todo = (looked_at(job, overwrite) for job in jobs)
    if callable(work):
        yield from (attempt(job, work) if isinstance(job, Job) else job for job in todo)
        return
    from concurrent.futures import FIRST_COMPLETED, wait  # slow to import, and one picture needs none

    pool = work
    pending: dict[Future[Result], Job] = {}
    suspects: list[Job] = []

    def finished() -> Generator[Result, None, None]:
        for future in wait(pending, return_when=FIRST_COMPLETED).done:
            job = pending.pop(future)
            try:
                yield future.result()
            except Died:
                suspects.append(job)

    try:
        for job in todo:
            if isinstance(job, Result):
                yield job
                continue
            while pending and not pool.room(job, pending.values()):
                yield from finished()
            pending[pool.submit(job)] = job
            if len(pending) >= pool.places:
                yield from finished()
        while pending:
            yield from finished()
        for job in suspects:
            try:
                yield pool.submit(job).result()
            except Died as error:
                yield Result(job.source, job.destination, "failed", explain(error, job.source), prompt=job.prompt)
    except KeyboardInterrupt:
        begun = [future for future in pending if not future.cancel()]
        for future in wait(begun).done:  # they are written all the same
            if future.exception() is None:
                yield future.result()
        raise
    finally:
        pool.close()


def looked_at(job: Job | Result, overwrite: bool | Callable[[Job], bool]) -> Job | Result:
    """The job, or that it is skipped, or that its place cannot be looked at."""
    if isinstance(job, Result):
        return job
    try:
        if not storage.exists(job.destination):
            return job
    except (ImportError, ValueError):  # no such file system: so it is with every job
        raise
    except Exception as error:  # of a connection
        return Result(job.source, job.destination, "failed", explain(error, job.source), prompt=job.prompt)
    replaced = overwrite(job) if callable(overwrite) else overwrite
    return job if replaced else Result(job.source, job.destination, "skipped")


def attempt(job: Job, work: Work) -> Result:
    """Do one job, whatever is there already."""
    try:
        value = work(job)
    except Exception as error:  # anything one picture can cause must not stop the others; it is reported
        if isinstance(error, BrokenPipeError) and not (storage.is_url(job.source) or storage.is_url(job.destination)):
            raise  # nobody reads the output any more; of a URL it is a connection that broke
        return Result(job.source, job.destination, "failed", explain(error, job.source), prompt=job.prompt)
    return Result(job.source, job.destination, "written", value=value, prompt=job.prompt)
