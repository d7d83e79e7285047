"""``alphacut serve``: the server, and the page to try it on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from .layout import Command
from .options import threads

if TYPE_CHECKING:
    from ..model import Model

_positive = click.IntRange(min=1)


@click.command(cls=Command, short_help="Serve requests, and a page to try it on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 for all.")
@click.option("--port", type=click.IntRange(0, 65535), default=7000, show_default=True, help="0 takes a free one.")
@click.option("--workers", type=_positive, help="Pictures worked on at once.  [default: a processor each, at most 4]")
@click.option("--places", type=_positive, default=64, show_default=True, help="Requests under way; one more gets 503.")
@click.option("--max-body", metavar="MB", type=_positive, default=32, show_default=True, help="Megabytes of a request.")
@click.option(
    "--max-pixels", metavar="MP", type=_positive, default=50, show_default=True, help="Megapixels of a picture."
)
@click.option("--timeout", metavar="SECONDS", type=_positive, default=30, show_default=True, help="For one request.")
@click.option(
    "--model",
    "models",
    metavar="[NAME=]FILE",
    multiple=True,
    help="An ONNX network that requests can name (model=NAME), by default as its file. May be given again.",
)
@click.option(
    "--max-bodies", metavar="MB", type=_positive, default=512, show_default=True, help="Megabytes of all requests."
)
@click.option(
    "--isolate/--no-isolate",
    default=True,
    show_default=True,
    help="Decode and cut in processes of bounded memory, which are killed where nothing else ends them.",
)
@click.option(
    "--allow-host",
    "hosts",
    metavar="NAME",
    multiple=True,
    help="A name under which it may be asked, beside its addresses and localhost; * for any. May be given again.",
)
@click.option("--token", envvar="ALPHACUT_TOKEN", default="", help="What requests must bring.  [$ALPHACUT_TOKEN]")
@click.option("--root-path", metavar="PATH", default="", help="The path that a proxy in front of it cuts off.")
@threads
def serve(
    host: str,
    port: int,
    max_body: int,
    max_pixels: int,
    max_bodies: int,
    hosts: tuple[str, ...],
    models: tuple[str, ...],
    root_path: str,
    threads: int | None,
    **limits: Any,
) -> None:
    """Answer requests over HTTP: POST /api/remove, a page at /, its description at /docs, figures at /metrics.

    Only this machine can reach it, unless --host says otherwise. Whoever can, may use it, unless a --token is set; the
    page gets that when it is opened as /?token=...

    \b
    Examples:
      alphacut serve
      curl -F file=@photo.jpg http://127.0.0.1:7000/api/remove -o cutout.png
      alphacut serve --model isnet.onnx
      curl -F file=@photo.jpg -F model=isnet http://127.0.0.1:7000/api/remove -o cutout.png
      curl -F file=@photo.jpg -F bg_color=white -F format=jpg http://127.0.0.1:7000/api/remove -o card.jpg
    """
    try:
        import uvicorn

        from .. import set_num_threads
        from ..server import Settings, create_app
        from ..server.connections import connections
    except ImportError as error:
        raise click.ClickException(f"the server needs more: pip install 'alphacut[serve]' ({error})") from error
    given = {name: value for name, value in limits.items() if value is not None}
    if threads is not None:
        set_num_threads(threads)
    try:
        settings = Settings(
            max_body=max_body * 10**6,
            max_pixels=max_pixels * 10**6,
            max_bodies=max_bodies * 10**6,
            hosts=(*hosts, host),
            models=_named(models),
            **given,
        )
    except (ValueError, TypeError) as error:
        raise click.UsageError(str(error)) from error
    uvicorn.run(
        create_app(settings),
        host=host,
        port=port,
        root_path=f"/{root_path.strip('/')}".rstrip("/"),
        access_log=False,
        http=connections(settings.places + 500),
        ws="none",
        timeout_graceful_shutdown=10,
    )


def _named(models: tuple[str, ...]) -> dict[str, Model]:
    """The networks by the names that requests use."""
    from ..model import Model

    named: dict[str, Model] = {}
    for model in models:
        name, equals, file = model.partition("=")
        if not equals or os.path.exists(model):
            name, file = os.path.splitext(os.path.basename(model))[0], model
        if not name or name in named:
            raise click.UsageError(f"--model: two of the name {name!r}" if name else "--model: a name is empty")
        try:
            named[name] = Model(file)
        except (ValueError, TypeError, ImportError, OSError) as error:
            raise click.UsageError(f"--model: {error}") from error
    return named
