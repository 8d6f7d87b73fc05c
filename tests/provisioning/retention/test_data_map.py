"""The map of personal data names every table that the product makes, and the page is made from it."""

from __future__ import annotations

import re
from pathlib import Path

from provisioning.cityhall.tables import Base
from provisioning.retention.data_map import data_map, page
from provisioning.updates.schemas import migrations

ROOT = Path(__file__).parents[3]
FILES = {
    "audit": ("portal/audit.db", "update/audit.db"),
    "gate": ("gate/gate.db",),
    "issuer-ledger": ("issuer/ledger.db",),
    "issuer-register": ("issuer/register.db",),
    "kiosk": ("kiosk/kiosk.db",),
    "outbox": ("enrolment/outbox.db",),
    "portal": ("portal/portal.db",),
    "stats": ("stats/stats.db",),
}
"""Database of provisioning.updates.schemas -> its files below the state folder."""


def made() -> set[str]:
    """Every table that a migration leaves."""
    found = {f"fleet/fleet.db:{name}" for name in Base.metadata.tables}
    for database, steps in migrations().items():
        sql = [one for migration in steps for one in migration.sql]
        tables = {name for one in sql for name in re.findall(r"CREATE TABLE (\w+)", one)}
        tables -= {name for one in sql for name in re.findall(r"DROP TABLE (?:IF EXISTS )?(\w+)", one)}
        found |= {f"{file}:{name}" for file in FILES[database] for name in tables}
    return found


def test_every_table_has_its_row_and_every_row_its_table() -> None:
    assert {one.place for one in data_map() if ":" in one.place} == made()


def test_what_says_something_of_a_person_has_a_reason_an_age_and_a_reader() -> None:
    assert [one.place for one in data_map() if one.personal and not (one.why and one.age and one.who)] == []


def test_the_page_is_made_from_the_map() -> None:
    assert (ROOT / "docs/personal_data.md").read_text("utf-8") == page()
