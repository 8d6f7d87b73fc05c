"""Deletes records that are past their age from one box's databases. Doing it again deletes nothing more.

The connection log is the gate's own to delete: its chain notes up to where. What staff still have to settle stays,
however old: requests whose end is unknown, fees to be paid back, alarms. Each deletion writes how many into the audit
of the same database, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from captive_portal.gate.database import MIGRATIONS as GATE_MIGRATIONS
from device.audit import AUDIT_MIGRATIONS, Audit
from device.clock import JST, Clock
from device.store import Migration, Store
from kiosk.issuer.wiring import LEDGER_MIGRATIONS
from kiosk.schema import KIOSK_MIGRATIONS
from provisioning.retention.settings import RetentionSettings

_SETTLED = (
    "SELECT request FROM request WHERE moved_at < :before AND state IN ('delivered', 'refused', 'voided')"
    " AND (state = 'delivered' OR paid_yen = 0 OR refunded_at IS NOT NULL)"
)
JOURNAL = (
    f"DELETE FROM move WHERE request IN ({_SETTLED})",  # noqa: S608 - our own words
    f"DELETE FROM outcome WHERE request IN ({_SETTLED})",  # noqa: S608 - our own words
    f"DELETE FROM request WHERE request IN ({_SETTLED})",  # noqa: S608 - our own words
)
ALARMS = ("DELETE FROM alarm WHERE cleared_at < :before",)
_ISSUED = (
    "SELECT request FROM request WHERE json_extract(CAST(body AS TEXT), '$.at') < :before"
    " AND outcome IN ('delivered', 'voided') AND year <> (SELECT year FROM request ORDER BY rowid DESC LIMIT 1)"
)
"""The last era year stays whole: by it the next issue number is found."""
LEDGER = tuple(
    f"DELETE FROM {table} WHERE request IN ({_ISSUED})"  # noqa: S608 - our own words
    for table in ("document_given", "accepted", "request")
)


class Deleted(NamedTuple):
    """So many records of one kind."""

    kind: str
    rows: int


@dataclass(frozen=True)
class Database:
    """One database of a box. deletes: kind -> (statements, days)."""

    file: Path
    migrations: tuple[Migration, ...]
    deletes: Mapping[str, tuple[Sequence[str], int]]


def databases(ages: RetentionSettings, state: Path, ledger: Path | None, gate: Path | None) -> list[Database]:
    """Those that are there. ledger, gate: their files, None where the box has none."""
    journal, issued = (JOURNAL, ages.journal_days), (LEDGER, ages.ledger_days)
    kiosk = {"journal": journal, "alarms": (ALARMS, ages.journal_days)}
    known = [
        Database(state / "kiosk" / "kiosk.db", KIOSK_MIGRATIONS, kiosk),
        Database(state / "portal" / "audit.db", AUDIT_MIGRATIONS, {}),
        Database(state / "update" / "audit.db", AUDIT_MIGRATIONS, {}),
        *([Database(ledger, LEDGER_MIGRATIONS, {"ledger": issued})] if ledger else []),
        *([Database(gate, GATE_MIGRATIONS, {})] if gate else []),
    ]
    return [one for one in known if one.file.exists()]


def delete_old(database: Database, audit_days: int, clock: Clock) -> list[Deleted]:
    """Delete, and say it in the audit. Raises StoreError."""
    with closing(Store(database.file, database.migrations)) as store:
        audit = Audit(store, clock)
        done = list(_records(store, audit, database, clock.now()))
        lines = audit.prune(clock.now() - timedelta(days=audit_days))
        return [one for one in (*done, Deleted("audit", lines)) if one.rows]


def _records(store: Store, audit: Audit, database: Database, now: datetime) -> Iterator[Deleted]:
    for kind, (statements, days) in database.deletes.items():
        before = (now - timedelta(days=days)).astimezone(JST)
        values = {"before": before.isoformat(timespec="milliseconds")}
        with store.transaction() as connection:
            counts = [connection.execute(sql, values).rowcount for sql in statements]
            if counts[-1]:
                audit.record("records_deleted", kind=kind, count=counts[-1])
        yield Deleted(kind, counts[-1])
