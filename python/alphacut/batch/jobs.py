"""What is to be done to a picture, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Job:
    """A picture to read and the file to write."""

    source: str
    destination: str


@dataclass(frozen=True)
class Result:
    """What became of a picture or, where one could not be listed, of a folder.

    Attributes
    ----------
    source : str
        The picture or folder.
    destination : str or None
        The output; None where there is none.
    status : {"written", "skipped", "failed"}
        Skipped: the output was there already.
    reason : str
        Why it failed. Text, because an exception would keep the pictures of its frames in memory.
    value
        What the work returned.
    """

    source: str
    destination: str | None
    status: Literal["written", "skipped", "failed"]
    reason: str = ""
    value: Any = None


def explain(error: Exception, source: str) -> str:
    """One line that names the picture and says what went wrong."""
    if isinstance(error, OSError) and error.strerror:
        other = error.filename not in (None, source)
        return f"{source}: {error.strerror}" + (f": {error.filename}" if other else "")
    text = " ".join(str(error).split()) or type(error).__name__
    if not isinstance(error, (OSError, ValueError)) and str(error):
        text = f"{type(error).__name__}: {text}"
    return text if text.startswith(f"{source}: ") else f"{source}: {text}"
