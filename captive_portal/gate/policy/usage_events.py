"""Usage events for statistics: numbered, about sessions, without addresses."""

from __future__ import annotations

from typing import Literal

from captive_portal.gate import protocol as p
from captive_portal.gate.policy.session import Session
from device.clock import Clock


class UsageEventQueue:
    """Numbers events and holds them until ``take``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: list[p.UsageEvent] = []
        self.last_number = 0

    def take(self) -> list[p.UsageEvent]:
        """The events since the last call, oldest first."""
        taken, self._events = self._events, []
        return taken

    def pending(self) -> bool:
        """Are there events to take?"""
        return bool(self._events)

    def record(self, session: Session, kind: Literal["opened", "used", "ended"], reason: str = "") -> None:
        """One event with seconds and bytes since the session's last event; "used" without bytes makes no event."""
        seconds = int(session.seconds_used(self._clock.monotonic()))
        up, down = session.bytes_up - session.told_up, session.bytes_down - session.told_down
        if kind == "used" and not (up or down):
            return
        growth = seconds - session.told_seconds
        session.told_seconds, session.told_up, session.told_down = seconds, session.bytes_up, session.bytes_down
        self._add(
            kind=kind,
            spot=session.spot,
            visitor=session.phone,
            session=session.id,
            method=session.method,
            language=session.language,
            device=session.device,
            seconds=growth,
            bytes_up=up,
            bytes_down=down,
            why=reason,
        )

    def record_refused(self, spot: str, visitor: str, note: p.NoteRefused) -> None:
        """A login was refused."""
        self._add(
            kind="refused",
            spot=spot,
            visitor=visitor,
            session="",
            method=note.method[:32],
            language=note.language[:16],
            device=note.device[:32],
            why=note.why[:32],
        )

    def record_disaster(self, spot: str, phones: int, up: int, down: int) -> None:
        """Phones of the open Wi-Fi in disaster mode that were not yet counted in this hour, and bytes."""
        nobody = {"visitor": "", "session": "", "method": "", "language": "", "device": ""}
        self._add(kind="disaster", spot=spot, phones=phones, bytes_up=up, bytes_down=down, **nobody)

    def _add(self, **facts: object) -> None:
        self.last_number += 1
        self._events.append(p.UsageEvent(number=self.last_number, at=self._clock.now(), **facts))  # type: ignore[arg-type]  # same names as UsageEvent
