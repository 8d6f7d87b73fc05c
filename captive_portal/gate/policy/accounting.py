"""Bytes per session from the counters of its elements, as deltas that survive a restart of gate or kernel table."""

from __future__ import annotations

from captive_portal.gate.policy.session import Session

COUNTED = ("up4", "up6", "live")
"""Sets whose elements count: upwards by IPv4 and IPv6, and downwards."""


def growth(seen: int, shown: int) -> int:
    """Bytes since ``seen``; a counter that went back began again from nothing."""
    return shown - seen if shown >= seen else shown


def grown(session: Session, kind: str, shown: int) -> tuple[int, int]:
    """(up, down) bytes since its counter in the set ``kind`` was last read; the session remembers it."""
    more = growth(session.seen.get(kind, 0), shown)
    session.seen[kind] = shown
    return (0, more) if kind == "live" else (more, 0)
