"""Pictures at once, as the machine's memory allows."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from functools import cache, lru_cache

from ..files.formats import format_of
from . import storage
from .jobs import Job

BYTES_PER_PIXEL = 100
"""What one picture takes at the most, from its file to its output."""


def fits(job: Job, pending: Iterable[Job]) -> bool:
    """Whether the pictures take less than half of the memory together."""
    return sum(_cost(each.source) for each in (job, *pending)) <= budget()


@lru_cache(4096)
def _cost(source: str) -> int:
    """Bytes, by the file's header; 0 of what is no picture, and fails."""
    if storage.is_url(source):
        return 0
    if not os.path.isfile(source):  # such as a pipe, which would be opened in the place of the one who reads it
        return 0
    with contextlib.suppress(Exception), open(source, "rb") as stream:
        _, factory = format_of(stream, source)
        stream.seek(0)
        width, height = factory(stream, "").size
        return int(width * height * BYTES_PER_PIXEL)
    return 0


@cache
def budget() -> int:
    """Half of the memory of the machine or, where that is less, of the container."""
    limits = []
    with contextlib.suppress(OSError, ValueError, AttributeError):
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with contextlib.suppress(OSError, ValueError), open("/sys/fs/cgroup/memory.max") as stream:
        limits.append(int(stream.read()))
    return min(limits, default=8 << 30) // 2


def limit(memory: int, files: int) -> None:
    """Bound the memory, open files and core file of this process, as far as the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for kind, most in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_NOFILE, files), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS knows some of them by name only
            resource.setrlimit(kind, (most, hard))
