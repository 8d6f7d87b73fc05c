"""The database of release 0.1 is taken over: its accounts administer, and register a second factor in time."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text
from werkzeug.security import generate_password_hash

from device.clock import SystemClock
from device.logs import open_log
from provisioning.cityhall.accounts.log_ins import Begun, Step
from provisioning.cityhall.accounts.roles import Role
from provisioning.cityhall.database import open_engine
from provisioning.cityhall.settings import CityHallSettings
from provisioning.cityhall.wiring import build_cityhall, prepare

PASSWORD = "correct horse battery"


def lay_release_0_1(database: str, state: Path) -> None:
    engine, config = open_engine(database, state), Config()
    config.set_main_option("script_location", str(resources.files("provisioning.cityhall") / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        row = {"name": "hanako", "password": generate_password_hash(PASSWORD)}
        connection.execute(text("INSERT INTO staff (name, password, active) VALUES (:name, :password, true)"), row)
        connection.execute(text("INSERT INTO deed (at, staff, deed, box) VALUES (1, 'hanako', 'logged_in', '')"))
        connection.execute(text("INSERT INTO staff_session VALUES ('00', 'hanako', 1, 1)"))
    engine.dispose()


def test_an_account_of_the_first_release_goes_on_and_registers_a_second_factor(
    database_url: str, tmp_path: Path
) -> None:
    lay_release_0_1(database_url, tmp_path)
    settings, clock = CityHallSettings(names=["localhost"], database=database_url), SystemClock()
    prepare(settings, tmp_path, clock)
    service = build_cityhall(settings, tmp_path, clock, open_log("test"))
    (account,) = service.staff.accounts()
    assert (account.role, account.factors, account.logged_in_at) == (Role.ADMINISTER, (), 1)
    begun = service.pages.log_ins.begin("hanako", PASSWORD, "")
    assert isinstance(begun, Begun)
    assert begun.step is Step.ENROL
    service.database.close()
