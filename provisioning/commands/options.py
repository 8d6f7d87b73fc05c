"""The two options every command shares."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

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
