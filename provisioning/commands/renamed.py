"""Commands that had another name in earlier releases: the former works, and one line says what it is called now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click


class RenamingGroup(click.Group):
    """A group whose commands answer to a former name too."""

    def __init__(self, *args: Any, renamed: Mapping[str, str], **rest: Any) -> None:
        """renamed: former name -> name now."""
        super().__init__(*args, **rest)
        self._renamed = renamed

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or of the one it has now."""
        return super().get_command(ctx, now_called(ctx, cmd_name, self._renamed))


def now_called(ctx: click.Context, name: str, renamed: Mapping[str, str]) -> str:
    """What the command ``name`` is called now; a former name is told."""
    if name not in renamed:
        return name
    say_renamed(f"{ctx.command_path} {name}", f"{ctx.command_path} {renamed[name]}")
    return renamed[name]


def say_renamed(former: str, now: str) -> None:
    """On standard error."""
    click.echo(f"{former} は {now} に名前が変わりました。 / {former} is now called {now}.", err=True)
