"""Bytes per session from the counters of its elements, as deltas that survive a restart of gate or kernel table.

May import: session, reconcile, kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from captive_portal.gate.reconcile import Name, Reading
from captive_portal.gate.session import Session


def growth(seen: int, shown: int) -> int:
    """Bytes since ``seen``; a counter that went back began again from nothing."""
    return shown - seen if shown >= seen else shown


def measure(session: Session, interface: str, bytes_of: Callable[[Name], int | None]) -> tuple[int, int]:
    """(up, down) bytes since last measured, and remember the counters in the session. An element that is not there
    (flushed, timed out) adds nothing.
    """
    mark = f"0x{session.mark:08x}"
    names = {
        "up4": Name("up4", f"{session.mac} . {session.ip4}") if session.ip4 else None,
        "up6": Name("up6", f'"{interface}" . {session.mac}'),
        "live": Name("live", mark),
    }
    grown = {"up4": 0, "up6": 0, "live": 0}
    for kind, name in names.items():
        shown = bytes_of(name) if name else None
        if shown is not None:
            grown[kind] = growth(session.seen.get(kind, 0), shown)
            session.seen[kind] = shown
    return grown["up4"] + grown["up6"], grown["live"]


def from_readings(readings: Mapping[Name, Reading]) -> Callable[[Name], int | None]:
    """``bytes_of`` for one dump of everything."""

    def bytes_of(name: Name) -> int | None:
        reading = readings.get(name)
        return None if reading is None else reading.bytes

    return bytes_of
