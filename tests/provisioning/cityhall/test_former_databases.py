"""A database of the first release is taken over: boxes go on with the credential they have, judged from then."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text

from provisioning.cityhall.boxes.authority import Peer
from provisioning.cityhall.database import open_engine, upgrade
from provisioning.cityhall.tables import Base, Box
from tests.provisioning.cityhall.conftest import Hall


def of_the_first_release(state: Path) -> None:
    engine = open_engine("", state)
    config = Config()
    config.set_main_option("script_location", "provisioning/cityhall/migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO staff VALUES ('hanako', 'x', 1)"))
    engine.dispose()


def test_tables_are_added_and_nothing_is_lost(tmp_path: Path) -> None:
    of_the_first_release(tmp_path)
    engine = open_engine("", tmp_path)
    for _ in range(2):
        upgrade(engine)
    assert set(Base.metadata.tables) <= set(inspect(engine).get_table_names())
    with engine.begin() as connection:
        assert connection.execute(text("SELECT name FROM staff")).scalar() == "hanako"


@pytest.mark.parametrize("serial", ["current", "former"])
def test_a_box_without_a_row_is_believed_until_its_last_credential_was_seen(hall: Hall, serial: str) -> None:
    """Its answer may have been lost before this release: the former credential is in the box then."""
    hall.enrolled("plaza-1")
    box = hall.service.records.box("plaza-1")
    assert box is not None
    shown = Peer("plaza-1", box.key, box.certificate_serial if serial == "current" else "abc")
    assert isinstance(hall.service.enrolments.admit(shown), Box)
    assert isinstance(hall.service.enrolments.admit(Peer("plaza-1", box.key, box.certificate_serial)), Box)
    assert not isinstance(hall.service.enrolments.admit(Peer("plaza-1", box.key, "abc")), Box)
