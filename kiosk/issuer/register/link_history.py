"""Whose a credential was and is, with the days: so that unlinking and linking again is not a way to move it unseen."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import NamedTuple

from device.store import Store
from kiosk.issuer.register.register import Register


class LinkPeriod(NamedTuple):
    """One link, past or present. not_after, begun_at: ISO 8601, "" for a link from before this was kept. ended_at: None
    while it holds.
    """

    issuer_key: str
    serial: int
    resident: str
    not_after: str
    begun_at: str
    ended_at: str | None


class LinkHistory:
    """Beside the links of ``register``, in the same store; callers hold the transaction."""

    def __init__(self, store: Store, register: Register) -> None:
        self._store = store
        self._register = register

    def holders(self, issuer_key: str, serial: int) -> list[str]:
        """Every resident it was ever linked to, the present or last one first, each once."""
        sql = (
            "SELECT resident FROM link_history WHERE issuer_key = ? AND serial = ?"
            " ORDER BY ended_at IS NOT NULL, number DESC"
        )
        past = [str(row["resident"]) for row in self._store.rows(sql, (issuer_key, f"{serial:x}"))]
        now = self._register.resolve(issuer_key, serial)
        return list(dict.fromkeys([now, *past] if now else past))

    def of_resident(self, resident: str) -> list[LinkPeriod]:
        """Every link of a resident, oldest first."""
        sql = "SELECT * FROM link_history WHERE resident = ? ORDER BY number"
        kept = [_period(row) for row in self._store.rows(sql, (resident,))]
        open_ones = {(k.issuer_key, k.serial) for k in kept if k.ended_at is None}
        bare = [
            LinkPeriod(key, serial, resident, "", "", None)
            for key, serial, _ in self._register.linked(resident)
            if (key, serial) not in open_ones
        ]
        return [*bare, *kept]

    def begin(self, issuer_key: str, serial: int, resident: str, not_after: str, at: datetime) -> None:
        """A link holds from now on."""
        with self._store.transaction() as connection:
            row = (issuer_key, f"{serial:x}", resident, not_after, _text(at))
            connection.execute(
                "INSERT INTO link_history (issuer_key, serial, resident, not_after, begun_at) VALUES (?,?,?,?,?)", row
            )

    def end(self, issuer_key: str, serial: int, resident: str, at: datetime) -> None:
        """The present link of this credential ended."""
        pair = (issuer_key, f"{serial:x}")
        sql = "UPDATE link_history SET ended_at = ? WHERE issuer_key = ? AND serial = ? AND ended_at IS NULL"
        with self._store.transaction() as connection:
            if connection.execute(sql, (_text(at), *pair)).rowcount == 0:  # linked before history was kept
                connection.execute(
                    "INSERT INTO link_history (issuer_key, serial, resident, not_after, begun_at, ended_at)"
                    " VALUES (?,?,?,'','',?)",
                    (*pair, resident, _text(at)),
                )

    def known(self) -> list[tuple[str, int]]:
        """Every credential that is or was linked."""
        rows = self._store.rows("SELECT DISTINCT issuer_key, serial FROM link_history")
        past = [(str(row["issuer_key"]), int(row["serial"], 16)) for row in rows]
        return list(dict.fromkeys([*((key, serial) for key, serial, _ in self._register.linked()), *past]))


def _period(row: sqlite3.Row) -> LinkPeriod:
    return LinkPeriod(
        row["issuer_key"], int(row["serial"], 16), row["resident"], row["not_after"], row["begun_at"],
        row["ended_at"],
    )  # fmt: skip


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
