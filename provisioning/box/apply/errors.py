"""Errors of laying settings on a box."""

from __future__ import annotations

from device.errors import HirobaError


class ApplyRolledBack(HirobaError):
    """The box was not healthy after the change, and is as it was. facts: box, reason."""

    code = "apply.rolled_back"
