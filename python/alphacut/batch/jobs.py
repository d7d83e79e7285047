"""What is to be done to a picture, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Job:
    """A picture to read and the file to write.

    Attributes
    ----------
    source, destination : str
        Paths or URLs.
    prompt : mapping
        Of this picture alone, as keywords of :func:`alphacut.remove_background`.
    named : bool
        Whether the caller named the picture, rather than a folder or list that has it.
    """

    source: str
    destination: str
    prompt: Mapping[str, Any] = field(default_factory=dict)
    named: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Result:
    """What became of a picture or, where one could not be listed, of a folder.

    Attributes
    ----------
    source : str
        The picture or folder.
    destination : str or None
        The output, which is not there if it failed; None where none could be named.
    status : {"written", "skipped", "failed"}
        Skipped: the output was there already, or, with a reason, the manifest says that it failed before.
    reason : str
        Why it failed. Text, because an exception would keep the pictures of its frames in memory.
    value
        What the work returned.
    prompt : mapping
        The job's.
    """

    source: str
    destination: str | None
    status: Literal["written", "skipped", "failed"]
    reason: str = ""
    value: Any = None
    prompt: Mapping[str, Any] = field(default_factory=dict)


def explain(error: BaseException, source: str) -> str:
    """One line that names the picture and says what went wrong."""
    if isinstance(error, OSError) and error.strerror:
        other = error.filename not in (None, source)
        return f"{source}: {error.strerror}" + (f": {error.filename}" if other else "")
    text = " ".join(str(error).split()) or type(error).__name__
    if not isinstance(error, (OSError, ValueError)) and str(error):
        text = f"{type(error).__name__}: {text}"
    return text if text.startswith(f"{source}: ") else f"{source}: {text}"
