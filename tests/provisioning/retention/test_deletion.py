"""Old records go, what staff still have to settle stays, the audit says how many and still verifies; twice is once."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from device.audit import Audit
from device.clock import JST, HeldClock
from device.store import Store
from kiosk.issuer.protocol import OutcomeKind
from kiosk.issuer.wiring import LEDGER_MIGRATIONS
from kiosk.schema import KIOSK_MIGRATIONS
from provisioning.retention.deletion import Deleted, databases, delete_old
from provisioning.retention.settings import RetentionSettings

NOW = datetime(2032, 4, 1, 3, tzinfo=JST)
OLD, YOUNG = NOW - timedelta(days=1827), NOW - timedelta(days=1825)
AGES = RetentionSettings()


def run(state: Path) -> list[Deleted]:
    known = databases(AGES, state, state / "issuer/ledger.db", None)
    return [done for one in known for done in delete_old(one, AGES.audit_days, HeldClock(NOW))]


def journal(state: Path) -> Store:
    return Store(state / "kiosk/kiosk.db", KIOSK_MIGRATIONS)


def asked(store: Store, at: datetime, state: str, **facts: object) -> None:
    number = store.rows("SELECT count(*) AS n FROM request")[0]["n"]
    row: dict[str, object] = {"paid_yen": 0, "refunded_at": None, **facts}
    moment = at.isoformat(timespec="milliseconds")
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO request (request, visit, kind, copies, state, paid_yen, refunded_at, asked_at, moved_at)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            (f"r{number}", "v", "k", 1, state, row["paid_yen"], row["refunded_at"], moment, moment),
        )
        connection.execute(
            "INSERT INTO move (request, state, reason, at) VALUES (?,?,'',?)", (f"r{number}", state, moment)
        )
        connection.execute("INSERT INTO outcome VALUES (?,?,?)", (f"r{number}", state, moment))


def test_settled_requests_go_with_their_moves_and_open_ones_stay(tmp_path: Path) -> None:
    store = journal(tmp_path)
    for state, facts in (
        ("delivered", {"paid_yen": 300}),
        ("voided", {"paid_yen": 300, "refunded_at": OLD.isoformat()}),
        ("voided", {"paid_yen": 300}),
        ("unknown", {}),
        ("refused", {}),
    ):
        asked(store, OLD, state, **facts)
    asked(store, YOUNG, "delivered")
    assert run(tmp_path) == [Deleted("journal", 3)]
    assert [row["request"] for row in store.rows("SELECT request FROM request")] == ["r2", "r3", "r5"]
    assert len(store.rows("SELECT * FROM move")) == len(store.rows("SELECT * FROM outcome")) == 3
    (said,) = Audit(store, HeldClock(NOW)).lines()
    assert (said.event, said.facts) == ("records_deleted", {"kind": "journal", "count": 3})
    assert run(tmp_path) == []


@pytest.mark.parametrize(("outcome", "rows"), [(OutcomeKind.DELIVERED, 1), (OutcomeKind.UNKNOWN, 0), (None, 0)])
def test_the_ledger_keeps_what_is_not_settled_and_the_last_year_for_its_numbers(
    tmp_path: Path, outcome: OutcomeKind | None, rows: int
) -> None:
    store = Store(tmp_path / "issuer/ledger.db", LEDGER_MIGRATIONS)
    for number, at, year in ((1, OLD, "R9"), (2, OLD, "R10")):
        body = msgspec.json.encode({"at": at})
        row = (f"r{number}", "d", year, number, f"n{number}", body, outcome and outcome.value)
        with store.transaction() as connection:
            connection.execute("INSERT INTO request VALUES (?,?,?,?,?,?,?)", row)
            connection.execute("INSERT INTO accepted VALUES (?,'k',1,'')", row[:1])
            connection.execute("INSERT INTO document_given VALUES (?,'k','',1,1)", row[:1])
    assert [done for done in run(tmp_path) if done.kind == "ledger"] == [Deleted("ledger", 1)] * rows
    for table in ("request", "accepted", "document_given"):
        assert len(store.rows(f"SELECT request FROM {table}")) == 2 - rows  # noqa: S608 - our own words


def test_an_audit_whose_old_lines_went_still_verifies(tmp_path: Path) -> None:
    store = journal(tmp_path)
    for at in (OLD, OLD, YOUNG):
        Audit(store, HeldClock(at)).record("kiosk_reopened")
    assert run(tmp_path) == [Deleted("audit", 2)]
    Audit(store, HeldClock(NOW)).verify()
    assert run(tmp_path) == []
