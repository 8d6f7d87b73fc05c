"""Certificates that were given out before their fee and then voided, or never told of: by kiosk, in the last days.

A visitor who walks away from the fee voids one, so a few are nothing. A kiosk that fetches many and voids most of them
may be collecting papers: the kiosk's own journal counts it, and the issuer's ledger, which a rogue kiosk cannot write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from device.health.finding import Finding, absent, error, ok, warning
from device.store_reading import connect_for_reading
from kiosk.issuer.given_documents import COUNTS_SQL
from provisioning.doctor.examined_box import ExaminedBox

WINDOW, TOLD_AFTER = timedelta(days=2), timedelta(days=1)
"""What is counted; after so long a kiosk has told the end of it, also when its line was down for a night."""
MIN_VOIDED, VOIDED_PART = 10, 0.5
"""An alarm from so many on, when they are more than this part of those given out."""
_JOURNAL_SQL = (
    "SELECT count(*), coalesce(sum(state = 'voided'), 0), 0 FROM request WHERE sha256 <> '' AND asked_at >= ?"
)


class Documents(NamedTuple):
    """Of one kiosk: documents given out; of these, how many it voided, and how many it never told the end of."""

    kiosk: str
    given: int
    voided: int
    untold: int

    @property
    def alarming(self) -> bool:
        """Whether too many were voided."""
        return self.voided >= MIN_VOIDED and self.voided > self.given * VOIDED_PART


def check(box: ExaminedBox) -> list[Finding]:
    """Reads journal and ledger."""
    now = box.clock.now()
    found = [of_journal(box.state, box.site.box.name, now)] if box.has_kiosk else []
    return judge([*found, *of_ledger(ledger(box), now)])


def judge(counted: Sequence[Documents]) -> list[Finding]:
    """The same kiosk may be counted twice, by itself and by the issuer."""
    findings = [finding for one in counted for finding in _findings(one)]
    if findings:
        return [finding for place, finding in enumerate(findings) if finding not in findings[:place]]
    return [ok("documents.settled", count=sum(one.given for one in counted))] if counted else [absent("documents.none")]


def of_journal(state: Path, name: str, now: datetime) -> Documents:
    """By the kiosk itself."""
    rows = _rows(state / "kiosk" / "kiosk.db", _JOURNAL_SQL, ((now - WINDOW).isoformat(timespec="milliseconds"),))
    return Documents(name, *rows[0]) if rows else Documents(name, 0, 0, 0)


def of_ledger(file: Path | None, now: datetime) -> list[Documents]:
    """By the issuer, every kiosk."""
    if file is None:
        return []
    seconds = ((now - TOLD_AFTER).timestamp(), (now - WINDOW).timestamp())
    return [Documents(*row) for row in _rows(file, COUNTS_SQL, seconds)]


def ledger(box: ExaminedBox) -> Path | None:
    """The issuer's database on this box."""
    return (box.state / box.site.issuer.register).with_name("ledger.db") if box.site.issuer else None


def _findings(one: Documents) -> Iterator[Finding]:
    facts: dict[str, str | int | float] = {"kiosk": one.kiosk, "given": one.given}
    if one.alarming:
        yield error("documents.voided", **facts, count=one.voided)
    if one.untold:
        yield warning("documents.untold", **facts, count=one.untold)


def _rows(file: Path, sql: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
    """Nothing where there is no such file yet, or one of an earlier release."""
    if not file.exists():
        return []
    try:
        with closing(connect_for_reading(file)) as database:
            return [tuple(row) for row in database.execute(sql, parameters)]
    except (sqlite3.Error, OSError):
        return []
