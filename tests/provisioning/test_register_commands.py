"""``hiroba register`` at the counter: a card on the reader, files of many cards, the lists that staff read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from device.card.credential import identity
from device.card.virtual.card import TriesInMemory, VirtualCard, load_image
from device.card.virtual.pki import TestPki
from device.card.virtual.reader import VirtualReader
from device.errors import CardGone, NotAMyNumberCard
from provisioning.commands.register_links import read_credential
from tests.attacks.city_register import CityRegister


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    made = TestPki(tmp_path_factory.mktemp("pki"))
    made.ensure(["demo", "demo2", "older", "juki", "expired"])
    return made


@pytest.fixture
def city(tmp_path: Path, pki: TestPki) -> CityRegister:
    return CityRegister.make(tmp_path, pki)


def chip(pki: TestPki, name: str) -> VirtualCard:
    return VirtualCard(load_image(pki.cards / name), TriesInMemory())


@pytest.mark.parametrize("name", ["demo", "older"])
def test_a_card_on_the_reader_gives_its_authentication_credential_without_a_pin(pki: TestPki, name: str) -> None:
    reader = VirtualReader(chip(pki, name))
    assert read_credential(reader) == pki.credential(name)
    reader.connect().close()  # and the reader is free again


def test_no_card_and_another_kind_of_card_are_told(pki: TestPki) -> None:
    with pytest.raises(CardGone):
        read_credential(VirtualReader())
    with pytest.raises(NotAMyNumberCard):
        read_credential(VirtualReader(chip(pki, "juki")))


def lay(city: CityRegister, folder: Path, *lines: str) -> str:
    for name in ("demo", "demo2", "older", "expired"):
        (folder / f"{name}.der").write_bytes(city.pki.credential(name))
    file = folder / "many.csv"
    file.write_text("\n".join(["resident,credential", *lines]) + "\n")
    return str(file)


def test_a_dry_run_shows_the_difference_and_changes_nothing(city: CityRegister, tmp_path: Path) -> None:
    city.run("link", city.card("demo"), "R00001")
    city.run("link", city.card("older"), "R00002")
    file = lay(city, tmp_path, "R00001,demo.der", "R00002,demo2.der")
    told = city.run("link-many", file, "--dry-run")
    assert told.code == 0
    assert "変更なし" in told.text
    assert "前のカードと入れ替え" in told.text
    assert city.register().resolve(*identity(city.pki.credential("demo2"))) is None


def test_a_file_of_many_is_linked_whole(city: CityRegister, tmp_path: Path) -> None:
    assert city.run("link-many", lay(city, tmp_path, "R00001,demo.der", "R00002,demo2.der")).code == 0
    assert {resident for _, _, resident in city.register().linked()} == {"R00001", "R00002"}


def test_one_mistake_links_nothing_and_all_are_told(city: CityRegister, tmp_path: Path) -> None:
    file = lay(city, tmp_path, "R00001,demo.der", "R99999,demo2.der", "R00003,expired.der", "R00004,../site.toml")
    told = city.run("link-many", file)
    assert told.code == 1
    for line in (3, 4, 5):
        assert f"{line} 行目" in told.text
    assert city.register().linked() == []


def test_lists_for_programs(city: CityRegister) -> None:
    city.run("link", city.card("demo"), "R00001")
    city.run("restrict", "R00001")
    request = city.asked("restrict", "R00001", "--lift")
    (card,) = json.loads(city.run("credentials", "R00001", "--json").text)
    assert card["credential"].startswith("c-")
    (waiting,) = json.loads(city.run("requests", "--json").text)
    assert (waiting["request"], waiting["action"], waiting["asked_by"]) == (request, "lift_restriction", "s-1001")
    lines = json.loads(city.run("history", "R00001", "--json").text)
    assert [line["event"] for line in lines][:2] == ["register_linked", "register_restricted"]


def test_who_and_why_are_needed(city: CityRegister) -> None:
    from click.testing import CliRunner

    from provisioning.cli import hiroba

    for words in (["show"], ["link", city.card("demo"), "R00001"], ["restrict", "R00001"], ["approve", "ABCDEFGH"]):
        assert CliRunner().invoke(hiroba, ["register", *words]).exit_code == 2
