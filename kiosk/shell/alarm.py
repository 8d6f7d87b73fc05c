"""The alarm that closes the kiosk until a person clears it; it outlives a restart.

Nothing a resident does clears it: "tried again and it printed" never closed an alarm (docs/sources.md#card-incidents,
Adachi 2023).
"""

from __future__ import annotations

from typing import NamedTuple

from device.audit import AuditSink
from device.clock import Clock
from device.store import Store, statements

ALARM_STEP = statements(
    "CREATE TABLE alarm (number INTEGER PRIMARY KEY, reason TEXT NOT NULL, request TEXT NOT NULL,"
    " raised_at TEXT NOT NULL, cleared_at TEXT)",
)
"""The migration that makes the alarm's table."""


class Raised(NamedTuple):
    """An open alarm: its reason, the request (empty: none) and when (ISO 8601, JST)."""

    reason: str
    request: str
    raised_at: str


class Alarm:
    """The alarm in ``store`` (opened with kiosk.schema.KIOSK_MIGRATIONS)."""

    def __init__(self, store: Store, audit: AuditSink, clock: Clock) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock

    def raise_(self, reason: str, request: str = "") -> None:
        """Close the kiosk. Each call stands in the record, also while it is closed already."""
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO alarm (reason, request, raised_at) VALUES (?,?,?)", (reason, request, self._now())
            )
            self._audit.record("kiosk_closed", reason=reason)

    def open(self) -> list[Raised]:
        """The alarms nobody has cleared, oldest first; empty: the kiosk may serve."""
        sql = "SELECT reason, request, raised_at FROM alarm WHERE cleared_at IS NULL ORDER BY number"
        return [Raised(*row) for row in self._store.rows(sql)]

    @property
    def closed(self) -> bool:
        """Whether the kiosk must not serve."""
        return bool(self.open())

    def clear(self) -> None:
        """Staff looked and let the kiosk serve again. Nothing happens when no alarm stands."""
        with self._store.transaction() as connection:
            cleared = connection.execute("UPDATE alarm SET cleared_at=? WHERE cleared_at IS NULL", (self._now(),))
            if cleared.rowcount:
                self._audit.record("kiosk_reopened")

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="milliseconds")
