"""Workers on a Ray cluster: actors, each with a remover of its own."""

from __future__ import annotations

import contextlib
import logging
import math
import os
from concurrent.futures import Future
from typing import Any

from .jobs import Job, Result
from .recipe import Recipe
from .running import attempt
from .workers import Workers, translated

_WHY = "its worker died, twice: killed, out of memory, or a decoder's crash"


def ray_workers(
    recipe: Recipe, *, address: str | None = None, places: int | None = None, num_cpus: float = 1, num_gpus: float = 0
) -> Workers:
    """A pool of actors, see :class:`Workers`.

    Parameters
    ----------
    recipe : Recipe
        What they do.
    address : str, optional
        Of the cluster, as ``ray.init`` takes it; by default what ``RAY_ADDRESS`` says, or a cluster made here. Where
        ray.init was called already, that one.
    places : int, optional
        Actors; by default as many as the cluster has room for. Those that have no room yet wait for it, so that
        machines that come later are used, too.
    num_cpus, num_gpus : float
        Of each actor.

    Raises
    ------
    ImportError
        Without Ray.
    ConnectionError
        If there is no cluster at the address.
    """
    try:
        import ray
    except ImportError as error:
        raise ImportError("engine='ray' needs Ray: pip install 'alphacut[ray]'") from error
    if not ray.is_initialized():
        address = address or os.environ.get("RAY_ADDRESS") or "local"
        own: dict[str, Any] = {"include_dashboard": False} if address == "local" else {}
        ray.init(address=address, **own, log_to_driver=False, logging_level=logging.ERROR)
    if places is None:
        room: dict[str, float] = ray.cluster_resources()
        places = max(1, math.floor(room.get("CPU", 1) / num_cpus)) if num_cpus else 1
        if num_gpus:
            places = min(places, max(1, math.floor(room.get("GPU", 0) / num_gpus)))
    shared = ray.put(recipe)
    kind = ray.remote(_Cutter).options(num_cpus=num_cpus, num_gpus=num_gpus, max_restarts=0)
    threads, folder = max(1, math.ceil(num_cpus)), os.getcwd()
    return Workers(lambda: _Actor(kind.remote(shared, threads, folder)), places, at_once=2)


class _Cutter:
    """What an actor is."""

    def __init__(self, recipe: Recipe, threads: int, folder: str) -> None:
        from .. import set_num_threads

        with contextlib.suppress(OSError):  # of a machine that knows URLs alone
            os.chdir(folder)  # relative paths mean what they do to the driver
        set_num_threads(threads)
        self._recipe = recipe

    def ready(self) -> bool:
        return True

    def attempt(self, job: Job) -> Result:
        return attempt(job, self._recipe)


class _Actor:
    """A worker, see :class:`Worker`."""

    def __init__(self, handle: Any) -> None:
        from ray import exceptions

        self._handle = handle
        self._deaths = (
            exceptions.RayActorError,
            exceptions.OutOfMemoryError,
            exceptions.WorkerCrashedError,
            exceptions.NodeDiedError,
            exceptions.ObjectLostError,
        )

    def begin(self) -> Future[Any]:
        return translated(self._handle.ready.remote().future(), self._deaths, _WHY)

    def send(self, job: Job) -> Future[Result]:
        return translated(self._handle.attempt.remote(job).future(), self._deaths, _WHY)

    def end(self) -> None:
        import ray

        if ray.is_initialized():
            ray.kill(self._handle)
