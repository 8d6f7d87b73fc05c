"""What staff asked of the register and was not done."""

from __future__ import annotations

from device.errors import HirobaError


class RegisterRefused(HirobaError):
    """A change or a look that was not made. ``reason`` ends the code; facts: what staff at the terminal are told (never
    a name), of which the audit keeps the code alone.
    """

    code = "register.refused"

    def __init__(self, reason: str, **facts: object) -> None:
        super().__init__(**facts)
        self.code = f"register.{reason}"
