"""What a command tells of many pictures: progress, warnings, failures and lines of JSON."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from .progress import Progress

if TYPE_CHECKING:
    from ..batch import Result


def follow(
    results: Generator[Result, None, None],
    total: int | None,
    *,
    quiet: bool,
    silent: bool,
    as_json: bool,
    watching: bool,
    passed: Counter[str] | None = None,
    count: Callable[[], int | None] = lambda: None,
) -> None:
    """Have the jobs done, under a progress bar where a person looks on, and tell what failed.

    `silent` tells no summary, which names the files that were passed over (`passed`), too. When `watching`, failures
    are told at once, and an interrupt is the end. `count` finds a `total` that is not known.
    """
    counts: Counter[str] = Counter()
    failures = []
    hidden = quiet or silent or not sys.stderr.isatty()
    try:
        with closing(results), Progress(total, count, hidden=hidden) as progress:
            for result in results:
                counts["failed before" if result.status == "skipped" and result.reason else result.status] += 1
                progress.step(result)
                if as_json:
                    _write(json.dumps(_line(result)))
                elif result.value and not quiet:
                    if not hidden:
                        say(f"{result.source} → {result.destination} {result.value['confidence'] * 100:.0f} %")
                    for warning in result.value["warnings"]:
                        say(f"{result.source}: {warning}")
                if result.status == "failed" and watching:
                    say(result.reason)
                elif result.status == "failed":
                    failures.append(result.reason)
    except KeyboardInterrupt:
        if not watching:
            raise
    if not quiet and not silent:
        say(_summary(counts, passed or Counter()))
    for reason in failures:
        say(reason)
    if failures:
        click.get_current_context().exit(1)


def require_streams() -> None:
    """Standard input and output are open."""
    if sys.stdin is None or sys.stdout is None:
        raise click.UsageError("Standard input or output is closed.")


def say(line: str) -> None:
    """To standard error, above the progress bar; what steers a terminal, as a file's name may, is escaped."""
    _put(re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda found: repr(found[0])[1:-1], line), sys.stderr)


def tell_once(warnings: tuple[str, ...], number: int, told: set[str]) -> None:
    """Each warning the first time, whatever its numbers."""
    for warning in warnings:
        kind = re.sub(r"\d", "", warning)
        if kind not in told:
            told.add(kind)
            say(f"frame {number}: {warning}")


def _write(line: str) -> None:
    """To standard output, above the progress bar, and at once."""
    try:
        _put(line, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.ClickException(f"standard output: {error.strerror}") from error


def _put(line: str, file: Any) -> None:
    """Above the progress bar, where there is one: tqdm, with what it imports, takes longer than a small picture."""
    if "tqdm" in sys.modules:
        from tqdm import tqdm

        tqdm.write(line, file=file)
    else:
        print(line, file=file)


def _line(result: Result) -> dict[str, Any]:
    """A result for JSON, which escapes what is no text in a name."""
    told = {
        "source": result.source,
        "destination": result.destination,
        "status": result.status,
        "reason": result.reason or None,
    }
    return {**told, **(result.value or {})}


def _summary(counts: Counter[str], passed: Counter[str]) -> str:
    """Such as "3 written, 1 failed; 2 passed over (1 .txt, 1 hidden)"."""
    words = {
        "written": "written",
        "skipped": "skipped (exists; --overwrite replaces it)",
        "failed before": "failed before (--retry-failed does it again)",
        "failed": "failed",
    }
    done = ", ".join(f"{counts[status]} {word}" for status, word in words.items() if counts[status])
    if not passed:
        return done or "no photos found"
    reasons = ", ".join(
        f"{count} {reason}" for reason, count in sorted(passed.items(), key=lambda item: (-item[1], item[0]))
    )
    return f"{done or 'no photos found'}; {passed.total()} passed over ({reasons})"
