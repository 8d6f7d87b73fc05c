"""How many wrong staff codes were typed in a row, for each place that asks for one; kept over a restart."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import NamedTuple

from device.store import Store, additive

WRONG_CODES_STEP = additive(
    "CREATE TABLE wrong_staff_code (place TEXT PRIMARY KEY, wrong INTEGER NOT NULL, last_at TEXT NOT NULL)"
)
"""The migration that makes the table."""


class Place(Enum):
    """Where a staff code is asked for. Each has its own count, so that wrong codes at one never close the other."""

    STAFF_SCREEN = "staff_screen"
    PAYMENT = "payment"


class Wrong(NamedTuple):
    """times: wrong codes in a row; last_at: the last one's time of day."""

    times: int
    last_at: datetime


class WrongCodes:
    """The count of one place in ``store`` (opened with kiosk.schema.KIOSK_MIGRATIONS)."""

    def __init__(self, store: Store, place: Place) -> None:
        self._store, self.place = store, place

    def read(self) -> Wrong | None:
        """None: the last code was right, or there was none yet."""
        rows = self._store.rows("SELECT wrong, last_at FROM wrong_staff_code WHERE place = ?", (self.place.value,))
        return next((Wrong(int(wrong), datetime.fromisoformat(at)) for wrong, at in rows), None)

    def write(self, wrong: Wrong) -> None:
        """Committed and on the card when the call returns."""
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO wrong_staff_code VALUES (?,?,?) ON CONFLICT (place) DO UPDATE SET"
                " wrong = excluded.wrong, last_at = excluded.last_at",
                (self.place.value, wrong.times, wrong.last_at.isoformat()),
            )

    def clear(self) -> None:
        """The code was right."""
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM wrong_staff_code WHERE place = ?", (self.place.value,))
