"""The register: imports, links, restrictions, tombstones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest

from device.store import Store
from kiosk.issuer.errors import RegisterFileError
from kiosk.issuer.register.population_file import inconsistencies, read_population
from kiosk.issuer.register.records import GoneReason, Tombstone
from kiosk.issuer.register.register import REGISTER_MIGRATIONS, Register
from kiosk.issuer.register.synthetic_people import population


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    store = Store(tmp_path / "register.db", REGISTER_MIGRATIONS)
    made = Register(store)
    made.import_population(population())
    yield made
    store.close()


def test_the_same_import_twice_changes_nothing(register: Register) -> None:
    before = [register.show(r) for r in register.residents()]
    assert register.import_population(population()) == 200
    assert [register.show(r) for r in register.residents()] == before


def test_an_import_replaces_what_is_no_longer_in_the_file(register: Register) -> None:
    register.import_population(population(size=4))
    assert register.residents() == ["R00001", "R00002", "R00003", "R00004"]


def test_a_tombstone_beats_a_later_import_of_the_same_person(register: Register) -> None:
    register.add_tombstone(Tombstone(resident="R00002", reason=GoneReason.DECEASED, since=date(2026, 5, 1)))
    register.import_population(population())
    house = register.household_of("R00001")
    assert house is not None
    assert [m.resident for m in house.members] == ["R00001", "R00003", "R00004"]


def test_an_import_never_lifts_a_restriction(register: Register) -> None:
    register.restrict("R00001")
    register.import_population(population())
    house = register.household_of("R00002")
    assert house is not None
    assert house.restricted == {"R00001"}


def test_a_pair_of_issuer_and_serial_names_one_resident_and_a_serial_alone_none(register: Register) -> None:
    register.link("aa", 0x0A11CE01, "R00001")
    register.link("bb", 0x0A11CE02, "R00001")
    assert register.resolve("aa", 0x0A11CE01) == register.resolve("bb", 0x0A11CE02) == "R00001"
    assert register.resolve("bb", 0x0A11CE01) is None


def test_staff_see_links_restriction_and_tombstone(register: Register) -> None:
    register.link("aa", 1, "R00002")
    register.restrict("R00002")
    register.add_tombstone(Tombstone(resident="R00002", reason=GoneReason.MOVED_OUT, since=date(2026, 5, 1)))
    shown = register.show("R00002")
    assert shown is not None
    assert (shown.credentials, shown.restricted, shown.household.householder) == (1, True, "R00001")
    assert shown.tombstone is not None
    assert shown.tombstone.reason is GoneReason.MOVED_OUT
    assert register.show("R99999") is None


def test_a_population_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "residents.json"
    path.write_bytes(msgspec.json.encode(population()))
    assert read_population(path) == population()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "not JSON"),
        (b'{"households": [], "residents": [{"name": "SECRET"}]}', "$.residents[0]"),
        (b'{"households": [], "residents": [], "number": 1}', "the top level"),
    ],
)
def test_a_wrong_file_is_told_by_place_and_never_by_value(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "residents.json"
    path.write_bytes(content)
    with pytest.raises(RegisterFileError) as told:
        read_population(path)
    assert reason in str(told.value)
    assert "SECRET" not in str(told.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(RegisterFileError, match="unreadable"):
        read_population(tmp_path / "nowhere.json")


def test_a_resident_without_household_and_two_in_one_place_are_inconsistent() -> None:
    people = population(size=4)
    assert inconsistencies(msgspec.structs.replace(people, households=[])) == [
        "household H00001 of a resident is missing"
    ]
    crowded = [msgspec.structs.replace(r, place=1) for r in people.residents]
    assert inconsistencies(msgspec.structs.replace(people, residents=crowded)) == [
        "household H00001 has two members in one place"
    ]
