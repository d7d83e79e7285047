"""Which jobs are to be done: what is missing, and what is to be done again."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from itertools import chain

from . import storage
from .jobs import Job, Result
from .manifest import Manifest
from .running import is_stale, looked_at
from .table import Status

_MOST_LOOKED_AT = 1000


def is_known(result: Result, table: Manifest) -> bool:
    """Whether it has a row already, and nothing was done: it was skipped, or could not be planned."""
    idle = result.status == "skipped" or result.destination is None
    return idle and table.status(Job(result.source, result.destination or "")) is not None


def rule(
    table: Manifest | None, overwrite: bool | Callable[[Job], bool] | None, retry_failed: bool, stale: bool
) -> Callable[..., bool]:
    """Whether the output of a job, which is there, is replaced."""

    def replaced(job: Job, status: Status | None = None) -> bool:
        if overwrite is not None:
            told = overwrite(job) if callable(overwrite) else overwrite
            if told:
                return True
        elif job.named:
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
                job = Result(job.source, job.destination, "skipped", "failed before; --retry-failed does it again")
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
