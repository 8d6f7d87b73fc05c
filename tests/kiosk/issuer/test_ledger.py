"""Rows of the ledger across two releases: what 0.1 wrote is read here, what is written here 0.1 reads."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from device.clock import JST
from device.store import Store
from kiosk.issuer.ledger import Ledger
from kiosk.issuer.wiring import LEDGER_MIGRATIONS

if TYPE_CHECKING:
    from tests.kiosk.issuer.conftest import Hall

ROW = (
    b'{"request":"request-1","kiosk":"plaza-1","visit":"","requester":"R00001","residents":["R00001"],'
    b'"kind":"residence_record","options":{"relationship":%b,"registered_domicile":%b},"copies":2,"binding":"b",'
    b'"fee_yen":600,"pages":1,"at":"2026-11-23T12:00:00+09:00"}'
)
"""As 0.1 wrote it."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of 0.1."""

    relationship: bool = True
    registered_domicile: bool = False


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What 0.1 reads a row as."""

    request: str
    kiosk: str
    visit: str
    requester: str
    residents: list[str]
    kind: str
    options: Options
    copies: int
    binding: str
    fee_yen: int
    pages: int
    at: datetime


@pytest.mark.parametrize(
    ("relationship", "domicile", "items"),
    [
        (b"false", b"false", []),
        (b"true", b"false", ["relationship"]),
        (b"true", b"true", ["registered_domicile", "relationship"]),
    ],
)
def test_an_order_of_the_release_before_is_read_with_what_was_chosen(
    tmp_path: Path, relationship: bytes, domicile: bytes, items: list[str]
) -> None:
    store = Store(tmp_path / "ledger.db", LEDGER_MIGRATIONS)
    with store.transaction() as connection:
        row = ("request-1", "digest", "R8", 1, "R8-000001-4", ROW % (relationship, domicile))
        connection.execute("INSERT INTO request VALUES (?,?,?,?,?,?,NULL)", row)
    entry = Ledger(store).find("request-1")
    store.close()
    assert entry is not None
    assert (entry.order.kind, entry.order.answers) == ("residence_record", {"items": items})
    assert entry.order.at == datetime(2026, 11, 23, 12, 0, tzinfo=JST)


def test_the_release_before_reads_an_order_of_this_one_with_what_was_chosen(hall: Hall) -> None:
    visit = hall.enter()
    hall.quoted(visit.visit, hall.content(visit, count=2, items=["registered_domicile"]))
    (row,) = hall.ledger.rows("SELECT body FROM request")
    read = msgspec.json.decode(row["body"], type=Wanted)
    assert read.options == Options(relationship=False, registered_domicile=True)
    assert (read.residents, read.kind) == (["R00001", "R00002"], "residence_record")
