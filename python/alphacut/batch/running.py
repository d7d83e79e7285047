"""Doing the jobs, some at once, and going on when one fails.

Knows nothing of what is done to a picture: the caller gives that as a function.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, NamedTuple

from .jobs import Job, Result, explain

if TYPE_CHECKING:
    from concurrent.futures import Future


def run(
    jobs: Iterable[Job | Result],
    work: Callable[[str, str], object],
    *,
    overwrite: bool | Callable[[Job], bool] = False,
    workers: int = 1,
) -> Generator[Result, None, None]:
    """Do the jobs: ``work(source, destination)``; one that raises has failed, the rest go on.

    A job whose output is there is skipped, unless `overwrite`, or what that says of the job, is true. Up to `workers`
    at once, each in a thread, and their results as they come; one alone is done in the caller's thread. Looks no
    further ahead than that. A closed pipe and a keyboard interrupt end it, after what is being worked on.
    """
    todo = (_looked_at(job, overwrite) for job in jobs)
    if workers == 1:
        yield from (attempt(job, work) if isinstance(job, Job) else job for job in todo)
        return
    from concurrent.futures import (
        FIRST_COMPLETED,
        ThreadPoolExecutor,
        wait,
    )  # slow to import, and one picture needs none

    pending: set[Future[Result]] = set()
    pool = ThreadPoolExecutor(workers)
    try:
        for job in todo:
            if isinstance(job, Result):
                yield job
                continue
            pending.add(pool.submit(attempt, job, work))
            if len(pending) == workers:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    except KeyboardInterrupt:
        yield from (future.result() for future in wait(pending).done)  # they are written all the same
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _looked_at(job: Job | Result, overwrite: bool | Callable[[Job], bool]) -> Job | Result:
    """The job, or that it is skipped."""
    if isinstance(job, Job) and os.path.lexists(job.destination):
        replaced = overwrite(job) if callable(overwrite) else overwrite
        return job if replaced else Result(job.source, job.destination, "skipped")
    return job


class Stamp(NamedTuple):
    """What changes when a file does; times in nanoseconds."""

    inode: int
    size: int
    modified: int
    changed: int


def stamp(path: str) -> Stamp | None:
    """That of a file; None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return Stamp(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def is_stale(job: Job) -> bool:
    """Whether the picture has changed, or come to its place, since its output was written."""
    try:
        source, output = os.stat(job.source), os.lstat(job.destination)
    except OSError:  # the work will say what is wrong
        return True
    return max(source.st_mtime_ns, source.st_ctime_ns) > output.st_mtime_ns


def attempt(job: Job, work: Callable[[str, str], object]) -> Result:
    """Do one job, whatever is there already."""
    try:
        value = work(job.source, job.destination)
    except BrokenPipeError:
        raise
    except Exception as error:  # anything one picture can cause must not stop the others; it is reported
        return Result(job.source, job.destination, "failed", explain(error, job.source))
    return Result(job.source, job.destination, "written", value=value)
