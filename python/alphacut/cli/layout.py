"""How commands are shown: their options in groups, and what may have been meant."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from ..files import READ_SUFFIXES

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
Decorator = Callable[[Decorated], Decorated]

CONFIG = "alphacut.config"
"""Where a context keeps the name of the file of options."""


def together(*options: Decorator[Any]) -> Decorator[Any]:
    """Several decorators as one, the first on top."""

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def group(title: str, *options: Decorator[Any]) -> Decorator[Any]:
    """The same, under a title of their own in the help of a :class:`Command`."""

    def decorate(command: Any) -> Any:
        before = len(getattr(command, "__click_params__", ()))
        command = together(*options)(command)
        for option in command.__click_params__[before:]:
            option.group = title
        return command

    return decorate


class Command(click.Command):
    """A command whose help has its options in their groups, and that tells which ones a file has given."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run it."""
        sources = {option.opts[-1]: ctx.get_parameter_source(option.name or "") for option in self.params}
        found = [flag for flag, source in sources.items() if source is ParameterSource.DEFAULT_MAP]
        if found and not ctx.params.get("quiet"):
            click.echo(f"{ctx.meta.get(CONFIG)} gives {', '.join(found)}", err=True)
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write them, in the order of the groups' first options."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for option in self.get_params(ctx):
            if isinstance(option, click.Option) and (record := option.get_help_record(ctx)) is not None:
                groups.setdefault(getattr(option, "group", "Options"), []).append(record)
        groups["Options"] = groups.pop("Options")  # the rest comes last
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records)


class Group(click.Group):
    """Commands, each in the module of its name; of a picture in the place of one it says what was meant.

    Parameters
    ----------
    names : tuple of str
        The commands, in the order of the help.
    package : str
        That of the modules, which are imported when their commands are asked for: one picture needs one command.
    """

    def __init__(self, *args: Any, names: tuple[str, ...], package: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._names, self._package = names, package

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names."""
        return list(self._names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in self._names:
            return None
        command: click.Command = getattr(import_module(f"{self._package}.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the first word."""
        word = args[0]
        if self.get_command(ctx, word) is None and not ctx.resilient_parsing:
            suffix = os.path.splitext(word)[1].lower()
            if suffix in READ_SUFFIXES or os.path.exists(word) or "://" in word:
                ctx.fail(f"No such command {word!r}. Did you mean `{ctx.command_path} remove {word}`?")
        return super().resolve_command(ctx, args)
