"""Errors of city hall's service and of a box's connection to it."""

from __future__ import annotations

from device.errors import HirobaError


class DatabaseDown(HirobaError):
    """City hall's database cannot be reached or upgraded. facts: reason."""

    code = "cityhall.database"


class AuthorityUnusable(HirobaError):
    """The city's CA cannot be read, or was made for other names. facts: file, reason."""

    code = "cityhall.authority"


class FactorKeyUnusable(HirobaError):
    """The key of staff's second factors cannot be read. facts: file, reason."""

    code = "cityhall.factor_key"


class EnrolmentRefused(HirobaError):
    """City hall said no, or its answer is not for us. facts: reason, which also ends the code."""

    code = "enrol.refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)
        self.code = f"enrol.{reason}"


class NotEnrolled(HirobaError):
    """This box has no credential. facts: file."""

    code = "enrol.missing"
