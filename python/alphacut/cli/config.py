"""Options that one always gives, from a file ``alphacut.toml``."""

from __future__ import annotations

import os
from typing import Any

import click

from .layout import CONFIG

NAME = "alphacut.toml"


def _path() -> str | None:
    """The file of this folder, or else that of the user."""
    places = (NAME, os.path.join(click.get_app_dir("alphacut"), NAME))
    return next((place for place in places if os.path.isfile(place)), None)


def _load(path: str) -> dict[str, Any]:
    try:
        import tomllib
    except ImportError:  # Python 3.10
        import tomli as tomllib
    try:
        with open(path, "rb") as stream:
            return tomllib.load(stream)
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{path}: {error}") from error


def _defaults(command: click.Command, table: Any, path: str) -> dict[str, Any]:
    """The values of a table, by the parameters of the command that it is for."""
    if not isinstance(table, dict):
        raise click.UsageError(f"{path}: {command.name} must be a table: [{command.name}]")
    names = {flag.lstrip("-"): option for option in command.params for flag in option.opts if flag.startswith("--")}
    found: dict[str, Any] = {}
    for key, value in table.items():
        option = names.get(key.replace("_", "-"))
        if option is None or option.name is None:
            raise click.UsageError(f"{path}: [{command.name}] has no option {key!r}")
        found[option.name] = value if option.multiple is False or isinstance(value, list) else [value]
    return found


def _use(context: click.Context, option: click.Parameter, given: str | None) -> None:
    """Makes what the file says the defaults of the commands."""
    path = given or _path()
    if path is None or context.resilient_parsing:
        return
    assert isinstance(context.command, click.Group)
    defaults = {}
    for name, table in _load(path).items():
        command = context.command.get_command(context, name)
        if command is None:
            raise click.UsageError(f"{path}: no command {name!r}")
        defaults[name] = _defaults(command, table, path)
    context.default_map, context.meta[CONFIG] = defaults, path


config = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    envvar="ALPHACUT_CONFIG",
    callback=_use,
    expose_value=False,
    help=f"Options that are always given, by default ./{NAME} or {NAME} of the user's settings.",
)
