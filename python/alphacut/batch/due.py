"""Which jobs are to be done: what is missing, and what is to be done again."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from itertools import chain

from . import storage
from .jobs import Job, Result
from .manifest import Manifest
from .running import looked_at
from .table import Status

_MOST_LOOKED_AT = 1000


def is_known(result: Result, table: Manifest) -> bool:
    """Whether it has a row already, and nothing was done: it was skipped, or could not be planned."""
    idle = result.status == "skipped" or result.destination is None
    return idle and table.status(Job(result.source, result.destination or "")) is not None


def rule(table: Manifest | None, overwrite: bool | None, retry_failed: bool, stale: bool) -> Callable[..., bool]:
    """Whether the output of a job, which is there, is replaced."""

    def replaced(job: Job, status: Status | None = None) -> bool:
        if overwrite or (overwrite is None and job.named):
            return True
        if table is not None and status is None:
            status = table.status(job)
        if status == "failed":
            return retry_failed
        return stale and status is not None and (status == "stale" or is_stale(job))

    return replaced


def due_of(
    jobs: Iterable[Job | Result], table: Manifest, replaced: Callable[..., bool]
) -> Generator[Job | Result, None, None]:
    """The same, but skipped where they failed before, or were done and it takes a connection to see the output."""
    for job in jobs:
        status = table.status(job) if isinstance(job, Job) else None
        if isinstance(job, Job) and status is not None and not replaced(job, status):
            if status == "failed":
                job = Result(job.source, job.destination, "skipped", "failed before")
            elif storage.is_url(job.destination):
                job = Result(job.source, job.destination, "skipped")
        yield job


def looked_ahead(
    jobs: Iterable[Job | Result], replaced: Callable[[Job], bool], few: int
) -> tuple[int, Iterable[Job | Result]]:
    """How many are to be done, counted up to `few`; and all of them, for what is looked at is used up."""
    jobs = iter(jobs)
    seen: list[Job | Result] = []
    found = 0
    for item in jobs:
        item = looked_at(item, replaced)
        seen.append(item)
        found += isinstance(item, Job)
        if len(seen) == _MOST_LOOKED_AT:
            found = few  # a job that goes on where it was: more may come
        if found >= few:
            break
    return found, chain(seen, jobs)


def is_stale(job: Job) -> bool:
    """Whether the picture has changed, or come to its place, since its output was written; not asked of URLs."""
    if storage.is_url(job.source) or storage.is_url(job.destination):
        return False
    try:
        source, output = os.stat(job.source), os.lstat(job.destination)
    except OSError:  # the work will say what is wrong
        return True
    return max(source.st_mtime_ns, source.st_ctime_ns) > output.st_mtime_ns
