"""What the server is told at its start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .._arrays import integer
from ..batch.memory import BYTES_PER_PIXEL
from ..model import as_model
from ..threads import get_num_threads


def _processors() -> int:
    """A worker for each processor, but no more than four: each holds a whole picture."""
    return min(4, get_num_threads())


@dataclass(frozen=True)
class Settings:
    """Limits of the server, whole numbers of at least 1, who may ask, and its models.

    Attributes
    ----------
    workers : int
        Pictures worked on at once, by default one a processor, at most four.
    places : int
        Requests under way at once, waiting ones included; one more is refused (503).
    max_body : int
        Bytes of a request's body.
    max_pixels : int
        Width times height of any picture in a request.
    timeout : int
        Seconds for a request to come in and be worked on, from the end of its header, and as many for its answer to be
        taken.
    pictures : int
        Pictures kept for pages that are open, and as many films.
    idle : int
        Seconds until a picture or a film that nobody asks about is forgotten.
    max_bodies : int
        Bytes of the bodies of all requests under way.
    isolate : bool
        Whether pictures are decoded, and those of ``/api/remove`` cut, in processes of their own, one a worker: a
        decoder that does not end is killed, and one that crashes harms no other request.
    hosts : tuple of str
        Names under which it may be asked, beside addresses and ``localhost``; ``*`` for any, where a server in front
        looks at them.
    token : str
        What requests must bring, if not empty: ASCII without spaces.
    models : mapping of str to Model, or path or bytes of an ONNX file
        The networks that requests can name.
    """

    workers: int = field(default_factory=_processors)
    places: int = 64
    max_body: int = 32 * 2**20
    max_pixels: int = 50_000_000
    timeout: int = 30
    pictures: int = 8
    idle: int = 600
    max_bodies: int = 512 * 2**20
    isolate: bool = False
    hosts: tuple[str, ...] = ()
    token: str = ""
    models: Mapping[str, Any] = field(default_factory=dict)

    @property
    def memory(self) -> int:
        """Bytes that a process may take: those of the largest picture, and what it has to begin with."""
        return 2**30 + BYTES_PER_PIXEL * self.max_pixels

    def __post_init__(self) -> None:
        for each in fields(self):
            if each.type == "int":
                integer(getattr(self, each.name), each.name, 1)
        if isinstance(self.hosts, str) or not all(isinstance(host, str) for host in self.hosts):
            raise TypeError(f"hosts must be names, got {self.hosts!r}")
        if not isinstance(self.token, str):
            raise TypeError(f"token must be a text, got {type(self.token).__name__}")
        if not all("!" <= character <= "~" for character in self.token):
            raise ValueError("token must have ASCII characters alone, and no spaces")
        object.__setattr__(self, "models", {name: as_model(model) for name, model in self.models.items()})
