"""Bytes of a session as differences of its elements' counters; gate and kernel table may restart in between."""

from __future__ import annotations

from captive_portal.gate.policy.session import Session

COUNTED_SETS = ("up4", "up6", "live")
"""Sets whose elements have counters: up by IPv4, up by IPv6, and down."""


def counter_increase(last: int, current: int) -> int:
    """The increase since ``last``; a counter that is lower was reset to 0 meanwhile."""
    return current - last if current >= last else current


def bytes_since_last_read(session: Session, kind: str, counter: int) -> tuple[int, int]:
    """(up, down) bytes since the session's counter in the set ``kind`` was last read; ``counter`` is stored in it."""
    more = counter_increase(session.seen.get(kind, 0), counter)
    session.seen[kind] = counter
    return (0, more) if kind == "live" else (more, 0)
