"""Who may call which route: each page's row of ``table`` says it, and what has no row is closed. Pure."""

from __future__ import annotations

from enum import StrEnum

from provisioning.cityhall.accounts.roles import Role


class Open(StrEnum):
    """Routes before a session. anyone: the first page. under_way: the password was right."""

    ANYONE = "anyone"
    UNDER_WAY = "under_way"


Access = Role | Open


def row_of(method: str, endpoint: str) -> str:
    """The key of a route in the table: "GET boxes"."""
    return f"{'GET' if method in ('HEAD', 'OPTIONS') else method} {endpoint.removeprefix('staff.')}"
