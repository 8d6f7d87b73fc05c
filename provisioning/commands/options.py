"""What commands share: the two options of nearly all of them, and how a day is given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click

from device.clock import SystemClock

TODAY = "today"
F = TypeVar("F", bound=Callable[..., Any])

CONFIG = Path("/etc/hiroba/site.toml")
STATE = Path("/var/lib/hiroba")
DEMO_STATE = Path("/var/lib/hiroba-demo")
"""Where `hiroba demo` and `hiroba virtual` keep theirs, so that a demo never touches a box's own."""


def site_options(function: F) -> F:
    """``--config FILE`` and ``--state DIR``, given to the function as ``config`` and ``state``."""
    config = click.option(
        "--config", type=click.Path(path_type=Path), default=CONFIG, show_default=True, help="Site file."
    )
    return config(state_option(function))


def state_option(function: F) -> F:
    """``--state DIR`` alone."""
    folder = click.Path(path_type=Path, file_okay=False, resolve_path=True)
    return click.option("--state", type=folder, default=STATE, show_default=True, help="Where state is kept.")(function)


class Day(click.ParamType[date]):
    """A day as YYYY-MM-DD, or the word "today"; DAY in the help."""

    name = "day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day meant."""
        if isinstance(value, date):
            return value
        if value == TODAY:
            return SystemClock().now().date()
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value} は日付ではありません（例 2026-11-23）。 / not a day, like 2026-11-23.", param, ctx)
