"""City hall in hand, on SQLite, and on PostgreSQL where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from device.clock import JST, HeldClock
from device.logs import open_log
from provisioning.cityhall.boxes.enrolment import Refused
from provisioning.cityhall.settings import CityHallSettings
from provisioning.cityhall.tables import Enrolment
from provisioning.cityhall.wiring import CityHallService, build_cityhall, prepare
from provisioning.enrolment.identity import Identity
from tests.fixtures.postgres import PrivatePostgres

START = datetime(2026, 4, 1, 9, tzinfo=JST)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    with PrivatePostgres() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def database_url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return ""
    server: PrivatePostgres = request.getfixturevalue("postgres")
    return server.new_database()


@dataclass
class Hall:
    """City hall and its clock; ``box`` makes the keys of boxes."""

    service: CityHallService
    clock: HeldClock
    settings: CityHallSettings
    state: Path

    @property
    def now(self) -> int:
        return int(self.clock.now().timestamp())

    def box(self, name: str) -> Identity:
        return Identity(self.state / "boxes" / name)

    def code(self, box: str) -> str:
        return self.service.records.new_code(box, "jiro", self.now, self.settings.code_days)

    def ask(self, box: str, code: str, identity: Identity | None = None) -> Enrolment:
        answer = self.service.enrolments.ask(code, (identity or self.box(box)).request(box))
        assert isinstance(answer, Enrolment), answer
        return answer

    def refused(self, box: str, code: str, identity: Identity | None = None) -> str:
        answer = self.service.enrolments.ask(code, (identity or self.box(box)).request(box))
        assert isinstance(answer, Refused)
        return answer.reason

    def enrolled(self, box: str) -> Enrolment:
        asked = self.ask(box, self.code(box))
        assert self.service.enrolments.approve(asked.id, "hanako")
        answer = self.service.enrolments.state(asked.id)
        assert isinstance(answer, Enrolment)
        return answer


def open_hall(state: Path, database: str = "") -> Hall:
    settings = CityHallSettings(
        names=["localhost", "127.0.0.1"], database=database, city_name="TEST city", second_factor="optional"
    )
    clock = HeldClock(START)
    prepare(settings, state, clock)
    return Hall(build_cityhall(settings, state, clock, open_log("cityhall")), clock, settings, state)


@pytest.fixture
def hall(tmp_path: Path, database_url: str) -> Iterator[Hall]:
    """On every database."""
    opened = open_hall(tmp_path, database_url)
    yield opened
    opened.service.database.close()


@pytest.fixture
def small_hall(tmp_path: Path) -> Iterator[Hall]:
    """On SQLite alone, for what has nothing to do with the database."""
    opened = open_hall(tmp_path)
    yield opened
    opened.service.database.close()
