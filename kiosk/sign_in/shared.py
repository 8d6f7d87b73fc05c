"""Signing in as services share it: ``shares=(SIGN_IN,)`` in their row, ``sign_in_moves`` in their table."""

from __future__ import annotations

from kiosk.shell.service import Running, Shared, Shell
from kiosk.sign_in.screens import enter_pin, place_card
from kiosk.sign_in.steps import SignInSteps


def _build(shell: Shell) -> Running:
    steps = SignInSteps(shell)
    return Running(blueprints=(place_card.make_blueprint(shell), enter_pin.make_blueprint(shell.pages, steps)))


SIGN_IN = Shared("kiosk.sign_in", _build)
