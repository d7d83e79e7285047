"""Many pictures at once, here or on a cluster, with a manifest where one is asked for."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import nullcontext
from os import PathLike
from typing import Any, Literal, get_args

from .._arrays import choice, integer
from . import memory
from .due import due_of, is_known, looked_ahead, rule
from .jobs import Job, Result
from .manifest import Manifest
from .naming import ending_of
from .recipe import Recipe
from .running import Pool, Threads, Work, run
from .sources import plan

Engine = Literal["local", "ray"]

FEW = 16
"""Fewer pictures are done in threads: a process takes longer to begin than several of half a megapixel."""


def remove(
    sources: str | PathLike[str] | Sequence[str | PathLike[str]],
    out: str | PathLike[str] | None = None,
    *,
    engine: Engine = "local",
    address: str | None = None,
    workers: int | None = None,
    isolate: float | None = None,
    num_cpus: float = 1,
    num_gpus: float = 0,
    manifest: str | PathLike[str] | None = None,
    overwrite: bool | None = None,
    retry_failed: bool = False,
    stale: bool = False,
    recursive: bool = True,
    format: str = "png",
    what: str = "rgba",
    background: Any = None,
    shadow: Any = None,
    crop: bool = False,
    margin: int | str = 0,
    aspect: Any = None,
    quality: int | None = None,
    png_level: int | None = None,
    exif: bool = False,
    each: Callable[[Result], None] | None = None,
    **options: Any,
) -> Counter[str]:
    """Cut the subjects out of many pictures.

    Parameters
    ----------
    sources : path or sequence of paths
        Files, folders, patterns, a list of pictures, or a URL: see :func:`alphacut.batch.plan`.
    out : path, optional
        The folder for the outputs, or its URL; by default beside each picture.
    engine : {"local", "ray"}
        Processes of this machine, or actors of a Ray cluster. The outputs are the same, byte for byte.
    address : str, optional
        Of the cluster, as ``ray.init`` takes it; by default a cluster made here.
    workers : int, optional
        Pictures at once: by default one for each processor, as far as they take less than half of the memory together.
    isolate : float, optional
        Seconds for a picture: each, be it a few, is done in a process that is killed after these, and has half of the
        memory at most (on Linux). A Ray cluster has limits of its own.
    num_cpus, num_gpus : float
        Of each worker of a Ray cluster.
    manifest : path, optional
        A folder for a table of what became of each picture, see :class:`Manifest`. What it says is done is not done
        again, unless the output is gone (URLs are not looked at), and what it says has failed is left alone.
    overwrite : bool, optional
        Whether outputs that are there are replaced: by default those of pictures that were named, not found.
    retry_failed : bool
        Whether to do again what the manifest says has failed.
    stale : bool
        Whether to do again what the manifest says was made with other options or another version, or of which the
        picture is newer; the times of URLs are not asked.
    recursive : bool
        Whether to walk into sub-folders.
    format, what, background, shadow, quality, png_level, exif
        As for :meth:`alphacut.Cutout.save`.
    crop, margin, aspect
        Whether to crop to the subject, and what is then kept around it, see :meth:`alphacut.Cutout.crop`.
    each : callable, optional
        Called with what became of each picture, as it is known.
    **options
        As for :class:`alphacut.Remover`.

    Returns
    -------
    Counter
        How many were "written", "skipped" and "failed".

    Raises
    ------
    TypeError, ValueError
        If an argument cannot be used; a picture that cannot be is a failed result.
    ImportError
        If an engine, a URL or a manifest needs a package that is not there.
    OSError
        If the manifest or a list cannot be read or written.

    Notes
    -----
    Processes are spawned, so that a program must guard its entry point by ``if __name__ == "__main__":``, as for
    :mod:`multiprocessing`. A picture that kills its worker is tried once more, alone, and then has failed.

    Examples
    --------
    >>> import os, tempfile, numpy as np, alphacut, alphacut.batch
    >>> folder = tempfile.mkdtemp()
    >>> image = np.full((48, 64, 3), 255, np.uint8)
    >>> image[12:36, 16:48] = (200, 30, 40)
    >>> alphacut.files.write_image(os.path.join(folder, "a.png"), image)
    >>> alphacut.batch.remove(folder, os.path.join(folder, "out"))
    Counter({'written': 1})
    """
    ending = ending_of(what, format)
    save = {"what": what, "background": background, "shadow": shadow}
    save |= {"quality": quality, "png_level": png_level, "exif": exif}
    recipe = Recipe(
        options=options,
        crop=crop,
        margin=margin,
        aspect=aspect,
        save=save | {"format": format},
        digest=bool(manifest),
    )
    places = [sources] if isinstance(sources, (str, PathLike)) else sources
    jobs = plan(
        [os.fspath(place) for place in places],
        None if out is None else os.fspath(out),
        ending=ending,
        recursive=recursive,
    )
    counts: Counter[str] = Counter()
    for result in results(
        jobs,
        recipe,
        engine=engine,
        address=address,
        workers=workers,
        isolate=isolate,
        num_cpus=num_cpus,
        num_gpus=num_gpus,
        manifest=None if manifest is None else os.fspath(manifest),
        overwrite=overwrite,
        retry_failed=retry_failed,
        stale=stale,
    ):
        counts[result.status] += 1
        if each is not None:
            each(result)
    return counts


def results(
    jobs: Iterable[Job | Result],
    recipe: Recipe,
    *,
    engine: Engine = "local",
    address: str | None = None,
    workers: int | None = None,
    isolate: float | None = None,
    num_cpus: float = 1,
    num_gpus: float = 0,
    manifest: str | None = None,
    overwrite: bool | None = None,
    retry_failed: bool = False,
    stale: bool = False,
) -> Generator[Result, None, None]:
    """What becomes of the jobs, see :func:`alphacut.batch.remove`."""
    choice(engine, "engine", get_args(Engine))
    if (retry_failed or stale) and manifest is None:
        raise ValueError("retry_failed and stale need a manifest")
    if workers is not None:
        integer(workers, "workers", 1)
    if isolate is not None and not isolate > 0:
        raise ValueError(f"isolate must be above 0 seconds, got {isolate}")
    recipe.check()
    with Manifest(manifest, recipe.described()) if manifest is not None else nullcontext() as table:
        replaced = rule(table, overwrite, retry_failed, stale)
        due: Iterable[Job | Result] = jobs if table is None else due_of(jobs, table, replaced)
        if engine == "ray":
            from .ray_workers import ray_workers

            pool: Work | Pool = ray_workers(
                recipe, address=address, places=workers, num_cpus=num_cpus, num_gpus=num_gpus
            )
        else:
            found, due = looked_ahead(due, replaced, FEW)
            pool = local(recipe, workers, found, isolate)
        for result in run(due, pool, overwrite=replaced):
            if table is not None and not is_known(result, table):
                table.add(result)
            yield result


def local(recipe: Recipe, workers: int | None, jobs: int, isolate: float | None = None) -> Work | Pool:
    """Processes for many pictures, threads for few, this thread for one."""
    from .. import get_num_threads

    threads = get_num_threads()
    places = workers or (threads if recipe.options.get("device", "auto") in ("auto", "cpu") else min(2, threads))
    if isolate is None and (places == 1 or jobs < 2):
        return recipe
    if isolate is None and jobs < FEW:
        return Threads(recipe, workers or min(places, 2), memory.fits)
    from .workers import Process, Workers

    places = min(places, max(jobs, 1))
    return Workers(lambda: Process(recipe, max(1, threads // places), isolate), places, memory.fits)
