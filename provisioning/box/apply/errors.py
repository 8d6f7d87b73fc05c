"""Surprises of an apply."""

from __future__ import annotations

from device.errors import HirobaError


class TakenBack(HirobaError):
    """The box was not healthy after the change, and is as it was. facts: box, reason."""

    code = "apply.taken_back"
