"""Outside the hours, or stopped by an alarm."""

from __future__ import annotations

from flask import Blueprint

from kiosk.shell.journey import CLOSED
from kiosk.shell.screens import plain
from kiosk.shell.service import Shell


def make_blueprint(shell: Shell) -> Blueprint:
    """Route: /closed."""
    return plain.make_blueprint(
        shell.pages, CLOSED, lambda _visit: {"settings": shell.desk.settings, "alarm": shell.alarm.closed}
    )
